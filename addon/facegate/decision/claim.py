"""What is known when somebody asks for passage: frozen, so that judging it is a pure function."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from facegate.domain import AccessPoint, Identification, LivenessEvidence
from facegate.protocol import DoorMode
from facegate.register import MaskRule, Passback, Person
from facegate.verdicts import Basis, Control, Outcome, Reason, Requirement, Verdict


@dataclass(frozen=True, slots=True)
class Measured:
    """What a source at the door gave, held against a limit; a reason where it gave nothing."""

    value: float | None
    limit: float
    missing: Reason | None = None


@dataclass(frozen=True, slots=True)
class FaceEvidence:
    """What the camera tells of the face that asks.

    ``model_fault`` tells that the models that looked at it are not to be believed now.
    """

    identification: Identification
    liveness: LivenessEvidence
    frame_age_s: float
    model_fault: bool = False


@dataclass(frozen=True, slots=True)
class AreaFacts:
    """The area that an entry leads into; people who are on their way in are counted."""

    occupancy: int
    capacity: int | None
    passback: Passback
    inside: bool


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody at an access point, and everything that counts for or against.

    ``requirements`` are those in force here and now; a control that is not named is off.
    ``credential`` is what became of the credential presented, ``approval`` on what ground a user
    answers for the passage; ``blocked_s`` is how long the credential must still wait.
    ``seconded`` tells that the same subject presented another credential just now, ``accompanied``
    that another subject stands ready.
    """

    access_point: AccessPoint
    at: datetime
    basis: Basis
    requirements: Mapping[Control, Requirement]
    mode: DoorMode = DoorMode.NORMAL
    person: Person | None = None
    face: FaceEvidence | None = None
    credential: Reason | None = None
    approval: Reason | None = None
    blocked_s: float = 0.0
    open_schedules: frozenset[str] = frozenset()
    temperature: Measured | None = None
    mask: Measured | None = None
    mask_rule: MaskRule = MaskRule.WORN
    document: Measured | None = None
    seconded: bool = False
    accompanied: bool = False
    area: AreaFacts | None = None


@dataclass(frozen=True, slots=True)
class Judgment:
    """Granted or denied, why, and what every control found."""

    granted: bool
    reason: Reason
    verdicts: tuple[Verdict, ...] = field(default=())

    @property
    def failed(self) -> frozenset[Control]:
        """The controls that keep the door shut."""
        return frozenset(verdict.control for verdict in self.verdicts if verdict.denies)

    def passed(self, control: Control) -> bool:
        """Return whether a control was looked at and passed."""
        return any(v.control is control and v.outcome is Outcome.PASS for v in self.verdicts)
