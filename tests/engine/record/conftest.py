"""A data folder and a backup of it, made once and copied for each test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
import shutil
import sqlite3

import pytest

from facegate.record.backup import backup
from facegate.record.recovery import protect
from facegate.record.store import Store
from tests.engine.record.backups import DATABASE, PASSPHRASE, fill, write_records


@pytest.fixture(scope="session")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with ``data``, of an engine that has ended, and two backups of it."""
    folder = tmp_path_factory.mktemp("original")
    vault = fill(folder / "data")
    protect(folder / "data", PASSPHRASE)
    asyncio.run(write_records(folder / "data" / DATABASE, vault))
    asyncio.run(backup(folder / "data", folder / "backup.zip", plain=True))
    asyncio.run(backup(folder / "data", folder / "backup.sealed"))
    return folder


@pytest.fixture
async def data(original: Path, tmp_path: Path) -> AsyncIterator[Path]:
    """Give the data folder of a running engine with two events and something sealed."""
    folder = tmp_path / "data"
    await asyncio.to_thread(shutil.copytree, original / "data", folder)
    store = await Store.open(folder / DATABASE)
    await store.check()
    yield folder
    await store.close()


@pytest.fixture
def source(original: Path, tmp_path: Path) -> Path:
    """Give a plain backup, recovery included."""
    return Path(shutil.copy(original / "backup.zip", tmp_path))


@pytest.fixture
def sealed(original: Path, tmp_path: Path) -> Path:
    """Give a sealed backup."""
    return Path(shutil.copy(original / "backup.sealed", tmp_path))


@pytest.fixture
def stopped(original: Path, tmp_path: Path) -> Path:
    """Give the folder of an engine that was killed after one more change than in the backup."""
    folder = tmp_path / "stopped"
    shutil.copytree(original / "data", folder)
    database = folder / DATABASE
    asides = [database.with_name(DATABASE + suffix) for suffix in ("-wal", "-shm")]
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("INSERT INTO site VALUES ('later', 'later')")
        connection.commit()
        # What a killed engine leaves: a log that is not yet in the database.
        left = [path.read_bytes() for path in asides]
    for path, content in zip(asides, left, strict=True):
        path.write_bytes(content)
    return folder
