"""What controls find and why: the words of a receipt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What a control found."""

    PASS = "pass"  # noqa: S105  a verdict, not a password
    FAIL = "fail"
    UNAVAILABLE = "unavailable"


class Control(StrEnum):
    """A thing that is looked at before a door opens."""

    IDENTITY = "identity"
    CREDENTIAL = "credential"
    ATTEMPTS = "attempts"
    LIVENESS = "liveness"
    PERMIT = "permit"
    CONTRACT = "contract"
    TEMPERATURE = "temperature"
    MASK = "mask"
    DOCUMENT = "document"
    SECOND_CREDENTIAL = "second_credential"
    TWO_PERSONS = "two_persons"
    MODE = "mode"
    PASSBACK = "passback"
    CAPACITY = "capacity"
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
    CREDENTIAL_UNKNOWN = "credential_unknown"
    CREDENTIAL_WRONG = "credential_wrong"
    CREDENTIAL_RETIRED = "credential_retired"
    PASS_FORGED = "pass_forged"  # noqa: S105
    PASS_REPLAYED = "pass_replayed"  # noqa: S105
    PASS_REVOKED = "pass_revoked"  # noqa: S105
    PASS_NOT_YET_VALID = "pass_not_yet_valid"  # noqa: S105
    PASS_EXPIRED = "pass_expired"  # noqa: S105
    PASS_USED_UP = "pass_used_up"  # noqa: S105
    PASS_NOT_HERE = "pass_not_here"  # noqa: S105
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    NO_PERMIT = "no_permit"
    PERMIT_NOT_YET_VALID = "permit_not_yet_valid"
    PERMIT_EXPIRED = "permit_expired"
    OUTSIDE_SCHEDULE = "outside_schedule"
    NOT_APPROVED = "not_approved"
    APPROVAL_EXPIRED = "approval_expired"
    APPROVAL_SUSPENDED = "approval_suspended"
    APPROVAL_REVOKED = "approval_revoked"
    MODEL_FAULT = "model_fault"
    FLAT_MOTION = "flat_motion"
    TOO_LITTLE_MOTION = "too_little_motion"
    LOOKS_LIKE_A_PICTURE = "looks_like_a_picture"
    TOO_FEW_VIEWS = "too_few_views"
    NO_LIVENESS_MODEL = "no_liveness_model"
    TURN_YOUR_HEAD = "turn_your_head"
    NO_SOURCE = "no_source"
    NO_READING = "no_reading"
    TOO_HOT = "too_hot"
    STALE_READING = "stale_reading"
    MASK_MISSING = "mask_missing"
    MASK_WORN = "mask_worn"
    NO_DOCUMENT = "no_document"
    DOCUMENT_MISMATCH = "document_mismatch"
    SECOND_CREDENTIAL_MISSING = "second_credential_missing"
    SECOND_PERSON_MISSING = "second_person_missing"
    STALE_FRAME = "stale_frame"
    LOCKDOWN = "lockdown"
    DOOR_FREE = "door_free"
    EMERGENCY = "emergency"
    ALREADY_INSIDE = "already_inside"
    AREA_FULL = "area_full"
    LET_IN = "let_in"
    OPERATOR = "operator"
    EXIT_BUTTON = "exit_button"


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
    PIN = "pin"
    CARD = "card"
    PASS = "pass"  # noqa: S105  a visitor's, not a password
    VISITOR = "visitor"
    OPERATOR = "operator"
    MODE = "mode"
    EXIT_BUTTON = "exit_button"
