"""What truly happens at the doors of the model, as nobody in the engine could know it better."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from facegate.domain import AccessPoint
from facegate.protocol import Direction
from facegate.register import CredentialKind, Person
from facegate.verdicts import Basis, Control


@dataclass(frozen=True, slots=True)
class Request:
    """Somebody who asks for passage."""

    point: AccessPoint
    basis: Basis
    person: Person | None = None
    proven: bool = True
    age_s: float = 0.0
    alive: bool = True
    models_whole: bool = True
    step_up: bool = False
    since: float | None = None
    key: str | None = None
    pass_id: str | None = None
    newest: bool = True
    word: bool = False

    @property
    def who(self) -> str | None:
        return self.person.subject.id if self.person is not None else None

    @property
    def enters(self) -> bool:
        return self.point.direction is Direction.ENTRY


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened at an access point, at a monotonic moment."""

    at: float
    point: AccessPoint


@dataclass(frozen=True, slots=True)
class Measurement(Event):
    control: Control
    value: float | str
    taken: float


@dataclass(frozen=True, slots=True)
class Presented(Event):
    who: str
    kind: CredentialKind


@dataclass(frozen=True, slots=True)
class Waiting(Event):
    who: str


@dataclass(frozen=True, slots=True)
class Failed(Event):
    key: str


@dataclass(frozen=True, slots=True)
class Granted(Event):
    request: Request
    companion: str | None
    followed: bool


@dataclass(slots=True)
class PassFacts:
    """What is true of a visitor pass."""

    door_ids: tuple[str, ...]
    valid_from: datetime
    valid_until: datetime
    max_uses: int
    used: int = 0
    revoked: bool = False
