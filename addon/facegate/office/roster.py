"""The roster: everybody who is known, in memory, with what their groups may and may not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
import secrets

from facegate.domain import Vector
from facegate.errors import NotFoundError
from facegate.identity.gallery import Candidate, Gallery
from facegate.register import CredentialKind, Group, Permit, Person, Retirement

_LOWEST = 1000
_LOWEST_OF_PASSES = 9  # the first digit, see visitor.passes


@dataclass(slots=True)
class GroupEntry:
    """A group with what belongs to it; ``members`` are ids of subjects."""

    group: Group
    permits: tuple[Permit, ...] = ()
    retirements: tuple[Retirement, ...] = ()
    members: set[str] = field(default_factory=set)


class Roster:
    """Everybody who is known. A change costs as much as what it changes, not as all there is."""

    def __init__(self, gallery: Gallery) -> None:
        self._gallery = gallery
        self._people: dict[str, Person] = {}
        self._groups: dict[str, GroupEntry] = {}
        self._by_number: dict[str, str] = {}
        self._by_external_id: dict[str, str] = {}
        self._by_card: dict[str, str] = {}
        self._outdated: set[str] = set()

    def __len__(self) -> int:
        return len(self._people)

    # --- looking ------------------------------------------------------------------------------

    @property
    def people(self) -> tuple[Person, ...]:
        """Everybody, in the order of their coming."""
        return tuple(self._people.values())

    @property
    def groups(self) -> tuple[GroupEntry, ...]:
        """Every group."""
        return tuple(self._groups.values())

    def find(self, subject_id: str | None) -> Person | None:
        """Return one person, or None."""
        return self._people.get(subject_id) if subject_id else None

    def get(self, subject_id: str) -> Person:
        """Return one person; raises ``NotFoundError``."""
        if (person := self._people.get(subject_id)) is None:
            raise NotFoundError(f"nobody is enrolled with the id {subject_id!r}")
        return person

    def group(self, group_id: str) -> GroupEntry:
        """Return one group; raises ``NotFoundError``."""
        if (entry := self._groups.get(group_id)) is None:
            raise NotFoundError(f"no group has the id {group_id!r}")
        return entry

    def by_number(self, number: str) -> Person | None:
        """Return who has a number."""
        return self.find(self._by_number.get(number))

    def by_external_id(self, external_id: str) -> Person | None:
        """Return who has a key in another system."""
        return self.find(self._by_external_id.get(external_id))

    def by_card(self, digest: str) -> Person | None:
        """Return who has the card with this digest."""
        return self.find(self._by_card.get(digest))

    @property
    def need_photos(self) -> int:
        """How many people have references of another model only: no door knows their faces."""
        return len(self._outdated)

    def needs_photos(self, subject_id: str) -> bool:
        """Return whether somebody has references of another model only."""
        return subject_id in self._outdated

    def usable(self, person: Person) -> tuple[Vector, ...]:
        """Return the embeddings of a person's references of the model in use."""
        model_id = self._gallery.model_id
        return tuple(each.embedding for each in person.templates if each.model_id == model_id)

    def nearest(self, embedding: Vector, exclude: str) -> Candidate | None:
        """Return whose references are nearest to a face, but for one person's."""
        return self._gallery.nearest_subject((embedding,), exclude)

    def free_number(self) -> str:
        """Return a number of 4 digits or more that nobody has, and no visitor pass either."""
        low = _LOWEST
        # Half of the numbers stay free, so that few tries find one.
        while (_LOWEST_OF_PASSES - 1) * low < 2 * len(self._by_number):
            low *= 10
        while (
            number := str(low + secrets.randbelow((_LOWEST_OF_PASSES - 1) * low))
        ) in self._by_number:
            pass
        return number

    # --- changing -----------------------------------------------------------------------------

    def hold(self, person: Person) -> Person:
        """Hold a person, new or changed; return it with what its groups have."""
        subject = person.subject
        before = self._people.get(subject.id)
        if before is not None:
            self._unlist(before)
        entries = [self._groups[group_id] for group_id in person.groups]
        own = (permit for permit in person.permits if permit.group_id is None)
        held = replace(
            person,
            permits=(*own, *(permit for entry in entries for permit in entry.permits)),
            retirements=tuple(date for entry in entries for date in entry.retirements),
        )
        self._people[subject.id] = held
        self._by_number[subject.number] = subject.id
        if subject.external_id is not None:
            self._by_external_id[subject.external_id] = subject.id
        for credential in person.credentials:
            if credential.kind is CredentialKind.CARD:
                self._by_card[credential.secret] = subject.id
        for entry in entries:
            entry.members.add(subject.id)
        if before is None or before.templates != person.templates:
            self._gallery.put(subject.id, person.templates)
            self._outdated.discard(subject.id)
            if person.templates and not self.usable(person):
                self._outdated.add(subject.id)
        return held

    def drop(self, subject_id: str) -> None:
        """Forget a person."""
        if (person := self._people.pop(subject_id, None)) is not None:
            self._unlist(person)
            self._gallery.remove(subject_id)
            self._outdated.discard(subject_id)

    def hold_group(
        self,
        group: Group,
        permits: Iterable[Permit] = (),
        retirements: Iterable[Retirement] = (),
    ) -> GroupEntry:
        """Hold a group, new or changed; its members stay."""
        entry = self._groups.setdefault(group.id, GroupEntry(group))
        entry.group, entry.permits = group, tuple(permits)
        entry.retirements = tuple(retirements)
        self._assemble(entry.members)
        return entry

    def drop_group(self, group_id: str) -> None:
        """Forget a group; its members stay."""
        entry = self._groups.pop(group_id)
        for subject_id in entry.members:
            person = self._people[subject_id]
            groups = tuple(each for each in person.groups if each != group_id)
            self._people[subject_id] = replace(person, groups=groups)
        self._assemble(entry.members)

    def _assemble(self, members: Iterable[str]) -> None:
        for subject_id in tuple(members):
            self.hold(self._people[subject_id])

    def _unlist(self, person: Person) -> None:
        subject = person.subject
        self._by_number.pop(subject.number, None)
        if subject.external_id is not None:
            self._by_external_id.pop(subject.external_id, None)
        for credential in person.credentials:
            if credential.kind is CredentialKind.CARD:
                self._by_card.pop(credential.secret, None)
        for group_id in person.groups:
            if (entry := self._groups.get(group_id)) is not None:
                entry.members.discard(subject.id)
