"""Actions on people, consent and groups."""

from __future__ import annotations

from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
import pytest
import voluptuous as vol

from tests.integration.home import Home
from tests.integration.office import ANN
from tests.integration.scripted import ScriptedEngine

SUBJECT = "/api/v1/subjects/subject-1"
PERMIT = {
    "door": "front",
    "direction": "entry",
    "schedule": "weekdays",
    "valid_from": "2026-01-01T00:00:00+00:00",
}
SENT_PERMIT = {
    "door_id": "front",
    "direction": "entry",
    "schedule_id": "weekdays",
    "valid_from": 1767225600.0,
}
CONSENT = {"text_version": "1", "purpose": "access", "language": "en", "signer": "Ann"}
# Of each action: its fields, the request they become, and its body.
SIMPLE: list[tuple[str, dict[str, Any], str, Any]] = [
    ("add_person", {"name": "Ann"}, "POST /api/v1/subjects", {"name": "Ann"}),
    (
        "add_person",
        {
            "name": "Ann",
            "kind": "pupil",
            "external_id": "4711",
            "unit": "3b",
            "language": "en",
            "birth_date": "2015-02-03",
            "groups": ["group-1"],
            "guardians": [{"name": "Cleo", "notify": "notify.cleo"}],
            "permits": [PERMIT],
        },
        "POST /api/v1/subjects",
        {
            "name": "Ann",
            "kind": "pupil",
            "external_id": "4711",
            "unit": "3b",
            "language": "en",
            "birth_date": "2015-02-03",
            "groups": ["group-1"],
            "guardians": [{"name": "Cleo", "notify": "notify.cleo"}],
            "permits": [SENT_PERMIT],
        },
    ),
    (
        "update_person",
        {"subject_id": "subject-1", "name": "Anna", "unit": "12B"},
        f"PATCH {SUBJECT}",
        {"name": "Anna", "unit": "12B"},
    ),
    ("list_people", {}, "GET /api/v1/subjects", None),
    (
        "set_permits",
        {"subject_id": "subject-1", "permits": [PERMIT, {"door": "lock.front_door"}]},
        f"PUT {SUBJECT}/permits",
        {"permits": [SENT_PERMIT, {"door_id": "front"}]},
    ),
    (
        "set_approval",
        {"subject_id": "subject-1", "state": "approved", "until": "1970-01-02T00:00:00+00:00"},
        f"PUT {SUBJECT}/approval",
        {"state": "approved", "until": 86400.0},
    ),
    (
        "add_credential",
        {"subject_id": "subject-1", "kind": "card", "card_number": "0451"},
        f"POST {SUBJECT}/credentials",
        {"kind": "card", "card_number": "0451"},
    ),
    (
        "add_credential",
        {"subject_id": "subject-1", "kind": "pin", "pin": "2468", "duress_pin": "8642"},
        f"POST {SUBJECT}/credentials",
        {"kind": "pin", "pin": "2468", "duress_pin": "8642"},
    ),
    (
        "remove_credential",
        {"subject_id": "subject-1", "credential_id": "a/b"},
        f"DELETE {SUBJECT}/credentials/a%2Fb",
        None,
    ),
    ("erase_person", {"subject_id": "subject-1"}, f"DELETE {SUBJECT}", None),
    ("export_person", {"subject_id": "subject-1"}, f"GET {SUBJECT}/export", None),
    (
        "record_consent",
        {"subject_id": "subject-1", **CONSENT, "guardian": "Cleo", "given_at": "1970-01-01 00:00Z"},
        f"POST {SUBJECT}/consents",
        {**CONSENT, "guardian": "Cleo", "given_at": 0.0},
    ),
    ("withdraw_consent", {"subject_id": "subject-1"}, f"DELETE {SUBJECT}/consents", None),
    ("import_status", {"import_id": "import-1"}, "GET /api/v1/imports/import-1", None),
    ("add_group", {"name": "Class 3b"}, "POST /api/v1/groups", {"name": "Class 3b"}),
    ("list_groups", {}, "GET /api/v1/groups", None),
    (
        "set_group_permits",
        {"group_id": "group-1", "permits": PERMIT},
        "PUT /api/v1/groups/group-1/permits",
        {"permits": [SENT_PERMIT]},
    ),
    (
        "retire_credentials",
        {"group_id": "group-1", "kind": "card", "at": "1970-01-02T00:00:00+00:00"},
        "POST /api/v1/groups/group-1/retirements",
        {"kind": "card", "at": 86400.0},
    ),
]


@pytest.mark.parametrize(("action", "fields", "line", "body"), SIMPLE)
async def test_an_action_is_one_request_in_the_name_of_the_user(
    home: Home,
    scripted: ScriptedEngine,
    action: str,
    fields: dict[str, Any],
    line: str,
    body: Any,
) -> None:
    scripted.answers[line] = {"told": "by the engine"}
    await home.add(scripted)
    administrator = await home.user("Grace Höpper")
    assert await home.act(action, administrator, **fields) == {"told": "by the engine"}
    (request,) = scripted.requests
    assert request.line == line
    assert request.json == body
    assert request.user == "Grace Höpper"


async def test_people_are_listed_by_group_and_kind(home: Home, scripted: ScriptedEngine) -> None:
    scripted.answers["GET /api/v1/subjects"] = {"subjects": [ANN]}
    await home.add(scripted)
    found = await home.act("list_people", group="class 3b&x", kind="pupil")
    assert found == {"subjects": [ANN]}
    assert scripted.requests[0].query == {"group": "class 3b&x", "kind": "pupil"}


async def test_a_moment_without_a_zone_is_in_home_assistants_own(
    hass: HomeAssistant, home: Home, scripted: ScriptedEngine
) -> None:
    await hass.config.async_set_time_zone("Asia/Shanghai")
    scripted.answers[f"PUT {SUBJECT}/approval"] = ANN
    await home.add(scripted)
    await home.act(
        "set_approval", subject_id="subject-1", state="approved", until="1970-01-02 08:00:00"
    )
    assert scripted.requests[0].json == {"state": "approved", "until": 86400.0}


async def test_a_pin_that_is_left_out_is_made_and_told_once(
    home: Home, scripted: ScriptedEngine
) -> None:
    scripted.answers[f"POST {SUBJECT}/credentials"] = ANN
    await home.add(scripted)
    answers = [
        await home.act("add_credential", subject_id="subject-1", kind="pin") for _ in range(4)
    ]
    pins = [answer.pop("pin") for answer in answers]
    assert answers == [ANN] * 4
    assert [request.json for request in scripted.requests] == [
        {"kind": "pin", "pin": pin} for pin in pins
    ]
    assert all(len(pin) == 6 and pin.isdecimal() for pin in pins)
    assert len(set(pins)) > 1


async def test_a_door_that_is_not_known_is_refused_before_anything_is_asked(
    home: Home, scripted: ScriptedEngine
) -> None:
    await home.add(scripted)
    for name in ("cellar", "lock.cellar", home.entity_id("select", "mode")):
        with pytest.raises(ServiceValidationError) as caught:
            await home.act("set_permits", subject_id="subject-1", permits=[{"door": name}])
        assert caught.value.translation_key == "no_lock"
        assert caught.value.translation_placeholders == {"name": name}
    assert scripted.requests == []


@pytest.mark.parametrize(
    "fields",
    [
        {"name": "Ann", "birth_date": "yesterday"},
        {"name": "Ann", "permits": [{"schedule": "weekdays"}]},
        {"name": "Ann", "permits": [{"door": "front", "direction": "sideways"}]},
        {"name": "Ann", "guardians": [{"notify": "notify.cleo"}]},
        {"name": "Ann", "pin": "1234"},
        {},
    ],
)
async def test_fields_that_make_no_sense_ask_nothing(
    home: Home, scripted: ScriptedEngine, fields: dict[str, Any]
) -> None:
    await home.add(scripted)
    with pytest.raises(vol.Invalid):
        await home.act("add_person", **fields)
    assert scripted.requests == []
