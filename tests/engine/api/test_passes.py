"""A visitor pass over REST: made once, opens as often as it may, and is told why where not."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from facegate.door import homeassistant
from facegate.protocol import ActuatorStatus, DoorStateName
from facegate.visitor.qr import find_code
from tests.engine.site.gated import Gated, gated
from tests.support import FakeClock, until

pytestmark = pytest.mark.usefixtures("free_loop")


async def issue(site: Gated, **changes: object) -> Any:
    body = {
        "name": "Cleo",
        "door_ids": ["front"],
        "valid_until": site.clock.now().timestamp() + 3600,
        **changes,
    }
    return await site.make("POST", "passes", body)


async def reason(site: Gated, door: str = "front", **credential: str) -> str:
    receipt = await site.present(door, **credential)
    assert receipt["granted"] == (receipt["reason"] == "granted")
    return str(receipt["reason"])


async def test_a_code_opens_once_and_is_then_used_up(tmp_path: Path) -> None:
    async with gated(tmp_path) as site:
        issued = await issue(site)
        picture = np.frombuffer(base64.b64decode(issued["qr"]), np.uint8)
        image = cv2.imdecode(picture, cv2.IMREAD_COLOR)
        assert image is not None
        assert find_code(np.asarray(image, np.uint8)) == issued["code"]
        assert await reason(site, "back", code=issued["code"]) == "pass_not_here"
        assert site.client.pulses == []
        assert await reason(site, code=issued["code"]) == "granted"
        assert await reason(site, code=issued["code"]) == "pass_used_up"
        credential = {"number": issued["pass"]["number"], "pin": issued["pin"]}
        assert await reason(site, **credential) == "pass_used_up"
        assert await reason(site, direction="exit", code=issued["code"]) == "granted"
        (shown,) = (await site.make("GET", "passes"))["passes"]
        assert (shown["used"], shown["max_uses"]) == (1, 1)
        granted = [e for e in await site.events("access") if e["body"]["granted"]]
        assert {event["body"]["pass"] for event in granted} == {shown["id"]}
        told = str(await site.engine.events()) + str(shown)
        assert issued["code"] not in told
        assert issued["pin"] not in told


async def test_a_renewed_code_is_a_replay_and_a_revoked_one_opens_nothing(tmp_path: Path) -> None:
    async with gated(tmp_path) as site:
        issued = await issue(site, max_uses=2)
        path = f"passes/{issued['pass']['id']}"
        newer = await site.make("POST", f"{path}/code")
        assert await reason(site, code=issued["code"]) == "pass_replayed"
        number = issued["pass"]["number"]
        if issued["pin"] != newer["pin"]:
            assert await reason(site, number=number, pin=issued["pin"]) == "credential_wrong"
        assert await reason(site, number=number, pin=newer["pin"]) == "granted"
        revoked = await site.make("DELETE", path)
        assert (revoked["revoked"], revoked["used"]) == (True, 1)
        assert await reason(site, code=newer["code"]) == "pass_revoked"
        assert (await site.ask("POST", f"{path}/code"))[0] == 409
        assert await reason(site, code=newer["code"][:-1]) == "pass_forged"
        kinds = [event["body"]["what"] for event in await site.events("pass")]
        assert kinds == ["made", "renewed", "revoked"]


async def test_a_pass_opens_within_its_window(tmp_path: Path) -> None:
    async with gated(tmp_path) as site:
        issued = await issue(site, valid_from=site.clock.now().timestamp() + 60)
        assert await reason(site, code=issued["code"]) == "pass_not_yet_valid"
        await site.tick(3600)
        assert await reason(site, code=issued["code"]) == "pass_expired"


async def test_two_readers_at_the_same_moment_open_once(tmp_path: Path) -> None:
    async with gated(tmp_path) as site:
        issued = await issue(site, door_ids=["front", "back"])
        found = await asyncio.gather(
            *(reason(site, door, code=issued["code"]) for door in ["front", "back"] * 3)
        )
        assert sorted(found) == ["granted", *["pass_used_up"] * 5]
        assert len(site.client.pulses) == 1


async def test_a_use_is_given_back_only_where_the_door_certainly_stayed_shut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(homeassistant, "CONFIRM_S", 0.3)
    clock = FakeClock()

    async def uses(site: Gated) -> int:
        await site.engine.site.bulletin.finish()
        return int((await site.make("GET", "passes"))["passes"][0]["used"])

    async with gated(tmp_path, clock=clock) as site:
        code = (await issue(site, max_uses=2))["code"]
        await site.client.send(ActuatorStatus("front", available=False, unlocked=None))
        await until(lambda: site.door().state is DoorStateName.UNAVAILABLE)
        status, error = await site.ask("POST", "doors/front/credentials", {"code": code})
        assert (status, error["code"]) == (503, "actuator_unavailable")
        assert await uses(site) == 0
    async with gated(tmp_path, clock=clock) as site:
        assert await uses(site) == 0
        site.client.confirms = False
        status, error = await site.ask("POST", "doors/front/credentials", {"code": code})
        assert error["code"] == "not_confirmed"
        assert await uses(site) == 1
    async with gated(tmp_path, clock=clock) as site:
        assert await uses(site) == 1
        assert await reason(site, code=code) == "granted"
        assert await reason(site, code=code) == "pass_used_up"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"door_ids": []}, "door_ids"),
        ({"door_ids": ["front", "garage"]}, "door_ids[1]"),
        ({"max_uses": 0}, "max_uses"),
        ({"max_uses": 101}, "max_uses"),
        ({"valid_until": 1e300}, "valid_until"),
        ({"valid_until": 0}, "valid_until"),
        ({"valid_until": 4e9}, "valid_until"),
        ({"valid_from": 9e9, "valid_until": 9e9 + 60}, "valid_from"),
        ({"unit": ""}, "unit"),
        ({"color": "red"}, "color"),
    ],
)
async def test_a_refusal_names_the_field(
    tmp_path: Path, changes: dict[str, object], field: str
) -> None:
    async with gated(tmp_path) as site:
        until = site.clock.now().timestamp() + 60
        body = {"name": "Cleo", "door_ids": ["front"], "valid_until": until, **changes}
        status, error = await site.ask("POST", "passes", body)
        assert (status, error["code"]) == (400, "invalid")
        assert field in error["message"]
        assert (await site.make("GET", "passes"))["passes"] == []
