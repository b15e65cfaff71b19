"""Backups of the records, and bringing them back.

A backup is a zip of the database, of ``recovery.json`` where there is one, and of a manifest with
their sums. It never holds the key, the tombstones, the token or the models: what is sealed in it
opens only with the key, or with the recovery passphrase. Names and events lie open in it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
import fcntl
import hashlib
import os
from pathlib import Path
import shutil
import tempfile
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile
import zlib

from facegate import __version__
from facegate.errors import ConflictError, InvalidError, RecordError
from facegate.record import durable
from facegate.record.audit import read_only
from facegate.record.manifest import Manifest, Member, read_manifest, write_manifest
from facegate.record.recovery import RECOVERY_FILE, recovery_key_id
from facegate.record.vault import KEY_FILE, KEYS, Vault, read_key

DATABASE_FILE = "facegate.db"
MANIFEST_FILE = "manifest.json"
LOCK_FILE = "lock"
_MEMBERS = frozenset({DATABASE_FILE, RECOVERY_FILE})
_LARGEST_MANIFEST = 64 * 1024
_CHUNK = 1 << 20
# What SQLite keeps beside a database.
_ASIDE = ("-wal", "-shm", "-journal")
# What a zip that is damaged, encrypted or of an unknown kind raises.
_UNREADABLE = (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


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


# --- making -----------------------------------------------------------------------------------


async def backup(data: Path, target: Path) -> None:
    """Write a backup of a data folder, in which an engine may run; an older target is replaced.

    Raises ``RecordError`` and leaves the target as it was where it cannot be written wholly, and
    ``VaultError`` where the key is there and cannot be used.
    """
    await asyncio.to_thread(_backup, data, target)


def _backup(data: Path, target: Path) -> None:
    vault = _vault(data)
    try:
        with tempfile.TemporaryDirectory(prefix=".facegate-", dir=target.parent) as name:
            folder = Path(name)
            key_id = _copy_database(data / DATABASE_FILE, folder / DATABASE_FILE)
            if (data / RECOVERY_FILE).exists():
                shutil.copyfile(data / RECOVERY_FILE, folder / RECOVERY_FILE)
            members = tuple(_member(path) for path in sorted(folder.iterdir()))
            manifest = Manifest(__version__, datetime.now(UTC), key_id, members)
            draft = folder / "backup.zip"
            _pack(draft, write_manifest(manifest, vault), members)
            draft.replace(target)
        durable.sync_folder(target.parent)
    except OSError as err:
        raise RecordError(
            f"{target}: the backup cannot be written: {err.strerror}; choose a folder that is"
            " there, is writable and has room for the records twice"
        ) from err


def _vault(data: Path) -> Vault | None:
    path = data / KEYS / KEY_FILE
    return Vault(read_key(path)) if os.path.lexists(path) else None


def _copy_database(source: Path, copy: Path) -> str | None:
    with read_only(source, errors="strict") as connection:
        # It leaves out what was deleted, and sees one moment while others write.
        connection.execute("VACUUM INTO ?", (str(copy),))
    return _key_id(copy)


def _key_id(database: Path) -> str | None:
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


def _pack(draft: Path, manifest: str, members: tuple[Member, ...]) -> None:
    descriptor = os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, durable.OWNER_ONLY)
    with os.fdopen(descriptor, "w+b") as file:
        with ZipFile(file, "w", ZIP_DEFLATED) as archive:
            archive.writestr(MANIFEST_FILE, manifest)
            for member in members:
                archive.write(draft.with_name(member.name), member.name)
        file.flush()
        os.fsync(descriptor)


# --- bringing back ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored; without the key nobody can tell whether the backup was forged."""

    made_at: datetime
    version: str
    key_id: str | None
    signature_checked: bool


async def restore(source: Path, data: Path, *, replace: bool = False) -> Restored:
    """Bring back the records of a backup; the keys and the tombstones of the folder stay.

    Records that are there are deleted, once those of the backup are found sound, and only where
    ``replace`` says so: a copy set aside would keep people who ask to be erased, and nobody would
    remember to delete it. Whoever wants them makes a backup first.

    Raises ``ConflictError`` where records are there or an engine runs, ``InvalidError`` for what
    is no backup, was changed or is not signed with the folder's key, ``RecordError`` and
    ``VaultError``.
    """
    return await asyncio.to_thread(_restore, source, data, replace=replace)


def _restore(source: Path, data: Path, *, replace: bool) -> Restored:
    database = data / DATABASE_FILE
    drafts = {name: data / f"{name}.restoring" for name in _MEMBERS}
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        with hold_lock(data):
            if database.exists() and not replace:
                raise ConflictError(
                    f"{data}: records are there already; make a backup of them if they are still"
                    " wanted, and restore with --replace, which deletes them"
                )
            try:
                vault = _vault(data)
                manifest = _unpack(source, drafts, vault)
                _check_database(drafts[DATABASE_FILE], manifest)
                _put(drafts, data, manifest)
            finally:
                for draft in drafts.values():
                    _remove(draft)
    except OSError as err:
        raise RecordError(f"{err.filename or data}: cannot be restored: {err.strerror}") from err
    return Restored(manifest.at, manifest.version, manifest.key_id, vault is not None)


def _unpack(source: Path, drafts: dict[str, Path], vault: Vault | None) -> Manifest:
    try:
        with ZipFile(source) as archive:
            if {info.compress_type for info in archive.infolist()} - {ZIP_DEFLATED, ZIP_STORED}:
                raise InvalidError(f"{source.name}: not packed by FaceGate")
            with archive.open(MANIFEST_FILE) as file:
                manifest = read_manifest(file.read(_LARGEST_MANIFEST), vault)
            names = sorted(member.name for member in manifest.members)
            if sorted(archive.namelist()) != sorted((MANIFEST_FILE, *names)):
                raise InvalidError(f"{source.name}: its files are not those of its manifest")
            if DATABASE_FILE not in names or not _MEMBERS.issuperset(names):
                raise InvalidError(f"{source.name}: not a backup of FaceGate: {', '.join(names)}")
            for member in manifest.members:
                # A name of ours: where a file goes is never read from the backup.
                _unpack_member(archive, member, drafts[member.name])
    except KeyError as err:
        raise InvalidError(f"{source.name}: not a backup of FaceGate: {err}") from err
    except _UNREADABLE as err:
        raise InvalidError(f"{source.name}: the file is damaged or no zip: {err}") from err
    return manifest


def _unpack_member(archive: ZipFile, member: Member, draft: Path) -> None:
    draft.unlink(missing_ok=True)
    digest, left = hashlib.sha256(), member.size
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, durable.OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file, archive.open(member.name) as packed:
        # No more than is declared is unpacked: a small file may hold an endless one.
        while chunk := packed.read(min(_CHUNK, left + 1)):
            digest.update(chunk)
            left -= len(chunk)
            if left < 0:
                break
            file.write(chunk)
        file.flush()
        os.fsync(descriptor)
    if left or digest.hexdigest() != member.sha256:
        raise InvalidError(f"{member.name}: the backup was changed or damaged; use another one")


def _check_database(draft: Path, manifest: Manifest) -> None:
    try:
        key_id = _key_id(draft)
    except RecordError as err:
        raise InvalidError(f"the records in the backup cannot be used: {err}") from err
    if key_id != manifest.key_id:
        raise InvalidError("the records in the backup are of another key than its manifest says")


def _put(drafts: dict[str, Path], data: Path, manifest: Manifest) -> None:
    database = data / DATABASE_FILE
    # First, because a log of the old records would be read into the new ones.
    for aside in _ASIDE:
        database.with_name(database.name + aside).unlink(missing_ok=True)
    durable.sync_folder(data)
    drafts[DATABASE_FILE].replace(database)
    if drafts[RECOVERY_FILE].exists() and not _recovers(data / RECOVERY_FILE, manifest.key_id):
        drafts[RECOVERY_FILE].replace(data / RECOVERY_FILE)
    durable.sync_folder(data)


def _recovers(path: Path, key_id: str | None) -> bool:
    """Tell whether the folder's own recovery, whose passphrase is the newer, fits the records."""
    return path.exists() and recovery_key_id(path.read_bytes()) == key_id


def _remove(draft: Path) -> None:
    for aside in ("", *_ASIDE):
        draft.with_name(draft.name + aside).unlink(missing_ok=True)
