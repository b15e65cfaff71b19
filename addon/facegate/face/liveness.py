"""Tells whether a track's face moved as a solid head or as a flat picture.

The evidence is ``relief.Relief``: how far nose and eye sockets shifted against the rest of the
face, with standard errors. Measurements in a row must agree; ``measured`` is what all of them
reach in one direction, in standard errors.

Measured at 15 frames a second in 1280 x 720 pictures, H.264, faces 60-300 px high:

- Held-up photographs that passed within four seconds (APCER): of flat prints none of 320 (150 of
  them not used for choosing limits), turned, tilted, shaken, waved, moved to and fro by up to 42
  degrees; the highest reading was 3.98. Of prints bent to cylinders 2 of 76, both to a radius of
  less than half a face's height. They were simulated with true perspective, blur and noise from
  stills of some 70 people. A third of the flat ones were named flat (FAIL), the others showed too
  little to tell.
- People not passed after 0.5, 0.7, 1, 2, 4 s (BPCER): two office workers who nod and turn, 29
  views of 8 clips of two seconds: 72, 52, 38, 14, 10 %. A man who talks in a car and turns his
  head after a second, 11 views: 100, 100, 91, 27, 0 %; from where he turns, 0.3 s. A man who
  smiles and holds his head still never passes (7 views), nor do 10 of 11 people who walk past in
  a crowd, small and fast. 2 of these 68 were wrongly named flat. Few people: take the order of
  magnitude.

Known holes: a video shown on a screen moves like the head it shows; a print that is folded along
the nose or bent to a narrow tube, and any mask, has relief. Who may try for minutes has many
times four seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
import math

import numpy as np
from numpy.typing import NDArray

from facegate.domain import LivenessEvidence
from facegate.face.relief import Relief
from facegate.face.track import Sighting
from facegate.verdicts import Outcome

LIMIT = 4.0
"""Standard errors from which on a relief is believed."""

# So many measurements against one reference, within so many seconds, are one reading.
_RUN = 3
_MAX_RUN_S = 0.5
# No head shifts its relief by more, in eye distances.
_MAX_SHIFT = 0.5
# What registration gets wrong beside noise (lens, light, compression), in eye distances: a share
# for any face, a share of its pixels, of which small faces have few, and a share of the strain,
# as the warp only approximates a strong perspective.
_SYSTEMATIC_ERROR = 0.01
_SYSTEMATIC_ERROR_PX = 1.0
_SYSTEMATIC_ERROR_STRAIN = 0.15
# A surface stretched by so much was turned by some 30 degrees: a head would have shown its relief.
_FLAT_STRAIN = 0.1
_FLAT_SHIFT = 0.03


def assess(sightings: Sequence[Sighting]) -> LivenessEvidence:
    """Return what the sightings of one person tell, the oldest first.

    PASS once a relief was seen; FAIL when the face turned far and showed none; UNAVAILABLE while
    it moved too little, or could not be seen well enough, to tell. ``measured`` and ``limit`` are
    in standard errors. To be given what is vouched for only, see ``Track.vouched``.
    """
    begin = sightings[0].arrived if sightings else math.inf
    runs: dict[float, list[tuple[Sighting, Relief]]] = {}
    for sighting in sightings:
        relief = sighting.relief
        # A reference from before may be of another face.
        if relief is None or relief.reference < begin:
            continue
        if math.hypot(*relief.shift) < _MAX_SHIFT:
            runs.setdefault(relief.reference, []).append((sighting, relief))
    measured, flat = 0.0, False
    for run in runs.values():
        if len(run) >= _RUN:
            significance, is_flat = _read(run)
            measured, flat = max(measured, significance), flat or is_flat
    outcome = Outcome.UNAVAILABLE
    if measured > LIMIT:
        outcome = Outcome.PASS
    elif flat:
        outcome = Outcome.FAIL
    return LivenessEvidence(outcome, measured, LIMIT)


def _read(run: list[tuple[Sighting, Relief]]) -> tuple[float, bool]:
    """Return the best significance of a run's readings, and whether one of them saw it flat.

    A reading's significance is what all of its measurements reach along their median shift, in
    standard errors; at least 0.
    """
    shift = _readings([relief.shift for _, relief in run])
    error = _median(_readings([relief.error for _, relief in run]))
    strain = _median(_readings([relief.strain for _, relief in run]))
    size = _median(_readings([sighting.size for sighting, _ in run]))
    arrived = _readings([sighting.arrived for sighting, _ in run])
    close = arrived[:, -1] - arrived[:, 0] <= _MAX_RUN_S
    systematic = (
        _SYSTEMATIC_ERROR**2
        + (_SYSTEMATIC_ERROR_PX / size) ** 2
        + (_SYSTEMATIC_ERROR_STRAIN * strain) ** 2
    )
    scaled = shift / np.sqrt(error**2 + systematic[:, None])[:, None]
    middle = _median(scaled)
    length = np.linalg.norm(middle, axis=1)
    along = (scaled * middle[:, None]).sum(axis=2).min(axis=1) / np.maximum(length, 1e-9)
    still = np.linalg.norm(_median(shift), axis=1) < _FLAT_SHIFT
    flat = close & still & (strain > _FLAT_STRAIN)
    return max(0.0, float(along[close].max(initial=0.0))), bool(flat.any())


def _readings(values: Sequence[object]) -> NDArray[np.float64]:
    """Return all (readings, ``_RUN``, ...) that follow each other in a run."""
    array = np.array(values, np.float64)
    return np.stack([array[start : len(array) - _RUN + 1 + start] for start in range(_RUN)], axis=1)


def _median(readings: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the median of each reading; of so few values, sorting them is the fastest way."""
    return np.asarray(np.sort(readings, axis=1)[:, _RUN // 2])
