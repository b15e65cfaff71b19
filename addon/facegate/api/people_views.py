"""What clients see of people and groups."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from facegate.office.enrollment import Enrolled
from facegate.office.roster import GroupEntry
from facegate.protocol import Direction
from facegate.register import Consent, Permit, Person


@dataclass(frozen=True, slots=True)
class PermitView:
    """A permit; ``group_id`` is the group that it comes from, null for the subject's own."""

    door_id: str
    direction: Direction | None
    schedule_id: str | None
    valid_from: float | None
    valid_until: float | None
    group_id: str | None


@dataclass(frozen=True, slots=True)
class GuardianView:
    """Who is told of a subject's passages."""

    name: str
    notify: str | None


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """How far a contractor's approval has come."""

    state: str
    until: float | None


@dataclass(frozen=True, slots=True)
class CredentialView:
    """A PIN or a card, of which nothing is shown."""

    id: str
    kind: str
    valid_until: float | None
    has_duress: bool


@dataclass(frozen=True, slots=True)
class ConsentView:
    """The consent in force."""

    text_version: str
    purpose: str
    language: str
    signer: str
    guardian: str | None
    given_at: float


@dataclass(frozen=True, slots=True)
class SubjectView:
    """A person; ``references`` are counted, never shown, ``birth_date`` is an ISO date.

    ``needs_photos`` where all references are of another model than the one in use.
    """

    id: str
    name: str
    kind: str
    number: str
    external_id: str | None
    unit: str | None
    language: str | None
    birth_date: str | None
    groups: tuple[str, ...]
    guardians: tuple[GuardianView, ...]
    references: int
    needs_photos: bool
    permits: tuple[PermitView, ...]
    approval: ApprovalView | None
    credentials: tuple[CredentialView, ...]
    consent: ConsentView | None
    area_id: str | None
    last_seen_at: float | None


@dataclass(frozen=True, slots=True)
class AdviceView:
    """What could be better of a photo, by the name that ISO/IEC 29794-5 has for it."""

    component: str
    measured: float
    limit: float
    message: str


@dataclass(frozen=True, slots=True)
class LookAlikeView:
    """Who else resembles a face: ``score`` is the cosine of the nearest references."""

    subject_id: str
    score: float


@dataclass(frozen=True, slots=True)
class NoticedView:
    """What was noticed of new references, which are kept nevertheless."""

    advice: tuple[AdviceView, ...]
    look_alike: LookAlikeView | None


@dataclass(frozen=True, slots=True)
class RetirementView:
    """From when a kind of credential opens nothing to a group."""

    kind: str
    at: float


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group; ``members`` are counted."""

    id: str
    name: str
    members: int
    permits: tuple[PermitView, ...]
    retirements: tuple[RetirementView, ...]


def subject_view(
    person: Person, area_id: str | None, last_seen_at: datetime | None, *, needs_photos: bool
) -> SubjectView:
    """Return a person, where it is and when it was last seen, as clients see it."""
    subject, approval, consent = person.subject, person.approval, person.consent
    return SubjectView(
        id=subject.id,
        name=subject.name,
        kind=subject.kind,
        number=subject.number,
        external_id=subject.external_id,
        unit=subject.unit,
        language=subject.language,
        birth_date=subject.birth_date.isoformat() if subject.birth_date else None,
        groups=person.groups,
        guardians=tuple(GuardianView(each.name, each.notify) for each in person.guardians),
        references=len(person.templates),
        needs_photos=needs_photos,
        permits=tuple(permit_view(permit) for permit in person.permits),
        approval=ApprovalView(approval.state, _seconds(approval.until)) if approval else None,
        credentials=tuple(
            CredentialView(
                each.id, each.kind, _seconds(each.valid_until), has_duress=each.duress is not None
            )
            for each in person.credentials
        ),
        consent=consent_view(consent) if consent else None,
        area_id=area_id,
        last_seen_at=_seconds(last_seen_at),
    )


def noticed_view(enrolled: Enrolled) -> NoticedView:
    """Return what was noticed of new references as clients see it."""
    alike = enrolled.look_alike
    return NoticedView(
        tuple(
            AdviceView(each.component, round(each.measured, 3), each.limit, each.message)
            for each in enrolled.advice
        ),
        LookAlikeView(alike.subject_id, round(alike.score, 3)) if alike else None,
    )


def group_view(entry: GroupEntry) -> GroupView:
    """Return a group as clients see it."""
    return GroupView(
        entry.group.id,
        entry.group.name,
        len(entry.members),
        tuple(permit_view(permit) for permit in entry.permits),
        tuple(RetirementView(each.kind, each.at.timestamp()) for each in entry.retirements),
    )


def permit_view(permit: Permit) -> PermitView:
    """Return a permit as clients see it."""
    return PermitView(
        permit.door_id,
        permit.direction,
        permit.schedule_id,
        _seconds(permit.valid_from),
        _seconds(permit.valid_until),
        permit.group_id,
    )


def consent_view(consent: Consent) -> ConsentView:
    """Return a consent as clients see it."""
    return ConsentView(
        consent.text_version,
        consent.purpose,
        consent.language,
        consent.signer,
        consent.guardian,
        consent.given_at.timestamp(),
    )


def _seconds(at: datetime | None) -> float | None:
    return at.timestamp() if at is not None else None
