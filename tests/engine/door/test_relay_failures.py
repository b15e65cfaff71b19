"""Relays when the broker breaks, when others talk nonsense, and when nobody lets us in."""

from __future__ import annotations

import asyncio
from pathlib import Path
import signal

import aiohttp
import pytest

from demo.relays.devices import EspHome, Shelly
from demo.relays.http import HttpDevice
from facegate.domain import ActuatorCommand
from facegate.door.families import dialect
from facegate.door.http_relay import HttpRelayActuator
from facegate.errors import ActuatorError, SettingsError
from facegate.hardware import HttpAuth, MqttRelay, RelayFamily
from facegate.protocol import ActuatorAction, ErrorCode
from tests.broker import DEVICE, mosquitto, needs_mosquitto
from tests.engine.door.relays import WITH_WILL, Fitted, every, fitted, publish
from tests.project.tree import ROOT
from tests.support import FakeClock, until


@needs_mosquitto
@pytest.mark.parametrize("family", ["shelly", "esphome"])
async def test_without_the_broker_nothing_is_sent_then_or_later(
    tmp_path: Path, family: str
) -> None:
    async with mosquitto(tmp_path / "broker") as server, fitted(server, family) as relay:
        await server.stop(signal.SIGKILL)
        assert "MQTT broker" in await relay.gone()
        assert relay.actuator.unlocked is None
        with pytest.raises(ActuatorError, match="MQTT broker"):
            await relay.pulse()
        await server.start()
        await relay.ready()
        await until(lambda: relay.actuator.unlocked is False)  # asked for, or told anew
        assert relay.orders == []
        assert relay.device.moves == []


@needs_mosquitto
@pytest.mark.parametrize("family", ["esphome", "shelly"])
async def test_a_pulse_that_outlived_the_broker_is_alarmed_and_shut_once_the_relay_is_heard(
    tmp_path: Path, family: str
) -> None:
    async with mosquitto(tmp_path / "broker") as server, fitted(server, family) as relay:
        relay.device.habits.forgets_time = True
        command = await relay.pulse()
        await server.stop(signal.SIGKILL)
        await relay.gone()
        with pytest.raises(ActuatorError):
            await relay.actuator.pulse_ended(command)
        assert relay.device.on
        await server.start()
        await until(lambda: not relay.device.on)
        assert set(relay.orders[1:]) == {"off"}


@needs_mosquitto
async def test_a_retained_off_after_a_reconnection_does_not_end_a_pulse_alone(
    tmp_path: Path,
) -> None:
    async with mosquitto(tmp_path / "broker") as server, fitted(server, "shelly") as relay:
        assert isinstance(relay.device, Shelly)
        relay.device.habits.forgets_time = True
        command = await relay.pulse()
        # As after a reconnection: what the broker kept says off, and the relay is on.
        relay.actuator._hear(on=False, fresh=False)
        await relay.actuator.pulse_ended(command)
        assert not relay.device.on
        assert "off" in relay.orders


@needs_mosquitto
async def test_nonsense_on_its_topics_changes_nothing_and_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    nonsense = (
        b"\xff\xfe",
        b"toggle",
        b"[" * 9000,
        b'{"output": 1}',
        b'{"state": ["ON"]}',
        b"",
        b"x" * 1_000_000,
    )

    async def check(relay: Fitted) -> None:
        assert not isinstance(relay.device, HttpDevice)
        topics = relay.actuator._dialect.listen  # type: ignore[union-attr]
        for topic in topics:
            await publish(relay.server.settings(DEVICE), topic, *nonsense)
        await relay.ready()
        assert relay.actuator.unlocked is not True
        await relay.pulse()
        assert relay.device.on

    await every(tmp_path, check, WITH_WILL)
    lines = [text for text in caplog.messages if "ignored a message" in text]
    assert len(WITH_WILL) <= len(lines) <= 3 * len(WITH_WILL)


@needs_mosquitto
async def test_a_shelly_that_refuses_is_believed_at_once(tmp_path: Path) -> None:
    async with mosquitto(tmp_path / "broker") as server, fitted(server, "shelly") as relay:
        say = relay.device.say  # type: ignore[union-attr]

        async def refuse(topic: str, payload: str, *, retain: bool = False) -> None:
            error = '{"id": 1, "src": "x", "error": {"code": -105, "message": "id 7 not found"}}'
            await say(topic, error if topic.endswith("/rpc") else payload, retain=retain)

        relay.device.habits.mute = False
        relay.device.say = refuse  # type: ignore[method-assign,union-attr]
        relay.device.tell = _nothing  # type: ignore[method-assign]
        with pytest.raises(ActuatorError, match="id 7 not found"):
            await relay.pulse()


async def _nothing() -> None:
    pass


@needs_mosquitto
async def test_a_relay_that_was_never_there_is_not_taken_for_one(tmp_path: Path) -> None:
    async with mosquitto(tmp_path / "broker") as server, fitted(server, "esphome") as relay:
        await relay.device.offline()
        assert isinstance(relay.device, EspHome)
        await publish(server.settings(DEVICE), "other/status", "online")
        with pytest.raises(ActuatorError, match="offline"):
            await relay.pulse()


def test_a_tasmota_is_never_told_to_switch_all_its_relays() -> None:
    with pytest.raises(SettingsError, match="counts relays from 1"):
        dialect(MqttRelay(RelayFamily.TASMOTA, "front", channel=0), "facegate/relays/front")


@pytest.mark.parametrize(
    ("seconds", "value"), [(1, "10"), (3, "30"), (11.1, "111"), (12, "112"), (30, "130")]
)
def test_a_tasmota_counts_its_pulse_in_two_ways(seconds: float, value: str) -> None:
    spoken = dialect(MqttRelay(RelayFamily.TASMOTA, "front", channel=1), "facegate/relays/front")
    assert spoken.pulse is not None
    timer, command = spoken.pulse(seconds)
    assert (timer.topic, timer.payload) == ("cmnd/front/PulseTime1", value)
    assert (command.topic, command.payload) == ("cmnd/front/POWER1", "ON")


async def test_a_wrong_token_is_said_without_the_token() -> None:
    device = HttpDevice(auth=HttpAuth.BEARER)
    async with device.running():
        settings = device.settings
        device.secret = "another"
        actuator = HttpRelayActuator(settings, FakeClock(), "front", lambda: None, None)
        await actuator.start()
        try:
            reason = await until(
                lambda: (found := actuator.unavailable_reason) and "401" in found and found
            )
        finally:
            await actuator.close()
        assert isinstance(reason, str)
        assert "check auth" in reason
        assert "open sesame" not in reason + repr(settings)
        with pytest.raises(ActuatorError):
            await actuator.perform(_pulse())
        assert device.heard == []


def _pulse() -> ActuatorCommand:
    relay = Fitted("http", HttpDevice(), None, FakeClock())  # type: ignore[arg-type]
    return relay.command(ActuatorAction.PULSE)


_DIGEST = """
import asyncio
from datetime import timedelta
from demo.relays.http import HttpDevice
from facegate.clock import SystemClock
from facegate.domain import ActuatorCommand
from facegate.door.http_relay import HttpRelayActuator
from facegate.errors import ActuatorError
from facegate.hardware import HttpAuth
from facegate.protocol import ActuatorAction

async def main():
    device, clock = HttpDevice(auth=HttpAuth.DIGEST), SystemClock()
    async with device.running():
        actuator = HttpRelayActuator(device.settings, clock, "front", lambda: None, None)
        await actuator.start()
        while actuator.unavailable_reason:
            await asyncio.sleep(0.02)
        until = clock.now() + timedelta(seconds=2)
        command = ActuatorCommand("c", "front", ActuatorAction.PULSE, 1, until)
        await actuator.perform(command)
        await actuator.pulse_ended(command)
        await actuator.close()
        print(device.moves, len(device.heard), device.refused > 0)

asyncio.run(asyncio.wait_for(main(), 20))
"""


async def test_a_relay_with_digest_is_signed_in_at() -> None:
    python = ROOT / ".venv-engine" / "bin" / "python"
    if not python.exists():
        pytest.skip("needs .venv-engine, the environment with what is shipped")
    process = await asyncio.create_subprocess_exec(
        python, "-c", _DIGEST, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    assert told.decode().strip() == "[True, False] 1 True"


@pytest.mark.skipif(
    hasattr(aiohttp, "DigestAuthMiddleware"), reason="this aiohttp can sign in with digest"
)
async def test_digest_is_refused_by_name_where_it_cannot_be_had() -> None:
    with pytest.raises(SettingsError, match="aiohttp") as caught:
        HttpRelayActuator(
            HttpDevice(auth=HttpAuth.DIGEST).settings, FakeClock(), "front", lambda: None, None
        )
    assert caught.value.code is ErrorCode.SETTINGS_INVALID
