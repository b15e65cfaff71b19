"""What every simulated relay is: a contact that is on or off, a timer, and bad habits."""

from __future__ import annotations

from abc import ABC, abstractmethod
import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field

FLAP_S = 0.05


@dataclass
class Habits:
    """How a relay misbehaves.

    ``deaf`` takes no command and says nothing; ``mute`` acts and says nothing; ``late_s`` is how
    late it acts; ``flaps`` tells on, off, on when it goes on; ``stuck_on`` never goes off;
    ``forgets_time`` does not end a pulse.
    """

    deaf: bool = False
    mute: bool = False
    late_s: float = 0.0
    flaps: bool = False
    stuck_on: bool = False
    forgets_time: bool = False


@dataclass
class Relay(ABC):
    """One relay; ``heard`` is every command as (where, what), ``moves`` each change of its contact.

    ``tells_changes_only`` is how ESPHome and many others are: told to be what they are already,
    they say nothing.
    """

    habits: Habits = field(default_factory=Habits)
    on: bool = False
    heard: list[tuple[str, str]] = field(default_factory=list)
    moves: list[bool] = field(default_factory=list)
    tells_changes_only: bool = False
    _timer: asyncio.Task[None] | None = field(default=None, repr=False)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set, repr=False)

    @abstractmethod
    async def tell(self) -> None:
        """Tell the state, as this family does."""

    async def switch(self, *, on: bool, for_s: float | None = None) -> None:
        """Go on (for a time) or off, and tell it."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not on and self.habits.stuck_on:
            await self._say()
            return
        changed = on != self.on
        self.on = on
        if changed:
            self.moves.append(on)
        if changed or not self.tells_changes_only:
            await self._say()
        if on and changed and self.habits.flaps:
            await self._flap()
        if on and for_s is not None and not self.habits.forgets_time:
            self._timer = self._start(self._end_later(for_s))

    async def act(self, work: Coroutine[None, None, None]) -> None:
        """Do what a command asks for, in the relay's own time."""
        if self.habits.deaf:
            work.close()
            return
        try:
            await asyncio.sleep(self.habits.late_s)
        except asyncio.CancelledError:
            work.close()
            raise
        await work

    def stop(self) -> None:
        """Stop timers."""
        for task in self._tasks:
            task.cancel()

    async def _say(self) -> None:
        if not self.habits.mute:
            await self.tell()

    async def _flap(self) -> None:
        for on in (False, True):
            await asyncio.sleep(FLAP_S)
            self.on = on
            self.moves.append(on)
            await self._say()

    async def _end_later(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        self._timer = None
        await self.switch(on=False)

    def _start(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
