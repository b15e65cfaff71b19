"""What is recorded is durable, linked to all before it, and shortened without a broken chain."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
import sqlite3

import pytest

from facegate.domain import AccessPoint, Decision
from facegate.errors import VaultError
from facegate.protocol import Direction
from facegate.record.audit import verify_database
from facegate.record.store import EventKind, Store
from facegate.record.vault import Vault
from facegate.verdicts import Basis, Reason

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FRONT = AccessPoint("front", Direction.ENTRY)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "facegate.db"


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault.open(tmp_path / "keys", None)


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(path)
    yield opened
    await opened.close()


def grant(decision_id: str) -> Decision:
    return Decision(decision_id, NOON, FRONT, Basis.OPERATOR, True, Reason.OPERATOR, ())  # noqa: FBT003


async def opening(store: Store, ref: str, outcome: str) -> None:
    body = {"outcome": outcome, "fault": None}
    await store.record(EventKind.OPENING, NOON, ref, door_id="front", body=body)


async def test_only_a_grant_that_came_to_nothing_is_interrupted(store: Store) -> None:
    await store.record_decision(grant("opened"), "opened")
    await opening(store, "opened", "opened")
    await store.record_decision(grant("joined"), "opened")
    await store.record_decision(grant("denied"), None)
    await store.record_decision(grant("cut off"), "cut off")
    await store.record(EventKind.LOCK, NOON, "lock", door_id="front")
    assert await store.interrupted_openings() == (("cut off", "front"),)
    await opening(store, "cut off", "interrupted")
    assert await store.interrupted_openings() == ()


async def test_a_row_that_is_told_to_be_durable_is_on_the_disk(store: Store, path: Path) -> None:
    await store.record_decision(grant("a"), "a")
    # Another connection sees what is committed, and nothing else.
    other = sqlite3.connect(path)
    assert other.execute("SELECT ref, opening_id FROM events").fetchall() == [("a", "a")]
    other.close()
    async with store._engine.connect() as connection:
        synchronous = (await connection.exec_driver_sql("PRAGMA synchronous")).scalar()
        journal = (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar()
    assert (synchronous, journal) == (2, "wal")  # 2: FULL


async def test_what_is_recorded_at_once_makes_one_chain(
    store: Store, path: Path, vault: Vault
) -> None:
    await store.use(vault, NOON)
    await asyncio.gather(
        *(store.record(EventKind.CALL, NOON, f"call {number}") for number in range(50))
    )
    found = await verify_database(path, vault)
    assert (found.ok, found.checked, found.signatures_checked) == (True, 50, True)


async def test_a_transaction_that_fails_leaves_neither_a_row_nor_a_gap(
    store: Store, path: Path, vault: Vault
) -> None:
    await store.use(vault, NOON)

    async def fail() -> None:
        async with store.writing() as work:
            work.record(EventKind.CALL, NOON, "lost")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    await store.record(EventKind.CALL, NOON, "kept")
    assert [event.ref for event in await store.events()] == ["kept"]
    assert (await verify_database(path, vault)).ok


async def test_what_is_too_old_is_deleted_and_the_rest_is_still_one_chain(
    store: Store, path: Path, vault: Vault
) -> None:
    await store.use(vault, NOON)
    for number in range(10):
        await store.record(EventKind.CALL, NOON + number * HOUR, f"call {number}")
    assert await store.prune(NOON + 6 * HOUR, NOON + 10 * HOUR) == 6
    events = await store.events()
    assert [event.ref for event in events[:4]] == [f"call {number}" for number in range(6, 10)]
    assert events[-1].kind == EventKind.RETENTION
    found = await verify_database(path, vault)
    assert (found.ok, found.checked) == (True, 5)


async def test_a_record_is_not_shortened_without_the_key(store: Store) -> None:
    await store.record(EventKind.CALL, NOON, "call")
    with pytest.raises(VaultError, match="put the key back"):
        await store.prune(NOON + HOUR, NOON + HOUR)
    assert len(await store.events()) == 1


async def test_a_time_without_the_key_is_told_in_the_record(path: Path, vault: Vault) -> None:
    first = await Store.open(path)
    await first.use(vault, NOON)
    await first.record(EventKind.CALL, NOON, "signed")
    await first.close()
    without = await Store.open(path)
    await without.record(EventKind.CALL, NOON, "unsigned")
    await without.close()
    again = await Store.open(path)
    await again.use(vault, NOON)
    events = await again.events()
    await again.close()
    assert [event.kind for event in events] == [EventKind.CALL, EventKind.CALL, EventKind.AUDIT]
    assert (await verify_database(path, vault)).ok


async def test_another_key_is_refused(store: Store, vault: Vault, tmp_path: Path) -> None:
    await store.use(vault, NOON)
    with pytest.raises(VaultError, match="another key"):
        await store.use(Vault.open(tmp_path / "other", None), NOON)


async def test_events_are_found_by_door_subject_and_time(store: Store) -> None:
    for number, door in enumerate(("front", "back", "front")):
        at = NOON + number * HOUR
        subject = f"s{number}"
        await store.record(EventKind.PASSAGE, at, f"p{number}", door_id=door, subject_id=subject)
    assert [event.ref for event in await store.events(door_id="front")] == ["p0", "p2"]
    assert [event.ref for event in await store.events(subject_id="s1")] == ["p1"]
    between = await store.events(since=NOON + HOUR, until=NOON + 2 * HOUR)
    assert [event.ref for event in between] == ["p1"]
