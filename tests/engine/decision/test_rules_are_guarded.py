"""Each rule that is broken on purpose is found out by the model of the rules."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
import pytest

from facegate.decision import gate, policy
from facegate.decision.attempts import Attempts
from facegate.decision.claim import Claim, Judgment
from facegate.decision.evidence import Evidence
from facegate.decision.presence import Presence
from facegate.domain import AccessPoint
from facegate.protocol import Direction, DoorMode
from facegate.register import Approval, ApprovalState, VisitorPass
from facegate.verdicts import Outcome, Reason
from facegate.visitor.call import Calls
from facegate.visitor.passes import Passes
from tests.engine.decision.driven import ForbiddenError, RefusedError
from tests.engine.decision.machine import RulesMachine

# It stops at the first finding and does not look for a shorter one.
SEARCH = settings(
    max_examples=300,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

type Break = Callable[[pytest.MonkeyPatch], None]


def judging(change: Callable[[Claim], Claim]) -> Break:
    """Break a rule by judging something else than what is the case."""

    def judge(claim: Claim) -> Judgment:
        return policy.judge(change(claim))

    return lambda patch: patch.setattr(gate, "judge", judge)


def patched(owner: type, name: str, broken: Callable[..., Any]) -> Break:
    """Break a rule by another method."""
    return lambda patch: patch.setattr(owner, name, broken)


def without_lockdown(claim: Claim) -> Claim:
    return replace(claim, mode=DoorMode.NORMAL)


def with_lockdown_for_exits(claim: Claim) -> Claim:
    if claim.mode is not DoorMode.LOCKDOWN:
        return claim
    return replace(claim, access_point=AccessPoint(claim.access_point.door_id, Direction.ENTRY))


def with_room_for_one_more(claim: Claim) -> Claim:
    area = claim.area
    if area is None or area.capacity is None:
        return claim
    return replace(claim, area=replace(area, capacity=area.capacity + 1))


def with_permits_that_never_end(claim: Claim) -> Claim:
    if claim.person is None:
        return claim
    permits = tuple(replace(permit, valid_until=None) for permit in claim.person.permits)
    return replace(claim, person=replace(claim.person, permits=permits))


def with_approvals_whatever_their_state(claim: Claim) -> Claim:
    person = claim.person
    if person is None or person.approval is None:
        return claim
    approval = Approval(ApprovalState.APPROVED, person.approval.until)
    return replace(claim, person=replace(person, approval=approval))


def with_old_frames(claim: Claim) -> Claim:
    face = claim.face
    return claim if face is None else replace(claim, face=replace(face, frame_age_s=0.0))


def with_altered_models(claim: Claim) -> Claim:
    face = claim.face
    return claim if face is None else replace(claim, face=replace(face, model_fault=False))


def with_living_photographs(claim: Claim) -> Claim:
    face = claim.face
    if face is None:
        return claim
    alive = replace(face.liveness, outcome=Outcome.PASS)
    return replace(claim, face=replace(face, liveness=alive))


def with_every_credential_right(claim: Claim) -> Claim:
    wrong = claim.credential is Reason.CREDENTIAL_WRONG
    return replace(claim, credential=Reason.OK) if wrong else claim


def with_retired_credentials(claim: Claim) -> Claim:
    retired = claim.credential is Reason.CREDENTIAL_RETIRED
    return replace(claim, credential=Reason.OK) if retired else claim


def with_faces_that_carry_their_names(claim: Claim) -> Claim:
    face = claim.face
    if face is None:
        return claim
    found = replace(face.identification, step_up=False)
    return replace(claim, face=replace(face, identification=found))


def nobody_on_the_way(presence: Presence, decision_id: str, area: str, who: str | None) -> None:
    """Do not count who is on the way in."""


def take_no_use(passes: Passes, pass_id: str) -> VisitorPass:
    """Take a use of a pass that always has another."""
    return passes.put(replace(passes.get(pass_id), used=2, max_uses=9))


def keep_what_served(
    evidence: Evidence, point: AccessPoint, who: str | None, companion: str | None, now: float
) -> None:
    """Use nothing up."""


def keep_readings(
    evidence: Evidence,
    point: AccessPoint,
    who: str | None,
    companion: str | None,
    now: float,
    passed: Callable[..., None] = Evidence.passed,
) -> None:
    """Use everything up but the readings."""
    passed(evidence, point, who, companion, now)
    place = evidence._place(point)
    for reading in (place.reading, place.mask):
        if reading is not None:
            reading.used = False


BROKEN: dict[str, tuple[Break, type[AssertionError], str]] = {
    "lockdown is ignored": (judging(without_lockdown), ForbiddenError, "lockdown"),
    "lockdown keeps people in": (judging(with_lockdown_for_exits), ForbiddenError, "exit"),
    "attempts never block": (
        patched(Attempts, "blocked_s", lambda *_: 0.0),
        ForbiddenError,
        "attempts",
    ),
    "capacity is off by one": (judging(with_room_for_one_more), ForbiddenError, "capacity"),
    "who is on the way in is not counted": (
        patched(Presence, "expect", nobody_on_the_way),
        ForbiddenError,
        "passback|capacity",
    ),
    "an expired permit is accepted": (
        judging(with_permits_that_never_end),
        ForbiddenError,
        "permit",
    ),
    "a suspended approval is accepted": (
        judging(with_approvals_whatever_their_state),
        ForbiddenError,
        "contract",
    ),
    "an old frame is accepted": (judging(with_old_frames), ForbiddenError, "fresh"),
    "an altered model is believed": (judging(with_altered_models), ForbiddenError, "models"),
    "a photograph is accepted": (judging(with_living_photographs), ForbiddenError, "alive"),
    "a face that needs a second credential is enough": (
        judging(with_faces_that_carry_their_names),
        ForbiddenError,
        "second",
    ),
    "a wrong PIN is accepted": (judging(with_every_credential_right), ForbiddenError, "proven"),
    "a retired credential is accepted": (
        judging(with_retired_credentials),
        ForbiddenError,
        "retired",
    ),
    "a reading serves twice": (
        patched(Evidence, "passed", keep_readings),
        ForbiddenError,
        "temperature|mask",
    ),
    "a grant uses nothing up": (
        patched(Evidence, "passed", keep_what_served),
        ForbiddenError,
        "document|mask|second|temperature|two",
    ),
    "a pass's uses are not counted": (
        patched(Passes, "reserve", take_no_use),
        ForbiddenError,
        "against pass",
    ),
    "a call is answered twice": (patched(Calls, "answer", Calls.get), ForbiddenError, "call"),
    "nobody is let in by a face": (
        judging(lambda claim: replace(claim, face=None)),
        RefusedError,
        "identity",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_rule_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    broken, error, rule = BROKEN[name]
    broken(monkeypatch)
    with pytest.raises(error, match=rule):
        run_state_machine_as_test(RulesMachine, settings=SEARCH)
