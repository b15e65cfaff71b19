"""The nouns of the office: who is known, what they may, by which credential, with whose consent.

Where ``domain`` tells of one passage, this tells of what was arranged before it. Moments are
aware UTC datetimes; hours of schedules are the site's own wall clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from facegate.domain import Subject, Template
from facegate.protocol import Direction
from facegate.verdicts import Control, Requirement

DAY_MINUTES = 24 * 60


class SubjectKind(StrEnum):
    """What a subject is to the site."""

    RESIDENT = "resident"
    STAFF = "staff"
    PUPIL = "pupil"
    CONTRACTOR = "contractor"
    VISITOR = "visitor"


@dataclass(frozen=True, slots=True)
class Group:
    """Subjects that share permits and dates."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Guardian:
    """Who is told of a subject's passages; ``notify`` names a notify action of Home Assistant."""

    name: str
    notify: str | None = None


# --- when -------------------------------------------------------------------------------------


class OnHolidays(StrEnum):
    """What a schedule does on a public holiday of the site."""

    AS_USUAL = "as_usual"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Hours:
    """From and until, in minutes of the day on the site's clock.

    ``end`` is 1..1440; where it is not after ``start`` the hours run past midnight.
    """

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Window:
    """Hours that begin on these days of the week, Monday being 0."""

    days: frozenset[int]
    hours: Hours


@dataclass(frozen=True, slots=True)
class Schedule:
    """Weekly windows; ``exceptions`` replace those that begin on their dates, holidays too."""

    id: str
    name: str
    windows: tuple[Window, ...]
    on_holidays: OnHolidays = OnHolidays.AS_USUAL
    exceptions: Mapping[date, tuple[Hours, ...]] = field(default_factory=dict)


# --- may --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Permit:
    """A subject or a group at a door: one direction or both, by schedule, from and until.

    Exactly one of ``subject_id`` and ``group_id`` is set; what is None is not limited.
    """

    door_id: str
    subject_id: str | None = None
    group_id: str | None = None
    direction: Direction | None = None
    schedule_id: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None


class ApprovalState(StrEnum):
    """How far a contractor's approval has come."""

    APPLIED = "applied"
    DOCUMENTS_CHECKED = "documents_checked"
    APPROVED = "approved"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Approval:
    """A contractor's approval; ``until`` is set where it is approved."""

    state: ApprovalState
    until: datetime | None = None


# --- by which credential ----------------------------------------------------------------------


class CredentialKind(StrEnum):
    """What a subject may present."""

    FACE = "face"
    PIN = "pin"
    CARD = "card"


@dataclass(frozen=True, slots=True)
class Credential:
    """A PIN or a card of a subject.

    ``secret`` is an Argon2id hash: of a PIN with its own salt, of a card number with the site's,
    so that it can be found by it. ``duress`` is the hash of the PIN that raises a silent alarm.
    """

    id: str
    subject_id: str
    kind: CredentialKind
    secret: str
    duress: str | None = None
    valid_until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Retirement:
    """From this moment on, a kind of credential opens nothing to the members of a group."""

    group_id: str
    kind: CredentialKind
    at: datetime


# --- with whose consent -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Consent:
    """What a subject, or a guardian for it, agreed to, and until when it held."""

    id: str
    subject_id: str
    text_version: str
    purpose: str
    language: str
    signer: str
    given_at: datetime
    guardian: str | None = None
    withdrawn_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A subject with everything that decides where it may pass.

    ``permits`` and ``retirements`` are its own and those of its groups; ``consent`` is the one
    in force.
    """

    subject: Subject
    permits: tuple[Permit, ...] = ()
    templates: tuple[Template, ...] = ()
    groups: tuple[str, ...] = ()
    guardians: tuple[Guardian, ...] = ()
    approval: Approval | None = None
    credentials: tuple[Credential, ...] = ()
    retirements: tuple[Retirement, ...] = ()
    consent: Consent | None = None


# --- visitors ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class VisitorPass:
    """A visitor's right to a number of entries, made by a resident or the desk.

    ``nonce_digest`` is the SHA-256 (hex) of the nonce in the newest code; a code with another
    one is a replay. ``number`` and ``pin_hash`` (Argon2id) are its way in by keypad.
    """

    id: str
    name: str
    made_by: str
    door_ids: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime
    max_uses: int
    nonce_digest: str
    number: str
    pin_hash: str
    unit: str | None = None
    used: int = 0
    revoked_at: datetime | None = None


# --- places -----------------------------------------------------------------------------------


class Passback(StrEnum):
    """What entering an area twice without leaving it does: nothing, an alarm, a denial."""

    OFF = "off"
    SOFT = "soft"
    HARD = "hard"


@dataclass(frozen=True, slots=True)
class Area:
    """A space that doors lead into; ``capacity`` counts people, ``reset_at`` minutes of the day."""

    id: str
    name: str
    capacity: int | None = None
    passback: Passback = Passback.OFF
    reset_at: int | None = None


class Role(StrEnum):
    """What a user of Home Assistant may do in the app's own pages; nobody else may do anything.

    A viewer sees doors, cameras and events; an operator also pictures, answers calls and opens
    doors; a manager also enrolls and manages people.
    """

    VIEWER = "viewer"
    OPERATOR = "operator"
    MANAGER = "manager"


class MaskRule(StrEnum):
    """What the mask control asks for."""

    WORN = "worn"
    NOT_WORN = "not_worn"


@dataclass(frozen=True, slots=True)
class ControlRule:
    """Requirements that replace a door's own in one direction or both, always or by schedule."""

    requirements: Mapping[Control, Requirement]
    direction: Direction | None = None
    schedule_id: str | None = None


class LivenessLevel(StrEnum):
    """How sure a door must be that a face is a person; see ``face.liveness.fuse``."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class LivenessRule:
    """What a door takes for a living face.

    Without ``model`` motion alone tells. With ``challenge`` the person is asked to turn the head.
    """

    level: LivenessLevel = LivenessLevel.NORMAL
    model: bool = True
    challenge: bool = False


@dataclass(frozen=True, slots=True)
class DoorRules:
    """What a door asks for.

    An entry leads into ``area_id`` and an exit out of it. Of ``rules`` the first that applies and
    names a control counts, else ``requirements``, else the control is off. Temperatures are in
    degrees Celsius, ``document_threshold`` is a cosine.
    """

    door_id: str
    requirements: Mapping[Control, Requirement]
    rules: tuple[ControlRule, ...] = ()
    area_id: str | None = None
    temperature_limit: float = 37.5
    temperature_max_age_s: float = 30.0
    mask_rule: MaskRule = MaskRule.WORN
    document_threshold: float = 0.4
    together_s: float = 15.0
    free_schedule_id: str | None = None
    liveness: LivenessRule = LivenessRule()
