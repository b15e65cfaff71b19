"""An actuator behind Home Assistant: the integration drives an entity and confirms.

The integration times the pulse, so that a door locks again even if the engine dies meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from facegate.domain import ActuatorCommand
from facegate.errors import ActuatorError
from facegate.protocol import (
    Actuate,
    Actuated,
    ActuatorAction,
    ActuatorPhase,
    ActuatorStatus,
    ErrorCode,
)

CONFIRM_S = 2.0
"""How long a confirmation may take, beyond the pulse itself for its end."""

type Send = Callable[[Actuate], None]


class HomeAssistantActuator:
    """One door's entity in Home Assistant; the newest client that offers to drive it does."""

    def __init__(self, door_id: str) -> None:
        self._door_id = door_id
        self._send: Send | None = None
        self._status: ActuatorStatus | None = None
        self._waiting: dict[tuple[str, ActuatorPhase], asyncio.Future[Actuated]] = {}

    @property
    def unavailable_reason(self) -> str | None:
        """Why it cannot be used now, or None."""
        if self._status is None:
            return "Home Assistant is not connected; check that the FaceGate integration is loaded"
        if not self._status.available:
            return self._status.reason or "Home Assistant cannot reach the entity of this door"
        return None

    @property
    def unlocked(self) -> bool | None:
        """Whether the entity shows that it lets pass."""
        return self._status.unlocked if self._status else None

    @property
    def holds(self) -> bool:
        """Always: the integration says what its entity cannot do."""
        return True

    def offer(self, send: Send, status: ActuatorStatus) -> None:
        """Take a client's word that it drives this door, or no longer can.

        One that cannot does not take the door away from one that can.
        """
        driven_by_another = self._send is not None and self._send != send
        if driven_by_another and not status.available:
            return
        self._send, self._status = send, status

    def withdraw(self, send: Send) -> bool:
        """Forget a client that went away; return whether it drove this door."""
        if self._send != send:
            return False
        self._send = self._status = None
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(ActuatorError("Home Assistant went away before confirming"))
        return True

    def confirm(self, answer: Actuated) -> bool:
        """Take a client's answer; False where nobody waits for it (any more)."""
        waiting = self._waiting.get((answer.command_id, answer.phase))
        if waiting is None or waiting.done():
            return False
        waiting.set_result(answer)
        return True

    async def perform(self, command: ActuatorCommand) -> None:
        """Return when the entity confirmed; raises ``ActuatorError``."""
        reason = self.unavailable_reason
        if self._send is None or reason is not None:
            raise ActuatorError(reason or "Home Assistant is not connected")
        # Awaited before it is sent: a confirmation may arrive before this task runs again.
        waiting = self._expect(command, ActuatorPhase.ON)
        if command.action is ActuatorAction.PULSE:
            self._expect(command, ActuatorPhase.OFF)
        self._send(
            Actuate(
                command.id,
                command.door_id,
                command.action,
                command.pulse_s,
                command.expires_at.timestamp(),
            )
        )
        try:
            await self._confirmation(command, ActuatorPhase.ON, waiting, CONFIRM_S)
        except BaseException:
            self._forget(command, ActuatorPhase.OFF)
            raise

    async def pulse_ended(self, command: ActuatorCommand) -> None:
        """Return when the entity confirmed the end of a pulse; raises ``ActuatorError``."""
        waiting = self._expect(command, ActuatorPhase.OFF)
        timeout = command.pulse_s + CONFIRM_S
        await self._confirmation(command, ActuatorPhase.OFF, waiting, timeout)

    def _expect(self, command: ActuatorCommand, phase: ActuatorPhase) -> asyncio.Future[Actuated]:
        key = (command.id, phase)
        if key not in self._waiting:
            self._waiting[key] = asyncio.get_running_loop().create_future()
        return self._waiting[key]

    def _forget(self, command: ActuatorCommand, phase: ActuatorPhase) -> None:
        waiting = self._waiting.pop((command.id, phase), None)
        if waiting is not None and waiting.done() and not waiting.cancelled():
            waiting.exception()  # retrieved: the other phase told of it

    async def _confirmation(
        self,
        command: ActuatorCommand,
        phase: ActuatorPhase,
        waiting: asyncio.Future[Actuated],
        timeout_s: float,
    ) -> None:
        try:
            async with asyncio.timeout(timeout_s):
                answer = await waiting
        except TimeoutError as err:
            raise ActuatorError(
                f"Home Assistant did not confirm {command.action} within {timeout_s:g} s;"
                " check the entity of this door",
                ErrorCode.NOT_CONFIRMED,
            ) from err
        finally:
            self._forget(command, phase)
        if not answer.ok:
            raise ActuatorError(
                answer.error or "Home Assistant could not drive the entity of this door",
                ErrorCode.NOT_CONFIRMED,
            )
