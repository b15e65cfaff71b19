"""Every family's relay, simulated on a real broker or web server, with our actuator before it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import aiomqtt

from demo.relays.devices import EspHome, Generic, Shelly, ShellyGen1, Tasmota, Zigbee
from demo.relays.http import HttpDevice
from demo.relays.mqtt import MqttDevice
from facegate.broker import MqttBroker
from facegate.domain import ActuatorCommand
from facegate.door.http_relay import HttpRelayActuator
from facegate.door.mqtt_relay import MqttRelayActuator
from facegate.door.stray import Stray
from facegate.hardware import HttpAuth, MqttSettings
from facegate.protocol import ActuatorAction
from tests.broker import DEVICE, Mosquitto, mosquitto
from tests.support import FakeClock, until

PULSE_S = 1.0
type Device = MqttDevice | HttpDevice

FAMILIES: Mapping[str, Callable[[], Device]] = {
    "shelly": lambda: Shelly(topic="shellyplus1-a8032abe54dc"),
    "shelly_gen1": lambda: ShellyGen1(topic="shelly1-40f520169316"),
    "tasmota": lambda: Tasmota(topic="front_door"),
    "esphome": lambda: EspHome(topic="porch"),
    "zigbee2mqtt": lambda: Zigbee(topic="zigbee2mqtt/front_door"),
    "mqtt": lambda: Generic(topic="home/strike"),
    "mqtt, self timed": lambda: Generic(topic="home/gate", pulse_s=PULSE_S),
    "http": lambda: HttpDevice(timed=False, auth=HttpAuth.BEARER),
    "http, self timed": HttpDevice,
}
TIMED = {"shelly", "tasmota", "zigbee2mqtt", "mqtt, self timed", "http, self timed"}
"""Those that end a pulse by themselves."""
HOLDABLE = set(FAMILIES) - {"mqtt, self timed", "http, self timed"}
BY_MQTT = {name for name in FAMILIES if not name.startswith("http")}
WITH_WILL = BY_MQTT - {"mqtt", "mqtt, self timed"}


@dataclass
class Fitted:
    """A relay at a door; ``seen`` is what the door saw at each change: (unlocked, reason)."""

    family: str
    device: Device
    server: Mosquitto
    clock: FakeClock
    actuator: MqttRelayActuator | HttpRelayActuator = field(init=False)
    broker: MqttBroker | None = None
    seen: list[tuple[bool | None, str | None]] = field(default_factory=list)
    told: int = 0
    strays: int = 0
    wanted_open: bool = False
    kept: list[str] = field(default_factory=list)

    def note_stray(self) -> None:
        self.strays += 1

    def note(self) -> None:
        self.seen.append((self.actuator.unlocked, self.actuator.unavailable_reason))

    def command(self, action: ActuatorAction, life_s: float = 2) -> ActuatorCommand:
        self.told += 1
        expires_at = self.clock.now() + timedelta(seconds=life_s)
        return ActuatorCommand(f"c{self.told}", "front", action, PULSE_S, expires_at)

    async def pulse(self) -> ActuatorCommand:
        command = self.command(ActuatorAction.PULSE)
        await self.actuator.perform(command)
        return command

    async def hold(self) -> None:
        await self.actuator.perform(self.command(ActuatorAction.HOLD))

    async def release(self) -> None:
        await self.actuator.perform(self.command(ActuatorAction.RELEASE))

    async def ready(self) -> None:
        await until(lambda: self.actuator.unavailable_reason is None)

    async def gone(self) -> str:
        return await until(lambda: self.actuator.unavailable_reason)

    @property
    def orders(self) -> list[str]:
        """What the relay was told to be: ``on`` or ``off``; questions and timers left out."""
        return [found for heard in self.device.heard if (found := order(*heard)) is not None]


def order(where: str, what: str) -> str | None:
    """Return what a command of any family asks for."""
    if where in ("/on", "/off"):
        return where[1:]
    if "Switch.Set" in what:
        return "on" if '"on": true' in what else "off"
    if where.endswith(("/get", "/PulseTime1")) or "GetStatus" in what or what in ("", "update"):
        return None
    return "on" if what in ("on", "ON", "1") or '"ON"' in what else "off"


type Check = Callable[[Fitted], Awaitable[None]]


async def every(
    folder: Path,
    check: Check,
    families: set[str] | None = None,
    before: Callable[[Device], Awaitable[None]] | None = None,
    *,
    shared: bool = False,
) -> None:
    """Hold a check against families at once, on one broker; tells which of them failed."""
    names = [name for name in FAMILIES if families is None or name in families]
    async with mosquitto(folder / "broker") as server:
        outcomes = await asyncio.gather(
            *(_held(server, name, check, before, shared=shared) for name in names),
            return_exceptions=True,
        )
    failures: list[Exception] = []
    for name, outcome in zip(names, outcomes, strict=True):
        if isinstance(outcome, Exception):
            outcome.add_note(f"family: {name}")
            failures.append(outcome)
    if failures:
        raise ExceptionGroup("families break the contract", failures)


async def _held(
    server: Mosquitto,
    name: str,
    check: Check,
    before: Callable[[Device], Awaitable[None]] | None,
    *,
    shared: bool,
) -> None:
    async with fitted(server, name, before, shared=shared) as relay:
        await check(relay)


@asynccontextmanager
async def fitted(
    server: Mosquitto,
    family: str,
    before: Callable[[Device], Awaitable[None]] | None = None,
    *,
    shared: bool = False,
) -> AsyncIterator[Fitted]:
    """Fit a family's relay; ``before`` is done to the device before we look at it."""
    async with AsyncExitStack() as stack:
        device = FAMILIES[family]()
        if isinstance(device, HttpDevice):
            await stack.enter_async_context(device.running())
        else:
            await stack.enter_async_context(device.running(server.settings(DEVICE)))
        if before is not None:
            await before(device)
        relay = Fitted(family, device, server, FakeClock())
        stray = (
            None
            if shared
            else Stray(PULSE_S, relay.clock, relay.note_stray, lambda: relay.wanted_open)
        )
        if isinstance(device, HttpDevice):
            over_http = HttpRelayActuator(device.settings, relay.clock, "front", relay.note, stray)
            relay.actuator = over_http
            await over_http.start()
        else:
            broker = relay.broker = MqttBroker(server.settings(), relay.clock)
            relay.actuator = MqttRelayActuator(
                device.settings,
                broker,
                relay.clock,
                "front",
                relay.note,
                stray,
                relay.kept.append,
            )
            await broker.start()
            stack.push_async_callback(broker.close)
        stack.push_async_callback(relay.actuator.close)
        await relay.ready()
        yield relay


async def publish(settings: MqttSettings, topic: str, *payloads: bytes | str) -> None:
    """Say something on a topic, as anybody may."""
    async with aiomqtt.Client(
        settings.host, settings.port, username=settings.username, password=settings.password
    ) as client:
        for payload in payloads:
            await client.publish(topic, payload, qos=1)


async def back(relay: Fitted) -> None:
    """Let a relay come back, as it was."""
    if isinstance(relay.device, HttpDevice):
        await relay.device.online()
    else:
        await relay.device.online(relay.server.settings(DEVICE))
