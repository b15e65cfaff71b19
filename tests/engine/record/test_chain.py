"""A chain of rows tells whether any was edited, removed, added or moved, and which."""

from __future__ import annotations

from dataclasses import fields, replace
import hashlib
from itertools import combinations
import math
import struct
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
import pytest

from facegate.record.chain import (
    GENESIS,
    Anchor,
    ChainedEvent,
    Finding,
    Head,
    Verification,
    link,
    verify,
)

type Row = tuple[ChainedEvent, bytes]

FIRST = ChainedEvent(1, 1.5, "access", "r1", "front", "ann", "r1", "{}")
START = Anchor(0, GENESIS)


def chain(length: int, start: Anchor = START) -> list[Row]:
    rows, previous = [], start.hash
    for seq in range(start.seq + 1, start.seq + length + 1):
        event = replace(FIRST, seq=seq, at=1000.0 + seq, ref=f"r{seq}")
        previous = link(previous, event)
        rows.append((event, previous))
    return rows


def head(rows: list[Row]) -> Head:
    return Head(rows[-1][0].seq, rows[-1][1])


def renumbered(rows: list[Row], first: int = 1) -> list[Row]:
    return [
        (replace(event, seq=seq), stored) for seq, (event, stored) in enumerate(rows, start=first)
    ]


def found(rows: list[Row], genuine: list[Row], start: Anchor = START) -> tuple[Finding, int]:
    result = verify(rows, start, head(genuine))
    assert not result.ok
    assert result.finding is not None
    assert result.first_bad_seq is not None
    return result.finding, result.first_bad_seq


# --- the hash ---------------------------------------------------------------------------------


def test_the_hash_is_the_one_that_is_documented() -> None:
    event = ChainedEvent(7, 2.5, "k", "", None, "\u00e4", None, "{}")
    plain = b"".join(
        (
            bytes(range(32)),
            struct.pack(">q", 7),
            struct.pack(">d", 2.5),
            b"\1" + (1).to_bytes(8, "big") + b"k",
            b"\1" + bytes(8),
            b"\0",
            b"\1" + (2).to_bytes(8, "big") + b"\xc3\xa4",
            b"\0",
            b"\1" + (2).to_bytes(8, "big") + b"{}",
        )
    )
    assert link(bytes(range(32)), event) == hashlib.sha256(plain).digest()


TEXTS = st.none() | st.text(st.characters(), max_size=3)
EVENTS = st.builds(
    ChainedEvent,
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(max_size=3),
    st.text(max_size=3),
    TEXTS,
    TEXTS,
    TEXTS,
    st.text(max_size=3),
)


@given(EVENTS, EVENTS)
def test_different_rows_have_different_hashes(one: ChainedEvent, two: ChainedEvent) -> None:
    same = one == two and math.copysign(1, one.at) == math.copysign(1, two.at)
    assert (link(GENESIS, one) == link(GENESIS, two)) is same


def test_no_field_can_borrow_from_its_neighbor() -> None:
    texts = [
        ("ab", "c", "d", "e", "f", "g"),
        ("a", "bc", "d", "e", "f", "g"),
        ("ab", "c", None, "e", "f", "g"),
        ("ab", "c", "", "e", "f", "g"),
        ("ab", "c", "d", None, "f", "g"),
        ("ab", "c", "d", "e", None, "g"),
        ("ab", "c", None, None, None, "g"),
        ("ab", "c", "", None, None, "g"),
        ("ab", "c", None, "", None, "g"),
        ("ab", "c", None, None, "", "g"),
        ("ab", "c", "d\0", "e", "f", "g"),
        ("ab", "c", "d", "\0e", "f", "g"),
        ("ab", "c", "d\udc80", "e", "f", "g"),
    ]
    hashes = {
        link(GENESIS, ChainedEvent(1, 0.0, kind, ref, door, subject, opening, body))
        for kind, ref, door, subject, opening, body in texts
    }
    assert len(hashes) == len(texts)


def test_the_hash_covers_the_one_before_it() -> None:
    assert link(GENESIS, FIRST) != link(b"\1" + bytes(31), FIRST)


# --- checks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("start", [START, Anchor(40, b"\7" * 32)])
@pytest.mark.parametrize("length", [1, 2, 6])
def test_an_untouched_chain_is_good(start: Anchor, length: int) -> None:
    rows = chain(length, start)
    assert verify(iter(rows), start, head(rows)) == Verification(ok=True, checked=length)


@pytest.mark.parametrize("start", [START, Anchor(40, b"\7" * 32)])
def test_a_chain_without_rows_ends_where_it_begins(start: Anchor) -> None:
    assert verify([], start, Head(start.seq, start.hash)) == Verification(ok=True, checked=0)
    assert verify([], start, Head(start.seq, b"\1" * 32)).finding is Finding.REWRITTEN
    assert verify([], start, Head(start.seq + 2, start.hash)).first_bad_seq == start.seq + 1


@pytest.mark.parametrize("field", [item.name for item in fields(ChainedEvent)][1:])
@pytest.mark.parametrize("index", range(6))
def test_an_edited_field_is_found(field: str, index: int) -> None:
    rows = chain(6)
    edited = list(rows)
    event, stored = edited[index]
    changes: dict[str, Any] = {field: 0.25 if field == "at" else "other"}
    edited[index] = (replace(event, **changes), stored)
    assert found(edited, rows) == (Finding.EDITED, index + 1)
    assert verify(edited, START, head(rows)).checked == index


@pytest.mark.parametrize("index", range(6))
def test_an_edited_hash_is_found(index: int) -> None:
    rows = chain(6)
    for other in (GENESIS, b"", rows[index - 1][1]):
        edited = list(rows)
        edited[index] = (edited[index][0], other)
        assert found(edited, rows) == (Finding.EDITED, index + 1)


@pytest.mark.parametrize("index", range(6))
def test_a_row_rewritten_with_all_hashes_after_it_is_found_by_the_head(index: int) -> None:
    rows = chain(6)
    forged, previous = rows[:index], rows[index - 1][1] if index else GENESIS
    for event, _ in rows[index:]:
        changed = replace(event, body="forged") if event.seq == index + 1 else event
        previous = link(previous, changed)
        forged.append((changed, previous))
    assert found(forged, rows) == (Finding.REWRITTEN, 6)


@pytest.mark.parametrize("count", range(1, 6))
@pytest.mark.parametrize("index", range(5))
def test_removed_rows_are_found(index: int, count: int) -> None:
    rows = chain(6)
    left = rows[:index] + rows[index + count :]
    cut = index + count >= len(rows)
    expected = Finding.CUT_OFF if cut else Finding.MISSING
    assert found(left, rows) == (expected, index + 1)
    # Renumbering the rest does not hide it.
    assert found(renumbered(left), rows) == (expected, index + 1)


@pytest.mark.parametrize("index", range(6))
def test_an_inserted_row_is_found_though_the_rest_is_renumbered(index: int) -> None:
    rows = chain(6)
    event = replace(FIRST, ref="added", seq=index + 1)
    previous = rows[index - 1][1] if index else GENESIS
    for stored in (GENESIS, link(previous, event)):
        added = renumbered([*rows[:index], (event, stored), *rows[index:]])
        result = verify(added, START, head(rows))
        # With a hash that fits, the next row is the first that does not.
        fits = stored != GENESIS
        assert (result.ok, result.first_bad_seq) == (False, index + (2 if fits else 1))
        if not fits:
            assert result.finding is Finding.INSERTED


@pytest.mark.parametrize("seq", [-5, 0, 7, 90])
def test_a_row_outside_of_the_chain_is_found(seq: int) -> None:
    rows = chain(6)
    event = replace(FIRST, seq=seq)
    added = sorted([*rows, (event, link(rows[-1][1], event))], key=lambda row: row[0].seq)
    assert found(added, rows) == (Finding.INSERTED, seq)


def test_a_row_that_retention_removed_does_not_come_back() -> None:
    rows = chain(6)
    start = Anchor(3, rows[2][1])
    assert verify(rows[3:], start, head(rows)).ok
    assert found(rows[2:], rows, start) == (Finding.INSERTED, 3)
    assert found(rows[4:], rows, start) == (Finding.MISSING, 4)


@pytest.mark.parametrize(("one", "two"), combinations(range(6), 2))
def test_rows_that_changed_places_are_found(one: int, two: int) -> None:
    rows = chain(6)
    swapped = list(rows)
    swapped[one], swapped[two] = swapped[two], swapped[one]
    assert found(renumbered(swapped), rows) == (Finding.REORDERED, one + 1)


@pytest.mark.parametrize(("one", "two"), combinations(range(6), 2))
def test_rows_that_kept_their_hashes_when_they_changed_places_look_edited(
    one: int, two: int
) -> None:
    rows = chain(6)
    events = [event for event, _ in rows]
    events[one] = replace(rows[two][0], seq=one + 1)
    events[two] = replace(rows[one][0], seq=two + 1)
    swapped = [(event, stored) for event, (_, stored) in zip(events, rows, strict=True)]
    assert found(swapped, rows) == (Finding.EDITED, one + 1)


def test_rows_out_of_order_are_found() -> None:
    rows = chain(4)
    assert found([rows[0], rows[1], rows[1], *rows[2:]], rows) == (Finding.REORDERED, 2)


@given(st.data())
def test_whatever_is_done_to_the_rows_is_found(data: st.DataObject) -> None:
    rows = chain(5)
    indexes = st.integers(0, 4)
    others = [*rows, *((replace(event, body="new"), stored) for event, stored in rows)]
    changed = data.draw(st.lists(st.sampled_from(others), max_size=7))
    if data.draw(st.booleans()):
        changed = renumbered(changed, data.draw(indexes))
    result = verify(changed, START, head(rows))
    assert result.ok is (changed == rows)
    assert result.checked <= 5
    assert rows[: result.checked] == changed[: result.checked]
