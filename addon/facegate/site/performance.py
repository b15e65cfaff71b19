"""How fast passages are, told from time to time."""

from __future__ import annotations

import math

from facegate.domain import Clock
from facegate.latency import Latencies
from facegate.protocol import LatencyView, PerformanceChanged
from facegate.site.bulletin import Bulletin
from facegate.views import latency_views

EVERY_S = 30.0


class Performance:
    """Tells the latencies where they are new, at most every ``EVERY_S``."""

    def __init__(self, latencies: Latencies, bulletin: Bulletin, clock: Clock) -> None:
        self._latencies = latencies
        self._bulletin = bulletin
        self._clock = clock
        self._told: tuple[LatencyView, ...] = ()
        self._told_at = -math.inf

    def look(self) -> None:
        """Tell what is new; to be called every second."""
        now = self._clock.monotonic()
        if now - self._told_at < EVERY_S:
            return
        views = latency_views(self._latencies)
        if views != self._told:
            self._told, self._told_at = views, now
            self._bulletin.publish(PerformanceChanged(views))
