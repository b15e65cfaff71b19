"""The roll: everybody who is on disk, read in as many queries as there are tables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select

from facegate.domain import Subject
from facegate.protocol import Direction
from facegate.record.store import Store, moment
from facegate.record.tables import (
    ApprovalRow,
    ConsentRow,
    CredentialRow,
    GroupRow,
    GuardianRow,
    MemberRow,
    PermitRow,
    RetirementRow,
    SubjectRow,
    TemplateRow,
)
from facegate.register import (
    Approval,
    ApprovalState,
    Consent,
    Credential,
    CredentialKind,
    Group,
    Guardian,
    Permit,
    Retirement,
)


@dataclass(frozen=True, slots=True)
class SealedTemplate:
    """A reference as it is kept; ``photo`` is the SHA-256 of the photo that it was made from."""

    id: str
    subject_id: str
    model_id: str
    sealed: bytes
    photo: bytes
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Roll:
    """Everybody, in the order of their coming; ``consents`` are those that were not withdrawn."""

    subjects: tuple[Subject, ...]
    groups: tuple[Group, ...]
    members: tuple[tuple[str, str], ...]
    """Pairs of subject and group."""
    guardians: tuple[tuple[str, Guardian], ...]
    permits: tuple[Permit, ...]
    approvals: Mapping[str, Approval]
    credentials: tuple[Credential, ...]
    retirements: tuple[Retirement, ...]
    consents: tuple[Consent, ...]
    templates: tuple[SealedTemplate, ...]


async def read_roll(store: Store) -> Roll:
    """Read everybody; raises ``RecordError``."""
    in_force = select(ConsentRow).where(ConsentRow.withdrawn_at.is_(None))
    async with store.reading() as session:
        read = session.scalars
        return Roll(
            subjects=tuple(
                _subject(row)
                for row in await read(select(SubjectRow).order_by(SubjectRow.created_at))
            ),
            groups=tuple(
                Group(row.id, row.name)
                for row in await read(select(GroupRow).order_by(GroupRow.name))
            ),
            members=tuple(
                (row.subject_id, row.group_id)
                for row in await read(select(MemberRow).order_by(MemberRow.group_id))
            ),
            guardians=tuple(
                (row.subject_id, Guardian(row.name, row.notify))
                for row in await read(select(GuardianRow).order_by(GuardianRow.id))
            ),
            permits=tuple(
                _permit(row) for row in await read(select(PermitRow).order_by(PermitRow.id))
            ),
            approvals={
                row.subject_id: Approval(ApprovalState(row.state), _moment(row.until))
                for row in await read(select(ApprovalRow))
            },
            credentials=tuple(
                _credential(row)
                for row in await read(select(CredentialRow).order_by(CredentialRow.created_at))
            ),
            retirements=tuple(
                Retirement(row.group_id, CredentialKind(row.kind), moment(row.at))
                for row in await read(select(RetirementRow))
            ),
            consents=tuple(
                _consent(row) for row in await read(in_force.order_by(ConsentRow.given_at))
            ),
            templates=tuple(
                _template(row)
                for row in await read(select(TemplateRow).order_by(TemplateRow.created_at))
            ),
        )


async def consents_of(store: Store, subject_id: str) -> tuple[Consent, ...]:
    """Return everything that a person ever agreed to, oldest first; raises ``RecordError``."""
    query = select(ConsentRow).where(ConsentRow.subject_id == subject_id)
    async with store.reading() as session:
        return tuple(
            _consent(row) for row in await session.scalars(query.order_by(ConsentRow.given_at))
        )


async def templates_of(store: Store, subject_id: str) -> tuple[SealedTemplate, ...]:
    """Return a person's references, oldest first; raises ``RecordError``."""
    query = select(TemplateRow).where(TemplateRow.subject_id == subject_id)
    async with store.reading() as session:
        rows = await session.scalars(query.order_by(TemplateRow.created_at))
        return tuple(_template(row) for row in rows)


def _subject(row: SubjectRow) -> Subject:
    return Subject(
        row.id,
        row.name,
        row.kind,
        row.number,
        row.external_id,
        row.unit,
        row.language,
        date.fromisoformat(row.birth_date) if row.birth_date else None,
    )


def _permit(row: PermitRow) -> Permit:
    return Permit(
        row.door_id,
        row.subject_id,
        row.group_id,
        Direction(row.direction) if row.direction else None,
        row.schedule_id,
        _moment(row.valid_from),
        _moment(row.valid_until),
    )


def _credential(row: CredentialRow) -> Credential:
    return Credential(
        row.id,
        row.subject_id,
        CredentialKind(row.kind),
        row.secret,
        row.duress,
        _moment(row.valid_until),
    )


def _consent(row: ConsentRow) -> Consent:
    return Consent(
        row.id,
        row.subject_id,
        row.text_version,
        row.purpose,
        row.language,
        row.signer,
        moment(row.given_at),
        row.guardian,
        _moment(row.withdrawn_at),
    )


def _template(row: TemplateRow) -> SealedTemplate:
    return SealedTemplate(
        row.id, row.subject_id, row.model_id, row.sealed, row.photo, moment(row.created_at)
    )


def _moment(seconds: float | None) -> datetime | None:
    return None if seconds is None else moment(seconds)
