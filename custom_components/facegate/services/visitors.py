"""Actions on visitors, for who controls the doors they come to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from homeassistant.auth.permissions.const import POLICY_CONTROL
from homeassistant.core import SupportsResponse
from homeassistant.exceptions import Unauthorized
from homeassistant.helpers import config_validation as cv
from homeassistant.util.json import JsonObjectType, JsonValueType
import voluptuous as vol

from custom_components.facegate.entity import translated_errors
from custom_components.facegate.protocol import DOORS_PATH, PASSES_PATH, CallAnswer
from custom_components.facegate.rest import resource

from .base import Action, Call, refusal
from .values import MOMENT


async def _create(call: Call) -> JsonObjectType:
    body = call.given("name", "valid_from", "valid_until", "max_uses", "unit")
    body["door_ids"] = [call.controlled_door(door) for door in call.data["doors"]]
    return await call.ask("POST", PASSES_PATH, body)


async def _revoke(call: Call) -> JsonObjectType:
    wanted: str = call.data["pass_id"]
    if call.user is not None:
        known = {item["id"]: item for item in await _passes(call)}
        if wanted not in known:
            raise refusal("no_pass", name=wanted)
        if not _controls_all(call, known[wanted]):
            raise Unauthorized(user_id=call.user.id, permission=POLICY_CONTROL)
    return await call.ask("DELETE", resource(PASSES_PATH, wanted))


async def _list(call: Call) -> JsonObjectType:
    found: list[JsonValueType] = [item for item in await _passes(call) if _controls_all(call, item)]
    if not found and call.user is not None and not call.is_admin:
        # Nobody learns here whether there are passes at doors that are not theirs.
        _require_a_door(call)
    return {"passes": found}


async def _answer(call: Call) -> JsonObjectType:
    call = await _tapped_by(call)
    call_id = call.data["call_id"]
    visitor = call.coordinator.data.calls.get(call_id)
    if visitor is None:
        _require_a_door(call)
        raise refusal("call_closed")
    call.controlled_door(visitor.door_id)
    answer = CallAnswer(call.data["answer"])
    with translated_errors():
        await call.coordinator.client.answer_call(call_id, answer, call.user_name)
    return {"call_id": call_id, "door_id": visitor.door_id, "answer": answer.value}


async def _tapped_by(call: Call) -> Call:
    """Return an automation's call as that of the user who tapped, with that user's rights."""
    user_id = call.data.get("user_id")
    if call.user is not None or user_id is None:
        return call
    user = await call.hass.auth.async_get_user(user_id)
    if user is None:
        raise Unauthorized(user_id=user_id, permission=POLICY_CONTROL)
    return replace(call, user=user)


async def _ask_unit(call: Call) -> JsonObjectType:
    door_id = call.controlled_door(call.data["door"])
    body = {"unit": call.data.get("unit")}
    return await call.ask("POST", resource(DOORS_PATH, door_id, "unit"), body)


async def _passes(call: Call) -> list[dict[str, Any]]:
    passes = (await call.ask("GET", PASSES_PATH)).get("passes")
    return [item for item in passes if isinstance(item, dict)] if isinstance(passes, list) else []


def _controls_all(call: Call, item: dict[str, Any]) -> bool:
    return all(call.controls(door_id) for door_id in item["door_ids"])


def _require_a_door(call: Call) -> None:
    """Raise ``Unauthorized`` for who controls no door at all."""
    if not any(call.controls(door_id) for door_id in call.coordinator.data.doors):
        raise Unauthorized(permission=POLICY_CONTROL)


VISITORS = (
    Action(
        "create_pass",
        _create,
        {
            vol.Required("name"): cv.string,
            vol.Required("doors"): vol.All(cv.ensure_list, vol.Length(min=1), [cv.string]),
            vol.Required("valid_until"): MOMENT,
            vol.Optional("valid_from"): MOMENT,
            vol.Optional("max_uses"): cv.positive_int,
            vol.Optional("unit"): cv.string,
        },
        admin=False,
        response=SupportsResponse.ONLY,
    ),
    Action("revoke_pass", _revoke, {vol.Required("pass_id"): cv.string}, admin=False),
    Action("list_passes", _list, {}, admin=False, response=SupportsResponse.ONLY),
    Action(
        "answer_call",
        _answer,
        {
            vol.Required("call_id"): cv.string,
            vol.Required("answer"): vol.In([answer.value for answer in CallAnswer]),
            vol.Optional("user_id"): cv.string,
        },
        admin=False,
    ),
    Action(
        "ask_unit",
        _ask_unit,
        {vol.Required("door"): cv.string, vol.Optional("unit"): cv.string},
        admin=False,
    ),
)
