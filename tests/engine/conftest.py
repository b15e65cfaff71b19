"""The engine's tests talk through real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
import logging
from pathlib import Path
import threading

import pytest

from tests.engine.clips import empty_hall, resident, write_clip
from tests.engine.watch import can_watch, watched

# The Home Assistant plugin has every statement told.
logging.getLogger("sqlalchemy.engine").setLevel(logging.WARNING)
logging.getLogger("aiosqlite").setLevel(logging.WARNING)


@pytest.fixture(autouse=True)
def enable_event_loop_debug() -> None:
    """Leave asyncio's debug mode off, which the plugin switches on: it costs a third of the time.

    That the event loop never stands still is watched by ``free_loop``.
    """


@pytest.fixture(autouse=True)
def _sockets(socket_enabled: None) -> None:
    """Let every engine test open sockets, which the Home Assistant plugin otherwise forbids."""


@pytest.fixture(autouse=True)
def _databases_end(verify_cleanup: None) -> Iterator[None]:  # noqa: ARG001  torn down after this
    """Let the threads of closed databases end before the plugin looks for threads left behind."""
    before = set(threading.enumerate())
    yield
    for thread in set(threading.enumerate()) - before:
        if "_connection_worker_thread" in thread.name:
            thread.join(5)


@pytest.fixture
async def free_loop() -> AsyncIterator[None]:
    """Fail a test in which the event loop stood still: doors would have stood still too."""
    if not can_watch():
        yield
        return
    async with watched() as stood:
        yield
    assert not stood, f"the event loop stood still for {max(stood):.2f} s"


@pytest.fixture(scope="session")
def resident_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seconds of one moving face."""
    return write_clip(tmp_path_factory.mktemp("clips") / "resident.mp4", resident())


@pytest.fixture(scope="session")
def faceless_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One second without a face."""
    return write_clip(tmp_path_factory.mktemp("clips") / "hall.mp4", empty_hall())
