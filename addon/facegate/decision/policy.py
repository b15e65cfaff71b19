"""Who may pass: pure functions from what is known to verdicts and a judgment.

The default is no. A required control that fails, or cannot be had, denies; the reason of the
judgment is that of the first denying verdict, in the order in which they are listed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

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
    Verdict,
)

MAX_FRAME_AGE_S = 2.0


@dataclass(frozen=True, slots=True)
class FaceClaim:
    """All that is known of a face that stands at an access point."""

    access_point: AccessPoint
    at: datetime
    frame_age_s: float
    identification: Identification
    liveness: LivenessEvidence
    liveness_requirement: Requirement
    subject: Subject | None
    permits: tuple[Permit, ...]


@dataclass(frozen=True, slots=True)
class Judgment:
    """Granted or denied, why, and what every control found."""

    granted: bool
    reason: Reason
    verdicts: tuple[Verdict, ...]


def judge_face(claim: FaceClaim) -> Judgment:
    """Judge a face that asks for passage by standing there."""
    return _judge(
        _identity(claim),
        _liveness(claim),
        _permit(claim),
        _freshness(claim),
        granted=Reason.GRANTED,
    )


def judge_approval(reason: Reason) -> Judgment:
    """Judge a passage that a person answers for: a visitor let in, a door opened by hand."""
    verdict = Verdict(Control.APPROVAL, Outcome.PASS, Requirement.REQUIRED, reason)
    return _judge(verdict, granted=reason)


def _judge(*verdicts: Verdict, granted: Reason) -> Judgment:
    denying = [verdict for verdict in verdicts if verdict.denies]
    return Judgment(
        granted=not denying,
        reason=denying[0].reason if denying else granted,
        verdicts=verdicts,
    )


def _identity(claim: FaceClaim) -> Verdict:
    found = claim.identification
    if found.probes < found.min_probes:
        outcome, reason = Outcome.UNAVAILABLE, Reason.TOO_FEW_PROBES
    elif not found.score >= found.threshold:  # not a number is not enough
        outcome, reason = Outcome.FAIL, Reason.NOT_RECOGNIZED
    elif not found.margin >= found.min_margin:
        outcome, reason = Outcome.FAIL, Reason.AMBIGUOUS
    elif claim.subject is None or claim.subject.id != found.subject_id:
        outcome, reason = Outcome.FAIL, Reason.NOT_ENROLLED
    else:
        outcome, reason = Outcome.PASS, Reason.OK
    score = found.score if found.candidate_id is not None else None
    return Verdict(Control.IDENTITY, outcome, Requirement.REQUIRED, reason, score, found.threshold)


def _liveness(claim: FaceClaim) -> Verdict:
    reasons = {
        Outcome.PASS: Reason.OK,
        Outcome.FAIL: Reason.FLAT_MOTION,
        Outcome.UNAVAILABLE: Reason.TOO_LITTLE_MOTION,
    }
    evidence = claim.liveness
    return Verdict(
        Control.LIVENESS,
        evidence.outcome,
        claim.liveness_requirement,
        reasons[evidence.outcome],
        evidence.measured,
        evidence.limit,
    )


def _permit(claim: FaceClaim) -> Verdict:
    holder = claim.subject.id if claim.subject is not None else None
    permits = (permit for permit in claim.permits if permit.subject_id == holder)
    outcome, reason = _permit_now(claim.access_point, claim.at, permits)
    return Verdict(Control.PERMIT, outcome, Requirement.REQUIRED, reason)


def _permit_now(
    access_point: AccessPoint, at: datetime, permits: Iterable[Permit]
) -> tuple[Outcome, Reason]:
    here = [
        permit
        for permit in permits
        if permit.door_id == access_point.door_id
        and permit.direction in (None, access_point.direction)
    ]
    if not here:
        return Outcome.FAIL, Reason.NO_PERMIT
    begun = [permit for permit in here if permit.valid_from is None or permit.valid_from <= at]
    if not begun:
        return Outcome.FAIL, Reason.PERMIT_NOT_YET_VALID
    if not any(permit.valid_until is None or at < permit.valid_until for permit in begun):
        return Outcome.FAIL, Reason.PERMIT_EXPIRED
    return Outcome.PASS, Reason.OK


def _freshness(claim: FaceClaim) -> Verdict:
    fresh = 0 <= claim.frame_age_s <= MAX_FRAME_AGE_S
    return Verdict(
        Control.FRESHNESS,
        Outcome.PASS if fresh else Outcome.FAIL,
        Requirement.REQUIRED,
        Reason.OK if fresh else Reason.STALE_FRAME,
        claim.frame_age_s,
        MAX_FRAME_AGE_S,
    )
