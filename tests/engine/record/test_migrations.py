"""What the migrations make is what the tables say, and what a newer version made is left alone."""

from __future__ import annotations

from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import create_async_engine

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
    assert found["permits"] == found["templates"] == ["CASCADE"]
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
