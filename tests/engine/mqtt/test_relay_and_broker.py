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

import pytest

from demo.relays.devices import Shelly
from facegate.api.mqtt import SCAN_S
from facegate.errors import FaceGateError
from facegate.protocol import AlarmKind, DoorAction, DoorStateName, DoorView
from tests.broker import DEVICE, Mosquitto, mosquitto, needs_mosquitto
from tests.engine.door.relays import order
from tests.engine.mqtt.house import COMMAND, Outside, outside
from tests.support import Engine, FakeClock, engine, until

pytestmark = [pytest.mark.usefixtures("free_loop"), needs_mosquitto]

# No command is taken for so long after the engine's start.
_OLD_ENOUGH_S = 11


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

    async def ready(self) -> None:
        await until(lambda: self.door.state is DoorStateName.LOCKED)

    async def open(self) -> None:
        await self.site.site.operate("front", DoorAction.OPEN, "Ann")

    async def alarms(self) -> list[str]:
        await self.site.site.bulletin.finish()
        return [e["body"]["alarm"] for e in await self.site.events() if e["kind"] == "alarm"]

    async def grants(self) -> int:
        """Return how many grants are on record."""
        events = await self.site.events()
        return sum(e["kind"] == "access" and e["body"]["granted"] for e in events)


@asynccontextmanager
async def strike(folder: Path, broker: Mosquitto) -> AsyncIterator[Strike]:
    found, device, clock = broker.settings(), Shelly(topic="shelly-front"), FakeClock()
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
        assert (door.pulses, await door.grants()) == (1, 1)
        assert door.device.moves[-1] is False


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
            assert (door.pulses, await door.grants()) == (0, 0)


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
        assert (door.pulses, await door.grants()) == (1, 1)
        assert AlarmKind.ACTUATOR in await door.alarms()


async def test_what_was_asked_while_the_broker_was_away_is_never_done(tmp_path: Path) -> None:
    async with mosquitto(tmp_path / "broker") as broker, strike(tmp_path, broker) as door:
        await door.ready()
        await broker.stop()
        await until(lambda: door.door.state is DoorStateName.UNAVAILABLE)
        for _ in range(3):
            with pytest.raises(FaceGateError, match="MQTT broker"):
                await door.open()
            door.clock.passed += 200
        await broker.start()
        await door.ready()
        async with outside(broker) as client:
            stale = json.dumps(
                {
                    "command_id": "command-1",
                    "action": "open",
                    "expires_at": door.clock.now().timestamp() - 600,
                }
            )
            await asyncio.sleep(SCAN_S + 0.2)
            await client.say(COMMAND, stale)
            await until(lambda: [r["code"] for r in client.results()][-1:] == ["expired"])
            assert door.pulses == 0
            # And it works again.
            await client.say(COMMAND, door.command("command-2"))
            await until(lambda: door.pulses == 1)
