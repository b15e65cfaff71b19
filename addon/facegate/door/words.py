"""Reading what a device sends, which may be anything: each refuses with ``ValueError``."""

from __future__ import annotations

import json

LONGEST = 16_384
"""Bytes of a payload or an answer; what is longer is no state of a relay."""

_LONGEST_WORD = 200


def text(payload: bytes) -> str:
    """Return a payload as text."""
    if len(payload) > LONGEST:
        raise ValueError(f"longer than {LONGEST} bytes")
    return payload.decode()


def json_object(payload: str) -> dict[str, object]:
    """Return a payload that is a JSON object."""
    if not isinstance(found := _json(payload), dict):
        raise ValueError("not a JSON object")  # noqa: TRY004  of what is read
    return found


def scalar_at(payload: str, path: str) -> str:
    """Return the text, number or boolean at a path, booleans as ``true`` and ``false``."""
    found = value_at(_json(payload), path)
    if isinstance(found, bool):
        return str(found).lower()
    if not isinstance(found, str | int | float):
        raise ValueError(f"has no text or number at {path}")  # noqa: TRY004  of what is read
    return word(str(found))


def value_at(found: object, path: str) -> object:
    """Return what stands at a dotted path, such as ``body.0.celsius``; 0 is a list's first."""
    for part in path.split("."):
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and part.isdecimal() and int(part[:9]) < len(found):
            found = found[int(part[:9])]
        else:
            raise ValueError(f"has nothing at {path}")
    return found


def word(payload: str) -> str:
    """Return a short plain text without the space around it."""
    if len(found := payload.strip()) > _LONGEST_WORD:
        raise ValueError(f"longer than {_LONGEST_WORD} characters")
    return found


def _json(payload: str) -> object:
    try:
        found: object = json.loads(payload)
    except RecursionError as err:
        raise ValueError("nested too deeply") from err
    return found
