"""Claims that fulfil every control there is, to be changed by tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from facegate.decision.claim import AreaFacts, Claim, FaceEvidence, Judgment, Measured
from facegate.domain import AccessPoint, Identification, LivenessEvidence, Subject
from facegate.protocol import Direction
from facegate.register import Approval, ApprovalState, Passback, Permit, Person
from facegate.verdicts import Basis, Control, Outcome, Reason, Requirement, Verdict

NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
ENTRY = AccessPoint("front", Direction.ENTRY)
EXIT = AccessPoint("front", Direction.EXIT)
FOUND = Identification("ann", "ann", 0.7, 0.2, 5, 0.5, 0.1, 3)
ALIVE = LivenessEvidence(Outcome.PASS, 0.9, 0.5)
MEASURED = (
    Control.LIVENESS,
    Control.TEMPERATURE,
    Control.MASK,
    Control.DOCUMENT,
    Control.SECOND_CREDENTIAL,
    Control.TWO_PERSONS,
)

ANN = Person(Subject("ann", "Ann", "resident"), (Permit("front", "ann"),))
CLEO = Person(
    Subject("cleo", "Cleo", "contractor"),
    (Permit("front", "cleo"),),
    approval=Approval(ApprovalState.APPROVED, NOON + HOUR),
)
FACE = FaceEvidence(FOUND, ALIVE, 0.1)

# Fulfils every control there is, all of them required.
GOOD = Claim(
    access_point=ENTRY,
    at=NOON,
    basis=Basis.FACE,
    requirements=dict.fromkeys(MEASURED, Requirement.REQUIRED),
    person=ANN,
    face=FACE,
    temperature=Measured(36.6, 37.5),
    mask=Measured(0.9, 0.5),
    document=Measured(0.8, 0.4),
    seconded=True,
    accompanied=True,
    area=AreaFacts(1, 2, Passback.HARD, inside=False),
)
PIN = replace(GOOD, basis=Basis.PIN, face=None, credential=Reason.OK)
PASS = replace(PIN, basis=Basis.PASS, person=None)
LET_IN = Claim(ENTRY, NOON, Basis.VISITOR, {}, approval=Reason.LET_IN)


def found(judgment: Judgment, control: Control) -> Verdict:
    return next(verdict for verdict in judgment.verdicts if verdict.control is control)
