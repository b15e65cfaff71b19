"""Verification: two samples are compared, of one person (genuine) or of two (impostor)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facegate.domain import Vector
from facegate.evaluation.conditions import Condition
from facegate.evaluation.looking import Presentation
from facegate.evaluation.statistics import (
    CurvePoint,
    Histogram,
    Rate,
    Scores,
    curve,
    histogram,
    rate,
    reached,
    supports,
    threshold_for,
)
from facegate.identity.evidence import fuse

FALSE_MATCH_RATES = (1e-2, 1e-3, 1e-4)
_LOWEST, _BINS = -0.5, 60


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What a false match rate costs: the share of genuine comparisons under its threshold.

    ``supported`` is False where there are too few impostor comparisons to bound that rate: the
    threshold is then only the lowest at which none of them matched, or about that.
    """

    fmr: float
    supported: bool
    threshold: float
    fnmr: Rate


@dataclass(frozen=True, slots=True)
class Verification:
    """All comparisons of samples that show one subject, as they are given.

    ``points`` is empty where there are no impostor comparisons.
    """

    scope: str
    genuine: int
    impostor: int
    highest_impostor: float | None
    points: tuple[OperatingPoint, ...]
    curve: tuple[CurvePoint, ...]
    genuine_histogram: Histogram
    impostor_histogram: Histogram


def verify(shown: Sequence[Presentation]) -> tuple[Verification, ...]:
    """Return the comparisons over all sets, and, where there are several, within each."""
    usable = [
        each
        for each in shown
        if each.condition is Condition.AS_GIVEN and each.sample.of_one and each.tracks
    ]
    names = list(dict.fromkeys(each.sample.set_name for each in usable))
    scopes = [("all", usable)]
    if len(names) > 1:
        scopes += [(n, [each for each in usable if each.sample.set_name == n]) for n in names]
    return tuple(_verified(scope, *compared(part)) for scope, part in scopes)


def compared(shown: Sequence[Presentation]) -> tuple[Scores, Scores]:
    """Return the cosines of all pairs of one subject, and of all pairs of two."""
    if not shown:
        return np.empty(0), np.empty(0)
    vectors: list[Vector] = [fuse(each.tracks[0]) for each in shown]
    subjects = np.array([each.sample.label for each in shown])
    cosines = np.stack(vectors).astype(np.float64) @ np.stack(vectors).astype(np.float64).T
    first, second = np.triu_indices(len(vectors), 1)
    same = subjects[first] == subjects[second]
    scores = cosines[first, second]
    return scores[same], scores[~same]


def operating_point(genuine: Scores, impostor: Scores, fmr: float) -> OperatingPoint:
    """Return what holding a false match rate costs on these scores."""
    threshold = threshold_for(impostor, fmr)
    missed = len(genuine) - reached(genuine, threshold)
    return OperatingPoint(fmr, supports(fmr, len(impostor)), threshold, rate(missed, len(genuine)))


def _verified(scope: str, genuine: Scores, impostor: Scores) -> Verification:
    return Verification(
        scope,
        len(genuine),
        len(impostor),
        float(impostor.max()) if len(impostor) else None,
        tuple(operating_point(genuine, impostor, fmr) for fmr in FALSE_MATCH_RATES)
        if len(impostor)
        else (),
        curve(genuine, impostor),
        histogram(genuine, _LOWEST, 1, _BINS),
        histogram(impostor, _LOWEST, 1, _BINS),
    )
