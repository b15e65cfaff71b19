"""A restored backup is what was backed up: nothing damaged, forged or erased comes with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
import hashlib
import json
from pathlib import Path
import sqlite3
import stat
from zipfile import ZIP_LZMA, ZIP_STORED, ZipFile

import pytest

from facegate.errors import ConflictError, FaceGateError, InvalidError, RecordError, VaultError
from facegate.record.backup import backup, hold_lock
from facegate.record.recovery import RECOVERY_FILE, protect, recover
from facegate.record.restore import restore
from facegate.record.tombstones import Tombstones
from facegate.record.vault import KEY_FILE, KEYS, Vault
from tests.engine.record.backups import (
    DATABASE,
    PASSPHRASE,
    TEMPLATE,
    contents,
    cut_key,
    members,
    names_in,
    pack,
    refs,
)


def site_of(folder: Path) -> dict[str, str]:
    with closing(sqlite3.connect(folder / DATABASE)) as connection:
        return dict(connection.execute("SELECT key, value FROM site"))


async def test_records_are_replaced_only_when_told_and_then_wholly(
    source: Path, stopped: Path
) -> None:
    before = contents(stopped)
    with pytest.raises(ConflictError, match=r"already.*--replace"):
        await restore(source, stopped)
    assert contents(stopped) == before | {"lock": b""}
    restored = await restore(source, stopped, replace=True)
    assert restored.signature_checked
    assert "later" not in site_of(stopped)
    assert names_in(stopped) == [DATABASE, KEYS, "lock", "models", RECOVERY_FILE, "token"]
    assert stat.S_IMODE((stopped / DATABASE).stat().st_mode) == 0o600


async def test_an_erasure_after_the_backup_is_not_forgotten(source: Path, stopped: Path) -> None:
    Tombstones(stopped / KEYS).add("ann")
    key = (stopped / KEYS / KEY_FILE).read_bytes()
    await restore(source, stopped, replace=True)
    assert [Tombstones(stopped / KEYS).covers(who) for who in ("ann", "cleo")] == [True, True]
    assert (stopped / KEYS / KEY_FILE).read_bytes() == key


async def test_a_lost_machine_is_made_again_from_backup_and_passphrase(
    source: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    restored = await restore(source, other)
    recover(other, PASSPHRASE)
    vault = Vault.open(other / KEYS, restored.key_id)
    assert vault.unseal(bytes.fromhex(refs(other / DATABASE)[1]), "ann") == TEMPLATE


async def test_a_newer_passphrase_of_the_folder_is_kept(source: Path, stopped: Path) -> None:
    protect(stopped, "a newer passphrase")
    await restore(source, stopped, replace=True)
    cut_key(stopped)
    recover(stopped, "a newer passphrase")


async def test_a_recovery_of_another_key_is_replaced(source: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    Vault.open(other / KEYS, None)
    protect(other, "of a new machine")
    cut_key(other)
    await restore(source, other)
    recover(other, PASSPHRASE)


async def test_nothing_is_restored_while_an_engine_runs(source: Path, stopped: Path) -> None:
    with hold_lock(stopped), pytest.raises(ConflictError, match="stop it first"):
        await restore(source, stopped, replace=True)
    await restore(source, stopped, replace=True)


# --- forgeries and damage ---------------------------------------------------------------------

type Files = dict[str, bytes]


def with_database(files: Files, content: bytes) -> Files:
    """Return a backup of another database, its sums right."""
    manifest = json.loads(files["manifest.json"])
    for member in manifest["members"]:
        if member["name"] == DATABASE:
            member |= {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    return files | {DATABASE: content, "manifest.json": json.dumps(manifest).encode()}


def edited_database(content: bytes, folder: Path) -> bytes:
    path = folder / "edited.db"
    path.write_bytes(content)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE events SET body = 'forged'")
    return path.read_bytes()


def in_manifest(**values: object) -> Callable[[Files], Files]:
    def change(files: Files) -> Files:
        manifest = json.loads(files["manifest.json"]) | values
        return files | {"manifest.json": json.dumps(manifest).encode()}

    return change


def without(name: str) -> Callable[[Files], Files]:
    return lambda files: {key: content for key, content in files.items() if key != name}


def renamed(name: str) -> Callable[[Files], Files]:
    """Give the recovery another name, in the manifest too."""

    def change(files: Files) -> Files:
        text = files["manifest.json"].replace(RECOVERY_FILE.encode(), name.encode())
        rest = without(RECOVERY_FILE)(files)
        return rest | {name: files[RECOVERY_FILE], "manifest.json": text}

    return change


def sized(more: int) -> Callable[[Files], Files]:
    """Declare another size of the database than it has."""

    def change(files: Files) -> Files:
        manifest = json.loads(files["manifest.json"])
        for member in manifest["members"]:
            if member["name"] == DATABASE:
                member["size"] += more
        return files | {"manifest.json": json.dumps(manifest).encode()}

    return change


DAMAGE: list[tuple[Callable[[Files], Files], str]] = [
    (lambda files: files | {DATABASE: files[DATABASE][:-1]}, "changed or damaged"),
    (lambda files: files | {DATABASE: files[DATABASE] + b"\0"}, "changed or damaged"),
    (lambda files: files | {DATABASE: b"\0" + files[DATABASE][1:]}, "changed or damaged"),
    (sized(1), "changed or damaged"),
    (sized(-1), "changed or damaged"),
    (lambda files: files | {RECOVERY_FILE: b"{}"}, "changed or damaged"),
    (lambda files: files | {"../evil": b"x"}, "not those of its manifest"),
    (without(RECOVERY_FILE), "not those of its manifest"),
    (without(DATABASE), "not those of its manifest"),
    (without("manifest.json"), "not a backup"),
    (renamed("../evil"), "not a backup of FaceGate"),
    (renamed("keys/vault.key"), "not a backup of FaceGate"),
    (renamed("/tmp/evil"), "not a backup of FaceGate"),
    (renamed("token"), "not a backup of FaceGate"),
    (in_manifest(members=[]), "not those of its manifest"),
    (in_manifest(format=2), "newer FaceGate"),
    (in_manifest(format=0), "manifest cannot be read"),
    (in_manifest(at="yesterday"), "manifest cannot be read"),
    (in_manifest(at=None), "manifest cannot be read"),
    (in_manifest(more=1), "manifest cannot be read"),
    (in_manifest(members=[{"name": DATABASE, "size": -1, "sha256": "0" * 64}]), "cannot be read"),
    (in_manifest(key_id="0" * 32), "another key than its manifest says"),
    (in_manifest(key_id=None), "another key than its manifest says"),
    (lambda files: files | {"manifest.json": b"[" * 60_000}, "manifest cannot be read"),
    (lambda files: files | {"manifest.json": b" " * 100_000}, "manifest cannot be read"),
    (lambda files: with_database(files, b"no database" * 100), "cannot be used"),
    (lambda files: with_database(files, b""), "cannot be used"),
    (lambda files: with_database(files, files[DATABASE][:8192]), "cannot be used"),
]


@pytest.mark.parametrize(("change", "match"), DAMAGE)
async def test_a_changed_backup_is_refused_even_without_the_key(
    source: Path, tmp_path: Path, change: Callable[[Files], Files], match: str
) -> None:
    pack(source, change(members(source)))
    other = tmp_path / "other"
    with pytest.raises(InvalidError, match=match):
        await restore(source, other)
    assert names_in(other) == ["lock"]
    assert names_in(tmp_path) == ["backup.zip", "other"]


FORGERIES: list[Callable[[Files, Path], Files]] = [
    lambda files, folder: with_database(files, edited_database(files[DATABASE], folder)),
    lambda files, folder: in_manifest(signature=None)(
        with_database(files, edited_database(files[DATABASE], folder))
    ),
    lambda files, _: in_manifest(signature="00" * 32)(files),
    lambda files, _: in_manifest(signature=None)(files),
    lambda files, _: in_manifest(at="2020-01-01T00:00:00+00:00")(files),
    lambda files, _: in_manifest(version="9")(files),
    lambda files, _: in_manifest(key_id=None)(files),
]


@pytest.mark.parametrize("forge", FORGERIES)
async def test_a_forged_backup_with_right_sums_is_refused_where_the_key_is(
    source: Path, stopped: Path, tmp_path: Path, forge: Callable[[Files, Path], Files]
) -> None:
    pack(source, forge(members(source), tmp_path))
    with pytest.raises(InvalidError, match="not signed with the key"):
        await restore(source, stopped, replace=True)
    assert site_of(stopped)["later"] == "later"


async def test_a_backup_of_another_site_is_refused(source: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    Vault.open(other / KEYS, None)
    with pytest.raises(InvalidError, match="another site"):
        await restore(source, other)
    assert names_in(other) == [KEYS, "lock"]


async def test_a_backup_made_without_the_key_is_restored_once_the_key_is_set_aside(
    data: Path, tmp_path: Path
) -> None:
    path = data / KEYS / KEY_FILE
    text = cut_key(data)
    await backup(data, tmp_path / "backup.zip", plain=True)
    other = tmp_path / "other"
    fill_again_key(other, text)
    with pytest.raises(InvalidError, match="made while the key was missing"):
        await restore(tmp_path / "backup.zip", other)
    cut_key(other)
    restored = await restore(tmp_path / "backup.zip", other)
    assert not restored.signature_checked
    path.write_bytes(text)


def fill_again_key(folder: Path, text: bytes) -> None:
    (folder / KEYS).mkdir(parents=True, mode=0o700)
    (folder / KEYS / KEY_FILE).write_bytes(text)
    (folder / KEYS / KEY_FILE).chmod(0o600)


async def test_a_key_that_others_can_read_signs_and_checks_nothing(
    data: Path, source: Path, tmp_path: Path
) -> None:
    (data / KEYS / KEY_FILE).chmod(0o644)
    with pytest.raises(VaultError, match="chmod 600"):
        await backup(data, tmp_path / "second.zip", plain=True)
    with pytest.raises(VaultError, match="chmod 600"):
        await restore(source, data, replace=True)


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x05\x06" + bytes(18)])
async def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "backup.zip").write_bytes(content)
    with pytest.raises(InvalidError, match=r"no zip|not a backup"):
        await restore(tmp_path / "backup.zip", tmp_path / "other")
    assert names_in(tmp_path / "other") == ["lock"]


async def test_a_backup_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match=r"none\.zip: cannot be restored"):
        await restore(tmp_path / "none.zip", tmp_path / "other")


async def test_files_packed_twice_or_otherwise_are_refused(source: Path, tmp_path: Path) -> None:
    files = members(source)
    pack(source, files, ZIP_LZMA)
    with pytest.raises(InvalidError, match="not packed by FaceGate"):
        await restore(source, tmp_path / "other")
    pack(source, files, ZIP_STORED)
    with ZipFile(source, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(DATABASE, files[DATABASE])
    with pytest.raises(InvalidError, match="not those of its manifest"):
        await restore(source, tmp_path / "other")


async def test_an_endless_file_is_not_unpacked(source: Path, tmp_path: Path) -> None:
    files = members(source)
    pack(source, files | {DATABASE: files[DATABASE] + bytes(50_000_000)})
    with pytest.raises(InvalidError, match="changed or damaged"):
        await restore(source, tmp_path / "other")


async def test_no_damaged_byte_of_a_backup_gets_into_the_records(
    source: Path, tmp_path: Path
) -> None:
    content, other = members(source)[DATABASE], tmp_path / "other"
    refused = tried = 0
    for damaged in damages(source):
        tried += 1
        try:
            await restore(damaged, other, replace=True)
        except FaceGateError:
            refused += 1
        else:
            assert (other / DATABASE).read_bytes() == content
    assert refused > tried / 2 > 100


def damages(source: Path) -> Iterator[Path]:
    """Yield the file with some of its bytes changed in one bit, each by itself."""
    whole = source.read_bytes()
    for index in range(0, len(whole), 11):
        changed = bytearray(whole)
        changed[index] ^= 1 << index % 8
        source.write_bytes(changed)
        yield source
