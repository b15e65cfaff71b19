"""Comparisons of samples, and what a false match rate costs."""

from __future__ import annotations

import numpy as np
import pytest

from facegate.evaluation.conditions import Condition
from facegate.evaluation.verification import compared, operating_point, verify
from tests.engine.evaluation.made import sample, shown, turned

IMPOSTOR = np.arange(1000, dtype=np.float64) / 1998


def test_every_pair_is_genuine_or_impostor_once() -> None:
    genuine, impostor = compared(
        [
            shown(sample("ann", 2), turned(0)),
            shown(sample("ann", 3), turned(60)),
            shown(sample("bea", 4), turned(0, 1)),
        ]
    )
    assert genuine.tolist() == pytest.approx([0.5])
    assert impostor.tolist() == pytest.approx([0.0, 0.0], abs=1e-6)


def test_what_does_not_show_one_subject_as_given_is_not_compared() -> None:
    (whole,) = verify(
        [
            shown(sample("ann", 2), turned(0)),
            shown(sample("ann", 3)),
            shown(sample("ann", 4), turned(0), condition=Condition.DARK),
            shown(sample("MULTI:ann+bea", 5), turned(0), turned(9)),
            shown(sample("NONE", 6), turned(0)),
            shown(sample("bea", 7), turned(0, 1)),
        ]
    )
    assert (whole.genuine, whole.impostor) == (0, 1)


def test_sets_are_compared_together_and_apart() -> None:
    found = verify(
        [
            shown(sample("ann", 2, "a"), turned(0)),
            shown(sample("ann", 3, "b"), turned(60)),
            shown(sample("bea", 4, "b"), turned(45, 1)),
        ]
    )
    assert [(each.scope, each.genuine, each.impostor) for each in found] == [
        ("all", 1, 2),
        ("a", 0, 0),
        ("b", 0, 1),
    ]
    assert found[1].points == ()
    assert found[1].highest_impostor is None


def test_an_operating_point_counts_who_is_under_its_threshold() -> None:
    point = operating_point(np.array([0.3, 0.498, 0.6, 0.9]), IMPOSTOR, 0.01)
    assert point.supported
    assert np.count_nonzero(point.threshold <= IMPOSTOR) == 10
    assert (point.fnmr.errors, point.fnmr.trials) == (1, 4)


def test_a_rate_that_so_few_comparisons_cannot_show_is_not_supported() -> None:
    point = operating_point(np.array([0.9]), IMPOSTOR, 1e-4)
    assert not point.supported
    assert point.threshold == pytest.approx(0.5)
