"""A relay that FaceGate drives itself: what holds for every family, over MQTT and HTTP alike.

Success is only what the relay itself said after it was told. Where that is missing it is switched
off. Nothing waits to be sent: what cannot go out now fails. The one thing that is sent later, and
by itself, is OFF: when a relay says that it is on after an opening of ours should be over, or for
longer than an opening without one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Callable, Coroutine
from enum import Enum, auto
import logging

from facegate.domain import ActuatorCommand, Clock
from facegate.door.stray import Stray
from facegate.errors import ActuatorError
from facegate.protocol import ActuatorAction, ErrorCode

CONFIRM_S = 1.0
"""How long a relay may take to say that it did as it was told."""
GRACE_S = 2.0
"""How long after a pulse a relay that ends it itself may take to say so."""
LIFE_S = 2.0
"""After how long at most nobody may act on a message any more."""
OVERDUE_S = 3600.0
"""How long a relay whose closing was not confirmed is closed once it says that it is on."""
OVERDUE_ATTEMPTS = 3
"""How often it is told so: one that does not obey is not told for ever."""

_LOGGER = logging.getLogger(__name__)


class Order(Enum):
    """What a relay is told: on for a time that it keeps itself, on, or off. Never to toggle."""

    PULSE = auto()
    ON = auto()
    OFF = auto()


class RelayActuator(ABC):
    """One door's relay.

    ``on_change`` is called on the event loop when the relay or its availability changed.
    ``timed`` tells that the relay ends a pulse by itself, ``holds`` that it can stay on,
    ``answers`` that it tells its state when asked and not only when it changes. Without ``stray``
    others may switch it too, and a hold outlasts the engine.
    """

    def __init__(
        self,
        name: str,
        door_id: str,
        clock: Clock,
        on_change: Callable[[], None],
        stray: Stray | None,
        *,
        timed: bool,
        holds: bool,
        answers: bool,
    ) -> None:
        self.name = name
        self.door_id = door_id
        self._clock = clock
        self._on_change = on_change
        self._stray = stray
        self._ours = False
        self._timed, self._holds, self._answers = timed, holds, answers
        self._on: bool | None = None
        self._fresh = False
        self._awaited: tuple[bool, asyncio.Future[None]] | None = None
        self._sent_at = 0.0
        self._pulsing = False
        self._overdue = 0
        self._overdue_since = 0.0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    @abstractmethod
    def unavailable_reason(self) -> str | None:
        """Why it cannot be used now, or None."""

    @property
    def holds(self) -> bool:
        """Whether it can stay on."""
        return self._holds

    @property
    def unlocked(self) -> bool | None:
        """Whether the relay said last that it is on; None while that is not known."""
        return self._on

    async def perform(self, command: ActuatorCommand) -> None:
        """Return when the relay confirmed; raises ``ActuatorError``."""
        if command.action is ActuatorAction.RELEASE:
            # Owed from now on, also where it cannot be told now.
            self._pulsing = self._ours = False
            self._owe_off()
        if (reason := self.unavailable_reason) is not None:
            raise ActuatorError(reason)
        life_s = self._life_s(command)
        self._overdue = 0
        if command.action is ActuatorAction.RELEASE:
            await self._switch_off(life_s)
            return
        self._pulsing = False
        self._claim()
        try:
            if self._on and not self._answers:
                # It tells nothing but changes: only one that was off can confirm that it is on.
                await self._switch_off(life_s)
            await self._switch_on(command)
        except BaseException:
            self._ours = False
            raise

    async def pulse_ended(self, command: ActuatorCommand) -> None:
        """Return when the relay said after the pulse that it is off; raises ``ActuatorError``."""
        loop = asyncio.get_running_loop()
        over = self._sent_at + command.pulse_s
        await asyncio.sleep(over - loop.time())
        if self._timed:
            await self._said_off(over + GRACE_S - loop.time())
        if not (self._on is False and self._fresh):
            if self._timed:
                _LOGGER.warning("Door %s: %s did not end its pulse", self.door_id, self.name)
            try:
                await self._switch_off(LIFE_S)
            except ActuatorError:
                self._pulsing = self._ours = False
                raise
        self._pulsing = self._ours = False

    async def close(self) -> None:
        """Stop; what the relay does not end itself, and nobody wants beyond us, is ended now."""
        stray, self._stray = self._stray, None
        if stray is not None:
            stray.over()
        held = self._ours and not self._pulsing
        forlorn = held and stray is not None and not stray.wanted()
        if forlorn or (self._pulsing and not self._timed):
            self._pulsing = self._ours = False
            await self._try_off()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @abstractmethod
    async def _send(self, order: Order, pulse_s: float, life_s: float) -> None:
        """Tell the relay now; raises ``ActuatorError`` where it cannot be told."""

    @abstractmethod
    async def _ask(self) -> None:
        """Have the relay tell its state; raises ``ActuatorError`` where it cannot be asked."""

    def _hear(self, *, on: bool, fresh: bool) -> None:
        """Take the relay's word; one that is not ``fresh`` is from before and confirms nothing."""
        before, self._on, self._fresh = self._on, on, fresh
        if fresh and self._awaited is not None and self._awaited[0] == on:
            self._settle(None)
        elif on and self._awaited is None and self._is_overdue():
            self._overdue -= 1
            _LOGGER.warning("Door %s: %s is on, switching it off", self.door_id, self.name)
            self._spawn(self._try_off())
        elif on and not before and self._awaited is None and not self._ours and self._stray:
            self._stray.begins(self._end_stray, seen=before is False)
        if not on and fresh:
            self._overdue = 0
            # A hold that somebody else ended; a pulse may flap.
            self._ours = self._ours and (self._pulsing or self._awaited is not None)
        if not on and self._stray is not None:
            self._stray.over()
        if on != before:
            self._on_change()

    def _refused(self, why: str) -> None:
        """Take the relay's word that it does not do as it was told."""
        self._settle(ActuatorError(f"{self.name} refused: {why}", ErrorCode.NOT_CONFIRMED))

    def _forget(self) -> None:
        """Know nothing of the relay any more."""
        self._on, self._fresh = None, False

    def _unconfirmed(self) -> None:  # noqa: B027  most have nothing to do
        """Notice that the relay did not say what it should have."""

    @property
    def _attentive(self) -> bool:
        """Whether its next word matters at once."""
        stray = self._stray is not None and self._stray.under_way
        return self._pulsing or stray or self._awaited is not None

    def _claim(self) -> None:
        self._ours = True
        if self._stray is not None:
            self._stray.over()

    def _end_stray(self) -> None:
        _LOGGER.warning("Door %s: others left %s on, switching it off", self.door_id, self.name)
        self._owe_off()
        self._spawn(self._try_off())

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _switch_on(self, command: ActuatorCommand) -> None:
        pulse = command.action is ActuatorAction.PULSE
        order = Order.PULSE if pulse and self._timed else Order.ON
        known = self._on
        life_s = self._life_s(command)
        try:
            waiting = self._expect(on=True)
            self._sent_at = asyncio.get_running_loop().time()
            async with asyncio.timeout(CONFIRM_S):
                await self._send(order, command.pulse_s, life_s)
                if known:
                    await self._ask()
                await waiting
        except TimeoutError as err:
            await self._give_up()
            raise self._silence("on") from err
        except ActuatorError:
            await self._give_up()
            raise
        except BaseException:
            self._owe_off()
            self._spawn(self._try_off())
            raise
        finally:
            self._awaited = None
        self._pulsing = pulse

    async def _switch_off(self, life_s: float) -> None:
        known = self._on
        try:
            waiting = self._expect(on=False)
            async with asyncio.timeout(CONFIRM_S):
                await self._send(Order.OFF, 0, life_s)
                if known is False and self._answers:
                    await self._ask()
                await waiting
        except TimeoutError as err:
            silent_as_it_should_be = known is False and self._on is False and not self._answers
            if silent_as_it_should_be and self.unavailable_reason is None:
                return
            self._owe_off()
            self._unconfirmed()
            raise self._silence("off") from err
        except BaseException:
            self._owe_off()
            raise
        finally:
            self._awaited = None

    async def _said_off(self, within_s: float) -> None:
        """Wait until the relay said that it is off, or for as long as it may take."""
        if self._on is False and self._fresh:
            return
        waiting = self._expect(on=False)
        try:
            async with asyncio.timeout(within_s):
                await waiting
        except (TimeoutError, ActuatorError) as err:
            _LOGGER.debug("Door %s: no end of the pulse: %s", self.door_id, err)
        finally:
            self._awaited = None

    async def _give_up(self) -> None:
        """Leave nothing open that nobody confirmed."""
        self._awaited = None
        self._owe_off()
        await self._try_off()
        self._unconfirmed()

    async def _try_off(self) -> None:
        try:
            async with asyncio.timeout(CONFIRM_S):
                await self._send(Order.OFF, 0, LIFE_S)
        except (TimeoutError, ActuatorError) as err:
            _LOGGER.warning("Door %s: not switched off: %s", self.door_id, repr(err))

    def _owe_off(self) -> None:
        self._overdue, self._overdue_since = OVERDUE_ATTEMPTS, self._clock.monotonic()

    def _is_overdue(self) -> bool:
        return self._overdue > 0 and self._clock.monotonic() - self._overdue_since < OVERDUE_S

    def _expect(self, *, on: bool) -> asyncio.Future[None]:
        waiting: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._awaited = (on, waiting)
        return waiting

    def _settle(self, err: ActuatorError | None) -> None:
        if self._awaited is None or self._awaited[1].done():
            return
        if err is None:
            self._awaited[1].set_result(None)
        else:
            self._awaited[1].set_exception(err)

    def _silence(self, word: str) -> ActuatorError:
        why = self.unavailable_reason
        return ActuatorError(
            f"{self.name} did not say within {CONFIRM_S:g} s that it is {word}; "
            + (why or "check the actuator of this door, its power and its network"),
            ErrorCode.NOT_CONFIRMED,
        )

    def _life_s(self, command: ActuatorCommand) -> float:
        left = (command.expires_at - self._clock.now()).total_seconds()
        if left <= 0:
            raise ActuatorError("the command is too old to act on", ErrorCode.EXPIRED)
        return min(LIFE_S, left)
