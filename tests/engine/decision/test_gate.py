"""The gate remembers between passages what the rules need, and nothing longer."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from facegate.decision.claim import FaceEvidence, Judgment
from facegate.decision.gate import Asking, Committed, Gate
from facegate.domain import AccessPoint, Identification, LivenessEvidence, Subject
from facegate.protocol import Direction, DoorMode
from facegate.register import (
    Area,
    ControlRule,
    CredentialKind,
    DoorRules,
    MaskRule,
    Passback,
    Permit,
    Person,
    Retirement,
)
from facegate.verdicts import Basis, Control, Outcome, Reason, Requirement
from tests.engine.decision.world import CALENDAR, SCHEDULES, START, likeness, site_clock
from tests.support import FakeClock

REQUIRED, ADVISORY, OFF = Requirement.REQUIRED, Requirement.ADVISORY, Requirement.OFF
ENTRY = AccessPoint("front", Direction.ENTRY)
EXIT = AccessPoint("front", Direction.EXIT)
PLAIN = DoorRules("front", {})


def person(name: str, *retirements: Retirement) -> Person:
    permits = (Permit("front", name), Permit("back", name))
    return Person(Subject(name, name.title(), "resident"), permits, retirements=retirements)


@dataclass
class Door:
    """A door with a gate, at which people ask."""

    rules: DoorRules = PLAIN
    areas: tuple[Area, ...] = ()
    clock: FakeClock = field(default_factory=site_clock)
    gate: Gate = field(init=False)
    last: Committed = field(default_factory=Committed)
    decisions: int = 0

    def __post_init__(self) -> None:
        back = DoorRules("back", {}, area_id=self.rules.area_id)
        doors = {"front": self.rules, "back": back}
        self.gate = Gate(doors, SCHEDULES, CALENDAR, self.clock, self.areas)

    def ask(self, asking: Asking) -> Judgment:
        judgment = self.gate.judge(asking)
        self.decisions += 1
        self.last = self.gate.commit(asking, judgment, str(self.decisions))
        return judgment

    def face(
        self,
        name: str,
        point: AccessPoint = ENTRY,
        since: float | None = None,
        mask: float | None = None,
    ) -> Judgment:
        found = Identification(name, name, 0.7, 0.2, 5, 0.5, 0.1, 3)
        evidence = FaceEvidence(found, LivenessEvidence(Outcome.PASS, 0.9, 0.5), 0.1)
        return self.ask(
            Asking(
                point,
                Basis.FACE,
                person(name),
                evidence,
                since=since,
                embedding=likeness(name),
                mask=mask,
            )
        )

    def pin(
        self, name: str, point: AccessPoint = ENTRY, credential: Reason = Reason.OK
    ) -> Judgment:
        asking = Asking(point, Basis.PIN, person(name), credential=credential, key=f"pin {name}")
        return self.ask(asking)

    def card(self, who: Person) -> Judgment:
        return self.ask(Asking(ENTRY, Basis.CARD, who, credential=Reason.OK, key="card"))

    def visitor(self, credential: Reason = Reason.OK) -> Judgment:
        return self.ask(Asking(ENTRY, Basis.PASS, credential=credential, key="pass 1"))

    def user(self, point: AccessPoint = ENTRY) -> Judgment:
        return self.ask(Asking(point, Basis.OPERATOR, approval=Reason.OPERATOR))


def requiring(*controls: Control, **more: object) -> Door:
    return Door(DoorRules("front", dict.fromkeys(controls, REQUIRED), **more))  # type: ignore[arg-type]


# --- what is required, and when -------------------------------------------------------------------


def test_the_first_rule_that_applies_and_names_a_control_counts() -> None:
    door = Door(
        DoorRules(
            "front",
            {Control.MASK: REQUIRED, Control.LIVENESS: REQUIRED, Control.DOCUMENT: ADVISORY},
            (
                ControlRule({Control.MASK: OFF}, schedule_id="day"),
                ControlRule({Control.MASK: ADVISORY, Control.TEMPERATURE: REQUIRED}),
                ControlRule({Control.TEMPERATURE: OFF, Control.LIVENESS: OFF}, Direction.EXIT),
            ),
        )
    )
    entry = {
        Control.MASK: ADVISORY,
        Control.TEMPERATURE: REQUIRED,
        Control.LIVENESS: REQUIRED,
        Control.DOCUMENT: ADVISORY,
    }
    assert door.gate.requirements(ENTRY) == entry
    assert door.gate.requirements(EXIT) == {Control.TEMPERATURE: OFF, Control.LIVENESS: OFF}
    door.clock.passed = 3600
    assert door.gate.requirements(ENTRY) == {**entry, Control.MASK: OFF}


def test_what_names_no_direction_asks_of_an_exit_for_liveness_only() -> None:
    everything = dict.fromkeys(Control, REQUIRED)
    door = Door(DoorRules("front", everything, (ControlRule(everything),)))
    assert door.gate.requirements(EXIT) == {Control.LIVENESS: REQUIRED}
    assert door.gate.requirements(ENTRY) == everything


def test_a_door_is_free_by_schedule_unless_a_user_set_another_mode() -> None:
    door = Door(DoorRules("front", {}, free_schedule_id="day"))
    assert door.gate.mode("front") is DoorMode.NORMAL
    door.clock.passed = 3600
    assert door.gate.mode("front") is DoorMode.FREE
    door.gate.modes["front"] = DoorMode.LOCKDOWN
    assert door.gate.mode("front") is DoorMode.LOCKDOWN
    assert door.gate.mode("back") is DoorMode.NORMAL


def test_a_schedule_that_is_gone_is_never_open() -> None:
    assert Door().gate.open_now({"gone", "always"}) == {"always"}


def test_lockdown_keeps_everybody_out_and_nobody_in() -> None:
    door = Door()
    door.gate.modes["front"] = DoorMode.LOCKDOWN
    denials = [door.face("ann"), door.pin("ann"), door.visitor(), door.user()]
    assert {judgment.reason for judgment in denials} == {Reason.LOCKDOWN}
    assert door.face("ann", EXIT).granted
    assert door.pin("ann", EXIT).granted
    assert door.user(EXIT).granted


# --- credentials ----------------------------------------------------------------------------------


def test_a_credential_that_failed_five_times_waits_thirty_seconds_and_others_do_not() -> None:
    door = Door()
    for _ in range(4):
        door.pin("ann", credential=Reason.CREDENTIAL_WRONG)
        assert not door.last.must_wait
    door.pin("ann", credential=Reason.CREDENTIAL_WRONG)
    assert door.last.must_wait
    assert door.pin("ann").reason is Reason.TOO_MANY_ATTEMPTS
    assert door.face("ann").granted
    assert door.pin("ben").granted
    assert door.pin("ann", AccessPoint("back", Direction.ENTRY)).granted
    assert door.pin("ann", EXIT).granted


def test_attempts_while_a_credential_waits_do_not_lengthen_the_wait() -> None:
    door = Door()
    for _ in range(5):
        door.pin("ann", credential=Reason.CREDENTIAL_WRONG)
    door.clock.passed = 29
    assert not door.pin("ann", credential=Reason.CREDENTIAL_WRONG).granted
    door.clock.wall = -86_400
    door.clock.passed = 30
    assert door.pin("ann").granted


def test_a_denial_for_something_else_is_no_failed_attempt() -> None:
    door = requiring(Control.TEMPERATURE)
    for _ in range(6):
        assert door.pin("ann").reason is Reason.NO_SOURCE
    door.gate.evidence.take_temperature(ENTRY, 36.6, 0)
    assert door.pin("ann").granted


def test_a_card_is_retired_from_the_date_of_the_group_on_and_other_credentials_are_not() -> None:
    door = Door()
    ann = person("ann", Retirement("staff", CredentialKind.CARD, START + timedelta(hours=1)))
    door.clock.passed = 3599
    assert door.card(ann).granted
    door.clock.passed = 3600
    assert door.card(ann).reason is Reason.CREDENTIAL_RETIRED
    assert door.ask(Asking(ENTRY, Basis.PIN, ann, credential=Reason.OK)).granted


@pytest.mark.parametrize("face_first", [True, False])
def test_a_second_credential_may_come_in_either_order(*, face_first: bool) -> None:
    door = requiring(Control.SECOND_CREDENTIAL)
    first, second = (door.face, door.pin) if face_first else (door.pin, door.face)
    assert first("ann").reason is Reason.SECOND_CREDENTIAL_MISSING
    assert not first("ann").granted
    assert not second("ben").granted
    assert second("ann").granted
    assert not first("ann").granted, "what served one passage does not serve another"


def test_a_second_credential_comes_in_time_and_holds() -> None:
    door = requiring(Control.SECOND_CREDENTIAL)
    door.pin("ann", credential=Reason.CREDENTIAL_WRONG)
    assert not door.face("ann").granted
    door.clock.passed = 16
    assert not door.pin("ann").granted
    door.clock.passed = 31
    assert door.face("ann").granted


def test_a_pin_counts_as_the_second_credential_though_the_document_belongs_to_the_face() -> None:
    door = requiring(Control.SECOND_CREDENTIAL, Control.DOCUMENT)
    assert not door.pin("ann").granted
    door.gate.evidence.show_document(ENTRY, likeness("ann"), 0)
    assert door.face("ann").granted


# --- what is measured -----------------------------------------------------------------------------


def test_a_document_lets_only_the_face_pass_that_it_shows() -> None:
    door = requiring(Control.DOCUMENT)
    assert door.face("ann").reason is Reason.NO_DOCUMENT
    door.gate.evidence.show_document(ENTRY, likeness("ben"), 0)
    assert door.face("ann").reason is Reason.DOCUMENT_MISMATCH
    assert door.face("ben").granted
    assert door.face("ben").reason is Reason.NO_DOCUMENT


def test_a_reading_lets_one_person_pass_who_stood_there_when_it_was_taken() -> None:
    door = requiring(Control.TEMPERATURE)
    door.clock.passed = 100
    door.gate.evidence.take_temperature(ENTRY, 36.6, 98)
    assert door.face("ben", since=99).reason is Reason.STALE_READING
    assert door.face("ann", since=97).granted
    assert door.face("ann", since=97).reason is Reason.NO_READING


def test_a_user_who_opens_uses_up_no_reading() -> None:
    door = requiring(Control.TEMPERATURE)
    door.gate.evidence.take_temperature(ENTRY, 36.6, 0)
    assert door.user().granted
    assert door.face("ann").granted


def test_a_mask_seen_on_one_face_does_not_serve_the_next() -> None:
    door = requiring(Control.MASK)
    assert door.face("ann").reason is Reason.NO_SOURCE
    assert door.face("ann", mask=0.4).reason is Reason.MASK_MISSING
    assert door.face("ann", mask=0.6).granted
    assert not door.pin("ben").granted
    door.gate.evidence.see_mask(ENTRY, 0.9, 0)
    door.clock.passed = 2
    assert door.face("ben", since=1).reason is Reason.STALE_READING


def test_a_door_may_forbid_masks() -> None:
    door = requiring(Control.MASK, mask_rule=MaskRule.NOT_WORN)
    assert door.face("ann", mask=0.5).reason is Reason.MASK_WORN
    assert door.face("ann", mask=0.4).granted


# --- two persons ----------------------------------------------------------------------------------


def test_two_persons_pass_together_each_on_a_grant_of_its_own_that_names_the_other() -> None:
    door = requiring(Control.TWO_PERSONS)
    assert door.face("ann").reason is Reason.SECOND_PERSON_MISSING
    assert not door.pin("ann").granted, "nobody accompanies himself"
    assert door.face("ben").granted
    assert door.last.companion_id == "ann"
    assert not door.face("cleo").granted, "ann goes with ben"
    assert door.face("ann").granted
    assert door.last.companion_id == "ben"
    assert door.face("ben").granted, "cleo stood ready"
    assert door.last.companion_id == "cleo"


def test_a_second_person_comes_in_time_and_may_pass_itself() -> None:
    door = requiring(Control.TWO_PERSONS)
    door.pin("ben", credential=Reason.CREDENTIAL_WRONG)
    assert not door.face("ann").granted
    door.clock.passed = 15.5
    assert not door.face("ben").granted
    door.clock.passed = 30.5
    assert door.face("ann").granted


# --- areas ----------------------------------------------------------------------------------------


def house(capacity: int | None = None, passback: Passback = Passback.OFF) -> Door:
    area = Area("house", "House", capacity, passback)
    return Door(DoorRules("front", {}, area_id="house"), (area,))


def test_two_who_ask_at_once_do_not_share_the_last_place() -> None:
    door = house(capacity=1)
    assert door.face("ann").granted
    assert door.face("ben").reason is Reason.AREA_FULL
    assert door.visitor().reason is Reason.AREA_FULL
    door.gate.presence.settle("1")
    assert door.face("ben").granted


def test_a_place_is_free_again_after_an_exit() -> None:
    door = house(capacity=1)
    door.face("ann")
    assert door.gate.passed("1", ENTRY, "ann") == "house"
    assert not door.face("ben").granted
    assert door.face("ann", EXIT).granted
    assert door.gate.passed("3", EXIT, "ann") == "house"
    assert door.face("ben").granted


def test_nobody_enters_twice_at_once_by_two_doors_under_hard_anti_passback() -> None:
    door = house(passback=Passback.HARD)
    assert door.face("ann").granted
    assert door.pin("ann", AccessPoint("back", Direction.ENTRY)).reason is Reason.ALREADY_INSIDE
    assert door.face("ben").granted
    door.gate.passed("1", ENTRY, "ann")
    assert door.face("ann").reason is Reason.ALREADY_INSIDE
    assert door.face("ann", EXIT).granted
    door.gate.passed("5", EXIT, "ann")
    assert door.face("ann").granted


def test_soft_anti_passback_lets_in_and_tells() -> None:
    door = house(passback=Passback.SOFT)
    door.face("ann")
    judgment = door.pin("ann")
    assert judgment.granted
    assert not judgment.passed(Control.PASSBACK)


def test_a_user_lets_somebody_into_a_full_area_and_it_is_counted() -> None:
    door = house(capacity=1)
    assert door.user().granted
    assert door.face("ann").reason is Reason.AREA_FULL


def test_a_door_without_an_area_counts_nobody() -> None:
    door = Door()
    assert door.face("ann").granted
    assert door.gate.passed("1", ENTRY, "ann") is None


def test_the_moment_of_a_judgment_is_the_wall_clock_of_the_site() -> None:
    door = Door()
    late = Permit("front", "ann", valid_until=datetime(2026, 11, 3, tzinfo=UTC))
    ann = Person(Subject("ann", "Ann", "resident"), (late,))
    asking = Asking(ENTRY, Basis.CARD, ann, credential=Reason.OK)
    assert door.ask(asking).granted
    door.clock.wall = 86_400
    assert door.ask(asking).reason is Reason.PERMIT_EXPIRED
