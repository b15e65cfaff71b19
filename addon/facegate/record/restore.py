"""Bringing back the records of a backup."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime
import hashlib
import os
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile
import zlib

from facegate.errors import ConflictError, InvalidError, RecordError
from facegate.record import durable
from facegate.record.backup import (
    DATABASE_FILE,
    MANIFEST_FILE,
    hold_lock,
    key_id_of,
    vault_of,
)
from facegate.record.manifest import Manifest, Member, read_manifest
from facegate.record.recovery import RECOVERY_FILE, put_key, recovery_key_id
from facegate.record.sealed import SealedFile, sealed_file
from facegate.record.vault import Vault

_MEMBERS = frozenset({DATABASE_FILE, RECOVERY_FILE})
_OPENED = "backup"
_LARGEST_MANIFEST = 64 * 1024
_CHUNK = 1 << 20
# What SQLite keeps beside a database.
_ASIDE = ("-wal", "-shm", "-journal")
# What a zip that is damaged, encrypted or of an unknown kind raises.
_UNREADABLE = (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was restored; without the key nobody can tell whether the backup was forged.

    ``key_written`` tells that the key was written too, which the passphrase gave back.
    """

    made_at: datetime
    version: str
    key_id: str | None
    signature_checked: bool
    key_written: bool = False


async def needs_passphrase(source: Path, data: Path) -> bool:
    """Return whether a backup opens only with its passphrase: the folder has no key of its own.

    Raises ``InvalidError``, ``RecordError`` and ``VaultError``.
    """

    def look() -> bool:
        return sealed_file(source) is not None and vault_of(data) is None

    return await asyncio.to_thread(look)


async def restore(
    source: Path, data: Path, *, replace: bool = False, passphrase: str | None = None
) -> Restored:
    """Bring back the records of a backup; the keys and the tombstones of the folder stay.

    A sealed backup opens with the folder's key. Where there is none, ``passphrase`` gives the key
    back, which is then written too.

    Records that are there are deleted, once those of the backup are found sound, and only where
    ``replace`` says so: a copy set aside would keep people who ask to be erased, and nobody would
    remember to delete it. Whoever wants them makes a backup first.

    Raises ``ConflictError`` where records are there or an engine runs, ``InvalidError`` for what
    is no backup, was changed or is not signed with the folder's key, ``VaultError`` for a wrong
    passphrase, and ``RecordError``; the records are then as they were.
    """
    return await asyncio.to_thread(_restore, source, data, replace=replace, passphrase=passphrase)


def _restore(source: Path, data: Path, *, replace: bool, passphrase: str | None) -> Restored:
    database = data / DATABASE_FILE
    drafts = {name: data / f"{name}.restoring" for name in (*_MEMBERS, _OPENED)}
    key: bytes | None = None
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
        with hold_lock(data):
            if database.exists() and not replace:
                raise ConflictError(
                    f"{data}: records are there already; make a backup of them if they are still"
                    " wanted, and restore with --replace, which deletes them"
                )
            try:
                vault, archive = vault_of(data), source
                if (sealed := sealed_file(source)) is not None:
                    if vault is None:
                        key = _recovered(sealed, passphrase)
                        vault = Vault(key)
                    archive = drafts[_OPENED]
                    _open(sealed, vault, archive)
                manifest = _unpack(archive, source.name, drafts, vault)
                _check_database(drafts[DATABASE_FILE], manifest)
                _put(drafts, data, manifest)
                if key is not None:
                    put_key(data, key)
            finally:
                for draft in drafts.values():
                    _remove(draft)
    except OSError as err:
        raise RecordError(f"{err.filename or data}: cannot be restored: {err.strerror}") from err
    return Restored(
        manifest.at, manifest.version, manifest.key_id, vault is not None, key is not None
    )


def _recovered(sealed: SealedFile, passphrase: str | None) -> bytes:
    if passphrase is None:
        raise InvalidError(f"{sealed.path.name}: sealed; its recovery passphrase is needed")
    return sealed.key(passphrase)


def _open(sealed: SealedFile, vault: Vault, draft: Path) -> None:
    """Write what is sealed to a draft, of which nothing is used before it is known to be whole."""
    if vault.key_id != sealed.key_id:
        raise InvalidError(
            f"{sealed.path.name}: sealed with another key than that of this data folder: it is of"
            " another site. To restore it nevertheless, move keys/vault.key elsewhere first"
        )
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, durable.OWNER_ONLY)
    with os.fdopen(descriptor, "wb") as file:
        for chunk in sealed.chunks(vault):
            file.write(chunk)


def _unpack(source: Path, name: str, drafts: dict[str, Path], vault: Vault | None) -> Manifest:
    try:
        with ZipFile(source) as archive:
            if {info.compress_type for info in archive.infolist()} - {ZIP_DEFLATED, ZIP_STORED}:
                raise InvalidError(f"{name}: not packed by FaceGate")
            with archive.open(MANIFEST_FILE) as file:
                manifest = read_manifest(file.read(_LARGEST_MANIFEST), vault)
            names = sorted(member.name for member in manifest.members)
            if sorted(archive.namelist()) != sorted((MANIFEST_FILE, *names)):
                raise InvalidError(f"{name}: its files are not those of its manifest")
            if DATABASE_FILE not in names or not _MEMBERS.issuperset(names):
                raise InvalidError(f"{name}: not a backup of FaceGate: {', '.join(names)}")
            for member in manifest.members:
                # A name of ours: where a file goes is never read from the backup.
                _unpack_member(archive, member, drafts[member.name])
    except KeyError as err:
        raise InvalidError(f"{name}: not a backup of FaceGate: {err}") from err
    except _UNREADABLE as err:
        raise InvalidError(f"{name}: the file is damaged or no zip: {err}") from err
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
        key_id = key_id_of(draft)
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
