"""Visitors: an unknown face rings, is shown to the unit asked for or the desk, and is answered."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from facegate.decision.gate import Asking, Gate
from facegate.domain import AccessPoint, Clock, Decision, Vector
from facegate.errors import ConflictError, NotFoundError, RecordError
from facegate.protocol import CallAnswer, CallClosed, CallOpened
from facegate.record.pictures import PictureStore
from facegate.record.store import EventKind, Store
from facegate.settings import Settings
from facegate.site.bulletin import Bulletin
from facegate.site.passages import Passages, refuse
from facegate.verdicts import Basis, Reason
from facegate.views import call_view
from facegate.visitor.call import Calls, VisitorCall

PICTURE = "visitor"
# Like no face at all: its cosine with every other is 0.
_NO_FACE: Vector = np.zeros(128, np.float32)


class Visitors:
    """The visitors of a site; ``pictures`` is None where nothing can be encrypted."""

    def __init__(
        self,
        settings: Settings,
        gate: Gate,
        calls: Calls,
        passages: Passages,
        store: Store,
        pictures: PictureStore | None,
        bulletin: Bulletin,
        clock: Clock,
    ) -> None:
        self._units = {door.id: door.unit for door in settings.doors}
        self._kept = timedelta(hours=settings.retention.visitor_pictures_h)
        self._gate = gate
        self._calls = calls
        self._passages = passages
        self._store = store
        self._pictures = pictures
        self._bulletin = bulletin
        self._clock = clock

    async def ring(self, point: AccessPoint, picture: bytes, embedding: Vector) -> None:
        """Let an unknown face ring, once; raises ``RecordError``."""
        unit = self._units[point.door_id]
        call = self._calls.ring(point, picture, embedding, unit=unit)
        if call is None:
            return
        await self._open(call)

    async def press(self, point: AccessPoint, picture: bytes) -> bool:
        """Let whoever pressed the doorbell ring; ``picture`` is a JPEG, empty where there is none.

        Return whether that opened a call: not while the door has one. Raises ``RecordError``.
        """
        call = self._calls.ring(point, picture, _NO_FACE, unit=self._units[point.door_id])
        if call is None:
            return False
        await self._open(call)
        return True

    def ask_unit(self, door_id: str, unit: str | None) -> None:
        """Take note of the unit that is asked for at a door; raises ``NotFoundError``."""
        self._passages.door(door_id)
        call = self._calls.ask_unit(door_id, unit)
        if call is not None:
            self._bulletin.publish(CallOpened(call_view(call)))

    async def answer(self, call_id: str, answer: CallAnswer, approver: str) -> None:
        """Answer a call, once; raises ``ConflictError``, ``RecordError``, ``ActuatorError``."""
        call = self._calls.answer(call_id)
        asking = Asking(call.access_point, Basis.VISITOR, approval=Reason.LET_IN)
        let_in = answer is CallAnswer.LET_IN
        if let_in and not self._gate.judge(asking).granted:
            self._calls.reopen(call)
            refuse(await self._let_in(asking, call, approver))
        outcome = "let_in" if let_in else "turned_away"
        try:
            await self._record(call, outcome, approver)
        except RecordError:
            self._calls.reopen(call)
            raise
        self._bulletin.publish(CallClosed(call.id, call.access_point.door_id, outcome))
        if let_in:
            refuse(await self._let_in(asking, call, approver))

    async def _open(self, call: VisitorCall) -> None:
        await self._record(call, "rang", keep=bool(call.picture))
        self._bulletin.publish(CallOpened(call_view(call)))

    async def _let_in(self, asking: Asking, call: VisitorCall, approver: str) -> Decision:
        decision = self._passages.decide(
            asking, self._gate.judge(asking), approver=approver, call_id=call.id
        )
        await self._passages.conclude(decision)
        return decision

    async def picture(self, call_id: str) -> bytes:
        """Return the picture of a call, open or kept.

        Raises ``ConflictError``, and ``NotFoundError`` where somebody rang whom no camera saw.
        """
        try:
            if picture := self._calls.get(call_id).picture:
                return picture
            raise NotFoundError("no camera saw who rang: the call has no picture")
        except ConflictError:
            kept = await self._kept_picture(call_id)
            if kept is None:
                raise
            return kept

    def look(self) -> None:
        """Close the calls whose minute has passed; to be called every second."""
        for call in self._calls.expire():
            self._bulletin.publish(CallClosed(call.id, call.access_point.door_id, "expired"))
            self._bulletin.spawn(self._record(call, "expired"))

    async def _kept_picture(self, call_id: str) -> bytes | None:
        if self._pictures is None:
            return None
        return await self._pictures.get(PICTURE, call_id, self._clock.now())

    async def _record(
        self, call: VisitorCall, outcome: str, user: str | None = None, *, keep: bool = False
    ) -> None:
        at, pictures = self._clock.now(), self._pictures

        async def write() -> None:
            async with self._store.writing() as work:
                body = {"outcome": outcome, "user": user, "unit": call.unit}
                door_id = call.access_point.door_id
                work.record(EventKind.CALL, at, call.id, door_id=door_id, body=body)
                if keep and pictures is not None and self._kept:
                    until = at + self._kept
                    await pictures.put(work, PICTURE, call.id, call.picture, at, until)

        await self._bulletin.recorded(write())
