"""What every story needs: sockets, Home Assistant with hardware, and faces in its folders."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

from homeassistant.core import HomeAssistant
import pytest

from custom_components.facegate import client
from facegate.domain import MaskClassifier
from tests.integration.conftest import (  # noqa: F401  fixtures
    _closed_sockets_leave_no_timer,
    bench,
    home,
)
from tests.integration.hardware import Bench
from tests.integration.home import Home
from tests.stories.place import Place, engine_in, opened

type OpenPlace = Callable[..., AbstractAsyncContextManager[Place]]


@pytest.fixture(autouse=True)
def _story(
    recorder_db_url: str,  # noqa: ARG001  must be known before Home Assistant starts
    socket_enabled: None,  # noqa: ARG001
    enable_custom_integrations: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Let stories open sockets, load this integration, and wait less between attempts."""
    monkeypatch.setattr(client, "FIRST_DELAY_S", 0.05)
    monkeypatch.setattr(client, "LONGEST_DELAY_S", 0.2)


@pytest.fixture
async def place_at(
    hass: HomeAssistant,
    home: Home,  # noqa: F811
    bench: Bench,  # noqa: F811
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> OpenPlace:
    """Open a place: an engine with options beside Home Assistant, whose cameras are scripted."""
    await hass.config.async_set_time_zone("Europe/Vienna")
    folder = tmp_path / "home"
    folder.mkdir()
    hass.config.config_dir = str(folder)
    hass.config.allowlist_external_dirs = {str(tmp_path)}

    @asynccontextmanager
    async def open_place(
        options: dict[str, Any], masks: MaskClassifier | None = None, start: str | None = None
    ) -> AsyncIterator[Place]:
        engine = engine_in(tmp_path / "engine", options, masks, start, monkeypatch)
        async with opened(home, bench.strike, engine) as place:
            yield place

    return open_place
