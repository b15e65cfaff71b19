"""Stamps never make a picture younger than it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from facegate.camera.arrival import Arrivals

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
STEP = 1 / 15


class HandClock:
    """A clock that stands still between ``pass_``."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds


class Line:
    """A camera and a cable: reads packets by hand."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.arrivals = Arrivals(self.clock)

    def age(self, waited: float, camera_s: float | None) -> float | None:
        """Read a packet after a wait; return its age by its stamp, None without one."""
        self.clock.seconds += waited
        arrival = self.arrivals.stamp(waited, camera_s)
        if arrival is None:
            return None
        age = self.clock.seconds - arrival.monotonic
        assert self.clock.now() - arrival.at == timedelta(seconds=age)
        return age

    def stream(self, count: int, *, first: int = 0) -> float:
        """Read packets that come in the camera's own time; return the last one's age."""
        ages = [self.age(STEP, (first + index) * STEP) for index in range(count)]
        assert ages[-1] is not None
        return ages[-1]


def test_a_live_packet_is_one_packet_old_because_the_parser_held_it_so_long() -> None:
    assert Line().stream(10) == pytest.approx(STEP)


def test_what_the_server_had_in_store_at_the_start_gets_no_stamp() -> None:
    line = Line()
    assert [line.age(0.001, index * STEP) for index in range(30)] == [None] * 30
    assert line.age(STEP, 30 * STEP) is None
    assert line.age(STEP, 31 * STEP) == pytest.approx(STEP)


def test_the_packet_held_through_a_stall_is_as_old_as_the_stall() -> None:
    line = Line()
    line.stream(10)
    assert line.age(2.0, 10 * STEP) == pytest.approx(2.0)


def test_packets_that_a_stalled_network_delivers_at_once_keep_their_age() -> None:
    line = Line()
    line.stream(10)
    line.age(2.0, 10 * STEP)
    ages = [line.age(0.001, (11 + index) * STEP) for index in range(29)]
    for index, age in enumerate(ages):
        assert age == pytest.approx(2.0 - (index + 2) * STEP, abs=0.05)
    assert line.stream(3, first=40) == pytest.approx(STEP, abs=0.05)


def test_packets_that_this_machine_did_not_read_in_time_are_not_taken_for_new() -> None:
    line = Line()
    line.stream(10)
    line.clock.seconds += 3.0
    age = line.age(0.001, 10 * STEP)
    assert age is not None
    assert age >= 3.0


@pytest.mark.parametrize("rate", [0.5, 2.0])
def test_a_camera_clock_of_a_wrong_rate_is_not_asked_while_nothing_stalls(rate: float) -> None:
    line = Line()
    ages = [line.age(STEP, index * STEP * rate) for index in range(300)]
    assert ages[1:] == [pytest.approx(STEP)] * 299


@pytest.mark.parametrize("jump", [-1000.0, 1000.0])
def test_a_camera_clock_that_jumps_is_believed_again_after_the_window(jump: float) -> None:
    line = Line()
    line.stream(10)
    line.age(1.0, 10 * STEP)
    for index in range(80):
        line.age(STEP, jump + index * STEP)
    assert line.age(STEP, jump + 80 * STEP) == pytest.approx(STEP)


def test_a_camera_without_time_stamps_is_stamped_by_arrival() -> None:
    line = Line()
    ages = [line.age(STEP, None) for _ in range(5)]
    assert ages[1:] == [pytest.approx(STEP)] * 4
