"""Opening the database: durable, migrated, and with errors that an operator can act on."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
import sqlite3

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from facegate.errors import RecordError

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_TIMEOUT_S = 1.5
"""Shorter than the life of a command: a locked database costs the opening, not the engine."""

# SQLAlchemy passes on as it is what SQLite raises while a new connection is configured.
_FAILURES = (SQLAlchemyError, sqlite3.Error)
_EXPLANATIONS = (
    ("locked", "another program holds the records locked; close it"),
    ("readonly", "the records cannot be written; make the data folder writable"),
    ("unable to open", "the records cannot be opened; check the data folder and its rights"),
    ("full", "the disk is full; free some space"),
    ("not a database", "the file is not a FaceGate database; restore a backup"),
    ("malformed", "the records are damaged; restore a backup"),
)


def explain(path: Path, err: Exception) -> RecordError:
    """Translate a database's error into one that says what to do."""
    text = str(err.__cause__ or err)
    for sign, advice in _EXPLANATIONS:
        if sign in text:
            return RecordError(f"{path.name}: {advice} ({text})")
    return RecordError(f"{path.name}: {text}")


async def open_database(path: Path) -> AsyncEngine:
    """Open and migrate the database; raises ``RecordError``."""
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT_S}
    )
    event.listen(engine.sync_engine, "connect", _configure)
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_migrate, path)
    except _FAILURES as err:
        await engine.dispose()
        raise explain(path, err) from err
    except RecordError:
        await engine.dispose()
        raise
    return engine


@asynccontextmanager
async def writing(engine: AsyncEngine, path: Path) -> AsyncIterator[AsyncSession]:
    """Give a session whose work is on the disk when the block ends; raises ``RecordError``."""
    try:
        async with AsyncSession(engine, expire_on_commit=False) as session, session.begin():
            yield session
    except _FAILURES as err:
        raise explain(path, err) from err


@asynccontextmanager
async def reading(engine: AsyncEngine, path: Path) -> AsyncIterator[AsyncSession]:
    """Give a session to read with; raises ``RecordError``."""
    try:
        async with AsyncSession(engine, expire_on_commit=False) as session:
            yield session
    except _FAILURES as err:
        raise explain(path, err) from err


def _configure(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    # FULL: a row that was committed survives a power cut, not only a crash of the engine.
    try:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("PRAGMA secure_delete=ON")
    except sqlite3.Error:
        # Nobody else would: its thread would live on and keep the program from ending.
        connection.close()
        raise


def _migrate(connection: Connection, path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as err:
        newest = ScriptDirectory.from_config(config).get_current_head()
        raise RecordError(
            f"{path.name}: the records were written by a newer FaceGate (this one knows up to"
            f" {newest}); update FaceGate, or restore the backup made before the update"
        ) from err
