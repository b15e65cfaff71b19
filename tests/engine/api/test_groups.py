"""What a group may, its members may, from the moment they join until they leave."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.engine.api.office import GROUPS, SUBJECTS, add, ask, person, refusal, rows
from tests.support import Engine

pytestmark = pytest.mark.usefixtures("free_loop")


async def add_group(desk: aiohttp.ClientSession, name: str = "night") -> str:
    status, group = await ask(desk, "POST", GROUPS, {"name": name})
    assert status == 201
    return str(group["id"])


async def doors(desk: aiohttp.ClientSession, subject_id: str) -> list[tuple[str, bool]]:
    shown = await person(desk, subject_id)
    return [(permit["door_id"], permit["group_id"] is not None) for permit in shown["permits"]]


async def test_a_group_is_added_shown_and_removed(desk: aiohttp.ClientSession) -> None:
    group_id = await add_group(desk, " night ")
    await add(desk, groups=[group_id])
    permit = {"door_id": "front", "direction": "entry"}
    await ask(desk, "PUT", f"{GROUPS}/{group_id}/permits", {"permits": [permit]})
    retirement = {"kind": "card", "at": 1.5e9}
    status, shown = await ask(desk, "POST", f"{GROUPS}/{group_id}/retirements", retirement)
    limits = {"schedule_id": None, "valid_from": None, "valid_until": None}
    expected: dict[str, Any] = {
        "id": group_id,
        "name": "night",
        "members": 1,
        "permits": [{**permit, **limits, "group_id": group_id}],
        "retirements": [retirement],
    }
    assert (status, shown) == (200, expected)
    assert await ask(desk, "GET", GROUPS) == (200, {"groups": [expected]})
    assert await ask(desk, "DELETE", f"{GROUPS}/{group_id}") == (204, None)
    assert await ask(desk, "GET", GROUPS) == (200, {"groups": []})


async def test_members_have_their_groups_permits_besides_their_own(
    desk: aiohttp.ClientSession,
) -> None:
    group_id = await add_group(desk)
    ann = await add(desk, permits=[{"door_id": "back"}])
    ben = await add(desk, "Ben", groups=[group_id])
    wish = {"permits": [{"door_id": "front"}]}
    await ask(desk, "PUT", f"{GROUPS}/{group_id}/permits", wish)
    assert await doors(desk, ben) == [("front", True)]
    assert await doors(desk, ann) == [("back", False)]
    await ask(desk, "PATCH", f"{SUBJECTS}/{ann}", {"groups": [group_id]})
    assert await doors(desk, ann) == [("back", False), ("front", True)]
    await ask(desk, "PUT", f"{SUBJECTS}/{ann}/permits", {"permits": []})
    assert await doors(desk, ann) == [("front", True)]
    await ask(desk, "PATCH", f"{SUBJECTS}/{ann}", {"groups": []})
    assert await doors(desk, ann) == []


async def test_who_was_in_a_group_that_is_removed_stays_without_its_permits(
    office: Engine, desk: aiohttp.ClientSession
) -> None:
    night, day = await add_group(desk), await add_group(desk, "day")
    ann = await add(desk, groups=[night, day])
    for group_id, door in ((night, "front"), (day, "back")):
        wish = {"permits": [{"door_id": door}]}
        await ask(desk, "PUT", f"{GROUPS}/{group_id}/permits", wish)
    await ask(desk, "DELETE", f"{GROUPS}/{night}")
    shown = await person(desk, ann)
    assert shown["groups"] == [day]
    assert await doors(desk, ann) == [("back", True)]
    assert rows(office.database, "SELECT group_id FROM members") == [(day,)]
    assert rows(office.database, "SELECT door_id FROM permits") == [("back",)]


async def test_a_later_date_of_a_kind_of_credential_takes_the_place_of_the_first(
    desk: aiohttp.ClientSession,
) -> None:
    path = f"{GROUPS}/{await add_group(desk)}/retirements"
    await ask(desk, "POST", path, {"kind": "card", "at": 5})
    await ask(desk, "POST", path, {"kind": "face", "at": 6})
    _, shown = await ask(desk, "POST", path, {"kind": "card", "at": 7})
    dates = {each["kind"]: each["at"] for each in shown["retirements"]}
    assert dates == {"card": 7, "face": 6}
    assert len(shown["retirements"]) == 2


async def test_what_is_wrong_with_a_group_is_told_with_its_place(
    desk: aiohttp.ClientSession,
) -> None:
    group_id = await add_group(desk)
    wrong: list[tuple[str, str, object, int, str]] = [
        ("POST", GROUPS, {"name": ""}, 400, "name: "),
        ("POST", GROUPS, {"name": "night"}, 409, "name: there is a group 'night' already"),
        (
            "PUT",
            f"{GROUPS}/{group_id}/permits",
            {"permits": [{"door_id": "garage"}]},
            400,
            "permits[0].door_id: 'garage' is not one of front, back",
        ),
        ("POST", f"{GROUPS}/{group_id}/retirements", {"kind": "key", "at": 5}, 400, "kind: 'key'"),
        ("POST", f"{GROUPS}/{group_id}/retirements", {"kind": "pin"}, 400, "at: required"),
    ]
    for method, path, body, status, told in wrong:
        found = await refusal(desk, method, path, body)
        assert found[0] == status
        assert found[2].startswith(told)
