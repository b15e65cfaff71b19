"""Actions on groups."""

from __future__ import annotations

from homeassistant.core import SupportsResponse
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from custom_components.facegate.protocol import GROUPS_PATH
from custom_components.facegate.rest import resource

from .base import Action, Call
from .values import MOMENT, PERMITS, permits

_GROUP = {vol.Required("group_id"): cv.string}


async def _add(call: Call) -> JsonObjectType:
    return await call.ask("POST", GROUPS_PATH, call.given("name"))


async def _list(call: Call) -> JsonObjectType:
    return await call.ask("GET", GROUPS_PATH)


async def _set_permits(call: Call) -> JsonObjectType:
    path = resource(GROUPS_PATH, call.data["group_id"], "permits")
    return await call.ask("PUT", path, {"permits": permits(call)})


async def _retire(call: Call) -> JsonObjectType:
    path = resource(GROUPS_PATH, call.data["group_id"], "retirements")
    return await call.ask("POST", path, call.given("kind", "at"))


GROUPS = (
    Action("add_group", _add, {vol.Required("name"): cv.string}),
    Action("list_groups", _list, {}, response=SupportsResponse.ONLY),
    Action("set_group_permits", _set_permits, {**_GROUP, vol.Required("permits"): PERMITS}),
    Action(
        "retire_credentials",
        _retire,
        {**_GROUP, vol.Required("kind"): cv.string, vol.Required("at"): MOMENT},
    ),
)
