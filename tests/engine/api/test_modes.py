"""Modes of doors: a lockdown keeps everybody out and nobody in; free and emergency hold open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facegate.domain import AccessPoint
from facegate.door import homeassistant
from facegate.protocol import (
    Actuate,
    ActuatorAction,
    ActuatorStatus,
    CallAnswer,
    Direction,
    DoorAction,
    DoorChanged,
    DoorMode,
    DoorStateName,
    ErrorCode,
)
from tests.engine.site.gated import Gated, gated
from tests.support import FakeClock, until

pytestmark = pytest.mark.usefixtures("free_loop")

FRONT = AccessPoint("front", Direction.ENTRY)


async def put(site: Gated, mode: str, door: str | None = None) -> None:
    path = f"doors/{door}/mode" if door else "mode"
    assert await site.make("PUT", path, {"mode": mode}) == {"mode": mode}


def actions(site: Gated, door: str = "front") -> list[ActuatorAction]:
    return [command.action for command in site.client.all(Actuate) if command.door_id == door]


async def test_a_lockdown_keeps_everybody_out_and_nobody_in_also_after_a_restart(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    async with gated(tmp_path, clock=clock) as site:
        _, pin = await site.resident()
        until_s = clock.now().timestamp() + 3600
        wish = {"name": "Cleo", "door_ids": ["front"], "valid_until": until_s}
        code = (await site.make("POST", "passes", wish))["code"]
        await put(site, "lockdown")
    async with gated(tmp_path, clock=clock) as site:
        assert site.door().mode is DoorMode.LOCKDOWN
        assert (await site.present(**pin))["reason"] == "lockdown"
        assert (await site.present(code=code))["reason"] == "lockdown"
        assert (await site.make("GET", "passes"))["passes"][0]["used"] == 0
        for action in (DoorAction.OPEN, DoorAction.UNLOCK):
            result = await site.client.operate("front", action)
            assert (result.ok, result.code) == (False, ErrorCode.CONFLICT)
        await site.engine.site.visitors.ring(FRONT, b"\xff\xd8", np.ones(128, np.float32))
        (call,) = site.engine.site.board.state().calls
        result = await site.client.answer(call.id, CallAnswer.LET_IN)
        assert (result.ok, result.code) == (False, ErrorCode.CONFLICT)
        assert actions(site) == []
        denied = [(e["body"]["basis"], e["body"]["reason"]) for e in await site.events("access")]
        bases = ("pin", "pass", "operator", "operator", "visitor")
        assert denied == [(basis, "lockdown") for basis in bases]
        assert (await site.present(direction="exit", **pin))["granted"]
        assert actions(site) == [ActuatorAction.PULSE]
        await put(site, "normal")
        assert (await site.client.answer(call.id, CallAnswer.LET_IN)).ok


async def test_a_door_that_a_user_holds_open_is_locked_by_a_lockdown_at_once(
    tmp_path: Path,
) -> None:
    async with gated(tmp_path) as site:
        assert (await site.client.operate("front", DoorAction.UNLOCK)).ok
        await put(site, "lockdown")
        assert site.door().state is DoorStateName.LOCKED
        assert actions(site) == [ActuatorAction.HOLD, ActuatorAction.RELEASE]
        assert actions(site, "back") == []


async def test_an_emergency_holds_one_door_open_until_it_is_over(tmp_path: Path) -> None:
    async with gated(tmp_path) as site:
        await put(site, "emergency", "front")
        assert (site.door().held, site.door("back").held) == (True, False)
        await site.tick()
        assert actions(site) == [ActuatorAction.HOLD]
        await put(site, "normal", "front")
        assert site.door().state is DoorStateName.LOCKED
        modes = [(e["door_id"], e["body"]["mode"]) for e in await site.events("mode")]
        assert modes == [("front", "emergency"), ("front", "normal")]
        assert (await site.ask("PUT", "doors/garage/mode", {"mode": "free"}))[0] == 404
        assert (await site.ask("PUT", "mode", {"mode": "open"}))[0] == 400


async def test_a_schedule_holds_a_door_open_shows_it_and_locks_it_at_its_end(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    minutes = (clock.now().hour * 60 + clock.now().minute + 2) % 1440
    clock.wall = -clock.now().timestamp() % 60  # a full minute
    hours = [f"{at // 60:02}:{at % 60:02}" for at in (minutes, (minutes + 60) % 1440 or 1440)]
    days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    chosen: dict[str, Any] = {
        "schedules": [
            {"id": "open", "windows": [{"days": days, "from": hours[0], "to": hours[1]}]}
        ],
        "doors": [{"id": "front", "pulse_seconds": 1, "free_schedule": "open"}],
    }
    async with gated(tmp_path, chosen, clock) as site:
        await site.tick()
        assert actions(site) == []
        await site.tick(125)
        await until(lambda: site.door().held)
        assert site.door().mode is DoorMode.FREE
        assert DoorMode.FREE in [change.door.mode for change in site.client.all(DoorChanged)]
        await site.tick()
        assert actions(site) == [ActuatorAction.HOLD]
        await site.tick(3600)
        await until(lambda: site.door().state is DoorStateName.LOCKED)
        assert site.door().mode is DoorMode.NORMAL
        assert actions(site) == [ActuatorAction.HOLD, ActuatorAction.RELEASE]
        assert (await site.client.operate("front", DoorAction.UNLOCK)).ok
        await site.tick()
        assert site.door().held  # what a user holds open is the user's


async def away(site: Gated) -> None:
    await site.client.send(ActuatorStatus("front", available=False, unlocked=None))
    await until(lambda: site.door().state is DoorStateName.UNAVAILABLE)


async def back(site: Gated, *, unlocked: bool) -> None:
    await site.client.send(ActuatorStatus("front", available=True, unlocked=unlocked))
    await until(lambda: site.door().state is not DoorStateName.UNAVAILABLE)
    await site.tick(11)


@pytest.mark.parametrize("mode", ["normal", "lockdown"])
async def test_a_door_whose_hardware_was_away_is_shut_when_it_is_back(
    tmp_path: Path, mode: str
) -> None:
    async with gated(tmp_path) as site:
        await put(site, "emergency", "front")
        await away(site)
        await put(site, mode, "front")
        await back(site, unlocked=True)
        await until(lambda: site.door().state is DoorStateName.LOCKED)
        assert actions(site)[-1] is ActuatorAction.RELEASE
        await put(site, "normal", "front")
        assert (await site.client.operate("front", DoorAction.UNLOCK)).ok
        await site.tick(11)
        assert site.door().held


async def test_a_door_whose_hardware_was_away_is_held_open_when_it_is_back(tmp_path: Path) -> None:
    async with gated(tmp_path) as site:
        await away(site)
        assert (await site.ask("PUT", "mode", {"mode": "emergency"}))[0] == 503
        assert (site.door().mode, site.door("back").held) == (DoorMode.EMERGENCY, True)
        await back(site, unlocked=False)
        await until(lambda: site.door().held)


@pytest.mark.parametrize("mode", ["normal", "lockdown"])
async def test_a_door_that_did_not_shut_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    monkeypatch.setattr(homeassistant, "CONFIRM_S", 0.3)
    async with gated(tmp_path) as site:
        await put(site, "emergency", "front")
        site.client.confirms = False
        status, error = await site.ask("PUT", "doors/front/mode", {"mode": mode})
        assert (status, error["code"]) == (504, "not_confirmed")
        assert site.door().state is DoorStateName.JAMMED
        site.client.confirms = True
        await site.tick(11)
        await until(lambda: site.door().state is DoorStateName.LOCKED)
