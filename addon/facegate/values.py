"""What a single option may be: each validator says what is accepted where it refuses.

Messages never show an address: one in a wrong place may hold a password.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
import re
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import holidays
import voluptuous as vol

from facegate.register import DAY_MINUTES

ID = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_COUNTRY = re.compile(r"[A-Z]{2}")
_TIME = re.compile(r"([0-2][0-9]):([0-5][0-9])")
_SCHEMES = ("rtsp", "rtsps")
_WEB_SCHEMES = ("http", "https")
_WILDCARDS = frozenset("+#")
_LONGEST_TOPIC = 200
_SHOWN = 60


def shown(value: object) -> str:
    """Return a refused value for a message."""
    text = repr(value)
    return "(an address)" if "://" in text else text[:_SHOWN]


def identifier(value: object) -> str:
    """Accept the id of a camera, a door, an area or a schedule."""
    if not isinstance(value, str) or not ID.fullmatch(value):
        raise vol.Invalid(
            f"{shown(value)} is not an id: use 1 to 40 lower-case letters, digits and underscores"
        )
    return value


def name(value: object) -> str:
    """Accept a name for people, without spaces around it."""
    longest = 80
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= longest:
        raise vol.Invalid(f"expected a name of 1 to {longest} characters")
    return value.strip()


def stream_url(value: object) -> str:
    """Accept the address of a camera's stream."""
    return _url(value, _SCHEMES, "rtsp://user:password@192.168.1.20:554/stream1")


def video_path(value: object) -> Path:
    """Accept the path of a video file, there or not."""
    if not isinstance(value, str) or not value:
        raise vol.Invalid("expected the path of a video file")
    return Path(value)


def folder_path(value: object) -> Path:
    """Accept the whole path of a folder, there or not."""
    if not isinstance(value, str) or not Path(value).is_absolute():
        raise vol.Invalid("expected the path of a folder, from / on")
    return Path(value)


def file_path(value: object) -> Path:
    """Accept the whole path of a file, there or not."""
    if not isinstance(value, str) or not Path(value).is_absolute():
        raise vol.Invalid("expected the path of a file, from / on")
    return Path(value)


def web_url(value: object) -> str:
    """Accept the address of a device's web server."""
    return _url(value, _WEB_SCHEMES, "http://192.168.1.30/relay/0?turn=on")


def _url(value: object, schemes: tuple[str, ...], example: str) -> str:
    try:
        if isinstance(value, str):
            parts = urlsplit(value)
            if parts.scheme in schemes and parts.hostname and parts.port != 0:
                return value
    except ValueError:
        pass
    raise vol.Invalid(f"expected an address such as {example}")


def topic(value: object) -> str:
    """Accept an MQTT topic to publish to: no wildcards, no slash at its ends."""
    if (
        not isinstance(value, str)
        or not 1 <= len(value) <= _LONGEST_TOPIC
        or not value.isprintable()
        or value != value.strip("/ ")
        or not _WILDCARDS.isdisjoint(value)
        or value.startswith("$")
    ):
        raise vol.Invalid(f"{shown(value)} is not a topic such as home/door/relay")
    return value


def text(shortest: int, longest: int) -> Callable[[object], str]:
    """Accept a string of so many characters; it is never shown, as it may be a password."""

    def check(value: object) -> str:
        if not isinstance(value, str) or not shortest <= len(value) <= longest:
            raise vol.Invalid(f"expected a text of {shortest} to {longest} characters")
        return value

    return check


def boolean(value: object) -> bool:
    """Accept true and false only."""
    if not isinstance(value, bool):
        raise vol.Invalid(f"{shown(value)} is not one of true, false")
    return value


def number(low: float, high: float) -> Callable[[object], float]:
    """Accept a number from ``low`` to ``high``."""

    def check(value: object) -> float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not is_number or not low <= value <= high:  # type: ignore[operator]
            raise vol.Invalid(f"{shown(value)} is not a number from {low:g} to {high:g}")
        return float(value)  # type: ignore[arg-type]

    return check


def whole(low: int, high: int) -> Callable[[object], int]:
    """Accept a whole number from ``low`` to ``high``."""

    def check(value: object) -> int:
        if type(value) is not int or not low <= value <= high:
            raise vol.Invalid(f"{shown(value)} is not a whole number from {low} to {high}")
        return value

    return check


def one_of[E: StrEnum](choices: type[E]) -> Callable[[object], E]:
    """Accept a member of an enumeration by its value."""

    def check(value: object) -> E:
        if not isinstance(value, str) or value not in list(choices):
            raise vol.Invalid(f"{shown(value)} is not one of {', '.join(choices)}")
        return choices(value)

    return check


def weekday(value: object) -> int:
    """Accept the short name of a day of the week; Monday is 0."""
    if not isinstance(value, str) or value not in DAYS:
        raise vol.Invalid(f"{shown(value)} is not one of {', '.join(DAYS)}")
    return DAYS.index(value)


def day(value: object) -> date:
    """Accept a date as YYYY-MM-DD."""
    try:
        # Python reads other forms too, such as week dates, that people read differently.
        if isinstance(value, str) and (found := date.fromisoformat(value)).isoformat() == value:
            return found
    except ValueError:
        pass
    raise vol.Invalid(f"{shown(value)} is not a date such as 2026-12-24")


def begin_of_hours(value: object) -> int:
    """Accept a time of day from 00:00 to 23:59, as minutes of the day."""
    minutes = _minutes(value)
    if minutes is None or minutes == DAY_MINUTES:
        raise vol.Invalid(f"{shown(value)} is not a time from 00:00 to 23:59")
    return minutes


def end_of_hours(value: object) -> int:
    """Accept a time of day from 00:00 to 24:00, as minutes; midnight is the end of a day."""
    minutes = _minutes(value)
    if minutes is None:
        raise vol.Invalid(f"{shown(value)} is not a time from 00:00 to 24:00")
    return minutes or DAY_MINUTES


def _minutes(value: object) -> int | None:
    found = _TIME.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        return None
    minutes = int(found[1]) * 60 + int(found[2])
    return minutes if minutes <= DAY_MINUTES else None


def host(value: object) -> str:
    """Accept an address to listen at."""
    if not isinstance(value, str) or not value or any(char.isspace() for char in value):
        raise vol.Invalid("expected an address such as 127.0.0.1 or 0.0.0.0")
    return value


def address(value: object) -> str:
    """Accept the address of one host; a name could be anybody's."""
    try:
        return str(ip_address(value if isinstance(value, str) else ""))
    except ValueError as err:
        raise vol.Invalid("expected an IP address such as 172.30.32.2") from err


def time_zone(value: object) -> ZoneInfo:
    """Accept the name of a time zone."""
    try:
        if isinstance(value, str):
            return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise vol.Invalid(f"{shown(value)} is not a time zone such as Europe/Berlin or UTC")


def country(value: object) -> str:
    """Accept a country whose public holidays are known."""
    try:
        if isinstance(value, str) and _COUNTRY.fullmatch(value):
            holidays.country_holidays(value)
            return value
    except NotImplementedError:
        pass
    raise vol.Invalid(
        f"{shown(value)} is not a country whose holidays are known: use its two letters, such as DE"
    )


def known_subdivision(calendar: dict[str, Any]) -> dict[str, Any]:
    """Accept holidays of a country, or of one of its states or regions."""
    subdivision = calendar.get("subdivision")
    known = holidays.country_holidays(calendar["country"]).subdivisions
    if subdivision is not None and subdivision not in known:
        accepted = f"use one of {', '.join(known)}" if known else "leave it out"
        raise vol.Invalid(
            f"no holidays are known for {shown(subdivision)} in {calendar['country']}: {accepted}",
            ["subdivision"],
        )
    return calendar


def each(schema: Callable[[object], Any]) -> Callable[[object], list[Any]]:
    """Check every item of a list: voluptuous' own lists stop at the first that is wrong."""

    def check(value: object) -> list[Any]:
        if not isinstance(value, list):
            raise vol.Invalid("expected a list")
        checked: list[Any] = []
        mistakes: list[vol.Invalid] = []
        for index, item in enumerate(value):
            try:
                checked.append(schema(item))
            except vol.Invalid as err:
                err.prepend([index])
                mistakes += err.errors if isinstance(err, vol.MultipleInvalid) else [err]
        if mistakes:
            raise vol.MultipleInvalid(mistakes)
        return checked

    return check
