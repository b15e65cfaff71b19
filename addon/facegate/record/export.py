"""Taking events out of the record, from the database's file: the engine may run or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
import io
import json
from pathlib import Path
from typing import Any, NamedTuple

from facegate.errors import InvalidError
from facegate.record.audit import COLUMNS, read_only

_CSV_COLUMNS = (
    *("seq", "at", "kind", "ref", "door_id", "subject_id", "opening_id"),
    *("granted", "reason", "direction", "basis", "body", "hash"),
)
_FROM_BODY = ("granted", "reason", "direction", "basis")
# What a spreadsheet may take for the beginning of a formula, in full width too.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_AT_ONCE = 500
_BEFORE_ALL = -(2**63)


class ExportFormat(StrEnum):
    """JSON lines, with the body as it is, or CSV for spreadsheets."""

    JSON_LINES = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events: from ``since`` on and before ``until`` (aware), of a door, of a subject."""

    since: datetime | None = None
    until: datetime | None = None
    door_id: str | None = None
    subject_id: str | None = None


_ALL = EventFilter()


async def export_events(
    path: Path, export_format: ExportFormat, wanted: EventFilter = _ALL
) -> AsyncIterator[str]:
    """Yield the wanted events as text, some hundred whole lines at a time, oldest first.

    Raises ``InvalidError`` for a moment without a time zone and ``RecordError``.
    """
    where, values = _condition(wanted)
    is_csv = export_format is ExportFormat.CSV
    if is_csv:
        yield _csv([_CSV_COLUMNS])
    after = _BEFORE_ALL
    while rows := await asyncio.to_thread(_page, path, where, (after, *values)):
        after = rows[-1].seq
        yield _csv(map(_cells, rows)) if is_csv else "".join(map(_json_line, rows))


def _condition(wanted: EventFilter) -> tuple[str, tuple[str | float, ...]]:
    moments = (wanted.since, wanted.until)
    if any(moment is not None and moment.tzinfo is None for moment in moments):
        raise InvalidError("since and until need a time zone, as in 2026-01-31T08:00:00+01:00")
    since, until = (None if moment is None else moment.timestamp() for moment in moments)
    conditions = (
        ("at >= ?", since),
        ("at < ?", until),
        ("door_id = ?", wanted.door_id),
        ("subject_id = ?", wanted.subject_id),
    )
    chosen = [(text, value) for text, value in conditions if value is not None]
    where = " AND ".join(("seq > ?", *(text for text, _ in chosen)))
    return where, tuple(value for _, value in chosen)


class _Row(NamedTuple):
    """An event as it was read; an edited one may hold any type anywhere but in ``seq``."""

    seq: int
    at: Any
    kind: Any
    ref: Any
    door_id: Any
    subject_id: Any
    opening_id: Any
    body: Any
    hash: Any


def _page(path: Path, where: str, values: tuple[str | float, ...]) -> list[_Row]:
    query = f"SELECT {COLUMNS} FROM events WHERE {where} ORDER BY seq LIMIT {_AT_ONCE}"  # noqa: S608
    with read_only(path, errors="replace") as connection:
        return [_Row(*row) for row in connection.execute(query, values)]


def _json_line(row: _Row) -> str:
    body = _read_body(row.body)
    plain = row._replace(at=_moment(row.at), body=row.body if body is None else body)
    return json.dumps(plain._asdict(), default=_text) + "\n"


def _cells(row: _Row) -> Iterator[str]:
    body = _read_body(row.body)
    said = body if isinstance(body, dict) else {}
    for column in _CSV_COLUMNS:
        if column == "at":
            yield _moment(row.at)
        else:
            yield _cell(said.get(column) if column in _FROM_BODY else getattr(row, column))


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = _text(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def _csv(rows: Iterable[Iterable[str]]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _read_body(text: Any) -> Any:
    """Return what a body says, or None where it is no JSON."""
    try:
        return json.loads(text)
    except (TypeError, ValueError, RecursionError):
        return None


def _moment(at: Any) -> str:
    try:
        return datetime.fromtimestamp(at, UTC).isoformat()
    except (TypeError, ValueError, OverflowError, OSError):
        # An edited row is taken out as it is.
        return _text(at)


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.hex()
    return "" if value is None else str(value)
