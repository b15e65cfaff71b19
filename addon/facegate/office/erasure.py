"""Erasure, export and retention: what is kept of a person, and until when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from functools import partial
import json

from facegate.errors import VaultError
from facegate.office.office import Office
from facegate.record.bodies import Json
from facegate.record.certificate import Certificate, issue
from facegate.record.presence import PresenceStore
from facegate.record.roll import consents_of, templates_of
from facegate.record.store import Event, EventKind
from facegate.record.tombstones import Tombstones
from facegate.register import Consent, Permit, Person

_EVENTS_AT_ONCE = 1000


class Erasure:
    """Forgets people. Every method raises ``RecordError`` where the records fail.

    ``tombstones`` is None where their file cannot be used; then nobody can be erased. ``forget``
    is called with whoever has been erased, for what is remembered elsewhere.
    """

    def __init__(
        self,
        office: Office,
        tombstones: Tombstones | None,
        forget: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._office = office
        self._tombstones = tombstones
        self._forget = forget

    async def erase(self, subject_id: str, by: str) -> Certificate:
        """Remove every trace of a person but a tombstone and ids in the chain of events.

        Raises ``NotFoundError``, and ``VaultError`` where the erasure cannot be certified.
        """
        office = self._office
        office.roster.get(subject_id)
        if office.vault is None or self._tombstones is None:
            raise VaultError("an erasure cannot be certified: the site's key is missing")
        # First, so that whatever fails after it, the person does not come back for good.
        await asyncio.to_thread(self._tombstones.add, subject_id)
        async with office.changing(by) as change:
            office.roster.get(subject_id)
            removed = await office.rows.count(change.work, subject_id)
            await office.rows.remove_subject(change.work, subject_id)
            where = change.tell(EventKind.ERASURE, "erased", subject_id=subject_id)
            change.effects.append(lambda: office.roster.drop(subject_id))
            change.effects.append(lambda: self._forget(subject_id))
            at = change.at
        await office.store.checkpoint()
        return issue(
            office.vault,
            site_id=office.store.site_id,
            at=at,
            subject_id=subject_id,
            removed={"subjects": 1, **removed},
            chain=where,
        )

    async def repeat(self) -> int:
        """Erase whoever came back with a backup; tell how many. Belongs to every start."""
        if self._tombstones is None:
            return 0
        back = [
            person.subject.id
            for person in self._office.roster.people
            if self._tombstones.covers(person.subject.id)
        ]
        for subject_id in back:
            async with self._office.changing("tombstone") as change:
                await self._office.rows.remove_subject(change.work, subject_id)
                change.tell(EventKind.ERASURE, "erased_again", subject_id=subject_id)
                change.effects.append(partial(self._office.roster.drop, subject_id))
        if back:
            await self._office.store.checkpoint()
        return len(back)

    async def expire_templates(self, days: float) -> int:
        """Remove the references of whoever may pass nowhere since so many days; tell how many.

        Who has no permit at all has been so since the last change that was made to the person.
        """
        before = self._office.clock.now() - timedelta(days=days)
        candidates = [
            person
            for person in self._office.roster.people
            if person.templates and _ended(person.permits, before)
        ]
        removed = 0
        for person in candidates:
            subject_id = person.subject.id
            if not person.permits:
                last = await self._office.store.last(EventKind.PEOPLE, subject_id)
                if last is not None and last >= before:
                    continue
            removed += await self._expire(subject_id, before)
        if removed:
            await self._office.store.checkpoint()
        return removed

    async def _expire(self, subject_id: str, before: datetime) -> int:
        async with self._office.changing("retention") as change:
            person = self._office.roster.find(subject_id)
            if person is None or not _ended(person.permits, before):
                return 0
            await self._office.rows.remove_templates(change.work, subject_id)
            count = len(person.templates)
            change.tell(EventKind.RETENTION, "templates", subject_id=subject_id, count=count)
            change.hold(replace(person, templates=()))
            return count

    # --- export -------------------------------------------------------------------------------

    async def export(self, subject_id: str) -> dict[str, Json]:
        """Return everything that is kept of a person as JSON; raises ``NotFoundError``.

        References are named by model and time: their vectors are of no use to anybody else.
        """
        office = self._office
        person = office.roster.get(subject_id)
        subject = person.subject
        presence = PresenceStore(office.store)
        seen = await presence.sightings(subject_id)
        return {
            "subject": {
                "id": subject.id,
                "name": subject.name,
                "kind": subject.kind,
                "number": subject.number,
                "external_id": subject.external_id,
                "unit": subject.unit,
                "language": subject.language,
                "birth_date": _day(subject.birth_date),
            },
            "groups": [office.roster.group(group_id).group.name for group_id in person.groups],
            "guardians": [
                {"name": guardian.name, "notify": guardian.notify} for guardian in person.guardians
            ],
            "permits": [_permit(permit) for permit in person.permits],
            "approval": _approval(person),
            "credentials": [
                {"kind": each.kind.value, "valid_until": _seconds(each.valid_until)}
                for each in person.credentials
            ],
            "consents": [_consent(each) for each in await consents_of(office.store, subject_id)],
            "references": [
                {"model": each.model_id, "created_at": each.created_at.timestamp()}
                for each in await templates_of(office.store, subject_id)
            ],
            "presence": [
                {"area_id": stay.area_id, "since": stay.since.timestamp()}
                for stay in await presence.stays(subject_id)
            ],
            "last_seen": [{"door_id": each.door_id, "at": each.at.timestamp()} for each in seen],
            "events": await self._events(subject_id),
        }

    async def _events(self, subject_id: str) -> list[Json]:
        found: list[Json] = []
        after = 0
        while events := await self._office.store.events(
            after=after, limit=_EVENTS_AT_ONCE, subject_id=subject_id
        ):
            after = events[-1].seq
            found += [_event(event) for event in events]
        return found


def _ended(permits: tuple[Permit, ...], before: datetime) -> bool:
    return all(permit.valid_until is not None and permit.valid_until < before for permit in permits)


def _permit(permit: Permit) -> Json:
    return {
        "door_id": permit.door_id,
        "by_group": permit.group_id is not None,
        "direction": permit.direction,
        "schedule_id": permit.schedule_id,
        "valid_from": _seconds(permit.valid_from),
        "valid_until": _seconds(permit.valid_until),
    }


def _approval(person: Person) -> Json:
    if person.approval is None:
        return None
    return {"state": person.approval.state.value, "until": _seconds(person.approval.until)}


def _consent(consent: Consent) -> Json:
    return {
        "text_version": consent.text_version,
        "purpose": consent.purpose,
        "language": consent.language,
        "signer": consent.signer,
        "guardian": consent.guardian,
        "given_at": consent.given_at.timestamp(),
        "withdrawn_at": _seconds(consent.withdrawn_at),
    }


def _event(event: Event) -> Json:
    body: Json = json.loads(event.body)
    return {
        "seq": event.seq,
        "at": event.at.timestamp(),
        "kind": event.kind,
        "ref": event.ref,
        "door_id": event.door_id,
        "body": body,
    }


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
