"""A sealed backup opens with the key or the passphrase, wholly, and shows others nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
import json
import os
from pathlib import Path
import sqlite3
import stat

import pytest

from facegate.__main__ import main
from facegate.errors import FaceGateError, InvalidError, VaultError
from facegate.record.audit import verify_database
from facegate.record.backup import backup
from facegate.record.recovery import RECOVERY_FILE, protect
from facegate.record.restore import needs_passphrase, restore
from facegate.record.sealed import CHUNK, MAGIC, sealed_file
from facegate.record.vault import KEY_FILE, KEYS, Vault
from tests.engine.record.backups import (
    DATABASE,
    PASSPHRASE,
    TEMPLATE,
    contents,
    cut_key,
    names_in,
    refs,
)

_PART = CHUNK + 16


def split(content: bytes) -> tuple[bytes, list[bytes]]:
    """Return what stands before the chunks, and the chunks."""
    begins = len(MAGIC) + 4 + int.from_bytes(content[len(MAGIC) : len(MAGIC) + 4], "big")
    rest = content[begins:]
    return content[:begins], [rest[at : at + _PART] for at in range(0, len(rest), _PART)]


@pytest.fixture
async def long(data: Path, tmp_path: Path) -> Path:
    """Give a sealed backup of several chunks."""
    with closing(sqlite3.connect(data / DATABASE)) as connection, connection:
        connection.execute("INSERT INTO site VALUES ('x', hex(randomblob(200000)))")
    await backup(data, tmp_path / "long")
    assert len(split((tmp_path / "long").read_bytes())[1]) > 3
    return tmp_path / "long"


async def test_a_lost_machine_is_made_again_from_sealed_backup_and_passphrase(
    data: Path, sealed: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    assert await needs_passphrase(sealed, other)
    restored = await restore(sealed, other, passphrase=PASSPHRASE)
    assert (restored.signature_checked, restored.key_written) == (True, True)
    assert names_in(other) == [DATABASE, KEYS, "lock", RECOVERY_FILE]
    assert refs(other / DATABASE) == refs(data / DATABASE)
    vault = Vault.open(other / KEYS, restored.key_id)
    assert vault.unseal(bytes.fromhex(refs(other / DATABASE)[1]), "ann") == TEMPLATE
    found = await verify_database(other / DATABASE, vault)
    assert (found.ok, found.checked, found.signatures_checked) == (True, 2, True)


async def test_where_the_key_is_no_passphrase_is_needed(sealed: Path, stopped: Path) -> None:
    assert not await needs_passphrase(sealed, stopped)
    restored = await restore(sealed, stopped, replace=True)
    assert (restored.signature_checked, restored.key_written) == (True, False)


async def test_a_sealed_backup_shows_neither_names_nor_events_nor_the_key(
    data: Path, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(data / DATABASE)) as connection, connection:
        connection.execute("INSERT INTO site VALUES ('x', 'Quenby Unmistakable')")
    target = tmp_path / "sealed"
    await backup(data, target)
    content = target.read_bytes()
    vault = Vault.open(data / KEYS, None)
    for secret in (
        b"Quenby",
        b"SQLite format",
        b"PK\x03\x04",
        DATABASE.encode(),
        *(ref.encode() for ref in refs(data / DATABASE)),
        (data / KEYS / KEY_FILE).read_bytes().strip(),
        vault._key,
        vault._key.hex().encode(),
        PASSPHRASE.encode(),
    ):
        assert secret not in content
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert names_in(tmp_path) == ["data", "sealed"]
    assert [name for name in names_in(data) if name.startswith(".")] == []


async def test_two_backups_of_the_same_have_keys_of_their_own(data: Path, tmp_path: Path) -> None:
    await backup(data, tmp_path / "one")
    await backup(data, tmp_path / "two")
    (_, one), (_, two) = (split((tmp_path / name).read_bytes()) for name in ("one", "two"))
    assert one[0][:64] != two[0][:64]
    head, _ = split((tmp_path / "one").read_bytes())
    (tmp_path / "mixed").write_bytes(head + b"".join(two))
    with pytest.raises(InvalidError, match="changed, cut or damaged"):
        await restore(tmp_path / "mixed", tmp_path / "other", passphrase=PASSPHRASE)


async def test_without_a_recovery_passphrase_nothing_is_written(data: Path, tmp_path: Path) -> None:
    (data / RECOVERY_FILE).unlink()
    with pytest.raises(VaultError, match=r"recovery\.json is missing.*key protect.*--plain"):
        await backup(data, tmp_path / "sealed")
    protect(data, PASSPHRASE)
    text = cut_key(data)
    with pytest.raises(VaultError, match=r"vault\.key is missing"):
        await backup(data, tmp_path / "sealed")
    Vault.open(data / KEYS, None)
    with pytest.raises(VaultError, match="does not give back the key"):
        await backup(data, tmp_path / "sealed")
    (data / KEYS / KEY_FILE).write_bytes(text)
    assert names_in(tmp_path) == ["data"]
    await backup(data, tmp_path / "sealed")


# --- what is refused --------------------------------------------------------------------------

type Change = Callable[[bytes, list[bytes]], bytes]


def joined(head: bytes, chunks: list[bytes]) -> bytes:
    return head + b"".join(chunks)


def rewrite(path: Path, change: Change) -> bool:
    """Change a file; return whether it is what it was."""
    content = path.read_bytes()
    path.write_bytes(change(*split(content)))
    return path.read_bytes() == content


def in_header(**values: object) -> Change:
    def change(head: bytes, chunks: list[bytes]) -> bytes:
        text = json.dumps(json.loads(head[len(MAGIC) + 4 :]) | values).encode()
        return joined(MAGIC + len(text).to_bytes(4, "big") + text, chunks)

    return change


CHANGES: dict[str, tuple[Change, str]] = {
    "the last chunk is cut off": (lambda h, c: joined(h, c[:-1]), "changed, cut or damaged"),
    "a byte is cut off": (lambda h, c: joined(h, c)[:-1], "changed, cut or damaged"),
    "all chunks are cut off": (lambda h, _: h, "changed, cut or damaged"),
    "the first chunk is cut off": (lambda h, c: joined(h, c[1:]), "changed, cut or damaged"),
    "two chunks are swapped": (
        lambda h, c: joined(h, [c[1], c[0], *c[2:]]),
        "changed, cut or damaged",
    ),
    "a chunk comes twice": (lambda h, c: joined(h, [c[0], *c]), "changed, cut or damaged"),
    "the last chunk comes twice": (lambda h, c: joined(h, [*c, c[-1]]), "changed, cut or damaged"),
    "a byte is added": (lambda h, c: joined(h, c) + b"x", "changed, cut or damaged"),
    "a byte is altered": (
        lambda h, c: joined(h, [c[0], bytes([c[1][0] ^ 1]) + c[1][1:], *c[2:]]),
        "changed, cut or damaged",
    ),
    "the header is written anew": (in_header(), ""),
    "another key is wrapped": (in_header(wrapped="00" * 60), "changed, cut or damaged"),
    "another key is named": (in_header(key_id="0" * 32), "header was changed"),
    "the recovery is none": (in_header(recovery="{}"), "damaged, or of a newer"),
    "the header is of a newer format": (in_header(format=2), "newer FaceGate"),
    "the header has no format": (in_header(format=None), "cannot be read"),
    "the header has more": (in_header(more=1), "cannot be read"),
    "the header is cut": (lambda h, _: h[:-9], "header is cut"),
    "the header is endless": (lambda _, __: MAGIC + b"\xff" * 40_000, "header is cut"),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_a_sealed_backup_that_was_changed_is_refused_and_changes_nothing(
    long: Path, stopped: Path, what: str
) -> None:
    change, match = CHANGES[what]
    same = rewrite(long, change)
    before = contents(stopped) | {"lock": b""}
    text = cut_key(stopped)
    if not match:  # byte for byte the same: what shows that the other cases fail for their change
        assert same
        assert (await restore(long, stopped, replace=True, passphrase=PASSPHRASE)).key_written
        return
    with pytest.raises(FaceGateError, match=match):
        await restore(long, stopped, replace=True, passphrase=PASSPHRASE)
    assert contents(stopped) | {"lock": b""} == before
    assert not (stopped / KEYS / KEY_FILE).exists()
    (stopped / KEYS / KEY_FILE).write_bytes(text)


@pytest.mark.parametrize("passphrase", ["another passphrase", "short", None, PASSPHRASE + " "])
async def test_without_the_right_passphrase_nothing_opens_and_nothing_changes(
    sealed: Path, stopped: Path, passphrase: str | None
) -> None:
    cut_key(stopped)
    before = contents(stopped) | {"lock": b""}
    with pytest.raises(FaceGateError, match="passphrase"):
        await restore(sealed, stopped, replace=True, passphrase=passphrase)
    assert contents(stopped) | {"lock": b""} == before
    assert not (stopped / KEYS / KEY_FILE).exists()


async def test_a_sealed_backup_of_another_site_is_refused(sealed: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    key_id = Vault.open(other / KEYS, None).key_id
    with pytest.raises(InvalidError, match=r"of another site.*move keys/vault\.key"):
        await restore(sealed, other, passphrase=PASSPHRASE)
    assert names_in(other) == [KEYS, "lock"]
    assert Vault.open(other / KEYS, None).key_id == key_id


def test_what_is_known_of_a_sealed_backup_shows_no_secret(sealed: Path) -> None:
    found = sealed_file(sealed)
    assert found is not None
    assert "wrapped" not in repr(found)


# --- by the command line ----------------------------------------------------------------------


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], None]]:
    """Let the program read a line from its standard input."""
    umask = os.umask(0)

    def line(text: str) -> None:
        (tmp_path / "said").write_text(text + "\n")
        monkeypatch.setattr("sys.stdin", (tmp_path / "said").open())

    yield line
    os.umask(umask)


def test_the_program_seals_and_opens_with_the_passphrase_from_standard_input(
    stopped: Path,
    tmp_path: Path,
    say: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    target, other = tmp_path / "saved", tmp_path / "other"
    assert main(["backup", "--data", str(stopped), str(target)]) == 0
    assert "opens with the recovery passphrase" in capsys.readouterr().out
    say("no such passphrase")
    assert main(["restore", "--data", str(other), str(target)]) == 1
    assert "the passphrase is wrong" in capsys.readouterr().err
    say(PASSPHRASE)
    assert main(["restore", "--data", str(other), str(target)]) == 0
    assert "the key is written again" in capsys.readouterr().out
    assert main(["audit", "verify", "--data", str(other)]) == 0
    assert "2 events, none changed" in capsys.readouterr().out


def test_the_program_refuses_without_a_recovery_and_warns_of_a_plain_backup(
    stopped: Path,
    tmp_path: Path,
    say: Callable[[str], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    say("")
    (stopped / RECOVERY_FILE).unlink()
    target = tmp_path / "saved"
    assert main(["backup", "--data", str(stopped), str(target)]) == 1
    assert "facegate key protect" in capsys.readouterr().err
    assert not target.exists()
    assert main(["backup", "--data", str(stopped), str(target), "--plain"]) == 0
    assert "names and events lie open" in capsys.readouterr().err
    assert (stopped / KEYS / KEY_FILE).read_bytes().strip() not in target.read_bytes()
