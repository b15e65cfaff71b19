"""A data folder, what is in it, and what is in a backup."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
import sqlite3
from zipfile import ZIP_DEFLATED, ZipFile

from facegate.record.store import EventKind, Store
from facegate.record.tombstones import Tombstones
from facegate.record.vault import KEY_FILE, KEYS, Vault

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
PASSPHRASE = "correct horse battery"
TEMPLATE = b"plain template of a face"
DATABASE = "facegate.db"


def fill(folder: Path) -> Vault:
    folder.mkdir()
    vault = Vault.open(folder / KEYS, None)
    Tombstones(folder / KEYS).add("cleo")
    (folder / "token").write_text("the token of the engine")
    (folder / "models").mkdir()
    (folder / "models" / "face.onnx").write_bytes(b"model")
    return vault


async def write_records(path: Path, vault: Vault) -> None:
    """Write two events, one of which holds something sealed."""
    store = await Store.open(path)
    await store.use(vault, NOON)
    await store.record(EventKind.LOCK, NOON, "r1")
    await store.record(EventKind.LOCK, NOON, vault.seal(TEMPLATE, "ann").hex())
    await store.close()


def refs(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return [ref for (ref,) in connection.execute("SELECT ref FROM events ORDER BY seq")]


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def members(path: Path) -> dict[str, bytes]:
    with ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def pack(path: Path, files: dict[str, bytes], kind: int = ZIP_DEFLATED) -> None:
    with ZipFile(path, "w", kind) as archive:
        for name, content in files.items():
            archive.writestr(name, content)


def cut_key(folder: Path) -> bytes:
    """Take the key away, as on a new machine, and return its file's text."""
    path = folder / KEYS / KEY_FILE
    text = path.read_bytes()
    path.unlink()
    return text
