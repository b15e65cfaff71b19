"""How latencies are kept: percentiles of a window, histograms since the start, what was dropped."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
import sys

import pytest

from facegate.latency import BOUNDS_S, WINDOW, Drop, Latencies, Stage


@pytest.fixture
def eager_threads() -> Iterator[None]:
    """Let threads interrupt each other as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_stages_stand_in_the_order_of_a_passage() -> None:
    latencies = Latencies()
    for stage in reversed(Stage):
        latencies.observe(stage, 0.1)
    assert list(latencies.summary()) == list(Stage)


def test_percentiles_are_samples_of_the_nearest_rank() -> None:
    latencies = Latencies()
    for milliseconds in range(100, 0, -1):
        latencies.observe(Stage.DETECT, milliseconds / 1000)
    found = latencies.summary()[Stage.DETECT]
    assert (found.p50_s, found.p95_s) == (0.050, 0.095)
    assert found.count == 100
    assert found.total_s == pytest.approx(5.05)


def test_one_sample_is_every_percentile() -> None:
    latencies = Latencies()
    latencies.observe(Stage.RECORD, 0.25)
    found = latencies.summary()[Stage.RECORD]
    assert (found.p50_s, found.p95_s) == (0.25, 0.25)


def test_a_stage_without_samples_has_no_summary() -> None:
    assert Latencies().summary() == {}


def test_percentiles_forget_what_left_the_window_and_totals_do_not() -> None:
    latencies = Latencies()
    for _ in range(WINDOW):
        latencies.observe(Stage.PROBE, 4.0)
    for _ in range(WINDOW - 1):
        latencies.observe(Stage.PROBE, 0.5)
    assert latencies.summary()[Stage.PROBE].p95_s == 0.5
    latencies.observe(Stage.PROBE, 0.5)
    found = latencies.summary()[Stage.PROBE]
    assert (found.count, found.total_s) == (2 * WINDOW, 4.5 * WINDOW)


def test_a_bucket_holds_what_does_not_exceed_its_bound() -> None:
    latencies = Latencies()
    for seconds in (*BOUNDS_S, BOUNDS_S[-1] + 1):
        latencies.observe(Stage.ACTUATE, seconds)
    found = latencies.histograms()[Stage.ACTUATE]
    assert found.cumulative == tuple(range(1, len(BOUNDS_S) + 1))
    assert found.count == len(BOUNDS_S) + 1
    assert found.total_s == pytest.approx(sum(BOUNDS_S) + BOUNDS_S[-1] + 1)


def test_a_moment_that_lies_before_its_beginning_took_no_time() -> None:
    latencies = Latencies()
    latencies.observe(Stage.RECEIVE, -0.001)
    assert latencies.summary()[Stage.RECEIVE].p50_s == 0


def test_a_block_that_raises_is_no_sample() -> None:
    latencies = Latencies()
    with latencies.measured(Stage.RECORD):
        pass
    with pytest.raises(ZeroDivisionError), latencies.measured(Stage.RECORD):
        _ = 1 / 0
    assert latencies.summary()[Stage.RECORD].count == 1


def test_drops_are_counted_by_kind_and_camera() -> None:
    latencies = Latencies()
    latencies.count(Drop.FRAME_REPLACED, "gate")
    latencies.count(Drop.FRAME_REPLACED, "gate", 2)
    latencies.count(Drop.FRAME_REJECTED, "yard")
    assert latencies.counted(Drop.FRAME_REPLACED, "gate") == 3
    assert latencies.counted(Drop.FRAME_REPLACED, "yard") == 0
    assert latencies.drops() == {
        (Drop.FRAME_REPLACED, "gate"): 3,
        (Drop.FRAME_REJECTED, "yard"): 1,
    }


@pytest.mark.usefixtures("eager_threads")
def test_threads_lose_no_sample_of_each_other() -> None:
    latencies, rounds = Latencies(), 2000

    def measure(camera_id: str) -> None:
        for _ in range(rounds):
            latencies.observe(Stage.DECODE, 0.002)
            latencies.count(Drop.DETECTION_SKIPPED, camera_id)

    with ThreadPoolExecutor(4) as threads:
        for camera_id in ("one", "one", "two", "two"):
            threads.submit(measure, camera_id)
    assert latencies.summary()[Stage.DECODE].count == 4 * rounds
    assert latencies.counted(Drop.DETECTION_SKIPPED, "one") == 2 * rounds
