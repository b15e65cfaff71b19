"""Options of areas and of doors: what is asked for at them, always or by rules."""

from __future__ import annotations

from typing import Any

import pytest

from facegate.errors import SettingsError
from facegate.protocol import Direction
from facegate.register import Area, ControlRule, DoorRules, MaskRule, Passback
from facegate.settings import parse
from facegate.verdicts import Control, Requirement

CONTROLS = "document, liveness, mask, second_credential, temperature, two_persons"


def door(**changes: Any) -> dict[str, Any]:
    return {"doors": [{"id": "front", **changes}]}


def area(**changes: Any) -> dict[str, Any]:
    return {"doors": [{"id": "front"}], "areas": [{"id": "hall", **changes}]}


OFFICE = [{"id": "office", "windows": []}]


def test_a_door_asks_for_liveness_and_nothing_else_unless_told() -> None:
    found = parse(door())
    (front,) = found.doors
    assert front.rules == DoorRules("front", {Control.LIVENESS: Requirement.REQUIRED})
    assert (front.unit, front.held_open_s, front.contact) == (None, 30, False)
    assert found.areas == ()


def test_areas_have_a_capacity_and_an_anti_passback() -> None:
    chosen = area(name="Hall", capacity=40, anti_passback="hard", reset_at="04:00")
    assert parse(chosen).areas == (Area("hall", "Hall", 40, Passback.HARD, 240),)
    assert parse(area()).areas == (Area("hall", "hall", None, Passback.OFF, None),)


def test_a_door_asks_for_what_it_names_and_for_liveness_unless_told() -> None:
    raw = {
        **area(),
        "schedules": OFFICE,
        "doors": [
            {
                "id": "front",
                "area": "hall",
                "unit": "12",
                "controls": {"temperature": "required", "mask": "advisory"},
                "rules": [
                    {
                        "schedule": "office",
                        "direction": "exit",
                        "controls": {"two_persons": "required", "liveness": "off"},
                    },
                    {"controls": {"second_credential": "required"}},
                ],
                "temperature_limit": 37.8,
                "temperature_max_age_seconds": 20,
                "mask": "not_worn",
                "document_threshold": 0.45,
                "together_seconds": 10,
                "free_schedule": "office",
                "held_open_seconds": 60,
                "contact": True,
            }
        ],
    }
    (front,) = parse(raw).doors
    assert (front.unit, front.held_open_s, front.contact) == ("12", 60, True)
    assert front.rules == DoorRules(
        door_id="front",
        requirements={
            Control.LIVENESS: Requirement.REQUIRED,
            Control.TEMPERATURE: Requirement.REQUIRED,
            Control.MASK: Requirement.ADVISORY,
        },
        rules=(
            ControlRule(
                {Control.TWO_PERSONS: Requirement.REQUIRED, Control.LIVENESS: Requirement.OFF},
                Direction.EXIT,
                "office",
            ),
            ControlRule({Control.SECOND_CREDENTIAL: Requirement.REQUIRED}),
        ),
        area_id="hall",
        temperature_limit=37.8,
        temperature_max_age_s=20,
        mask_rule=MaskRule.NOT_WORN,
        document_threshold=0.45,
        together_s=10,
        free_schedule_id="office",
    )


@pytest.mark.parametrize("requirement", Requirement)
def test_liveness_is_what_a_door_says_it_is(requirement: Requirement) -> None:
    (front,) = parse(door(controls={"liveness": requirement.value})).doors
    assert front.rules.requirements == {Control.LIVENESS: requirement}


@pytest.mark.parametrize(
    ("raw", "told"),
    [
        ({**door(), "areas": [{"id": "hall"}] * 2}, "areas[1].id: 'hall' is used twice"),
        (
            area(limit=3),
            "areas[0].limit: unknown option; known: anti_passback, capacity, id, name, reset_at",
        ),
        (area(capacity=0), "areas[0].capacity: 0 is not a whole number from 1 to 1000000"),
        (
            area(anti_passback="yes"),
            "areas[0].anti_passback: 'yes' is not one of off, soft, hard",
        ),
        (area(reset_at=4), "areas[0].reset_at: 4 is not a time from 00:00 to 23:59"),
        (
            door(controls={"permit": "off"}),
            f"doors[0].controls.permit: unknown option; known: {CONTROLS}",
        ),
        (door(controls=[]), f"doors[0].controls: expected an object; known: {CONTROLS}"),
        (
            door(controls={"liveness": "no"}),
            "doors[0].controls.liveness: 'no' is not one of required, advisory, off",
        ),
        (
            door(controls={"mask": False}),
            "doors[0].controls.mask: False is not one of required, advisory, off",
        ),
        (door(rules=[{}]), "doors[0].rules[0].controls: required"),
        (
            door(rules=[{"controls": {}}]),
            "doors[0].rules[0].controls: expected at least one control",
        ),
        (
            door(rules=[{"controls": {"mask": "off"}}, {"controls": {"hat": "off"}}]),
            f"doors[0].rules[1].controls.hat: unknown option; known: {CONTROLS}",
        ),
        (
            door(rules=[{"controls": {"mask": "off"}, "direction": "in"}]),
            "doors[0].rules[0].direction: 'in' is not one of entry, exit",
        ),
        (
            door(rules=[{"controls": {"mask": "off"}, "when": "office"}]),
            "doors[0].rules[0].when: unknown option; known: controls, direction, schedule",
        ),
        (
            door(rules=[{"controls": {"mask": "off"}, "schedule": "office"}]),
            (
                "doors[0].rules[0].schedule: no schedule has the id 'office'; schedules: none is"
                " configured"
            ),
        ),
        (
            {**door(free_schedule="night"), "schedules": OFFICE},
            "doors[0].free_schedule: no schedule has the id 'night'; schedules: office",
        ),
        (
            {**area(), **door(area="yard")},
            "doors[0].area: no area has the id 'yard'; areas: hall",
        ),
        (door(unit=12), "doors[0].unit: expected a name of 1 to 80 characters"),
        (
            door(temperature_limit=100),
            "doors[0].temperature_limit: 100 is not a number from 34 to 42",
        ),
        (
            door(temperature_max_age_seconds=0),
            "doors[0].temperature_max_age_seconds: 0 is not a number from 1 to 600",
        ),
        (door(mask="yes"), "doors[0].mask: 'yes' is not one of worn, not_worn"),
        (
            door(document_threshold=1),
            "doors[0].document_threshold: 1 is not a number from 0.2 to 0.9",
        ),
        (
            door(together_seconds=0),
            "doors[0].together_seconds: 0 is not a number from 1 to 120",
        ),
        (
            door(held_open_seconds=1),
            "doors[0].held_open_seconds: 1 is not a number from 5 to 3600",
        ),
        (door(contact="door"), "doors[0].contact: 'door' is not one of true, false"),
    ],
)
def test_a_mistake_is_named_with_its_path_and_what_is_accepted(
    raw: dict[str, Any], told: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        parse(raw)
    (mistake,) = caught.value.mistakes
    assert mistake.startswith(told)


def test_mistakes_between_the_parts_are_told_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        parse(
            {
                "schedules": [{"id": "office", "windows": [], "on_holidays": "closed"}] * 2,
                "doors": [
                    {
                        "id": "front",
                        "area": "hall",
                        "free_schedule": "night",
                        "rules": [{"controls": {"mask": "off"}, "schedule": "day"}],
                    }
                ],
            }
        )
    assert {mistake.partition(":")[0] for mistake in caught.value.mistakes} == {
        "schedules[1].id",
        "schedules[0].on_holidays",
        "schedules[1].on_holidays",
        "doors[0].area",
        "doors[0].free_schedule",
        "doors[0].rules[0].schedule",
    }
