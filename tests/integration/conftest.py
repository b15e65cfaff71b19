"""A real Home Assistant core; engines that are real, or scripted where a real one cannot be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
from homeassistant.core import HomeAssistant
from homeassistant.util.async_ import get_scheduled_timer_handles
import pytest

from custom_components.facegate import client
from tests.integration.hardware import Bench
from tests.integration.home import Home
from tests.integration.real import RealEngine
from tests.integration.scripted import ScriptedEngine, scripted_engine


@pytest.fixture(autouse=True)
def _environment(
    socket_enabled: None,  # noqa: ARG001
    enable_custom_integrations: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Let tests open sockets, load this integration, and wait less between attempts."""
    monkeypatch.setattr(client, "FIRST_DELAY_S", 0.05)
    monkeypatch.setattr(client, "LONGEST_DELAY_S", 0.2)


@pytest.fixture(autouse=True)
async def _closed_sockets_leave_no_timer() -> AsyncIterator[None]:
    """Cancel the heartbeat that aiohttp 3.14 sets anew when the answer to a close arrives.

    The timer does nothing once the socket is closed; Home Assistant's plugin fails a test for it.
    """
    yield
    for handle in get_scheduled_timer_handles(asyncio.get_running_loop()):
        owner = getattr(handle._callback, "__self__", None)  # type: ignore[attr-defined]
        if isinstance(owner, aiohttp.ClientWebSocketResponse) and owner.closed:
            handle.cancel()


@pytest.fixture
async def real(tmp_path: Path) -> AsyncIterator[RealEngine]:
    """A running engine with two doors."""
    engine = RealEngine(tmp_path / "engine")
    await engine.start()
    yield engine
    await engine.stop()


@pytest.fixture
async def scripted() -> AsyncIterator[ScriptedEngine]:
    """A running scripted engine with one door and one camera."""
    async with scripted_engine() as engine:
        yield engine


@pytest.fixture
async def home(hass: HomeAssistant) -> AsyncIterator[Home]:
    """Home Assistant with the integration's entries; unloads them at the end."""
    home = Home(hass)
    yield home
    await home.unload()


@pytest.fixture
async def bench(hass: HomeAssistant) -> Bench:
    """Hardware of every kind that can drive a door."""
    bench = Bench(hass)
    await bench.install()
    return bench
