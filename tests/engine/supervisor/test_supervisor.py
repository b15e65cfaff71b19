"""What is asked of the Supervisor, and what becomes of its answers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from facegate.hardware import MqttSettings, TlsSettings
from facegate.supervisor import DISCOVERY_FILE, SupervisorError, reached
from tests.engine.supervisor.fake import BROKER, TOKEN, FakeSupervisor, supervisor
from tests.support import free_port

SECRET = "engine-token"


@pytest.fixture
async def fake() -> AsyncIterator[FakeSupervisor]:
    async with supervisor() as running:
        yield running


async def test_the_brokers_credentials_come_from_the_services(
    fake: FakeSupervisor, tmp_path: Path
) -> None:
    fake.mqtt = dict(BROKER)
    async with reached(fake.url, TOKEN, tmp_path) as asked:
        found = await asked.mqtt("gate")
        assert found == MqttSettings("core-mosquitto", 1883, "gate", "addons", "broker-secret")
        assert "broker-secret" not in repr(found)
        fake.mqtt |= {"ssl": True, "port": "8883", "username": "", "password": None}
        found = await asked.mqtt("gate")
        assert found == MqttSettings("core-mosquitto", 8883, "gate", tls=TlsSettings())


async def test_without_a_broker_there_are_no_credentials(
    fake: FakeSupervisor, tmp_path: Path
) -> None:
    async with reached(fake.url, TOKEN, tmp_path) as asked:
        assert await asked.mqtt("gate") is None


@pytest.mark.parametrize(
    "wrong", [{}, {"host": "x"}, {"host": "x", "port": 0}, {"host": "", "port": 1}, {"port": True}]
)
async def test_a_service_without_an_address_is_a_fault(
    fake: FakeSupervisor, tmp_path: Path, wrong: dict[str, object]
) -> None:
    fake.mqtt = wrong
    async with reached(fake.url, TOKEN, tmp_path) as asked:
        with pytest.raises(SupervisorError, match="no host and port"):
            await asked.mqtt("gate")


async def test_a_discovery_is_deleted_before_it_is_posted_again(
    fake: FakeSupervisor, tmp_path: Path
) -> None:
    async with reached(fake.url, TOKEN, tmp_path) as asked:
        await asked.announce("local-facegate", 8099, SECRET)
    (first,) = fake.discovery
    # A run that ended without a goodbye left it; the next one knows it from the data folder.
    async with reached(fake.url, TOKEN, tmp_path) as asked:
        await asked.announce("local-facegate", 8099, SECRET)
        assert fake.asked == [
            ("POST", "/discovery"),
            ("DELETE", f"/discovery/{first}"),
            ("POST", "/discovery"),
        ]
        (told,) = fake.discovery.values()
        config = {"host": "local-facegate", "port": 8099, "token": SECRET}
        assert told == {"service": "facegate", "config": config}
        await asked.withdraw()
        assert fake.discovery == {}
        assert not (tmp_path / DISCOVERY_FILE).exists()


async def test_a_discovery_that_is_gone_already_is_no_fault(
    fake: FakeSupervisor, tmp_path: Path
) -> None:
    async with reached(fake.url, TOKEN, tmp_path) as asked:
        await asked.announce("a", 1, SECRET)
        fake.discovery.clear()
        await asked.withdraw()
        await asked.withdraw()
    assert fake.of("/discovery/") == ["DELETE"]


async def test_a_discovery_that_could_not_be_withdrawn_is_remembered(
    fake: FakeSupervisor, tmp_path: Path
) -> None:
    async with reached(fake.url, TOKEN, tmp_path) as asked:
        await asked.announce("a", 1, SECRET)
        fake.ready = False
        with pytest.raises(SupervisorError):
            await asked.withdraw()
        fake.ready = True
        await asked.withdraw()
    assert fake.discovery == {}


async def test_the_address_stands_in_for_a_missing_host_name(
    fake: FakeSupervisor, tmp_path: Path
) -> None:
    async with reached(fake.url, TOKEN, tmp_path) as asked:
        assert await asked.hostname() == "local-facegate"
        fake.hostname = None
        assert await asked.hostname() == "172.30.33.5"


async def test_no_refusal_tells_a_token(fake: FakeSupervisor, tmp_path: Path) -> None:
    async with reached(fake.url, "wrong-but-secret", tmp_path) as asked:
        with pytest.raises(SupervisorError) as refused:
            await asked.announce("a", 1, SECRET)
    async with reached(f"http://127.0.0.1:{free_port()}", TOKEN, tmp_path) as asked:
        with pytest.raises(SupervisorError, match="cannot be reached") as gone:
            await asked.announce("a", 1, SECRET)
    told = f"{refused.value}{gone.value}"
    assert not any(secret in told for secret in ("wrong-but-secret", TOKEN, SECRET))
