"""Rounds: what the site looks after by the clock, every second, every day, at every start."""

from __future__ import annotations

from datetime import datetime, timedelta
import logging
from zoneinfo import ZoneInfo

from facegate.decision.gate import Gate
from facegate.domain import Clock
from facegate.errors import FaceGateError
from facegate.office.erasure import Erasure
from facegate.office.office import Office
from facegate.office.pass_desk import PassDesk
from facegate.protocol import AlarmKind
from facegate.record.pictures import PictureStore
from facegate.record.presence import PresenceStore
from facegate.record.store import EventKind, Store
from facegate.register import ApprovalState, Person
from facegate.settings import Settings
from facegate.site.alarms import Alarms
from facegate.site.board import Board
from facegate.site.bulletin import Bulletin

_LOGGER = logging.getLogger(__name__)

CLOCK_JUMP_S = 2.0
RETENTION_S = 3600.0
SETTLE_S = 600.0
"""How long the clock must run on without a jump before what is old by it is deleted."""

ANNOUNCE_S = 60.0
NOTICES = (timedelta(days=7), timedelta(days=1))
"""How long before its end a contractor's approval is announced."""

_LONGEST_TOGETHER_S = 600.0


class Rounds:
    """Clock jumps, areas that empty themselves, approvals that end, and what is kept too long."""

    def __init__(
        self,
        settings: Settings,
        gate: Gate,
        office: Office,
        store: Store,
        presence: PresenceStore,
        pictures: PictureStore | None,
        erasure: Erasure,
        desk: PassDesk,
        board: Board,
        alarms: Alarms,
        bulletin: Bulletin,
        clock: Clock,
    ) -> None:
        self._zone: ZoneInfo = settings.site.time_zone
        self._retention = settings.retention
        self._gate = gate
        self._roster = office.roster
        self._erasure = erasure
        self._desk = desk
        self._store = store
        self._presence = presence
        self._pictures = pictures
        self._board = board
        self._alarms = alarms
        self._bulletin = bulletin
        self._clock = clock
        self._offset = self._clock_offset()
        self._last = clock.now()
        self._retention_at = clock.monotonic() + SETTLE_S
        self._announced: float | None = None
        self._noticed: set[tuple[str, datetime, timedelta]] = set()

    def look(self) -> None:
        """Look after everything; to be called every second."""
        now = self._clock.now()
        self._look_at_clock(now)
        self._empty_areas(now)
        monotonic = self._clock.monotonic()
        self._gate.evidence.clear(monotonic, _LONGEST_TOGETHER_S)
        if self._announced is None or monotonic - self._announced >= ANNOUNCE_S:
            self._announced = monotonic
            self._announce_approvals(now)
        if monotonic >= self._retention_at:
            self._retention_at = monotonic + RETENTION_S
            self._bulletin.spawn(self._retain(now))
        self._last = now

    def _clock_offset(self) -> float:
        return self._clock.now().timestamp() - self._clock.monotonic()

    def _look_at_clock(self, now: datetime) -> None:
        offset = self._clock_offset()
        jump, self._offset = offset - self._offset, offset
        if abs(jump) > CLOCK_JUMP_S:
            self._retention_at = self._clock.monotonic() + SETTLE_S
            self._bulletin.record_later(
                self._store.record(EventKind.CLOCK, now, "clock", body={"jump_s": round(jump, 3)})
            )
            self._alarms.raise_(AlarmKind.CLOCK_JUMP, detail=f"{jump:+.1f} s")

    def _empty_areas(self, now: datetime) -> None:
        """Empty the areas whose hour has come since the last look."""
        for area in self._gate.presence.areas:
            if area.reset_at is not None and self._last < self._last_hour(area.reset_at, now):
                self._empty(area.id, now)

    async def catch_up(self) -> None:
        """Empty the areas whose hour came while the engine did not run; raises ``RecordError``."""
        now = self._clock.now()
        for area in self._gate.presence.areas:
            if area.reset_at is None or not self._gate.presence.occupancy(area.id):
                continue
            emptied = await self._store.last(EventKind.AREA, area.id)
            if emptied is None or emptied < self._last_hour(area.reset_at, now):
                self._empty(area.id, now)

    def _last_hour(self, minutes: int, now: datetime) -> datetime:
        """Return when it was last so late on the site's clock."""
        local = now.astimezone(self._zone)
        hour, minute = divmod(minutes, 60)
        then = local.replace(hour=hour % 24, minute=minute, second=0, microsecond=0)
        return then if then <= local else then - timedelta(days=1)

    def _empty(self, area_id: str, now: datetime) -> None:
        self._gate.presence.reset(area_id)
        self._board.show_area(area_id)
        self._bulletin.record_later(self._record_empty(area_id, now))

    async def _record_empty(self, area_id: str, at: datetime) -> None:
        async with self._store.writing() as work:
            await self._presence.leave(work, area_id)
            await self._presence.put_heads(work, area_id, 0)
            work.record(EventKind.AREA, at, area_id, body={"occupancy": 0, "user": "schedule"})

    def _announce_approvals(self, now: datetime) -> None:
        for person in self._roster.people:
            approval = person.approval
            if approval is None or approval.state is not ApprovalState.APPROVED:
                continue
            until = approval.until
            if until is None or not now < until:
                continue
            due = [notice for notice in NOTICES if until - now <= notice]
            if due and (key := (person.subject.id, until, min(due))) not in self._noticed:
                self._noticed.add(key)
                self._bulletin.spawn(self._announce(person, until, min(due)))

    async def _announce(self, person: Person, until: datetime, notice: timedelta) -> None:
        """Raise the alarm once for each notice, over restarts too."""
        ref = f"{person.subject.id}:{until.timestamp():.0f}:{notice.days}"
        if await self._store.last(EventKind.ALARM, ref) is None:
            detail = until.astimezone(self._zone).isoformat(timespec="minutes")
            self._alarms.raise_(AlarmKind.APPROVAL_EXPIRING, None, person.subject, detail, ref=ref)

    async def _retain(self, now: datetime) -> None:
        """Delete what is kept longer than it may be."""
        try:
            if self._pictures is not None:
                await self._pictures.prune(now)
            await self._erasure.expire_templates(self._retention.templates_d)
            before = now - timedelta(days=self._retention.events_d)
            await self._desk.forget(before)
            await self._store.prune(before, now)
        except FaceGateError as err:
            _LOGGER.warning("What is kept too long could not be deleted: %s", err)
