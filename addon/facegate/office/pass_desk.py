"""The desk that makes visitor passes, gives them new codes, revokes and forgets them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import uuid

from facegate.domain import Clock
from facegate.errors import ConflictError, InvalidError, VaultError
from facegate.office.checks import check_text
from facegate.protocol import ErrorCode
from facegate.record.bodies import Json
from facegate.record.passes import PassStore
from facegate.record.store import EventKind, Store
from facegate.register import VisitorPass
from facegate.secret import hash_pin
from facegate.visitor.code import Signer, make_code
from facegate.visitor.passes import Passes, new_number, new_pin
from facegate.visitor.qr import qr_png

MAX_USES = 100
LONGEST = timedelta(days=30)
FARTHEST = timedelta(days=366)
MAX_PASSES = 10_000
"""Kept at a time, ended ones too: of the 100,000 numbers most stay free, and are hard to guess."""


@dataclass(frozen=True, slots=True)
class PassWish:
    """What a pass shall be; it is valid from now on where ``valid_from`` is None."""

    name: str
    door_ids: tuple[str, ...]
    valid_until: datetime
    valid_from: datetime | None = None
    max_uses: int = 1
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class IssuedPass:
    """A pass with its code, that code's QR picture (PNG) and its PIN: told this once."""

    visitor_pass: VisitorPass
    code: str
    pin: str
    qr: bytes


class PassDesk:
    """Changes the passes of a site: on the disk first, then in memory.

    ``signer`` is None while the site's key is missing: then no codes are made.
    """

    def __init__(
        self,
        passes: Passes,
        rows: PassStore,
        store: Store,
        signer: Signer | None,
        clock: Clock,
        door_ids: tuple[str, ...],
    ) -> None:
        self._passes = passes
        self._rows = rows
        self._store = store
        self._signer = signer
        self._clock = clock
        self._door_ids = door_ids
        # A number is free until its pass is held: one pass is made at a time.
        self._making = asyncio.Lock()

    @property
    def all(self) -> tuple[VisitorPass, ...]:
        """Every pass that is kept, in the order of their making."""
        return self._passes.all

    async def issue(self, wish: PassWish, user: str) -> IssuedPass:
        """Make a pass.

        Raises ``InvalidError`` naming the field, ``ConflictError`` where there are too many,
        ``VaultError`` and ``RecordError``.
        """
        wish = self._checked(wish)
        async with self._making:
            if len(self.all) >= MAX_PASSES:
                raise ConflictError(
                    f"{MAX_PASSES} visitor passes are kept already: the oldest are forgotten once"
                    " their retention is over",
                    ErrorCode.TOO_MANY,
                )
            pass_id, pin = uuid.uuid4().hex, new_pin()
            code, nonce_digest = self._new_code(pass_id)
            made = VisitorPass(
                id=pass_id,
                name=wish.name,
                made_by=user,
                door_ids=wish.door_ids,
                valid_from=wish.valid_from or self._clock.now(),
                valid_until=wish.valid_until,
                max_uses=wish.max_uses,
                nonce_digest=nonce_digest,
                number=new_number({item.number for item in self.all}),
                pin_hash=await asyncio.to_thread(hash_pin, pin),
                unit=wish.unit,
            )
            facts: dict[str, Json] = {"doors": list(made.door_ids), "max_uses": made.max_uses}
            await self._write("made", user, made.id, lambda: made, **facts)
            self._passes.put(made)
        return IssuedPass(made, code, pin, await asyncio.to_thread(qr_png, code))

    async def renew(self, pass_id: str, user: str) -> IssuedPass:
        """Give a pass a new code and PIN, so that who has the older ones has nothing.

        Raises ``NotFoundError``, ``ConflictError`` where it was revoked or has ended,
        ``VaultError`` and ``RecordError``.
        """
        self._usable(pass_id)
        pin = new_pin()
        code, nonce_digest = self._new_code(pass_id)
        pin_hash = await asyncio.to_thread(hash_pin, pin)

        def changed() -> VisitorPass:
            return replace(self._usable(pass_id), nonce_digest=nonce_digest, pin_hash=pin_hash)

        await self._write("renewed", user, pass_id, changed)
        renewed = self._passes.renew(pass_id, nonce_digest, pin_hash)
        return IssuedPass(renewed, code, pin, await asyncio.to_thread(qr_png, code))

    async def revoke(self, pass_id: str, user: str) -> VisitorPass:
        """Let a pass enter nowhere any more; raises ``NotFoundError`` and ``RecordError``."""
        at = self._clock.now()
        found = self._passes.get(pass_id)
        if found.revoked_at is not None:
            return found
        await self._write(
            "revoked", user, pass_id, lambda: replace(self._passes.get(pass_id), revoked_at=at)
        )
        return self._passes.revoke(pass_id, at)

    async def forget(self, ended_before: datetime) -> int:
        """Remove the passes that ended before a moment; return how many. Raises ``RecordError``."""
        ended = [item for item in self.all if item.valid_until < ended_before]
        if ended:
            async with self._store.writing() as work:
                for item in ended:
                    await self._rows.remove(work, item.id)
            self._passes.remove(item.id for item in ended)
        return len(ended)

    async def _write(
        self, what: str, user: str, pass_id: str, make: Callable[[], VisitorPass], **facts: Json
    ) -> None:
        """Write and record a pass.

        It is made within the transaction, and the caller changes the memory without awaiting
        anything after it: so no other transaction comes between, and none is undone.
        """
        async with self._store.writing() as work:
            await self._rows.put(work, make())
            body: dict[str, Json] = {"what": what, "user": user, **facts}
            work.record(EventKind.PASS, self._clock.now(), pass_id, body=body)

    def _usable(self, pass_id: str) -> VisitorPass:
        found = self._passes.get(pass_id)
        if found.revoked_at is not None or self._clock.now() >= found.valid_until:
            raise ConflictError("this pass was revoked or has ended: make a new one")
        return found

    def _new_code(self, pass_id: str) -> tuple[str, str]:
        if self._signer is None:
            raise VaultError("no codes can be made: the site's key is missing")
        return make_code(pass_id, self._signer)

    def _checked(self, wish: PassWish) -> PassWish:
        now = self._clock.now()
        begins = wish.valid_from or now
        for index, door_id in enumerate(wish.door_ids):
            if door_id not in self._door_ids:
                doors = ", ".join(self._door_ids)
                raise InvalidError(f"door_ids[{index}]: {door_id[:40]!r} is not one of {doors}")
        if not wish.door_ids:
            raise InvalidError("door_ids: expected at least one door")
        if not 1 <= wish.max_uses <= MAX_USES:
            raise InvalidError(f"max_uses: expected 1 to {MAX_USES}")
        if begins > now + FARTHEST:
            raise InvalidError(f"valid_from: expected a moment within {FARTHEST.days} days")
        if wish.valid_until <= max(begins, now):
            raise InvalidError("valid_until: must be after valid_from and after now")
        if wish.valid_until - begins > LONGEST:
            raise InvalidError(f"valid_until: a pass lasts {LONGEST.days} days at most")
        return replace(
            wish,
            name=check_text("name", wish.name),
            door_ids=tuple(dict.fromkeys(wish.door_ids)),
            unit=None if wish.unit is None else check_text("unit", wish.unit),
        )
