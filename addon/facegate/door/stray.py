"""What others do to a relay: it is on though no opening of ours switched it on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import math

from facegate.domain import Clock

ALARM_EVERY_S = 60.0
"""How often at most the same is told, however often somebody does it."""


class Seldom:
    """Tells when something may be told again."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = -math.inf

    def due(self) -> bool:
        """Return whether it is time, and if so take it for told."""
        now = self._clock.monotonic()
        if now - self._last < ALARM_EVERY_S:
            return False
        self._last = now
        return True


class Stray:
    """Tells of a relay that others switched on, and ends that once it outlasts an opening.

    What may be the rest of an opening from before the engine's start is told of only then.
    ``longest_s`` is how long the rest of an opening may take, ``wanted`` tells whether the door is
    to be open now, whoever switches it.
    """

    def __init__(
        self,
        longest_s: float,
        clock: Clock,
        tell: Callable[[], None],
        wanted: Callable[[], bool],
    ) -> None:
        self.wanted = wanted
        self._longest_s = longest_s
        self._seldom = Seldom(clock)
        self._tell = tell
        self._ending: asyncio.TimerHandle | None = None
        self._ended = False

    @property
    def under_way(self) -> bool:
        """Whether it is on and has not been ended yet."""
        return self._ending is not None

    def begins(self, end: Callable[[], None], *, seen: bool) -> None:
        """Take note that it is on, ``seen`` to have been off before; ``end`` switches it off.

        One that does not go off is ended once.
        """

        def outlasted() -> None:
            if self.wanted():
                self._ending = loop.call_later(self._longest_s, outlasted)
                return
            self._ending, self._ended = None, True
            self._alarm()
            end()

        loop = asyncio.get_running_loop()
        if self._ending is None and not self._ended:
            self._ending = loop.call_later(self._longest_s, outlasted)
            if seen and not self.wanted():
                self._alarm()

    def over(self) -> None:
        """Take note that it is off, or on by an opening of ours."""
        self._ended = False
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None

    def _alarm(self) -> None:
        if self._seldom.due():
            self._tell()
