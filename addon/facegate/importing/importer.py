"""The importer: takes an archive in, and puts its rows one after the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import replace
import logging
from pathlib import Path
import shutil
import tempfile
from typing import BinaryIO
from zoneinfo import ZoneInfo

from facegate.background import Background
from facegate.errors import ConflictError, FaceGateError, InvalidError, NotFoundError, RecordError
from facegate.importing.archive import MAX_ARCHIVE_BYTES, Archive
from facegate.importing.job import Job, JobState
from facegate.importing.listing import Row, read_rows, to_record
from facegate.office.checks import Details
from facegate.office.intake import Intake
from facegate.office.office import Office
from facegate.office.people import details_of
from facegate.protocol import ErrorCode
from facegate.record.store import EventKind
from facegate.register import Person
from facegate.site.bulletin import Bulletin

_LOGGER = logging.getLogger(__name__)

_TELL_EVERY_S = 0.5
_KEPT_JOBS = 10
_RESERVE_BYTES = 256 * 1024**2
"""What an upload leaves free on the disk: where the records cannot be written, no door opens."""


class Importer:
    """One import at a time; ``folder`` holds what is uploaded, for as long as it is needed.

    A job goes on without whoever asked for it. It does not outlive the engine, and the same
    archive again ends the same.
    """

    def __init__(
        self, office: Office, intake: Intake, bulletin: Bulletin, zone: ZoneInfo, folder: Path
    ) -> None:
        self._office = office
        self._intake = intake
        self._bulletin = bulletin
        self._zone = zone
        self._folder = folder
        self._jobs: dict[str, Job] = {}
        self._background = Background()
        self._busy = False
        self._closing = False

    def get(self, job_id: str) -> Job:
        """Return one of the last jobs; raises ``NotFoundError``."""
        if (job := self._jobs.get(job_id)) is None:
            raise NotFoundError(f"no import has the id {job_id[:40]!r} since the engine started")
        return job

    async def start(self, chunks: AsyncIterator[bytes], by: str) -> Job:
        """Take an archive in, look at it, and begin with its rows.

        Raises ``ConflictError`` while another runs, ``InvalidError`` for an archive or a list
        that cannot be used, and ``RecordError`` where there is no room for it.
        """
        if self._busy or self._closing:
            raise ConflictError("an import is running already: wait for its end")
        self._busy = True
        with ExitStack() as stack:
            stack.callback(self._free)
            file = stack.enter_context(await asyncio.to_thread(self._open))
            await self._fill(file, chunks)
            archive = stack.enter_context(await asyncio.to_thread(Archive, file))
            job = Job(await asyncio.to_thread(_count, archive))
            self._jobs[job.id] = job
            while len(self._jobs) > _KEPT_JOBS:
                self._jobs.pop(next(iter(self._jobs)))
            self._background.spawn(self._run(job, archive, by, stack.pop_all()))
        return job

    async def close(self) -> None:
        """Stop after the row that is being put."""
        self._closing = True
        await self._background.finish()

    # --- taking in ----------------------------------------------------------------------------

    def _free(self) -> None:
        self._busy = False

    def _open(self) -> BinaryIO:
        """Open a file without a name: nobody else can, and it is gone with the engine."""
        try:
            return tempfile.TemporaryFile(dir=self._folder)
        except OSError as err:
            raise _no_room(str(err.strerror)) from err

    async def _fill(self, file: BinaryIO, chunks: AsyncIterator[bytes]) -> None:
        size = 0
        async for chunk in chunks:
            size += len(chunk)
            if size > MAX_ARCHIVE_BYTES:
                raise InvalidError(
                    f"the archive has more than {MAX_ARCHIVE_BYTES} bytes", ErrorCode.TOO_LARGE
                )
            await asyncio.to_thread(self._write, file, chunk)

    def _write(self, file: BinaryIO, chunk: bytes) -> None:
        try:
            if shutil.disk_usage(self._folder).free < _RESERVE_BYTES + len(chunk):
                raise _no_room(f"{_RESERVE_BYTES} bytes are kept free for the records")
            file.write(chunk)
        except OSError as err:
            raise _no_room(str(err.strerror)) from err

    # --- putting ------------------------------------------------------------------------------

    async def _run(self, job: Job, archive: Archive, by: str, owned: ExitStack) -> None:
        outcome = JobState.FAILED
        try:
            with owned:
                try:
                    await self._put_rows(job, archive, by)
                    outcome = JobState.DONE
                except FaceGateError as err:
                    job.fault = str(err)
                finally:
                    if outcome is JobState.FAILED:
                        job.fault = job.fault or "internal error; see the engine's log"
                    await self._bulletin.recorded(self._record(job, outcome, by))
        except RecordError as err:
            outcome, job.fault = JobState.FAILED, job.fault or str(err)
        finally:
            # Only now: whoever sees the end may begin with the next.
            job.state = outcome
            self._bulletin.publish(job.progress())
            _LOGGER.info("An import ended: %s, %d of %d rows", job.state, job.done, job.total)

    async def _put_rows(self, job: Job, archive: Archive, by: str) -> None:
        seen: set[str] = set()
        loop = asyncio.get_running_loop()
        told_at = loop.time()
        self._bulletin.publish(job.progress())
        with archive.listing() as text:
            rows = read_rows(text)
            while (row := await asyncio.to_thread(next, rows, None)) is not None:
                if self._closing:
                    raise ConflictError("the engine was stopped: import the same archive again")
                await self._put(job, archive, row, seen, by)
                if loop.time() >= told_at + _TELL_EVERY_S and job.done < job.total:
                    told_at = loop.time()
                    self._bulletin.publish(job.progress())

    async def _put(self, job: Job, archive: Archive, row: Row, seen: set[str], by: str) -> None:
        external_id = row.external_id
        try:
            if external_id in seen:
                raise ConflictError("external_id: a row above has the same")
            if external_id:
                seen.add(external_id)
            known = self._office.roster.by_external_id(external_id)
            before = self._named(known) if known else None
            photo = (await asyncio.to_thread(archive.photo, row.photo),) if row.photo else ()
            record = to_record(row, self._zone, before, photo)
            job.count(await self._intake.put(record, by))
        except RecordError:
            raise
        except FaceGateError as err:
            job.refuse(row.number, external_id, str(err))

    def _named(self, person: Person) -> Details:
        """Return a person's details with the names of groups."""
        details, group = details_of(person), self._office.roster.group
        return replace(details, groups=tuple(group(each).group.name for each in details.groups))

    async def _record(self, job: Job, outcome: JobState, by: str) -> None:
        body = {
            "what": outcome.value,
            "user": by,
            "total": job.total,
            "added": job.added,
            "changed": job.changed,
            "unchanged": job.unchanged,
            "refused": job.refused,
        }
        async with self._office.store.writing() as work:
            work.record(EventKind.IMPORT, self._office.clock.now(), job.id, body=body)


def _count(archive: Archive) -> int:
    with archive.listing() as text:
        return sum(1 for _ in read_rows(text))


def _no_room(why: str) -> RecordError:
    return RecordError(f"the archive cannot be kept while it is read: {why}")
