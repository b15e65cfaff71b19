"""Visitor passes on disk."""

from __future__ import annotations

import json

from sqlalchemy import delete, select

from facegate.record.store import Store, Work, moment
from facegate.record.tables import PassRow
from facegate.register import VisitorPass


class PassStore:
    """Every visitor pass. What is written goes with a ``Store.writing`` transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def all(self) -> tuple[VisitorPass, ...]:
        """Return every pass, the first to begin first; raises ``RecordError``."""
        async with self._store.reading() as session:
            rows = await session.scalars(select(PassRow).order_by(PassRow.valid_from, PassRow.id))
            return tuple(_pass(row) for row in rows)

    async def put(self, work: Work, visitor_pass: VisitorPass) -> None:
        """Write a pass, new or changed."""
        revoked_at = visitor_pass.revoked_at
        await work.session.merge(
            PassRow(
                id=visitor_pass.id,
                name=visitor_pass.name,
                made_by=visitor_pass.made_by,
                door_ids=json.dumps(visitor_pass.door_ids),
                valid_from=visitor_pass.valid_from.timestamp(),
                valid_until=visitor_pass.valid_until.timestamp(),
                max_uses=visitor_pass.max_uses,
                nonce_digest=visitor_pass.nonce_digest,
                number=visitor_pass.number,
                pin_hash=visitor_pass.pin_hash,
                unit=visitor_pass.unit,
                used=visitor_pass.used,
                revoked_at=revoked_at.timestamp() if revoked_at else None,
            )
        )

    async def remove(self, work: Work, pass_id: str) -> None:
        """Forget a pass."""
        await work.session.execute(delete(PassRow).where(PassRow.id == pass_id))


def _pass(row: PassRow) -> VisitorPass:
    return VisitorPass(
        id=row.id,
        name=row.name,
        made_by=row.made_by,
        door_ids=tuple(json.loads(row.door_ids)),
        valid_from=moment(row.valid_from),
        valid_until=moment(row.valid_until),
        max_uses=row.max_uses,
        nonce_digest=row.nonce_digest,
        number=row.number,
        pin_hash=row.pin_hash,
        unit=row.unit,
        used=row.used,
        revoked_at=None if row.revoked_at is None else moment(row.revoked_at),
    )
