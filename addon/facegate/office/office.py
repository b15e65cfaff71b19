"""The office: what all who change people share, and how a change comes to pass."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
import logging

import numpy as np

from facegate.domain import Clock, Template
from facegate.errors import VaultError
from facegate.office.roster import Roster
from facegate.record.bodies import Json
from facegate.record.chain import Head
from facegate.record.people import PeopleStore
from facegate.record.roll import SealedTemplate, read_roll
from facegate.record.store import EventKind, Store, Work
from facegate.record.vault import Vault
from facegate.register import Person

_LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class OfficeRules:
    """What the site's settings say of people; ``consent_age`` is in years."""

    door_ids: tuple[str, ...]
    schedule_ids: tuple[str, ...] = ()
    consent_age: int = 14


@dataclass(frozen=True, slots=True)
class Change:
    """A change that is being made: on the disk when it ends, and in force after that.

    ``effects`` bring it in force, in their order; ``new_groups`` are ids of groups that it adds.
    """

    work: Work
    at: datetime
    by: str
    roster: Roster
    effects: list[Callable[[], object]] = field(default_factory=list)
    new_groups: set[str] = field(default_factory=set)

    def hold(self, person: Person) -> None:
        """Have a person in force once it is on the disk."""
        self.effects.append(lambda: self.roster.hold(person))

    def tell(
        self,
        kind: EventKind,
        what: str,
        /,
        *,
        subject_id: str | None = None,
        ref: str | None = None,
        **more: Json,
    ) -> Head:
        """Record what was done and return where; ``more`` names nobody."""
        body: dict[str, Json] = {"what": what, "user": self.by, **more}
        ref = ref or subject_id or ""
        return self.work.record(kind, self.at, ref, subject_id=subject_id, body=body)


class Office:
    """The people of a site, where they are kept, and one change at a time.

    ``vault`` is None while the site's key is missing: then nobody has templates.
    """

    def __init__(
        self,
        store: Store,
        roster: Roster,
        vault: Vault | None,
        clock: Clock,
        rules: OfficeRules,
        on_change: Callable[[], None],
    ) -> None:
        self.store = store
        self.rows = PeopleStore(store)
        self.roster = roster
        self.vault = vault
        self.clock = clock
        self.rules = rules
        self._on_change = on_change
        # Held until a change is in force, so that memory follows the disk in the same order.
        self._changing = asyncio.Lock()

    async def load(self) -> None:
        """Read everybody from the records; raises ``RecordError``."""
        roll = await read_roll(self.store)
        templates = await asyncio.to_thread(_unseal, self.vault, roll.templates)
        shared = _by(roll.permits, lambda permit: permit.group_id)
        retirements = _by(roll.retirements, lambda retirement: retirement.group_id)
        for group in roll.groups:
            self.roster.hold_group(group, shared[group.id], retirements[group.id])
        own = _by(roll.permits, lambda permit: permit.subject_id)
        groups = _by(roll.members, lambda member: member[0])
        guardians = _by(roll.guardians, lambda pair: pair[0])
        credentials = _by(roll.credentials, lambda credential: credential.subject_id)
        references = _by(templates, lambda template: template.subject_id)
        consents = {consent.subject_id: consent for consent in roll.consents}
        for subject in roll.subjects:
            self.roster.hold(
                Person(
                    subject,
                    permits=own[subject.id],
                    templates=references[subject.id],
                    groups=tuple(group_id for _, group_id in groups[subject.id]),
                    guardians=tuple(guardian for _, guardian in guardians[subject.id]),
                    approval=roll.approvals.get(subject.id),
                    credentials=credentials[subject.id],
                    consent=consents.get(subject.id),
                )
            )

    @asynccontextmanager
    async def changing(self, by: str) -> AsyncIterator[Change]:
        """Give a change to make; raises ``RecordError`` where it cannot be kept."""
        async with self._changing:
            async with self.store.writing() as work:
                change = Change(work, self.clock.now(), by, self.roster)
                yield change
            for effect in change.effects:
                effect()
        if change.effects:
            self._on_change()


def _by[T](items: Iterable[T], owner: Callable[[T], str | None]) -> Mapping[str, tuple[T, ...]]:
    found: defaultdict[str, tuple[T, ...]] = defaultdict(tuple)
    for item in items:
        if (key := owner(item)) is not None:
            found[key] = (*found[key], item)
    return found


def _unseal(vault: Vault | None, sealed: Iterable[SealedTemplate]) -> tuple[Template, ...]:
    """Return the references that can be opened; who has lost one is told of in the log."""
    if vault is None:
        return ()
    opened = []
    for each in sealed:
        try:
            opened.append(unseal(vault, each))
        except VaultError:
            _LOGGER.exception("A reference of %s cannot be used", each.subject_id)
    return tuple(opened)


def unseal(vault: Vault, kept: SealedTemplate) -> Template:
    """Return a reference; raises ``VaultError`` where it is not as it was."""
    plain = vault.unseal(kept.sealed, kept.subject_id, kept.model_id, kept.id)
    embedding = np.frombuffer(plain, "<f4").astype(np.float32)
    return Template(kept.id, kept.subject_id, kept.model_id, embedding)


def seal(vault: Vault, template: Template) -> bytes:
    """Return a reference as it is kept."""
    plain = template.embedding.astype("<f4").tobytes()
    return vault.seal(plain, template.subject_id, template.model_id, template.id)
