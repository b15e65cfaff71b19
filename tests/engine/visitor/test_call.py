"""An unknown face rings once, for a minute that no clock can stretch."""

from __future__ import annotations

import numpy as np
import pytest

from facegate.domain import AccessPoint, Vector
from facegate.errors import ConflictError
from facegate.protocol import Direction, ErrorCode
from facegate.visitor.call import SAME_FACE, Calls, VisitorCall
from tests.support import FakeClock

FRONT = AccessPoint("front", Direction.ENTRY)
BACK = AccessPoint("back", Direction.ENTRY)
JPEG = b"\xff\xd8"


def face(angle: float = 0) -> Vector:
    vector = np.zeros(128, np.float32)
    vector[:2] = np.cos(angle), np.sin(angle)
    return vector


ANOTHER = face(float(np.arccos(SAME_FACE)) + 0.01)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def calls(clock: FakeClock) -> Calls:
    return Calls(clock)


def ring(calls: Calls, at: AccessPoint = FRONT, who: Vector | None = None) -> VisitorCall:
    call = calls.ring(at, JPEG, face() if who is None else who)
    assert call is not None
    return call


def assert_closed(calls: Calls, call: VisitorCall) -> None:
    for look in (calls.get, calls.answer):
        with pytest.raises(ConflictError) as caught:
            look(call.id)
        assert caught.value.code is ErrorCode.CALL_CLOSED


def test_a_face_rings_once(calls: Calls) -> None:
    call = ring(calls)
    assert calls.ring(FRONT, JPEG, face()) is None
    assert calls.open == (call,)
    assert calls.get(call.id) is call


def test_a_door_has_one_call_at_a_time_and_doors_do_not_disturb_each_other(calls: Calls) -> None:
    front = ring(calls)
    assert calls.ring(FRONT, JPEG, ANOTHER) is None
    back = ring(calls, BACK)
    assert set(calls.open) == {front, back}


def test_a_call_is_answered_once(calls: Calls) -> None:
    call = ring(calls)
    assert calls.answer(call.id) is call
    assert calls.open == ()
    assert_closed(calls, call)


def test_a_call_that_nobody_opened_is_closed(calls: Calls) -> None:
    with pytest.raises(ConflictError):
        calls.answer("none")


def test_the_same_face_does_not_ring_again_within_a_minute(calls: Calls, clock: FakeClock) -> None:
    calls.answer(ring(calls).id)
    clock.passed = 59.9
    assert calls.ring(FRONT, JPEG, face(0.5)) is None
    clock.passed = 60
    ring(calls)


def test_another_face_rings_as_soon_as_the_door_is_free(calls: Calls) -> None:
    calls.answer(ring(calls).id)
    ring(calls, who=ANOTHER)


def test_the_same_face_may_ring_at_another_door(calls: Calls) -> None:
    calls.answer(ring(calls).id)
    ring(calls, BACK)


def test_a_call_lives_a_minute(calls: Calls, clock: FakeClock) -> None:
    call = ring(calls)
    assert (call.expires_at - call.opened_at).total_seconds() == 60
    clock.passed = 59.9
    assert calls.get(call.id) is call
    assert calls.expire() == ()
    clock.passed = 60
    assert calls.open == ()
    assert_closed(calls, call)
    assert calls.expire() == (call,)
    assert calls.expire() == ()


@pytest.mark.parametrize("wall", [-86_400.0, 86_400.0])
def test_setting_the_clock_changes_nothing(calls: Calls, clock: FakeClock, wall: float) -> None:
    call = ring(calls)
    clock.wall = wall
    clock.passed = 59.9
    assert calls.get(call.id) is call
    assert calls.ring(FRONT, JPEG, face()) is None
    clock.passed = 60
    assert_closed(calls, call)


def test_an_answer_that_came_to_nothing_gives_the_rest_of_the_minute_back(
    calls: Calls, clock: FakeClock
) -> None:
    call = ring(calls)
    clock.passed = 30
    calls.reopen(calls.answer(call.id))
    assert calls.get(call.id) is call
    clock.passed = 60
    assert_closed(calls, call)
