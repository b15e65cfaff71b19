"""Who is where, how many are there, and how the doors are set: what outlives a restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select

from facegate.protocol import DoorMode
from facegate.record.store import Store, Work, moment
from facegate.record.tables import DoorModeRow, HeadCountRow, PresenceRow, SightingRow


@dataclass(frozen=True, slots=True)
class Stay:
    """A subject in an area, which it entered and has not left."""

    subject_id: str
    area_id: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Sighting:
    """Where and when a subject was last seen."""

    subject_id: str
    at: datetime
    door_id: str


class PresenceStore:
    """Stays, sightings, heads. What is written goes with a ``Store.writing`` transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def stays(self, subject_id: str | None = None) -> tuple[Stay, ...]:
        """Return where everybody, or one subject, is, longest first; raises ``RecordError``."""
        query = select(PresenceRow).order_by(PresenceRow.since, PresenceRow.area_id)
        if subject_id is not None:
            query = query.where(PresenceRow.subject_id == subject_id)
        async with self._store.reading() as session:
            rows = await session.scalars(query)
            return tuple(Stay(row.subject_id, row.area_id, moment(row.since)) for row in rows)

    async def sightings(self, subject_id: str | None = None) -> tuple[Sighting, ...]:
        """Return where everybody, or one subject, was last seen; raises ``RecordError``."""
        query = select(SightingRow)
        if subject_id is not None:
            query = query.where(SightingRow.subject_id == subject_id)
        async with self._store.reading() as session:
            rows = await session.scalars(query)
            return tuple(Sighting(row.subject_id, moment(row.at), row.door_id) for row in rows)

    async def heads(self) -> Mapping[str, int]:
        """Return, by area, how many more are there than have a name; raises ``RecordError``."""
        async with self._store.reading() as session:
            rows = await session.scalars(select(HeadCountRow))
            return {row.area_id: row.heads for row in rows}

    async def enter(self, work: Work, stay: Stay) -> None:
        """Write that a subject is in an area, unless it was erased meanwhile."""
        if not await work.knows(stay.subject_id):
            return
        await work.session.merge(
            PresenceRow(
                subject_id=stay.subject_id, area_id=stay.area_id, since=stay.since.timestamp()
            )
        )

    async def leave(self, work: Work, area_id: str, subject_id: str | None = None) -> None:
        """Write that a subject is not in an area any more, or that nobody is."""
        gone = delete(PresenceRow).where(PresenceRow.area_id == area_id)
        if subject_id is not None:
            gone = gone.where(PresenceRow.subject_id == subject_id)
        await work.session.execute(gone)

    async def see(self, work: Work, sighting: Sighting) -> None:
        """Write where a subject was last seen, unless it was erased meanwhile."""
        if not await work.knows(sighting.subject_id):
            return
        await work.session.merge(
            SightingRow(
                subject_id=sighting.subject_id,
                at=sighting.at.timestamp(),
                door_id=sighting.door_id,
            )
        )

    async def put_heads(self, work: Work, area_id: str, heads: int) -> None:
        """Write how many more are in an area than have a name."""
        await work.session.merge(HeadCountRow(area_id=area_id, heads=heads))

    # --- doors --------------------------------------------------------------------------------

    async def modes(self) -> Mapping[str, DoorMode]:
        """Return the mode of each door that was put in one; raises ``RecordError``."""
        async with self._store.reading() as session:
            rows = await session.scalars(select(DoorModeRow))
            return {row.door_id: DoorMode(row.mode) for row in rows}

    async def put_mode(self, work: Work, door_id: str, mode: DoorMode) -> None:
        """Write the mode of a door."""
        await work.session.merge(DoorModeRow(door_id=door_id, mode=mode))
