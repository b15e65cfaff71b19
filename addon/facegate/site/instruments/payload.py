"""What sensors send: a plain value, or JSON and where in it the value stands."""

from __future__ import annotations

import json
import math
import re

from facegate.door.words import value_at
from facegate.errors import InvalidError

MOST_BYTES = 64 * 1024
"""More than this no sensor says at once; only document readers send pictures."""

_NUMBER = re.compile(r"[+-]?[0-9]{1,6}(\.[0-9]{0,12})?")


def json_of(payload: bytes) -> object:
    """Return the JSON of a message; raises ``InvalidError`` without a word of what is in it."""
    try:
        return json.loads(payload)
    except (ValueError, RecursionError) as err:
        raise InvalidError("the message is not JSON") from err


def word_of(payload: bytes, path: str | None) -> str:
    """Return the word that a message says, ``true`` and ``false`` for JSON's.

    Raises ``InvalidError``.
    """
    _check_size(payload)
    if path is None:
        return payload.decode(errors="replace").strip()
    value = _found_at(payload, path)
    if isinstance(value, str):
        return value.strip()
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    raise InvalidError(f"expected one word at the path {path!r}")


def number_of(payload: bytes, path: str | None) -> float | None:
    """Return the number of a message, None where its JSON says null; raises ``InvalidError``."""
    _check_size(payload)
    value: object = payload.decode(errors="replace") if path is None else None
    if path is not None and (value := _found_at(payload, path)) is None:
        return None
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InvalidError("the message has no number where one is expected")
    try:
        number = float(value)
    except OverflowError as err:
        raise InvalidError("the message has no number where one is expected") from err
    if not math.isfinite(number):
        raise InvalidError("the message has no number where one is expected")
    return number


def moment_of(value: object) -> float | None:
    """Return ``at`` of a JSON object, in seconds since 1970 UTC, None where there is none.

    Raises ``InvalidError``.
    """
    at = value.get("at") if isinstance(value, dict) else None
    if at is None:
        return None
    if isinstance(at, bool) or not isinstance(at, int | float) or not abs(at) < 1e12:  # noqa: PLR2004
        raise InvalidError("at: expected seconds since 1970 UTC")
    return float(at)


def _found_at(payload: bytes, path: str) -> object:
    try:
        return value_at(json_of(payload), path)
    except ValueError as err:
        raise InvalidError(f"the message has nothing at the path {path!r}") from err


def _check_size(payload: bytes) -> None:
    if len(payload) > MOST_BYTES:
        raise InvalidError(f"the message has {len(payload)} bytes; at most {MOST_BYTES} are read")
