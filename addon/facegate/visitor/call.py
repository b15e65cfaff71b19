"""Visitor calls: an unknown face rings once; one answer, one grant; nothing outlives a minute.

Calls live in memory only: a restart of the engine ends them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
import uuid

import numpy as np

from facegate.domain import AccessPoint, Clock, Vector
from facegate.errors import ConflictError
from facegate.protocol import ErrorCode

CALL_LIFE = timedelta(seconds=60)
SAME_FACE = 0.5
"""Cosine from which two unknown faces are taken for one: it must not ring twice."""


@dataclass(frozen=True, slots=True, eq=False)
class VisitorCall:
    """An unknown face that rang; picture (JPEG) and embedding live in memory only.

    ``expires_at`` is for people; ``deadline``, a monotonic moment, is what counts, so that
    setting the clock back never lengthens a call. ``unit`` is the unit asked for, None for the
    desk.
    """

    id: str
    access_point: AccessPoint
    opened_at: datetime
    expires_at: datetime
    deadline: float
    picture: bytes
    embedding: Vector
    unit: str | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """The unit that was asked for at a door, until a monotonic moment."""

    unit: str | None
    deadline: float


class Calls:
    """The open calls of a site, at most one a door."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._open: dict[str, VisitorCall] = {}
        self._recent: list[VisitorCall] = []
        self._asked: dict[str, _Asked] = {}

    @property
    def open(self) -> tuple[VisitorCall, ...]:
        """The calls that can still be answered."""
        now = self._clock.monotonic()
        return tuple(call for call in self._open.values() if now < call.deadline)

    def ask_unit(self, door_id: str, unit: str | None) -> VisitorCall | None:
        """Take note of the unit asked for at a door, None for the desk.

        It holds for the open call, which is returned as it is now; where there is none, for the
        next that rings within a minute, and not for whoever rings after that.
        """
        call = next((call for call in self.open if call.access_point.door_id == door_id), None)
        if call is None:
            deadline = self._clock.monotonic() + CALL_LIFE.total_seconds()
            self._asked[door_id] = _Asked(unit, deadline)
            return None
        self._open[call.id] = replace(call, unit=unit)
        return self._open[call.id]

    def ring(
        self,
        access_point: AccessPoint,
        picture: bytes,
        embedding: Vector,
        unit: str | None = None,
    ) -> VisitorCall | None:
        """Open a call for the unit that was asked for, else for ``unit``, None being the desk.

        None is returned while the door has a call, or where this face rang within a minute.
        """
        now, at = self._clock.monotonic(), self._clock.now()
        self._recent = [call for call in self._recent if now < call.deadline]
        door_id = access_point.door_id
        if any(call.access_point.door_id == door_id for call in self.open):
            return None
        if any(
            call.access_point.door_id == door_id
            and float(np.dot(call.embedding, embedding)) >= SAME_FACE
            for call in self._recent
        ):
            return None
        call = VisitorCall(
            uuid.uuid4().hex,
            access_point,
            at,
            at + CALL_LIFE,
            now + CALL_LIFE.total_seconds(),
            picture,
            embedding,
            self._take_asked(door_id, unit),
        )
        self._open[call.id] = call
        self._recent.append(call)
        return call

    def get(self, call_id: str) -> VisitorCall:
        """Return an open call; raises ``ConflictError`` where it is answered, expired, unknown."""
        call = self._open.get(call_id)
        if call is None or self._clock.monotonic() >= call.deadline:
            raise ConflictError(
                "this call is closed: it was answered, or a minute has passed",
                ErrorCode.CALL_CLOSED,
            )
        return call

    def answer(self, call_id: str) -> VisitorCall:
        """Take an open call out, so that no second answer finds it; raises as ``get``."""
        call = self.get(call_id)
        del self._open[call_id]
        return call

    def reopen(self, call: VisitorCall) -> None:
        """Put a call back whose answer came to nothing, for what is left of its minute."""
        self._open[call.id] = call

    def expire(self) -> tuple[VisitorCall, ...]:
        """Take out and return the calls whose minute has passed."""
        now = self._clock.monotonic()
        over = tuple(call for call in self._open.values() if now >= call.deadline)
        for call in over:
            del self._open[call.id]
        return over

    def _take_asked(self, door_id: str, default: str | None) -> str | None:
        asked = self._asked.pop(door_id, None)
        if asked is None or self._clock.monotonic() >= asked.deadline:
            return default
        return asked.unit
