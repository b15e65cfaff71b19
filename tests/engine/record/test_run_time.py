"""While the records fail no door opens, everybody is told, and it is over when they are well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, suppress
from datetime import UTC, datetime
from pathlib import Path
import sqlite3
from typing import Any

import aiohttp
import numpy as np
import pytest
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection

from facegate.domain import AccessPoint, Decision
from facegate.errors import RecordError
from facegate.protocol import (
    AccessEvent,
    Actuate,
    CallAnswer,
    CallClosed,
    Direction,
    DoorAction,
    DoorStateName,
    ErrorCode,
    Result,
)
from facegate.record import database
from facegate.record.store import EventKind
from facegate.verdicts import Basis, Reason
from tests.support import Client, Engine, engine, until

pytestmark = pytest.mark.usefixtures("free_loop")

FRONT = AccessPoint("front", Direction.ENTRY)
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
FACE = np.eye(1, 128, dtype=np.float32)[0]

type Failure = Callable[[Engine], AbstractAsyncContextManager[None]]


@asynccontextmanager
async def locked(site: Engine) -> AsyncIterator[None]:
    """Have another program hold the database's write lock."""
    await site.site.bulletin.finish()  # which may be writing
    with closing(sqlite3.connect(site.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@asynccontextmanager
async def pragma(site: Engine, failing: str, well: str) -> AsyncIterator[None]:
    """Set something on every connection of the engine, and back."""
    pool = site.site.store._engine.sync_engine

    def fail(connection: DBAPIConnection, *_: object) -> None:
        connection.cursor().execute(f"PRAGMA {failing}")

    def mend(connection: DBAPIConnection, *_: object) -> None:
        connection.cursor().execute(f"PRAGMA {well}")

    event.listen(pool, "checkout", fail)
    yield
    event.remove(pool, "checkout", fail)
    event.listen(pool, "checkout", mend)


@asynccontextmanager
async def full(site: Engine) -> AsyncIterator[None]:
    """Let SQLite find no room for another page, as on a full disk."""
    with closing(sqlite3.connect(site.database)) as other:
        (pages,) = other.execute("PRAGMA page_count").fetchone()
    async with pragma(site, f"max_page_count={pages}", "max_page_count=1000000"):
        with suppress(RecordError):  # fill what is left of the last page
            while True:
                await site.site.store.record(EventKind.LOCK, NOON, "")
        yield


@asynccontextmanager
async def read_only(site: Engine) -> AsyncIterator[None]:
    """Let SQLite refuse to write, as where the file's rights were taken away."""
    async with pragma(site, "query_only=ON", "query_only=OFF"):
        yield


FAILURES = [
    pytest.param(locked, "another program holds the records locked; close it", id="locked"),
    pytest.param(full, "the disk is full; free some space", id="full"),
    pytest.param(read_only, "make the data folder writable", id="read-only"),
]


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.2)
    async with engine({"doors": [{"id": "front", "pulse_seconds": 1}]}, tmp_path) as running:
        yield running


@pytest.fixture
async def client(site: Engine) -> AsyncIterator[Client]:
    async with Client.connected(site.url, site.token) as connected:
        await connected.drive("front")
        await until(lambda: site.site.board.state().doors[0].state is DoorStateName.LOCKED)
        yield connected


async def health(site: Engine) -> dict[str, Any]:
    async with aiohttp.ClientSession(site.url) as session, session.get("/health") as response:
        return dict(await response.json())


def face_grant(decision_id: str) -> Decision:
    return Decision(
        id=decision_id,
        at=datetime.now(UTC),
        access_point=FRONT,
        basis=Basis.FACE,
        granted=True,
        reason=Reason.GRANTED,
        verdicts=(),
        frame_age_s=0.1,
    )


def assert_told(result: Result, advice: str) -> None:
    assert (result.ok, result.code) == (False, ErrorCode.RECORDS_UNAVAILABLE)
    assert advice in str(result.message)


@pytest.mark.parametrize(("failing", "advice"), FAILURES)
async def test_while_the_records_fail_no_door_opens_and_everybody_is_told(
    site: Engine, client: Client, failing: Failure, advice: str
) -> None:
    await site.site.visitors.ring(FRONT, b"\xff\xd8", FACE)
    (call,) = site.site.board.state().calls
    async with failing(site):
        assert_told(await client.operate("front", DoorAction.OPEN), advice)
        assert_told(await client.operate("front", DoorAction.UNLOCK), advice)
        assert_told(await client.answer(call.id, CallAnswer.LET_IN), advice)
        with pytest.raises(RecordError):
            await site.site.passages.conclude(face_grant("face"))
        told = await health(site)
        assert (told["status"], told["records"]) == ("degraded", "failing")
        assert client.all(Actuate) == []
        assert client.all(AccessEvent) == []
        assert client.all(CallClosed) == []
        assert site.site.board.state().doors[0].state is DoorStateName.LOCKED
    assert (await client.answer(call.id, CallAnswer.LET_IN)).ok
    assert len(client.pulses) == 1
    told = await health(site)
    assert (told["status"], told["records"]) == ("ok", "ok")
    grants = [event for event in await site.events() if event["kind"] == "access"]
    assert [event["body"]["call"] for event in grants] == [call.id]


@pytest.mark.parametrize(("failing", "advice"), FAILURES)
async def test_a_door_is_locked_though_the_records_fail(
    site: Engine, client: Client, failing: Failure, advice: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await client.operate("front", DoorAction.UNLOCK)).ok
    async with failing(site):
        assert (await client.operate("front", DoorAction.LOCK)).ok
        assert site.site.board.state().doors[0].state is DoorStateName.LOCKED
        assert "locked off the record" in caplog.text
        assert advice in caplog.text
        assert (await health(site))["records"] == "failing"


async def test_a_grant_after_a_failure_opens_though_nothing_else_changed(
    site: Engine, client: Client
) -> None:
    async with read_only(site):
        with pytest.raises(RecordError):
            await site.site.passages.conclude(face_grant("first"))
    await site.site.passages.conclude(face_grant("second"))
    assert [command.command_id for command in client.pulses] == ["second"]


async def test_records_that_are_well_again_are_shown_as_such_without_anybody_at_a_door(
    site: Engine, client: Client
) -> None:
    async with read_only(site):
        assert not (await client.operate("front", DoorAction.OPEN)).ok
        await asyncio.sleep(1.5)
        assert (await health(site))["records"] == "failing"
    await until(lambda: site.site.bulletin.record_fault is None)
    assert (await health(site))["records"] == "ok"


async def test_the_clockwork_goes_on_though_a_record_of_it_fails(
    site: Engine, client: Client
) -> None:
    await site.site.visitors.ring(FRONT, b"\xff\xd8", FACE)
    for call in site.site.visitors._calls._open.values():
        object.__setattr__(call, "deadline", 0)
    async with read_only(site):
        assert (await client.wait_for(CallClosed)).outcome == "expired"
        await until(lambda: site.site.bulletin.record_fault is not None)
    site.site.visitors._calls._recent.clear()
    await site.site.visitors.ring(FRONT, b"\xff\xd8", FACE)
    for call in site.site.visitors._calls._open.values():
        object.__setattr__(call, "deadline", 0)
    await until(lambda: len(client.all(CallClosed)) == 2)


async def test_the_loop_is_free_while_the_records_are_locked(site: Engine, client: Client) -> None:
    async with locked(site):
        results = [client.operate("front", DoorAction.OPEN) for _ in range(5)]
        for result in [await result for result in results]:
            assert result.code == ErrorCode.RECORDS_UNAVAILABLE
    assert client.all(Actuate) == []
