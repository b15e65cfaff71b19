"""Actions at doors: their mode, and what readers and thermometers bring."""

from __future__ import annotations

from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from custom_components.facegate.protocol import DOORS_PATH, MODE_PATH, DoorMode
from custom_components.facegate.rest import resource

from .base import Action, Call, Fields
from .files import PHOTO, photo
from .values import DIRECTION, MOMENT

_DOOR = {vol.Required("door"): cv.string}
_WAY: Fields = {**_DOOR, vol.Optional("direction"): DIRECTION}


def _path(call: Call, part: str) -> str:
    """Return the path of a part of the door, which the user may control."""
    return resource(DOORS_PATH, call.controlled_door(call.data["door"]), part)


async def _set_mode(call: Call) -> JsonObjectType:
    return await call.ask("PUT", _path(call, "mode"), call.given("mode"))


async def _lockdown(call: Call) -> JsonObjectType:
    mode = DoorMode.LOCKDOWN if call.data["enabled"] else DoorMode.NORMAL
    return await call.ask("PUT", MODE_PATH, {"mode": mode.value})


async def _present(call: Call) -> JsonObjectType:
    body = call.given("direction", "number", "pin", "card_number", "code")
    return await call.ask("POST", _path(call, "credentials"), body)


async def _report_temperature(call: Call) -> JsonObjectType:
    body = call.given("celsius", "direction", "at")
    return await call.ask("POST", _path(call, "temperature"), body)


async def _present_document(call: Call) -> JsonObjectType:
    path = _path(call, "document")
    return await call.ask("POST", path, await photo(call), query=call.given("direction"))


DOORS = (
    Action(
        "set_door_mode",
        _set_mode,
        {**_DOOR, vol.Required("mode"): vol.In([mode.value for mode in DoorMode])},
        admin=False,
    ),
    Action("lockdown", _lockdown, {vol.Optional("enabled", default=True): cv.boolean}),
    Action(
        "present_credential",
        _present,
        {
            **_WAY,
            vol.Optional("number"): cv.string,
            vol.Optional("pin"): cv.string,
            vol.Optional("card_number"): cv.string,
            vol.Optional("code"): cv.string,
        },
        admin=False,
    ),
    Action(
        "report_temperature",
        _report_temperature,
        {**_WAY, vol.Required("celsius"): vol.Coerce(float), vol.Optional("at"): MOMENT},
        admin=False,
    ),
    Action("present_document", _present_document, {**_WAY, **PHOTO}, admin=False),
)
