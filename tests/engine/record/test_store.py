"""What is stored comes back as it was, and goes without a trace."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
import sqlite3

import numpy as np
import pytest

from facegate.domain import AccessPoint, Basis, Decision, Permit, Reason, Vector
from facegate.errors import NotFoundError
from facegate.protocol import Direction
from facegate.record.store import EventKind, Store

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
FRONT = AccessPoint("front", Direction.ENTRY)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = await Store.open(tmp_path / "facegate.db")
    yield opened
    await opened.close()


def vector(seed: int) -> Vector:
    values = np.random.default_rng(seed).standard_normal(128).astype(np.float32)
    return np.asarray(values / np.linalg.norm(values), np.float32)


def grant(decision_id: str) -> Decision:
    return Decision(decision_id, NOON, FRONT, Basis.OPERATOR, True, Reason.OPERATOR, ())  # noqa: FBT003


async def test_a_person_comes_back_with_permits_and_templates(store: Store) -> None:
    ann = await store.add_subject("Ann", "resident", NOON)
    permits = (
        Permit(ann.id, "front", Direction.EXIT, NOON, NOON + timedelta(hours=1)),
        Permit(ann.id, "back"),
    )
    await store.replace_permits(ann.id, permits)
    template = await store.add_template(ann.id, "sface", vector(1), NOON)
    assert await store.subjects() == (ann,)
    assert await store.permits(ann.id) == permits
    (read,) = await store.templates()
    assert (read.id, read.subject_id, read.model_id) == (template.id, ann.id, "sface")
    assert np.array_equal(read.embedding, vector(1))
    await store.replace_permits(ann.id, permits[1:])
    assert await store.permits(ann.id) == permits[1:]


async def test_who_is_removed_leaves_nothing_behind(store: Store, tmp_path: Path) -> None:
    ann = await store.add_subject("Ann Unmistakable", "resident", NOON)
    await store.replace_permits(ann.id, (Permit(ann.id, "front"),))
    await store.add_template(ann.id, "sface", vector(1), NOON)
    await store.remove_subject(ann.id)
    assert await store.subjects() == ()
    assert await store.templates() == ()
    assert await store.permits(ann.id) == ()
    await store.close()
    assert_no_trace(tmp_path, vector(1).astype("<f4").tobytes()[:64], b"Unmistakable")


def assert_no_trace(folder: Path, *traces: bytes) -> None:
    for file in folder.iterdir():
        for trace in traces:
            assert trace not in file.read_bytes()


@pytest.mark.parametrize("what", ["remove", "permits", "template"])
async def test_nobody_is_not_found(store: Store, what: str) -> None:
    asked: dict[str, Callable[[], Awaitable[object]]] = {
        "remove": lambda: store.remove_subject("none"),
        "permits": lambda: store.replace_permits("none", ()),
        "template": lambda: store.add_template("none", "sface", vector(1), NOON),
    }
    with pytest.raises(NotFoundError):
        await asked[what]()


async def test_only_a_grant_that_came_to_nothing_is_interrupted(store: Store) -> None:
    await store.record_decision(grant("opened"), "opened")
    await store.record(EventKind.OPENING, NOON, "opened", "front", "opened")
    await store.record_decision(grant("joined"), "opened")
    await store.record_decision(grant("denied"), None)
    await store.record_decision(grant("cut off"), "cut off")
    await store.record(EventKind.LOCK, NOON, "lock", "front", "locked", user="Ann")
    assert await store.interrupted_openings() == (("cut off", "front"),)
    await store.record(EventKind.OPENING, NOON, "cut off", "front", "interrupted")
    assert await store.interrupted_openings() == ()


async def test_a_row_that_is_told_to_be_durable_is_on_the_disk(
    store: Store, tmp_path: Path
) -> None:
    await store.record_decision(grant("a"), "a")
    # Another connection sees what is committed, and nothing else.
    other = sqlite3.connect(tmp_path / "facegate.db")
    assert other.execute("SELECT ref, opening_id FROM events").fetchall() == [("a", "a")]
    other.close()
    async with store._engine.connect() as connection:
        synchronous = (await connection.exec_driver_sql("PRAGMA synchronous")).scalar()
        journal = (await connection.exec_driver_sql("PRAGMA journal_mode")).scalar()
    assert (synchronous, journal) == (2, "wal")  # 2: FULL
