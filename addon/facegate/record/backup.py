"""Backups of the records.

A backup is a zip of the database, of ``recovery.json`` where there is one, and of a manifest with
their sums, sealed as a whole (``sealed.py``) unless it is wanted plain. It never holds the key, the
tombstones, the token or the models. In a plain one names and events lie open; templates open only
with the key, or with the recovery passphrase.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
import fcntl
import hashlib
import os
from pathlib import Path
import tempfile
from zipfile import ZIP_DEFLATED, ZipFile

from facegate import __version__
from facegate.errors import ConflictError, RecordError, VaultError
from facegate.record import durable
from facegate.record.audit import read_only
from facegate.record.manifest import Manifest, Member, write_manifest
from facegate.record.recovery import RECOVERY_FILE
from facegate.record.sealed import SealedWriter
from facegate.record.vault import KEY_FILE, KEYS, Vault, read_key

DATABASE_FILE = "facegate.db"
MANIFEST_FILE = "manifest.json"
LOCK_FILE = "lock"


@contextmanager
def hold_lock(data: Path) -> Iterator[None]:
    """Keep every other engine and restoration out of a data folder; it ends with the process too.

    Raises ``ConflictError`` where somebody else holds it and ``RecordError`` where it cannot be
    taken.
    """
    path = data / LOCK_FILE
    descriptor = -1
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, durable.OWNER_ONLY)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as err:
        if descriptor >= 0:
            os.close(descriptor)
        if isinstance(err, BlockingIOError):
            raise ConflictError(
                f"{data}: an engine runs with this data folder, or a backup is being restored to"
                " it; stop it first"
            ) from err
        raise RecordError(f"{path}: the data folder cannot be locked: {err.strerror}") from err
    try:
        yield
    finally:
        os.close(descriptor)


async def backup(data: Path, target: Path, *, plain: bool = False) -> None:
    """Write a backup of a data folder, in which an engine may run; an older target is replaced.

    It opens only with the key and the passphrase that ``facegate key protect`` was given, unless it
    shall be ``plain``. Raises ``RecordError`` and leaves the target as it was where it cannot be
    written wholly, and ``VaultError`` where the key or its recovery cannot be used.
    """
    await asyncio.to_thread(_backup, data, target, plain=plain)


def _backup(data: Path, target: Path, *, plain: bool) -> None:
    database_of(data)
    vault = vault_of(data)
    recovery = _recovery(data)
    if not plain and (vault is None or recovery is None):
        lacking = KEYS + "/" + KEY_FILE if vault is None else RECOVERY_FILE
        raise VaultError(
            f"{data}: {lacking} is missing, without which a backup cannot be sealed; set a recovery"
            " passphrase with: facegate key protect, or have names and events open to every reader"
            " of the file with --plain"
        )
    try:
        # What is not sealed yet lies where the records do, and not where backups are kept.
        with (
            tempfile.TemporaryDirectory(prefix=".facegate-", dir=data) as name,
            tempfile.TemporaryDirectory(prefix=".facegate-", dir=target.parent) as beside,
        ):
            folder, draft = Path(name), Path(beside) / "backup"
            key_id = _copy_database(data / DATABASE_FILE, folder / DATABASE_FILE)
            if recovery is not None:
                (folder / RECOVERY_FILE).write_bytes(recovery)
            paths = sorted(folder.iterdir())
            members = tuple(_member(path) for path in paths)
            manifest = Manifest(__version__, datetime.now(UTC), key_id, members)
            descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, durable.OWNER_ONLY)
            with os.fdopen(descriptor, "w+b") as file:
                if plain or vault is None or recovery is None:
                    _pack(ZipFile(file, "w", ZIP_DEFLATED), write_manifest(manifest, vault), paths)
                else:
                    sealed = SealedWriter(file, vault, recovery)
                    _pack(
                        ZipFile(sealed, "w", ZIP_DEFLATED), write_manifest(manifest, vault), paths
                    )
                    sealed.close()
                file.flush()
                os.fsync(descriptor)
            draft.replace(target)
        durable.sync_folder(target.parent)
    except OSError as err:
        raise RecordError(
            f"{target}: the backup cannot be written: {err.strerror}; choose a folder that is"
            " there and is writable; it needs room for the records, and the data folder for a copy"
        ) from err


def database_of(data: Path) -> Path:
    """Return where the records are; raises ``RecordError`` where there are none."""
    path = data / DATABASE_FILE
    if not path.exists():
        raise RecordError(f"{data}: there are no records in this folder")
    return path


def vault_of(data: Path) -> Vault | None:
    """Return the key of a data folder, None where there is none; raises ``VaultError``."""
    path = data / KEYS / KEY_FILE
    return Vault(read_key(path)) if os.path.lexists(path) else None


def _recovery(data: Path) -> bytes | None:
    try:
        return (data / RECOVERY_FILE).read_bytes()
    except FileNotFoundError:
        return None
    except OSError as err:
        raise VaultError(f"{data / RECOVERY_FILE}: cannot be read: {err.strerror}") from err


def _copy_database(source: Path, copy: Path) -> str | None:
    with read_only(source, errors="strict") as connection:
        # It leaves out what was deleted, and sees one moment while others write.
        connection.execute("VACUUM INTO ?", (str(copy),))
    return key_id_of(copy)


def key_id_of(database: Path) -> str | None:
    """Return the key that records were made with, once they are found sound."""
    with read_only(database, errors="strict") as connection:
        (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise RecordError(f"{database.name}: the records are damaged ({found})")
        row = connection.execute("SELECT value FROM site WHERE key = 'key_id'").fetchone()
    return str(row[0]) if row else None


def _member(path: Path) -> Member:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        return Member(path.name, file.tell(), digest)


def _pack(archive: ZipFile, manifest: str, paths: list[Path]) -> None:
    with archive:
        archive.writestr(MANIFEST_FILE, manifest)
        for path in paths:
            archive.write(path, path.name)
