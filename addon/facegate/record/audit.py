"""Checking the record, from the database's file: the engine may run or not.

The chain begins and ends at two signed marks in the table ``site``: its keys
``audit_anchor`` and ``audit_head`` hold ``<seq>:<hash>:<signature>`` in hexadecimal, where
the signature is that of ``anchor:<seq>:<hash>`` or ``head:<seq>:<hash>``.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
import re
import sqlite3

from facegate.record.chain import (
    GENESIS,
    Anchor,
    ChainedEvent,
    Finding,
    Head,
    Verification,
    verify,
)
from facegate.record.database import BUSY_TIMEOUT_S, explain
from facegate.record.vault import Vault

ANCHOR_KEY = "audit_anchor"
HEAD_KEY = "audit_head"
_FORGED = {"anchor": Finding.ANCHOR_FORGED, "head": Finding.HEAD_FORGED}
_MARK = re.compile(r"(([0-9]{1,18}):([0-9a-f]{64})):((?:[0-9a-f]{64})?)")
COLUMNS = "seq, at, kind, ref, door_id, subject_id, opening_id, body, hash"


@dataclass(frozen=True, slots=True)
class _Mark:
    """A mark as it was read; ``bad`` is what is wrong with its signature, where it was checked."""

    seq: int
    hash: bytes
    bad: Finding | None = None


def _read_mark(name: str, text: object, vault: Vault | None) -> _Mark | None:
    found = _MARK.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    claim, seq, digest, signature = found.groups()
    bad = None
    if vault is not None:
        signed = vault.verify("audit", f"{name}:{claim}".encode(), bytes.fromhex(signature))
        if not signed:
            bad = _FORGED[name]
            if name == "head" and not signature:
                bad = Finding.HEAD_UNSIGNED
    return _Mark(int(seq), bytes.fromhex(digest), bad)


async def verify_database(path: Path, vault: Vault | None) -> Verification:
    """Check every event of a database and, with the site's vault, who signed its two ends.

    Raises ``RecordError`` where the file cannot be read as a database.
    """
    return await asyncio.to_thread(_verify, path, vault)


def _verify(path: Path, vault: Vault | None) -> Verification:
    with read_only(path, errors="surrogateescape") as connection:
        # One look at all: events that are written meanwhile belong to the next check.
        connection.execute("BEGIN")
        marks = dict(
            connection.execute(
                "SELECT key, value FROM site WHERE key IN (?, ?)", (ANCHOR_KEY, HEAD_KEY)
            )
        )
        rows = connection.execute(f"SELECT {COLUMNS} FROM events ORDER BY seq")  # noqa: S608
        found = _verify_rows(map(_chained, rows), marks, vault)
    return replace(found, signatures_checked=vault is not None)


def _verify_rows(
    rows: Iterator[tuple[ChainedEvent, bytes]], marks: dict[str, object], vault: Vault | None
) -> Verification:
    if HEAD_KEY not in marks:
        return Verification(ok=False, checked=0, finding=Finding.HEAD_MISSING)
    head = _read_mark("head", marks[HEAD_KEY], vault)
    if head is None:
        return Verification(ok=False, checked=0, finding=Finding.HEAD_FORGED)
    # Without an anchor retention removed nothing: were it taken away, the first rows are missing.
    anchor: _Mark | None = _Mark(0, GENESIS)
    if ANCHOR_KEY in marks:
        anchor = _read_mark("anchor", marks[ANCHOR_KEY], vault)
    if anchor is None:
        return Verification(ok=False, checked=0, finding=Finding.ANCHOR_FORGED)
    found = verify(rows, Anchor(anchor.seq, anchor.hash), Head(head.seq, head.hash))
    bad = anchor.bad or head.bad
    return found if bad is None else replace(found, ok=False, finding=bad)


def _chained(row: tuple[object, ...]) -> tuple[ChainedEvent, bytes]:
    match row:
        case (
            int(seq),
            float(at),
            str(kind),
            str(ref),
            str() | None as door_id,
            str() | None as subject_id,
            str() | None as opening_id,
            str(body),
            bytes(stored),
        ):
            event = ChainedEvent(seq, at, kind, ref, door_id, subject_id, opening_id, body)
            return event, stored
    # SQLite keeps a value of any type in any column. Such a row was never recorded: nothing fits.
    seq = row[0] if isinstance(row[0], int) else 0
    return ChainedEvent(seq, 0.0, "", "", None, None, None, ""), b""


@contextmanager
def read_only(path: Path, *, errors: str) -> Iterator[sqlite3.Connection]:
    """Give a connection that cannot write; raises ``RecordError``.

    An edited text may be no UTF-8; ``errors`` says what is made of it.
    """
    address = f"{path.absolute().as_uri()}?mode=ro"
    try:
        with closing(
            sqlite3.connect(address, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None)
        ) as connection:
            connection.text_factory = lambda text: text.decode("utf-8", errors)
            yield connection
    except sqlite3.Error as err:
        raise explain(path, err) from err
