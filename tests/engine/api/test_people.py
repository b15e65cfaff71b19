"""People over REST: what is asked is checked, told with its place, and in force at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
import sqlite3
from typing import Any

import aiohttp
import pytest

from facegate import assembly
from facegate.identity.gallery import Gallery
from facegate.people import MAX_REFERENCES
from facegate.protocol import MAX_PICTURE_BYTES
from tests.engine.face.real import packaged
from tests.support import Engine, engine

pytestmark = pytest.mark.usefixtures("free_loop")

SUBJECTS = "/api/v1/subjects"
PHOTO = packaged("skimage", "data/astronaut.png").read_bytes()
OTHER = packaged("matplotlib", "mpl-data/sample_data/grace_hopper.jpg").read_bytes()


@pytest.fixture
def galleries(monkeypatch: pytest.MonkeyPatch) -> list[Gallery]:
    """Return the galleries of the engines that a test runs, the newest last."""
    made: list[Gallery] = []

    def make(model_id: str) -> Gallery:
        made.append(Gallery(model_id))
        return made[-1]

    monkeypatch.setattr(assembly, "Gallery", make)
    return made


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Engine]:
    options = {"doors": [{"id": "front"}, {"id": "back"}]}
    async with engine(options, tmp_path) as running:
        yield running


@pytest.fixture
async def session(site: Engine) -> AsyncIterator[aiohttp.ClientSession]:
    async with site.session() as opened:
        yield opened


async def ask(
    session: aiohttp.ClientSession, method: str, path: str, body: object = None
) -> tuple[int, Any]:
    sent = {"data": body} if isinstance(body, bytes) else {"json": body}
    async with session.request(method, path, **sent) as response:
        if response.status == 204:
            return 204, None
        return response.status, await response.json()


async def add(session: aiohttp.ClientSession, name: str = "Ann", **more: object) -> str:
    status, person = await ask(session, "POST", SUBJECTS, {"name": name, **more})
    assert status == 201
    subject_id: str = person["id"]
    return subject_id


async def test_a_person_is_added_shown_and_removed(session: aiohttp.ClientSession) -> None:
    permits = [{"door_id": "front", "direction": "entry", "valid_from": 5, "valid_until": 6.5}]
    subject_id = await add(session, " Ann ", kind="staff", permits=permits)
    expected = {
        "id": subject_id,
        "name": "Ann",
        "kind": "staff",
        "references": 0,
        "permits": permits,
    }
    assert await ask(session, "GET", f"{SUBJECTS}/{subject_id}") == (200, expected)
    assert await ask(session, "GET", SUBJECTS) == (200, {"subjects": [expected]})
    assert (await ask(session, "DELETE", f"{SUBJECTS}/{subject_id}"))[0] == 204
    assert await ask(session, "GET", SUBJECTS) == (200, {"subjects": []})
    assert (await ask(session, "GET", f"{SUBJECTS}/{subject_id}"))[0] == 404


async def test_permits_are_replaced_as_a_whole(session: aiohttp.ClientSession) -> None:
    subject_id = await add(session, permits=[{"door_id": "front"}])
    path = f"{SUBJECTS}/{subject_id}/permits"
    status, person = await ask(session, "PUT", path, {"permits": [{"door_id": "back"}]})
    assert status == 200
    assert [permit["door_id"] for permit in person["permits"]] == ["back"]
    assert (await ask(session, "PUT", path, {"permits": []}))[1]["permits"] == []


WRONG_BODIES: list[tuple[object, str, str]] = [
    (b"", "malformed", "not JSON: "),
    (b"{", "malformed", "not JSON: "),
    (b"\xff", "malformed", "not JSON: "),
    (b"[]", "malformed", "expected a JSON object"),
    ({}, "invalid", "name: required"),
    ({"name": 5}, "invalid", "name: expected str, got int"),
    ({"name": ""}, "invalid", "name: expected 1 to 80 characters"),
    ({"name": "x" * 81}, "invalid", "name: expected 1 to 80 characters"),
    (b'{"name": "\\ud800"}', "invalid", "name: half a character: not valid Unicode"),
    ({"name": "Ann", "admin": True}, "invalid", "admin: unknown field"),
    (
        {"name": "Ann", "kind": "burglar"},
        "invalid",
        "kind: 'burglar' is not one of resident, staff, pupil, contractor, visitor",
    ),
    ({"name": "Ann", "permits": [{}]}, "invalid", "permits[0].door_id: required"),
    (
        {"name": "Ann", "permits": [{"door_id": "front"}, {"door_id": "garage"}]},
        "invalid",
        "permits[1].door_id: 'garage' is not one of front, back",
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
        "is not a moment",
    ),
    (
        {"name": "Ann", "permits": [{"door_id": "front"}] * 101},
        "invalid",
        "permits: expected at most 100",
    ),
]


async def test_a_wrong_body_is_refused_with_its_place_and_nobody_is_added(
    session: aiohttp.ClientSession,
) -> None:
    for body, code, told in WRONG_BODIES:
        status, error = await ask(session, "POST", SUBJECTS, body)
        assert (status, error["type"], error["code"]) == (400, "error", code), body
        assert told in error["message"]
    assert await ask(session, "GET", SUBJECTS) == (200, {"subjects": []})


async def test_what_is_not_there_is_not_found(session: aiohttp.ClientSession) -> None:
    missing: list[tuple[str, str, object]] = [
        ("GET", f"{SUBJECTS}/nobody", None),
        ("DELETE", f"{SUBJECTS}/nobody", None),
        ("PUT", f"{SUBJECTS}/nobody/permits", {"permits": []}),
        ("POST", f"{SUBJECTS}/nobody/photos", PHOTO),
        ("GET", "/api/v1/doors/front/picture", None),
        ("GET", "/api/v1/nothing", None),
    ]
    for method, path, body in missing:
        status, error = await ask(session, method, path, body)
        assert (status, error["code"]) == (404, "not_found"), path


async def test_a_body_that_is_too_large_is_refused(session: aiohttp.ClientSession) -> None:
    subject_id = await add(session)
    for path in (SUBJECTS, f"{SUBJECTS}/{subject_id}/photos"):
        status, error = await ask(session, "POST", path, bytes(MAX_PICTURE_BYTES + 1))
        assert (status, error["code"]) == (413, "too_large")


async def test_who_is_removed_is_unknown_at_the_door_at_once_and_leaves_nothing(
    galleries: list[Gallery], site: Engine, session: aiohttp.ClientSession
) -> None:
    ann = await site.enroll("Ann", [PHOTO], ["front"])
    ben = await site.enroll("Ben", [OTHER], ["front"])
    assert set(galleries[-1]._subjects) == {ann, ben}
    await ask(session, "DELETE", f"{SUBJECTS}/{ann}")
    assert set(galleries[-1]._subjects) == {ben}
    with sqlite3.connect(site.database) as database:
        for table in ("templates", "permits"):
            rows = database.execute(f"SELECT subject_id FROM {table}").fetchall()
            assert rows == [(ben,)]
    database.close()


async def test_a_photo_too_many_is_refused_even_when_they_come_at_once(
    session: aiohttp.ClientSession,
) -> None:
    path = f"{SUBJECTS}/{await add(session)}/photos"
    answers = await asyncio.gather(
        *(ask(session, "POST", path, PHOTO) for _ in range(MAX_REFERENCES + 2))
    )
    assert sorted(status for status, _ in answers) == [201] * MAX_REFERENCES + [409, 409]
    assert {body["code"] for status, body in answers if status == 409} == {"too_many"}


async def test_changes_that_come_at_once_end_alike_in_memory_and_on_disk(
    site: Engine, session: aiohttp.ClientSession
) -> None:
    subject_id = await add(session)
    path = f"{SUBJECTS}/{subject_id}/permits"
    wishes = [{"permits": [{"door_id": door}]} for door in ("front", "back") * 10]
    await asyncio.gather(*(ask(session, "PUT", path, wish) for wish in wishes))
    _, person = await ask(session, "GET", f"{SUBJECTS}/{subject_id}")
    with sqlite3.connect(site.database) as database:
        rows = database.execute("SELECT door_id FROM permits").fetchall()
    database.close()
    assert rows == [(permit["door_id"],) for permit in person["permits"]]


async def test_people_are_still_there_after_a_restart(
    tmp_path: Path, galleries: list[Gallery]
) -> None:
    options = {"doors": [{"id": "front"}]}
    async with engine(options, tmp_path) as site:
        ann = await site.enroll("Ann", [PHOTO], ["front"])
    async with engine(options, tmp_path) as site, site.session() as session:
        _, person = await ask(session, "GET", f"{SUBJECTS}/{ann}")
        assert (person["name"], person["references"]) == ("Ann", 1)
        assert set(galleries[-1]._subjects) == {ann}
