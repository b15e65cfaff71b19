"""Actions on doors and areas, and what is one request of theirs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiohttp import web
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import Unauthorized
import pytest
import voluptuous as vol

from tests.integration.home import Home
from tests.integration.premises import FRONT, add_site, guard
from tests.integration.scripted import ScriptedEngine

SIMPLE: list[tuple[str, dict[str, Any], str, Any]] = [
    (
        "create_pass",
        {
            "name": "Ben",
            "doors": ["lock.front_door", "yard"],
            "valid_from": "1970-01-01T00:00:00+00:00",
            "valid_until": "1970-01-02T00:00:00+00:00",
            "max_uses": 2,
            "unit": "12B",
        },
        "POST /api/v1/passes",
        {
            "name": "Ben",
            "door_ids": ["front", "yard"],
            "valid_from": 0.0,
            "valid_until": 86400.0,
            "max_uses": 2,
            "unit": "12B",
        },
    ),
    ("revoke_pass", {"pass_id": "pass-1"}, "DELETE /api/v1/passes/pass-1", None),
    ("ask_unit", {"door": "front", "unit": "12B"}, f"POST {FRONT}/unit", {"unit": "12B"}),
    ("ask_unit", {"door": "front"}, f"POST {FRONT}/unit", {"unit": None}),
    (
        "set_door_mode",
        {"door": "lock.front_door", "mode": "free"},
        f"PUT {FRONT}/mode",
        {"mode": "free"},
    ),
    ("lockdown", {}, "PUT /api/v1/mode", {"mode": "lockdown"}),
    ("lockdown", {"enabled": False}, "PUT /api/v1/mode", {"mode": "normal"}),
    (
        "present_credential",
        {"door": "front", "direction": "exit", "number": "1042", "pin": "2468"},
        f"POST {FRONT}/credentials",
        {"direction": "exit", "number": "1042", "pin": "2468"},
    ),
    (
        "present_credential",
        {"door": "front", "card_number": "0451"},
        f"POST {FRONT}/credentials",
        {"card_number": "0451"},
    ),
    (
        "present_credential",
        {"door": "front", "code": "FG1.abc"},
        f"POST {FRONT}/credentials",
        {"code": "FG1.abc"},
    ),
    (
        "report_temperature",
        {"door": "front", "celsius": 36.6, "at": "1970-01-01T00:00:00+00:00"},
        f"POST {FRONT}/temperature",
        {"celsius": 36.6, "at": 0.0},
    ),
    ("reset_passback", {"area": "hall"}, "POST /api/v1/areas/hall/reset", {}),
    (
        "reset_passback",
        {"area": "sensor.hall_occupancy", "subject_id": "subject-1"},
        "POST /api/v1/areas/hall/reset",
        {"subject_id": "subject-1"},
    ),
    (
        "set_occupancy",
        {"area": "hall", "count": 3},
        "PUT /api/v1/areas/hall/occupancy",
        {"count": 3},
    ),
    ("verify_records", {}, "GET /api/v1/records/verify", None),
]


@pytest.fixture
async def site(home: Home, scripted: ScriptedEngine) -> ScriptedEngine:
    """Two doors, an area and a visitor, in Home Assistant."""
    return await add_site(home, scripted)


@pytest.mark.parametrize(("action", "fields", "line", "body"), SIMPLE)
async def test_an_action_is_one_request(
    home: Home, site: ScriptedEngine, action: str, fields: dict[str, Any], line: str, body: Any
) -> None:
    site.answers[line] = {"told": "by the engine"}
    assert await home.act(action, **fields) == {"told": "by the engine"}
    (request,) = site.requests
    assert request.line == line
    assert request.json == body
    assert request.user is None


async def test_an_answer_without_content_is_empty(home: Home, site: ScriptedEngine) -> None:
    site.answers[f"POST {FRONT}/unit"] = web.Response(status=204)
    assert await home.act("ask_unit", door="front") == {}


async def test_a_document_is_shown_to_the_engine_and_not_kept(
    hass: HomeAssistant, home: Home, site: ScriptedEngine, tmp_path: Path
) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    (tmp_path / "id.png").write_bytes(b"a document")
    site.answers[f"POST {FRONT}/document"] = lambda _: web.Response(status=204)
    fields: dict[str, Any] = {"door": "front", "photo_path": str(tmp_path / "id.png")}
    assert await home.act("present_document", **fields, direction="exit") == {}
    assert await home.act("present_document", await guard(home), **fields) == {}
    assert [request.content for request in site.requests] == [b"a document"] * 2
    assert [request.query for request in site.requests] == [{"direction": "exit"}, {}]
    with pytest.raises(Unauthorized):  # of an entity that this user may not even look at
        await home.act(
            "present_document",
            await guard(home),
            door="front",
            photo_entity=home.entity_id("image", "last_picture"),
        )


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("set_door_mode", {"door": "front", "mode": "ajar"}),
        ("create_pass", {"name": "Ben", "doors": [], "valid_until": "2030-01-01 00:00:00"}),
        ("set_occupancy", {"area": "hall", "count": -1}),
        ("export_records", {"limit": 0}),
        ("answer_call", {"call_id": "call-1", "answer": "maybe"}),
    ],
)
async def test_fields_that_make_no_sense_ask_nothing(
    home: Home, site: ScriptedEngine, action: str, fields: dict[str, Any]
) -> None:
    with pytest.raises(vol.Invalid):
        await home.act(action, **fields)
    assert site.requests == []
