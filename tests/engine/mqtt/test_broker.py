"""The connection to a real broker: named faults, new starts, and nothing that is sent later."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
import signal
import sys

import pytest

from facegate import broker as connection
from facegate.broker import MqttBroker
from facegate.domain import Delivery
from facegate.errors import BrokerError
from facegate.hardware import MqttSettings
from tests.broker import ENGINE, PASSWORD, Mosquitto, mosquitto, needs_mosquitto
from tests.engine.mqtt.certificates import certificates
from tests.engine.mqtt.house import outside
from tests.support import FakeClock, until

pytestmark = needs_mosquitto


_CONNECTED = """
import asyncio
import sys

from facegate.broker import MqttBroker
from facegate.clock import SystemClock
from facegate.hardware import MqttSettings

async def main(port, user, password):
    settings = MqttSettings("127.0.0.1", int(port), "facegate", user, password)
    await MqttBroker(settings, SystemClock()).start()
    await asyncio.sleep(60)

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture(autouse=True)
def _quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "FIRST_RETRY_S", 0.05)
    monkeypatch.setattr(connection, "LONGEST_RETRY_S", 0.2)


@pytest.fixture
async def broker(tmp_path: Path) -> AsyncIterator[Mosquitto]:
    async with mosquitto(tmp_path / "broker") as running:
        yield running


@asynccontextmanager
async def connecting(
    settings: MqttSettings, heard: list[Delivery] | None = None
) -> AsyncIterator[MqttBroker]:
    found = MqttBroker(settings, FakeClock())
    if heard is not None:
        found.subscribe("facegate/+", heard.append)
    await found.start()
    try:
        yield found
    finally:
        await found.close()


async def test_the_engine_is_online_while_connected_and_offline_after_its_goodbye(
    broker: Mosquitto,
) -> None:
    async with outside(broker) as other:
        async with connecting(broker.settings()):
            await until(lambda: other.on("facegate/status") == [b"online"])
        await until(lambda: other.on("facegate/status") == [b"online", b"offline"])


async def test_the_broker_says_offline_for_an_engine_that_is_killed(broker: Mosquitto) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _CONNECTED, str(broker.port), ENGINE, PASSWORD
    )
    try:
        async with outside(broker) as other:
            await until(lambda: other.on("facegate/status") == [b"online"])
            process.kill()
            await until(lambda: other.on("facegate/status") == [b"online", b"offline"])
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_nothing_published_without_a_connection_is_sent_later(broker: Mosquitto) -> None:
    async with connecting(broker.settings()) as engine:
        await until(lambda: engine.fault is None)
        await broker.stop(signal.SIGKILL)
        await until(lambda: engine.fault)
        for _ in range(3):
            with pytest.raises(BrokerError, match="nothing was sent"):
                await engine.publish("facegate/relay", "ON", expiry_s=2)
        await broker.start()
        async with outside(broker) as other:
            await until(lambda: engine.fault is None)
            await engine.publish("facegate/relay", "OFF", qos=1)
            await until(lambda: other.on("facegate/relay"))
            assert other.on("facegate/relay") == [b"OFF"]


async def test_a_broker_that_dies_under_a_message_is_an_error_at_once(broker: Mosquitto) -> None:
    async with connecting(broker.settings()) as engine:
        await until(lambda: engine.fault is None)
        assert broker.process is not None
        broker.process.send_signal(signal.SIGSTOP)
        sending = asyncio.create_task(engine.publish("facegate/relay", "ON", qos=1))
        await asyncio.sleep(0.1)
        assert not sending.done()
        await broker.stop(signal.SIGKILL)
        with pytest.raises(BrokerError):
            await sending


async def test_a_wrong_password_is_named_and_never_shown(
    broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    wrong = replace(broker.settings(), password="battery staple")
    async with connecting(wrong) as engine:
        fault = await until(lambda: engine.fault if "refuses" in (engine.fault or "") else None)
        assert "engine" in fault
        assert "mqtt.password" in fault
        with pytest.raises(BrokerError, match="refuses"):
            await engine.publish("facegate/relay", "ON")
    assert "battery staple" not in caplog.text + fault + repr(wrong)


async def test_a_broker_with_a_certificate_of_ones_own_authority_is_trusted(tmp_path: Path) -> None:
    tls = certificates(tmp_path / "tls")
    async with mosquitto(tmp_path / "broker", tls=tls) as broker:
        heard: list[Delivery] = []
        async with connecting(broker.settings(), heard) as engine:
            await until(lambda: engine.fault is None)
            await engine.publish("facegate/bell", "ring", qos=1)
            await until(lambda: [d for d in heard if d.topic == "facegate/bell"])


async def test_a_broker_of_another_authority_is_not_trusted(tmp_path: Path) -> None:
    other = certificates(tmp_path / "other")
    tls = certificates(tmp_path / "tls")
    async with mosquitto(tmp_path / "broker", tls=tls) as broker:
        settings = replace(broker.settings(), tls=replace(other, certificate=None, key=None))
        async with connecting(settings) as engine:
            await until(lambda: "CERTIFICATE_VERIFY_FAILED" in (engine.fault or ""))


async def test_a_broker_that_asks_for_a_certificate_is_shown_ones_own(tmp_path: Path) -> None:
    tls = certificates(tmp_path / "tls")
    asking = mosquitto(tmp_path / "broker", tls=tls, client_certificates=True)
    async with asking as broker:
        async with connecting(broker.settings()) as without:
            await until(lambda: "set mqtt.tls.certificate" in (without.fault or ""), 15)
        async with connecting(replace(broker.settings(), tls=tls)) as engine:
            await until(lambda: engine.fault is None)
            await engine.publish("facegate/x", b"1")


async def test_a_missing_certificate_is_named(tmp_path: Path, broker: Mosquitto) -> None:
    tls = replace(certificates(tmp_path / "tls"), ca=tmp_path / "none.pem")
    async with connecting(replace(broker.settings(), tls=tls)) as engine:
        await until(lambda: "mqtt.tls.ca" in (engine.fault or ""))


async def test_a_listener_that_fails_is_logged_and_stops_no_other(
    broker: Mosquitto, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[Delivery] = []

    def fails(delivery: Delivery) -> None:
        raise RuntimeError(delivery.topic)

    engine = MqttBroker(broker.settings(), FakeClock())
    engine.subscribe("facegate/bell", fails)
    engine.subscribe("facegate/bell", heard.append)
    await engine.start()
    await until(lambda: engine.fault is None)
    for _ in range(2):
        await engine.publish("facegate/bell", "ring")
    await until(lambda: len(heard) == 2)
    await engine.close()
    assert "could not be handled" in caplog.text


async def test_an_expired_message_is_not_sent(broker: Mosquitto) -> None:
    async with connecting(broker.settings()) as engine:
        await until(lambda: engine.fault is None)
        with pytest.raises(BrokerError, match="too old"):
            await engine.publish("facegate/relay", "ON", expiry_s=0)


async def test_a_large_message_is_dropped_and_the_next_one_heard(broker: Mosquitto) -> None:
    heard: list[Delivery] = []
    async with connecting(broker.settings(), heard) as engine, outside(broker) as other:
        await until(lambda: engine.fault is None)
        for size in (10_000_000, 1024 * 1024 + 1, 1024 * 1024):
            await other.say("facegate/bell", b"x" * size)
        await until(lambda: [d for d in heard if d.topic == "facegate/bell"])
        sizes = [len(d.payload) for d in heard if d.topic == "facegate/bell"]
        assert sizes == [1024 * 1024]
        assert engine.fault is None
