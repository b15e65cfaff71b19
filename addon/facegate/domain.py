"""The nouns of a passage, in the order in which a passage meets them, and the Protocols.

Pictures are ``uint8`` arrays of shape (height, width, 3) in BGR order. Pixel coordinates are
``float`` with the origin in the upper left corner. Moments are aware UTC datetimes; ``monotonic``
values are seconds of ``Clock.monotonic`` and serve for ages and durations only.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from facegate.protocol import ActuatorAction, CameraStateName, Direction, DoorStateName

type Image = NDArray[np.uint8]
type Vector = NDArray[np.float32]


class Clock(Protocol):
    """Time, so that tests can move it."""

    def now(self) -> datetime:
        """Return the moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        ...


# --- camera -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One decoded picture and when it arrived."""

    camera_id: str
    sequence: int
    arrived: float
    at: datetime
    image: Image


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """A camera's stream; ``reason`` tells an operator why it does not stream."""

    state: CameraStateName
    reason: str | None = None


class Camera(Protocol):
    """A source of frames that always gives the newest and drops the rest."""

    @property
    def id(self) -> str:
        """The camera's id in the settings."""
        ...

    @property
    def status(self) -> CameraStatus:
        """What the stream is doing."""
        ...

    def frames(self) -> AsyncIterator[Frame]:
        """Yield the newest frame not yet yielded; ends after ``close``, or with a finite clip."""
        ...

    async def close(self) -> None:
        """Stop reading and wait for the reader to end."""
        ...


# --- face -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True, eq=False)
class Detection:
    """A face in a frame.

    ``landmarks`` has shape (5, 2): right eye, left eye, nose tip, right and left mouth corner,
    where right and left are the subject's own. ``score`` is in 0..1.
    """

    box: Box
    landmarks: Vector
    score: float


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A live face of one frame: its embedding has 128 values and unit length."""

    frame_sequence: int
    arrived: float
    detection: Detection
    embedding: Vector


class Outcome(StrEnum):
    """What a control found."""

    PASS = "pass"  # noqa: S105  a verdict, not a password
    FAIL = "fail"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class LivenessEvidence:
    """Whether a track moved as a solid head.

    ``unavailable`` until there was enough motion to tell; ``measured`` is compared to ``limit``.
    """

    outcome: Outcome
    measured: float
    limit: float


# --- identity ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Subject:
    """An enrolled person."""

    id: str
    name: str
    kind: str


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A stored reference; templates of different models are never compared."""

    id: str
    subject_id: str
    model_id: str
    embedding: Vector


@dataclass(frozen=True, slots=True)
class Identification:
    """A track's probes against the gallery.

    ``score`` and ``runner_up`` are cosines in -1..1 of the best and the second subject, -1 where
    there is none;
    ``subject_id`` is set only where probes, score and margin reach ``min_probes``, ``threshold``
    and ``min_margin``; ``candidate_id`` is the best subject whatever the score.
    """

    subject_id: str | None
    candidate_id: str | None
    score: float
    runner_up: float
    probes: int
    threshold: float
    min_margin: float
    min_probes: int

    @property
    def margin(self) -> float:
        """How far the best subject stands before the second."""
        return self.score - self.runner_up


# --- decision ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AccessPoint:
    """One direction through a door."""

    door_id: str
    direction: Direction


@dataclass(frozen=True, slots=True)
class Permit:
    """A subject at a door, in one direction or both, from and until (open where None)."""

    subject_id: str
    door_id: str
    direction: Direction | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None


class Control(StrEnum):
    """A thing that is looked at before a door opens."""

    IDENTITY = "identity"
    LIVENESS = "liveness"
    PERMIT = "permit"
    FRESHNESS = "freshness"
    APPROVAL = "approval"


class Requirement(StrEnum):
    """What a control's verdict weighs: a required one that does not pass denies."""

    REQUIRED = "required"
    ADVISORY = "advisory"
    OFF = "off"


class Reason(StrEnum):
    """Why a control found what it found, and why a decision fell as it did."""

    OK = "ok"
    GRANTED = "granted"
    NOT_RECOGNIZED = "not_recognized"
    AMBIGUOUS = "ambiguous"
    TOO_FEW_PROBES = "too_few_probes"
    NOT_ENROLLED = "not_enrolled"
    NO_PERMIT = "no_permit"
    PERMIT_NOT_YET_VALID = "permit_not_yet_valid"
    PERMIT_EXPIRED = "permit_expired"
    FLAT_MOTION = "flat_motion"
    TOO_LITTLE_MOTION = "too_little_motion"
    STALE_FRAME = "stale_frame"
    LET_IN = "let_in"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one control found, with what it measured and against which limit."""

    control: Control
    outcome: Outcome
    requirement: Requirement
    reason: Reason
    measured: float | None = None
    limit: float | None = None

    @property
    def denies(self) -> bool:
        """Whether this verdict alone keeps the door shut."""
        return self.requirement is Requirement.REQUIRED and self.outcome is not Outcome.PASS


class Basis(StrEnum):
    """What a decision rests on."""

    FACE = "face"
    VISITOR = "visitor"
    OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Decision:
    """Granted or denied, and every verdict: the receipt."""

    id: str
    at: datetime
    access_point: AccessPoint
    basis: Basis
    granted: bool
    reason: Reason
    verdicts: tuple[Verdict, ...]
    subject: Subject | None = None
    identification: Identification | None = None
    approver: str | None = None
    call_id: str | None = None
    first_seen_at: datetime | None = None
    frame_age_s: float | None = None


# --- door -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ActuatorCommand:
    """What the hardware is asked to do, and until when it may."""

    id: str
    door_id: str
    action: ActuatorAction
    pulse_s: float
    expires_at: datetime


class Actuator(Protocol):
    """The hardware that holds one door shut."""

    @property
    def unavailable_reason(self) -> str | None:
        """Why it cannot be used now, or None."""
        ...

    @property
    def unlocked(self) -> bool | None:
        """Whether the hardware says that it lets pass; None where it cannot tell."""
        ...

    async def perform(self, command: ActuatorCommand) -> None:
        """Return when the hardware confirmed; raises ``ActuatorError``."""
        ...

    async def pulse_ended(self, command: ActuatorCommand) -> None:
        """Return when the hardware confirmed the end of a pulse; raises ``ActuatorError``."""
        ...


@dataclass(frozen=True, slots=True)
class DoorStatus:
    """A door's state; ``fault`` tells an operator what is wrong."""

    state: DoorStateName
    held: bool = False
    fault: str | None = None


# --- visitor ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class VisitorCall:
    """An unknown face that rang; picture (JPEG) and embedding live in memory only.

    ``expires_at`` is for people; ``deadline``, a monotonic moment, is what counts, so that
    setting the clock back never lengthens a call.
    """

    id: str
    access_point: AccessPoint
    opened_at: datetime
    expires_at: datetime
    deadline: float
    picture: bytes
    embedding: Vector
