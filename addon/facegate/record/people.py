"""People, groups and what they may, on disk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, insert, select, update

from facegate.domain import Subject, Template
from facegate.record.store import Store, Work
from facegate.record.tables import (
    ApprovalRow,
    ConsentRow,
    CredentialRow,
    GroupRow,
    GuardianRow,
    MemberRow,
    PermitRow,
    PictureRow,
    PresenceRow,
    RetirementRow,
    SightingRow,
    SubjectRow,
    TemplateRow,
)
from facegate.register import Approval, Consent, Credential, Group, Guardian, Permit, Retirement

_OF_A_SUBJECT = (
    ApprovalRow,
    ConsentRow,
    CredentialRow,
    GuardianRow,
    MemberRow,
    PermitRow,
    PictureRow,
    PresenceRow,
    SightingRow,
    TemplateRow,
)


@dataclass(frozen=True, slots=True, eq=False)
class NewTemplate:
    """A reference to be kept; ``photo`` is the SHA-256 of the photo that it was made from."""

    template: Template
    sealed: bytes
    photo: bytes


class PeopleStore:
    """Writes people within a ``Store.writing`` transaction; ``record.roll`` reads them."""

    def __init__(self, store: Store) -> None:
        self.store = store

    # --- subjects -----------------------------------------------------------------------------

    async def add_subject(self, work: Work, subject: Subject, at: datetime) -> None:
        """Add a person."""
        values = _subject(subject)
        row = insert(SubjectRow).values(id=subject.id, created_at=at.timestamp(), **values)
        await work.session.execute(row)

    async def change_subject(self, work: Work, subject: Subject) -> None:
        """Write a person anew."""
        query = update(SubjectRow).where(SubjectRow.id == subject.id)
        await work.session.execute(query.values(**_subject(subject)))

    async def remove_subject(self, work: Work, subject_id: str) -> None:
        """Remove a person with everything that belongs to it."""
        await work.session.execute(delete(SubjectRow).where(SubjectRow.id == subject_id))

    async def count(self, work: Work, subject_id: str) -> dict[str, int]:
        """Return how many of each kind of thing are kept of a person."""
        counts = {}
        for table in _OF_A_SUBJECT:
            query = select(func.count()).select_from(table).where(table.subject_id == subject_id)
            counts[str(table.__tablename__)] = await work.session.scalar(query) or 0
        return counts

    async def replace_groups(self, work: Work, subject_id: str, groups: tuple[str, ...]) -> None:
        """Put a person in exactly these groups."""
        await work.session.execute(delete(MemberRow).where(MemberRow.subject_id == subject_id))
        work.session.add_all(MemberRow(subject_id=subject_id, group_id=group) for group in groups)

    async def replace_guardians(
        self, work: Work, subject_id: str, guardians: tuple[Guardian, ...]
    ) -> None:
        """Give a person exactly these guardians."""
        await work.session.execute(delete(GuardianRow).where(GuardianRow.subject_id == subject_id))
        work.session.add_all(
            GuardianRow(subject_id=subject_id, name=guardian.name, notify=guardian.notify)
            for guardian in guardians
        )

    async def replace_permits(
        self, work: Work, subject_id: str | None, group_id: str | None, permits: tuple[Permit, ...]
    ) -> None:
        """Give a person or a group exactly these permits."""
        await work.session.execute(
            delete(PermitRow).where(
                PermitRow.subject_id == subject_id
                if subject_id is not None
                else PermitRow.group_id == group_id
            )
        )
        work.session.add_all(
            PermitRow(
                subject_id=permit.subject_id,
                group_id=permit.group_id,
                door_id=permit.door_id,
                direction=permit.direction,
                schedule_id=permit.schedule_id,
                valid_from=_seconds(permit.valid_from),
                valid_until=_seconds(permit.valid_until),
            )
            for permit in permits
        )

    async def put_approval(self, work: Work, subject_id: str, approval: Approval) -> None:
        """Write how far a contractor's approval has come."""
        await work.session.merge(
            ApprovalRow(subject_id=subject_id, state=approval.state, until=_seconds(approval.until))
        )

    # --- groups -------------------------------------------------------------------------------

    async def add_group(self, work: Work, group: Group) -> None:
        """Add a group without members."""
        await work.session.execute(insert(GroupRow).values(id=group.id, name=group.name))

    async def remove_group(self, work: Work, group_id: str) -> None:
        """Remove a group with its permits and dates; its members stay."""
        await work.session.execute(delete(GroupRow).where(GroupRow.id == group_id))

    async def put_retirement(self, work: Work, retirement: Retirement) -> None:
        """Write from when a kind of credential opens nothing to a group."""
        await work.session.merge(
            RetirementRow(
                group_id=retirement.group_id, kind=retirement.kind, at=retirement.at.timestamp()
            )
        )

    # --- credentials --------------------------------------------------------------------------

    async def add_credential(self, work: Work, credential: Credential, at: datetime) -> None:
        """Give a person a PIN or a card."""
        row = insert(CredentialRow).values(
            id=credential.id,
            subject_id=credential.subject_id,
            kind=credential.kind,
            secret=credential.secret,
            duress=credential.duress,
            valid_until=_seconds(credential.valid_until),
            created_at=at.timestamp(),
        )
        await work.session.execute(row)

    async def remove_credential(self, work: Work, credential_id: str) -> None:
        """Take a PIN or a card away."""
        await work.session.execute(delete(CredentialRow).where(CredentialRow.id == credential_id))

    # --- consent and templates ----------------------------------------------------------------

    async def add_consent(self, work: Work, consent: Consent) -> None:
        """Write what was agreed to."""
        row = insert(ConsentRow).values(
            id=consent.id,
            subject_id=consent.subject_id,
            text_version=consent.text_version,
            purpose=consent.purpose,
            language=consent.language,
            signer=consent.signer,
            given_at=consent.given_at.timestamp(),
            guardian=consent.guardian,
            withdrawn_at=_seconds(consent.withdrawn_at),
        )
        await work.session.execute(row)

    async def withdraw_consents(self, work: Work, subject_id: str, at: datetime) -> None:
        """Write that nothing is agreed to any more."""
        query = update(ConsentRow).where(
            ConsentRow.subject_id == subject_id, ConsentRow.withdrawn_at.is_(None)
        )
        await work.session.execute(query.values(withdrawn_at=at.timestamp()))

    async def add_template(self, work: Work, new: NewTemplate, at: datetime) -> None:
        """Keep a reference."""
        row = insert(TemplateRow).values(
            id=new.template.id,
            subject_id=new.template.subject_id,
            model_id=new.template.model_id,
            sealed=new.sealed,
            photo=new.photo,
            created_at=at.timestamp(),
        )
        await work.session.execute(row)

    async def remove_templates(self, work: Work, subject_id: str) -> None:
        """Remove every reference of a person."""
        await work.session.execute(delete(TemplateRow).where(TemplateRow.subject_id == subject_id))


def _subject(subject: Subject) -> dict[str, str | None]:
    return {
        "name": subject.name,
        "kind": subject.kind,
        "number": subject.number,
        "external_id": subject.external_id,
        "unit": subject.unit,
        "language": subject.language,
        "birth_date": subject.birth_date.isoformat() if subject.birth_date else None,
    }


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()
