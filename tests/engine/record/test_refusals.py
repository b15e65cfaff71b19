"""Records that cannot be used are refused at the start, with what to do, and left as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
import os
from pathlib import Path
import sqlite3
import subprocess

import pytest

from facegate.errors import RecordError
from facegate.protocol import ErrorCode
from facegate.record import database
from facegate.record.store import Store
from tests.support import engine


@pytest.fixture(autouse=True)
def _short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "BUSY_TIMEOUT_S", 0.2)


@contextmanager
def locked_exclusively(path: Path) -> Iterator[None]:
    """Have another program hold the whole database, so that it cannot even be read."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


async def made(folder: Path) -> Path:
    store = await Store.open(folder / "facegate.db")
    await store.close()
    return folder / "facegate.db"


async def refusal(path: Path) -> str:
    with pytest.raises(RecordError) as caught:
        await Store.open(path)
    assert caught.value.code is ErrorCode.RECORDS_UNAVAILABLE
    return str(caught.value)


async def test_records_that_another_program_holds_are_refused_at_the_start(tmp_path: Path) -> None:
    path = await made(tmp_path)
    with locked_exclusively(path):
        told = await refusal(path)
    assert told.startswith("facegate.db: another program holds the records locked; close it")


async def test_records_of_a_newer_version_are_refused_and_left_alone(tmp_path: Path) -> None:
    path = await made(tmp_path)
    with closing(sqlite3.connect(path)) as other, other:
        other.execute("UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    told = await refusal(path)
    assert "written by a newer FaceGate (this one knows up to 0002)" in told
    assert "update FaceGate, or restore the backup" in told
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"hello, I am no database" * 100, id="text"),
        pytest.param(b"\0" * 4096, id="zeros"),
    ],
)
async def test_a_file_that_is_no_database_is_refused_and_left_alone(
    tmp_path: Path, content: bytes
) -> None:
    path = tmp_path / "facegate.db"
    path.write_bytes(content)
    assert "is not a FaceGate database; restore a backup" in await refusal(path)
    assert path.read_bytes() == content


async def test_records_that_are_damaged_are_refused(tmp_path: Path) -> None:
    path = await made(tmp_path)
    damaged = bytearray(path.read_bytes())
    damaged[100:4096] = os.urandom(3996)
    path.write_bytes(damaged)
    assert "restore a backup" in await refusal(path)


async def test_a_folder_in_place_of_the_records_is_refused(tmp_path: Path) -> None:
    (tmp_path / "facegate.db").mkdir()
    assert "check the data folder and its rights" in await refusal(tmp_path / "facegate.db")


async def test_an_engine_whose_records_cannot_be_used_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "facegate.db").write_bytes(b"hello, I am no database" * 100)
    with pytest.raises(RecordError, match="not a FaceGate database"):
        async with engine({"doors": [{"id": "front"}]}, tmp_path):
            pytest.fail("the engine runs")


@pytest.fixture
def unwritable(tmp_path: Path) -> Iterator[Path]:
    """Give a folder that not even root may write to while it is sealed."""
    folder = tmp_path / "sealed"
    folder.mkdir()
    yield folder
    subprocess.run(["chattr", "-R", "-i", str(folder)], check=False, capture_output=True)


def seal(folder: Path) -> None:
    result = subprocess.run(
        ["chattr", "-R", "+i", str(folder)], check=False, capture_output=True, text=True
    )
    if result.returncode != 0:
        pytest.skip(f"this file system cannot make a file immutable: {result.stderr.strip()}")


async def test_records_that_cannot_be_written_are_refused(unwritable: Path) -> None:
    path = await made(unwritable)
    seal(unwritable)
    told = await refusal(path)
    assert "make the data folder writable" in told or "check the data folder" in told
