"""The store: what happened, in one chain; and the transactions in which everything is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
import json
from pathlib import Path
import secrets
from typing import Self
import uuid

from sqlalchemy import delete, exists, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession
from sqlalchemy.orm import aliased

from facegate.domain import Decision
from facegate.errors import RecordError, VaultError
from facegate.record.bodies import Json, decision_body
from facegate.record.chain import ChainedEvent, Head, link
from facegate.record.database import explain, open_database, reading, writing
from facegate.record.tables import EventRow, SiteRow, SubjectRow
from facegate.record.vault import Vault

_SALT_BYTES = 16
_PRUNED_AT_ONCE = 5000
_CHECKPOINTS = 20
_CHECKPOINT_PAUSE_S = 0.1


class EventKind(StrEnum):
    """What an event tells of."""

    ACCESS = "access"
    OPENING = "opening"
    CALL = "call"
    LOCK = "lock"
    PASSAGE = "passage"
    ALARM = "alarm"
    MODE = "mode"
    PEOPLE = "people"
    CONSENT = "consent"
    ERASURE = "erasure"
    RETENTION = "retention"
    CLOCK = "clock"
    PASS = "pass"  # noqa: S105  a visitor's, not a password
    AREA = "area"
    IMPORT = "import"
    AUDIT = "audit"


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the record; ``body`` is JSON text."""

    seq: int
    at: datetime
    kind: str
    ref: str
    door_id: str | None
    subject_id: str | None
    opening_id: str | None
    body: str


class Work:
    """One transaction: all that is written with it is on the disk when it ends, or nothing is."""

    def __init__(self, session: AsyncSession, head: str) -> None:
        self.session = session
        try:
            seq, digest, self._signature = head.split(":")
            self._seq, self._hash = int(seq), bytes.fromhex(digest)
            bytes.fromhex(self._signature)
        except ValueError as err:
            raise RecordError(
                "the end of the chain was altered: see facegate audit verify, restore a backup"
            ) from err

    def record(
        self,
        kind: EventKind,
        at: datetime,
        ref: str,
        *,
        door_id: str | None = None,
        subject_id: str | None = None,
        opening_id: str | None = None,
        body: Mapping[str, Json] | None = None,
    ) -> Head:
        """Add an event to the chain and return where it stands.

        But for ``user`` and ``approver`` a body names nobody.
        """
        event = ChainedEvent(
            self._seq + 1,
            at.timestamp(),
            kind.value,
            ref,
            door_id,
            subject_id,
            opening_id,
            json.dumps(body or {}),
        )
        self._seq, self._hash = event.seq, link(self._hash, event)
        self.session.add(
            EventRow(
                seq=event.seq,
                at=event.at,
                kind=event.kind,
                ref=ref,
                door_id=door_id,
                subject_id=subject_id,
                opening_id=opening_id,
                body=event.body,
                hash=self._hash,
            )
        )
        return Head(self._seq, self._hash)

    def record_decision(self, decision: Decision, opening_id: str | None) -> None:
        """Add a decision; ``opening_id`` is the opening it causes or joins, None if denied."""
        self.record(
            EventKind.ACCESS,
            decision.at,
            decision.id,
            door_id=decision.access_point.door_id,
            subject_id=decision.subject.id if decision.subject else None,
            opening_id=opening_id,
            body=decision_body(decision),
        )

    async def knows(self, subject_id: str) -> bool:
        """Tell whether a subject is enrolled: what is kept of it goes with it."""
        return await self.session.get(SubjectRow, subject_id) is not None

    def is_signed(self, vault: Vault) -> bool:
        """Tell whether the head that the transaction found was signed with this key."""
        return vault.verify("audit", self._claim("head"), bytes.fromhex(self._signature))

    def head(self, vault: Vault | None) -> str:
        """Return the newest event's seq, hash and signature; the last is empty without a vault."""
        return _signed("head", self._seq, self._hash, vault)

    def _claim(self, what: str) -> bytes:
        return f"{what}:{self._seq}:{self._hash.hex()}".encode()


class Store:
    """The records of a site. Every method raises ``RecordError`` where the database fails."""

    def __init__(self, engine: AsyncEngine, path: Path, site: Mapping[str, str]) -> None:
        self._engine = engine
        self._path = path
        self._vault: Vault | None = None
        self.site_id = site["site_id"]
        self.key_id = site.get("key_id")
        """The key that the records are made with, None until the first ``use``."""
        self.card_salt = bytes.fromhex(site["card_salt"])
        # The chain has one end, and the database one writer.
        self._one_at_a_time = asyncio.Lock()

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the records, making or migrating them."""
        engine = await open_database(path)
        async with writing(engine, path) as session:
            site = {row.key: row.value for row in await session.scalars(select(SiteRow))}
            for key, value in (
                ("site_id", uuid.uuid4().hex),
                ("card_salt", secrets.token_hex(_SALT_BYTES)),
            ):
                if key not in site:
                    site[key] = value
                    session.add(SiteRow(key=key, value=value))
        return cls(engine, path, site)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def use(self, vault: Vault, at: datetime) -> None:
        """Sign the chain with this key from now on; raises ``VaultError`` for another one.

        Where the chain's end does not bear its signature, as after a time without the key, an
        event tells so: what came before it is only as good as whoever could write the file.
        """
        if self.key_id not in (None, vault.key_id):
            raise VaultError("this is another key than that of the records")
        self._vault = vault
        async with self.writing() as work:
            if self.key_id is None:
                work.session.add(SiteRow(key="key_id", value=vault.key_id))
            elif not work.is_signed(vault):
                work.record(EventKind.AUDIT, at, "head", body={"finding": "unsigned"})
        self.key_id = vault.key_id

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Work]:
        """Give a transaction, in which events join the chain; one at a time."""
        async with self._one_at_a_time, writing(self._engine, self._path) as session:
            mine = update(SiteRow).where(SiteRow.key == "audit_head")
            # A change that changes nothing takes the write lock before anything is read.
            found = await session.scalar(mine.values(value=SiteRow.value).returning(SiteRow.value))
            if found is None:
                raise RecordError(
                    f"{self._path.name}: the end of the chain is missing; restore a backup"
                )
            work = Work(session, found)
            yield work
            await session.execute(mine.values(value=work.head(self._vault)))

    def reading(self) -> AbstractAsyncContextManager[AsyncSession]:
        """Give a session to read with."""
        return reading(self._engine, self._path)

    async def check(self) -> None:
        """Write something that changes nothing."""
        async with writing(self._engine, self._path) as session:
            same = update(SiteRow).where(SiteRow.key == "site_id").values(value=self.site_id)
            await session.execute(same)

    async def checkpoint(self) -> None:
        """Leave no trace of what was deleted in the write-ahead log.

        Raises ``RecordError`` where another program reads all the while.
        """
        async with self._one_at_a_time:
            for _ in range(_CHECKPOINTS):
                async with reading(self._engine, self._path) as session:
                    told = await session.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
                    if not told.one()[0]:
                        return
                await asyncio.sleep(_CHECKPOINT_PAUSE_S)
        raise explain(self._path, RuntimeError("database is locked by a reader"))

    # --- events -------------------------------------------------------------------------------

    async def record_decision(self, decision: Decision, opening_id: str | None) -> None:
        """Record a decision; ``opening_id`` is the opening it causes or joins, None if denied."""
        async with self.writing() as work:
            work.record_decision(decision, opening_id)

    async def record(
        self,
        kind: EventKind,
        at: datetime,
        ref: str,
        *,
        door_id: str | None = None,
        subject_id: str | None = None,
        opening_id: str | None = None,
        body: Mapping[str, Json] | None = None,
    ) -> None:
        """Record one event; but for ``user`` and ``approver`` a body names nobody."""
        async with self.writing() as work:
            work.record(
                kind,
                at,
                ref,
                door_id=door_id,
                subject_id=subject_id,
                opening_id=opening_id,
                body=body,
            )

    async def interrupted_openings(self) -> tuple[tuple[str, str], ...]:
        """Return (opening, door) of grants whose outcome was never recorded."""
        outcome = aliased(EventRow)
        query = select(EventRow.ref, EventRow.door_id).where(
            EventRow.kind == EventKind.ACCESS,
            EventRow.opening_id == EventRow.ref,
            ~exists().where(outcome.kind == EventKind.OPENING, outcome.ref == EventRow.ref),
        )
        async with self.reading() as session:
            return tuple((row.ref, row.door_id or "") for row in await session.execute(query))

    async def events(
        self,
        *,
        after: int = 0,
        limit: int = 100,
        door_id: str | None = None,
        subject_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> tuple[Event, ...]:
        """Return events with ``seq`` above ``after``, oldest first; ``until`` is left out."""
        query = select(EventRow).where(EventRow.seq > after).order_by(EventRow.seq).limit(limit)
        if door_id is not None:
            query = query.where(EventRow.door_id == door_id)
        if subject_id is not None:
            query = query.where(EventRow.subject_id == subject_id)
        if since is not None:
            query = query.where(EventRow.at >= since.timestamp())
        if until is not None:
            query = query.where(EventRow.at < until.timestamp())
        async with self.reading() as session:
            return tuple(_event(row) for row in await session.scalars(query))

    async def last(self, kind: EventKind, ref: str) -> datetime | None:
        """Return when an event of a kind last told of something."""
        query = select(func.max(EventRow.at)).where(EventRow.kind == kind, EventRow.ref == ref)
        async with self.reading() as session:
            at = await session.scalar(query)
        return None if at is None else moment(at)

    async def prune(self, before: datetime, at: datetime) -> int:
        """Delete the events up to the first that is not older than ``before``; tell how many.

        The chain then begins at a signed anchor: without the key nothing is deleted and
        ``VaultError`` raised.
        """
        deleted = 0
        while some := await self._prune_some(before, at):
            deleted += some
        if deleted:
            await self.checkpoint()
        return deleted

    async def _prune_some(self, before: datetime, at: datetime) -> int:
        if self._vault is None:
            raise VaultError("without its key the record cannot be shortened: put the key back")
        async with self.writing() as work:
            session = work.session
            kept = select(func.min(EventRow.seq)).where(EventRow.at >= before.timestamp())
            old = select(EventRow.seq, EventRow.hash).order_by(EventRow.seq)
            if (first_kept := await session.scalar(kept)) is not None:
                old = old.where(EventRow.seq < first_kept)
            rows = (await session.execute(old.limit(_PRUNED_AT_ONCE))).all()
            if not rows:
                return 0
            last = rows[-1]
            anchor = _signed("anchor", last.seq, last.hash, self._vault)
            await session.merge(SiteRow(key="audit_anchor", value=anchor))
            await session.execute(delete(EventRow).where(EventRow.seq <= last.seq))
            body: dict[str, Json] = {"deleted": "events", "count": len(rows), "to": last.seq}
            work.record(EventKind.RETENTION, at, str(last.seq), body=body)
            return len(rows)


def _signed(what: str, seq: int, digest: bytes, vault: Vault | None) -> str:
    claim = f"{what}:{seq}:{digest.hex()}"
    signature = vault.sign("audit", claim.encode()) if vault else b""
    return f"{seq}:{digest.hex()}:{signature.hex()}"


def moment(seconds: float) -> datetime:
    """Return a column's moment."""
    return datetime.fromtimestamp(seconds, UTC)


def _event(row: EventRow) -> Event:
    return Event(
        row.seq,
        moment(row.at),
        row.kind,
        row.ref,
        row.door_id,
        row.subject_id,
        row.opening_id,
        row.body,
    )
