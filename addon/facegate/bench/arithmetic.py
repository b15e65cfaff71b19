"""The arithmetic of a benchmark: pairs, percentiles, slopes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
import math
from statistics import fmean, median


@dataclass(frozen=True, slots=True)
class Paired:
    """Two sides measured in turns, A/B/A/B: each side's median, and the median ratio of a pair.

    ``ratio`` is b / a: how many times as long B takes. What slows the machine for a while slows
    both halves of a pair, so that ratios of pairs scatter less than the ratio of the medians.
    """

    a: float
    b: float
    ratio: float
    pairs: int


def paired(a: Sequence[float], b: Sequence[float]) -> Paired:
    """Return what two series of the same length say; raises ``ValueError`` for empty ones."""
    if not a or len(a) != len(b):
        raise ValueError(f"expected pairs, got {len(a)} and {len(b)} values")
    ratios = [theirs / ours for ours, theirs in zip(a, b, strict=True)]
    return Paired(median(a), median(b), median(ratios), len(a))


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that ``share`` (0..1) of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def slope(times: Sequence[float], values: Sequence[float]) -> float:
    """Return the least-squares growth of ``values`` in one unit of ``times``; 0 for a point."""
    middle_time, middle = fmean(times), fmean(values)
    spread = sum((time - middle_time) ** 2 for time in times)
    if spread == 0:
        return 0.0
    together = sum(
        (time - middle_time) * (value - middle) for time, value in zip(times, values, strict=True)
    )
    return together / spread


def deviation(values: Sequence[float]) -> float:
    """Return how far a value lies from the mean at most, as a share of the mean (0..)."""
    mean = fmean(values)
    return max(abs(value - mean) for value in values) / mean if mean else 0.0


def stretches(times: Sequence[float], values: Sequence[float], length: float) -> list[float]:
    """Return the mean of the values of each ``length`` of time; an end that is shorter is left out.

    What is shorter than one length as a whole is one stretch.
    """
    whole = max(1, int((times[-1] - times[0]) / length))
    found: list[list[float]] = [[] for _ in range(whole)]
    for time, value in zip(times, values, strict=True):
        place = int((time - times[0]) / length)
        if place < whole:
            found[place].append(value)
    return [fmean(stretch) for stretch in found if stretch]
