"""Actions on visitors, doors, areas and records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aiohttp import web
from homeassistant.core import Context, HomeAssistant
from homeassistant.exceptions import HomeAssistantError, ServiceValidationError, Unauthorized
import pytest
import voluptuous as vol

from custom_components.facegate.protocol import (
    AnswerCall,
    CallAnswer,
    CallOpened,
    DoorStateName,
    DoorView,
    ErrorCode,
    Result,
)
from tests.integration.home import Home
from tests.integration.scripted import DOOR, HALL, Request, ScriptedEngine, call_view, refused

YARD = DoorView("yard", "Yard gate", DoorStateName.LOCKED)
FRONT_PASS = {"id": "pass-1", "name": "Ben", "door_ids": ["front"]}
BOTH_PASS = {"id": "pass-2", "name": "Cleo", "door_ids": ["front", "yard"]}
FRONT = "/api/v1/doors/front"
HALL_NOW = {"id": "hall", "name": "Hall", "occupancy": 2, "capacity": 10, "subjects": ["subject-1"]}

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
    scripted.doors, scripted.areas, scripted.calls = (DOOR, YARD), (HALL,), (call_view(),)
    await home.add(scripted)
    return scripted


async def guard(home: Home) -> Context:
    """Return who controls the front door and nothing else."""
    return await home.user(
        "Guard", {"entities": {"entity_ids": {home.entity_id("lock", "lock"): True}}}
    )


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


# --- who may ------------------------------------------------------------------------------------

CONTROLLED: list[tuple[str, dict[str, Any]]] = [
    ("create_pass", {"name": "Ben", "doors": ["yard"], "valid_until": "2030-01-01 00:00:00"}),
    ("create_pass", {"name": "B", "doors": ["front", "yard"], "valid_until": "2030-01-01 00:00"}),
    ("revoke_pass", {"pass_id": "pass-2"}),
    ("answer_call", {"call_id": "call-2", "answer": "let_in"}),
    ("ask_unit", {"door": "yard"}),
    ("set_door_mode", {"door": "yard", "mode": "free"}),
    ("present_credential", {"door": "yard", "card_number": "1"}),
    ("report_temperature", {"door": "yard", "celsius": 36}),
    ("present_document", {"door": "yard", "photo_path": "/a"}),
    ("get_occupancy", {}),
    ("get_occupancy", {"area": "hall"}),
    ("set_occupancy", {"area": "hall", "count": 0}),
    ("reset_passback", {"area": "hall"}),
]
ADMINISTERED: list[tuple[str, dict[str, Any]]] = [
    ("add_person", {"name": "Ann"}),
    ("update_person", {"subject_id": "a"}),
    ("list_people", {}),
    ("set_permits", {"subject_id": "a", "permits": []}),
    ("set_approval", {"subject_id": "a", "state": "revoked"}),
    ("add_credential", {"subject_id": "a", "kind": "pin"}),
    ("remove_credential", {"subject_id": "a", "credential_id": "b"}),
    ("erase_person", {"subject_id": "a"}),
    ("export_person", {"subject_id": "a"}),
    ("enroll_photo", {"subject_id": "a", "photo_path": "/a"}),
    (
        "record_consent",
        {"subject_id": "a", "text_version": "1", "purpose": "p", "language": "en", "signer": "A"},
    ),
    ("withdraw_consent", {"subject_id": "a"}),
    ("import_people", {"path": "/a.zip"}),
    ("import_status", {"import_id": "a"}),
    ("add_group", {"name": "a"}),
    ("list_groups", {}),
    ("set_group_permits", {"group_id": "a", "permits": []}),
    ("retire_credentials", {"group_id": "a", "kind": "card", "at": "2030-01-01 00:00:00"}),
    ("lockdown", {}),
    ("export_records", {}),
    ("verify_records", {}),
]


@pytest.mark.parametrize(("action", "fields"), [*CONTROLLED, *ADMINISTERED])
async def test_who_controls_another_door_only_is_refused(
    home: Home, site: ScriptedEngine, action: str, fields: dict[str, Any]
) -> None:
    site.answers["GET /api/v1/passes"] = {"passes": [FRONT_PASS, BOTH_PASS]}
    home.coordinator.data = home.coordinator.data.with_push(CallOpened(call_view("call-2", "yard")))
    with pytest.raises(Unauthorized):
        await home.act(action, await guard(home), **fields)
    assert [request.line for request in site.requests if request.method != "GET"] == []
    assert site.all(AnswerCall) == []


@pytest.mark.parametrize(
    ("action", "fields"),
    [*CONTROLLED, *ADMINISTERED, ("list_passes", {}), ("revoke_pass", {"pass_id": "pass-9"})],
)
async def test_who_may_look_and_no_more_changes_nothing(
    home: Home, site: ScriptedEngine, action: str, fields: dict[str, Any]
) -> None:
    site.answers["GET /api/v1/passes"] = {"passes": [FRONT_PASS, BOTH_PASS]}
    site.answers["GET /api/v1/areas"] = {"areas": [HALL_NOW]}
    reader = await home.user("Reader", {"entities": {"all": {"read": True}}})
    if action == "get_occupancy":
        shown = await home.act(action, reader, **fields)
        # How many, not who: that is for administrators.
        assert shown["areas"] == [{key: HALL_NOW[key] for key in HALL_NOW if key != "subjects"}]
        return
    with pytest.raises((Unauthorized, ServiceValidationError)) as caught:
        await home.act(action, reader, **fields)
    assert isinstance(caught.value, Unauthorized) or fields == {"pass_id": "pass-9"}
    assert [request.line for request in site.requests if request.method != "GET"] == []


def test_every_action_is_tried_by_somebody_who_may_not() -> None:
    from custom_components.facegate.services import ACTIONS  # noqa: PLC0415

    tried = {action for action, _ in (*CONTROLLED, *ADMINISTERED)}
    assert tried | {"list_passes"} == {action.name for action in ACTIONS}
    assert {action for action, _ in ADMINISTERED} == {a.name for a in ACTIONS if a.admin}


async def test_a_user_who_is_gone_may_nothing(home: Home, site: ScriptedEngine) -> None:
    for action, fields in (("lockdown", {}), ("set_door_mode", {"door": "front", "mode": "free"})):
        with pytest.raises(Unauthorized):
            await home.act(action, Context(user_id="nobody"), **fields)
    assert site.requests == []


async def test_who_controls_a_door_acts_there(home: Home, site: ScriptedEngine) -> None:
    site.answers[f"PUT {FRONT}/mode"] = {"mode": "free"}
    site.answers["GET /api/v1/passes"] = {"passes": [FRONT_PASS, BOTH_PASS]}
    site.answers["DELETE /api/v1/passes/pass-1"] = FRONT_PASS
    user = await guard(home)
    assert await home.act("set_door_mode", user, door="front", mode="free") == {"mode": "free"}
    assert await home.act("list_passes", user) == {"passes": [FRONT_PASS]}
    assert await home.act("revoke_pass", user, pass_id="pass-1") == FRONT_PASS
    assert site.requests[-1].user == "Guard"
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("revoke_pass", user, pass_id="pass-9")
    assert caught.value.translation_key == "no_pass"


async def test_occupancy_tells_administrators_who_is_in(home: Home, site: ScriptedEngine) -> None:
    site.answers["GET /api/v1/areas"] = {"areas": [HALL_NOW, {**HALL_NOW, "id": "attic"}]}
    assert await home.act("get_occupancy", await home.user("Grace")) == {"areas": [HALL_NOW]}
    assert await home.act("get_occupancy", area="sensor.hall_occupancy") == {"areas": [HALL_NOW]}
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("get_occupancy", area="attic")
    assert caught.value.translation_key == "no_occupancy"


# --- visitors and documents ---------------------------------------------------------------------


async def test_a_visitor_is_answered_in_the_name_of_the_user(
    home: Home, site: ScriptedEngine
) -> None:
    site.answer = lambda message: (
        Result(message.id, ok=True) if isinstance(message, AnswerCall) else None
    )
    user = await guard(home)
    found = await home.act("answer_call", user, call_id="call-1", answer="let_in")
    assert found == {"call_id": "call-1", "door_id": "front", "answer": "let_in"}
    (answered,) = site.all(AnswerCall)
    assert (answered.call_id, answered.answer, answered.user) == (
        "call-1",
        CallAnswer.LET_IN,
        "Guard",
    )


async def test_an_automation_answers_in_the_name_of_who_tapped(
    home: Home, site: ScriptedEngine
) -> None:
    site.answer = lambda message: (
        Result(message.id, ok=True) if isinstance(message, AnswerCall) else None
    )
    tapped = (await guard(home)).user_id
    await home.act("answer_call", call_id="call-1", answer="let_in", user_id=tapped)
    boss = await home.user("Boss")  # who calls it is asked for nothing, and believed nothing
    await home.act("answer_call", boss, call_id="call-1", answer="turn_away", user_id=tapped)
    assert [answered.user for answered in site.all(AnswerCall)] == ["Guard", "Boss"]


async def test_who_tapped_needs_the_right_to_open_the_door(
    home: Home, site: ScriptedEngine
) -> None:
    stranger = (await home.user("Stranger", {"entities": {}})).user_id
    boss = (await home.user("Boss")).user_id
    nobody = await home.user("Nobody", {"entities": {}})
    for context, user_id in ((None, stranger), (None, "no-such-user"), (nobody, boss)):
        with pytest.raises(Unauthorized):
            await home.act(
                "answer_call", context, call_id="call-1", answer="let_in", user_id=user_id
            )
    assert site.all(AnswerCall) == []


async def test_a_call_that_is_over_is_not_answered(home: Home, site: ScriptedEngine) -> None:
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("answer_call", call_id="call-9", answer="let_in")
    assert caught.value.translation_key == "call_closed"
    site.answer = lambda message: (
        Result(message.id, ok=False, code=ErrorCode.CALL_CLOSED, message="answered already")
        if isinstance(message, AnswerCall)
        else None
    )
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("answer_call", call_id="call-1", answer="turn_away")
    assert caught.value.translation_key == "call_closed"


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


# --- records ------------------------------------------------------------------------------------

ROWS = b'{"seq": 1}\n{"seq": 2}\n{"seq": 3}\n'


async def test_records_are_returned_up_to_a_limit(home: Home, site: ScriptedEngine) -> None:
    site.answers["GET /api/v1/records"] = lambda _: web.Response(body=ROWS)
    assert await home.act("export_records", limit=2, format="csv") == {
        "rows": [{"seq": 1}, {"seq": 2}],
        "complete": False,
    }
    found = await home.act(
        "export_records",
        limit=3,
        since="1970-01-01T00:00:00+00:00",
        until="1970-01-02T00:00:00+00:00",
        door="lock.front_door",
        subject_id="subject-1",
    )
    assert found == {"rows": [{"seq": 1}, {"seq": 2}, {"seq": 3}], "complete": True}
    assert [request.query for request in site.requests] == [
        {"format": "jsonl"},
        {
            "format": "jsonl",
            "since": "0.0",
            "until": "86400.0",
            "door_id": "front",
            "subject_id": "subject-1",
        },
    ]


async def test_records_are_written_to_a_file_that_home_assistant_may_write(
    hass: HomeAssistant, home: Home, site: ScriptedEngine, tmp_path: Path
) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    content = b"seq,kind\n" + b"1,access\n" * 50_000
    site.answers["GET /api/v1/records"] = lambda _: web.Response(body=content)
    path = tmp_path / "records.csv"
    found = await home.act("export_records", path=str(path), format="csv")
    assert found == {"path": str(path), "bytes": len(content)}
    assert path.read_bytes() == content
    assert site.requests[0].query == {"format": "csv"}
    assert _names(tmp_path) == [path.name]
    for wrong, key in (
        (tmp_path.parent / "records.csv", "path_not_allowed"),
        (tmp_path / "none" / "records.csv", "file_failed"),
    ):
        with pytest.raises(ServiceValidationError) as caught:
            await home.act("export_records", path=str(wrong), format="csv")
        assert caught.value.translation_key == key


async def test_an_export_that_breaks_off_leaves_the_older_file(
    hass: HomeAssistant, home: Home, site: ScriptedEngine, tmp_path: Path
) -> None:
    hass.config.allowlist_external_dirs = {str(tmp_path)}
    path = tmp_path / "records.jsonl"
    path.write_text("older")

    async def break_off(asked: Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(asked.origin)
        await response.write(b"short")
        assert asked.origin.transport is not None
        asked.origin.transport.abort()
        return response

    site.answers["GET /api/v1/records"] = break_off
    with pytest.raises(HomeAssistantError) as caught:
        await home.act("export_records", path=str(path))
    assert caught.value.translation_key == "cannot_connect"
    assert path.read_text() == "older"
    assert _names(tmp_path) == [path.name]


@pytest.mark.parametrize("content", [b"not JSON\n", b"[1]\n", b"{" + b"x" * 300_000 + b"}\n"])
async def test_records_that_cannot_be_read_are_an_error(
    home: Home, site: ScriptedEngine, content: bytes
) -> None:
    site.answers["GET /api/v1/records"] = lambda _: web.Response(body=content)
    with pytest.raises(HomeAssistantError) as caught:
        await home.act("export_records")
    assert caught.value.translation_key == "cannot_connect"


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


# --- engines ------------------------------------------------------------------------------------


async def test_an_engine_that_is_away_is_an_error(home: Home, site: ScriptedEngine) -> None:
    await site.stop()
    asked: tuple[tuple[str, dict[str, Any]], ...] = (
        ("list_people", {}),
        ("lockdown", {}),
        ("export_records", {}),
        ("answer_call", {"call_id": "call-1", "answer": "let_in"}),
    )
    for action, fields in asked:
        with pytest.raises(HomeAssistantError) as caught:
            await home.act(action, **fields)
        assert caught.value.translation_key == "cannot_connect"
    await site.start()


async def test_an_engine_that_does_not_answer_is_an_error(home: Home, site: ScriptedEngine) -> None:
    async def drop(request: Request) -> web.Response:
        del request
        await site.drop()
        raise web.HTTPGatewayTimeout

    site.answers["GET /api/v1/subjects"] = drop
    with pytest.raises(HomeAssistantError) as caught:
        await home.act("list_people")
    assert caught.value.translation_key == "command_failed"
    site.answers["GET /api/v1/subjects"] = web.Response(text="[]", content_type="application/json")
    with pytest.raises(HomeAssistantError) as caught:
        await home.act("list_people")
    assert caught.value.translation_key == "cannot_connect"


async def test_an_engine_that_knows_the_token_no_longer_is_an_error(
    home: Home, site: ScriptedEngine
) -> None:
    site.token = "another"
    with pytest.raises(HomeAssistantError) as caught:
        await home.act("list_people")
    assert caught.value.translation_key == "invalid_auth"


@pytest.mark.parametrize(
    ("code", "kind", "key"),
    [
        (ErrorCode.INVALID, ServiceValidationError, "invalid"),
        (ErrorCode.CONFLICT, ServiceValidationError, "conflict"),
        (ErrorCode.TOO_MANY, ServiceValidationError, "too_many"),
        (ErrorCode.VAULT_UNAVAILABLE, HomeAssistantError, "vault_unavailable"),
        (ErrorCode.RECORDS_UNAVAILABLE, HomeAssistantError, "records_unavailable"),
        (ErrorCode.INTERNAL, HomeAssistantError, "command_failed"),
    ],
)
async def test_what_the_engine_refuses_is_told_with_its_words(
    home: Home, site: ScriptedEngine, code: ErrorCode, kind: type[Exception], key: str
) -> None:
    site.answers["PUT /api/v1/mode"] = refused(code, "mode: because", 400)
    with pytest.raises(HomeAssistantError) as caught:
        await home.act("lockdown")
    assert type(caught.value) is kind
    assert caught.value.translation_key == key
    assert caught.value.translation_placeholders == {"message": "mode: because"}


async def test_of_several_engines_one_has_to_be_chosen(
    home: Home, site: ScriptedEngine, hass: HomeAssistant
) -> None:
    assert home.entry is not None
    site.answers["PUT /api/v1/mode"] = {"mode": "lockdown"}
    first = home.entry
    other = ScriptedEngine(site_id="another-site")
    await other.start()
    other.answers["PUT /api/v1/mode"] = {"mode": "lockdown"}
    second = await home.add(other)
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("lockdown")
    assert caught.value.translation_key == "several_engines"
    await home.act("lockdown", config_entry_id=second.entry_id)
    assert (len(site.requests), len(other.requests)) == (0, 1)
    await hass.config_entries.async_unload(second.entry_id)
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("lockdown", config_entry_id=second.entry_id)
    assert caught.value.translation_key == "engine_not_loaded"
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("lockdown", config_entry_id="no entry")
    assert caught.value.translation_key == "no_engine"
    await hass.config_entries.async_remove(second.entry_id)
    await home.act("lockdown")
    assert len(site.requests) == 1
    await other.stop()
    home.entry = first


async def test_actions_stay_when_the_engine_is_removed(
    hass: HomeAssistant, home: Home, site: ScriptedEngine
) -> None:
    assert home.entry is not None
    await hass.config_entries.async_remove(home.entry.entry_id)
    assert hass.services.has_service("facegate", "lockdown")
    with pytest.raises(ServiceValidationError) as caught:
        await home.act("lockdown")
    assert caught.value.translation_key == "no_engine"
    assert site.requests == []


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
