"""The arithmetic that every figure rests on."""

from __future__ import annotations

import pytest

from facegate.bench.arithmetic import deviation, paired, percentile, slope, stretches


def test_a_ratio_is_the_median_of_the_pairs_ratios_and_not_the_ratio_of_medians() -> None:
    # A slow stretch of the machine, in the third pair, slows both sides.
    found = paired([1.0, 2.0, 10.0], [2.0, 3.0, 40.0])
    assert (found.a, found.b, found.ratio, found.pairs) == (2.0, 3.0, 2.0, 3)


@pytest.mark.parametrize(("a", "b"), [([], []), ([1.0], [1.0, 2.0])])
def test_series_that_are_no_pairs_are_refused(a: list[float], b: list[float]) -> None:
    with pytest.raises(ValueError, match="expected pairs"):
        paired(a, b)


def test_a_percentile_is_a_value_that_was_measured() -> None:
    values = [float(value) for value in range(20, 0, -1)]
    assert percentile(values, 0.5) == 10
    assert percentile(values, 0.95) == 19
    assert percentile(values, 0) == 1
    assert percentile([7.0], 0.95) == 7


def test_a_slope_is_that_of_the_line_nearest_to_all_points() -> None:
    assert slope([0, 1, 2, 3], [5, 7, 9, 11]) == pytest.approx(2)
    assert slope([0, 1, 2], [4, 4, 4]) == 0
    assert slope([0, 1, 2], [0, 3, 0]) == pytest.approx(0)
    assert slope([3], [9]) == 0


def test_a_deviation_is_the_furthest_from_the_mean_as_a_share_of_it() -> None:
    assert deviation([100.0, 100.0]) == 0
    assert deviation([90.0, 100.0, 110.0]) == pytest.approx(0.1)
    assert deviation([80.0, 110.0, 110.0]) == pytest.approx(0.2)
    assert deviation([0.0, 0.0]) == 0


def test_a_level_is_the_mean_of_a_stretch_and_an_end_that_is_shorter_is_left_out() -> None:
    times = [0.0, 100, 200, 300, 400, 500, 600, 650]
    values = [1.0, 2, 3, 10, 20, 30, 99, 99]
    assert stretches(times, values, 300) == [2.0, 20.0]
    assert stretches([0.0, 10, 20], [1.0, 2, 3], 300) == [2.0]
