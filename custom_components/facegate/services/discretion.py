"""What Home Assistant tells of a call: never a secret, never a person.

Every call is an event that the recorder keeps and that traces show. What is in it is taken out of
the data of the call once it has been read, before the event is fired.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import voluptuous as vol

from .base import CONFIG_ENTRY, Fields

REDACTED = "**REDACTED**"
# Everything else may tell of a person, or open a door.
_TOLD = frozenset(
    {
        CONFIG_ENTRY,
        "active",
        "answer",
        "area",
        "call_id",
        "direction",
        "door",
        "doors",
        "mode",
        "seconds",
    }
)


def discreet(fields: Fields) -> vol.All:
    """Return a schema of these fields that leaves nothing private in what it has read."""
    return vol.All(_reader(vol.Schema(fields)))


def _reader(schema: vol.Schema) -> Callable[[dict[str, Any]], dict[str, Any]]:
    def read(data: dict[str, Any]) -> dict[str, Any]:
        checked: dict[str, Any] = schema(data)
        for name in data.keys() - _TOLD:
            data[name] = REDACTED
        return checked

    return read
