"""A door: one grant, one opening, and no success that the hardware did not confirm.

locked ──pulse/hold──> unlocking ──confirmed──> unlocked ──pulse over/lock──> relocking ─> locked
                           └────── silence or refusal ──────> jammed <──────┘
unavailable: the actuator cannot be reached; the door is shut, as its hardware left it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
import logging

from facegate.domain import Actuator, ActuatorCommand, Clock, DoorStatus
from facegate.errors import ActuatorError
from facegate.protocol import ActuatorAction, DoorStateName, ErrorCode

_LOGGER = logging.getLogger(__name__)


class Opening:
    """One opening of a door, from its reservation on; several grants may share it."""

    def __init__(self, opening_id: str) -> None:
        self.id = opening_id
        self.over = False
        self._outcome: asyncio.Future[ActuatorError | None] = (
            asyncio.get_running_loop().create_future()
        )

    async def confirmed(self) -> None:
        """Return once the hardware confirmed that it opened; raises ``ActuatorError``."""
        if (err := await asyncio.shield(self._outcome)) is not None:
            raise ActuatorError(str(err), err.code)

    def settle(self, err: ActuatorError | None = None) -> None:
        """Tell whoever shares it that it opened, or why not; what was told first holds."""
        if not self._outcome.done():
            self._outcome.set_result(err)


class Door:
    """State machine of one door over its actuator.

    ``on_status`` is called with each new status, ``on_outcome`` with opening id, outcome
    (``opened``, ``relocked``, ``failed``, ``superseded``) and fault when an opening comes to
    something.
    """

    def __init__(
        self,
        door_id: str,
        pulse_s: float,
        actuator: Actuator,
        clock: Clock,
        *,
        on_status: Callable[[DoorStatus], None],
        on_outcome: Callable[[str, str, str | None], None],
    ) -> None:
        self.id = door_id
        self._pulse_s = pulse_s
        self._actuator = actuator
        self._clock = clock
        self._on_status = on_status
        self._on_outcome = on_outcome
        self._commanding = asyncio.Lock()
        self._opening: Opening | None = None
        self._hold: Opening | None = None
        self._hold_shown = False
        self._relocking: asyncio.Task[None] | None = None
        self.status = DoorStatus(DoorStateName.UNAVAILABLE, fault=actuator.unavailable_reason)

    @property
    def idle(self) -> bool:
        """Whether no opening runs; the hardware may stand open all the same."""
        return self._opening is None

    def begin(self, opening_id: str) -> Opening:
        """Reserve the door; return the opening that this grant belongs to, running or its own.

        An opening that is being locked again is over: who comes then gets a new one.
        """
        if self._opening is None or self._opening.over:
            self._opening = Opening(opening_id)
        return self._opening

    def abandon(self, opening: Opening) -> None:
        """Give a reservation back that came to nothing."""
        opening.settle(ActuatorError("the opening came to nothing", ErrorCode.CONFLICT))
        self._leave(opening)

    def actuator_changed(self) -> None:
        """Look at the actuator again: it came, went, or was moved by somebody else."""
        if (reason := self._actuator.unavailable_reason) is not None:
            self._set(DoorStatus(DoorStateName.UNAVAILABLE, fault=reason))
        elif self._opening is None:
            unlocked = bool(self._actuator.unlocked)
            self._set(DoorStatus(DoorStateName.UNLOCKED if unlocked else DoorStateName.LOCKED))
        elif self._opening is self._hold:
            self._hold_changed(self._opening)

    async def join(self, opening: Opening) -> None:
        """Share an opening that another grant began; raises ``ActuatorError``."""
        await opening.confirmed()
        if (reason := self._actuator.unavailable_reason) is not None:
            raise ActuatorError(reason)

    async def pulse(self, opening: Opening, expires_at: datetime) -> None:
        """Open once, for the door's pulse; raises ``ActuatorError``."""
        async with self._commanding:
            if self._opening is opening:
                await self._pulse_relocked()
                command = await self._unlock(opening, ActuatorAction.PULSE, expires_at)
                self._set(DoorStatus(DoorStateName.UNLOCKED))
                self._relocking = asyncio.create_task(self._relock_after_pulse(opening, command))
                return
            running = self._opening
        if running is None:
            err = ActuatorError("the door was locked meanwhile", ErrorCode.CONFLICT)
            self._on_outcome(opening.id, "failed", str(err))
            opening.settle(err)
            raise err
        self._on_outcome(opening.id, "superseded", None)
        await self.join(running)
        opening.settle()

    async def hold(self, opening_id: str, expires_at: datetime) -> None:
        """Unlock until ``lock``, taking over a running pulse; raises ``ActuatorError``."""
        async with self._commanding:
            try:
                self._check_hold(expires_at)
            except ActuatorError as err:
                # A pulse that goes on is watched until it is taken over.
                self._on_outcome(opening_id, "failed", str(err))
                raise
            await self._stop_relocking()
            opening = self._opening = Opening(opening_id)
            await self._unlock(opening, ActuatorAction.HOLD, expires_at)
            self._hold, self._hold_shown = opening, self._actuator.unlocked is True
            self._set(DoorStatus(DoorStateName.UNLOCKED, held=True))

    async def lock(self, command_id: str, life: timedelta) -> None:
        """Lock now, ending a pulse or a hold; raises ``ActuatorError``.

        ``life`` counts from the command's turn: what waited for an unlocking still locks.
        """
        async with self._commanding:
            await self._stop_relocking()
            opening_id = self._opening.id if self._opening else command_id
            self._opening = self._hold = None
            self._set(DoorStatus(DoorStateName.RELOCKING))
            expires_at = self._clock.now() + life
            try:
                await self._perform(self._command(command_id, ActuatorAction.RELEASE, expires_at))
            except ActuatorError as err:
                self._fail(opening_id, err)
                raise
            self._set(DoorStatus(DoorStateName.LOCKED))
            self._on_outcome(opening_id, "relocked", None)

    async def close(self) -> None:
        """Stop watching; the actuator ends a running pulse by itself."""
        await self._stop_relocking()

    async def _unlock(
        self, opening: Opening, action: ActuatorAction, expires_at: datetime
    ) -> ActuatorCommand:
        command = self._command(opening.id, action, expires_at)
        self._set(DoorStatus(DoorStateName.UNLOCKING))
        try:
            await self._perform(command)
        except ActuatorError as err:
            opening.settle(err)
            self._leave(opening)
            self._fail(opening.id, err)
            raise
        except BaseException:
            self.abandon(opening)
            raise
        opening.settle()
        self._on_outcome(opening.id, "opened", None)
        return command

    async def _perform(self, command: ActuatorCommand) -> None:
        # The actuator is to know of a release that cannot be done now.
        if command.action is not ActuatorAction.RELEASE:
            self._check(command.expires_at)
        await self._actuator.perform(command)

    def _check(self, expires_at: datetime) -> None:
        if (reason := self._actuator.unavailable_reason) is not None:
            raise ActuatorError(reason)
        if self._clock.now() >= expires_at:
            raise ActuatorError("the command is too old to act on", ErrorCode.EXPIRED)

    def _check_hold(self, expires_at: datetime) -> None:
        if not self._actuator.holds:
            raise ActuatorError(
                "this door's relay ends every opening by itself and cannot be held open;"
                " use one that can, or pulses only",
                ErrorCode.INVALID,
            )
        self._check(expires_at)

    async def _relock_after_pulse(self, opening: Opening, command: ActuatorCommand) -> None:
        def over() -> None:
            opening.over = True
            self._set(DoorStatus(DoorStateName.RELOCKING))

        relocking = asyncio.get_running_loop().call_later(command.pulse_s, over)
        try:
            await self._actuator.pulse_ended(command)
        except ActuatorError as err:
            self._leave(opening)
            self._fail(command.id, err)
        else:
            self._leave(opening)
            self._set(DoorStatus(DoorStateName.LOCKED))
            self._on_outcome(command.id, "relocked", None)
        finally:
            relocking.cancel()

    async def _pulse_relocked(self) -> None:
        """Wait for the end of a pulse that is over: off must come before on."""
        if self._relocking is not None:
            await asyncio.wait({self._relocking})
            self._relocking = None

    async def _stop_relocking(self) -> None:
        if self._relocking is not None:
            self._relocking.cancel()
            await asyncio.gather(self._relocking, return_exceptions=True)
            self._relocking = None

    def _hold_changed(self, hold: Opening) -> None:
        """Follow the hardware of a door that is held open: somebody may lock it by hand."""
        unlocked = self._actuator.unlocked
        was_away = self.status.state is DoorStateName.UNAVAILABLE
        if unlocked is False and (self._hold_shown or was_away):
            self._opening = self._hold = None
            self._set(DoorStatus(DoorStateName.LOCKED))
            self._on_outcome(hold.id, "relocked", None)
        else:
            self._hold_shown = self._hold_shown or unlocked is True
            self._set(DoorStatus(DoorStateName.UNLOCKED, held=True))

    def _leave(self, opening: Opening) -> None:
        if self._opening is opening:
            self._opening = None

    def _command(
        self, command_id: str, action: ActuatorAction, expires_at: datetime
    ) -> ActuatorCommand:
        return ActuatorCommand(command_id, self.id, action, self._pulse_s, expires_at)

    def _fail(self, opening_id: str, err: ActuatorError) -> None:
        fault = str(err)
        _LOGGER.error("Door %s: %s", self.id, fault)
        unavailable = self._actuator.unavailable_reason is not None
        state = DoorStateName.UNAVAILABLE if unavailable else DoorStateName.JAMMED
        self._set(DoorStatus(state, fault=fault))
        self._on_outcome(opening_id, "failed", fault)

    def _set(self, status: DoorStatus) -> None:
        if status != self.status:
            self.status = status
            self._on_status(status)
