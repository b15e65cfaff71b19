"""Passages: from a judgment to a record, a door that opens, and somebody who went through.

The order of ``conclude`` is the heart of it: the record is durable before the door is asked.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
import logging
import uuid

from facegate.decision.claim import Judgment
from facegate.decision.gate import Asking, Gate
from facegate.decision.policy import MAX_FRAME_AGE_S
from facegate.domain import Actuator, Clock, Decision
from facegate.door.door import Door
from facegate.errors import ConflictError, NotFoundError, RecordError
from facegate.latency import Latencies, Stage
from facegate.protocol import AlarmKind, Direction, PassageEvent
from facegate.record.presence import PresenceStore, Sighting, Stay
from facegate.record.store import EventKind, Store, Work
from facegate.settings import Settings
from facegate.site.alarms import Alarms
from facegate.site.board import Board
from facegate.site.bulletin import Bulletin
from facegate.verdicts import Basis
from facegate.views import access_event

_LOGGER = logging.getLogger(__name__)

COMMAND_LIFE = timedelta(seconds=MAX_FRAME_AGE_S)
CONTACT_S = 5.0
"""How long after its pulse a door with a contact may still be opened by who was granted."""

# Grants that tell nothing of who went through, or whether anybody did.
_UNCOUNTED = {Basis.OPERATOR, Basis.MODE}

type Also = Callable[[Work], Awaitable[None]]


class Passages:
    """The doors of a site, and who goes through them."""

    def __init__(
        self,
        settings: Settings,
        gate: Gate,
        store: Store,
        presence: PresenceStore,
        board: Board,
        alarms: Alarms,
        bulletin: Bulletin,
        actuators: Mapping[str, Actuator],
        latencies: Latencies,
        clock: Clock,
    ) -> None:
        self._settings = {door.id: door for door in settings.doors}
        self._gate = gate
        self._store = store
        self._presence = presence
        self._board = board
        self._alarms = alarms
        self._bulletin = bulletin
        self._latencies = latencies
        self._clock = clock
        self._awaited: dict[str, list[tuple[Decision, float]]] = {}
        self.doors = {key: self._door(key, actuators[key]) for key in self._settings}

    def door(self, door_id: str) -> Door:
        """Return a door; raises ``NotFoundError``."""
        if (door := self.doors.get(door_id)) is None:
            known = ", ".join(self.doors)
            raise NotFoundError(f"no door has the id {door_id!r}; doors: {known}")
        return door

    def holds(self, door_id: str) -> bool:
        """Return whether a door is unlocked until it is locked."""
        return self.doors[door_id].status.held

    def decide(
        self,
        asking: Asking,
        judgment: Judgment,
        *,
        approver: str | None = None,
        call_id: str | None = None,
        pass_id: str | None = None,
        first_seen_at: datetime | None = None,
        first_arrived: float | None = None,
        frame_age_s: float | None = None,
    ) -> Decision:
        """Make a judgment a decision, to be concluded now: the rules take it as such.

        ``first_seen_at`` and ``first_arrived`` (monotonic) are when the first frame that showed
        the face arrived; ``frame_age_s`` is how old the frame is that showed a code; a face
        brings its own.
        """
        decision_id = uuid.uuid4().hex
        committed = self._gate.commit(asking, judgment, decision_id)
        person, face = asking.person, asking.face
        decision = Decision(
            id=decision_id,
            at=self._clock.now(),
            access_point=asking.access_point,
            basis=asking.basis,
            granted=judgment.granted,
            reason=judgment.reason,
            verdicts=judgment.verdicts,
            subject=person.subject if person is not None else None,
            identification=face.identification if face is not None else None,
            approver=approver,
            call_id=call_id,
            pass_id=pass_id,
            companion_id=committed.companion_id,
            notify=tuple(g.notify for g in person.guardians if g.notify) if person else (),
            first_seen_at=first_seen_at,
            first_arrived=first_arrived,
            frame_age_s=face.frame_age_s if face is not None else frame_age_s,
        )
        self._alarms.of_decision(decision, must_wait=committed.must_wait)
        return decision

    async def conclude(self, decision: Decision, also: Also | None = None) -> None:
        """Record a decision, tell it, and open the door where it grants.

        ``also`` writes what must be as durable as the decision, with it. Raises ``RecordError``
        (then nothing opens) and ``ActuatorError`` (then the door shows it).
        """
        door = self.door(decision.access_point.door_id)
        opening = door.begin(decision.id) if decision.granted else None
        try:
            await self._record(decision, opening.id if opening is not None else None, also)
        except BaseException:
            if opening is not None and opening.id == decision.id:
                door.abandon(opening)
            self._gate.presence.settle(decision.id)
            raise
        if opening is None:
            return
        try:
            if opening.id == decision.id:
                with self._latencies.measured(Stage.ACTUATE):
                    await door.pulse(opening, _expiry(decision))
                self._measure_unlock(decision)
            else:
                await door.join(opening)
        except BaseException:
            self._gate.presence.settle(decision.id)
            raise
        self._opened(decision)

    async def hold(self, decision: Decision) -> None:
        """Record a decision, and unlock its door until it is locked; raises as ``conclude``."""
        self._gate.presence.settle(decision.id)
        await self._record(decision, decision.id if decision.granted else None)
        if decision.granted:
            door = self.door(decision.access_point.door_id)
            await door.hold(decision.id, _expiry(decision))

    async def lock(self, door_id: str, user: str) -> None:
        """Lock a door now, for a user or a mode; raises ``ActuatorError``."""
        door, lock_id, at = self.door(door_id), uuid.uuid4().hex, self._clock.now()
        body = {"outcome": "locked", "user": user}
        recording = self._store.record(EventKind.LOCK, at, lock_id, door_id=door_id, body=body)
        try:
            await self._bulletin.recorded(recording)
        except RecordError as err:
            # Failing records keep doors shut; they must not keep one open.
            _LOGGER.error("Door %s is locked off the record: %s", door_id, err)  # noqa: TRY400
        await door.lock(lock_id, COMMAND_LIFE)

    # --- what follows an opening ----------------------------------------------------------------

    def contact_opened(self, door_id: str) -> bool:
        """Take note that a door really opened; return whether somebody had been granted that."""
        self.forget_awaited()
        awaited = self._awaited.pop(door_id, [])
        for decision, _ in awaited:
            if decision.basis not in _UNCOUNTED:
                self._went_through(decision)
        return bool(awaited)

    def forget_awaited(self) -> None:
        """Give up on those who were granted and did not open the door."""
        now = self._clock.monotonic()
        for door_id, awaited in list(self._awaited.items()):
            self._awaited[door_id] = [item for item in awaited if now < item[1]]
            for decision, until in awaited:
                if now >= until:
                    self._gate.presence.settle(decision.id)

    def _opened(self, decision: Decision) -> None:
        door = self._settings[decision.access_point.door_id]
        counted = decision.basis not in _UNCOUNTED
        if not counted:
            self._gate.presence.settle(decision.id)
        if door.contact and self._board.is_open(door.id) is False:
            until = self._clock.monotonic() + door.pulse_s + CONTACT_S
            self._awaited.setdefault(door.id, []).append((decision, until))
        elif counted:
            self._went_through(decision)

    def _went_through(self, decision: Decision) -> None:
        """Take note of a passage: somebody was granted, and the door opened."""
        point, subject = decision.access_point, decision.subject
        subject_id = subject.id if subject is not None else None
        area_id = self._gate.passed(decision.id, point, subject_id)
        at = self._clock.now()
        self._bulletin.record_later(self._record_passage(decision, area_id, at))
        self._bulletin.publish(
            PassageEvent(
                door_id=point.door_id,
                direction=point.direction,
                at=at.timestamp(),
                decision_id=decision.id,
                area_id=area_id if point.direction is Direction.ENTRY else None,
                subject_id=subject_id,
                subject_name=subject.name if subject is not None else None,
                subject_kind=subject.kind if subject is not None else None,
                notify=decision.notify,
            )
        )
        if area_id is not None:
            self._board.show_area(area_id)

    async def _record_passage(self, decision: Decision, area_id: str | None, at: datetime) -> None:
        point = decision.access_point
        subject_id = decision.subject.id if decision.subject is not None else None
        async with self._store.writing() as work:
            work.record(
                EventKind.PASSAGE,
                at,
                decision.id,
                door_id=point.door_id,
                subject_id=subject_id,
                body={"direction": point.direction, "area": area_id},
            )
            if subject_id is not None:
                await self._presence.see(work, Sighting(subject_id, at, point.door_id))
            if area_id is None:
                return
            if subject_id is not None and point.direction is Direction.ENTRY:
                await self._presence.enter(work, Stay(subject_id, area_id, at))
            elif subject_id is not None:
                await self._presence.leave(work, area_id, subject_id)
            heads = self._gate.presence.heads(area_id)
            await self._presence.put_heads(work, area_id, heads)

    # --- parts ----------------------------------------------------------------------------------

    async def _record(
        self, decision: Decision, opening_id: str | None, also: Also | None = None
    ) -> None:
        async def write() -> None:
            async with self._store.writing() as work:
                work.record_decision(decision, opening_id)
                if also is not None:
                    await also(work)

        with self._latencies.measured(Stage.RECORD):
            await self._bulletin.recorded(write())
        self._bulletin.publish(access_event(decision))

    def _measure_unlock(self, decision: Decision) -> None:
        """Take how long a face stood there until its door had opened for it."""
        if decision.basis is Basis.FACE and decision.first_arrived is not None:
            waited_s = self._clock.monotonic() - decision.first_arrived
            self._latencies.observe(Stage.ARRIVAL_TO_UNLOCK, waited_s)

    def _door(self, door_id: str, actuator: Actuator) -> Door:
        def outcome(opening_id: str, result: str, fault: str | None) -> None:
            self._bulletin.record_later(
                self._store.record(
                    EventKind.OPENING,
                    self._clock.now(),
                    opening_id,
                    door_id=door_id,
                    body={"outcome": result, "fault": fault},
                )
            )
            if fault is not None:
                self._alarms.raise_(AlarmKind.ACTUATOR, door_id, detail=fault, ref=opening_id)

        door = Door(
            door_id,
            self._settings[door_id].pulse_s,
            actuator,
            self._clock,
            on_status=lambda status: self._board.door_changed(door_id, status),
            on_outcome=outcome,
        )
        self._board.door_changed(door_id, door.status)
        return door


def refuse(decision: Decision) -> None:
    """Raise ``ConflictError`` where the rules forbade what a user asked for."""
    if not decision.granted:
        raise ConflictError(f"the door stays shut: {decision.reason.replace('_', ' ')}")


def _expiry(decision: Decision) -> datetime:
    """Return until when a decision may open: its evidence must not be older than 2 s."""
    return decision.at + COMMAND_LIFE - timedelta(seconds=decision.frame_age_s or 0)
