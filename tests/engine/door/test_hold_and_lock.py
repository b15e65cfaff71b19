"""Holding open and locking: the newer wish wins, and locking is never lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from facegate.domain import ActuatorCommand, DoorStatus
from facegate.errors import ActuatorError
from facegate.protocol import DoorStateName
from tests.engine.door.scripted import LIFE, ScriptedDoor, settle
from tests.support import until

HELD = DoorStatus(DoorStateName.UNLOCKED, held=True)
LOCKED = DoorStatus(DoorStateName.LOCKED)


@pytest.fixture
async def front() -> AsyncIterator[ScriptedDoor]:
    scripted = ScriptedDoor()
    yield scripted
    await scripted.door.close()


async def test_a_held_door_stays_unlocked_until_it_is_locked(front: ScriptedDoor) -> None:
    await front.hold("a")
    assert front.door.status == HELD
    await front.lock()
    assert front.door.status == LOCKED
    assert front.actuator.actions == ["hold", "release"]
    assert front.outcomes == [("a", "opened", None), ("a", "relocked", None)]


async def test_a_hold_takes_over_a_pulse(front: ScriptedDoor) -> None:
    await front.pulse("a")
    await front.hold("b")
    front.actuator.end_pulse()
    await settle()
    assert front.door.status == HELD
    assert front.actuator.actions == ["pulse", "hold"]


async def test_a_grant_at_a_held_door_shares_it(front: ScriptedDoor) -> None:
    await front.hold("a")
    await front.pulse("b")
    assert front.actuator.actions == ["hold"]
    assert front.door.status == HELD


async def test_a_hold_that_fails_is_a_jam_and_holds_nobody_out(front: ScriptedDoor) -> None:
    front.actuator.refusal = "lock.front can only be pressed"
    with pytest.raises(ActuatorError):
        await front.hold("a")
    fault = "lock.front can only be pressed"
    assert front.door.status == DoorStatus(DoorStateName.JAMMED, fault=fault)
    front.actuator.refusal = None
    await front.pulse("b")
    assert front.door.status == DoorStatus(DoorStateName.UNLOCKED)


async def test_a_lock_ends_a_pulse(front: ScriptedDoor) -> None:
    await front.pulse("a")
    await front.lock()
    assert front.states == ["unlocking", "unlocked", "relocking", "locked"]
    front.actuator.end_pulse()
    await settle()
    assert front.outcomes == [("a", "opened", None), ("a", "relocked", None)]
    await front.pulse("b")
    assert front.actuator.actions == ["pulse", "release", "pulse"]


async def test_a_lock_that_fails_is_a_jam_and_never_a_silent_success(front: ScriptedDoor) -> None:
    await front.hold("a")
    front.actuator.refusal = "the bolt is stuck"
    with pytest.raises(ActuatorError, match="the bolt is stuck"):
        await front.lock()
    assert front.door.status == DoorStatus(DoorStateName.JAMMED, fault="the bolt is stuck")


async def test_a_lock_while_unlocking_locks_after_it(front: ScriptedDoor) -> None:
    front.actuator.hesitate()
    pulse = asyncio.create_task(front.pulse("a"))
    await settle()
    lock = asyncio.create_task(front.lock())
    await settle()
    assert front.actuator.actions == ["pulse"]
    front.actuator.confirm()
    await asyncio.gather(pulse, lock)
    assert front.actuator.actions == ["pulse", "release"]
    assert front.door.status == LOCKED


async def test_a_lock_that_waited_for_an_unlocking_is_not_too_old(front: ScriptedDoor) -> None:
    front.actuator.hesitate()
    pulse = asyncio.create_task(front.pulse("a"))
    await settle()
    lock = asyncio.create_task(front.lock())
    await settle()
    front.clock.passed = 2 * LIFE.total_seconds()
    front.actuator.confirm()
    await asyncio.gather(pulse, lock)
    assert front.door.status == LOCKED
    assert front.actuator.asked[-1].expires_at > front.clock.now()


async def test_a_lock_wins_over_a_grant_that_has_not_yet_moved_the_door(
    front: ScriptedDoor,
) -> None:
    opening = front.door.begin("a")  # its record is being written
    await front.lock()
    with pytest.raises(ActuatorError, match="locked meanwhile"):
        await front.door.pulse(opening, front.clock.now() + LIFE)
    assert front.actuator.actions == ["release"]
    assert front.door.status == LOCKED
    await front.pulse("b")
    assert front.state is DoorStateName.UNLOCKED


async def test_a_hold_is_not_ended_by_a_grant_that_began_before_it(front: ScriptedDoor) -> None:
    opening = front.door.begin("a")  # its record is being written
    await front.hold("b")
    await front.door.pulse(opening, front.clock.now() + LIFE)
    assert front.actuator.actions == ["hold"]
    assert front.door.status == HELD
    assert ("a", "superseded", None) in front.outcomes


async def test_a_held_door_that_is_locked_by_hand_opens_to_the_next_grant(
    front: ScriptedDoor,
) -> None:
    await front.hold("a")
    for unlocked in (True, False):
        front.actuator.unlocked = unlocked
        front.door.actuator_changed()
    assert front.door.status == LOCKED
    assert front.outcomes[-1] == ("a", "relocked", None)
    await front.pulse("b")
    assert front.actuator.actions == ["hold", "pulse"]


async def test_hardware_that_is_slow_to_show_a_hold_does_not_end_it(front: ScriptedDoor) -> None:
    await front.hold("a")
    front.door.actuator_changed()  # it still shows locked
    assert front.door.status == HELD


@pytest.mark.parametrize("unlocked", [True, None])
async def test_a_held_door_whose_hardware_comes_back_is_still_held(
    front: ScriptedDoor, *, unlocked: bool | None
) -> None:
    await front.hold("a")
    front.actuator.unavailable_reason = "Home Assistant restarts"
    front.door.actuator_changed()
    assert front.state is DoorStateName.UNAVAILABLE
    with pytest.raises(ActuatorError, match="Home Assistant restarts"):
        await front.pulse("b")
    front.actuator.unavailable_reason, front.actuator.unlocked = None, unlocked
    front.door.actuator_changed()
    assert front.door.status == HELD


async def test_a_held_door_that_comes_back_locked_is_locked(front: ScriptedDoor) -> None:
    await front.hold("a")
    front.actuator.unavailable_reason = "Home Assistant restarts"
    front.door.actuator_changed()
    front.actuator.unavailable_reason, front.actuator.unlocked = None, False
    front.door.actuator_changed()
    assert front.door.status == LOCKED
    await front.pulse("b")
    assert front.actuator.actions == ["hold", "pulse"]


async def test_many_wishes_at_once_end_in_the_last_one(front: ScriptedDoor) -> None:
    wishes = [front.pulse("a"), front.hold("b"), front.pulse("c"), front.lock("d"), front.lock("e")]
    await asyncio.gather(*wishes, return_exceptions=True)
    assert front.door.status == LOCKED
    assert front.actuator.actions[-2:] == ["release", "release"]
    assert front.actuator.actions.count("pulse") <= 1


async def test_a_hold_that_cannot_be_leaves_the_pulse_watched(front: ScriptedDoor) -> None:
    front.actuator.holds = False
    await front.pulse("a")
    with pytest.raises(ActuatorError, match="cannot be held open"):
        await front.hold("b")
    assert front.state is DoorStateName.UNLOCKED
    front.actuator.end_pulse()
    await until(lambda: front.state is DoorStateName.LOCKED)
    assert front.actuator.actions == ["pulse"]
    assert [(name, what) for name, what, _ in front.outcomes] == [
        ("a", "opened"),
        ("b", "failed"),
        ("a", "relocked"),
    ]


async def test_the_actuator_knows_of_a_lock_that_cannot_be_done_now(front: ScriptedDoor) -> None:
    await front.hold("a")
    told: list[str] = []

    async def perform(command: ActuatorCommand) -> None:
        told.append(command.action)
        raise ActuatorError("the relay is away")

    front.actuator.unavailable_reason = "the relay is away"
    front.actuator.perform = perform  # type: ignore[method-assign]
    with pytest.raises(ActuatorError, match="is away"):
        await front.lock("b")
    assert told == ["release"]
