"""Hardware of a door that does as it is told."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from facegate.domain import ActuatorCommand, DoorStatus
from facegate.door.door import Door
from facegate.errors import ActuatorError
from facegate.protocol import ActuatorAction, DoorStateName, ErrorCode
from tests.support import FakeClock

LIFE = timedelta(seconds=2)


class ScriptedActuator:
    """Confirms at once unless ``hesitates``; a pulse ends when ``end_pulse`` says so."""

    def __init__(self) -> None:
        self.unavailable_reason: str | None = None
        self.unlocked: bool | None = False
        self.holds = True
        self.refusal: str | None = None
        self.pulse_refusal: str | None = None
        self.asked: list[ActuatorCommand] = []
        self._confirmed = asyncio.Event()
        self._confirmed.set()
        self._pulse_ended = asyncio.Event()

    def hesitate(self) -> None:
        self._confirmed.clear()

    def confirm(self) -> None:
        self._confirmed.set()

    def end_pulse(self) -> None:
        self._pulse_ended.set()

    async def perform(self, command: ActuatorCommand) -> None:
        if self.unavailable_reason is not None:
            raise ActuatorError(self.unavailable_reason)
        self.asked.append(command)
        await self._confirmed.wait()
        if self.refusal is not None:
            raise ActuatorError(self.refusal, ErrorCode.NOT_CONFIRMED)
        if command.action is ActuatorAction.PULSE:
            self._pulse_ended.clear()

    async def pulse_ended(self, command: ActuatorCommand) -> None:
        assert command in self.asked
        await self._pulse_ended.wait()
        if self.pulse_refusal is not None:
            raise ActuatorError(self.pulse_refusal, ErrorCode.NOT_CONFIRMED)

    @property
    def actions(self) -> list[str]:
        return [command.action for command in self.asked]


class ScriptedDoor:
    """A door with scripted hardware, and everything that it told."""

    def __init__(self, pulse_s: float = 60) -> None:
        self.actuator = ScriptedActuator()
        self.clock = FakeClock()
        self.told: list[DoorStatus] = []
        self.outcomes: list[tuple[str, str, str | None]] = []
        self.door = Door(
            "front",
            pulse_s,
            self.actuator,
            self.clock,
            on_status=self.told.append,
            on_outcome=lambda *outcome: self.outcomes.append(outcome),
        )
        self.door.actuator_changed()
        self.told.clear()

    @property
    def state(self) -> DoorStateName:
        return self.door.status.state

    @property
    def states(self) -> list[str]:
        return [status.state for status in self.told]

    async def pulse(self, opening_id: str) -> None:
        """Do what a grant does: reserve, then open or share the opening."""
        opening = self.door.begin(opening_id)
        if opening.id == opening_id:
            await self.door.pulse(opening, self.clock.now() + LIFE)
        else:
            await self.door.join(opening)

    async def hold(self, opening_id: str) -> None:
        await self.door.hold(opening_id, self.clock.now() + LIFE)

    async def lock(self, command_id: str = "lock") -> None:
        await self.door.lock(command_id, LIFE)


async def settle() -> None:
    """Let everything run that can."""
    for _ in range(10):
        await asyncio.sleep(0)
