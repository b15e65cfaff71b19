"""The report as JSON: the same nouns, names and figures as in the code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
import json

_DIGITS = 6

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None


def to_json(report: object) -> str:
    """Return the text of a report, the same for the same figures."""
    return json.dumps(plain(report), indent=1, ensure_ascii=False) + "\n"


def plain(value: object) -> Json:
    """Return dataclasses as objects and tuples as arrays; floats have six digits.

    Raises ``TypeError`` for anything that a report does not hold.
    """
    if isinstance(value, str):
        return str(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    if isinstance(value, Mapping):
        return {str(key): plain(each) for key, each in value.items()}
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    raise TypeError(f"a report cannot hold {type(value).__name__}")
