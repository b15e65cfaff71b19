"""Intake: one person with everything that a list says of it, at once or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
import uuid

from facegate.errors import InvalidError
from facegate.office.checks import Details, check_text
from facegate.office.credentials import has_pin, hash_card, hash_pins, put_credential
from facegate.office.enrollment import (
    Enrollment,
    NewConsent,
    Reading,
    add_consent,
    add_reading,
    check_enrollable,
    no_consent,
)
from facegate.office.office import Change, Office
from facegate.office.people import add_group, add_subject, change_subject, replace_permits
from facegate.register import Credential, CredentialKind, Permit, Person


@dataclass(frozen=True, slots=True, eq=False)
class ImportRecord:
    """What a list says of one person.

    ``details.external_id`` is set: it tells whether the person is known. ``details.groups`` are
    names of groups, made where there are none. What is None, and ``photos`` that are not there,
    are left as they are; ``photos`` are the pictures' bytes, and ``distinct`` tells that a
    look-alike who is enrolled is somebody else.
    """

    details: Details
    permits: tuple[Permit, ...] | None = None
    consent: NewConsent | None = None
    pin: str | None = None
    card: str | None = None
    photos: tuple[bytes, ...] = ()
    distinct: bool = False


class Imported(StrEnum):
    """What became of a record."""

    ADDED = "added"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


class Intake:
    """Puts records; safe to repeat, also after it was killed in the middle of one."""

    def __init__(self, office: Office, enrollment: Enrollment) -> None:
        self._office = office
        self._enrollment = enrollment

    async def put(self, record: ImportRecord, by: str) -> Imported:
        """Add a person, or bring it to what the record says; all is kept or nothing.

        Guardians who are known already stay. Raises ``InvalidError`` and ``ConflictError``
        naming the field, ``ImageError``, ``ModelError``, ``VaultError`` and ``RecordError``.
        """
        external_id = record.details.external_id
        if external_id is None:
            raise InvalidError("external_id: required")
        # Outside of the change: what takes long keeps nobody else from changing anything.
        known = self._office.roster.by_external_id(external_id.strip())
        if record.photos and record.consent is None and known is None:
            raise no_consent()
        readings = await self._read(record, known)
        credentials = await self._credentials(record, known)
        async with self._office.changing(by) as change:
            before = self._office.roster.by_external_id(external_id.strip())
            person = await self._details(change, record, before)
            if record.permits is not None:
                person = await replace_permits(self._office, change, person, record.permits)
            if record.consent is not None:
                person = await add_consent(self._office, change, person, record.consent)
            for reading in readings:
                check_enrollable(self._office, person)
                person, _ = await add_reading(
                    self._office,
                    change,
                    person,
                    reading,
                    alike=self._enrollment.alike,
                    distinct=record.distinct,
                )
            for kind, secret in credentials:
                new = Credential(uuid.uuid4().hex, person.subject.id, kind, secret)
                person = await put_credential(self._office, change, person, new)
            if person is before:
                return Imported.UNCHANGED
            change.hold(person)
        return Imported.ADDED if before is None else Imported.CHANGED

    async def _read(self, record: ImportRecord, known: Person | None) -> tuple[Reading, ...]:
        readings = []
        for photo in record.photos:
            if known and await self._enrollment.has_read(known.subject.id, photo):
                continue
            readings.append(await self._enrollment.read(photo))
        return tuple(readings)

    async def _credentials(
        self, record: ImportRecord, known: Person | None
    ) -> tuple[tuple[CredentialKind, str], ...]:
        """Return the hashes of what the person does not have already."""
        new = []
        if record.pin is not None and not (known and await has_pin(known, record.pin)):
            secret, _ = await hash_pins(record.pin, None)
            new.append((CredentialKind.PIN, secret))
        if record.card is not None:
            digest = await hash_card(self._office, record.card)
            if not known or digest not in {each.secret for each in known.credentials}:
                new.append((CredentialKind.CARD, digest))
        return tuple(new)

    async def _details(self, change: Change, record: ImportRecord, before: Person | None) -> Person:
        names = dict.fromkeys(check_text("groups", name) for name in record.details.groups)
        groups = tuple([await self._group(change, name) for name in names])
        given = record.details
        details = Details(
            given.name,
            given.kind,
            given.external_id,
            given.unit,
            given.language,
            given.birth_date,
            groups,
            given.guardians or (before.guardians if before else ()),
        )
        if before is None:
            return await add_subject(self._office, change, details)
        return await change_subject(self._office, change, before, details)

    async def _group(self, change: Change, name: str) -> str:
        for entry in self._office.roster.groups:
            if entry.group.name == name:
                return entry.group.id
        return (await add_group(self._office, change, name)).id
