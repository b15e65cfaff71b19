"""Door contacts: what really opened, was forced, or is held open."""

from __future__ import annotations

from facegate.decision.gate import Gate
from facegate.domain import Clock
from facegate.errors import InvalidError
from facegate.protocol import AlarmKind, ContactStatus, DoorStateName
from facegate.settings import Settings
from facegate.site.alarms import Alarms
from facegate.site.board import Board
from facegate.site.modes import OPEN_MODES
from facegate.site.passages import Passages

_OPENS = {DoorStateName.UNLOCKING, DoorStateName.UNLOCKED, DoorStateName.RELOCKING}


class Contacts:
    """The contacts of a site's doors."""

    def __init__(
        self,
        settings: Settings,
        gate: Gate,
        passages: Passages,
        board: Board,
        alarms: Alarms,
        clock: Clock,
    ) -> None:
        self._settings = {door.id: door for door in settings.doors}
        self._gate = gate
        self._passages = passages
        self._board = board
        self._alarms = alarms
        self._clock = clock
        self._open_since: dict[str, float] = {}

    def changed(self, status: ContactStatus) -> None:
        """Take what a contact shows; raises ``NotFoundError``, ``InvalidError``."""
        door = self._passages.door(status.door_id)
        if not self._settings[door.id].contact:
            raise InvalidError(
                f"door_id: {door.id!r} has no contact; set its option contact to true"
            )
        before = self._board.is_open(door.id)
        self._board.contact_changed(door.id, status.open)
        if status.open is not True:
            self._open_since.pop(door.id, None)
            self._board.flag(door.id, forced_open=False, held_open=False)
        elif before is not True:
            self._open_since[door.id] = self._clock.monotonic()
            granted = self._passages.contact_opened(door.id)
            # Only a change from shut tells of a forced door: one that was found open does not.
            if before is False and not granted and door.status.state not in _OPENS:
                self._board.flag(door.id, forced_open=True)
                self._alarms.raise_(AlarmKind.DOOR_FORCED, door.id)

    def look(self) -> None:
        """Raise the alarm of doors that stand open for too long; to be called every second."""
        now = self._clock.monotonic()
        for door_id, since in self._open_since.items():
            door = self._settings[door_id]
            if self._gate.mode(door_id) in OPEN_MODES or self._passages.holds(door_id):
                self._open_since[door_id] = now
            elif now - since >= door.held_open_s and not self._board.is_held_open(door_id):
                self._board.flag(door_id, held_open=True)
                detail = f"{door.held_open_s:.0f} s"
                self._alarms.raise_(AlarmKind.DOOR_HELD, door_id, detail=detail)
