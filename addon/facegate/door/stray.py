"""A relay that is on though no opening of ours switched it on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
import math

from facegate.domain import Clock

ALARM_EVERY_S = 60.0
"""How often at most it is told, however often somebody switches it."""


class Stray:
    """Tells of a relay that others switched on, and ends that once it outlasts an opening.

    What may be the rest of an opening from before the engine's start is told of only then.
    ``longest_s`` is how long the rest of an opening may take.
    """

    def __init__(self, longest_s: float, clock: Clock, tell: Callable[[], None]) -> None:
        self._longest_s = longest_s
        self._clock = clock
        self._tell = tell
        self._told_at = -math.inf
        self._ending: asyncio.TimerHandle | None = None

    @property
    def under_way(self) -> bool:
        """Whether it is on and has not been ended yet."""
        return self._ending is not None

    def begins(self, end: Callable[[], None], *, seen: bool) -> None:
        """Take note that it is on, ``seen`` to have been off before; ``end`` switches it off."""

        def outlasted() -> None:
            self._ending = None
            self._alarm()
            end()

        if self._ending is None:
            self._ending = asyncio.get_running_loop().call_later(self._longest_s, outlasted)
        if seen:
            self._alarm()

    def over(self) -> None:
        """Take note that it is off, or on by an opening of ours."""
        if self._ending is not None:
            self._ending.cancel()
            self._ending = None

    def _alarm(self) -> None:
        now = self._clock.monotonic()
        if now - self._told_at >= ALARM_EVERY_S:
            self._told_at = now
            self._tell()
