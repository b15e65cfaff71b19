"""A site with two doors, and a session that bears its token."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from facegate import assembly
from facegate.identity.gallery import Gallery
from tests.support import Engine, engine


@pytest.fixture
def galleries(monkeypatch: pytest.MonkeyPatch) -> list[Gallery]:
    """Return the galleries of the engines that a test runs, the newest last."""
    made: list[Gallery] = []

    def make(model_id: str) -> Gallery:
        made.append(Gallery(model_id))
        return made[-1]

    monkeypatch.setattr(assembly, "Gallery", make)
    return made


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Engine]:
    options = {"doors": [{"id": "front"}, {"id": "back"}]}
    async with engine(options, tmp_path) as running:
        yield running


@pytest.fixture
async def desk(office: Engine) -> AsyncIterator[aiohttp.ClientSession]:
    async with office.session() as opened:
        yield opened
