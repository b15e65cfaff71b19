"""Presenting: a PIN, a card, a pass, a document or a temperature at an access point."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
import math

from facegate.decision.gate import Asking, Gate
from facegate.domain import AccessPoint, Clock, Decision, Vector
from facegate.errors import ActuatorError, InvalidError, RecordError
from facegate.office.credentials import Credentials
from facegate.protocol import AlarmKind, Direction, ErrorCode
from facegate.record.passes import PassStore
from facegate.record.pictures import PictureStore
from facegate.record.store import Store, Work
from facegate.secret import pin_matches
from facegate.settings import Settings
from facegate.site.alarms import Alarms
from facegate.site.board import Board
from facegate.site.bulletin import Bulletin
from facegate.site.passages import Passages
from facegate.verdicts import Basis, Reason
from facegate.visitor.passes import PassCheck, Passes, is_pass_number

DOCUMENT = "document"
EXIT_DELAY_S = 5.0
"""What a credential that has to wait costs at an exit: time, as nothing keeps anybody inside."""

COLDEST, HOTTEST = 30.0, 45.0
"""What a body's temperature can be, in degrees Celsius; other readings are of something else."""

_OLDEST_READING_S = 60.0


@dataclass(frozen=True, slots=True)
class Presented:
    """What is presented at a reader: a number with a PIN, a card's number, or a pass's code."""

    number: str | None = None
    pin: str | None = None
    card_number: str | None = None
    code: str | None = None


class Presenting:
    """Readers, keypads and thermometers of a site; ``pictures`` is None without encryption."""

    def __init__(
        self,
        settings: Settings,
        gate: Gate,
        credentials: Credentials,
        passes: Passes,
        pass_store: PassStore,
        passages: Passages,
        store: Store,
        pictures: PictureStore | None,
        board: Board,
        alarms: Alarms,
        bulletin: Bulletin,
        clock: Clock,
    ) -> None:
        self._kept = timedelta(hours=settings.retention.document_pictures_h)
        self._gate = gate
        self._credentials = credentials
        self._passes = passes
        self._pass_store = pass_store
        self._passages = passages
        self._store = store
        self._pictures = pictures
        self._board = board
        self._alarms = alarms
        self._bulletin = bulletin
        self._clock = clock

    async def present(self, point: AccessPoint, presented: Presented) -> Decision:
        """Judge a credential at an access point and open where it grants.

        Raises ``NotFoundError``, ``InvalidError``, ``RecordError`` and ``ActuatorError``.
        """
        self._passages.door(point.door_id)
        match presented:
            case Presented(number=str(number), pin=str(pin), card_number=None, code=None):
                if is_pass_number(number):
                    return await self._present_pass_pin(point, number, pin)
                return await self._present_pin(point, number, pin)
            case Presented(number=None, pin=None, card_number=str(card), code=None):
                return await self._present_card(point, card)
            case Presented(number=None, pin=None, card_number=None, code=str(code)):
                return await self.present_code(point, code)
            case _:
                raise InvalidError("expected number and pin, or card_number, or code")

    async def present_code(
        self, point: AccessPoint, code: str, frame_age_s: float | None = None
    ) -> Decision:
        """Judge the code of a visitor pass, in a frame of this age; raises as ``present``."""
        check = self._passes.check(code, point, self._clock.now())
        return await self._pass(point, check, frame_age_s=frame_age_s)

    def reads_codes(self, door_id: str) -> bool:
        """Return whether a code may open this door now."""
        return self._passes.any_in_force(door_id, self._clock.now())

    async def press_exit(self, door_id: str) -> Decision:
        """Open a door once for whoever pressed the button inside, in every mode.

        Raises ``NotFoundError``, ``RecordError`` and ``ActuatorError``.
        """
        self._passages.door(door_id)
        point = AccessPoint(door_id, Direction.EXIT)
        return await self._judge(Asking(point, Basis.EXIT_BUTTON, approval=Reason.EXIT_BUTTON))

    # --- what is measured -----------------------------------------------------------------------

    def take_temperature(self, point: AccessPoint, celsius: float, at: float | None) -> None:
        """Take a body temperature; ``at`` is when it was taken, now where None.

        Raises ``NotFoundError`` and ``InvalidError``.
        """
        self._passages.door(point.door_id)
        if not COLDEST <= celsius <= HOTTEST:
            raise InvalidError(
                f"celsius: {celsius:g} is no body temperature:"
                f" expected {COLDEST:g} to {HOTTEST:g} degrees Celsius"
            )
        now = self._clock.now()
        age_s = now.timestamp() - at if at is not None else 0.0
        if not math.isfinite(age_s) or not -1 <= age_s <= _OLDEST_READING_S:
            raise InvalidError(
                "at: expected a moment of the last minute, in seconds since 1970 UTC"
            )
        age_s = max(0.0, age_s)
        self._gate.evidence.take_temperature(point, celsius, self._clock.monotonic() - age_s)
        self._board.show_temperature(point.door_id, celsius, now - timedelta(seconds=age_s))

    async def show_document(self, point: AccessPoint, face: Vector, jpeg: bytes) -> None:
        """Hold a document's face for whoever stands there; its picture only if retention says so.

        ``face`` has 128 values of unit length; raises ``NotFoundError`` and ``RecordError``.
        """
        self._passages.door(point.door_id)
        self._gate.evidence.show_document(point, face, self._clock.monotonic())
        pictures = self._pictures
        if pictures is None or not self._kept:
            return
        at = self._clock.now()
        ref = f"{point.door_id}-{at.timestamp():.3f}"
        async with self._store.writing() as work:
            await pictures.put(work, DOCUMENT, ref, jpeg, at, at + self._kept)

    # --- parts ----------------------------------------------------------------------------------

    async def _present_pin(self, point: AccessPoint, number: str, pin: str) -> Decision:
        key = f"pin:{number}"
        if await self._must_wait(point, key):
            person = self._credentials.holder(number)
            return await self._judge(Asking(point, Basis.PIN, person, key=key))
        check = await self._credentials.check_pin(number, pin)
        asking = Asking(point, Basis.PIN, check.person, credential=check.reason, key=key)
        if check.duress and check.person is not None:
            # Whatever becomes of it: who is forced needs help also where the door stays shut.
            self._alarms.raise_(AlarmKind.DURESS, point.door_id, check.person.subject)
        return await self._judge(asking)

    async def _present_card(self, point: AccessPoint, card_number: str) -> Decision:
        key = f"card:{card_number}"
        await self._must_wait(point, key)
        check = await self._credentials.check_card(card_number)
        return await self._judge(
            Asking(point, Basis.CARD, check.person, credential=check.reason, key=key)
        )

    async def _present_pass_pin(self, point: AccessPoint, number: str, pin: str) -> Decision:
        key = f"pass:{number}"
        if await self._must_wait(point, key):
            return await self._judge(Asking(point, Basis.PASS, key=key))
        known = self._passes.by_number(number)
        pin_hash = known.pin_hash if known is not None else None
        matches = await asyncio.to_thread(pin_matches, pin_hash, pin)
        matched = pin_hash if matches else None
        check = self._passes.check_pin(number, matched, point, self._clock.now())
        return await self._pass(point, check, key)

    async def _pass(
        self,
        point: AccessPoint,
        check: PassCheck,
        key: str | None = None,
        frame_age_s: float | None = None,
    ) -> Decision:
        """Judge a pass; a use is taken before anything is awaited and on the disk with the row."""
        found = check.visitor_pass
        asking = Asking(point, Basis.PASS, credential=check.reason, key=key)
        judgment = self._gate.judge(asking)
        pass_id = found.id if found is not None else None
        decision = self._passages.decide(asking, judgment, pass_id=pass_id, frame_age_s=frame_age_s)
        if not decision.granted or found is None or point.direction is Direction.EXIT:
            await self._passages.conclude(decision)
            return decision
        reserved = self._passes.reserve(found.id)
        assert reserved is not None, "checked in the same step"

        async def write(work: Work) -> None:
            # As it is now: it may have been revoked while this waited for its turn to write.
            await self._pass_store.put(work, self._passes.get(found.id))

        try:
            await self._passages.conclude(decision, write)
        except RecordError:
            self._passes.give_back(found.id)
            raise
        except ActuatorError as err:
            # A door that did not confirm may have opened all the same: then the use is gone.
            if err.code is not ErrorCode.NOT_CONFIRMED:
                self._passes.give_back(found.id)
                self._bulletin.record_later(self._write_pass(found.id))
            raise
        return decision

    async def _write_pass(self, pass_id: str) -> None:
        async with self._store.writing() as work:
            await self._pass_store.put(work, self._passes.get(pass_id))

    async def _judge(self, asking: Asking) -> Decision:
        decision = self._passages.decide(asking, self._gate.judge(asking))
        await self._passages.conclude(decision)
        return decision

    async def _must_wait(self, point: AccessPoint, key: str) -> bool:
        """Return whether a credential is not even looked at; at an exit it only takes longer."""
        blocked = self._gate.attempts.blocked_s(point.door_id, key, self._clock.monotonic()) > 0
        if blocked and point.direction is Direction.EXIT:
            await asyncio.sleep(EXIT_DELAY_S)
            return False
        return blocked
