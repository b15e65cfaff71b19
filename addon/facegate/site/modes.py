"""Door modes: normal, free, lockdown, emergency; kept over restarts, and made so at the door."""

from __future__ import annotations

import logging

from facegate.decision.gate import Asking, Gate
from facegate.domain import AccessPoint, Clock
from facegate.errors import FaceGateError
from facegate.protocol import Direction, DoorMode, DoorStateName
from facegate.record.presence import PresenceStore
from facegate.record.store import EventKind, Store
from facegate.site.board import Board
from facegate.site.bulletin import Bulletin
from facegate.site.passages import Passages
from facegate.verdicts import Basis, Reason

_LOGGER = logging.getLogger(__name__)

RETRY_S = 10.0
OPEN_MODES = frozenset({DoorMode.FREE, DoorMode.EMERGENCY})
"""The modes in which a door stands open."""

_SHUT = {DoorStateName.LOCKED, DoorStateName.UNAVAILABLE}
_NOT_NOW = {DoorStateName.UNAVAILABLE, DoorStateName.UNLOCKING, DoorStateName.RELOCKING}
_SCHEDULE = "schedule"


class Modes:
    """The modes of a site's doors."""

    def __init__(
        self,
        gate: Gate,
        passages: Passages,
        store: Store,
        presence: PresenceStore,
        board: Board,
        bulletin: Bulletin,
        clock: Clock,
    ) -> None:
        self._gate = gate
        self._passages = passages
        self._store = store
        self._presence = presence
        self._board = board
        self._bulletin = bulletin
        self._clock = clock
        self._in_force: dict[str, DoorMode] = {}
        self._opened: set[str] = set()
        self._retry: dict[str, float] = {}
        self._following: set[str] = set()

    async def load(self) -> None:
        """Take over the modes of an earlier run; raises ``RecordError``."""
        known = self._passages.doors
        modes = await self._presence.modes()
        self._gate.modes.update({key: mode for key, mode in modes.items() if key in known})

    async def put(self, mode: DoorMode, user: str, door_id: str | None = None) -> None:
        """Put a door, or every door, in a mode and make it so.

        Raises ``NotFoundError``, ``RecordError``, and ``ActuatorError`` where a door did not do
        it at once; the mode holds all the same, and the door is asked again.
        """
        doors = [self._passages.door(door_id).id] if door_id else list(self._passages.doors)
        at = self._clock.now()

        async def write() -> None:
            async with self._store.writing() as work:
                for door in doors:
                    await self._presence.put_mode(work, door, mode)
                    body = {"mode": mode.value, "user": user}
                    work.record(EventKind.MODE, at, door, door_id=door, body=body)

        if mode is DoorMode.LOCKDOWN:
            # A lockdown holds from now on, even where it cannot be written down.
            self._gate.modes.update(dict.fromkeys(doors, mode))
        await self._bulletin.recorded(write())
        self._gate.modes.update(dict.fromkeys(doors, mode))
        faults: list[FaceGateError] = []
        for door in doors:
            self._show(door)
            try:
                await self._follow(door, user)
            except FaceGateError as err:
                faults.append(err)
        if faults:
            raise faults[0]

    def look(self) -> None:
        """Follow schedules, and doors that have not done yet what their mode wants.

        To be called every second.
        """
        now = self._clock.monotonic()
        for door_id in self._passages.doors:
            self._show(door_id)
            rests = now < self._retry.get(door_id, now) or door_id in self._following
            if not rests and self._is_due(door_id):
                self._bulletin.spawn(self._follow_later(door_id))

    def _is_due(self, door_id: str) -> bool:
        """Return whether a door that can be reached, and does not move, is not as it should be.

        In a lockdown a pulse is left alone: it lets somebody out.
        """
        status, mode = self._passages.doors[door_id].status, self._gate.mode(door_id)
        if status.state in _NOT_NOW:
            return False
        if mode in OPEN_MODES:
            return not status.held
        if mode is DoorMode.LOCKDOWN:
            idle = self._passages.doors[door_id].idle
            return status.held or (idle and status.state not in _SHUT)
        return door_id in self._opened

    async def _follow_later(self, door_id: str) -> None:
        self._following.add(door_id)
        try:
            await self._follow(door_id, _SCHEDULE)
        finally:
            self._following.discard(door_id)

    async def _follow(self, door_id: str, user: str) -> None:
        """Hold a door open, or shut it, as its mode wants it."""
        mode, status = self._gate.mode(door_id), self._passages.doors[door_id].status
        try:
            if mode in OPEN_MODES:
                if not status.held:
                    await self._hold(door_id, mode, user)
                self._opened.add(door_id)
            elif mode is DoorMode.LOCKDOWN or door_id in self._opened:
                if status.state not in _SHUT:
                    await self._passages.lock(door_id, user)
                if status.state is not DoorStateName.UNAVAILABLE:
                    # Hardware that is away may come back as it was left: open.
                    self._opened.discard(door_id)
        except FaceGateError:
            self._retry[door_id] = self._clock.monotonic() + RETRY_S
            raise
        self._retry.pop(door_id, None)

    async def _hold(self, door_id: str, mode: DoorMode, user: str) -> None:
        reason = Reason.EMERGENCY if mode is DoorMode.EMERGENCY else Reason.DOOR_FREE
        asking = Asking(AccessPoint(door_id, Direction.ENTRY), Basis.MODE, approval=reason)
        decision = self._passages.decide(asking, self._gate.judge(asking), approver=user)
        await self._passages.hold(decision)

    def _show(self, door_id: str) -> None:
        mode = self._gate.mode(door_id)
        if mode is not self._in_force.get(door_id, DoorMode.NORMAL):
            self._in_force[door_id] = mode
            _LOGGER.info("Door %s is now in mode %s", door_id, mode)
            self._board.show_door(door_id)
