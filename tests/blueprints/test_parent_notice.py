"""The guardians of a child learn of its entry and exit."""

from __future__ import annotations

from typing import Any

from freezegun.api import FrozenDateTimeFactory
from homeassistant.core import ServiceCall
import pytest

from tests.blueprints.house import MORNING, Door, House, messages

CLEO: dict[str, Any] = {
    "subject": "Cleo",
    "subject_id": "s1",
    "kind": "pupil",
    "notify": ["mobile_app_ann", "mobile_app_ben"],
    "area": "School",
}
DAN: dict[str, Any] = {**CLEO, "subject": "Dan", "subject_id": "s2", "notify": ["mobile_app_ann"]}


@pytest.fixture
def ann(house: House, freezer: FrozenDateTimeFactory) -> list[ServiceCall]:
    """What the phone of a parent is sent, at half past seven in the morning."""
    freezer.move_to(MORNING)
    return house.phone("mobile_app_ann")


@pytest.fixture
def ben(house: House) -> list[ServiceCall]:
    """What the other parent's phone is sent."""
    return house.phone("mobile_app_ben")


async def test_entry_and_exit_reach_all_guardians_of_the_child(
    house: House, front: Door, ann: list[ServiceCall], ben: list[ServiceCall]
) -> None:
    await house.automate("parent_notice", passages=[front.passage])
    house.tell(front.passage, "entry", **CLEO)
    await house.settle()
    house.tell(front.passage, "exit", **CLEO)
    await house.settle()
    assert (
        messages(ann)
        == messages(ben)
        == ["Cleo came in at 07:30: Front door.", "Cleo went out at 07:30: Front door."]
    )


async def test_other_guardians_learn_nothing(
    house: House, front: Door, ann: list[ServiceCall], ben: list[ServiceCall]
) -> None:
    await house.automate("parent_notice", passages=[front.passage])
    house.tell(front.passage, "entry", **DAN)
    await house.settle()
    assert messages(ann) == ["Dan came in at 07:30: Front door."]
    assert ben == []


async def test_two_children_in_one_millisecond_are_both_told(
    house: House, front: Door, ann: list[ServiceCall], ben: list[ServiceCall]
) -> None:
    await house.automate("parent_notice", passages=[front.passage])
    house.tell(front.passage, "entry", **CLEO)
    house.tell_at_once(front.passage, "entry", **DAN)
    await house.settle()
    assert messages(ann) == [
        "Cleo came in at 07:30: Front door.",
        "Dan came in at 07:30: Front door.",
    ]
    assert len(ben) == 1


async def test_the_first_passage_of_all_is_told_and_none_is_told_again(
    house: House, front: Door, ann: list[ServiceCall], ben: list[ServiceCall]
) -> None:
    await house.automate("parent_notice", passages=[front.passage])
    house.tell(front.passage, "entry", **CLEO)
    await house.settle()
    house.lose_and_find(front.passage)
    house.restart(front.passage)
    house.rename(front.passage)
    await house.settle()
    assert len(ann) == len(ben) == 1
    house.tell(front.passage, "entry", **CLEO)
    await house.settle()
    assert len(ann) == len(ben) == 2


async def test_an_event_of_a_minute_ago_is_not_told(
    house: House, front: Door, ann: list[ServiceCall], freezer: FrozenDateTimeFactory
) -> None:
    await house.automate("parent_notice", passages=[front.passage])
    house.tell(front.passage, "entry", **CLEO)
    state = house.hass.states.get(front.passage)
    assert state is not None
    house.hass.states.async_set(front.passage, "unavailable")
    await house.settle()
    ann.clear()
    freezer.tick(61)
    # As an integration would that restores its events late.
    house.hass.states.async_set(front.passage, "unknown")
    house.hass.states.async_set(front.passage, state.state, state.attributes)
    await house.settle()
    assert ann == []


@pytest.mark.parametrize(
    ("kinds", "told"),
    [(["pupil"], ["Cleo"]), (["pupil", "staff"], ["Cleo", "Fay"]), ([], ["Cleo", "Eve", "Fay"])],
)
async def test_only_the_chosen_kinds_of_people_are_told(
    house: House, front: Door, ann: list[ServiceCall], kinds: list[str], told: list[str]
) -> None:
    await house.automate("parent_notice", passages=[front.passage], kinds=kinds)
    people = (("Cleo", "pupil"), ("Eve", "resident"), ("Fay", "staff"), (None, None))
    for subject, kind in people:
        who = {"subject": subject, "subject_id": subject, "kind": kind}
        house.tell(front.passage, "entry", **who, notify=["mobile_app_ann"], area=None)
        await house.settle()
    assert [text.partition(" ")[0] for text in messages(ann)] == told


async def test_a_child_without_guardians_is_told_to_the_office_if_there_is_one(
    house: House, front: Door, ann: list[ServiceCall]
) -> None:
    office = house.phone("mobile_app_office")
    await house.automate(
        "parent_notice", passages=[front.passage], people=["notify.mobile_app_office"]
    )
    house.tell(front.passage, "entry", **{**CLEO, "notify": []})
    house.tell(front.passage, "entry", **DAN)
    await house.settle()
    assert messages(office) == ["Cleo came in at 07:30: Front door."]
    assert messages(ann) == ["Dan came in at 07:30: Front door."]


@pytest.mark.parametrize(
    ("from_time", "to_time", "told"),
    [
        ("07:00:00", "08:00:00", True),
        ("08:00:00", "16:00:00", False),
        ("22:00:00", "08:00:00", True),
        ("08:00:00", "07:00:00", False),
        ("00:00:00", "00:00:00", True),
    ],
)
async def test_nobody_is_told_outside_the_chosen_hours(
    house: House,
    front: Door,
    ann: list[ServiceCall],
    from_time: str,
    to_time: str,
    *,
    told: bool,
) -> None:
    await house.automate(
        "parent_notice", passages=[front.passage], from_time=from_time, to_time=to_time
    )
    house.tell(front.passage, "entry", **DAN)
    await house.settle()
    assert bool(ann) is told


async def test_a_guardian_whose_phone_is_gone_does_not_keep_the_others_from_knowing(
    house: House, front: Door, ann: list[ServiceCall], ben: list[ServiceCall]
) -> None:
    house.phone("mobile_app_off", error="the phone cannot be reached")
    await house.automate("parent_notice", passages=[front.passage])
    notify = ["mobile_app_gone", "mobile_app_off", "not a name!", "mobile_app_ann"]
    house.tell(front.passage, "entry", **{**CLEO, "notify": notify})
    await house.settle()
    assert len(ann) == 1
    assert ben == []


async def test_messages_can_be_in_another_language(
    house: House, front: Door, ann: list[ServiceCall]
) -> None:
    await house.automate(
        "parent_notice",
        passages=[front.passage],
        entry_message="{{ name }} ist da ({{ door }}, {{ time }})",
        exit_message="{{ name }} ist gegangen",
    )
    house.tell(front.passage, "entry", **DAN)
    await house.settle()
    house.tell(front.passage, "exit", **DAN)
    await house.settle()
    assert messages(ann) == ["Dan ist da (Front door, 07:30)", "Dan ist gegangen"]


async def test_another_event_of_the_door_is_no_passage(
    house: House, front: Door, ann: list[ServiceCall]
) -> None:
    await house.automate("parent_notice", passages=[front.access, front.passage])
    house.tell(front.access, "access_denied", **DAN)
    await house.settle()
    assert ann == []
