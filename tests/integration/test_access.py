"""Decisions at doors as events, with their receipts."""

from __future__ import annotations

from homeassistant.components.lock.const import LockState
from homeassistant.util import dt as dt_util

from custom_components.facegate.protocol import AccessEvent, Direction
from tests.integration.hardware import STRIKE, Bench
from tests.integration.home import Home
from tests.integration.real import RealEngine
from tests.integration.scripted import ScriptedEngine
from tests.support import until


async def test_a_denied_face_is_an_event_with_every_verdict(
    home: Home, real: RealEngine, bench: Bench
) -> None:
    await home.add(real, {"front": STRIKE})
    await home.shows("lock", "lock", LockState.LOCKED)
    decision = await real.deny()
    await until(lambda: home.state("event", "access").state != "unknown")
    attributes = home.state("event", "access").attributes
    assert attributes["event_type"] == "access_denied"
    assert attributes["reason"] == "flat_motion"
    assert attributes["subject"] == "Ann"
    assert attributes["subject_id"] == "subject-1"
    assert attributes["direction"] == "entry"
    assert attributes["basis"] == "face"
    assert attributes["approver"] is None
    at = dt_util.parse_datetime(attributes["at"])
    assert at is not None
    assert abs((at - decision.at).total_seconds()) < 0.001
    assert attributes["verdicts"] == [
        {
            "control": "liveness",
            "outcome": "fail",
            "requirement": "required",
            "reason": "flat_motion",
            "measured": 0.25,
            "limit": 0.5,
        }
    ]
    assert home.state("event", "access", "yard").state == "unknown"
    assert bench.strike.asked == []


async def test_a_granted_face_is_an_event_and_the_door_opens(
    home: Home, real: RealEngine, bench: Bench
) -> None:
    await home.add(real, {"front": STRIKE})
    await home.shows("lock", "lock", LockState.LOCKED)
    await real.grant()
    await until(lambda: home.state("event", "access").state != "unknown")
    assert home.state("event", "access").attributes["event_type"] == "access_granted"
    await home.shows("lock", "lock", LockState.LOCKED)
    assert bench.strike.asked == ["on", "off"]


async def test_each_decision_is_an_event_of_its_own_even_if_it_is_like_the_last(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    seen = {"unknown"}
    for _ in range(2):
        await scripted.push(_denied())
        await until(lambda: home.state("event", "access").state not in seen)
        seen.add(home.state("event", "access").state)


async def test_events_are_not_repeated_after_a_reconnection(home: Home, real: RealEngine) -> None:
    await home.add(real)
    await real.deny()
    await real.ring()
    await home.shows("binary_sensor", "visitor_waiting", "on")
    access, rang = home.state("event", "access").state, home.state("event", "visitor").state
    assert "unknown" not in (access, rang)
    await home.coordinator.client._connection.socket.close()  # type: ignore[union-attr]
    await home.shows("event", "access", "unavailable")
    await home.shows("event", "access", access)
    await home.shows("binary_sensor", "visitor_waiting", "on")
    assert home.state("event", "visitor").state == rang


async def test_a_decision_at_an_unknown_door_is_passed_over(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    await scripted.push(_denied("cellar"), _denied())
    await until(lambda: home.state("event", "access").state != "unknown")


def _denied(door_id: str = "front") -> AccessEvent:
    return AccessEvent(
        decision_id="decision-1",
        door_id=door_id,
        direction=Direction.ENTRY,
        granted=False,
        reason="not_recognized",
        at=1.0,
        basis="face",
    )
