"""Why somebody may not pass, one reason at a time, and what a receipt tells of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
import math

import pytest

from facegate.decision.claim import AreaFacts, Claim, Measured
from facegate.decision.policy import MAX_FRAME_AGE_S, judge
from facegate.domain import LivenessEvidence
from facegate.protocol import Direction, DoorMode
from facegate.register import Approval, ApprovalState, MaskRule, Passback, Permit
from facegate.verdicts import Basis, Control, Outcome, Reason, Requirement
from tests.engine.decision.claims import (
    ANN,
    CLEO,
    EXIT,
    FACE,
    FOUND,
    GOOD,
    HOUR,
    LET_IN,
    MEASURED,
    NOON,
    PASS,
    PIN,
    found,
)


@pytest.mark.parametrize("claim", [GOOD, PIN, replace(PIN, basis=Basis.CARD), PASS])
def test_whoever_fulfils_every_control_is_granted(claim: Claim) -> None:
    judgment = judge(claim)
    assert judgment.granted
    assert judgment.reason is Reason.GRANTED
    assert not judgment.failed


def face(**changes: object) -> Claim:
    return replace(GOOD, face=replace(FACE, identification=replace(FOUND, **changes)))  # type: ignore[arg-type]


def permits(*found: Permit, open_schedules: frozenset[str] = frozenset()) -> Claim:
    return replace(GOOD, person=replace(ANN, permits=found), open_schedules=open_schedules)


def approval(state: ApprovalState, until: datetime | None = None) -> Claim:
    return replace(PIN, person=replace(CLEO, approval=Approval(state, until)))


HARD = AreaFacts(1, 2, Passback.HARD, inside=True)

ONE_THING_MISSING = [
    (face(probes=2), Control.IDENTITY, Reason.TOO_FEW_PROBES),
    (face(probes=0), Control.IDENTITY, Reason.TOO_FEW_PROBES),
    (face(score=0.49), Control.IDENTITY, Reason.NOT_RECOGNIZED),
    (face(score=math.nan), Control.IDENTITY, Reason.NOT_RECOGNIZED),
    (face(runner_up=0.65), Control.IDENTITY, Reason.AMBIGUOUS),
    (face(runner_up=math.nan), Control.IDENTITY, Reason.AMBIGUOUS),
    (replace(GOOD, face=replace(FACE, model_fault=True)), Control.IDENTITY, Reason.MODEL_FAULT),
    (face(subject_id=None), Control.IDENTITY, Reason.NOT_ENROLLED),
    (face(subject_id="ben"), Control.IDENTITY, Reason.NOT_ENROLLED),
    (
        replace(GOOD, face=None, credential=Reason.OK),
        Control.IDENTITY,
        Reason.TOO_FEW_PROBES,
    ),
    *(
        (replace(GOOD, face=replace(FACE, frame_age_s=age)), Control.FRESHNESS, Reason.STALE_FRAME)
        for age in (2.001, -0.001, math.nan)
    ),
    (
        replace(GOOD, face=replace(FACE, liveness=LivenessEvidence(Outcome.FAIL, 0.1, 0.5))),
        Control.LIVENESS,
        Reason.FLAT_MOTION,
    ),
    (
        replace(GOOD, face=replace(FACE, liveness=LivenessEvidence(Outcome.UNAVAILABLE, 0, 0.5))),
        Control.LIVENESS,
        Reason.TOO_LITTLE_MOTION,
    ),
    (
        replace(GOOD, credential=Reason.CREDENTIAL_RETIRED),
        Control.CREDENTIAL,
        Reason.CREDENTIAL_RETIRED,
    ),
    (
        replace(PIN, credential=Reason.CREDENTIAL_WRONG),
        Control.CREDENTIAL,
        Reason.CREDENTIAL_WRONG,
    ),
    (replace(PIN, credential=None), Control.CREDENTIAL, Reason.CREDENTIAL_UNKNOWN),
    (replace(PASS, credential=Reason.PASS_EXPIRED), Control.CREDENTIAL, Reason.PASS_EXPIRED),
    (replace(PIN, blocked_s=0.1), Control.ATTEMPTS, Reason.TOO_MANY_ATTEMPTS),
    (replace(PIN, person=None), Control.PERMIT, Reason.NO_PERMIT),
    (permits(), Control.PERMIT, Reason.NO_PERMIT),
    (permits(Permit("back")), Control.PERMIT, Reason.NO_PERMIT),
    (permits(Permit("front", direction=Direction.EXIT)), Control.PERMIT, Reason.NO_PERMIT),
    (
        permits(Permit("front", valid_from=NOON + HOUR)),
        Control.PERMIT,
        Reason.PERMIT_NOT_YET_VALID,
    ),
    (permits(Permit("front", valid_until=NOON)), Control.PERMIT, Reason.PERMIT_EXPIRED),
    (
        permits(Permit("front", schedule_id="night"), open_schedules=frozenset({"day"})),
        Control.PERMIT,
        Reason.OUTSIDE_SCHEDULE,
    ),
    (
        replace(PIN, person=replace(CLEO, approval=None)),
        Control.CONTRACT,
        Reason.NOT_APPROVED,
    ),
    (approval(ApprovalState.APPLIED), Control.CONTRACT, Reason.NOT_APPROVED),
    (
        approval(ApprovalState.DOCUMENTS_CHECKED, NOON + HOUR),
        Control.CONTRACT,
        Reason.NOT_APPROVED,
    ),
    (approval(ApprovalState.APPROVED, NOON), Control.CONTRACT, Reason.APPROVAL_EXPIRED),
    (approval(ApprovalState.APPROVED), Control.CONTRACT, Reason.APPROVAL_EXPIRED),
    (
        approval(ApprovalState.SUSPENDED, NOON + HOUR),
        Control.CONTRACT,
        Reason.APPROVAL_SUSPENDED,
    ),
    (approval(ApprovalState.REVOKED, NOON + HOUR), Control.CONTRACT, Reason.APPROVAL_REVOKED),
    (replace(GOOD, temperature=None), Control.TEMPERATURE, Reason.NO_SOURCE),
    (replace(GOOD, temperature=Measured(37.6, 37.5)), Control.TEMPERATURE, Reason.TOO_HOT),
    (replace(GOOD, temperature=Measured(math.nan, 37.5)), Control.TEMPERATURE, Reason.TOO_HOT),
    (replace(GOOD, temperature=Measured(None, 37.5)), Control.TEMPERATURE, Reason.NO_READING),
    (
        replace(GOOD, temperature=Measured(36.6, 37.5, Reason.STALE_READING)),
        Control.TEMPERATURE,
        Reason.STALE_READING,
    ),
    (replace(GOOD, mask=None), Control.MASK, Reason.NO_SOURCE),
    (replace(GOOD, mask=Measured(0.49, 0.5)), Control.MASK, Reason.MASK_MISSING),
    (replace(GOOD, mask=Measured(math.nan, 0.5)), Control.MASK, Reason.MASK_MISSING),
    (replace(GOOD, mask_rule=MaskRule.NOT_WORN), Control.MASK, Reason.MASK_WORN),
    (
        replace(GOOD, mask=Measured(math.nan, 0.5), mask_rule=MaskRule.NOT_WORN),
        Control.MASK,
        Reason.MASK_WORN,
    ),
    (replace(GOOD, document=Measured(0.39, 0.4)), Control.DOCUMENT, Reason.DOCUMENT_MISMATCH),
    (
        replace(GOOD, document=Measured(None, 0.4, Reason.NO_DOCUMENT)),
        Control.DOCUMENT,
        Reason.NO_DOCUMENT,
    ),
    (
        replace(GOOD, seconded=False),
        Control.SECOND_CREDENTIAL,
        Reason.SECOND_CREDENTIAL_MISSING,
    ),
    (replace(GOOD, accompanied=False), Control.TWO_PERSONS, Reason.SECOND_PERSON_MISSING),
    (replace(GOOD, mode=DoorMode.LOCKDOWN), Control.MODE, Reason.LOCKDOWN),
    (replace(GOOD, area=HARD), Control.PASSBACK, Reason.ALREADY_INSIDE),
    (
        replace(GOOD, area=AreaFacts(2, 2, Passback.OFF, inside=False)),
        Control.CAPACITY,
        Reason.AREA_FULL,
    ),
    (
        replace(PASS, area=AreaFacts(3, 2, Passback.HARD, inside=False)),
        Control.CAPACITY,
        Reason.AREA_FULL,
    ),
    (replace(LET_IN, mode=DoorMode.LOCKDOWN), Control.MODE, Reason.LOCKDOWN),
]


@pytest.mark.parametrize(("claim", "control", "reason"), ONE_THING_MISSING)
def test_any_one_thing_missing_denies_and_is_told(
    claim: Claim, control: Control, reason: Reason
) -> None:
    judgment = judge(claim)
    assert not judgment.granted
    assert judgment.reason is reason
    assert control in judgment.failed
    assert not judgment.passed(control)


def test_a_denial_names_all_that_failed_and_the_first_of_them_is_its_reason() -> None:
    judgment = judge(
        replace(
            GOOD,
            mask=None,
            temperature=Measured(38.2, 37.5),
            accompanied=False,
            mode=DoorMode.LOCKDOWN,
        )
    )
    assert judgment.reason is Reason.TOO_HOT
    assert judgment.failed == {
        Control.TEMPERATURE,
        Control.MASK,
        Control.TWO_PERSONS,
        Control.MODE,
    }


@pytest.mark.parametrize("requirement", [Requirement.ADVISORY, Requirement.OFF, None])
@pytest.mark.parametrize("control", MEASURED)
def test_a_control_that_is_not_required_is_told_and_does_not_deny(
    requirement: Requirement | None, control: Control
) -> None:
    bare = replace(
        GOOD,
        face=replace(FACE, liveness=LivenessEvidence(Outcome.FAIL, 0.1, 0.5)),
        temperature=Measured(39.0, 37.5),
        mask=Measured(0.1, 0.5),
        document=Measured(0.1, 0.4),
        seconded=False,
        accompanied=False,
    )
    requirements = {} if requirement is None else {control: requirement}
    judgment = judge(replace(bare, requirements=requirements))
    assert judgment.granted
    told = found(judgment, control)
    assert told.outcome is Outcome.FAIL
    assert told.requirement is (requirement or Requirement.OFF)
    assert judge(replace(bare, requirements={control: Requirement.REQUIRED})).failed == {control}


@pytest.mark.parametrize("age", [0.0, 2.0])
def test_a_frame_may_be_two_seconds_old_and_no_more(age: float) -> None:
    assert judge(replace(GOOD, face=replace(FACE, frame_age_s=age))).granted


def test_one_permit_in_force_is_enough() -> None:
    expired = Permit("front", valid_until=NOON - HOUR)
    later = Permit("front", valid_from=NOON + HOUR)
    now = Permit("front", direction=Direction.ENTRY, valid_from=NOON, valid_until=NOON + HOUR)
    assert judge(permits(expired, later, now)).granted
    assert judge(permits(expired, later)).reason is Reason.PERMIT_EXPIRED


def test_no_permit_is_put_together_from_two() -> None:
    by_night = Permit("front", schedule_id="night")
    by_day = Permit("front", schedule_id="day", valid_until=NOON)
    judgment = judge(permits(by_night, by_day, open_schedules=frozenset({"day"})))
    assert judgment.reason is Reason.OUTSIDE_SCHEDULE


@pytest.mark.parametrize(
    "permit",
    [
        Permit("front", direction=Direction.ENTRY),
        Permit("front", schedule_id="night"),
        Permit("front", valid_until=NOON - HOUR),
    ],
)
def test_whoever_was_let_in_gets_out_whatever_the_hour(permit: Permit) -> None:
    leaving = replace(PIN, access_point=EXIT, person=replace(ANN, permits=(permit,)))
    assert judge(leaving).granted
    assert judge(replace(leaving, person=replace(ANN, permits=()))).reason is Reason.NO_PERMIT


@pytest.mark.parametrize("state", ApprovalState)
def test_a_contractor_whose_approval_ran_out_inside_is_let_out_and_it_is_told(
    state: ApprovalState,
) -> None:
    over = replace(CLEO, approval=Approval(state, NOON - HOUR))
    judgment = judge(replace(PIN, access_point=EXIT, person=over))
    assert judgment.granted
    assert found(judgment, Control.CONTRACT).outcome is Outcome.FAIL


def test_nobody_but_a_contractor_is_asked_for_an_approval() -> None:
    assert judge(replace(PIN, person=CLEO)).passed(Control.CONTRACT)
    assert Control.CONTRACT not in {verdict.control for verdict in judge(PIN).verdicts}


@pytest.mark.parametrize("basis", [Basis.VISITOR, Basis.OPERATOR, Basis.MODE])
def test_only_a_pass_goes_without_a_permit_where_no_user_answers_for_it(basis: Basis) -> None:
    judgment = judge(replace(PASS, basis=basis))
    assert not judgment.granted
    assert judgment.reason is Reason.NO_PERMIT


@pytest.mark.parametrize("reason", [Reason.LET_IN, Reason.OPERATOR])
def test_a_user_who_answers_for_it_grants(reason: Reason) -> None:
    judgment = judge(replace(LET_IN, approval=reason))
    assert judgment.granted
    assert judgment.reason is reason
    assert [verdict.control for verdict in judgment.verdicts] == [Control.APPROVAL, Control.MODE]


def test_a_user_may_let_somebody_into_a_full_area_and_it_is_told() -> None:
    judgment = judge(replace(LET_IN, area=AreaFacts(2, 2, Passback.HARD, inside=False)))
    assert judgment.granted
    assert found(judgment, Control.CAPACITY).reason is Reason.AREA_FULL


def test_soft_anti_passback_tells_and_does_not_deny() -> None:
    judgment = judge(replace(GOOD, area=replace(HARD, passback=Passback.SOFT)))
    assert judgment.granted
    verdict = found(judgment, Control.PASSBACK)
    assert (verdict.reason, verdict.requirement) == (Reason.ALREADY_INSIDE, Requirement.ADVISORY)
    without = judge(replace(GOOD, area=replace(HARD, passback=Passback.OFF)))
    assert Control.PASSBACK not in {verdict.control for verdict in without.verdicts}


@pytest.mark.parametrize(
    ("mode", "reason"),
    [
        (DoorMode.NORMAL, Reason.OK),
        (DoorMode.FREE, Reason.DOOR_FREE),
        (DoorMode.EMERGENCY, Reason.EMERGENCY),
    ],
)
def test_a_mode_that_lets_in_is_told(mode: DoorMode, reason: Reason) -> None:
    judgment = judge(replace(GOOD, mode=mode))
    assert judgment.granted
    assert found(judgment, Control.MODE).reason is reason


@pytest.mark.parametrize("claim", [GOOD, PIN, PASS, LET_IN])
def test_lockdown_lets_everybody_out(claim: Claim) -> None:
    assert judge(replace(claim, access_point=EXIT, mode=DoorMode.LOCKDOWN)).granted


def test_a_face_that_is_too_like_another_enters_with_a_second_credential_at_every_door() -> None:
    alike = replace(face(step_up=True, look_alike=0.58), requirements={}, seconded=False)
    denied = judge(alike)
    assert denied.reason is Reason.SECOND_CREDENTIAL_MISSING
    assert denied.failed == {Control.SECOND_CREDENTIAL}
    assert found(denied, Control.SECOND_CREDENTIAL).measured == 0.58
    assert judge(replace(alike, seconded=True)).granted
    assert judge(replace(alike, access_point=EXIT)).granted
    assert judge(replace(alike, basis=Basis.CARD, credential=Reason.OK)).granted


def test_what_was_measured_stands_in_the_receipt() -> None:
    judgment = judge(GOOD)
    told = {v.control: (v.measured, v.limit) for v in judgment.verdicts if v.limit is not None}
    assert told == {
        Control.IDENTITY: (0.7, 0.5),
        Control.FRESHNESS: (0.1, MAX_FRAME_AGE_S),
        Control.LIVENESS: (0.9, 0.5),
        Control.TEMPERATURE: (36.6, 37.5),
        Control.MASK: (0.9, 0.5),
        Control.DOCUMENT: (0.8, 0.4),
        Control.CAPACITY: (1.0, 2.0),
    }
    blocked = judge(replace(PIN, blocked_s=12.5))
    assert found(blocked, Control.ATTEMPTS).measured == 12.5
