"""Who may pass: whatever is known, a grant rests on everything that is required."""

from __future__ import annotations

from dataclasses import replace
import math

from hypothesis import event, given, settings
from hypothesis import strategies as st

from facegate.decision.claim import AreaFacts, Claim, FaceEvidence, Measured
from facegate.decision.policy import MAX_FRAME_AGE_S, judge
from facegate.domain import AccessPoint, Identification, LivenessEvidence, Subject
from facegate.protocol import Direction, DoorMode
from facegate.register import Approval, ApprovalState, MaskRule, Passback, Permit, Person
from facegate.verdicts import Basis, Control, Outcome, Reason, Requirement
from tests.engine.decision.claims import (
    ANN,
    CLEO,
    ENTRY,
    EXIT,
    FOUND,
    GOOD,
    HOUR,
    LET_IN,
    MEASURED,
    NOON,
    PASS,
    PIN,
)

VALUES = st.floats(-1, 1) | st.just(math.nan)
MOMENTS = st.none() | st.sampled_from([NOON - HOUR, NOON, NOON + HOUR])
MISSING = [None, None, Reason.NO_READING, Reason.STALE_READING, Reason.NO_DOCUMENT]


def measured(limit: float) -> st.SearchStrategy[Measured | None]:
    near = st.sampled_from([limit - 0.1, limit, limit + 0.1, math.nan])
    found = st.builds(Measured, st.none() | near, st.just(limit), st.sampled_from(MISSING))
    return st.none() | found


PERMITS = st.lists(
    st.builds(
        Permit,
        door_id=st.sampled_from(["front", "front", "back"]),
        subject_id=st.just("ann"),
        direction=st.none() | st.sampled_from(Direction),
        schedule_id=st.sampled_from([None, "day", "night"]),
        valid_from=MOMENTS,
        valid_until=MOMENTS,
    ),
    max_size=3,
).map(tuple)
PERSONS = st.none() | st.builds(
    lambda subject_id, kind, permits, approval: Person(
        Subject(subject_id, subject_id, kind), permits, approval=approval
    ),
    st.sampled_from(["ann", "ann", "ben"]),
    st.sampled_from(["resident", "contractor"]),
    PERMITS | st.just(ANN.permits),
    st.none() | st.builds(Approval, st.sampled_from(ApprovalState), MOMENTS),
)
FACES = st.none() | st.builds(
    FaceEvidence,
    st.builds(
        Identification,
        subject_id=st.sampled_from([None, "ann", "ann", "ben"]),
        candidate_id=st.sampled_from([None, "ann", "ben"]),
        score=VALUES,
        runner_up=VALUES,
        probes=st.integers(0, 6),
        threshold=st.sampled_from([0.0, 0.5]),
        min_margin=st.sampled_from([0.0, 0.1]),
        min_probes=st.integers(1, 4),
        step_up=st.booleans(),
    )
    | st.sampled_from([FOUND, replace(FOUND, step_up=True, look_alike=0.6)]),
    st.builds(LivenessEvidence, st.sampled_from(Outcome), st.floats(0, 1), st.just(0.5)),
    st.floats(-1, 5) | st.sampled_from([0.0, 2.0, math.nan, math.inf]),
)
# Changes of a claim that is granted: arbitrary ones would hardly ever be.
CHANGES = {
    "access_point": st.sampled_from([ENTRY, EXIT, AccessPoint("back", Direction.ENTRY)]),
    "requirements": st.dictionaries(st.sampled_from(MEASURED), st.sampled_from(Requirement)),
    "mode": st.sampled_from(DoorMode),
    "person": PERSONS,
    "face": FACES,
    "credential": st.sampled_from(
        [None, Reason.OK, Reason.CREDENTIAL_WRONG, Reason.CREDENTIAL_RETIRED, Reason.PASS_USED_UP]
    ),
    "approval": st.sampled_from([None, None, Reason.LET_IN, Reason.OPERATOR]),
    "blocked_s": st.sampled_from([0.0, 0.1, 30.0]),
    "open_schedules": st.sampled_from([frozenset(), frozenset({"day"})]),
    "temperature": measured(37.5),
    "mask": measured(0.5),
    "mask_rule": st.sampled_from(MaskRule),
    "document": measured(0.4),
    "seconded": st.booleans(),
    "accompanied": st.booleans(),
    "area": st.none()
    | st.builds(
        AreaFacts,
        st.integers(0, 3),
        st.none() | st.integers(0, 2),
        st.sampled_from(Passback),
        inside=st.booleans(),
    ),
}
GRANTED = [GOOD, PIN, PASS, replace(PIN, basis=Basis.CARD, person=CLEO), LET_IN]
CLAIMS = st.builds(
    lambda claim, changes: replace(claim, **changes),
    st.sampled_from(GRANTED),
    st.fixed_dictionaries({}, optional=CHANGES),
)


def holds(permit: Permit, claim: Claim) -> bool:
    """Whether a permit lets its holder pass, written from the rule and not from the code."""
    if permit.door_id != claim.access_point.door_id:
        return False
    if claim.access_point.direction is Direction.EXIT:
        return True
    return (
        permit.direction in {None, Direction.ENTRY}
        and (permit.valid_from is None or permit.valid_from <= claim.at)
        and (permit.valid_until is None or claim.at < permit.valid_until)
        and (permit.schedule_id is None or permit.schedule_id in claim.open_schedules)
    )


def approved(claim: Claim) -> bool:
    if claim.person is None or claim.person.subject.kind != "contractor":
        return True
    approval = claim.person.approval
    return claim.access_point.direction is Direction.EXIT or (
        approval is not None
        and approval.state is ApprovalState.APPROVED
        and approval.until is not None
        and claim.at < approval.until
    )


def proven(claim: Claim) -> bool:
    """Whether what was presented is who it is said to be."""
    if claim.face is None:
        return claim.credential is Reason.OK and claim.basis is not Basis.FACE
    found = claim.face.identification
    return (
        claim.credential in {None, Reason.OK}
        and found.probes >= found.min_probes
        and found.score >= found.threshold
        and found.score - found.runner_up >= found.min_margin
        and claim.person is not None
        and claim.person.subject.id == found.subject_id
        and 0 <= claim.face.frame_age_s <= MAX_FRAME_AGE_S
    )


def fulfilled(claim: Claim, control: Control) -> bool:
    """Whether a control of the door is fulfilled."""
    match control:
        case Control.LIVENESS:
            # A PIN, a card and a pass have no face that could be alive.
            return claim.face is None or claim.face.liveness.outcome is Outcome.PASS
        case Control.SECOND_CREDENTIAL:
            return claim.seconded
        case Control.TWO_PERSONS:
            return claim.accompanied
        case Control.TEMPERATURE:
            return known(claim.temperature) <= 37.5
        case Control.DOCUMENT:
            return known(claim.document) >= 0.4
        case _:
            worn = known(claim.mask)
            return worn >= 0.5 if claim.mask_rule is MaskRule.WORN else worn < 0.5


def known(found: Measured | None) -> float:
    """Return what was measured; not a number, which no limit admits, where nothing was."""
    if found is None or found.missing is not None or found.value is None:
        return math.nan
    return found.value


def open_to_all(claim: Claim) -> bool:
    """Whether the door and the area behind it let anybody in."""
    if claim.access_point.direction is Direction.EXIT:
        return True
    area = claim.area
    inside = area is not None and area.passback is Passback.HARD and area.inside
    full = area is not None and area.capacity is not None and area.occupancy >= area.capacity
    return (
        claim.mode is not DoorMode.LOCKDOWN
        and not (inside and claim.person is not None)
        and not (full and claim.approval is None)
    )


def stepped_up(claim: Claim) -> bool:
    """Whether somebody enters by a face that does not carry the name by itself."""
    by_face = claim.basis is Basis.FACE and claim.access_point.direction is Direction.ENTRY
    return by_face and claim.face is not None and claim.face.identification.step_up


def may_pass(claim: Claim) -> bool:
    if not open_to_all(claim):
        return False
    if claim.approval is not None:
        return True
    required = [key for key, value in claim.requirements.items() if value is Requirement.REQUIRED]
    if stepped_up(claim):
        required.append(Control.SECOND_CREDENTIAL)
    permitted = claim.person is not None and any(holds(p, claim) for p in claim.person.permits)
    return (
        proven(claim)
        and (claim.basis is Basis.PASS or (permitted and approved(claim)))
        and all(fulfilled(claim, control) for control in required)
        and (claim.blocked_s <= 0 or claim.access_point.direction is Direction.EXIT)
    )


@settings(max_examples=600, deadline=None)
@given(CLAIMS)
def test_a_grant_rests_on_everything_that_is_required_and_on_nothing_else(claim: Claim) -> None:
    judgment = judge(claim)
    event(f"granted: {judgment.granted}")
    assert judgment.granted == may_pass(claim)


@settings(max_examples=300, deadline=None)
@given(CLAIMS)
def test_a_receipt_lists_every_control_once_and_its_first_denial_is_the_reason(
    claim: Claim,
) -> None:
    judgment = judge(claim)
    controls = [verdict.control for verdict in judgment.verdicts]
    assert len(controls) == len(set(controls))
    assert Control.MODE in controls
    if claim.approval is not None:
        assert controls[0] is Control.APPROVAL
    else:
        off_or_on = set(MEASURED) - (set() if claim.face else {Control.LIVENESS})
        assert off_or_on <= set(controls)
        assert {Control.IDENTITY, Control.CREDENTIAL} & set(controls)
        assert (Control.PERMIT in controls) == (claim.basis is not Basis.PASS)
    denying = [verdict for verdict in judgment.verdicts if verdict.denies]
    assert judgment.granted == (not denying)
    granted = claim.approval or Reason.GRANTED
    assert judgment.reason is (denying[0].reason if denying else granted)
    assert judgment.failed == {verdict.control for verdict in denying}
    for verdict in judgment.verdicts:
        fine = verdict.outcome is Outcome.PASS
        free = verdict.control in {Control.MODE, Control.APPROVAL}
        assert (verdict.reason is Reason.OK) == fine or (free and fine)
        assert judgment.passed(verdict.control) == fine


@settings(max_examples=300, deadline=None)
@given(CLAIMS, st.sampled_from(DoorMode), CHANGES["area"], st.floats(0, 60))
def test_no_state_of_a_door_or_an_area_decides_over_an_exit(
    claim: Claim, mode: DoorMode, area: AreaFacts | None, blocked_s: float
) -> None:
    leaving = replace(claim, access_point=EXIT)
    state = replace(leaving, mode=mode, area=area, blocked_s=blocked_s)
    assert judge(state).granted == judge(leaving).granted
    assert judge(state).reason is judge(leaving).reason
