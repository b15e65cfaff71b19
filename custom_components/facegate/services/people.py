"""Actions on people and on what they may and present."""

from __future__ import annotations

import secrets
from typing import Any

from homeassistant.core import SupportsResponse
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType
import voluptuous as vol

from custom_components.facegate.protocol import SUBJECTS_PATH
from custom_components.facegate.rest import resource

from .base import Action, Call
from .values import DATE, MOMENT, PERMITS, SUBJECT, permits

PIN_DIGITS = 6

_PROFILE = {
    vol.Optional("kind"): cv.string,
    vol.Optional("external_id"): cv.string,
    vol.Optional("unit"): cv.string,
    vol.Optional("language"): cv.string,
    vol.Optional("birth_date"): DATE,
    vol.Optional("groups"): vol.All(cv.ensure_list, [cv.string]),
    vol.Optional("guardians"): vol.All(
        cv.ensure_list,
        [{vol.Required("name"): cv.string, vol.Optional("notify"): cv.string}],
    ),
}
_PROFILE_NAMES = ("name", *(str(field) for field in _PROFILE))


def subject_path(call: Call, *segments: str) -> str:
    """Return the path of the subject that a call names, or of a part of it."""
    return resource(SUBJECTS_PATH, call.data["subject_id"], *segments)


async def _add(call: Call) -> JsonObjectType:
    body = call.given(*_PROFILE_NAMES)
    if "permits" in call.data:
        body["permits"] = permits(call)
    return await call.ask("POST", SUBJECTS_PATH, body)


async def _update(call: Call) -> JsonObjectType:
    return await call.ask("PATCH", subject_path(call), call.given(*_PROFILE_NAMES))


async def _list(call: Call) -> JsonObjectType:
    return await call.ask("GET", SUBJECTS_PATH, query=call.given("group", "kind"))


async def _set_permits(call: Call) -> JsonObjectType:
    return await call.ask("PUT", subject_path(call, "permits"), {"permits": permits(call)})


async def _set_approval(call: Call) -> JsonObjectType:
    return await call.ask("PUT", subject_path(call, "approval"), call.given("state", "until"))


async def _add_credential(call: Call) -> JsonObjectType:
    body = call.given("kind", "pin", "duress_pin", "card_number", "valid_until")
    made: dict[str, Any] = {}
    if body["kind"] == "pin" and "pin" not in body:
        # A PIN that is made here is in no event and in no trace: the caller alone is told.
        made["pin"] = "".join(secrets.choice("0123456789") for _ in range(PIN_DIGITS))
    return {**await call.ask("POST", subject_path(call, "credentials"), body | made), **made}


async def _remove_credential(call: Call) -> JsonObjectType:
    return await call.ask("DELETE", subject_path(call, "credentials", call.data["credential_id"]))


async def _erase(call: Call) -> JsonObjectType:
    return await call.ask("DELETE", subject_path(call))


async def _export(call: Call) -> JsonObjectType:
    return await call.ask("GET", subject_path(call, "export"))


PEOPLE = (
    Action(
        "add_person",
        _add,
        {vol.Required("name"): cv.string, **_PROFILE, vol.Optional("permits"): PERMITS},
    ),
    Action("update_person", _update, {**SUBJECT, vol.Optional("name"): cv.string, **_PROFILE}),
    Action(
        "list_people",
        _list,
        {vol.Optional("group"): cv.string, vol.Optional("kind"): cv.string},
        response=SupportsResponse.ONLY,
    ),
    Action("set_permits", _set_permits, {**SUBJECT, vol.Required("permits"): PERMITS}),
    Action(
        "set_approval",
        _set_approval,
        {**SUBJECT, vol.Required("state"): cv.string, vol.Optional("until"): MOMENT},
    ),
    Action(
        "add_credential",
        _add_credential,
        {
            **SUBJECT,
            vol.Required("kind"): cv.string,
            vol.Optional("pin"): cv.string,
            vol.Optional("duress_pin"): cv.string,
            vol.Optional("card_number"): cv.string,
            vol.Optional("valid_until"): MOMENT,
        },
    ),
    Action(
        "remove_credential",
        _remove_credential,
        {**SUBJECT, vol.Required("credential_id"): cv.string},
    ),
    Action("erase_person", _erase, SUBJECT),
    Action("export_person", _export, SUBJECT, response=SupportsResponse.ONLY),
)
