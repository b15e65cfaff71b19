"""Whatever is done to the record's file is found, and the first bad row is named."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import combinations
from pathlib import Path
import sqlite3
import struct

import pytest

from facegate.errors import RecordError
from facegate.record.audit import verify_database
from facegate.record.chain import GENESIS, ChainedEvent, Finding, Verification, link
from facegate.record.store import EventKind, Store
from facegate.record.vault import Vault

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
VAULT = Vault(bytes(32))
ROWS = 6
GOOD = Verification(ok=True, checked=ROWS, signatures_checked=True)
TEXTS = ("kind", "ref", "door_id", "subject_id", "opening_id", "body")


@pytest.fixture(scope="module")
def genuine(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the file of a record of six events, each with something in every column."""
    path = tmp_path_factory.mktemp("genuine") / "facegate.db"
    asyncio.run(write_record(path))
    with closing(sqlite3.connect(path)) as connection:
        # One file, without a log beside it.
        connection.execute("PRAGMA journal_mode=DELETE")
    return path.read_bytes()


async def write_record(path: Path) -> None:
    store = await Store.open(path)
    await store.use(VAULT, NOON)
    for number in range(1, ROWS + 1):
        await store.record(
            EventKind.ACCESS,
            NOON + timedelta(seconds=number, microseconds=number),
            f"r{number}",
            door_id="front",
            subject_id="ann",
            opening_id=f"o{number}",
            body={"granted": True, "n": number},
        )
    await store.close()


class File:
    """The record's file, which is put back as it was before each change."""

    def __init__(self, path: Path, genuine: bytes) -> None:
        self.path = path
        self._genuine = genuine
        path.write_bytes(genuine)

    async def after(
        self, change: Callable[[sqlite3.Connection], object], vault: Vault | None = VAULT
    ) -> Verification:
        """Return what is found once the rows were changed so."""
        self.path.write_bytes(self._genuine)
        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute("PRAGMA synchronous=OFF")
            connection.execute("PRAGMA journal_mode=MEMORY")
            with connection:
                change(connection)
        return await verify_database(self.path, vault)

    def rows(self) -> list[tuple[ChainedEvent, bytes]]:
        with closing(sqlite3.connect(self.path)) as connection:
            found = connection.execute(
                "SELECT seq, at, kind, ref, door_id, subject_id, opening_id, body, hash FROM events"
                " ORDER BY seq"
            ).fetchall()
        return [(ChainedEvent(*row[:-1]), row[-1]) for row in found]


@pytest.fixture
def file(tmp_path: Path, genuine: bytes) -> File:
    return File(tmp_path / "facegate.db", genuine)


def run(sql: str, *values: object) -> Callable[[sqlite3.Connection], object]:
    return lambda connection: connection.execute(sql, values)


def bad(seq: int, finding: Finding, checked: int | None = None) -> Verification:
    known = seq - 1 if checked is None else checked
    return Verification(
        ok=False, checked=known, first_bad_seq=seq, finding=finding, signatures_checked=True
    )


def names_in(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def flips(data: bytes) -> Iterator[bytes]:
    """Yield the data with each byte changed in one bit."""
    for index in range(len(data)):
        changed = bytearray(data)
        changed[index] ^= 1 << index % 8
        yield bytes(changed)


async def test_an_untouched_record_is_good(file: File) -> None:
    assert len(file.rows()) == ROWS
    assert await verify_database(file.path, VAULT) == GOOD
    unchecked = Verification(ok=True, checked=ROWS, signatures_checked=False)
    assert await verify_database(file.path, None) == unchecked


async def test_checking_changes_nothing(file: File, genuine: bytes) -> None:
    await verify_database(file.path, VAULT)
    assert file.path.read_bytes() == genuine
    assert names_in(file.path.parent) == ["facegate.db"]


@pytest.mark.parametrize("seq", range(1, ROWS + 1))
async def test_any_changed_byte_of_a_row_is_found(file: File, seq: int) -> None:
    event, stored = file.rows()[seq - 1]
    tried = 0
    for column in TEXTS:
        text = getattr(event, column).encode()
        assert text
        for changed in flips(text):
            sql = f"UPDATE events SET {column} = CAST(? AS TEXT) WHERE seq = ?"
            found = await file.after(run(sql, changed, seq))
            assert found == bad(seq, Finding.EDITED), (column, changed)
            tried += 1
    for changed in flips(stored):
        found = await file.after(run("UPDATE events SET hash = ? WHERE seq = ?", changed, seq))
        assert found == bad(seq, Finding.EDITED), changed
    for packed in flips(struct.pack(">d", event.at)):
        (at,) = struct.unpack(">d", packed)
        found = await file.after(run("UPDATE events SET at = ? WHERE seq = ?", at, seq))
        assert found == bad(seq, Finding.EDITED), at
    assert tried >= len("access") + len("r1front") + len("anno1") + len('{"granted": true}')


@pytest.mark.parametrize("seq", range(1, ROWS + 1))
async def test_any_changed_bit_of_a_rows_number_is_found(file: File, seq: int) -> None:
    for bit in range(64):
        changed = seq ^ (1 << bit)
        number = changed - 2**64 if bit == 63 else changed
        change = run("UPDATE events SET seq = ? WHERE seq = ?", number, seq)
        if 1 <= number <= ROWS:
            with pytest.raises(sqlite3.IntegrityError):
                await file.after(change)
            continue
        before = number <= 0
        expected = bad(number, Finding.INSERTED, 0) if before else bad(seq, Finding.MISSING)
        assert await file.after(change) == expected, number


@pytest.mark.parametrize("seq", range(1, ROWS + 1))
async def test_a_value_taken_away_or_of_another_type_is_found(file: File, seq: int) -> None:
    event, _ = file.rows()[seq - 1]
    for column in (*TEXTS, "at", "hash"):
        values: list[object] = [b"", 7]
        if column != "hash":
            values += ["", "7"]
        if column in {"door_id", "subject_id", "opening_id"}:
            values.append(None)
        if column in TEXTS:
            # The same bytes, which a reader may take for the same text.
            values.append(getattr(event, column).encode())
        for value in values:
            found = await file.after(
                run(f"UPDATE events SET {column} = ? WHERE seq = ?", value, seq)
            )
            assert found == bad(seq, Finding.EDITED), (column, value)


@pytest.mark.parametrize("count", range(1, ROWS + 1))
@pytest.mark.parametrize("seq", range(1, ROWS + 1))
async def test_deleted_rows_are_found(file: File, seq: int, count: int) -> None:
    change = run("DELETE FROM events WHERE seq >= ? AND seq < ?", seq, seq + count)
    cut = seq + count > ROWS
    expected = bad(seq, Finding.CUT_OFF if cut else Finding.MISSING)
    assert await file.after(change) == expected

    def renumber(connection: sqlite3.Connection) -> None:
        change(connection)
        for old in range(seq + count, ROWS + 1):
            connection.execute("UPDATE events SET seq = ? WHERE seq = ?", (old - count, old))

    assert await file.after(renumber) == expected


INSERT = (
    "INSERT INTO events (seq, at, kind, ref, door_id, subject_id, opening_id, body, hash)"
    " SELECT ?, at, kind, 'added', door_id, subject_id, opening_id, body, hash FROM events"
    " WHERE seq = ?"
)


@pytest.mark.parametrize("seq", [-3, 0, ROWS + 1])
async def test_an_inserted_row_before_or_after_the_others_is_found(file: File, seq: int) -> None:
    expected = bad(seq, Finding.INSERTED, ROWS if seq > ROWS else 0)
    assert await file.after(run(INSERT, seq, 3)) == expected


@pytest.mark.parametrize("seq", range(1, ROWS + 1))
async def test_an_inserted_row_among_the_others_is_found(file: File, seq: int) -> None:
    def insert(connection: sqlite3.Connection) -> None:
        for old in range(ROWS, seq - 1, -1):
            connection.execute("UPDATE events SET seq = ? WHERE seq = ?", (old + 1, old))
        connection.execute(INSERT, (seq, ROWS + 1))

    assert await file.after(insert) == bad(seq, Finding.INSERTED)


@pytest.mark.parametrize(("one", "two"), combinations(range(1, ROWS + 1), 2))
async def test_rows_that_changed_places_are_found(file: File, one: int, two: int) -> None:
    def swap(connection: sqlite3.Connection) -> None:
        for old, new in ((one, 99), (two, one), (99, two)):
            connection.execute("UPDATE events SET seq = ? WHERE seq = ?", (new, old))

    assert await file.after(swap) == bad(one, Finding.REORDERED)


# --- the two ends -----------------------------------------------------------------------------


def forge(connection: sqlite3.Connection, signature: str, vault: Vault | None = None) -> None:
    """Change row 3 and all hashes after it, and the head with them."""
    connection.execute("UPDATE events SET body = '{}' WHERE seq = 3")
    rows = connection.execute(
        "SELECT seq, at, kind, ref, door_id, subject_id, opening_id, body FROM events ORDER BY seq"
    ).fetchall()
    digest = GENESIS
    for row in rows:
        digest = link(digest, ChainedEvent(*row))
        connection.execute("UPDATE events SET hash = ? WHERE seq = ?", (digest, row[0]))
    claim = f"{ROWS}:{digest.hex()}"
    if vault:
        signature = vault.sign("audit", f"head:{claim}".encode()).hex()
    connection.execute(
        "UPDATE site SET value = ? WHERE key = 'audit_head'", (f"{claim}:{signature}",)
    )


async def test_a_chain_written_anew_is_found_by_the_head_or_its_signature(file: File) -> None:
    def old_head(connection: sqlite3.Connection) -> None:
        (head,) = connection.execute("SELECT value FROM site WHERE key = 'audit_head'").fetchone()
        forge(connection, "")
        connection.execute("UPDATE site SET value = ? WHERE key = 'audit_head'", (head,))

    assert await file.after(old_head) == bad(ROWS, Finding.REWRITTEN, ROWS)
    for signature, finding in (
        ("", Finding.HEAD_UNSIGNED),
        ("00" * 32, Finding.HEAD_FORGED),
        ("junk", Finding.HEAD_FORGED),
    ):
        found = await file.after(partial(forge, signature=signature))
        assert (found.ok, found.finding) == (False, finding)
    other = Vault(b"\1" * 32)
    found = await file.after(partial(forge, signature="", vault=other))
    assert found.finding is Finding.HEAD_FORGED


async def test_without_the_key_nobody_can_tell_who_wrote_the_chain(file: File) -> None:
    found = await file.after(partial(forge, signature="00" * 32), None)
    assert (found.ok, found.signatures_checked) == (True, False)


async def test_any_changed_character_of_the_head_is_found(file: File) -> None:
    with closing(sqlite3.connect(file.path)) as connection:
        (head,) = connection.execute("SELECT value FROM site WHERE key = 'audit_head'").fetchone()
    for changed in flips(head.encode()):
        found = await file.after(
            run("UPDATE site SET value = CAST(? AS TEXT) WHERE key = 'audit_head'", changed)
        )
        assert (found.ok, found.finding) == (False, Finding.HEAD_FORGED), changed


async def test_a_head_taken_away_is_found(file: File) -> None:
    expected = Verification(
        ok=False, checked=0, finding=Finding.HEAD_MISSING, signatures_checked=True
    )
    assert await file.after(run("DELETE FROM site WHERE key = 'audit_head'")) == expected
    found = await file.after(run("UPDATE site SET value = x'00' WHERE key = 'audit_head'"))
    assert found.finding is Finding.HEAD_FORGED


async def test_a_head_of_an_earlier_moment_does_not_hide_later_rows(file: File) -> None:
    row = file.rows()[3]
    claim = f"4:{row[1].hex()}"
    head = f"{claim}:{VAULT.sign('audit', f'head:{claim}'.encode()).hex()}"
    found = await file.after(run("UPDATE site SET value = ? WHERE key = 'audit_head'", head))
    assert found == bad(5, Finding.INSERTED)


async def test_rows_deleted_behind_an_anchor_that_is_not_signed_are_found(file: File) -> None:
    row = file.rows()[1]
    for signature, finding in (
        ("", Finding.ANCHOR_FORGED),
        ("00" * 32, Finding.ANCHOR_FORGED),
        ("no", Finding.ANCHOR_FORGED),
        # The signature of a head is none of an anchor.
        (VAULT.sign("audit", f"head:2:{row[1].hex()}".encode()).hex(), Finding.ANCHOR_FORGED),
        (VAULT.sign("audit", f"anchor:2:{row[1].hex()}".encode()).hex(), None),
    ):

        def shorten(connection: sqlite3.Connection, text: str = signature) -> None:
            connection.execute("DELETE FROM events WHERE seq <= 2")
            connection.execute(
                "INSERT INTO site (key, value) VALUES ('audit_anchor', ?)",
                (f"2:{row[1].hex()}:{text}",),
            )

        assert (await file.after(shorten)).finding is finding


async def test_what_retention_removes_is_not_missed_and_does_not_come_back(tmp_path: Path) -> None:
    path = tmp_path / "facegate.db"
    store = await Store.open(path)
    await store.use(VAULT, NOON)
    for day in range(5):
        await store.record(EventKind.LOCK, NOON + timedelta(days=day), f"r{day}")
    await store.prune(NOON + timedelta(days=2), NOON + timedelta(days=5))
    # Checked while the engine has the records open.
    found = await verify_database(path, VAULT)
    assert (found.ok, found.checked) == (True, 4)
    await store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DELETE FROM site WHERE key = 'audit_anchor'")
    assert await verify_database(path, VAULT) == bad(1, Finding.MISSING)


async def test_a_record_without_events_is_good(tmp_path: Path) -> None:
    path = tmp_path / "facegate.db"
    store = await Store.open(path)
    await store.use(VAULT, NOON)
    await store.close()
    expected = Verification(ok=True, checked=0, signatures_checked=True)
    assert await verify_database(path, VAULT) == expected


async def test_what_is_no_database_is_told(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="cannot be opened"):
        await verify_database(tmp_path / "none.db", VAULT)
    assert names_in(tmp_path) == []
    (tmp_path / "some.db").write_bytes(b"no database " * 100)
    with pytest.raises(RecordError, match="not a FaceGate database"):
        await verify_database(tmp_path / "some.db", VAULT)
