"""The site: what its doors, calls and people do together, for the cameras and for the API.

The order of ``conclude`` is the heart of it: the record is durable before the door is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import datetime, timedelta
import logging
import uuid

from facegate.background import Background
from facegate.decision.policy import MAX_FRAME_AGE_S, judge_approval
from facegate.domain import (
    AccessPoint,
    Basis,
    CameraStatus,
    Clock,
    Decision,
    Reason,
    Vector,
    VisitorCall,
)
from facegate.door.door import Door
from facegate.door.homeassistant import HomeAssistantActuator, Send
from facegate.errors import NotFoundError, RecordError
from facegate.protocol import (
    Actuated,
    ActuatorStatus,
    CallAnswer,
    CallClosed,
    CallOpened,
    CameraChanged,
    Direction,
    DoorAction,
    DoorChanged,
    EngineMessage,
    StateMessage,
)
from facegate.record.store import EventKind, Store
from facegate.settings import Settings
from facegate.views import access_event, call_view, camera_view, door_view
from facegate.visitor.call import Calls

_LOGGER = logging.getLogger(__name__)

COMMAND_LIFE = timedelta(seconds=MAX_FRAME_AGE_S)

type Listener = Callable[[EngineMessage], None]


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG held in memory, and when it was taken."""

    data: bytes
    at: datetime


class Site:
    """Everything that happens at the doors of one site."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        calls: Calls,
        actuators: dict[str, HomeAssistantActuator],
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._store = store
        self._calls = calls
        self._clock = clock
        self._background = Background()
        self._listeners: list[Listener] = []
        self._pictures: dict[str, Picture] = {}
        self._cameras: dict[str, CameraStatus] = {}
        self._actuators = actuators
        self._doors = {door.id: self._door(door.id, door.pulse_s) for door in settings.doors}
        self._checking = False
        self.record_fault: str | None = None
        self.model_fault: str | None = None

    # --- what is --------------------------------------------------------------------------------

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Call ``listener`` with everything that happens from now on; return how to stop."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def state(self) -> StateMessage:
        """Return everything that a client shows."""
        return StateMessage(
            doors=tuple(
                door_view(door, self._doors[door.id].status, self._picture_at(door.id))
                for door in self._settings.doors
            ),
            cameras=tuple(
                camera_view(camera, self._cameras[camera.id])
                for camera in self._settings.cameras
                if camera.id in self._cameras
            ),
            calls=tuple(call_view(call) for call in self._calls.open),
        )

    def door_picture(self, door_id: str) -> bytes:
        """Return the last picture of a door; raises ``NotFoundError``."""
        if (picture := self._pictures.get(door_id)) is None:
            raise NotFoundError(f"no picture of the door {door_id!r} is held")
        return picture.data

    def call_picture(self, call_id: str) -> bytes:
        """Return the picture of an open call; raises ``ConflictError``."""
        return self._calls.get(call_id).picture

    # --- what cameras bring ---------------------------------------------------------------------

    def camera_changed(self, camera_id: str, status: CameraStatus) -> None:
        """Take note of a camera's new state."""
        self._cameras[camera_id] = status
        camera = next(item for item in self._settings.cameras if item.id == camera_id)
        self._publish(CameraChanged(camera_view(camera, status)))

    def show(self, door_id: str, picture: bytes) -> None:
        """Hold a new last picture of a door, in memory only."""
        self._pictures[door_id] = Picture(picture, self._clock.now())
        self._publish_door(door_id)

    async def conclude(self, decision: Decision) -> None:
        """Record a decision, tell it, and open the door where it grants.

        Raises ``RecordError`` (then nothing opens) and ``ActuatorError`` (then the door shows it).
        """
        door = self._doors[decision.access_point.door_id]
        opening = door.begin(decision.id) if decision.granted else None
        try:
            await self._recorded(
                self._store.record_decision(decision, opening.id if opening else None)
            )
        except BaseException:
            if opening is not None and opening.id == decision.id:
                door.abandon(opening)
            raise
        self._publish(access_event(decision))
        if opening is None:
            return
        if opening.id == decision.id:
            await door.pulse(opening, _expiry(decision))
        else:
            await door.join(opening)

    async def ring(self, access_point: AccessPoint, picture: bytes, embedding: Vector) -> None:
        """Let an unknown face ring, once; raises ``RecordError``."""
        call = self._calls.ring(access_point, picture, embedding)
        if call is not None:
            await self._record_call(call, "rang")
            self._publish(CallOpened(call_view(call)))

    # --- what users ask -------------------------------------------------------------------------

    async def answer(self, call_id: str, answer: CallAnswer, approver: str) -> None:
        """Answer a call, once; raises ``ConflictError``, ``RecordError``, ``ActuatorError``."""
        call = self._calls.answer(call_id)
        let_in = answer is CallAnswer.LET_IN
        outcome = "let_in" if let_in else "turned_away"
        try:
            await self._record_call(call, outcome, approver)
        except RecordError:
            self._calls.reopen(call)
            raise
        self._publish(CallClosed(call.id, call.access_point.door_id, outcome))
        if let_in:
            await self.conclude(
                self._approved(call.access_point, Basis.VISITOR, Reason.LET_IN, approver, call.id)
            )

    async def operate(self, door_id: str, action: DoorAction, operator: str) -> None:
        """Open, unlock or lock a door by hand; raises as ``answer``, and ``NotFoundError``."""
        door = self._get_door(door_id)
        if action is DoorAction.LOCK:
            command_id = uuid.uuid4().hex
            recording = self._store.record(
                EventKind.LOCK, self._clock.now(), command_id, door_id, "locked", user=operator
            )
            try:
                await self._recorded(recording)
            except RecordError as err:
                # Failing records keep doors shut; they must not keep one open.
                _LOGGER.error("Door %s is locked off the record: %s", door_id, err)  # noqa: TRY400
            await door.lock(command_id, COMMAND_LIFE)
            return
        decision = self._approved(
            AccessPoint(door_id, Direction.ENTRY), Basis.OPERATOR, Reason.OPERATOR, operator
        )
        if action is DoorAction.OPEN:
            await self.conclude(decision)
        else:
            await self._recorded(self._store.record_decision(decision, decision.id))
            self._publish(access_event(decision))
            await door.hold(decision.id, decision.at + COMMAND_LIFE)

    # --- what actuators say ---------------------------------------------------------------------

    def actuator_offered(self, send: Send, status: ActuatorStatus) -> None:
        """Take a client's word on the entity of a door; raises ``NotFoundError``."""
        door = self._get_door(status.door_id)
        self._actuators[door.id].offer(send, status)
        door.actuator_changed()

    def actuator_answered(self, answer: Actuated) -> None:
        """Pass a confirmation on to whoever waits for it."""
        if not any(actuator.confirm(answer) for actuator in self._actuators.values()):
            _LOGGER.info("A confirmation of %s came too late to count", answer.command_id)

    def client_left(self, send: Send) -> None:
        """Forget a client that drove doors."""
        for door_id, actuator in self._actuators.items():
            if actuator.withdraw(send):
                self._doors[door_id].actuator_changed()

    # --- its own life ---------------------------------------------------------------------------

    async def start(self) -> None:
        """Close the openings that an earlier run left open in the record; never repeat them."""
        for opening_id, door_id in await self._store.interrupted_openings():
            await self._store.record(
                EventKind.OPENING, self._clock.now(), opening_id, door_id, "interrupted"
            )
            _LOGGER.warning("Door %s: an opening was interrupted; it is not repeated", door_id)

    def tick(self) -> None:
        """Close the calls whose minute has passed, see whether failing records are well again.

        To be called every second.
        """
        for call in self._calls.expire():
            self._publish(CallClosed(call.id, call.access_point.door_id, "expired"))
            self._background.spawn(self._record_call(call, "expired"))
        if self.record_fault is not None and not self._checking:
            self._checking = True
            self._background.spawn(self._check_records())

    async def close(self) -> None:
        """Stop watching doors and finish what is being recorded."""
        for door in self._doors.values():
            await door.close()
        await self._background.finish()

    # --- parts ----------------------------------------------------------------------------------

    def _get_door(self, door_id: str) -> Door:
        if (door := self._doors.get(door_id)) is None:
            known = ", ".join(self._doors)
            raise NotFoundError(f"no door has the id {door_id!r}; doors: {known}")
        return door

    def _door(self, door_id: str, pulse_s: float) -> Door:
        def outcome(opening_id: str, result: str, fault: str | None) -> None:
            recording = self._store.record(
                EventKind.OPENING, self._clock.now(), opening_id, door_id, result, fault=fault
            )
            self._background.spawn(self._recorded(recording))

        return Door(
            door_id,
            pulse_s,
            self._actuators[door_id],
            self._clock,
            on_status=lambda _: self._publish_door(door_id),
            on_outcome=outcome,
        )

    def _approved(
        self,
        access_point: AccessPoint,
        basis: Basis,
        reason: Reason,
        approver: str,
        call_id: str | None = None,
    ) -> Decision:
        judgment = judge_approval(reason)
        return Decision(
            id=uuid.uuid4().hex,
            at=self._clock.now(),
            access_point=access_point,
            basis=basis,
            granted=judgment.granted,
            reason=judgment.reason,
            verdicts=judgment.verdicts,
            approver=approver,
            call_id=call_id,
        )

    async def _record_call(self, call: VisitorCall, outcome: str, user: str | None = None) -> None:
        await self._recorded(
            self._store.record(
                EventKind.CALL,
                self._clock.now(),
                call.id,
                call.access_point.door_id,
                outcome,
                user=user,
            )
        )

    async def _check_records(self) -> None:
        try:
            await self._recorded(self._store.check())
            _LOGGER.info("The records can be written again")
        except RecordError:
            _LOGGER.debug("The records still fail")
        finally:
            self._checking = False

    async def _recorded(self, recording: Coroutine[None, None, None]) -> None:
        """Await a recording and remember whether the records work."""
        try:
            await recording
        except RecordError as err:
            self.record_fault = str(err)
            raise
        self.record_fault = None

    def _picture_at(self, door_id: str) -> float | None:
        picture = self._pictures.get(door_id)
        return picture.at.timestamp() if picture else None

    def _publish_door(self, door_id: str) -> None:
        door = next(door for door in self._settings.doors if door.id == door_id)
        status = self._doors[door_id].status
        self._publish(DoorChanged(door_view(door, status, self._picture_at(door_id))))

    def _publish(self, message: EngineMessage) -> None:
        for listener in tuple(self._listeners):
            listener(message)


def _expiry(decision: Decision) -> datetime:
    """Return until when a decision may open: its evidence must not be older than 2 s."""
    return decision.at + COMMAND_LIFE - timedelta(seconds=decision.frame_age_s or 0)
