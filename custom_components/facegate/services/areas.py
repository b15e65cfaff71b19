"""Actions on areas, for who may see or control their occupancy."""

from __future__ import annotations

from homeassistant.auth.permissions.const import POLICY_CONTROL, POLICY_READ
from homeassistant.core import SupportsResponse
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from custom_components.facegate.protocol import AREAS_PATH
from custom_components.facegate.rest import resource

from .base import Action, Call

_AREA = {vol.Required("area"): cv.string}


async def _get(call: Call) -> JsonObjectType:
    known = call.coordinator.data.areas
    if "area" in call.data:
        wanted = {call.area(call.data["area"], POLICY_READ)}
    else:
        wanted = {area_id for area_id in known if call.may_area(area_id, POLICY_READ)}
        if known and not wanted:
            raise Unauthorized(permission=POLICY_READ)
    areas = (await call.ask("GET", AREAS_PATH)).get("areas")
    found = areas if isinstance(areas, list) else []
    return {
        "areas": [
            _shown(call, area) for area in found if isinstance(area, dict) and area["id"] in wanted
        ]
    }


async def _set(call: Call) -> JsonObjectType:
    path = resource(AREAS_PATH, call.area(call.data["area"], POLICY_CONTROL), "occupancy")
    return _shown(call, await call.ask("PUT", path, call.given("count")))


async def _reset(call: Call) -> JsonObjectType:
    path = resource(AREAS_PATH, call.area(call.data["area"], POLICY_CONTROL), "reset")
    return _shown(call, await call.ask("POST", path, call.given("subject_id")))


def _shown(call: Call, area: JsonObjectType) -> JsonObjectType:
    """Return an area; who is in it only administrators are told."""
    return {key: value for key, value in area.items() if call.is_admin or key != "subjects"}


AREAS = (
    Action(
        "get_occupancy",
        _get,
        {vol.Optional("area"): cv.string},
        admin=False,
        response=SupportsResponse.ONLY,
    ),
    Action(
        "set_occupancy",
        _set,
        {**_AREA, vol.Required("count"): vol.All(vol.Coerce(int), vol.Range(min=0))},
        admin=False,
    ),
    Action("reset_passback", _reset, {**_AREA, vol.Optional("subject_id"): cv.string}, admin=False),
)
