"""The site: its parts, what users ask of its doors, and its own life."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
import logging

from facegate.decision.gate import Asking, Gate
from facegate.domain import AccessPoint, Actuator, Clock
from facegate.door.homeassistant import HomeAssistantActuator, Send
from facegate.errors import InvalidError
from facegate.face.integrity import ModelFault
from facegate.latency import Latencies
from facegate.protocol import Actuated, ActuatorStatus, Direction, DoorAction
from facegate.record.passes import PassStore
from facegate.record.presence import PresenceStore
from facegate.record.store import EventKind, Store
from facegate.site.alarms import Alarms
from facegate.site.board import Board
from facegate.site.bulletin import Bulletin
from facegate.site.contacts import Contacts
from facegate.site.modes import Modes
from facegate.site.passages import Passages, refuse
from facegate.site.performance import Performance
from facegate.site.placement import Placement
from facegate.site.presenting import Presenting
from facegate.site.rounds import Rounds
from facegate.site.visitors import Visitors
from facegate.verdicts import Basis, Reason
from facegate.visitor.passes import Passes

_LOGGER = logging.getLogger(__name__)

_MOST_PEOPLE = 1_000_000


@dataclass
class Site:
    """Everything that happens at the doors of one site.

    ``faults`` name what keeps faces or records from working: it is told by ``/health``.
    """

    gate: Gate
    store: Store
    presence: PresenceStore
    passes: Passes
    pass_store: PassStore
    board: Board
    alarms: Alarms
    bulletin: Bulletin
    passages: Passages
    contacts: Contacts
    modes: Modes
    visitors: Visitors
    presenting: Presenting
    rounds: Rounds
    performance: Performance
    placement: Placement
    actuators: Mapping[str, Actuator]
    homeassistant: Mapping[str, HomeAssistantActuator]
    latencies: Latencies
    clock: Clock
    model_faults: tuple[ModelFault, ...] = ()
    vault_fault: str | None = None
    _interrupted: set[str] = field(default_factory=set)

    async def start(self) -> None:
        """Take over what an earlier run left; raises ``RecordError``.

        Openings that it left open in the record are closed and never repeated.
        """
        await self.modes.load()
        self.passes.replace(await self.pass_store.all())
        stays = await self.presence.stays()
        self.gate.presence.restore(
            [(stay.subject_id, stay.area_id) for stay in stays], await self.presence.heads()
        )
        await self.rounds.catch_up()
        for opening_id, door_id in await self.store.interrupted_openings():
            body = {"outcome": "interrupted", "fault": None}
            await self.store.record(
                EventKind.OPENING, self.clock.now(), opening_id, door_id=door_id, body=body
            )
            self._interrupted.add(door_id)
            _LOGGER.warning("Door %s: an opening was interrupted; it is not repeated", door_id)

    @property
    def model_fault(self) -> str | None:
        """Why no door opens to a face: what is wrong with a model, and what to do; or None."""
        return next((fault.text for fault in self.model_faults if fault.stops_faces), None)

    def models_found(self, faults: tuple[ModelFault, ...]) -> None:
        """Take note of what is wrong with the models now, and tell what changed."""
        if faults == self.model_faults:
            return
        for fault in faults:
            if fault not in self.model_faults:
                stops = "No door opens to a face" if fault.stops_faces else "A model does not serve"
                _LOGGER.error("%s: %s", stops, fault.text)
        for fault in self.model_faults:
            if fault not in faults:
                _LOGGER.warning("No longer so: %s", fault.text)
        self.model_faults = faults
        self.board.models_changed(faults)

    def tick(self) -> None:
        """Look after what goes by the clock; to be called every second."""
        self.visitors.look()
        self.contacts.look()
        self.board.look()
        self.modes.look()
        self.passages.forget_awaited()
        self.rounds.look()
        self.performance.look()
        self.bulletin.check(self.store.check)
        self.bulletin.flush()

    async def close(self) -> None:
        """Stop watching doors and finish what is being recorded."""
        for door in self.passages.doors.values():
            await door.close()
        await self.bulletin.finish()

    async def operate(
        self,
        door_id: str,
        action: DoorAction,
        user: str,
        direction: Direction = Direction.ENTRY,
    ) -> None:
        """Open, unlock or lock a door for a user.

        Raises ``NotFoundError``, ``RecordError``, ``ActuatorError``, and ``ConflictError`` where
        the rules forbid it.
        """
        self.passages.door(door_id)
        if action is DoorAction.LOCK:
            await self.passages.lock(door_id, user)
            return
        asking = Asking(AccessPoint(door_id, direction), Basis.OPERATOR, approval=Reason.OPERATOR)
        decision = self.passages.decide(asking, self.gate.judge(asking), approver=user)
        if action is DoorAction.OPEN:
            await self.passages.conclude(decision)
        else:
            await self.passages.hold(decision)
        refuse(decision)

    # --- areas ----------------------------------------------------------------------------------

    async def correct(self, area_id: str, count: int, user: str) -> None:
        """Set how many people are in an area; raises ``InvalidError`` and ``RecordError``."""
        if not 0 <= count <= _MOST_PEOPLE:
            raise InvalidError(f"count: {count} is not a number from 0 to {_MOST_PEOPLE}")
        named = len(self.gate.presence.inside(area_id))
        await self.bulletin.recorded(
            self._write_area(area_id, user, heads=count - named, occupancy=count)
        )
        self.gate.presence.correct(area_id, count)
        self.board.show_area(area_id)

    async def reset(self, area_id: str, subject_id: str | None, user: str) -> None:
        """Forget that a subject is in an area, or that anybody is; raises ``RecordError``."""
        presence = self.gate.presence
        heads = 0 if subject_id is None else presence.heads(area_id)
        await self.bulletin.recorded(
            self._write_area(area_id, user, heads=heads, gone=(subject_id,))
        )
        presence.reset(area_id, subject_id)
        self.board.show_area(area_id)

    async def _write_area(
        self,
        area_id: str,
        user: str,
        *,
        heads: int,
        occupancy: int | None = None,
        gone: tuple[str | None, ...] = (),
    ) -> None:
        async with self.store.writing() as work:
            for subject_id in gone:
                await self.presence.leave(work, area_id, subject_id)
            await self.presence.put_heads(work, area_id, heads)
            work.record(
                EventKind.AREA,
                self.clock.now(),
                area_id,
                subject_id=next(iter(gone), None),
                body={"occupancy": occupancy, "user": user},
            )

    # --- what actuators say ---------------------------------------------------------------------

    def actuator_offered(self, send: Send, status: ActuatorStatus) -> None:
        """Take a client's word on the entity of a door; raises ``NotFoundError``."""
        door_id = self.passages.door(status.door_id).id
        if (actuator := self.homeassistant.get(door_id)) is None:
            if status.available:
                _LOGGER.warning(
                    "Door %s has a relay of its own: Home Assistant's entity is not used", door_id
                )
            return
        actuator.offer(send, status)
        self.actuator_moved(door_id)

    def actuator_answered(self, answer: Actuated) -> None:
        """Pass a confirmation on to whoever waits for it."""
        if not any(actuator.confirm(answer) for actuator in self.homeassistant.values()):
            _LOGGER.info("A confirmation of %s came too late to count", answer.command_id)

    def client_left(self, send: Send) -> None:
        """Forget a client that drove doors."""
        for door_id, actuator in self.homeassistant.items():
            if actuator.withdraw(send):
                self.passages.door(door_id).actuator_changed()

    def actuator_moved(self, door_id: str) -> None:
        """Look at a door's hardware again: it came, went or moved.

        A door that an interrupted opening left open is locked once it can be reached.
        """
        self.passages.door(door_id).actuator_changed()
        actuator = self.actuators[door_id]
        if door_id not in self._interrupted or actuator.unavailable_reason is not None:
            return
        self._interrupted.discard(door_id)
        if actuator.unlocked:
            self.bulletin.spawn(self.passages.lock(door_id, "interrupted opening"))
