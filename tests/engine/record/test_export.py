"""Events are taken out wholly, in pieces, and as harmless text."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import closing
import csv
from datetime import UTC, datetime, timedelta
import io
import json
from pathlib import Path
import sqlite3

import pytest

from facegate.errors import InvalidError
from facegate.record.bodies import Json
from facegate.record.chain import GENESIS, ChainedEvent, link
from facegate.record.export import EventFilter, ExportFormat, export_events
from facegate.record.store import EventKind, Store

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[Path]:
    """Give a record of a decision, an opening at another door, and one that belongs to no door."""
    path = tmp_path / "facegate.db"
    store = await Store.open(path)
    why: dict[str, Json] = {"reason": "permit", "direction": "entry", "basis": "face"}
    await store.record(
        EventKind.ACCESS,
        NOON,
        "=1+1",
        door_id="front",
        subject_id="ann",
        opening_id="+o",
        body={"granted": True, **why, "score": 0.9},
    )
    await store.record(EventKind.OPENING, NOON + timedelta(hours=1), "-2", door_id="back")
    await store.record(
        EventKind.CLOCK, NOON + timedelta(hours=2, microseconds=5), "@c", body={"reason": "\t=x"}
    )
    yield path
    await store.close()


async def exported(path: Path, form: ExportFormat, wanted: EventFilter | None = None) -> str:
    chunks = export_events(path, form) if wanted is None else export_events(path, form, wanted)
    return "".join([chunk async for chunk in chunks])


async def refs(path: Path, wanted: EventFilter) -> list[str]:
    text = await exported(path, ExportFormat.JSON_LINES, wanted)
    return [json.loads(line)["ref"] for line in text.splitlines()]


async def test_events_are_taken_out_as_json_lines(records: Path) -> None:
    text = await exported(records, ExportFormat.JSON_LINES)
    first, second, third = (json.loads(line) for line in text.splitlines())
    assert first.pop("hash") != second.pop("hash")
    assert first == {
        "seq": 1,
        "at": "2026-11-01T12:00:00+00:00",
        "kind": "access",
        "ref": "=1+1",
        "door_id": "front",
        "subject_id": "ann",
        "opening_id": "+o",
        "body": {
            "granted": True,
            "reason": "permit",
            "direction": "entry",
            "basis": "face",
            "score": 0.9,
        },
    }
    assert (second["subject_id"], second["opening_id"], second["body"]) == (None, None, {})
    assert (third["door_id"], third["at"]) == (None, "2026-11-01T14:00:00.000005+00:00")


async def test_the_chain_can_be_checked_from_what_was_taken_out(records: Path) -> None:
    digest = GENESIS
    for line in (await exported(records, ExportFormat.JSON_LINES)).splitlines():
        row = json.loads(line)
        stored = bytes.fromhex(row.pop("hash"))
        row["at"] = datetime.fromisoformat(row["at"]).timestamp()
        row["body"] = json.dumps(row["body"])
        digest = link(digest, ChainedEvent(**row))
        assert digest == stored


async def test_events_are_taken_out_for_a_spreadsheet_that_runs_none_of_them(
    records: Path,
) -> None:
    text = await exported(records, ExportFormat.CSV)
    header, first, second, third = csv.reader(io.StringIO(text, newline=""))
    assert ",".join(header) == (
        "seq,at,kind,ref,door_id,subject_id,opening_id,granted,reason,direction,basis,body,hash"
    )
    assert first[:11] == [
        *("1", "2026-11-01T12:00:00+00:00", "access", "'=1+1", "front", "ann", "'+o"),
        *("true", "permit", "entry", "face"),
    ]
    assert json.loads(first[11])["score"] == 0.9
    assert len(bytes.fromhex(first[12])) == 32
    assert second[3:11] == ["'-2", "back", "", "", "", "", "", ""]
    assert (third[3], third[8]) == ("'@c", "'\t=x")


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (EventFilter(), ["=1+1", "-2", "@c"]),
        (EventFilter(since=NOON + timedelta(hours=1)), ["-2", "@c"]),
        (EventFilter(until=NOON + timedelta(hours=1)), ["=1+1"]),
        (EventFilter(since=NOON, until=NOON), []),
        (EventFilter(door_id="back"), ["-2"]),
        (EventFilter(subject_id="ann"), ["=1+1"]),
        (EventFilter(door_id="back", subject_id="ann"), []),
        (EventFilter(door_id="front' OR 1=1 --"), []),
    ],
)
async def test_only_what_is_asked_for_is_taken_out(
    records: Path, wanted: EventFilter, expected: list[str]
) -> None:
    assert await refs(records, wanted) == expected


NO_ZONE = NOON.replace(tzinfo=None)


@pytest.mark.parametrize("wanted", [EventFilter(since=NO_ZONE), EventFilter(until=NO_ZONE)])
async def test_a_moment_without_a_time_zone_is_refused(records: Path, wanted: EventFilter) -> None:
    with pytest.raises(InvalidError, match="time zone"):
        await exported(records, ExportFormat.CSV, wanted)


async def test_an_edited_record_is_taken_out_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "facegate.db"
    store = await Store.open(path)
    for number in range(1, 7):
        await store.record(EventKind.LOCK, NOON, f"r{number}")
    await store.close()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE events SET body = CAST(x'ff7b' AS TEXT) WHERE seq = 1")
        connection.execute("UPDATE events SET at = 1e300, body = x'00' WHERE seq = 2")
        connection.execute("UPDATE events SET at = 'x', body = '[1]', kind = 3 WHERE seq = 3")
        connection.execute("UPDATE events SET hash = 'text' WHERE seq = 4")
        connection.execute("UPDATE events SET seq = -4 WHERE seq = 5")
    lines = (await exported(path, ExportFormat.JSON_LINES)).splitlines()
    assert [json.loads(line)["seq"] for line in lines] == [-4, 1, 2, 3, 4, 6]
    assert json.loads(lines[1])["body"] == "\ufffd{"
    assert [json.loads(lines[2])[key] for key in ("at", "body")] == ["1e+300", "00"]
    text = await exported(path, ExportFormat.CSV)
    text.encode()
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert (rows[4][1], rows[4][7], rows[4][11]) == ("x", "", "[1]")


async def test_a_long_record_comes_in_pieces_and_wholly(tmp_path: Path) -> None:
    path = tmp_path / "facegate.db"
    store = await Store.open(path)
    async with store.writing() as work:
        for number in range(1234):
            work.record(EventKind.LOCK, NOON, f"r{number}")
    chunks = [chunk async for chunk in export_events(path, ExportFormat.JSON_LINES)]
    await store.close()
    assert len(chunks) == 3
    assert all(chunk.endswith("\n") for chunk in chunks)
    lines = "".join(chunks).splitlines()
    assert [json.loads(line)["ref"] for line in lines] == [f"r{number}" for number in range(1234)]
