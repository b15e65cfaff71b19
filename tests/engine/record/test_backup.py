"""A backup holds the records wholly and nothing secret, whatever goes on meanwhile."""

from __future__ import annotations

import asyncio
from contextlib import closing
from datetime import datetime
import hashlib
import json
from pathlib import Path
import sqlite3
import stat
import subprocess
import sys

import pytest

from facegate import __version__
from facegate.errors import ConflictError, RecordError
from facegate.record.audit import verify_database
from facegate.record.backup import backup, hold_lock
from facegate.record.recovery import RECOVERY_FILE
from facegate.record.restore import Restored, restore
from facegate.record.store import Store
from facegate.record.tombstones import TOMBSTONES_FILE
from facegate.record.vault import KEY_FILE, KEYS, Vault
from tests.engine.record.backups import (
    DATABASE,
    PASSPHRASE,
    TEMPLATE,
    fill,
    members,
    names_in,
    refs,
)


async def test_a_plain_backup_of_a_running_engine_is_restored_elsewhere(
    data: Path, tmp_path: Path
) -> None:
    target, other = tmp_path / "backup.zip", tmp_path / "other"
    await backup(data, target, plain=True)
    restored = await restore(target, other)
    assert refs(other / DATABASE) == refs(data / DATABASE)
    key_id = Vault.open(data / KEYS, None).key_id
    assert restored == Restored(restored.made_at, __version__, key_id, signature_checked=False)
    assert names_in(other) == [DATABASE, "lock", RECOVERY_FILE]
    found = await verify_database(other / DATABASE, Vault.open(data / KEYS, None))
    assert (found.ok, found.checked) == (True, 2)
    store = await Store.open(other / DATABASE)
    assert store.key_id == key_id
    await store.close()


async def test_a_plain_backup_holds_the_records_and_nothing_secret(
    data: Path, tmp_path: Path
) -> None:
    target = tmp_path / "backup.zip"
    await backup(data, target, plain=True)
    files = members(target)
    assert sorted(files) == [DATABASE, "manifest.json", RECOVERY_FILE]
    vault = Vault.open(data / KEYS, None)
    key = (data / KEYS / KEY_FILE).read_bytes().strip()
    secrets = [
        key,
        vault._key,
        vault._key.hex().encode(),
        TEMPLATE,
        TEMPLATE.hex().encode(),
        PASSPHRASE.encode(),
        (data / "token").read_bytes(),
        (data / KEYS / TOMBSTONES_FILE).read_bytes().strip(),
    ]
    for content in (*files.values(), target.read_bytes()):
        assert [secret for secret in secrets if secret in content] == []
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert names_in(tmp_path) == ["backup.zip", "data"]


async def test_a_backup_tells_what_it_is(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.zip"
    await backup(data, target, plain=True)
    files = members(target)
    manifest = json.loads(files["manifest.json"])
    assert (manifest["format"], manifest["version"]) == (1, __version__)
    assert manifest["key_id"] == Vault.open(data / KEYS, None).key_id
    assert datetime.fromisoformat(manifest["at"]).tzinfo is not None
    assert manifest["members"] == [
        {"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in sorted(files.items())
        if name != "manifest.json"
    ]
    (data / RECOVERY_FILE).unlink()
    await backup(data, target, plain=True)
    assert sorted(members(target)) == [DATABASE, "manifest.json"]


async def test_what_was_deleted_is_not_in_a_backup(tmp_path: Path) -> None:
    data = tmp_path / "data"
    fill(data)
    store = await Store.open(data / DATABASE)
    with closing(sqlite3.connect(data / DATABASE)) as connection:
        connection.execute("PRAGMA secure_delete=OFF")
        connection.execute("INSERT INTO site VALUES ('x', 'unmistakable')")
        connection.execute("DELETE FROM site WHERE key = 'x'")
        connection.commit()
    await backup(data, tmp_path / "backup.zip", plain=True)
    await store.close()
    assert b"unmistakable" in (data / DATABASE).read_bytes()
    assert b"unmistakable" not in members(tmp_path / "backup.zip")[DATABASE]


async def test_an_older_backup_of_the_same_name_is_replaced(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "backup.zip"
    target.write_bytes(b"older")
    await backup(data, target, plain=True)
    assert DATABASE in members(target)


async def test_a_disk_that_is_full_leaves_the_older_backup_and_no_half_file(
    data: Path, tmp_path: Path
) -> None:
    target = tmp_path / "backup.zip"
    target.write_bytes(b"older")
    program = (
        "import asyncio, pathlib, resource, sys\n"
        "from facegate.errors import RecordError\n"
        "from facegate.record.backup import backup\n"
        "data, target, most = sys.argv[1:]\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))\n"
        "try:\n"
        "    asyncio.run(backup(pathlib.Path(data), pathlib.Path(target), plain=True))\n"
        "except RecordError as err:\n"
        "    print(err)\n"
    )
    # No file may grow larger: first not even the copy of the database fits, then not the zip.
    copied = (data / DATABASE).stat().st_size
    with closing(sqlite3.connect(data / DATABASE)) as connection, connection:
        connection.execute(
            "INSERT INTO site VALUES ('x', hex(randomblob(?)))", (max(copied, 400_000),)
        )
    for most in (copied // 2, 1_200_000, 300_000):
        done = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-c", program, str(data), str(target), str(most)],
            capture_output=True,
            text=True,
            check=False,
        )
        if most == 1_200_000:
            assert (done.returncode, done.stdout) == (0, ""), done.stderr
            assert DATABASE in members(target)
            target.write_bytes(b"older")
            continue
        assert done.returncode == 0, done.stderr
        assert done.stdout
        assert target.read_bytes() == b"older"
        assert names_in(tmp_path) == ["backup.zip", "data"]


async def test_a_backup_that_cannot_be_made_is_told(data: Path, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be written"):
        await backup(data, tmp_path / "none" / "backup.zip", plain=True)
    (tmp_path / "folder").mkdir()
    with pytest.raises(RecordError, match="cannot be written"):
        await backup(data, tmp_path / "folder", plain=True)
    with pytest.raises(RecordError, match="there are no records"):
        await backup(tmp_path / "none", tmp_path / "backup.zip", plain=True)
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / DATABASE).write_bytes(b"no database" * 100)
    with pytest.raises(RecordError, match="not a FaceGate database"):
        await backup(tmp_path / "bad", tmp_path / "backup.zip", plain=True)
    assert names_in(tmp_path) == ["bad", "data", "folder"]


# --- the lock of a data folder ----------------------------------------------------------------


async def test_another_process_holds_the_lock_until_it_dies(tmp_path: Path) -> None:
    program = (
        "import pathlib, sys, time\n"
        "from facegate.record.backup import hold_lock\n"
        "with hold_lock(pathlib.Path(sys.argv[1])):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-c", program, str(tmp_path)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    assert await process.stdout.readline() == b"held\n"
    with pytest.raises(ConflictError), hold_lock(tmp_path):
        pass
    process.kill()
    await process.wait()
    with hold_lock(tmp_path):
        pass


def test_a_folder_that_cannot_be_locked_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be locked"), hold_lock(tmp_path / "none"):
        pass


def test_what_fails_under_the_lock_fails_as_it_is_and_gives_the_lock_back(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), hold_lock(tmp_path):
        raise FileNotFoundError
    with hold_lock(tmp_path):
        pass
