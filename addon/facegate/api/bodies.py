"""What clients send about people and groups, and the nouns that it stands for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from facegate.errors import InvalidError
from facegate.office.checks import Details
from facegate.office.enrollment import NewConsent
from facegate.protocol import Direction
from facegate.register import Approval, ApprovalState, CredentialKind, Guardian, Permit


@dataclass(frozen=True, slots=True)
class PermitBody:
    """A permit; what is null is not limited."""

    door_id: str
    direction: Direction | None = None
    schedule_id: str | None = None
    valid_from: float | None = None
    valid_until: float | None = None


@dataclass(frozen=True, slots=True)
class PermitsBody:
    """All permits of a subject or a group, in place of those before."""

    permits: tuple[PermitBody, ...]


@dataclass(frozen=True, slots=True)
class GuardianBody:
    """Who is told of a subject's passages."""

    name: str
    notify: str | None = None


@dataclass(frozen=True, slots=True)
class SubjectBody:
    """A new subject; ``groups`` are ids, ``birth_date`` is an ISO date."""

    name: str
    kind: str = "resident"
    external_id: str | None = None
    unit: str | None = None
    language: str | None = None
    birth_date: str | None = None
    groups: tuple[str, ...] = ()
    guardians: tuple[GuardianBody, ...] = ()
    permits: tuple[PermitBody, ...] = ()

    def details(self) -> Details:
        """Return what is written of the subject; raises ``InvalidError``."""
        return Details(
            self.name,
            self.kind,
            self.external_id,
            self.unit,
            self.language,
            _day(self.birth_date),
            self.groups,
            _guardians(self.guardians),
        )


@dataclass(frozen=True, slots=True)
class SubjectChange:
    """What shall be different of a subject; only what was sent counts, null included."""

    name: str = ""
    kind: str = ""
    external_id: str | None = None
    unit: str | None = None
    language: str | None = None
    birth_date: str | None = None
    groups: tuple[str, ...] = ()
    guardians: tuple[GuardianBody, ...] = ()

    def edit(self, details: Details, sent: frozenset[str]) -> Details:
        """Return the details with what was sent; raises ``InvalidError``."""
        for field in sent - {"birth_date", "guardians"}:
            details = replace(details, **{field: getattr(self, field)})
        if "birth_date" in sent:
            details = replace(details, birth_date=_day(self.birth_date))
        if "guardians" in sent:
            details = replace(details, guardians=_guardians(self.guardians))
        return details


@dataclass(frozen=True, slots=True)
class ApprovalBody:
    """How far a contractor's approval has come; ``until`` is required where approved."""

    state: ApprovalState
    until: float | None = None

    def approval(self) -> Approval:
        """Return the approval; raises ``InvalidError``."""
        return Approval(self.state, moment("until", self.until))


@dataclass(frozen=True, slots=True)
class ConsentBody:
    """A consent; given now where ``given_at`` is null."""

    text_version: str
    purpose: str
    language: str
    signer: str
    guardian: str | None = None
    given_at: float | None = None

    def consent(self) -> NewConsent:
        """Return the consent; raises ``InvalidError``."""
        return NewConsent(
            self.text_version,
            self.purpose,
            self.language,
            self.signer,
            self.guardian,
            moment("given_at", self.given_at),
        )


@dataclass(frozen=True, slots=True)
class CredentialBody:
    """A PIN or a card."""

    kind: CredentialKind
    pin: str | None = None
    duress_pin: str | None = None
    card_number: str | None = None
    valid_until: float | None = None


@dataclass(frozen=True, slots=True)
class GroupBody:
    """A new group."""

    name: str


@dataclass(frozen=True, slots=True)
class RetirementBody:
    """From when a kind of credential opens nothing to a group."""

    kind: CredentialKind
    at: float

    def moment(self) -> datetime:
        """Return the moment; raises ``InvalidError``."""
        return _moment("at", self.at)


def permits(bodies: tuple[PermitBody, ...]) -> tuple[Permit, ...]:
    """Return permits that belong to nobody yet; raises ``InvalidError``."""
    return tuple(
        Permit(
            body.door_id,
            direction=body.direction,
            schedule_id=body.schedule_id,
            valid_from=moment(f"permits[{index}].valid_from", body.valid_from),
            valid_until=moment(f"permits[{index}].valid_until", body.valid_until),
        )
        for index, body in enumerate(bodies)
    )


def moment(path: str, seconds: float | None) -> datetime | None:
    """Return a moment, where there is one; raises ``InvalidError``."""
    return None if seconds is None else _moment(path, seconds)


def _moment(path: str, seconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as err:
        raise InvalidError(
            f"{path}: {seconds:g} is not a moment: use seconds since 1970, UTC"
        ) from err


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as err:
        raise InvalidError(f"birth_date: {text[:40]!r} is not a date such as 2014-05-31") from err


def _guardians(bodies: tuple[GuardianBody, ...]) -> tuple[Guardian, ...]:
    return tuple(Guardian(body.name, body.notify) for body in bodies)
