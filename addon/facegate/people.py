"""The enrolled people: kept in the store, held in memory for the door, changed in one place."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from facegate.domain import Clock, Permit, Subject, Template
from facegate.errors import ConflictError, InvalidError, ModelError, NotFoundError
from facegate.identity.gallery import Gallery
from facegate.protocol import ErrorCode, PermitBody, SubjectBody
from facegate.record.store import Store
from facegate.vision import Vision

MAX_REFERENCES = 10
_KINDS = ("resident", "staff", "pupil", "contractor", "visitor")
_LONGEST_NAME = 80
_MAX_PERMITS = 100


@dataclass(frozen=True, slots=True)
class Person:
    """A subject with everything that decides where it may pass."""

    subject: Subject
    permits: tuple[Permit, ...] = ()
    templates: tuple[Template, ...] = ()


class People:
    """Everybody who is enrolled. A change is on the disk before it is in force."""

    def __init__(
        self,
        store: Store,
        gallery: Gallery,
        vision: Vision | None,
        clock: Clock,
        door_ids: tuple[str, ...],
    ) -> None:
        self._store = store
        self._gallery = gallery
        self._vision = vision
        self._clock = clock
        self._door_ids = door_ids
        self._people: dict[str, Person] = {}
        # One change at a time, so that memory follows the disk in the same order.
        self._changing = asyncio.Lock()

    async def load(self) -> None:
        """Read everybody from the store; raises ``RecordError``."""
        templates = await self._store.templates()
        for subject in await self._store.subjects():
            self._people[subject.id] = Person(
                subject,
                await self._store.permits(subject.id),
                tuple(t for t in templates if t.subject_id == subject.id),
            )
        self._index()

    @property
    def all(self) -> tuple[Person, ...]:
        """Everybody, in the order of enrollment."""
        return tuple(self._people.values())

    def find(self, subject_id: str | None) -> Person | None:
        """Return one person, or None."""
        return self._people.get(subject_id) if subject_id else None

    def get(self, subject_id: str) -> Person:
        """Return one person; raises ``NotFoundError``."""
        if (person := self._people.get(subject_id)) is None:
            raise NotFoundError(f"nobody is enrolled with the id {subject_id!r}")
        return person

    async def add(self, body: SubjectBody) -> Person:
        """Add a person; raises ``InvalidError``, ``RecordError``."""
        name = body.name.strip()
        if not 1 <= len(name) <= _LONGEST_NAME:
            raise InvalidError(f"name: expected 1 to {_LONGEST_NAME} characters")
        if body.kind not in _KINDS:
            raise InvalidError(f"kind: {body.kind!r} is not one of {', '.join(_KINDS)}")
        self._check(body.permits)
        async with self._changing:
            subject = await self._store.add_subject(name, body.kind, self._clock.now())
            self._people[subject.id] = Person(subject)
            return await self._replace_permits(subject.id, body.permits)

    async def replace_permits(self, subject_id: str, bodies: tuple[PermitBody, ...]) -> Person:
        """Give a person exactly these permits; raises ``NotFoundError``, ``InvalidError``."""
        self.get(subject_id)
        self._check(bodies)
        async with self._changing:
            return await self._replace_permits(subject_id, bodies)

    async def _replace_permits(self, subject_id: str, bodies: tuple[PermitBody, ...]) -> Person:
        permits = tuple(
            Permit(
                subject_id,
                body.door_id,
                body.direction,
                _moment(body.valid_from),
                _moment(body.valid_until),
            )
            for body in bodies
        )
        await self._store.replace_permits(subject_id, permits)
        person = replace(self.get(subject_id), permits=permits)
        self._people[subject_id] = person
        return person

    async def add_photo(self, subject_id: str, data: bytes) -> Person:
        """Add a reference from a photo; raises ``ImageError``, ``ConflictError`` and others."""
        self._check_room(self.get(subject_id))
        if self._vision is None:
            raise ModelError("faces cannot be read: a model is missing, see the engine's log")
        embedding = await self._vision.read_photo(data)
        async with self._changing:
            person = self.get(subject_id)
            self._check_room(person)
            template = await self._store.add_template(
                subject_id, self._vision.model_id, embedding, self._clock.now()
            )
            person = replace(person, templates=(*person.templates, template))
            self._people[subject_id] = person
            self._index()
            return person

    async def remove(self, subject_id: str) -> None:
        """Remove a person, who is unknown at every door from then on."""
        async with self._changing:
            await self._store.remove_subject(subject_id)
            self._people.pop(subject_id, None)
            self._index()

    def _index(self) -> None:
        self._gallery.replace(t for person in self._people.values() for t in person.templates)

    def _check_room(self, person: Person) -> None:
        if len(person.templates) >= MAX_REFERENCES:
            raise ConflictError(
                f"there are {MAX_REFERENCES} references of this person already",
                ErrorCode.TOO_MANY,
            )

    def _check(self, permits: tuple[PermitBody, ...]) -> None:
        if len(permits) > _MAX_PERMITS:
            raise InvalidError(f"permits: expected at most {_MAX_PERMITS}")
        for index, permit in enumerate(permits):
            path = f"permits[{index}]"
            if permit.door_id not in self._door_ids:
                raise InvalidError(
                    f"{path}.door_id: {permit.door_id!r} is not one of {', '.join(self._door_ids)}"
                )
            begin, end = _moment(permit.valid_from), _moment(permit.valid_until)
            if begin is not None and end is not None and end <= begin:
                raise InvalidError(f"{path}.valid_until: must be after valid_from")


def _moment(seconds: float | None) -> datetime | None:
    if seconds is None:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError) as err:
        raise InvalidError(f"{seconds:g} is not a moment: use seconds since 1970, UTC") from err
