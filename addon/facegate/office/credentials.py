"""PINs and cards: given, taken away, and recognized at the door."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import datetime
import re
import uuid

from facegate.errors import ConflictError, InvalidError, NotFoundError
from facegate.office.office import Change, Office
from facegate.record.store import EventKind
from facegate.register import Credential, CredentialKind, Person
from facegate.secret import card_digest, hash_pin, pin_matches
from facegate.verdicts import Reason

_PIN = re.compile(r"[0-9]{4,12}")
_LONGEST_CARD = 64
_MAX_CARDS = 5


@dataclass(frozen=True, slots=True)
class Check:
    """Whose credential it is and what became of it; ``duress`` tells of the silent alarm's PIN."""

    person: Person | None
    reason: Reason
    duress: bool = False

    @property
    def ok(self) -> bool:
        """Whether it is that person's, and its time is not over."""
        return self.reason is Reason.OK


class Credentials:
    """PINs and cards of people; nothing of them is ever logged or recorded."""

    def __init__(self, office: Office) -> None:
        self._office = office
        self._roster = office.roster

    # --- at the door --------------------------------------------------------------------------

    def holder(self, number: str) -> Person | None:
        """Return who has a number."""
        return self._roster.by_number(number)

    async def check_pin(self, number: str, pin: str) -> Check:
        """Look at a number and a PIN that were entered; takes as long whatever is wrong."""
        person = self._roster.by_number(number)
        held = _pin_of(person) if person else None
        secret, duress = (held.secret, held.duress) if held else (None, None)
        right = await asyncio.to_thread(_matches, secret, pin)
        silent = await asyncio.to_thread(_matches, duress, pin)
        # What was changed meanwhile counts as it is now.
        person = self._roster.by_number(number)
        now = _pin_of(person) if person else None
        if now is None:
            return Check(person, Reason.CREDENTIAL_UNKNOWN)
        if now != held or not (right or silent):
            return Check(person, Reason.CREDENTIAL_WRONG)
        return Check(person, self._in_time(now), duress=silent)

    async def check_card(self, card_number: str) -> Check:
        """Look at a card that a reader read."""
        if (number := _card_number(card_number)) is None:
            return Check(None, Reason.CREDENTIAL_UNKNOWN)
        digest = await asyncio.to_thread(card_digest, number, self._office.store.card_salt)
        if (person := self._roster.by_card(digest)) is None:
            return Check(None, Reason.CREDENTIAL_UNKNOWN)
        held = next(each for each in person.credentials if each.secret == digest)
        return Check(person, self._in_time(held))

    def _in_time(self, credential: Credential) -> Reason:
        end = credential.valid_until
        over = end is not None and self._office.clock.now() >= end
        return Reason.CREDENTIAL_RETIRED if over else Reason.OK

    # --- at the desk --------------------------------------------------------------------------

    async def give_pin(
        self,
        subject_id: str,
        pin: str,
        by: str,
        *,
        duress_pin: str | None = None,
        valid_until: datetime | None = None,
    ) -> Person:
        """Give a person a PIN in place of the one before; raises ``InvalidError``."""
        secret, duress = await hash_pins(pin, duress_pin)
        async with self._office.changing(by) as change:
            person = self._roster.get(subject_id)
            new = Credential(
                uuid.uuid4().hex, subject_id, CredentialKind.PIN, secret, duress, valid_until
            )
            change.hold(await put_credential(self._office, change, person, new))
        return self._roster.get(subject_id)

    async def give_card(
        self, subject_id: str, card_number: str, by: str, *, valid_until: datetime | None = None
    ) -> Person:
        """Give a person a card; raises ``InvalidError``, ``ConflictError`` for somebody else's."""
        digest = await hash_card(self._office, card_number)
        async with self._office.changing(by) as change:
            person = self._roster.get(subject_id)
            new = Credential(
                uuid.uuid4().hex, subject_id, CredentialKind.CARD, digest, None, valid_until
            )
            change.hold(await put_credential(self._office, change, person, new))
        return self._roster.get(subject_id)

    async def take(self, subject_id: str, credential_id: str, by: str) -> Person:
        """Take a PIN or a card away; raises ``NotFoundError``."""
        async with self._office.changing(by) as change:
            person = self._roster.get(subject_id)
            found = [each for each in person.credentials if each.id == credential_id]
            if not found:
                raise NotFoundError(f"this person has no credential with the id {credential_id!r}")
            await self._office.rows.remove_credential(change.work, credential_id)
            kind = found[0].kind.value
            change.tell(
                EventKind.PEOPLE, "credential_taken", subject_id=subject_id, credential=kind
            )
            left = tuple(each for each in person.credentials if each.id != credential_id)
            change.hold(replace(person, credentials=left))
        await self._office.store.checkpoint()
        return self._roster.get(subject_id)


async def hash_pins(pin: str, duress_pin: str | None) -> tuple[str, str | None]:
    """Return the hashes of a PIN and of its silent alarm's; raises ``InvalidError``."""
    for path, value in (("pin", pin), ("duress_pin", duress_pin)):
        if value is not None and not _PIN.fullmatch(value):
            raise InvalidError(f"{path}: expected 4 to 12 digits")
    if pin == duress_pin:
        raise InvalidError("duress_pin: must differ from pin")
    secret = await asyncio.to_thread(hash_pin, pin)
    return secret, None if duress_pin is None else await asyncio.to_thread(hash_pin, duress_pin)


async def hash_card(office: Office, card_number: str) -> str:
    """Return the digest by which a card is found; raises ``InvalidError``."""
    if (number := _card_number(card_number)) is None:
        raise InvalidError(f"card_number: expected 1 to {_LONGEST_CARD} printable characters")
    return await asyncio.to_thread(card_digest, number, office.store.card_salt)


async def has_pin(person: Person, pin: str) -> bool:
    """Tell whether this is a person's PIN already."""
    held = _pin_of(person)
    return held is not None and await asyncio.to_thread(_matches, held.secret, pin)


async def put_credential(office: Office, change: Change, person: Person, new: Credential) -> Person:
    """Write a credential in place of the one before: the only PIN, or the same card."""
    subject_id = person.subject.id
    if new.kind is CredentialKind.PIN:
        before = [each for each in person.credentials if each.kind is CredentialKind.PIN]
    else:
        before = [each for each in person.credentials if each.secret == new.secret]
        holder = office.roster.by_card(new.secret)
        if holder is not None and holder.subject.id != subject_id:
            raise ConflictError("card_number: this card is somebody else's")
        cards = sum(each.kind is CredentialKind.CARD for each in person.credentials)
        if not before and cards >= _MAX_CARDS:
            raise ConflictError(f"card_number: this person has {_MAX_CARDS} cards already")
    for each in before:
        await office.rows.remove_credential(change.work, each.id)
    await office.rows.add_credential(change.work, new, change.at)
    kind = new.kind.value
    change.tell(EventKind.PEOPLE, "credential_given", subject_id=subject_id, credential=kind)
    others = tuple(each for each in person.credentials if each not in before)
    return replace(person, credentials=(*others, new))


def _pin_of(person: Person) -> Credential | None:
    return next((each for each in person.credentials if each.kind is CredentialKind.PIN), None)


def _matches(secret: str | None, pin: str) -> bool:
    # What is not a PIN is compared all the same, so that time tells nothing.
    return pin_matches(secret, pin if _PIN.fullmatch(pin) else "")


def _card_number(text: str) -> str | None:
    text = text.strip()
    return text if 1 <= len(text) <= _LONGEST_CARD and text.isprintable() else None
