"""From a track's probes to an identification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from facegate.domain import Identification, Probe, Vector
from facegate.identity.gallery import Gallery
from facegate.identity.threshold import Thresholds

NOBODY = -1.0
"""The score where there is nobody to compare with: the lowest that a cosine can be."""


def fuse(probes: Sequence[Probe]) -> Vector:
    """Return the unit-length mean of the probes' embeddings (128 values), weighed by quality.

    Averaging before the search lets single blurred frames weigh little: their embeddings
    scatter, while those of good frames agree. Where no probe has any quality all count alike.
    """
    weights = (
        [probe.quality for probe in probes] if any(probe.quality for probe in probes) else None
    )
    mean = np.average([probe.embedding for probe in probes], axis=0, weights=weights)
    return np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-9), np.float32)


def identify(
    probes: Sequence[Probe],
    gallery: Gallery,
    *,
    threshold: float,
    min_margin: float,
    min_probes: int,
) -> Identification:
    """Search the gallery with a track's probes.

    A subject is named only with at least ``min_probes`` probes, a score of at least
    ``threshold`` and at least ``min_margin`` before the runner-up.
    """
    nearest = gallery.search(fuse(probes)) if probes else ()
    score = nearest[0].score if nearest else NOBODY
    runner_up = nearest[1].score if len(nearest) > 1 else NOBODY
    candidate = nearest[0].subject_id if nearest else None
    named = len(probes) >= min_probes and score >= threshold and score - runner_up >= min_margin
    return Identification(
        subject_id=candidate if named else None,
        candidate_id=candidate,
        score=score,
        runner_up=runner_up,
        probes=len(probes),
        threshold=threshold,
        min_margin=min_margin,
        min_probes=min_probes,
    )


@dataclass(frozen=True, slots=True)
class Identifier:
    """Tells who a track is, at the threshold that the site needs as it is now."""

    gallery: Gallery
    thresholds: Thresholds
    min_probes: int

    def identify(self, probes: Sequence[Probe]) -> Identification:
        """Search the gallery; a name that the face alone cannot carry asks for step-up.

        That is so where the data do not support the site's threshold, and where another subject
        is so like the one who is named that the margin cannot hold.
        """
        found = identify(
            probes,
            self.gallery,
            threshold=self.thresholds.current.threshold,
            min_margin=self.thresholds.min_margin,
            min_probes=self.min_probes,
        )
        if found.subject_id is None:
            return found
        alike = self.thresholds.look_alike(found.subject_id)
        return replace(
            found,
            step_up=alike is not None or not self.thresholds.current.supported,
            look_alike=alike.score if alike is not None else None,
        )
