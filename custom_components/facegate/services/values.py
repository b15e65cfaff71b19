"""Values in the fields of actions, as the engine takes them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from homeassistant.helpers import config_validation as cv
from homeassistant.util import dt as dt_util
import voluptuous as vol

from custom_components.facegate.protocol import Direction

from .base import Call

SUBJECT = {vol.Required("subject_id"): cv.string}


def _epoch(moment: datetime) -> float:
    """Return seconds since the epoch; a moment without a zone is in Home Assistant's own."""
    return dt_util.as_utc(moment).timestamp()


def _iso(day: date) -> str:
    return day.isoformat()


MOMENT = vol.All(cv.datetime, _epoch)
DATE = vol.All(cv.date, _iso)
DIRECTION = vol.In([direction.value for direction in Direction])
PERMITS = vol.All(
    cv.ensure_list,
    [
        {
            vol.Required("door"): cv.string,
            vol.Optional("direction"): DIRECTION,
            vol.Optional("schedule"): cv.string,
            vol.Optional("valid_from"): MOMENT,
            vol.Optional("valid_until"): MOMENT,
        }
    ],
)
NAMES = {"door": "door_id", "schedule": "schedule_id"}


def permits(call: Call) -> list[dict[str, Any]]:
    """Return the permits of a call as the engine takes them."""
    return [
        {
            NAMES.get(name, name): call.door(value) if name == "door" else value
            for name, value in permit.items()
        }
        for permit in call.data["permits"]
    ]
