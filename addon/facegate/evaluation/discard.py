"""What quality is worth: how the error falls when the worst pictures are discarded.

Reference: the error-versus-discard characteristic (ISO/IEC 29794-1; Grother and Tabassi, 2007),
here of FNIR at the threshold in force, over the mated searches of all conditions together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np

from facegate.evaluation.conditions import Condition
from facegate.evaluation.identification import Search
from facegate.evaluation.statistics import Histogram, Rate, histogram, rate

SHARES = (0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5)
"""Shares of the searches that are discarded, the lowest quality first."""

_BINS = 20


@dataclass(frozen=True, slots=True)
class Spread:
    """The quality (0..1) of the faces that were found under a condition."""

    condition: str
    median: float
    histogram: Histogram


@dataclass(frozen=True, slots=True)
class Discard:
    """The error of what is left when a share was discarded, and the lowest quality left."""

    share: float
    quality: float
    fnir: Rate


@dataclass(frozen=True, slots=True)
class QualityFigures:
    """Distribution of quality by condition, and the error-versus-discard characteristic."""

    spreads: tuple[Spread, ...]
    discards: tuple[Discard, ...]


def weigh(searches: Sequence[Search]) -> QualityFigures:
    """Return the figures of quality; faces that were not found have none and do not count."""
    seen = [search for search in searches if search.mate is not None and search.found.probes]
    return QualityFigures(tuple(_spreads(seen)), discards([(s.quality, s.right) for s in seen]))


def discards(judged: Iterable[tuple[float, bool]]) -> tuple[Discard, ...]:
    """Return the characteristic of (quality, whether it was right); equal qualities keep order."""
    ordered = sorted(judged, key=lambda each: each[0])
    if not ordered:
        return ()
    found = []
    for share in SHARES:
        kept = ordered[int(share * len(ordered)) :]
        wrong = sum(not right for _, right in kept)
        found.append(Discard(share, kept[0][0], rate(wrong, len(kept))))
    return tuple(found)


def _spreads(searches: Sequence[Search]) -> Iterable[Spread]:
    for condition in Condition:
        values = [search.quality for search in searches if search.condition is condition]
        if values:
            yield Spread(condition, median(values), histogram(np.array(values), 0, 1, _BINS))
