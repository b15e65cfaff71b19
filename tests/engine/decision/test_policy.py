"""Who may pass: whatever is known, a grant rests on everything that is required."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
import math

from hypothesis import event, given, settings
from hypothesis import strategies as st
import pytest

from facegate.decision.policy import MAX_FRAME_AGE_S, FaceClaim, judge_approval, judge_face
from facegate.domain import (
    AccessPoint,
    Control,
    Identification,
    LivenessEvidence,
    Outcome,
    Permit,
    Reason,
    Requirement,
    Subject,
)
from facegate.protocol import Direction

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
FRONT = AccessPoint("front", Direction.ENTRY)
ANN = Subject("ann", "Ann", "resident")

GOOD = FaceClaim(
    access_point=FRONT,
    at=NOON,
    frame_age_s=0.1,
    identification=Identification("ann", "ann", 0.7, 0.2, 5, 0.5, 0.1, 3),
    liveness=LivenessEvidence(Outcome.PASS, 0.9, 0.5),
    liveness_requirement=Requirement.REQUIRED,
    subject=ANN,
    permits=(Permit("ann", "front"),),
)

MOMENTS = st.none() | st.sampled_from([NOON - HOUR, NOON, NOON + HOUR])
COSINES = st.floats(-1, 1) | st.just(math.nan)
# Changes of a claim that is granted: arbitrary ones would hardly ever be.
CHANGES = {
    "access_point": st.builds(
        AccessPoint, st.sampled_from(["front", "back"]), st.sampled_from(Direction)
    ),
    "frame_age_s": st.floats(-1, 5) | st.sampled_from([0.0, 2.0, math.nan, math.inf]),
    "identification": st.builds(
        Identification,
        subject_id=st.sampled_from([None, "ann", "ben"]),
        candidate_id=st.sampled_from([None, "ann", "ben"]),
        score=COSINES,
        runner_up=COSINES,
        probes=st.integers(0, 6),
        threshold=st.sampled_from([0.0, 0.5]),
        min_margin=st.sampled_from([0.0, 0.1]),
        min_probes=st.integers(1, 4),
    ),
    "liveness": st.builds(
        LivenessEvidence, st.sampled_from(Outcome), st.floats(0, 1), st.just(0.5)
    ),
    "liveness_requirement": st.sampled_from(Requirement),
    "subject": st.sampled_from([None, ANN, Subject("ben", "Ben", "staff")]),
    "permits": st.lists(
        st.builds(
            Permit,
            st.sampled_from(["ann", "ben"]),
            st.sampled_from(["front", "back"]),
            st.none() | st.sampled_from(Direction),
            MOMENTS,
            MOMENTS,
        ),
        max_size=3,
    ).map(tuple),
}
CLAIMS = st.fixed_dictionaries({}, optional=CHANGES).map(lambda changes: replace(GOOD, **changes))


def valid(permit: Permit, claim: FaceClaim) -> bool:
    return (
        claim.subject is not None
        and permit.subject_id == claim.subject.id
        and permit.door_id == claim.access_point.door_id
        and permit.direction in {None, claim.access_point.direction}
        and (permit.valid_from is None or permit.valid_from <= claim.at)
        and (permit.valid_until is None or claim.at < permit.valid_until)
    )


@settings(max_examples=400, deadline=None)
@given(CLAIMS)
def test_a_grant_rests_on_everything_that_is_required(claim: FaceClaim) -> None:
    judgment = judge_face(claim)
    event(f"granted: {judgment.granted}")
    found = claim.identification
    everything = (
        found.probes >= found.min_probes
        and found.score >= found.threshold
        and found.score - found.runner_up >= found.min_margin
        and claim.subject is not None
        and claim.subject.id == found.subject_id
        and any(valid(permit, claim) for permit in claim.permits)
        and 0 <= claim.frame_age_s <= MAX_FRAME_AGE_S
        and (
            claim.liveness.outcome is Outcome.PASS
            or claim.liveness_requirement is not Requirement.REQUIRED
        )
    )
    assert judgment.granted == everything


@settings(max_examples=200, deadline=None)
@given(CLAIMS)
def test_a_judgment_carries_every_control_and_the_first_that_denies_is_its_reason(
    claim: FaceClaim,
) -> None:
    judgment = judge_face(claim)
    assert [verdict.control for verdict in judgment.verdicts] == [
        Control.IDENTITY,
        Control.LIVENESS,
        Control.PERMIT,
        Control.FRESHNESS,
    ]
    denying = [verdict for verdict in judgment.verdicts if verdict.denies]
    assert judgment.granted == (not denying)
    assert judgment.reason is (denying[0].reason if denying else Reason.GRANTED)
    for verdict in judgment.verdicts:
        assert (verdict.reason is Reason.OK) == (verdict.outcome is Outcome.PASS)
        required = verdict.control is not Control.LIVENESS
        assert not required or verdict.requirement is Requirement.REQUIRED


def test_a_resident_with_a_permit_is_granted() -> None:
    judgment = judge_face(GOOD)
    assert judgment.granted
    assert judgment.reason is Reason.GRANTED


FOUND = GOOD.identification


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        (replace(GOOD, identification=replace(FOUND, probes=2)), Reason.TOO_FEW_PROBES),
        (replace(GOOD, identification=replace(FOUND, probes=0)), Reason.TOO_FEW_PROBES),
        (replace(GOOD, identification=replace(FOUND, score=0.49)), Reason.NOT_RECOGNIZED),
        (replace(GOOD, identification=replace(FOUND, score=math.nan)), Reason.NOT_RECOGNIZED),
        (replace(GOOD, identification=replace(FOUND, runner_up=0.65)), Reason.AMBIGUOUS),
        (replace(GOOD, identification=replace(FOUND, runner_up=math.nan)), Reason.AMBIGUOUS),
        (replace(GOOD, identification=replace(FOUND, subject_id=None)), Reason.NOT_ENROLLED),
        (replace(GOOD, identification=replace(FOUND, subject_id="ben")), Reason.NOT_ENROLLED),
        (replace(GOOD, subject=None), Reason.NOT_ENROLLED),
        (
            replace(GOOD, liveness=LivenessEvidence(Outcome.FAIL, 0.1, 0.5)),
            Reason.FLAT_MOTION,
        ),
        (
            replace(GOOD, liveness=LivenessEvidence(Outcome.UNAVAILABLE, 0, 0.5)),
            Reason.TOO_LITTLE_MOTION,
        ),
        (replace(GOOD, permits=()), Reason.NO_PERMIT),
        (replace(GOOD, permits=(Permit("ann", "back"),)), Reason.NO_PERMIT),
        (replace(GOOD, permits=(Permit("ben", "front"),)), Reason.NO_PERMIT),
        (replace(GOOD, permits=(Permit("ann", "front", Direction.EXIT),)), Reason.NO_PERMIT),
        (
            replace(GOOD, permits=(Permit("ann", "front", None, NOON + HOUR),)),
            Reason.PERMIT_NOT_YET_VALID,
        ),
        (
            replace(GOOD, permits=(Permit("ann", "front", None, None, NOON),)),
            Reason.PERMIT_EXPIRED,
        ),
        (replace(GOOD, frame_age_s=2.001), Reason.STALE_FRAME),
        (replace(GOOD, frame_age_s=-0.001), Reason.STALE_FRAME),
        (replace(GOOD, frame_age_s=math.nan), Reason.STALE_FRAME),
    ],
)
def test_any_one_thing_missing_denies_and_is_told(claim: FaceClaim, reason: Reason) -> None:
    judgment = judge_face(claim)
    assert not judgment.granted
    assert judgment.reason is reason


@pytest.mark.parametrize("requirement", [Requirement.ADVISORY, Requirement.OFF])
@pytest.mark.parametrize("outcome", [Outcome.FAIL, Outcome.UNAVAILABLE])
def test_a_control_that_is_not_required_is_told_and_does_not_deny(
    requirement: Requirement, outcome: Outcome
) -> None:
    evidence = LivenessEvidence(outcome, 0.1, 0.5)
    judgment = judge_face(replace(GOOD, liveness=evidence, liveness_requirement=requirement))
    assert judgment.granted
    assert judgment.verdicts[1].outcome is outcome
    assert judgment.verdicts[1].measured == 0.1


@pytest.mark.parametrize("age", [0.0, 2.0])
def test_a_frame_may_be_two_seconds_old_and_no_more(age: float) -> None:
    assert judge_face(replace(GOOD, frame_age_s=age)).granted


def test_one_permit_in_force_is_enough() -> None:
    expired = Permit("ann", "front", None, None, NOON - HOUR)
    later = Permit("ann", "front", None, NOON + HOUR)
    now = Permit("ann", "front", Direction.ENTRY, NOON, NOON + HOUR)
    assert judge_face(replace(GOOD, permits=(expired, later, now))).granted
    assert judge_face(replace(GOOD, permits=(expired, later))).reason is Reason.PERMIT_EXPIRED


def test_what_was_measured_stands_in_the_receipt() -> None:
    identity, liveness, _, freshness = judge_face(GOOD).verdicts
    assert (identity.measured, identity.limit) == (0.7, 0.5)
    assert (liveness.measured, liveness.limit) == (0.9, 0.5)
    assert (freshness.measured, freshness.limit) == (0.1, MAX_FRAME_AGE_S)


@pytest.mark.parametrize("reason", [Reason.LET_IN, Reason.OPERATOR])
def test_a_person_who_answers_for_it_grants(reason: Reason) -> None:
    judgment = judge_approval(reason)
    assert judgment.granted
    assert judgment.reason is reason
    assert [verdict.control for verdict in judgment.verdicts] == [Control.APPROVAL]
