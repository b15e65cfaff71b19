"""Visitors: let in once by one tap, and a pass that opens as often as it says."""

from __future__ import annotations

import base64
from datetime import timedelta
import json

from homeassistant.exceptions import HomeAssistantError
from homeassistant.util import dt as dt_util
import pytest

from facegate.domain import Image
from facegate.face.picture import decode_picture
from tests.engine.face.real import canvas
from tests.engine.passage import A_WAIT
from tests.stories.conftest import OpenPlace
from tests.stories.place import face, failed, front
from tests.support import until


async def test_a_visitor_is_let_in_once_by_one_tap_and_not_twice(place_at: OpenPlace) -> None:
    async with place_at(front(unit="12B")) as place:
        hass = place.home.hass
        ann, ben = place.phone("mobile_app_ann"), place.phone("mobile_app_ben")
        await place.automate(
            "visitor_call",
            rings=[place.home.entity_id("event", "visitor")],
            people=["mobile_app_ann", "mobile_app_ben"],
            units=["12B"],
        )
        await place.show(face()[:A_WAIT])
        assert failed(await place.decision()) == {
            "identity": "not_recognized",
            "permit": "no_permit",
        }
        await until(lambda: ann and ben)
        rang = await place.decision("visitor")
        assert ann[0].data["message"] == "Somebody is at Front door for 12B."
        let_in = ann[0].data["data"]["actions"][0]
        assert let_in["authenticationRequired"] is True

        user = await place.home.user("Ann")
        for _ in range(2):
            hass.bus.async_fire(
                "mobile_app_notification_action", {"action": let_in["action"]}, context=user
            )
        decision = await place.decision()
        assert (decision["basis"], decision["reason"]) == ("visitor", "let_in")
        assert decision["approver"] == "Ann"
        await until(lambda: len(ann) == len(ben) == 2)
        assert ben[1].data["message"] == "clear_notification"
        with pytest.raises(HomeAssistantError, match="call"):
            await place.home.act("answer_call", call_id=rang["call_id"], answer="let_in")
        await place.pulsed(1)
        outcomes = [json.loads(row["body"]) for row in await place.record("call")]
        assert [(body["outcome"], body["user"]) for body in outcomes] == [
            ("rang", None),
            ("let_in", "Ann"),
        ]


def held_up(qr: str) -> list[Image]:
    """Return what the camera sees while somebody holds up a phone with a pass."""
    code = decode_picture(base64.b64decode(qr))
    return [canvas(code.shape[1] + 160, code.shape[0] + 120, (code, 80, 60))] * 4


async def test_a_pass_that_is_used_up_opens_no_more(place_at: OpenPlace) -> None:
    async with place_at(front()) as place:
        until_then = (dt_util.utcnow() + timedelta(hours=8)).isoformat()
        made = await place.home.act(
            "create_pass", name="Dan", doors=["front"], valid_until=until_then, max_uses=1
        )
        await place.show(held_up(made["qr"]))
        first = await place.decision()
        assert (first["event_type"], first["basis"]) == ("access_granted", "pass")
        await place.pulsed(1)

        place.nobody(11)
        await place.show(held_up(made["qr"]))
        second = await place.decision()
        assert (second["event_type"], second["reason"]) == ("access_denied", "pass_used_up")
        assert failed(second) == {"credential": "pass_used_up"}
        keyed = await place.present(number=made["pass"]["number"], pin=made["pin"])
        assert failed(keyed) == {"credential": "pass_used_up"}
        (listed,) = (await place.home.act("list_passes"))["passes"]
        assert (listed["used"], listed["max_uses"]) == (1, 1)
        out = await place.present(code=made["code"], direction="exit")
        assert out["granted"] is True
        await place.pulsed(2)


async def test_a_revoked_a_renewed_and_an_expired_pass_are_denied_with_that_reason(
    place_at: OpenPlace,
) -> None:
    async with place_at(front()) as place:
        until_then = (dt_util.utcnow() + timedelta(hours=1)).isoformat()
        made = await place.home.act(
            "create_pass", name="Dan", doors=["front"], valid_until=until_then, max_uses=5
        )
        other = await place.home.act(
            "create_pass", name="Eve", doors=["front"], valid_until=until_then, max_uses=5
        )
        await place.home.act("revoke_pass", pass_id=made["pass"]["id"])
        assert failed(await place.present(code=made["code"])) == {"credential": "pass_revoked"}
        forged = other["code"][:-2] + ("AA" if other["code"][-2:] != "AA" else "BB")
        assert failed(await place.present(code=forged)) == {"credential": "pass_forged"}
        place.nobody(3600)
        assert failed(await place.present(code=other["code"])) == {"credential": "pass_expired"}
        assert place.strike.asked == []
