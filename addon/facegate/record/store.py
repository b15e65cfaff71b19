"""The store: subjects, permits, templates and events, durable when a call returns."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
import json
from pathlib import Path
from typing import Self
import uuid

import numpy as np
from sqlalchemy import delete, exists, select, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import aliased

from facegate.domain import Decision, Permit, Subject, Template, Vector
from facegate.errors import NotFoundError
from facegate.protocol import Direction
from facegate.record.bodies import decision_body
from facegate.record.database import open_database, reading, writing
from facegate.record.tables import EventRow, PermitRow, SiteRow, SubjectRow, TemplateRow


class EventKind(StrEnum):
    """What an event tells: a decision, what became of an opening or a call, a door locked."""

    ACCESS = "access"
    OPENING = "opening"
    CALL = "call"
    LOCK = "lock"


@dataclass(frozen=True, slots=True)
class Event:
    """One row of the record; ``body`` is JSON text."""

    seq: int
    at: datetime
    kind: str
    ref: str
    door_id: str
    subject_id: str | None
    opening_id: str | None
    body: str


class Store:
    """All that is kept. Every method raises ``RecordError`` where the database fails."""

    def __init__(self, engine: AsyncEngine, path: Path, site_id: str) -> None:
        self._engine = engine
        self._path = path
        self.site_id = site_id

    @classmethod
    async def open(cls, path: Path) -> Self:
        """Open the records, making or migrating them."""
        engine = await open_database(path)
        async with writing(engine, path) as session:
            row = await session.get(SiteRow, "site_id")
            if row is None:
                row = SiteRow(key="site_id", value=uuid.uuid4().hex)
                session.add(row)
        return cls(engine, path, row.value)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()

    async def check(self) -> None:
        """Write something that changes nothing."""
        async with writing(self._engine, self._path) as session:
            same = update(SiteRow).where(SiteRow.key == "site_id").values(value=self.site_id)
            await session.execute(same)

    # --- events -------------------------------------------------------------------------------

    async def record_decision(self, decision: Decision, opening_id: str | None) -> None:
        """Record a decision; ``opening_id`` is the opening it causes or joins, None if denied."""
        await self._add(
            EventRow(
                at=decision.at.timestamp(),
                kind=EventKind.ACCESS,
                ref=decision.id,
                door_id=decision.access_point.door_id,
                subject_id=decision.subject.id if decision.subject else None,
                opening_id=opening_id,
                body=json.dumps(decision_body(decision)),
            )
        )

    async def record(
        self,
        kind: EventKind,
        at: datetime,
        ref: str,
        door_id: str,
        outcome: str,
        *,
        fault: str | None = None,
        user: str | None = None,
    ) -> None:
        """Record what became of an opening or a call, or that a user locked a door."""
        body = json.dumps({"outcome": outcome, "fault": fault, "user": user})
        await self._add(EventRow(at=at.timestamp(), kind=kind, ref=ref, door_id=door_id, body=body))

    async def interrupted_openings(self) -> tuple[tuple[str, str], ...]:
        """Return (opening, door) of grants whose outcome was never recorded."""
        outcome = aliased(EventRow)
        query = select(EventRow.ref, EventRow.door_id).where(
            EventRow.kind == EventKind.ACCESS,
            EventRow.opening_id == EventRow.ref,
            ~exists().where(outcome.kind == EventKind.OPENING, outcome.ref == EventRow.ref),
        )
        async with reading(self._engine, self._path) as session:
            return tuple((row.ref, row.door_id) for row in await session.execute(query))

    async def events(
        self, *, after: int = 0, door_id: str | None = None, limit: int = 100
    ) -> tuple[Event, ...]:
        """Return events with ``seq`` above ``after``, oldest first."""
        query = select(EventRow).where(EventRow.seq > after).order_by(EventRow.seq).limit(limit)
        if door_id is not None:
            query = query.where(EventRow.door_id == door_id)
        async with reading(self._engine, self._path) as session:
            rows = (await session.scalars(query)).all()
        return tuple(
            Event(
                row.seq,
                _moment(row.at),
                row.kind,
                row.ref,
                row.door_id,
                row.subject_id,
                row.opening_id,
                row.body,
            )
            for row in rows
        )

    async def _add(self, row: EventRow) -> None:
        async with writing(self._engine, self._path) as session:
            session.add(row)

    # --- people -------------------------------------------------------------------------------

    async def add_subject(self, name: str, kind: str, at: datetime) -> Subject:
        """Add a person without permits and templates."""
        subject = Subject(uuid.uuid4().hex, name, kind)
        async with writing(self._engine, self._path) as session:
            session.add(SubjectRow(id=subject.id, name=name, kind=kind, created_at=at.timestamp()))
        return subject

    async def subjects(self) -> tuple[Subject, ...]:
        """Return everybody, by name."""
        async with reading(self._engine, self._path) as session:
            rows = await session.scalars(select(SubjectRow).order_by(SubjectRow.name))
            return tuple(Subject(row.id, row.name, row.kind) for row in rows)

    async def subject(self, subject_id: str) -> Subject | None:
        """Return one person, or None."""
        async with reading(self._engine, self._path) as session:
            row = await session.get(SubjectRow, subject_id)
            return Subject(row.id, row.name, row.kind) if row else None

    async def remove_subject(self, subject_id: str) -> None:
        """Remove a person with permits and templates; raises ``NotFoundError``."""
        async with writing(self._engine, self._path) as session:
            row = await session.get(SubjectRow, subject_id)
            if row is None:
                raise _no_subject(subject_id)
            await session.delete(row)

    async def replace_permits(self, subject_id: str, permits: tuple[Permit, ...]) -> None:
        """Give a person exactly these permits; raises ``NotFoundError``."""
        async with writing(self._engine, self._path) as session:
            if await session.get(SubjectRow, subject_id) is None:
                raise _no_subject(subject_id)
            await session.execute(delete(PermitRow).where(PermitRow.subject_id == subject_id))
            session.add_all(
                PermitRow(
                    subject_id=subject_id,
                    door_id=permit.door_id,
                    direction=permit.direction,
                    valid_from=permit.valid_from and permit.valid_from.timestamp(),
                    valid_until=permit.valid_until and permit.valid_until.timestamp(),
                )
                for permit in permits
            )

    async def permits(self, subject_id: str) -> tuple[Permit, ...]:
        """Return a person's permits."""
        query = select(PermitRow).where(PermitRow.subject_id == subject_id).order_by(PermitRow.id)
        async with reading(self._engine, self._path) as session:
            rows = await session.scalars(query)
            return tuple(
                Permit(
                    row.subject_id,
                    row.door_id,
                    Direction(row.direction) if row.direction else None,
                    None if row.valid_from is None else _moment(row.valid_from),
                    None if row.valid_until is None else _moment(row.valid_until),
                )
                for row in rows
            )

    async def add_template(
        self, subject_id: str, model_id: str, embedding: Vector, at: datetime
    ) -> Template:
        """Add a reference; raises ``NotFoundError``."""
        template = Template(uuid.uuid4().hex, subject_id, model_id, embedding)
        async with writing(self._engine, self._path) as session:
            if await session.get(SubjectRow, subject_id) is None:
                raise _no_subject(subject_id)
            session.add(
                TemplateRow(
                    id=template.id,
                    subject_id=subject_id,
                    model_id=model_id,
                    embedding=embedding.astype("<f4").tobytes(),
                    created_at=at.timestamp(),
                )
            )
        return template

    async def templates(self) -> tuple[Template, ...]:
        """Return every reference of everybody."""
        async with reading(self._engine, self._path) as session:
            rows = await session.scalars(select(TemplateRow))
            return tuple(
                Template(
                    row.id,
                    row.subject_id,
                    row.model_id,
                    np.frombuffer(row.embedding, "<f4").astype(np.float32),
                )
                for row in rows
            )


def _no_subject(subject_id: str) -> NotFoundError:
    return NotFoundError(f"nobody is enrolled with the id {subject_id!r}")


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
