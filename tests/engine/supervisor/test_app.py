"""The engine as an app: it gates doors whatever the Supervisor does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import logging
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from facegate import assembly
from facegate.app import Pace, Place, run_app, supervisor_token
from facegate.errors import SettingsError
from facegate.hardware import MqttSettings
from facegate.protocol import DoorAction
from facegate.settings import Settings, parse
from tests.engine.supervisor.fake import BROKER, TOKEN, FakeSupervisor, supervisor
from tests.support import Client, by_motion, free_port, lend_models, until

PACE = Pace(broker_s=0.3, first_s=0.02, longest_s=0.05, look_s=0.05, goodbye_s=0.3)


@dataclass
class App:
    """A running app: with which settings its engine was started, and how to stop it."""

    place: Place
    stopped: asyncio.Event
    starts: list[Settings] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.place.port}"

    @property
    def token(self) -> str:
        return (self.place.data / "token").read_text().strip()

    @property
    def brokers(self) -> list[MqttSettings | None]:
        return [settings.mqtt for settings in self.starts]


@asynccontextmanager
async def app(url: str, data: Path, **more: Any) -> AsyncIterator[App]:
    """Run an app until the block ends, then stop it cleanly."""
    running = App(Place(url, data, free_port(), free_port()), asyncio.Event())
    await asyncio.to_thread(lend_models, data)

    @asynccontextmanager
    async def engine(settings: Settings, folder: Path) -> AsyncIterator[object]:
        async with assembly.running(settings, folder) as site:
            running.starts.append(settings)
            yield site

    settings = parse(by_motion({"doors": [{"id": "front", "pulse_seconds": 1}], **more}))
    task = asyncio.create_task(
        run_app(settings, running.place, TOKEN, engine, running.stopped, PACE)
    )
    try:
        await until(lambda: running.starts or task.done(), 30)
        yield running
    finally:
        running.stopped.set()
        await task


@pytest.fixture
async def fake() -> AsyncIterator[FakeSupervisor]:
    async with supervisor() as running:
        yield running


async def opens(running: App) -> bool:
    async with Client.connected(running.url, running.token) as home:
        await home.drive("front")
        return (await home.operate("front", DoorAction.OPEN)).ok


async def test_an_app_uses_the_broker_is_discovered_and_takes_that_back(
    fake: FakeSupervisor, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    fake.mqtt = dict(BROKER)
    async with app(fake.url, tmp_path / "data") as running:
        await until(lambda: fake.discovery)
        (told,) = fake.discovery.values()
        assert told["config"] == {
            "host": "local-facegate",
            "port": running.place.port,
            "token": running.token,
        }
        assert await opens(running)
        (broker,) = running.brokers
        assert broker is not None
        assert (broker.host, broker.username) == ("core-mosquitto", "addons")
        secrets = (TOKEN, running.token, "broker-secret")
    assert fake.discovery == {}
    assert not any(secret in caplog.text for secret in secrets)


async def test_a_broker_of_ones_own_is_kept_and_the_supervisor_not_asked(
    fake: FakeSupervisor, tmp_path: Path
) -> None:
    fake.mqtt = dict(BROKER)
    async with app(fake.url, tmp_path / "data", mqtt={"host": "127.0.0.1", "port": 9}) as running:
        await until(lambda: fake.discovery)
        assert [broker.host for broker in running.brokers if broker] == ["127.0.0.1"]
    assert fake.of("/services") == []


async def test_doors_open_while_the_supervisor_is_away(tmp_path: Path) -> None:
    async with app(f"http://127.0.0.1:{free_port()}", tmp_path / "data") as running:
        assert running.brokers == [None]
        assert await opens(running)


async def test_a_supervisor_that_is_ready_later_is_told_then(
    fake: FakeSupervisor, tmp_path: Path
) -> None:
    fake.ready = False
    async with app(fake.url, tmp_path / "data") as running:
        await until(lambda: len(fake.of("/addons/self/info")) >= 3)
        assert await opens(running)
        fake.ready = True
        await until(lambda: fake.discovery)
    assert fake.discovery == {}


async def test_a_broker_that_comes_later_is_taken_up(fake: FakeSupervisor, tmp_path: Path) -> None:
    async with app(fake.url, tmp_path / "data") as running:
        await until(lambda: fake.discovery)
        fake.mqtt = dict(BROKER)
        await until(lambda: len(running.starts) == 2, 30)
        fake.ready = False
        asked = len(fake.asked)
        await until(lambda: len(fake.asked) > asked + 2)
        assert await opens(running)
        assert [broker.host if broker else None for broker in running.brokers] == [
            None,
            "core-mosquitto",
        ]
        fake.ready = True
    assert fake.discovery == {}
    assert fake.of("/discovery") == ["POST", "DELETE"]


async def test_the_pages_are_on_the_ports_of_the_app_and_for_the_supervisor_only(
    fake: FakeSupervisor, tmp_path: Path
) -> None:
    async with app(fake.url, tmp_path / "data") as running:
        assert running.starts[0].api.ingress_from == "172.30.32.2"
        pages = f"http://127.0.0.1:{running.place.ingress_port}/"
        async with aiohttp.ClientSession() as session, session.get(pages) as response:
            assert response.status == 403


async def test_without_a_supervisors_token_the_app_says_what_to_run(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("SUPERVISOR_TOKEN", raising=False)
    with pytest.raises(SettingsError, match="facegate run"):
        supervisor_token()
    monkeypatch.setenv("SUPERVISOR_TOKEN", TOKEN)
    assert supervisor_token() == TOKEN
