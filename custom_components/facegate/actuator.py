"""The engine's hardware: the Home Assistant entities that hold its doors shut.

Each door has one worker that takes its commands in order. A pulse is timed here, so that it ends
whether or not the engine is still there: when its time is over, or when the integration is
unloaded. A newer command takes over a running pulse, of whose end the engine is then not told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
import logging
import time

from homeassistant.core import (
    CALLBACK_TYPE,
    Context,
    Event,
    EventStateChangedData,
    HomeAssistant,
    callback,
)
from homeassistant.helpers.event import async_track_state_change_event

from .client import FaceGateClient
from .drive import (
    OPEN_TIMEOUT_S,
    SHUT_TIMEOUT_S,
    Drive,
    DriveError,
    drive_for,
    is_unlocked,
    perform,
    unavailable_reason,
)
from .protocol import Actuate, Actuated, ActuatorAction, ActuatorPhase, ActuatorStatus

_LOGGER = logging.getLogger(__name__)

# Commands live for seconds, and a connection that is silent for less is given up: what lies
# farther ahead or behind tells that a clock was set.
LONGEST_LIFE_S = 30.0
REMEMBERED_COMMANDS = 256

type Answer = Callable[[Actuated], None]


@dataclass(frozen=True, slots=True)
class _Order:
    command: Actuate
    deadline: float  # of time.monotonic


class Actuators:
    """All doors of one engine; ``entities`` maps a door's id to the entity that drives it."""

    def __init__(
        self, hass: HomeAssistant, client: FaceGateClient, entities: Mapping[str, str]
    ) -> None:
        self._hass = hass
        self._client = client
        self._entities = entities
        self._doors: dict[str, DoorActuator] = {}
        self._answers: dict[str, list[Actuated]] = {}

    @callback
    def announce(self, door_ids: Iterable[str]) -> None:
        """Tell the engine what drives each of its doors; follow doors that came or went."""
        wanted = set(door_ids)
        for door_id in self._doors.keys() - wanted:
            self._hass.async_create_task(self._doors.pop(door_id).stop())
        for door_id in sorted(wanted - self._doors.keys()):
            self._doors[door_id] = DoorActuator(
                self._hass, door_id, self._entities.get(door_id), self._client, self._answer
            )
        for door in self._doors.values():
            door.announce()

    @callback
    def actuate(self, command: Actuate) -> None:
        """Take a command, once: a repetition is given the answers of the first."""
        if command.command_id in self._answers:
            _LOGGER.warning("Command %s came twice; not done again", command.command_id)
            for answer in self._answers[command.command_id]:
                self._client.post(answer)
            return
        self._answers[command.command_id] = []
        while len(self._answers) > REMEMBERED_COMMANDS:
            del self._answers[next(iter(self._answers))]
        left = self._client.seconds_until(command.expires_at)
        clock_set = abs(left) > LONGEST_LIFE_S
        door = self._doors.get(command.door_id)
        if door is None:
            self._refuse(command, "Home Assistant does not know this door")
        elif clock_set and command.action is not ActuatorAction.RELEASE:
            self._refuse(command, "the clocks of engine and Home Assistant no longer agree")
        else:
            door.submit(_Order(command, time.monotonic() + left))
        if clock_set:
            _LOGGER.warning("A clock was set; connecting to the engine anew to compare")
            self._client.reconnect()

    async def stop(self) -> None:
        """End running pulses now and take no more commands."""
        doors, self._doors = self._doors, {}
        await asyncio.gather(*(door.stop() for door in doors.values()))

    def _refuse(self, command: Actuate, error: str) -> None:
        self._answer(Actuated(command.command_id, ActuatorPhase.ON, ok=False, error=error))

    def _answer(self, answer: Actuated) -> None:
        if not answer.ok:
            _LOGGER.warning("Door command %s failed: %s", answer.command_id, answer.error)
        if answer.command_id in self._answers:
            self._answers[answer.command_id].append(answer)
        if not self._client.post(answer):
            _LOGGER.debug("No connection to tell of %s", answer)


class DoorActuator:
    """One door and the entity that drives it, if one is chosen."""

    def __init__(
        self,
        hass: HomeAssistant,
        door_id: str,
        entity_id: str | None,
        client: FaceGateClient,
        answer: Answer,
    ) -> None:
        self._hass = hass
        self._door_id = door_id
        self._entity_id = entity_id
        self._client = client
        self._answer = answer
        self._orders: asyncio.Queue[_Order | None] = asyncio.Queue()
        self._newer = asyncio.Event()
        self._pulsing = False
        self._stopping = False
        self._announced: ActuatorStatus | None = None
        self._untrack: CALLBACK_TYPE | None = None
        if entity_id is not None:
            self._untrack = async_track_state_change_event(hass, entity_id, self._on_state)
        self._worker = hass.async_create_background_task(
            self._work(), f"FaceGate actuator of {door_id}"
        )

    @callback
    def announce(self) -> None:
        """Tell the engine whether the door can be driven, and what the entity shows."""
        self._announced = self._status()
        self._client.post(self._announced)

    @callback
    def submit(self, order: _Order) -> None:
        """Do this after what was submitted before; it takes over a running pulse."""
        self._orders.put_nowait(order)
        self._newer.set()

    async def stop(self) -> None:
        """End a running pulse now; return when the entity was told."""
        if self._untrack is not None:
            self._untrack()
        self._stopping = True
        self._orders.put_nowait(None)
        self._newer.set()
        await asyncio.gather(self._worker, return_exceptions=True)

    @callback
    def _on_state(self, _event: Event[EventStateChangedData]) -> None:
        if self._status() != self._announced:
            self.announce()

    def _status(self) -> ActuatorStatus:
        reason = unavailable_reason(self._hass, self._entity_id)
        return ActuatorStatus(
            self._door_id,
            available=reason is None,
            reason=reason,
            unlocked=is_unlocked(self._hass, self._entity_id),
        )

    async def _work(self) -> None:
        while (order := await self._orders.get()) is not None:
            if self._orders.empty():
                self._newer.clear()
            await self._execute(order)

    async def _execute(self, order: _Order) -> None:
        command, entity_id = order.command, self._entity_id
        reason = self._refusal(order)
        if reason is not None or entity_id is None:
            self._tell(command, ActuatorPhase.ON, reason)
            if self._pulsing and entity_id is not None:
                await self._shut(entity_id, drive_for(self._hass, entity_id), Context())
            return
        drive, context = drive_for(self._hass, entity_id), Context()
        match command.action:
            case ActuatorAction.PULSE:
                await self._pulse(command, entity_id, drive, context)
            case ActuatorAction.HOLD:
                await self._hold(command, entity_id, drive, context)
            case ActuatorAction.RELEASE:
                error = await self._shut(entity_id, drive, context)
                self._tell(command, ActuatorPhase.ON, error)

    def _refusal(self, order: _Order) -> str | None:
        if (reason := unavailable_reason(self._hass, self._entity_id)) is not None:
            return reason
        if order.command.action is ActuatorAction.RELEASE:  # shutting late is better than never
            return None
        if self._stopping:
            return "the integration is being unloaded"
        late = time.monotonic() - order.deadline
        return f"the command expired {late:.1f} s ago" if late >= 0 else None

    async def _pulse(
        self, command: Actuate, entity_id: str, drive: Drive, context: Context
    ) -> None:
        self._pulsing = True
        opened = taken_over = False
        try:
            await perform(self._hass, entity_id, drive.pulse, context, OPEN_TIMEOUT_S)
            opened = True
            self._tell(command, ActuatorPhase.ON, None)
            taken_over = await self._newer_within(command.pulse_s)
        except DriveError as err:
            self._tell(command, ActuatorPhase.ON, str(err))
        finally:  # also where it is not known whether the entity acted
            if not taken_over:
                error = await self._shut(entity_id, drive, context)
                if opened:
                    self._tell(command, ActuatorPhase.OFF, error)

    async def _hold(self, command: Actuate, entity_id: str, drive: Drive, context: Context) -> None:
        if drive.hold is None:
            reason = f"{entity_id} can only be pressed; it cannot hold a door open"
            self._tell(command, ActuatorPhase.ON, reason)
            return
        try:
            await perform(self._hass, entity_id, drive.hold, context, OPEN_TIMEOUT_S)
        except DriveError as err:
            self._tell(command, ActuatorPhase.ON, str(err))
            await self._shut(entity_id, drive, context)
        else:
            self._pulsing = False
            self._tell(command, ActuatorPhase.ON, None)

    async def _shut(self, entity_id: str, drive: Drive, context: Context) -> str | None:
        """Shut, or say why it did not; a button times its own pulse."""
        self._pulsing = False
        if drive.off is None:
            return None
        try:
            await perform(self._hass, entity_id, drive.off, context, SHUT_TIMEOUT_S)
        except DriveError as err:
            _LOGGER.warning("Door %s may still be open", self._door_id)
            return str(err)
        return None

    async def _newer_within(self, seconds: float) -> bool:
        """Wait; return early, and whether another order takes over from this one."""
        try:
            async with asyncio.timeout(seconds):
                await self._newer.wait()
        except TimeoutError:
            return False
        return not self._stopping or self._orders.qsize() > 1

    def _tell(self, command: Actuate, phase: ActuatorPhase, error: str | None) -> None:
        self._answer(Actuated(command.command_id, phase, ok=error is None, error=error))
