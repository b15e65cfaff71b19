"""A door opens once a grant, says what its hardware confirmed, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from facegate.domain import DoorStatus
from facegate.errors import ActuatorError
from facegate.protocol import DoorStateName, ErrorCode
from tests.engine.door.scripted import LIFE, ScriptedDoor, settle
from tests.support import until


@pytest.fixture
async def front() -> AsyncIterator[ScriptedDoor]:
    scripted = ScriptedDoor()
    yield scripted
    await scripted.door.close()


async def test_a_grant_is_one_pulse_that_ends_locked(front: ScriptedDoor) -> None:
    await front.pulse("a")
    assert front.state is DoorStateName.UNLOCKED
    assert [(c.id, c.action, c.pulse_s) for c in front.actuator.asked] == [("a", "pulse", 60)]
    front.actuator.end_pulse()
    await settle()
    assert front.states == ["unlocking", "unlocked", "locked"]
    assert front.outcomes == [("a", "opened", None), ("a", "relocked", None)]


async def test_a_second_grant_while_unlocked_shares_the_opening(front: ScriptedDoor) -> None:
    await front.pulse("a")
    await front.pulse("b")
    assert front.actuator.actions == ["pulse"]


async def test_a_second_grant_while_unlocking_shares_it_and_waits_for_it(
    front: ScriptedDoor,
) -> None:
    front.actuator.hesitate()
    grants = [asyncio.create_task(front.pulse(name)) for name in "abc"]
    await settle()
    assert not any(grant.done() for grant in grants)
    front.actuator.confirm()
    await asyncio.gather(*grants)
    assert front.actuator.actions == ["pulse"]


async def test_a_grant_that_shares_a_failed_opening_is_told_so(front: ScriptedDoor) -> None:
    front.actuator.hesitate()
    front.actuator.refusal = "the bolt is stuck"
    grants = [asyncio.create_task(front.pulse(name)) for name in "ab"]
    await settle()
    front.actuator.confirm()
    for result in await asyncio.gather(*grants, return_exceptions=True):
        assert isinstance(result, ActuatorError)
        assert str(result) == "the bolt is stuck"
    assert front.actuator.actions == ["pulse"]


async def test_two_openings_one_after_the_other_are_two_pulses(front: ScriptedDoor) -> None:
    await front.pulse("a")
    front.actuator.end_pulse()
    await settle()
    await front.pulse("b")
    assert front.actuator.actions == ["pulse", "pulse"]


async def test_who_comes_while_the_door_relocks_gets_an_opening_of_his_own() -> None:
    front = ScriptedDoor(pulse_s=0.01)
    await front.pulse("a")
    await until(lambda: front.state is DoorStateName.RELOCKING)
    late = asyncio.create_task(front.pulse("b"))
    later = asyncio.create_task(front.pulse("c"))
    await settle()
    assert front.actuator.actions == ["pulse"]  # off comes before on
    front.actuator.end_pulse()
    await asyncio.gather(late, later)
    assert front.actuator.actions == ["pulse", "pulse"]
    assert ("a", "relocked", None) in front.outcomes
    assert ("b", "opened", None) in front.outcomes
    await front.door.close()


async def test_a_refusal_is_a_jam_with_its_reason(front: ScriptedDoor) -> None:
    front.actuator.refusal = "the bolt is stuck"
    with pytest.raises(ActuatorError, match="the bolt is stuck"):
        await front.pulse("a")
    assert front.door.status == DoorStatus(DoorStateName.JAMMED, fault="the bolt is stuck")
    assert front.outcomes == [("a", "failed", "the bolt is stuck")]


async def test_a_jammed_door_opens_again_once_its_hardware_is_well(front: ScriptedDoor) -> None:
    front.actuator.refusal = "the bolt is stuck"
    with pytest.raises(ActuatorError):
        await front.pulse("a")
    front.actuator.refusal = None
    await front.pulse("b")
    assert front.door.status == DoorStatus(DoorStateName.UNLOCKED)


async def test_a_jammed_door_is_locked_when_its_hardware_says_so(front: ScriptedDoor) -> None:
    front.actuator.refusal = "the bolt is stuck"
    with pytest.raises(ActuatorError):
        await front.pulse("a")
    front.door.actuator_changed()
    assert front.door.status == DoorStatus(DoorStateName.LOCKED)


async def test_a_pulse_whose_end_is_not_confirmed_is_a_jam(front: ScriptedDoor) -> None:
    await front.pulse("a")
    front.actuator.pulse_refusal = "no answer"
    front.actuator.end_pulse()
    await settle()
    assert front.door.status == DoorStatus(DoorStateName.JAMMED, fault="no answer")
    assert front.outcomes == [("a", "opened", None), ("a", "failed", "no answer")]
    front.actuator.pulse_refusal = None
    await front.pulse("b")
    assert front.actuator.actions == ["pulse", "pulse"]


async def test_an_unavailable_door_is_not_asked(front: ScriptedDoor) -> None:
    front.actuator.unavailable_reason = "lock.front is unavailable"
    front.door.actuator_changed()
    assert front.door.status == DoorStatus(
        DoorStateName.UNAVAILABLE, fault="lock.front is unavailable"
    )
    for action in (front.pulse("a"), front.hold("b"), front.lock("c")):
        with pytest.raises(ActuatorError, match=r"lock\.front is unavailable"):
            await action
    assert front.actuator.asked == []
    assert front.state is DoorStateName.UNAVAILABLE
    assert [outcome for _, outcome, _ in front.outcomes] == ["failed"] * 3


async def test_an_expired_command_is_not_sent(front: ScriptedDoor) -> None:
    opening = front.door.begin("a")
    expires_at = front.clock.now() + LIFE
    front.clock.passed = 2
    with pytest.raises(ActuatorError) as caught:
        await front.door.pulse(opening, expires_at)
    assert caught.value.code is ErrorCode.EXPIRED
    assert front.actuator.asked == []
    assert front.outcomes == [("a", "failed", "the command is too old to act on")]


async def test_a_grant_that_came_to_nothing_does_not_keep_the_next_out(
    front: ScriptedDoor,
) -> None:
    front.door.abandon(front.door.begin("a"))
    await front.pulse("b")
    assert [command.id for command in front.actuator.asked] == ["b"]


async def test_a_grant_that_was_cancelled_does_not_keep_the_next_out(front: ScriptedDoor) -> None:
    front.actuator.hesitate()
    grant = asyncio.create_task(front.pulse("a"))
    await settle()
    grant.cancel()
    await asyncio.gather(grant, return_exceptions=True)
    front.actuator.confirm()
    await front.pulse("b")
    assert [command.id for command in front.actuator.asked] == ["a", "b"]


async def test_a_status_is_told_once_a_change(front: ScriptedDoor) -> None:
    front.door.actuator_changed()
    front.door.actuator_changed()
    assert front.told == []


@pytest.mark.parametrize("unlocked", [None, False, True])
async def test_a_door_moved_by_somebody_else_shows_it(
    front: ScriptedDoor, *, unlocked: bool | None
) -> None:
    front.actuator.unlocked = unlocked
    front.door.actuator_changed()
    expected = DoorStateName.UNLOCKED if unlocked else DoorStateName.LOCKED
    assert front.door.status == DoorStatus(expected)
    assert front.outcomes == []
