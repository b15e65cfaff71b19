"""A visitor rings at the phones of a unit, and one of them answers, once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from homeassistant.core import HomeAssistant, ServiceCall
from homeassistant.util import dt as dt_util
from pytest_homeassistant_custom_component.common import (  # type: ignore[import-untyped]
    async_fire_time_changed,
)

from tests.blueprints.house import Door, House, messages
from tests.support import until

CALL_S = 60.0
PHONES = ["mobile_app_ann", "notify.mobile_app_ben"]


def ring(
    house: House, door: Door, call_id: str, unit: str | None = None, seconds: float = CALL_S
) -> None:
    """Ring as the integration does: the event, then the sensor."""
    expires_at = (dt_util.utcnow() + timedelta(seconds=seconds)).isoformat()
    house.tell(door.visitor, "ring", call_id=call_id, unit=unit, expires_at=expires_at)
    house.hass.states.async_set(door.visitor_waiting, "on")


async def rung(house: House, door: Door, *phones: list[ServiceCall], call_id: str = "c1") -> None:
    """Ring, and return when all these phones have been told."""
    ring(house, door, call_id)
    await until(lambda: all(len(phone) == 1 for phone in phones))
    await house.runs(1)


def tap(hass: HomeAssistant, action: str) -> None:
    """Tap a button of a notification, as the companion app reports it."""
    hass.bus.async_fire("mobile_app_notification_action", {"action": action, "tag": "any"})


def button(sent: list[ServiceCall], index: int) -> dict[str, Any]:
    """Return a button of the first message: 0 lets in, 1 turns away."""
    found: dict[str, Any] = sent[0].data["data"]["actions"][index]
    return found


async def call_goes_by(house: House) -> None:
    """End the wait of what still runs."""
    async_fire_time_changed(house.hass, dt_util.utcnow() + timedelta(seconds=CALL_S + 1))
    await house.settle()


async def test_each_phone_shows_the_visitor_and_two_buttons(house: House, front: Door) -> None:
    ann, ben = house.phone("mobile_app_ann"), house.phone("mobile_app_ben")
    await house.automate("visitor_call", rings=[front.visitor], people=PHONES)
    ring(house, front, "c1", unit="12")
    await until(lambda: ann and ben)
    assert ann[0].data["title"] == "Front door"
    assert messages(ann) == messages(ben) == ["Somebody is at Front door for 12."]
    shown = ann[0].data["data"]
    assert shown["image"] == f"/api/image_proxy/{front.visitor_picture}"
    assert 50 < shown["timeout"] <= CALL_S
    assert [action["title"] for action in shown["actions"]] == ["Let in", "Turn away"]
    assert "c1" in button(ann, 0)["action"]
    assert button(ann, 0)["action"] != button(ann, 1)["action"]
    assert shown == ben[0].data["data"]
    assert house.answers == []
    await call_goes_by(house)


async def test_letting_in_needs_an_unlocked_phone(house: House, front: Door) -> None:
    ann = house.phone("mobile_app_ann")
    await house.automate("visitor_call", rings=front.visitor, people=["mobile_app_ann"])
    await rung(house, front, ann)
    assert button(ann, 0)["authenticationRequired"] is True
    await call_goes_by(house)


async def test_the_first_tap_answers_that_call_once_and_clears_all_phones(
    house: House, front: Door
) -> None:
    ann, ben = house.phone("mobile_app_ann"), house.phone("mobile_app_ben")
    await house.automate("visitor_call", rings=[front.visitor], people=PHONES)
    await rung(house, front, ann, ben)
    tap(house.hass, button(ann, 0)["action"])
    await house.settle()
    tap(house.hass, button(ben, 0)["action"])
    tap(house.hass, button(ben, 1)["action"])
    await house.settle()
    assert [call.data for call in house.answers] == [{"call_id": "c1", "answer": "let_in"}]
    for phone in (ann, ben):
        assert messages(phone)[1:] == ["clear_notification"]
        assert phone[1].data["data"] == {"tag": phone[0].data["data"]["tag"]}


async def test_turning_away_says_so(house: House, front: Door) -> None:
    ann = house.phone("mobile_app_ann")
    await house.automate("visitor_call", rings=[front.visitor], people=["mobile_app_ann"])
    await rung(house, front, ann)
    tap(house.hass, button(ann, 1)["action"])
    await house.settle()
    assert [call.data for call in house.answers] == [{"call_id": "c1", "answer": "turn_away"}]


async def test_a_call_answered_elsewhere_goes_from_the_phones(house: House, front: Door) -> None:
    ann = house.phone("mobile_app_ann")
    await house.automate("visitor_call", rings=[front.visitor], people=["mobile_app_ann"])
    await rung(house, front, ann)
    house.hass.states.async_set(front.visitor_waiting, "off")
    await house.settle()
    assert messages(ann)[1:] == ["clear_notification"]
    tap(house.hass, button(ann, 0)["action"])
    await house.settle()
    assert house.answers == []


async def test_a_lost_engine_does_not_end_the_call(house: House, front: Door) -> None:
    ann = house.phone("mobile_app_ann")
    await house.automate("visitor_call", rings=[front.visitor], people=["mobile_app_ann"])
    await rung(house, front, ann)
    house.lose_and_find(front.visitor_waiting)
    house.lose_and_find(front.visitor)
    tap(house.hass, button(ann, 0)["action"])
    await house.settle()
    assert [call.data["answer"] for call in house.answers] == ["let_in"]
    assert messages(ann)[1:] == ["clear_notification"]


async def test_a_tap_after_the_end_of_the_call_answers_nothing(house: House, front: Door) -> None:
    ann = house.phone("mobile_app_ann")
    await house.automate("visitor_call", rings=[front.visitor], people=["mobile_app_ann"])
    await rung(house, front, ann)
    await call_goes_by(house)
    assert messages(ann)[1:] == ["clear_notification"]
    tap(house.hass, button(ann, 0)["action"])
    await house.settle()
    assert house.answers == []


async def test_a_call_that_is_over_is_not_told(house: House, front: Door) -> None:
    ann = house.phone("mobile_app_ann")
    await house.automate("visitor_call", rings=[front.visitor], people=["mobile_app_ann"])
    ring(house, front, "c1", seconds=-1)
    await house.settle()
    assert ann == []


async def test_a_tap_for_one_call_leaves_the_other_ringing(house: House, front: Door) -> None:
    ann, yard = house.phone("mobile_app_ann"), house.door("Yard")
    await house.automate(
        "visitor_call", rings=[front.visitor, yard.visitor], people=["mobile_app_ann"]
    )
    ring(house, front, "c1")
    ring(house, yard, "c2")
    await until(lambda: len(ann) == 2)
    await house.runs(2)
    at_yard = next(sent for sent in ann if sent.data["title"] == "Yard")
    assert at_yard.data["data"]["image"] == f"/api/image_proxy/{yard.visitor_picture}"
    tap(house.hass, at_yard.data["data"]["actions"][0]["action"])
    await house.runs(1)
    assert [call.data["call_id"] for call in house.answers] == ["c2"]
    await call_goes_by(house)
    assert len(house.answers) == 1


async def test_only_the_chosen_units_are_rung(house: House, front: Door) -> None:
    ann = house.phone("mobile_app_ann")
    await house.automate(
        "visitor_call", rings=[front.visitor], people=["mobile_app_ann"], units=["12", "A 3"]
    )
    for call_id, unit in (("c1", "13"), ("c2", "1"), ("c3", None)):
        ring(house, front, call_id, unit)
        await house.settle()
    assert ann == []
    ring(house, front, "c4", "a 3")
    await until(lambda: len(ann) == 1)
    await call_goes_by(house)


async def test_the_desk_is_rung_when_no_unit_is_named(house: House, front: Door) -> None:
    desk = house.phone("mobile_app_desk")
    await house.automate(
        "visitor_call", rings=[front.visitor], people=["mobile_app_desk"], units=["desk"]
    )
    ring(house, front, "c1", "12")
    await house.settle()
    assert desk == []
    ring(house, front, "c2")
    await until(lambda: messages(desk) == ["Somebody is at Front door."])
    await call_goes_by(house)


async def test_a_unit_named_during_the_call_is_rung_then_and_once(
    house: House, front: Door
) -> None:
    ann, ben = house.phone("mobile_app_ann"), house.phone("mobile_app_ben")
    await house.automate(
        "visitor_call", rings=[front.visitor], people=["mobile_app_ann"], units=["12"]
    )
    ring(house, front, "c1")
    await house.settle()
    assert ann == ben == []
    ring(house, front, "c1", "12")
    await until(lambda: len(ann) == 1)
    ring(house, front, "c1", "12")
    await house.runs(1)
    await call_goes_by(house)
    assert messages(ann)[1:] == ["clear_notification"]


async def test_an_old_ring_is_not_repeated(house: House, front: Door) -> None:
    ann = house.phone("mobile_app_ann")
    await house.automate("visitor_call", rings=[front.visitor], people=["mobile_app_ann"])
    await rung(house, front, ann)
    tap(house.hass, button(ann, 1)["action"])
    await house.settle()
    ann.clear()
    house.lose_and_find(front.visitor)
    house.restart(front.visitor)
    house.rename(front.visitor)
    await house.settle()
    assert ann == []


async def test_a_phone_that_is_gone_or_fails_does_not_keep_the_others_from_answering(
    house: House, front: Door
) -> None:
    house.phone("mobile_app_off", error="the phone cannot be reached")
    ann = house.phone("mobile_app_ann")
    await house.automate(
        "visitor_call",
        rings=[front.visitor],
        people=["mobile_app_gone", "mobile_app_off", "mobile_app_ann"],
    )
    await rung(house, front, ann)
    tap(house.hass, button(ann, 0)["action"])
    await house.settle()
    assert [call.data["answer"] for call in house.answers] == ["let_in"]
    assert messages(ann)[1:] == ["clear_notification"]


async def test_a_refused_answer_still_clears_the_phones(house: House, front: Door) -> None:
    ann = house.phone("mobile_app_ann")
    house.refuse_answers("the call is already answered")
    await house.automate("visitor_call", rings=[front.visitor], people=["mobile_app_ann"])
    await rung(house, front, ann)
    tap(house.hass, button(ann, 0)["action"])
    await house.settle()
    assert len(house.answers) == 1
    assert messages(ann)[1:] == ["clear_notification"]


async def test_texts_can_be_in_another_language(house: House, front: Door) -> None:
    ann = house.phone("mobile_app_ann")
    await house.automate(
        "visitor_call",
        rings=[front.visitor],
        people=["mobile_app_ann"],
        message="{{ door }}: es läutet{{ ' bei ' ~ unit if unit }}",
        let_in="Öffnen",
        turn_away="Abweisen",
    )
    ring(house, front, "c1", "007")
    await until(lambda: messages(ann) == ["Front door: es läutet bei 007"])
    assert [button(ann, index)["title"] for index in (0, 1)] == ["Öffnen", "Abweisen"]
    await call_goes_by(house)


async def test_more_phones_than_branches_are_all_rung(house: House, front: Door) -> None:
    names = [f"mobile_app_{number}" for number in range(11)]
    phones = [house.phone(name) for name in names]
    await house.automate("visitor_call", rings=[front.visitor], people=names)
    await rung(house, front, *phones)
    await call_goes_by(house)
    assert [messages(phone)[1:] for phone in phones] == [["clear_notification"]] * 11


async def test_a_door_without_a_picture_rings_without_one(house: House, front: Door) -> None:
    ann = house.phone("mobile_app_ann")
    house.forget(front.visitor_picture)
    await house.automate("visitor_call", rings=[front.visitor], people=["mobile_app_ann"])
    await rung(house, front, ann)
    assert "image" not in ann[0].data["data"]
    await call_goes_by(house)
