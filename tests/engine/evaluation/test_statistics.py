"""Rates, bounds and curves against cases computed by hand."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
import numpy as np
import pytest

from facegate.evaluation.statistics import (
    CurvePoint,
    curve,
    histogram,
    pooled,
    rate,
    reached,
    supports,
    threshold_for,
)

SCORES = st.lists(st.floats(-1, 1, width=32), min_size=1, max_size=60)


def test_the_bounds_are_those_of_wilson() -> None:
    # Newcombe (1998), table I, method 3: 81 of 263, and 15 of 148.
    first, second = rate(81, 263), rate(15, 148)
    assert (first.low, first.high) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert (second.low, second.high) == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert second.value == pytest.approx(15 / 148)


def test_without_an_error_the_upper_bound_is_the_rule_of_three() -> None:
    assert (rate(0, 300).low, rate(0, 300).high) == (0.0, 0.01)
    assert rate(0, 2).high == 1.0


def test_without_a_trial_nothing_is_claimed() -> None:
    nothing = rate(0, 0)
    assert (nothing.value, nothing.low, nothing.high) == (None, 0.0, 1.0)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_bounds_hold_the_rate_between_them(counted: tuple[int, int]) -> None:
    found = rate(*counted)
    assert found.value is not None
    assert 0 <= found.low <= found.value + 1e-12
    assert found.value - 1e-12 <= found.high <= 1


@given(st.integers(1, 50), st.integers(51, 500))
def test_more_trials_bound_the_same_rate_more_closely(errors: int, trials: int) -> None:
    few, many = rate(errors, trials), rate(4 * errors, 4 * trials)
    assert many.high - many.low < few.high - few.low


def test_rates_are_pooled_by_their_trials() -> None:
    together = pooled([rate(1, 10), rate(0, 90)])
    assert (together.errors, together.trials, together.value) == (1, 100, 0.01)


@pytest.mark.parametrize(("share", "enough"), [(1e-2, 300), (1e-3, 3000), (1e-4, 30000)])
def test_a_rate_is_supported_from_three_over_it_on(share: float, enough: int) -> None:
    assert supports(share, enough)
    assert not supports(share, enough - 1)


def test_the_threshold_lets_through_no_more_than_its_share() -> None:
    impostor = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95])
    assert reached(impostor, threshold_for(impostor, 0.2)) == 2
    assert threshold_for(impostor, 0.2) == pytest.approx(0.8)
    assert threshold_for(impostor, 0.0) == pytest.approx(0.95)
    assert threshold_for(impostor, 1.0) == -1.0


def test_equal_scores_are_let_through_together_or_not_at_all() -> None:
    impostor = np.array([0.5, 0.5, 0.5, 0.1])
    assert reached(impostor, threshold_for(impostor, 0.5)) == 0


@given(SCORES, st.floats(0, 1))
def test_no_lower_threshold_would_do(scores: list[float], share: float) -> None:
    impostor = np.array(scores, np.float64)
    threshold = threshold_for(impostor, share)
    assert reached(impostor, threshold) <= share * len(scores) + 1e-6
    lower = math.nextafter(threshold, -math.inf)
    if threshold > -1:
        assert reached(impostor, lower) > math.floor(share * len(scores) + 1e-9)


def test_the_curve_has_both_errors_at_each_threshold() -> None:
    points = {p.threshold: p for p in curve(np.array([0.6, 0.8]), np.array([0.1, 0.4, 0.5, 0.7]))}
    assert points[0.5] == CurvePoint(0.5, 0.5, 0.0)
    assert points[0.7] == CurvePoint(0.7, 0.25, 0.5)
    assert points[-0.2] == CurvePoint(-0.2, 1.0, 0.0)
    assert points[1.0] == CurvePoint(1.0, 0.0, 1.0)


@given(SCORES, SCORES)
def test_a_higher_threshold_trades_one_error_for_the_other(
    genuine: list[float], impostor: list[float]
) -> None:
    points = curve(np.array(genuine), np.array(impostor))
    positives = [point.false_positive for point in points]
    negatives = [point.false_negative for point in points]
    assert positives == sorted(positives, reverse=True)
    assert negatives == sorted(negatives)


def test_there_is_no_curve_of_one_kind_of_scores() -> None:
    assert curve(np.array([0.5]), np.empty(0)) == ()
    assert curve(np.empty(0), np.array([0.5])) == ()


@given(SCORES)
def test_every_score_is_in_one_bin(scores: list[float]) -> None:
    assert sum(histogram(np.array(scores), -0.5, 1, 30).counts) == len(scores)


def test_a_histogram_counts_by_its_edges() -> None:
    found = histogram(np.array([-0.9, 0.1, 0.1, 0.6, 1.0]), 0, 1, 4)
    assert found.edges == (0.0, 0.25, 0.5, 0.75, 1.0)
    assert found.counts == (3, 0, 1, 1)
