"""The chain of events: each row's hash covers the row and the hash before it.

Whoever changes a row must change every hash after it, and at last the head, which is signed with
the site's key (``audit.py``). Rows are numbered without gaps, from the anchor to the head.

What the chain cannot tell: a database put back wholly, head included, to an earlier state of its
own; and anything done by somebody who has the key. Whoever keeps exports elsewhere can tell both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
import hashlib
import struct

GENESIS = bytes(32)
"""What stands for the hash before the first row."""


@dataclass(frozen=True, slots=True)
class ChainedEvent:
    """One row of the record as it is hashed; ``at`` in seconds since the Unix epoch."""

    seq: int
    at: float
    kind: str
    ref: str
    door_id: str | None
    subject_id: str | None
    opening_id: str | None
    body: str


@dataclass(frozen=True, slots=True)
class Anchor:
    """The last row that retention removed, and its hash; 0 and ``GENESIS`` where it removed none.

    The first row of the chain is the one after it.
    """

    seq: int
    hash: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """The last row and its hash; the same as the anchor where there is no row."""

    seq: int
    hash: bytes


class Finding(StrEnum):
    """What is wrong with a chain, as near as it can be told."""

    EDITED = "edited"
    """The row or its hash is not what was recorded, or it stands where another row stood; or the
    row before it was forged with a hash that fits. Rows after it are not judged."""
    MISSING = "missing"
    """Rows from the named one on were deleted, whether the rest were renumbered or not."""
    INSERTED = "inserted"
    """The named row was never recorded: it stands before the first, after the last, or between two
    that followed each other. A row that was moved forward alone looks the same."""
    REORDERED = "reordered"
    """The named row and a later one have changed places, or rows come out of their order."""
    CUT_OFF = "cut_off"
    """The named row and all after it are gone."""
    REWRITTEN = "rewritten"
    """Every row fits the one before, and the last is not the recorded one: somebody changed a row
    and every hash after it. Which row was the first cannot be told; the last is named."""
    HEAD_MISSING = "head_missing"
    """Where the chain ends is no longer recorded."""
    ANCHOR_FORGED = "anchor_forged"
    """The beginning of the chain was not written by an engine with the site's key."""
    HEAD_UNSIGNED = "head_unsigned"
    """The end of the chain bears no signature: the engine ran without its key, or somebody took
    the signature away. Once it runs with the key it says so in the chain, and signs again."""
    HEAD_FORGED = "head_forged"
    """The end of the chain was not written by an engine with the site's key."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a check found.

    ``checked`` rows from the anchor on fit each other; ``first_bad_seq`` is the first that does not
    (or is not there), None where no row can be named. Without ``signatures_checked``
    somebody may have written the whole chain anew.
    """

    ok: bool
    checked: int
    first_bad_seq: int | None = None
    finding: Finding | None = None
    signatures_checked: bool = False


def link(previous: bytes, event: ChainedEvent) -> bytes:
    """Return the hash of a row: SHA-256 of the hash before it and of every field.

    Fields follow each other as seq (signed 64 bits), at (IEEE double), then the texts: one byte
    0 for null, or 1, the length in bytes (64 bits) and the UTF-8. Numbers are big-endian.
    """
    digest = hashlib.sha256(previous)
    digest.update(struct.pack(">qd", event.seq, event.at))
    for text in (
        event.kind,
        event.ref,
        event.door_id,
        event.subject_id,
        event.opening_id,
        event.body,
    ):
        if text is None:
            digest.update(b"\0")
        else:
            # A damaged row may hold what is no UTF-8, read as surrogates; they differ from all.
            encoded = text.encode("utf-8", "surrogatepass")
            digest.update(struct.pack(">BQ", 1, len(encoded)))
            digest.update(encoded)
    return digest.digest()


def verify(
    events: Iterable[tuple[ChainedEvent, bytes]], anchor: Anchor, head: Head
) -> Verification:
    """Check rows with their hashes, as the database gives them, and name the first bad one."""
    rows = iter(events)
    seq, previous, checked = anchor.seq, anchor.hash, 0

    for event, stored in rows:
        first, finding = event.seq, None
        if event.seq <= anchor.seq or seq == head.seq:
            finding = Finding.INSERTED
        elif event.seq <= seq:
            finding = Finding.REORDERED
        elif event.seq > seq + 1:
            first, finding = seq + 1, Finding.MISSING
        elif link(previous, event) != stored:
            finding = _why(previous, event, stored, rows, head)
        if finding is not None:
            return _bad(checked, first, finding)
        seq, previous, checked = event.seq, stored, checked + 1
    if seq < head.seq:
        return _bad(checked, seq + 1, Finding.CUT_OFF)
    if (seq, previous) != (head.seq, head.hash):
        return _bad(checked, seq, Finding.REWRITTEN)
    return Verification(ok=True, checked=checked)


def _bad(checked: int, first: int, finding: Finding) -> Verification:
    return Verification(ok=False, checked=checked, first_bad_seq=first, finding=finding)


def _why(
    previous: bytes,
    event: ChainedEvent,
    stored: bytes,
    rest: Iterator[tuple[ChainedEvent, bytes]],
    head: Head,
) -> Finding:
    """Tell why a row does not fit the one before, from the rows after it."""
    following: tuple[ChainedEvent, bytes] | None = None
    before, last = stored, event.seq
    for other, other_stored in rest:
        following = following or (other, other_stored)
        if link(previous, replace(other, seq=event.seq)) == other_stored:
            # This one belongs here. In its place, does the bad row belong there?
            there = other_stored if other.seq == event.seq + 1 else before
            swapped = link(there, replace(event, seq=other.seq)) == stored
            return Finding.REORDERED if swapped else Finding.INSERTED
        before, last = other_stored, other.seq
    # Were rows deleted and the rest renumbered, each has its number too low by as many.
    removed = head.seq - last
    if removed > 0:
        if following is None:
            renumbered = stored == head.hash
        else:
            other, other_stored = following
            moved = replace(other, seq=other.seq + removed)
            renumbered = link(stored, moved) == other_stored
        if renumbered:
            return Finding.MISSING
    return Finding.EDITED
