"""Alarms at a door reach the people chosen for them."""

from __future__ import annotations

from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import ServiceCall
import pytest
from pytest_homeassistant_custom_component.common import (  # type: ignore[import-untyped]
    async_mock_service,
)

from facegate.protocol import AlarmKind
from tests.blueprints.house import MORNING, Door, House, messages

BEN: dict[str, Any] = {"subject": "Ben", "subject_id": "s1", "detail": "38.2 °C"}
NOBODY: dict[str, Any] = {"subject": None, "subject_id": None, "detail": None}
# What each blueprint tells of; it is silent on everything else.
KINDS = {
    "fever_or_mask_alert": {"fever", "mask"},
    "door_held_or_forced": {"door_held", "door_forced", "door_unlocked"},
    "approval_expiring": {"approval_expiring"},
    "duress_alert": {"duress"},
}
BLUEPRINTS = pytest.mark.parametrize("blueprint", sorted(KINDS))


@pytest.fixture
def ann(house: House, freezer: FrozenDateTimeFactory) -> list[ServiceCall]:
    """What the phone of the person on duty is sent, at half past seven in the morning."""
    freezer.move_to(MORNING)
    return house.phone("mobile_app_ann")


@BLUEPRINTS
async def test_an_alarm_is_told_once_and_not_again_after_a_lost_connection(
    house: House, front: Door, ann: list[ServiceCall], blueprint: str
) -> None:
    await house.automate(blueprint, alarms=[front.alarm], people=["mobile_app_ann"])
    (kind, *_) = KINDS[blueprint]
    house.tell(front.alarm, kind, **BEN)
    await house.settle()
    house.lose_and_find(front.alarm)
    house.restart(front.alarm)
    house.rename(front.alarm)
    await house.settle()
    assert len(ann) == 1
    house.tell(front.alarm, kind, **BEN)
    await house.settle()
    assert len(ann) == 2


@BLUEPRINTS
async def test_only_the_alarms_meant_are_told(
    house: House, front: Door, ann: list[ServiceCall], blueprint: str
) -> None:
    await house.automate(blueprint, alarms=[front.alarm], people=["mobile_app_ann"])
    told = set()
    for kind in AlarmKind:
        house.tell(front.alarm, kind.value, **BEN)
        await house.settle()
        if ann:
            told.add(kind.value)
        ann.clear()
    assert told == KINDS[blueprint]


@BLUEPRINTS
async def test_two_alarms_in_one_millisecond_are_both_told(
    house: House, front: Door, ann: list[ServiceCall], blueprint: str
) -> None:
    await house.automate(blueprint, alarms=[front.alarm], people=["mobile_app_ann"])
    (kind, *_) = KINDS[blueprint]
    house.tell(front.alarm, kind, **BEN)
    house.tell_at_once(front.alarm, kind, **{**BEN, "subject": "Cleo", "subject_id": "s2"})
    await house.settle()
    assert len(ann) == 2


@BLUEPRINTS
async def test_an_alarm_that_a_restart_shows_late_is_not_told(
    house: House,
    front: Door,
    ann: list[ServiceCall],
    freezer: FrozenDateTimeFactory,
    blueprint: str,
) -> None:
    await house.automate(blueprint, alarms=[front.alarm], people=["mobile_app_ann"])
    house.tell(front.alarm, min(KINDS[blueprint]), **BEN)
    state = house.hass.states.get(front.alarm)
    assert state is not None
    house.hass.states.async_set(front.alarm, "unknown")
    await house.settle()
    ann.clear()
    freezer.tick(61)
    house.hass.states.async_set(front.alarm, state.state, state.attributes)
    await house.settle()
    assert ann == []


@BLUEPRINTS
async def test_phones_that_are_gone_or_fail_do_not_keep_the_alarm_from_the_others(
    house: House, front: Door, ann: list[ServiceCall], blueprint: str
) -> None:
    house.phone("mobile_app_off", error="the phone cannot be reached")
    people = ["mobile_app_gone", "mobile_app_off", "notify.mobile_app_ann", "mobile_app_ann"]
    await house.automate(blueprint, alarms=[front.alarm], people=people)
    house.tell(front.alarm, min(KINDS[blueprint]), **BEN)
    await house.settle()
    assert len(ann) == 1


@pytest.mark.parametrize(
    ("blueprint", "kind", "of", "text"),
    [
        (
            "fever_or_mask_alert",
            "fever",
            BEN,
            "Ben: body temperature too high (38.2 °C), Front door, 07:30",
        ),
        ("fever_or_mask_alert", "mask", NOBODY, "Somebody unknown: no mask, Front door, 07:30"),
        ("door_held_or_forced", "door_forced", NOBODY, "Front door was forced, 07:30"),
        (
            "door_held_or_forced",
            "door_unlocked",
            NOBODY,
            "Front door was unlocked by somebody else, 07:30",
        ),
        (
            "door_held_or_forced",
            "door_held",
            {**NOBODY, "detail": "31 s"},
            "Front door is held open, 07:30 (31 s)",
        ),
        (
            "approval_expiring",
            "approval_expiring",
            {**BEN, "detail": "approved until 2026-03-05 18:00"},
            "The approval of Ben ends soon (approved until 2026-03-05 18:00).",
        ),
        (
            "duress_alert",
            "duress",
            BEN,
            "Duress PIN of Ben at Front door, 07:30. Do not call Ben; follow your plan.",
        ),
    ],
)
async def test_the_message_says_who_what_where_and_when(
    house: House,
    front: Door,
    ann: list[ServiceCall],
    blueprint: str,
    kind: str,
    of: dict[str, Any],
    text: str,
) -> None:
    await house.automate(blueprint, alarms=[front.alarm], people=["mobile_app_ann"])
    house.tell(front.alarm, kind, **of)
    await house.settle()
    assert messages(ann) == [text]


@pytest.mark.parametrize(
    ("blueprint", "chosen"), [("fever_or_mask_alert", "mask"), ("door_held_or_forced", "door_held")]
)
async def test_one_of_two_kinds_can_be_left_out(
    house: House, front: Door, ann: list[ServiceCall], blueprint: str, chosen: str
) -> None:
    await house.automate(
        blueprint, alarms=front.alarm, people=["mobile_app_ann"], kinds=[chosen], message="{{kind}}"
    )
    for kind in sorted(KINDS[blueprint]):
        house.tell(front.alarm, kind, **BEN)
        await house.settle()
    assert messages(ann) == [chosen]


async def test_a_forced_door_also_starts_the_siren_while_a_phone_is_gone(
    house: House, front: Door, ann: list[ServiceCall]
) -> None:
    siren = async_mock_service(house.hass, "siren", "turn_on")
    await house.automate(
        "door_held_or_forced",
        alarms=[front.alarm],
        people=["mobile_app_gone", "mobile_app_ann"],
        also=[{"action": "siren.turn_on", "target": {"entity_id": "siren.hall"}}],
    )
    house.tell(front.alarm, "door_forced", **NOBODY)
    await house.settle()
    assert [call.data["entity_id"] for call in siren] == [["siren.hall"]]
    assert len(ann) == 1


async def test_people_are_told_of_a_forced_door_also_when_the_siren_fails(
    house: House, front: Door, ann: list[ServiceCall]
) -> None:
    await house.automate(
        "door_held_or_forced",
        alarms=[front.alarm],
        people=["mobile_app_ann"],
        also=[{"action": "siren.gone"}],
    )
    house.tell(front.alarm, "door_forced", **NOBODY)
    await house.settle()
    assert len(ann) == 1


async def test_a_site_tells_of_approvals(house: House, ann: list[ServiceCall]) -> None:
    site = house.door("Site")
    await house.automate("approval_expiring", alarms=site.alarm, people=["mobile_app_ann"])
    house.tell(site.alarm, "approval_expiring", **BEN)
    house.tell(site.alarm, "clock_jump", **NOBODY)
    await house.settle()
    assert len(ann) == 1


async def test_duress_does_nothing_but_tell_the_people_named(
    house: House, front: Door, ann: list[ServiceCall]
) -> None:
    called: list[tuple[str, str]] = []
    house.hass.bus.async_listen(
        "call_service",
        lambda event: called.append((event.data["domain"], event.data["service"])),
    )
    await house.automate("duress_alert", alarms=[front.alarm], people=["mobile_app_ann"])
    house.tell(front.alarm, "duress", **BEN)
    await house.settle()
    assert called == [("notify", "mobile_app_ann")]
    assert len(ann) == 1
