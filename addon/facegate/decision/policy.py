"""Who may pass: pure functions from a claim to verdicts and a judgment.

The default is no. A required control that fails, or cannot be had, denies. Every control that
could deny is in the receipt, also one that is off; the reason of the judgment is that of the first
denying verdict, in the order in which they are listed.

What concerns entries only: lockdown, attempts, anti-passback, capacity, times of permits and
approvals. No state of door or area keeps anybody inside.
"""

from __future__ import annotations

from collections.abc import Callable

from facegate.decision.claim import Claim, FaceEvidence, Judgment, Measured
from facegate.decision.permit import approved, permitted
from facegate.protocol import Direction, DoorMode
from facegate.register import CredentialKind, MaskRule, Passback, SubjectKind
from facegate.verdicts import Basis, Control, Outcome, Reason, Requirement, Verdict

MAX_FRAME_AGE_S = 2.0

_REQUIRED, _ADVISORY = Requirement.REQUIRED, Requirement.ADVISORY
# Bases that a subject passes by, and the credential that each presents.
SUBJECT_BASES = {
    Basis.FACE: CredentialKind.FACE,
    Basis.PIN: CredentialKind.PIN,
    Basis.CARD: CredentialKind.CARD,
}
_LIVENESS = {
    Outcome.PASS: Reason.OK,
    Outcome.FAIL: Reason.FLAT_MOTION,
    Outcome.UNAVAILABLE: Reason.TOO_LITTLE_MOTION,
}
_MODES = {
    DoorMode.NORMAL: Reason.OK,
    DoorMode.FREE: Reason.DOOR_FREE,
    DoorMode.LOCKDOWN: Reason.OK,
    DoorMode.EMERGENCY: Reason.EMERGENCY,
}


def judge(claim: Claim) -> Judgment:
    """Judge whoever asks for passage, by whatever they present."""
    if claim.approval is not None:
        verdicts = [_approval(claim.approval)]
    else:
        verdicts = _presented(claim)
        if claim.basis is not Basis.PASS:
            verdicts += _allowed(claim)
        verdicts += _at_the_door(claim)
    verdicts += _door_and_area(claim)
    denying = [verdict for verdict in verdicts if verdict.denies]
    return Judgment(
        granted=not denying,
        reason=denying[0].reason if denying else claim.approval or Reason.GRANTED,
        verdicts=tuple(verdicts),
    )


def _presented(claim: Claim) -> list[Verdict]:
    """Judge what is presented: a face, a PIN, a card or a pass."""
    verdicts = []
    if claim.face is not None:
        verdicts.append(_identity(claim, claim.face))
        verdicts.append(_freshness(claim.face.frame_age_s))
    elif claim.basis is Basis.FACE:
        missing = Reason.TOO_FEW_PROBES
        verdicts.append(_verdict(Control.IDENTITY, Outcome.UNAVAILABLE, missing))
    blocked = claim.blocked_s > 0 and _is_entry(claim)
    if blocked:
        reason = Reason.TOO_MANY_ATTEMPTS
        verdicts.append(Verdict(Control.ATTEMPTS, Outcome.FAIL, _REQUIRED, reason, claim.blocked_s))
    if blocked and claim.face is None:
        # Not looked at: who guesses must not learn whether the guess was right.
        verdicts.append(_verdict(Control.CREDENTIAL, Outcome.UNAVAILABLE, Reason.TOO_MANY_ATTEMPTS))
    elif claim.credential is not None or claim.face is None:
        reason = claim.credential or Reason.CREDENTIAL_UNKNOWN
        outcome = Outcome.PASS if reason is Reason.OK else Outcome.FAIL
        verdicts.append(_verdict(Control.CREDENTIAL, outcome, reason))
    return verdicts


def _allowed(claim: Claim) -> list[Verdict]:
    """Judge whether this subject may pass here now."""
    person = claim.person
    permits = person.permits if person is not None else ()
    outcome, reason = permitted(permits, claim.access_point, claim.at, claim.open_schedules)
    verdicts = [_verdict(Control.PERMIT, outcome, reason)]
    if person is not None and person.subject.kind == SubjectKind.CONTRACTOR:
        outcome, reason = approved(person.approval, claim.at)
        # Whose approval ran out inside is let out.
        requirement = _REQUIRED if _is_entry(claim) else _ADVISORY
        verdicts.append(Verdict(Control.CONTRACT, outcome, requirement, reason))
    return verdicts


def _at_the_door(claim: Claim) -> list[Verdict]:
    """Judge what is measured of whoever stands there, each control as this door requires it."""
    verdicts = []
    if claim.face is not None:
        evidence = claim.face.liveness
        reason = evidence.reason or _LIVENESS[evidence.outcome]
        found = (evidence.outcome, reason, evidence.measured, evidence.limit)
        verdicts.append(_weighed(claim, Control.LIVENESS, *found))
    mask_fails = Reason.MASK_MISSING if claim.mask_rule is MaskRule.WORN else Reason.MASK_WORN
    verdicts += [
        _measured(claim, Control.TEMPERATURE, claim.temperature, _cool, Reason.TOO_HOT),
        _measured(claim, Control.MASK, claim.mask, _masked(claim.mask_rule), mask_fails),
        _measured(claim, Control.DOCUMENT, claim.document, _alike, Reason.DOCUMENT_MISMATCH),
        _second_credential(claim),
        _present(claim, Control.TWO_PERSONS, Reason.SECOND_PERSON_MISSING, there=claim.accompanied),
    ]
    return verdicts


def _second_credential(claim: Claim) -> Verdict:
    """Judge whether another credential was presented; an entry by a face may need one anyway.

    What is measured then is the likeness of the other subject that the face could be.
    """
    found = claim.face.identification if claim.face is not None else None
    control, missing = Control.SECOND_CREDENTIAL, Reason.SECOND_CREDENTIAL_MISSING
    by_face = claim.basis is Basis.FACE and _is_entry(claim)
    if not by_face or found is None or not found.step_up:
        return _present(claim, control, missing, there=claim.seconded)
    outcome, reason = (Outcome.PASS, Reason.OK) if claim.seconded else (Outcome.FAIL, missing)
    return Verdict(control, outcome, _REQUIRED, reason, found.look_alike)


def _door_and_area(claim: Claim) -> list[Verdict]:
    """Judge the state of the door and of the area behind it; neither keeps anybody inside."""
    entry = _is_entry(claim)
    if entry and claim.mode is DoorMode.LOCKDOWN:
        verdicts = [_verdict(Control.MODE, Outcome.FAIL, Reason.LOCKDOWN)]
    else:
        verdicts = [_verdict(Control.MODE, Outcome.PASS, _MODES[claim.mode])]
    area = claim.area
    if not entry or area is None:
        return verdicts
    if area.passback is not Passback.OFF and claim.person is not None:
        requirement = _REQUIRED if area.passback is Passback.HARD else _ADVISORY
        outcome, reason = Outcome.PASS, Reason.OK
        if area.inside:
            outcome, reason = Outcome.FAIL, Reason.ALREADY_INSIDE
        verdicts.append(Verdict(Control.PASSBACK, outcome, requirement, reason))
    if area.capacity is not None:
        full = area.occupancy >= area.capacity
        outcome, reason = Outcome.PASS, Reason.OK
        if full:
            outcome, reason = Outcome.FAIL, Reason.AREA_FULL
        # A user who lets somebody in sees the area and answers for it.
        requirement = _ADVISORY if claim.approval is not None else _REQUIRED
        figures = (float(area.occupancy), float(area.capacity))
        verdicts.append(Verdict(Control.CAPACITY, outcome, requirement, reason, *figures))
    return verdicts


def _identity(claim: Claim, face: FaceEvidence) -> Verdict:
    found = face.identification
    if face.model_fault:
        # What such models measured is told to nobody.
        return _verdict(Control.IDENTITY, Outcome.UNAVAILABLE, Reason.MODEL_FAULT)
    subject_id = claim.person.subject.id if claim.person is not None else None
    if found.probes < found.min_probes:
        outcome, reason = Outcome.UNAVAILABLE, Reason.TOO_FEW_PROBES
    elif not found.score >= found.threshold:  # not a number is not enough
        outcome, reason = Outcome.FAIL, Reason.NOT_RECOGNIZED
    elif not found.margin >= found.min_margin:
        outcome, reason = Outcome.FAIL, Reason.AMBIGUOUS
    elif subject_id is None or subject_id != found.subject_id:
        outcome, reason = Outcome.FAIL, Reason.NOT_ENROLLED
    else:
        outcome, reason = Outcome.PASS, Reason.OK
    score = found.score if found.candidate_id is not None else None
    return Verdict(Control.IDENTITY, outcome, _REQUIRED, reason, score, found.threshold)


def _freshness(age_s: float) -> Verdict:
    fresh = 0 <= age_s <= MAX_FRAME_AGE_S
    outcome, reason = Outcome.PASS, Reason.OK
    if not fresh:
        outcome, reason = Outcome.FAIL, Reason.STALE_FRAME
    return Verdict(Control.FRESHNESS, outcome, _REQUIRED, reason, age_s, MAX_FRAME_AGE_S)


def _approval(reason: Reason) -> Verdict:
    return _verdict(Control.APPROVAL, Outcome.PASS, reason)


def _measured(
    claim: Claim,
    control: Control,
    measured: Measured | None,
    good: Callable[[float, float], bool],
    fails: Reason,
) -> Verdict:
    if measured is None:
        return _weighed(claim, control, Outcome.UNAVAILABLE, Reason.NO_SOURCE)
    value, limit = measured.value, measured.limit
    if measured.missing is not None or value is None:
        missing = measured.missing or Reason.NO_READING
        return _weighed(claim, control, Outcome.UNAVAILABLE, missing, value, limit)
    if good(value, limit):
        return _weighed(claim, control, Outcome.PASS, Reason.OK, value, limit)
    return _weighed(claim, control, Outcome.FAIL, fails, value, limit)


def _cool(value: float, limit: float) -> bool:
    return value <= limit


def _alike(value: float, limit: float) -> bool:
    return value >= limit


def _masked(rule: MaskRule) -> Callable[[float, float], bool]:
    return _alike if rule is MaskRule.WORN else lambda value, limit: value < limit


def _present(claim: Claim, control: Control, missing: Reason, *, there: bool) -> Verdict:
    if there:
        return _weighed(claim, control, Outcome.PASS, Reason.OK)
    return _weighed(claim, control, Outcome.FAIL, missing)


def _weighed(
    claim: Claim,
    control: Control,
    outcome: Outcome,
    reason: Reason,
    value: float | None = None,
    limit: float | None = None,
) -> Verdict:
    requirement = claim.requirements.get(control, Requirement.OFF)
    return Verdict(control, outcome, requirement, reason, value, limit)


def _verdict(control: Control, outcome: Outcome, reason: Reason) -> Verdict:
    return Verdict(control, outcome, _REQUIRED, reason)


def _is_entry(claim: Claim) -> bool:
    return claim.access_point.direction is Direction.ENTRY
