"""What the migrations make is what the tables say, and what a newer version made is left alone."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
import sqlite3

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
import pytest
from sqlalchemy import Connection, create_engine, inspect
from sqlalchemy.ext.asyncio import create_async_engine

from facegate.errors import RecordError
from facegate.record import database
from facegate.record.chain import GENESIS, ChainedEvent, link
from facegate.record.store import Store
from facegate.record.tables import Base


def differences(connection: Connection) -> list[object]:
    context = MigrationContext.configure(
        connection, opts={"compare_type": True, "compare_server_default": True}
    )
    return list(compare_metadata(context, Base.metadata))


def cascades(connection: Connection) -> dict[str, list[object]]:
    look = inspect(connection)
    return {
        table: [key["options"].get("ondelete") for key in look.get_foreign_keys(table)]
        for table in look.get_table_names()
    }


async def test_the_migrations_make_exactly_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "facegate.db"
    store = await Store.open(path)
    await store.close()
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}")
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []
        found = await connection.run_sync(cascades)
    await engine.dispose()
    assert found["permits"] == ["CASCADE", "CASCADE"]
    assert {option for options in found.values() for option in options} == {"CASCADE"}
    assert set(found) == {*Base.metadata.tables, "alembic_version"}


async def test_a_difference_would_be_seen(tmp_path: Path) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'empty.db'}")
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) != []
    await engine.dispose()


async def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    first = await Store.open(tmp_path / "facegate.db")
    await first.close()
    second = await Store.open(tmp_path / "facegate.db")
    await second.close()
    assert first.site_id == second.site_id


def version_1(path: Path) -> None:
    """Leave the records of a site as version 1 of the tables kept them."""
    config = Config()
    config.set_main_option("script_location", str(database.MIGRATIONS))
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    engine.dispose()
    with closing(sqlite3.connect(path)) as old, old:
        old.execute("INSERT INTO site VALUES ('site_id', 'here')")
        for number in range(3):
            old.execute(
                "INSERT INTO subjects VALUES (?, 'Ann', 'staff', ?)", (f"s{number}", number)
            )
            old.execute(
                "INSERT INTO permits (subject_id, door_id, direction, valid_until)"
                " VALUES (?, 'front', 'entry', 99)",
                (f"s{number}",),
            )
        old.execute("INSERT INTO templates VALUES ('t', 's0', 'sface', ?, 5)", (b"a face " * 73,))
        for seq in range(1, 2501):
            old.execute(
                "INSERT INTO events VALUES (?, ?, 'lock', 'ref', 'front', NULL, NULL, '{}')",
                (seq, seq / 3),
            )


async def test_records_of_version_1_keep_people_and_events_but_no_face(tmp_path: Path) -> None:
    path = tmp_path / "facegate.db"
    version_1(path)
    store = await Store.open(path)
    assert store.site_id == "here"
    assert len(await store.events(limit=5000)) == 2500
    await store.close()
    with closing(sqlite3.connect(path)) as now:
        people = now.execute("SELECT id, name, kind, created_at FROM subjects ORDER BY id")
        assert people.fetchall() == [(f"s{number}", "Ann", "staff", number) for number in range(3)]
        numbers = [number for (number,) in now.execute("SELECT number FROM subjects")]
        assert len(set(numbers)) == 3
        assert all(number.isdigit() and len(number) == 4 for number in numbers)
        permits = now.execute("SELECT subject_id, group_id, door_id, valid_until FROM permits")
        assert permits.fetchall() == [(f"s{number}", None, "front", 99) for number in range(3)]
        assert now.execute("SELECT * FROM templates").fetchall() == []
        assert now.execute("PRAGMA foreign_key_check").fetchall() == []
    assert b"a face a face" not in path.read_bytes()


async def test_events_of_version_1_are_chained_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "facegate.db"
    version_1(path)
    store = await Store.open(path)
    await store.close()
    previous = GENESIS
    with closing(sqlite3.connect(path)) as now:
        rows = now.execute(
            "SELECT seq, at, kind, ref, door_id, subject_id, opening_id, body, hash FROM events"
            " ORDER BY seq"
        )
        for *fields, stored in rows:
            previous = link(previous, ChainedEvent(*fields))
            assert stored == previous
        head = now.execute("SELECT value FROM site WHERE key = 'audit_head'").fetchone()
    assert head == (f"2500:{previous.hex()}:",)


async def test_a_migration_that_fails_leaves_the_records_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "facegate.db"
    version_1(path)
    with closing(sqlite3.connect(path)) as old, old:
        old.execute("CREATE TABLE door_modes (in_the_way TEXT)")
    with pytest.raises(RecordError, match="door_modes"):
        await Store.open(path)
    with closing(sqlite3.connect(path)) as still:
        assert still.execute("SELECT version_num FROM alembic_version").fetchall() == [("0001",)]
        assert still.execute("SELECT count(*) FROM templates").fetchone() == (1,)
        assert still.execute("SELECT count(*) FROM events").fetchone() == (2500,)
        assert still.execute("SELECT count(*) FROM permits").fetchone() == (3,)
