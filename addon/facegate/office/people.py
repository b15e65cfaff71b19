"""Subjects, groups, permits, approvals: who is known, and who may pass where and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
import uuid

from facegate.domain import Subject
from facegate.errors import ConflictError, InvalidError
from facegate.office.checks import Details, age, check_details, check_permits, check_text
from facegate.office.office import Change, Office
from facegate.office.roster import GroupEntry
from facegate.record.presence import PresenceStore
from facegate.record.store import EventKind
from facegate.register import (
    Approval,
    ApprovalState,
    CredentialKind,
    Group,
    Permit,
    Person,
    Retirement,
    SubjectKind,
)

MAX_PEOPLE = 50_000
_MAX_GROUPS = 500


class People:
    """Everybody who is known. A change is on the disk before it is in force.

    ``by`` is the user who asks. Besides what is named, every change raises ``RecordError`` where
    the records fail, and ``NotFoundError`` where there is no such person or group.
    """

    def __init__(self, office: Office) -> None:
        self._office = office
        self._roster = office.roster

    @property
    def all(self) -> tuple[Person, ...]:
        """Everybody, in the order of their coming."""
        return self._roster.people

    @property
    def groups(self) -> tuple[GroupEntry, ...]:
        """Every group."""
        return self._roster.groups

    def find(self, subject_id: str | None) -> Person | None:
        """Return one person, or None."""
        return self._roster.find(subject_id)

    def get(self, subject_id: str) -> Person:
        """Return one person; raises ``NotFoundError``."""
        return self._roster.get(subject_id)

    def group(self, group_id: str) -> GroupEntry:
        """Return one group; raises ``NotFoundError``."""
        return self._roster.group(group_id)

    async def last_seen(self, subject_id: str | None = None) -> Mapping[str, datetime]:
        """Return when everybody, or one subject, was last seen at a door."""
        seen = await PresenceStore(self._office.store).sightings(subject_id)
        return {each.subject_id: each.at for each in seen}

    # --- subjects -----------------------------------------------------------------------------

    async def add(self, details: Details, permits: tuple[Permit, ...], by: str) -> Person:
        """Add a person; raises ``InvalidError``, and ``ConflictError`` for an external id twice."""
        async with self._office.changing(by) as change:
            person = await add_subject(self._office, change, details)
            person = await replace_permits(self._office, change, person, permits)
            change.hold(person)
        return self.get(person.subject.id)

    async def change(self, subject_id: str, edit: Callable[[Details], Details], by: str) -> Person:
        """Change what is written of a person; raises as ``add``."""
        async with self._office.changing(by) as change:
            person = self.get(subject_id)
            change.hold(
                await change_subject(self._office, change, person, edit(details_of(person)))
            )
        return self.get(subject_id)

    async def replace_permits(
        self, subject_id: str, permits: tuple[Permit, ...], by: str
    ) -> Person:
        """Give a person exactly these permits, besides its groups'; raises ``InvalidError``."""
        async with self._office.changing(by) as change:
            person = self.get(subject_id)
            change.hold(await replace_permits(self._office, change, person, permits))
            change.tell(EventKind.PEOPLE, "permits", subject_id=subject_id, count=len(permits))
        return self.get(subject_id)

    async def approve(self, subject_id: str, approval: Approval, by: str) -> Person:
        """Write how far a person's approval has come; raises ``InvalidError``."""
        approved = approval.state is ApprovalState.APPROVED
        if approved and approval.until is None:
            raise InvalidError("until: an approval needs an end")
        if not approved:
            approval = Approval(approval.state)
        async with self._office.changing(by) as change:
            person = self.get(subject_id)
            await self._office.rows.put_approval(change.work, subject_id, approval)
            change.hold(replace(person, approval=approval))
            until = approval.until.timestamp() if approval.until else None
            change.tell(
                EventKind.PEOPLE,
                "approval",
                subject_id=subject_id,
                state=approval.state.value,
                until=until,
            )
        return self.get(subject_id)

    # --- groups -------------------------------------------------------------------------------

    async def add_group(self, name: str, by: str) -> GroupEntry:
        """Add a group; raises ``InvalidError``, and ``ConflictError`` for a name twice."""
        async with self._office.changing(by) as change:
            group = await add_group(self._office, change, name)
        return self._roster.group(group.id)

    async def remove_group(self, group_id: str, by: str) -> None:
        """Remove a group with its permits and dates; its members stay."""
        async with self._office.changing(by) as change:
            self._roster.group(group_id)
            await self._office.rows.remove_group(change.work, group_id)
            change.tell(EventKind.PEOPLE, "group_removed", ref=group_id)
            change.effects.append(lambda: self._roster.drop_group(group_id))

    async def replace_group_permits(
        self, group_id: str, permits: tuple[Permit, ...], by: str
    ) -> GroupEntry:
        """Give a group exactly these permits; raises ``InvalidError``."""
        check_permits(permits, self._office.rules)
        theirs = tuple(replace(p, subject_id=None, group_id=group_id) for p in permits)
        async with self._office.changing(by) as change:
            entry = self._roster.group(group_id)
            await self._office.rows.replace_permits(change.work, None, group_id, theirs)
            change.tell(EventKind.PEOPLE, "group_permits", ref=group_id, count=len(permits))
            change.effects.append(
                lambda: self._roster.hold_group(entry.group, theirs, entry.retirements)
            )
        return self._roster.group(group_id)

    async def retire(
        self, group_id: str, kind: CredentialKind, at: datetime, by: str
    ) -> GroupEntry:
        """Have a kind of credential open nothing to a group from a moment on."""
        retirement = Retirement(group_id, kind, at)
        async with self._office.changing(by) as change:
            entry = self._roster.group(group_id)
            others = tuple(each for each in entry.retirements if each.kind is not kind)
            await self._office.rows.put_retirement(change.work, retirement)
            change.tell(
                EventKind.PEOPLE,
                "retirement",
                ref=group_id,
                credential=kind.value,
                at=at.timestamp(),
            )
            change.effects.append(
                lambda: self._roster.hold_group(entry.group, entry.permits, (*others, retirement))
            )
        return self._roster.group(group_id)


# --- within a change, for whoever changes several things at once ------------------------------


def details_of(person: Person) -> Details:
    """Return what is written of a person."""
    subject = person.subject
    return Details(
        subject.name,
        subject.kind,
        subject.external_id,
        subject.unit,
        subject.language,
        subject.birth_date,
        person.groups,
        person.guardians,
    )


async def add_subject(office: Office, change: Change, given: Details) -> Person:
    """Write a new person, without anything but its details."""
    if len(office.roster) >= MAX_PEOPLE:
        raise ConflictError(f"{MAX_PEOPLE} people are known already")
    given = _checked(office, change, given, None)
    subject = _subject(given, uuid.uuid4().hex, office.roster.free_number())
    await office.rows.add_subject(change.work, subject, change.at)
    await office.rows.replace_groups(change.work, subject.id, given.groups)
    await office.rows.replace_guardians(change.work, subject.id, given.guardians)
    change.tell(EventKind.PEOPLE, "added", subject_id=subject.id, kind=subject.kind)
    return Person(subject, groups=given.groups, guardians=given.guardians)


async def change_subject(office: Office, change: Change, person: Person, given: Details) -> Person:
    """Write a person's details anew; the person is returned as it is where nothing changed."""
    subject_id = person.subject.id
    given = _checked(office, change, given, person)
    before = details_of(person)
    if given == before:
        return person
    subject = _subject(given, subject_id, person.subject.number)
    await office.rows.change_subject(change.work, subject)
    if given.groups != before.groups:
        await office.rows.replace_groups(change.work, subject_id, given.groups)
    if given.guardians != before.guardians:
        await office.rows.replace_guardians(change.work, subject_id, given.guardians)
    change.tell(EventKind.PEOPLE, "changed", subject_id=subject_id)
    return replace(person, subject=subject, groups=given.groups, guardians=given.guardians)


async def replace_permits(
    office: Office, change: Change, person: Person, permits: tuple[Permit, ...]
) -> Person:
    """Write a person's own permits anew; as ``change_subject`` where nothing changed."""
    check_permits(permits, office.rules)
    subject_id = person.subject.id
    own = tuple(replace(permit, subject_id=subject_id, group_id=None) for permit in permits)
    if own == tuple(permit for permit in person.permits if permit.group_id is None):
        return person
    await office.rows.replace_permits(change.work, subject_id, None, own)
    return replace(person, permits=own)


async def add_group(office: Office, change: Change, name: str) -> Group:
    """Write a new group, which is in force before who becomes a member."""
    name = check_text("name", name)
    if any(entry.group.name == name for entry in office.roster.groups):
        raise ConflictError(f"name: there is a group {name!r} already")
    if len(office.roster.groups) >= _MAX_GROUPS:
        raise ConflictError(f"there are {_MAX_GROUPS} groups already")
    group = Group(uuid.uuid4().hex, name)
    change.new_groups.add(group.id)
    await office.rows.add_group(change.work, group)
    change.tell(EventKind.PEOPLE, "group_added", ref=group.id)
    change.effects.append(lambda: office.roster.hold_group(group))
    return group


def needs_guardian(office: Office, given: Subject | Details, at: datetime) -> bool:
    """Tell whether somebody else must consent: under age, or a pupil of unknown age."""
    if given.birth_date is None:
        return given.kind == SubjectKind.PUPIL
    return age(given.birth_date, at) < office.rules.consent_age


def _checked(office: Office, change: Change, given: Details, person: Person | None) -> Details:
    roster = office.roster
    known = {*(entry.group.id for entry in roster.groups), *change.new_groups}
    given = check_details(given, known, change.at.date())
    other = roster.by_external_id(given.external_id) if given.external_id else None
    if other is not None and (person is None or other.subject.id != person.subject.id):
        raise ConflictError(f"external_id: {given.external_id!r} is somebody else's")
    consent = person.consent if person else None
    if consent and consent.guardian is None and needs_guardian(office, given, consent.given_at):
        raise ConflictError(
            "birth_date: the consent in force was given without a guardian; withdraw it first"
        )
    return given


def _subject(given: Details, subject_id: str, number: str) -> Subject:
    return Subject(
        subject_id,
        given.name,
        given.kind,
        number,
        given.external_id,
        given.unit,
        given.language,
        given.birth_date,
    )
