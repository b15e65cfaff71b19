"""The site report: how well the faces enrolled at a site can be told apart, and from strangers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from facegate.domain import Template
from facegate.identity.calibration import Calibration
from facegate.identity.threshold import SiteThreshold

MOST_COMPARED = 20_000
MOST_LISTED = 20
_ROWS = 512
_NONE = -2.0
_DAYS_A_YEAR = 365


@dataclass(frozen=True, slots=True)
class Pair:
    """Two subjects and the cosine of their references that are most alike."""

    first: str
    second: str
    score: float


@dataclass(frozen=True, slots=True)
class Outlier:
    """A reference that is unlike its subject's others: ``score`` is the highest cosine to one."""

    subject_id: str
    template_id: str
    score: float


@dataclass(frozen=True, slots=True)
class SiteReport:
    """What the gallery and the threshold in force amount to.

    ``look_alike_from`` is the cosine from which two subjects are look-alikes; ``look_alikes`` are
    those who therefore need a second credential, besides everybody where the threshold is not
    supported. ``nearest`` and ``outliers`` list the worst first; ``other_models`` are subjects
    with references that this model cannot read. ``compared`` references were looked at, of
    ``threshold.templates``. Rates of a year follow from ``strangers_a_day`` tracks of people who
    are not enrolled; the bound is the upper one (95 %).
    """

    model_id: str
    threshold: SiteThreshold
    calibration_people: int
    calibration_pairs: int
    counted_fmr: float
    look_alike_from: float
    strangers_a_day: int
    false_accepts_a_year: float
    false_accepts_a_year_bound: float
    compared: int
    nearest: tuple[Pair, ...]
    look_alikes: tuple[str, ...]
    outliers: tuple[Outlier, ...]
    other_models: tuple[str, ...]


def site_report(
    templates: Sequence[Template],
    calibration: Calibration,
    threshold: SiteThreshold,
    look_alike_from: float,
    strangers_a_day: int,
) -> SiteReport:
    """Compare all references of a site with each other: 10,000 of them take about a second."""
    mine = [each for each in templates if each.model_id == calibration.model_id][:MOST_COMPARED]
    pairs, outliers = _compared(mine)
    alike = [pair for pair in pairs if pair.score >= look_alike_from]
    yearly = strangers_a_day * _DAYS_A_YEAR
    return SiteReport(
        model_id=calibration.model_id,
        threshold=threshold,
        calibration_people=calibration.people,
        calibration_pairs=calibration.pairs,
        counted_fmr=calibration.counted_fmr,
        look_alike_from=look_alike_from,
        strangers_a_day=strangers_a_day,
        false_accepts_a_year=yearly * threshold.expected_fpir,
        false_accepts_a_year_bound=yearly * threshold.fpir_bound,
        compared=len(mine),
        nearest=tuple(pairs[:MOST_LISTED]),
        look_alikes=tuple(sorted({who for pair in alike for who in (pair.first, pair.second)})),
        outliers=tuple(outliers[:MOST_LISTED]),
        other_models=tuple(
            sorted({t.subject_id for t in templates if t.model_id != calibration.model_id})
        ),
    )


def _compared(templates: Sequence[Template]) -> tuple[list[Pair], list[Outlier]]:
    """Return who is nearest to whom, and each reference beside its own, the worst first."""
    subjects = sorted({template.subject_id for template in templates})
    places = {subject: place for place, subject in enumerate(subjects)}
    owners = np.array([places[template.subject_id] for template in templates])
    vectors = np.array([template.embedding for template in templates], np.float32)
    pairs: dict[tuple[str, str], float] = {}
    outliers = []
    for start in range(0, len(vectors), _ROWS):
        scores = vectors[start : start + _ROWS] @ vectors.T
        same = owners[start : start + _ROWS, None] == owners
        others = np.where(same, _NONE, scores)
        np.fill_diagonal(scores[:, start:], _NONE)
        own = np.where(same, scores, _NONE).max(axis=1)
        for row, other in enumerate(others.argmax(axis=1)):
            template, near = templates[start + row], templates[other]
            if (score := float(others[row, other])) > _NONE:
                first, second = sorted((template.subject_id, near.subject_id))
                pairs[first, second] = max(score, pairs.get((first, second), _NONE))
            if own[row] > _NONE:
                outliers.append(Outlier(template.subject_id, template.id, float(own[row])))
    nearest = [Pair(first, second, score) for (first, second), score in pairs.items()]
    nearest.sort(key=lambda pair: -pair.score)
    outliers.sort(key=lambda outlier: outlier.score)
    return nearest, outliers
