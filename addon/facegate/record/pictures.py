"""Pictures that are kept for a time: sealed, and gone when it is over."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete

from facegate.record.store import Store, Work
from facegate.record.tables import PictureRow
from facegate.record.vault import Vault


class PictureStore:
    """Pictures by (kind, ref); every method raises ``RecordError``."""

    def __init__(self, store: Store, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    async def put(
        self,
        work: Work,
        kind: str,
        ref: str,
        jpeg: bytes,
        at: datetime,
        until: datetime,
        subject_id: str | None = None,
    ) -> None:
        """Keep a picture; one of a subject goes with it, and is not kept if it has gone."""
        if subject_id is not None and not await work.knows(subject_id):
            return
        await work.session.merge(
            PictureRow(
                kind=kind,
                ref=ref,
                subject_id=subject_id,
                sealed=self._vault.seal(jpeg, "picture", kind, ref),
                at=at.timestamp(),
                until=until.timestamp(),
            )
        )

    async def get(self, kind: str, ref: str, now: datetime) -> bytes | None:
        """Return a picture (JPEG) whose time is not over; raises ``VaultError`` if changed."""
        async with self._store.reading() as session:
            row = await session.get(PictureRow, (kind, ref))
        if row is None or row.until <= now.timestamp():
            return None
        return self._vault.unseal(row.sealed, "picture", kind, ref)

    async def prune(self, now: datetime) -> int:
        """Delete the pictures whose time is over without a trace; tell how many."""
        gone = delete(PictureRow).where(PictureRow.until <= now.timestamp())
        async with self._store.writing() as work:
            deleted = (await work.session.execute(gone)).rowcount
        if deleted:
            await self._store.checkpoint()
        return deleted
