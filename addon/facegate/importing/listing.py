"""The list: rows of people.csv, and what each says of a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
import csv
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TextIO
from zoneinfo import ZoneInfo

from facegate.errors import InvalidError
from facegate.office.checks import Details
from facegate.office.enrollment import NewConsent
from facegate.office.intake import ImportRecord
from facegate.register import Permit, SubjectKind

COLUMNS = (
    "external_id",
    "name",
    "kind",
    "unit",
    "language",
    "birth_date",
    "groups",
    "doors",
    "schedule",
    "valid_from",
    "valid_until",
    "photo",
    "distinct",
    "consent_version",
    "consent_purpose",
    "consent_language",
    "consent_signer",
    "consent_guardian",
    "consent_date",
    "pin",
    "card",
)
MAX_ROWS = 50_000

_REQUIRED = ("external_id", "name")
_SECRET = ("pin", "card")
_CONSENT = ("consent_version", "consent_purpose", "consent_language", "consent_signer")
# What a spreadsheet takes for the beginning of a formula, in full width too.
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")
_LONGEST_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One row: ``number`` as a spreadsheet counts it, the header being 1; ``cells`` by column.

    ``surplus`` tells that it has more cells than the header.
    """

    number: int
    cells: Mapping[str, str]
    surplus: bool = False

    @property
    def external_id(self) -> str:
        """The person's key in the other system, empty where the row gives none."""
        return self.cells["external_id"]

    @property
    def photo(self) -> str:
        """The name of the photo, empty where the row gives none."""
        return self.cells.get("photo", "")


def read_rows(text: TextIO) -> Iterator[Row]:
    """Return the rows that are not empty; raises ``InvalidError`` for a list that is none.

    The text is opened with ``newline=""``. Cells are without outer spaces.
    """
    try:
        header_line = text.readline()
        separator = ";" if header_line.count(";") > header_line.count(",") else ","
        header = _header(next(csv.reader([header_line], delimiter=separator, strict=True), []))
        count = 0
        for number, cells in enumerate(csv.reader(text, delimiter=separator, strict=True), 2):
            stripped = [cell.strip() for cell in cells]
            if not any(stripped):
                continue
            count += 1
            if count > MAX_ROWS:
                raise InvalidError(f"people.csv: more than {MAX_ROWS} rows; split the list")
            surplus = any(stripped[len(header) :])
            stripped += [""] * (len(header) - len(stripped))
            yield Row(number, dict(zip(header, stripped, strict=False)), surplus)
    except UnicodeDecodeError as err:
        raise InvalidError("people.csv: not UTF-8 text; save it as CSV UTF-8") from err
    except csv.Error as err:
        raise InvalidError(f"people.csv: not a CSV file ({err})") from err


def to_record(
    row: Row, zone: ZoneInfo, before: Details | None, photos: tuple[bytes, ...]
) -> ImportRecord:
    """Return what a row says of a person; raises ``InvalidError`` naming the column.

    ``before`` are the details of who is known already, with names of groups: what has no column
    stays as it is. An empty cell of a column that is there means none, but a kind, a consent, a
    photo, a PIN and a card that are not given are left as they are. ``distinct`` is yes for
    somebody who looks like another who is enrolled.
    """
    if row.surplus:
        raise InvalidError("the row has more cells than the header: quote cells with a separator")
    cells = row.cells
    for name in _REQUIRED:
        if not cells[name]:
            raise InvalidError(f"{name}: required")
    for name, cell in cells.items():
        if name not in _SECRET and cell.startswith(_FORMULA):
            raise InvalidError(f"{name}: begins with {cell[0]}, as a formula of a spreadsheet")
    kept = before or Details(cells["name"])
    birth_date = kept.birth_date
    if "birth_date" in cells:
        birth_date = _date("birth_date", cells["birth_date"]) if cells["birth_date"] else None
    return ImportRecord(
        Details(
            cells["name"],
            cells.get("kind") or (before.kind if before else SubjectKind.RESIDENT),
            cells["external_id"],
            (cells["unit"] or None) if "unit" in cells else kept.unit,
            (cells["language"] or None) if "language" in cells else kept.language,
            birth_date,
            _several(cells["groups"]) if "groups" in cells else kept.groups,
        ),
        _permits(cells, zone),
        _consent(cells, zone),
        cells.get("pin") or None,
        cells.get("card") or None,
        photos,
        _yes("distinct", cells.get("distinct", "")),
    )


def _header(cells: list[str]) -> tuple[str, ...]:
    names = tuple(cell.strip().lower() for cell in cells)
    if not set(_REQUIRED) <= set(names):
        # Not echoed: where the header is missing, these cells are somebody's.
        known = ", ".join(COLUMNS)
        raise InvalidError(
            "people.csv: the first row must name the columns, external_id and name among them;"
            f" known: {known}"
        )
    for name in names:
        if name not in COLUMNS:
            shown, known = repr(name[:_LONGEST_SHOWN]), ", ".join(COLUMNS)
            raise InvalidError(f"people.csv: unknown column {shown}; known: {known}")
        if names.count(name) > 1:
            raise InvalidError(f"people.csv: the column {name} is there twice")
    return names


def _permits(cells: Mapping[str, str], zone: ZoneInfo) -> tuple[Permit, ...] | None:
    doors = _several(cells.get("doors", ""))
    if not doors:
        for name in ("schedule", "valid_from", "valid_until"):
            if cells.get(name):
                raise InvalidError(f"{name}: needs doors, which it is to hold for")
        return () if "doors" in cells else None
    begin, end = cells.get("valid_from"), cells.get("valid_until")
    valid_from = _moment("valid_from", begin, zone) if begin else None
    valid_until = _moment("valid_until", end, zone, whole_day=True) if end else None
    if valid_from and valid_until and valid_until <= valid_from:
        raise InvalidError("valid_until: must be after valid_from")
    schedule = cells.get("schedule") or None
    return tuple(
        Permit(door, schedule_id=schedule, valid_from=valid_from, valid_until=valid_until)
        for door in doors
    )


def _consent(cells: Mapping[str, str], zone: ZoneInfo) -> NewConsent | None:
    guardian, given = cells.get("consent_guardian"), cells.get("consent_date")
    if not (guardian or given or any(cells.get(name) for name in _CONSENT)):
        return None
    for name in _CONSENT:
        if not cells.get(name):
            raise InvalidError(f"{name}: required for a consent")
    given_at = _moment("consent_date", given, zone) if given else None
    version, purpose, language, signer = (cells[name] for name in _CONSENT)
    return NewConsent(version, purpose, language, signer, guardian or None, given_at)


def _yes(name: str, cell: str) -> bool:
    if cell.lower() not in ("", "yes", "no"):
        raise InvalidError(f"{name}: {cell[:_LONGEST_SHOWN]!r} is neither yes nor no")
    return cell.lower() == "yes"


def _several(cell: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.strip() for part in cell.split(";") if part.strip()))


def _date(name: str, cell: str) -> date:
    try:
        return date.fromisoformat(cell)
    except ValueError as err:
        shown = repr(cell[:_LONGEST_SHOWN])
        raise InvalidError(f"{name}: {shown} is not a date such as 2026-01-31") from err


def _moment(name: str, cell: str, zone: ZoneInfo, *, whole_day: bool = False) -> datetime:
    """Return a moment on the site's clock; with ``whole_day`` a date is its end."""
    try:
        day = date.fromisoformat(cell)
    except ValueError:
        day = None
    try:
        if day is not None:
            day += timedelta(days=whole_day)
            found = datetime.combine(day, time(), zone)
        else:
            found = datetime.fromisoformat(cell)
            if found.tzinfo is None:
                found = found.replace(tzinfo=zone)
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as err:
        shown = repr(cell[:_LONGEST_SHOWN])
        raise InvalidError(
            f"{name}: {shown} is neither a date such as 2026-01-31 nor 2026-01-31T08:00"
        ) from err
