"""A small site for the model of the rules: doors that ask for different things, and people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
import hashlib
import hmac
from zoneinfo import ZoneInfo

import numpy as np

from facegate.decision.schedule import Calendar
from facegate.domain import Subject, Vector
from facegate.protocol import Direction
from facegate.register import (
    DAY_MINUTES,
    Approval,
    ApprovalState,
    Area,
    ControlRule,
    CredentialKind,
    DoorRules,
    Hours,
    Passback,
    Permit,
    Person,
    Retirement,
    Schedule,
    Window,
)
from facegate.verdicts import Control, Requirement
from tests.support import FakeClock

ZONE = ZoneInfo("Europe/Berlin")
# A Monday, half an hour before the day begins.
START = datetime(2026, 11, 2, 7, 30, tzinfo=ZONE).astimezone(UTC)
HOUR = timedelta(hours=1)

REQUIRED, ADVISORY, OFF = Requirement.REQUIRED, Requirement.ADVISORY, Requirement.OFF

ALL_DAYS = frozenset(range(7))
SCHEDULES = {
    "day": Schedule("day", "Day", (Window(frozenset(range(5)), Hours(8 * 60, 18 * 60)),)),
    "night": Schedule("night", "Night", (Window(ALL_DAYS, Hours(20 * 60, 6 * 60)),)),
    "always": Schedule("always", "Always", (Window(ALL_DAYS, Hours(0, DAY_MINUTES)),)),
}
# The same in plain words; nothing names "gone", so that it is never open.
OPEN: dict[str, Callable[[datetime], bool]] = {
    "day": lambda local: local.weekday() < 5 and 8 <= local.hour < 18,
    "night": lambda local: local.hour >= 20 or local.hour < 6,
    "always": lambda _: True,
    "gone": lambda _: False,
}
CALENDAR = Calendar(ZONE)

AREAS = {
    "house": Area("house", "House", capacity=2, passback=Passback.HARD),
    "hall": Area("hall", "Hall", capacity=4, passback=Passback.SOFT),
}
FRONT = DoorRules(
    "front",
    {Control.LIVENESS: REQUIRED},
    (ControlRule({Control.SECOND_CREDENTIAL: REQUIRED}, Direction.ENTRY, "night"),),
    area_id="house",
)
LAB = DoorRules(
    "lab",
    {Control.TWO_PERSONS: REQUIRED},
    (ControlRule({Control.TWO_PERSONS: REQUIRED}, Direction.EXIT, "night"),),
    area_id="house",
)
HALL = DoorRules(
    "hall",
    {Control.TEMPERATURE: REQUIRED, Control.MASK: ADVISORY},
    (ControlRule({Control.MASK: REQUIRED}, None, "day"),),
    area_id="hall",
    free_schedule_id="day",
)
OFFICE = DoorRules(
    "office",
    {Control.DOCUMENT: REQUIRED, Control.LIVENESS: REQUIRED},
    (
        ControlRule({Control.LIVENESS: OFF}, Direction.EXIT),
        ControlRule({Control.SECOND_CREDENTIAL: REQUIRED}, None, "day"),
    ),
)
DOORS = {rules.door_id: rules for rules in (FRONT, LAB, HALL, OFFICE)}
# What the fifth door asks for is drawn anew for every run of the model.
DRAWN = "drawn"
DOOR_IDS = (*DOORS, DRAWN)


def _person(name: str, kind: str, permits: tuple[Permit, ...], **more: object) -> Person:
    return Person(Subject(name, name.title(), kind), permits, **more)  # type: ignore[arg-type]


def everywhere(subject_id: str, schedule_id: str | None = None) -> tuple[Permit, ...]:
    """Return permits at every door."""
    return tuple(Permit(door, subject_id, schedule_id=schedule_id) for door in DOOR_IDS)


PEOPLE = {
    person.subject.id: person
    for person in (
        _person("ann", "resident", everywhere("ann")),
        _person("ben", "staff", everywhere("ben", "day")),
        _person(
            "cleo",
            "contractor",
            everywhere("cleo"),
            approval=Approval(ApprovalState.APPROVED, START + 2 * HOUR),
        ),
        _person(
            "dan",
            "resident",
            (
                Permit("front", "dan", direction=Direction.ENTRY, valid_until=START + HOUR),
                Permit("lab", "dan"),
                Permit("hall", "dan", valid_from=START + HOUR),
            ),
        ),
        _person(
            "eve",
            "staff",
            everywhere("eve"),
            retirements=(Retirement("staff", CredentialKind.CARD, START + HOUR),),
        ),
    )
}
NAMES = tuple(PEOPLE)


def likeness(name: str) -> Vector:
    """Return the face of a person, unlike anybody else's."""
    vector = np.zeros(128, np.float32)
    vector[NAMES.index(name)] = 1
    return vector


def site_clock() -> FakeClock:
    """Return a clock that stands at START."""
    clock = FakeClock()
    clock._start = START.timestamp()
    return clock


class TestSigner:
    """Signs like the vault, with a key that everybody may know."""

    __test__ = False

    def sign(self, purpose: str, data: bytes) -> bytes:
        return hmac.digest(b"key", purpose.encode() + data, hashlib.sha256)

    def verify(self, purpose: str, data: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(self.sign(purpose, data), signature)
