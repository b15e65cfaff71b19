"""A door's relay on the broker, the engine, and what goes wrong between them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
from pathlib import Path
import signal
from typing import Any

import numpy as np
import pytest

from demo.relays.devices import Shelly
from facegate.api.mqtt import SCAN_S
from facegate.domain import AccessPoint
from facegate.errors import ActuatorError
from facegate.protocol import (
    AlarmKind,
    Direction,
    DoorAction,
    DoorStateName,
    DoorView,
    ErrorCode,
)
from tests.broker import DEVICE, Mosquitto, mosquitto, needs_mosquitto
from tests.engine.door.relays import order
from tests.engine.mqtt.house import COMMAND, Outside, outside
from tests.support import Client, Engine, FakeClock, engine, until

pytestmark = [pytest.mark.usefixtures("free_loop"), needs_mosquitto]

# No command is taken for so long after the engine's start.
_OLD_ENOUGH_S = 11
_RELAY = "shelly-front"
# As anybody might have said it, with no end.
_ON = json.dumps(
    {"id": 7, "src": "somebody", "method": "Switch.Set", "params": {"id": 0, "on": True}}
)


@dataclass
class Strike:
    """A door whose relay is a Shelly, the engine that drives it, and their broker."""

    site: Engine
    device: Shelly
    broker: Mosquitto
    clock: FakeClock

    @property
    def door(self) -> DoorView:
        return self.site.site.board.state().doors[0]

    @property
    def pulses(self) -> int:
        """How often the relay was told to be on."""
        return [order(*heard) for heard in self.device.heard].count("on")

    def command(self, command_id: str, **more: Any) -> str:
        at = self.clock.now().timestamp() + 5
        return json.dumps({"command_id": command_id, "action": "open", "expires_at": at, **more})

    def answer(self, command_id: str) -> str:
        at = self.clock.now().timestamp() + 5
        letting_in = {"command_id": command_id, "answer": "let_in", "expires_at": at}
        return json.dumps({**letting_in, "user": "hall"})

    async def ring(self) -> str:
        """Let a stranger ring; return the call's id."""
        point = AccessPoint("front", Direction.ENTRY)
        face = np.eye(1, 128, dtype=np.float32)[0]
        await self.site.site.visitors.ring(point, b"\xff\xd8", face)
        (call,) = self.site.site.board.state().calls
        return call.id

    async def ready(self) -> None:
        await until(lambda: self.door.state is DoorStateName.LOCKED)

    async def open(self) -> None:
        await self.site.site.operate("front", DoorAction.OPEN, "Ann")

    async def alarms(self) -> list[str]:
        await self.site.site.bulletin.finish()
        return [e["body"]["alarm"] for e in await self.site.events() if e["kind"] == "alarm"]

    async def alarm_details(self) -> list[str]:
        events = await self.recorded("alarm")
        return [event["body"]["detail"] or "" for event in events]

    async def recorded(self, kind: str) -> list[dict[str, Any]]:
        await self.site.site.bulletin.finish()
        return [event for event in await self.site.events() if event["kind"] == kind]

    async def grants(self) -> int:
        """Return how many grants are on record."""
        return sum(event["body"]["granted"] for event in await self.recorded("access"))

    async def check(self, pulses: int, failed: int = 0) -> None:
        """Check that each pulse had a grant of its own, and that all other grants failed.

        A grant is on record before its relay is told, so that one whose relay could not be told
        is there too: with an opening that failed, and no pulse.
        """
        openings = await self.recorded("opening")
        granted = {e["ref"] for e in await self.recorded("access") if e["body"]["granted"]}
        opened = [e["ref"] for e in openings if e["body"]["outcome"] == "opened"]
        never = {e["ref"] for e in openings if e["body"]["outcome"] == "failed"} - set(opened)
        assert self.pulses == len(opened) == len(set(opened)) == pulses
        assert len(never) == failed
        assert granted == {*opened, *never}


@asynccontextmanager
async def strike(folder: Path, broker: Mosquitto) -> AsyncIterator[Strike]:
    found, device, clock = broker.settings(), Shelly(topic=_RELAY), FakeClock()
    options = {
        "mqtt": {
            "host": found.host,
            "port": found.port,
            "username": found.username,
            "password": found.password,
        },
        "doors": [
            {
                "id": "front",
                "pulse_seconds": 1,
                "actuator": {"family": "shelly", "topic": device.topic},
            }
        ],
    }
    async with (
        device.running(broker.settings(DEVICE)),
        engine(options, folder / "data", clock) as site,
    ):
        clock.passed += _OLD_ENOUGH_S
        yield Strike(site, device, broker, clock)


@asynccontextmanager
async def fitted(folder: Path) -> AsyncIterator[tuple[Strike, Outside]]:
    async with mosquitto(folder / "broker") as broker, strike(folder, broker) as door:
        await door.ready()
        async with outside(broker) as client:
            # It looks for retained commands before it takes any.
            await asyncio.sleep(SCAN_S + 0.2)
            yield door, client


async def test_a_duplicated_command_is_one_pulse_and_one_grant(tmp_path: Path) -> None:
    async with fitted(tmp_path) as (door, client):
        for _ in range(3):
            await client.say(COMMAND, door.command("command-1"))
        await until(lambda: bool(client.results()))
        await client.say(COMMAND, door.command("command-1"))
        await until(lambda: len(client.results()) > 1)
        assert {found["ok"] for found in client.results()} == {True}
        await door.ready()
        await door.check(pulses=1)
        assert door.device.moves == [True, False]


async def test_what_the_broker_kept_moves_nothing_and_raises_an_alarm(tmp_path: Path) -> None:
    async with mosquitto(tmp_path / "broker") as broker, outside(broker) as client:
        clock = FakeClock()
        at = clock.now().timestamp() + _OLD_ENOUGH_S + 5
        waiting = {"command_id": "command-1", "action": "open", "expires_at": at}
        await client.say(COMMAND, json.dumps(waiting), retain=True)
        async with strike(tmp_path, broker) as door:
            await door.ready()
            await until(lambda: client.on(COMMAND)[-1:] == [b""])
            assert await door.alarms() == [AlarmKind.MQTT]
            await door.check(pulses=0)
            assert door.device.moves == []


async def test_an_on_that_the_broker_kept_for_the_relay_is_told_of_and_ended(
    tmp_path: Path,
) -> None:
    async with (
        mosquitto(tmp_path / "broker") as broker,
        outside(broker, also=(f"{_RELAY}/rpc",)) as client,
    ):
        await client.say(f"{_RELAY}/rpc", _ON, retain=True)
        await client.say(COMMAND, b"ON", retain=True)
        async with strike(tmp_path, broker) as door:
            # The broker gives it to the relay itself: no engine stands between.
            await until(lambda: door.door.state is DoorStateName.UNLOCKED)
            await until(lambda: client.on(COMMAND)[-1:] == [b""])
            await door.ready()
            assert door.device.moves == [True, False]
            kept = f"{_RELAY}/rpc: a retained command was taken from the broker"
            assert kept in await door.alarm_details()
            assert AlarmKind.DOOR_UNLOCKED in await door.alarms()
            assert await door.grants() == 0
            sent = [payload.decode() for payload in client.on(f"{_RELAY}/rpc")]
            assert sent.pop(0) == _ON
            sent.remove("")
            orders = [found for what in sent if (found := order("rpc", what)) is not None]
            assert orders == ["off"]
            # It is given to nobody any more.
            await door.device.offline()
            await until(lambda: door.door.state is DoorStateName.UNAVAILABLE)
            await door.device.online(broker.settings(DEVICE))
            await door.ready()
            assert door.device.moves == [True, False]


async def test_a_relay_that_another_client_switches_on_is_an_alarm_at_once(tmp_path: Path) -> None:
    async with fitted(tmp_path) as (door, client):
        await client.say(f"{_RELAY}/rpc", _ON)
        await until(lambda: door.device.on)
        await until(lambda: door.door.state is DoorStateName.UNLOCKED)
        assert await door.alarms() == [AlarmKind.DOOR_UNLOCKED]
        assert await door.grants() == 0
        await door.ready()
        assert door.device.moves == [True, False]


async def test_a_broker_killed_in_a_pulse_leaves_one_pulse_that_the_relay_ends(
    tmp_path: Path,
) -> None:
    async with fitted(tmp_path) as (door, _):
        await door.open()
        assert door.device.on
        await door.broker.stop(signal.SIGKILL)
        await until(lambda: door.door.state is DoorStateName.UNAVAILABLE)
        # It keeps the time itself.
        await until(lambda: not door.device.on)
        await until(lambda: "MQTT broker" in (door.door.fault or ""))
        await door.broker.start()
        await door.ready()
        await door.check(pulses=1)
        assert door.device.moves == [True, False]
        assert await door.alarms() == [AlarmKind.ACTUATOR]
        assert "MQTT broker" in (await door.alarm_details())[0]
        # What had been kept for later would have come before this.
        await door.open()
        await door.check(pulses=2)


async def test_what_was_asked_while_the_broker_was_away_is_never_done(tmp_path: Path) -> None:
    async with mosquitto(tmp_path / "broker") as broker, strike(tmp_path, broker) as door:
        await door.ready()
        await broker.stop()
        await until(lambda: door.door.state is DoorStateName.UNAVAILABLE)
        kept: list[str] = []
        async with Client.connected(door.site.url, door.site.token) as panel:
            for minute in range(10):
                # A client of the broker can but keep it, and send it when there is one.
                kept.append(door.command(f"command-{minute}"))
                with pytest.raises(ActuatorError, match="MQTT broker"):
                    await door.open()
                result = await panel.operate("front", DoorAction.OPEN)
                assert (result.ok, result.code) == (False, ErrorCode.ACTUATOR_UNAVAILABLE)
                assert "MQTT broker" in (result.message or "")
                door.clock.passed += 60
        await broker.start()
        await door.ready()
        async with outside(broker) as client:
            await asyncio.sleep(SCAN_S + 0.2)
            for command in kept:
                await client.say(COMMAND, command)
            await until(lambda: len(client.results()) == len(kept))
            assert {found["code"] for found in client.results()} == {"expired"}
            assert door.device.moves == []
            await door.check(pulses=0, failed=20)
            alarms = await door.alarms()
            assert alarms.count(AlarmKind.ACTUATOR) == 20
            assert AlarmKind.MQTT in alarms
            # And it works again.
            await client.say(COMMAND, door.command("command-after"))
            await until(lambda: client.results()[-1]["ok"])
            await door.check(pulses=1, failed=20)


async def test_a_call_answered_over_the_broker_opens_once(tmp_path: Path) -> None:
    async with fitted(tmp_path) as (door, client):
        call_id = await door.ring()
        answer, result = f"facegate/call/{call_id}/answer", f"facegate/call/{call_id}/result"
        for _ in range(3):
            await client.say(answer, door.answer("answer-1"))
        await until(lambda: bool(client.results(result)))
        await client.say(answer, door.answer("answer-2"))
        await until(lambda: client.results(result)[-1]["command_id"] == "answer-2")
        *first, second = client.results(result)
        assert {(found["command_id"], found["ok"]) for found in first} == {("answer-1", True)}
        assert (second["ok"], second["code"]) == (False, ErrorCode.CALL_CLOSED)
        await door.ready()
        await door.check(pulses=1)
        assert door.device.moves == [True, False]
        (grant,) = await door.recorded("access")
        assert (grant["body"]["call"], grant["body"]["approver"]) == (call_id, "mqtt:hall")


async def test_an_answer_that_the_broker_is_to_keep_lets_nobody_in(tmp_path: Path) -> None:
    async with fitted(tmp_path) as (door, client):
        call_id = await door.ring()
        answer, result = f"facegate/call/{call_id}/answer", f"facegate/call/{call_id}/result"
        await client.say(answer, door.answer("answer-1"), retain=True)
        await until(lambda: bool(client.results(result)))
        assert "retained" in client.results(result)[0]["message"]
        await until(lambda: client.on(answer)[-1:] == [b""])
        assert await door.alarms() == [AlarmKind.MQTT]
        await door.check(pulses=0)
        assert [call.id for call in door.site.site.board.state().calls] == [call_id]
