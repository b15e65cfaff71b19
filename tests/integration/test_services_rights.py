"""Who may use which action."""

from __future__ import annotations

from typing import Any

from homeassistant.core import Context
from homeassistant.exceptions import ServiceValidationError, Unauthorized
import pytest

from custom_components.facegate.protocol import AnswerCall, CallOpened
from tests.integration.home import Home
from tests.integration.premises import BOTH_PASS, FRONT, FRONT_PASS, HALL_NOW, add_site, guard
from tests.integration.scripted import ScriptedEngine, call_view

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
    ("test_camera_placement", {"door": "yard"}),
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


@pytest.fixture
async def site(home: Home, scripted: ScriptedEngine) -> ScriptedEngine:
    """Two doors, an area and a visitor, in Home Assistant."""
    return await add_site(home, scripted)


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
