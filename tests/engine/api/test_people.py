"""People over REST: what is asked is checked, told with its place, and in force at once."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest

from facegate.identity.gallery import Gallery
from facegate.office.enrollment import MAX_REFERENCES
from facegate.protocol import MAX_PICTURE_BYTES, USER_HEADER
from tests.engine.api.office import (
    AGAIN,
    CONSENT,
    GROUPS,
    PHOTO,
    SUBJECTS,
    add,
    ask,
    person,
    refusal,
    rows,
)
from tests.support import Engine, engine

pytestmark = pytest.mark.usefixtures("free_loop")


async def test_a_person_is_added_and_shown(desk: aiohttp.ClientSession) -> None:
    permit = {"door_id": "front", "direction": "entry", "valid_from": 5, "valid_until": 6.5}
    guardians = [{"name": "Ben", "notify": "mobile_app_ben"}, {"name": "Cleo"}]
    more = {
        "kind": "pupil",
        "external_id": "4711",
        "unit": "3b",
        "language": "zh-CN",
        "birth_date": "2014-05-31",
    }
    subject_id = await add(desk, " Ann ", **more, permits=[permit], guardians=guardians)
    shown = await person(desk, subject_id)
    number = shown.pop("number")
    assert number.isdigit()
    assert len(number) >= 4
    expected = {
        "id": subject_id,
        "name": "Ann",
        **more,
        "groups": [],
        "guardians": [guardians[0], {"name": "Cleo", "notify": None}],
        "references": 0,
        "needs_photos": False,
        "permits": [{**permit, "schedule_id": None, "group_id": None}],
        "approval": None,
        "credentials": [],
        "consent": None,
        "area_id": None,
        "last_seen_at": None,
    }
    assert shown == expected
    assert await ask(desk, "GET", SUBJECTS) == (
        200,
        {"subjects": [{**expected, "number": number}]},
    )


async def test_everybody_has_another_number(desk: aiohttp.ClientSession) -> None:
    numbers = [(await person(desk, await add(desk)))["number"] for _ in range(20)]
    assert len(set(numbers)) == 20


async def test_people_are_listed_by_kind_and_by_group(desk: aiohttp.ClientSession) -> None:
    _, group = await ask(desk, "POST", GROUPS, {"name": "night"})
    ann = await add(desk, "Ann", kind="staff", groups=[group["id"]])
    await add(desk, "Ben", kind="staff")
    cleo = await add(desk, "Cleo", groups=[group["id"]])

    async def listed(query: str) -> set[str]:
        _, answer = await ask(desk, "GET", f"{SUBJECTS}?{query}")
        return {each["id"] for each in answer["subjects"]}

    assert await listed(f"group={group['id']}") == {ann, cleo}
    assert await listed(f"group={group['id']}&kind=staff") == {ann}
    assert (await refusal(desk, "GET", f"{SUBJECTS}?kind=ghost"))[:2] == (400, "invalid")
    assert (await refusal(desk, "GET", f"{SUBJECTS}?group=ghosts"))[:2] == (404, "not_found")


async def test_only_what_is_sent_is_changed(desk: aiohttp.ClientSession) -> None:
    subject_id = await add(desk, unit="3b", language="en", guardians=[{"name": "Ben"}])
    before = await person(desk, subject_id)
    path = f"{SUBJECTS}/{subject_id}"
    change = {"name": "Anna", "language": None, "birth_date": "1990-02-28"}
    status, after = await ask(desk, "PATCH", path, change)
    assert (status, after) == (200, {**before, **change})
    _, after = await ask(desk, "PATCH", path, {"guardians": [], "unit": None})
    assert after == {**before, **change, "guardians": [], "unit": None}
    assert await person(desk, subject_id) == after


async def test_an_external_id_is_one_persons(desk: aiohttp.ClientSession) -> None:
    await add(desk, "Ann", external_id="4711")
    ben = await add(desk, "Ben")
    taken = (409, "conflict", "external_id: '4711' is somebody else's")
    wish = {"name": "Cleo", "external_id": "4711"}
    assert await refusal(desk, "POST", SUBJECTS, wish) == taken
    assert await refusal(desk, "PATCH", f"{SUBJECTS}/{ben}", {"external_id": "4711"}) == taken
    assert (await person(desk, ben))["external_id"] is None


async def test_permits_are_replaced_as_a_whole(desk: aiohttp.ClientSession) -> None:
    subject_id = await add(desk, permits=[{"door_id": "front"}])
    path = f"{SUBJECTS}/{subject_id}/permits"
    status, shown = await ask(desk, "PUT", path, {"permits": [{"door_id": "back"}]})
    assert status == 200
    assert [permit["door_id"] for permit in shown["permits"]] == ["back"]
    assert (await ask(desk, "PUT", path, {"permits": []}))[1]["permits"] == []


async def test_an_approval_needs_an_end_and_is_shown(desk: aiohttp.ClientSession) -> None:
    subject_id = await add(desk, kind="contractor")
    path = f"{SUBJECTS}/{subject_id}/approval"
    status, code, told = await refusal(desk, "PUT", path, {"state": "approved"})
    assert (status, code) == (400, "invalid")
    assert told.startswith("until: ")
    for wish in ({"state": "approved", "until": 2e9}, {"state": "suspended", "until": None}):
        status, shown = await ask(desk, "PUT", path, wish)
        assert (status, shown["approval"]) == (200, wish)


WRONG_BODIES: list[tuple[object, str, str]] = [
    (b"", "malformed", "not JSON: "),
    (b"\xff", "malformed", "not JSON: "),
    (b"[]", "malformed", "expected a JSON object"),
    ({}, "invalid", "name: required"),
    ({"name": 5}, "invalid", "name: expected str, got int"),
    ({"name": ""}, "invalid", "name: expected 1 to 80 characters"),
    ({"name": "x" * 81}, "invalid", "name: expected 1 to 80 characters"),
    ({"name": "a\nb"}, "invalid", "name: expected 1 to 80 characters, in one line"),
    (b'{"name": "\\ud800"}', "invalid", "name: half a character: not valid Unicode"),
    ({"name": "Ann", "admin": True}, "invalid", "admin: unknown field"),
    (
        {"name": "Ann", "kind": "burglar"},
        "invalid",
        "kind: 'burglar' is not one of resident, staff, pupil, contractor, visitor",
    ),
    ({"name": "Ann", "unit": ""}, "invalid", "unit: expected 1 to 80 characters"),
    ({"name": "Ann", "external_id": " "}, "invalid", "external_id: expected"),
    ({"name": "Ann", "language": "english please"}, "invalid", "language: "),
    ({"name": "Ann", "birth_date": "31.5.2014"}, "invalid", "birth_date: '31.5.2014' is not"),
    ({"name": "Ann", "birth_date": "2999-01-01"}, "invalid", "birth_date: expected a date from"),
    ({"name": "Ann", "groups": ["ghosts"]}, "invalid", "groups[0]: no group has the id 'ghosts'"),
    ({"name": "Ann", "guardians": [{"name": ""}]}, "invalid", "guardians[0].name: expected 1"),
    (
        {"name": "Ann", "guardians": [{"name": "Ben", "notify": "my phone"}]},
        "invalid",
        "guardians[0].notify: 'my phone' is not",
    ),
    ({"name": "Ann", "permits": [{}]}, "invalid", "permits[0].door_id: required"),
    (
        {"name": "Ann", "permits": [{"door_id": "front"}, {"door_id": "garage"}]},
        "invalid",
        "permits[1].door_id: 'garage' is not one of front, back",
    ),
    (
        {"name": "Ann", "permits": [{"door_id": "front", "schedule_id": "night"}]},
        "invalid",
        "permits[0].schedule_id: 'night' is not one of none",
    ),
    (
        {"name": "Ann", "permits": [{"door_id": "front", "direction": "up"}]},
        "invalid",
        "permits[0].direction: 'up' is not one of entry, exit",
    ),
    (
        {"name": "Ann", "permits": [{"door_id": "front", "valid_from": 5, "valid_until": 5}]},
        "invalid",
        "permits[0].valid_until: must be after valid_from",
    ),
    (
        {"name": "Ann", "permits": [{"door_id": "front", "valid_from": 1e300}]},
        "invalid",
        "permits[0].valid_from: 1e+300 is not a moment",
    ),
    (
        {"name": "Ann", "permits": [{"door_id": "front"}] * 101},
        "invalid",
        "permits: expected at most 100",
    ),
]


async def test_a_wrong_body_is_refused_with_its_place_and_nobody_is_added(
    desk: aiohttp.ClientSession,
) -> None:
    for body, code, told in WRONG_BODIES:
        status, found, message = await refusal(desk, "POST", SUBJECTS, body)
        assert (status, found) == (400, code), body
        assert told in message
    assert await ask(desk, "GET", SUBJECTS) == (200, {"subjects": []})


async def test_what_is_not_there_is_not_found(desk: aiohttp.ClientSession) -> None:
    nobody, nothing = f"{SUBJECTS}/nobody", f"{GROUPS}/nothing"
    missing: list[tuple[str, str, object]] = [
        ("GET", nobody, None),
        ("PATCH", nobody, {"name": "Ann"}),
        ("DELETE", nobody, None),
        ("PUT", f"{nobody}/permits", {"permits": []}),
        ("PUT", f"{nobody}/approval", {"state": "applied"}),
        ("POST", f"{nobody}/consents", CONSENT),
        ("DELETE", f"{nobody}/consents", None),
        ("POST", f"{nobody}/photos", PHOTO),
        ("POST", f"{nobody}/credentials", {"kind": "pin", "pin": "4711"}),
        ("DELETE", f"{nobody}/credentials/none", None),
        ("GET", f"{nobody}/export", None),
        ("DELETE", nothing, None),
        ("PUT", f"{nothing}/permits", {"permits": []}),
        ("POST", f"{nothing}/retirements", {"kind": "card", "at": 5}),
        ("GET", "/api/v1/nothing", None),
    ]
    for method, path, body in missing:
        assert (await refusal(desk, method, path, body))[:2] == (404, "not_found"), (method, path)


async def test_a_body_that_is_too_large_is_refused(desk: aiohttp.ClientSession) -> None:
    subject_id = await add(desk)
    for path in (SUBJECTS, f"{SUBJECTS}/{subject_id}/photos"):
        found = await refusal(desk, "POST", path, bytes(MAX_PICTURE_BYTES + 1))
        assert found[:2] == (413, "too_large")


async def test_a_photo_too_many_is_refused_even_when_they_come_at_once(
    desk: aiohttp.ClientSession,
) -> None:
    subject_id = await add(desk)
    await ask(desk, "POST", f"{SUBJECTS}/{subject_id}/consents", CONSENT)
    path = f"{SUBJECTS}/{subject_id}/photos"
    answers = await asyncio.gather(
        *(ask(desk, "POST", path, PHOTO + bytes([n])) for n in range(MAX_REFERENCES + 2))
    )
    assert sorted(status for status, _ in answers) == [201] * MAX_REFERENCES + [409, 409]
    assert {body["code"] for status, body in answers if status == 409} == {"too_many"}


async def test_the_same_photo_is_kept_once(desk: aiohttp.ClientSession) -> None:
    subject_id = await add(desk)
    await ask(desk, "POST", f"{SUBJECTS}/{subject_id}/consents", CONSENT)
    path = f"{SUBJECTS}/{subject_id}/photos"
    answers = await asyncio.gather(*(ask(desk, "POST", path, PHOTO) for _ in range(3)))
    assert [(status, shown["references"]) for status, shown in answers] == [(201, 1)] * 3


async def test_changes_that_come_at_once_end_alike_in_memory_and_on_disk(
    office: Engine, desk: aiohttp.ClientSession
) -> None:
    subject_id = await add(desk)
    path = f"{SUBJECTS}/{subject_id}"
    wishes: list[tuple[str, str, dict[str, Any]]] = []
    for turn, door in enumerate(("front", "back") * 8):
        wishes.append(("PUT", f"{path}/permits", {"permits": [{"door_id": door}]}))
        wishes.append(("PATCH", path, {"unit": f"{turn}"}))
    answers = await asyncio.gather(*(ask(desk, *wish) for wish in wishes))
    assert {status for status, _ in answers} == {200}
    shown = await person(desk, subject_id)
    doors = rows(office.database, "SELECT door_id FROM permits")
    assert doors == [(permit["door_id"],) for permit in shown["permits"]]
    assert rows(office.database, "SELECT unit FROM subjects") == [(shown["unit"],)]


async def test_people_are_as_they_were_after_a_restart(
    tmp_path: Path, galleries: list[Gallery]
) -> None:
    options = {"doors": [{"id": "front"}]}
    async with engine(options, tmp_path) as site, site.session() as desk:
        ann = await site.enroll("Ann", [PHOTO, AGAIN], ["front"])
        _, group = await ask(desk, "POST", GROUPS, {"name": "night"})
        path = f"{SUBJECTS}/{ann}"
        change = {"groups": [group["id"]], "unit": "3b", "birth_date": "1990-02-28"}
        await ask(desk, "PATCH", path, {**change, "guardians": [{"name": "Ben"}]})
        await ask(desk, "PUT", f"{path}/approval", {"state": "approved", "until": 2e9})
        await ask(desk, "POST", f"{path}/credentials", {"kind": "card", "card_number": "04A1"})
        wish = {"permits": [{"door_id": "front", "direction": "exit"}]}
        await ask(desk, "PUT", f"{GROUPS}/{group['id']}/permits", wish)
        await ask(desk, "POST", f"{GROUPS}/{group['id']}/retirements", {"kind": "card", "at": 9})
        before = await person(desk, ann)
        groups = await ask(desk, "GET", GROUPS)
    assert (before["references"], len(before["permits"])) == (2, 2)
    async with engine(options, tmp_path) as site, site.session() as desk:
        assert await person(desk, ann) == before
        assert await ask(desk, "GET", GROUPS) == groups
        assert galleries[-1].subjects == {ann}


async def test_every_change_is_on_record_with_who_made_it_and_no_names(
    office: Engine, desk: aiohttp.ClientSession
) -> None:
    user = {USER_HEADER: quote("Désirée")}
    body = {"name": "Ann Unmistakable", "unit": "3b", "guardians": [{"name": "Ben Remarkable"}]}
    async with desk.post(SUBJECTS, json=body, headers=user) as response:
        subject_id = (await response.json())["id"]
    await ask(desk, "PATCH", f"{SUBJECTS}/{subject_id}", {"name": "Anna Unmistakable"})
    await ask(desk, "POST", f"{SUBJECTS}/{subject_id}/credentials", {"kind": "pin", "pin": "4711"})
    events = await office.events()
    assert [(event["kind"], event["body"]["what"], event["body"]["user"]) for event in events] == [
        ("people", "added", "Désirée"),
        ("people", "changed", "api"),
        ("people", "credential_given", "api"),
    ]
    assert {event["subject_id"] for event in events} == {subject_id}
    written = str(rows(office.database, "SELECT * FROM events"))
    assert not any(word in written for word in ("Unmistakable", "Remarkable", "4711"))
