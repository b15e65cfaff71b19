"""Error rates with their bounds, and the curves of ISO/IEC 19795-1, from scores alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math

import numpy as np
from numpy.typing import NDArray

type Scores = NDArray[np.float64]

RULE_OF_THREE = 3.0
_Z = 1.959963984540054  # two-sided 95 %
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Rate:
    """Errors among trials, with the 95 % bounds of their share.

    ``value`` is None without trials. Bounds are Wilson's (1927); without an error the upper one
    is the rule of three, 3 / trials (ISO/IEC 19795-1). They hold for independent trials: those
    that repeat few people vary more.
    """

    errors: int
    trials: int
    value: float | None
    low: float
    high: float


def rate(errors: int, trials: int) -> Rate:
    """Return the rate of ``errors`` among ``trials``; ``0 <= errors <= trials``."""
    if not trials:
        return Rate(errors, trials, None, 0.0, 1.0)
    share = errors / trials
    if not errors:
        return Rate(0, trials, 0.0, 0.0, min(1.0, RULE_OF_THREE / trials))
    spread = _Z**2 / trials
    middle = (share + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(share * (1 - share) / trials + spread / (4 * trials)) / (1 + spread)
    return Rate(errors, trials, share, max(0.0, middle - half), min(1.0, middle + half))


def pooled(rates: Sequence[Rate]) -> Rate:
    """Return the rate over all trials together."""
    return rate(sum(each.errors for each in rates), sum(each.trials for each in rates))


def supports(share: float, trials: int) -> bool:
    """Whether so many trials without an error would bound it under ``share`` (rule of three)."""
    return trials * share >= RULE_OF_THREE


def threshold_for(impostor: Scores, share: float) -> float:
    """Return the lowest threshold that at most ``share`` of the scores reach.

    A score reaches a threshold that it equals. -1, the lowest cosine, where there are no scores.
    """
    allowed = math.floor(share * len(impostor) + 1e-9)
    if allowed >= len(impostor):
        return -1.0
    highest = np.sort(impostor)[::-1]
    return float(np.nextafter(highest[allowed], np.inf))


def reached(scores: Scores, threshold: float) -> int:
    """Return how many scores reach a threshold."""
    return int(np.count_nonzero(scores >= threshold))


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Both errors at one threshold: of those let through falsely, and of those missed falsely."""

    threshold: float
    false_positive: float
    false_negative: float


def curve(genuine: Scores, impostor: Scores) -> tuple[CurvePoint, ...]:
    """Return the errors at thresholds from -0.2 to 1 in steps of 0.01: ROC and DET are drawn of it.

    Empty where there are no genuine or no impostor scores.
    """
    if not len(genuine) or not len(impostor):
        return ()
    return tuple(
        CurvePoint(
            step / 100,
            reached(impostor, step / 100) / len(impostor),
            1 - reached(genuine, step / 100) / len(genuine),
        )
        for step in range(-20, 101)
    )


@dataclass(frozen=True, slots=True)
class Histogram:
    """How many scores lie in ``edges[i] <= score < edges[i + 1]``; the last bin has both edges."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]


def histogram(scores: Scores, low: float, high: float, bins: int) -> Histogram:
    """Return the scores' histogram; those outside of ``low..high`` count in the outermost bins."""
    counts, edges = np.histogram(np.clip(scores, low, high), bins, (low, high))
    return Histogram(
        tuple(round(float(edge), 6) for edge in edges), tuple(int(count) for count in counts)
    )
