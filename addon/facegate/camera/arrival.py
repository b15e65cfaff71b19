"""When a picture reached this machine, told so that it never seems younger than it is.

libav's parser hands a packet out when the first byte of the next one arrives; after a stall, or
when this machine fell behind, it hands out old packets one after the other, and after a stall in
the network old packets really do arrive just now. Two bounds hold against that, and the older
one counts:

- A packet's first byte came after the last moment, before it was read, at which the reader had
  to wait for data, because nothing was queued here then.
- After a stall the camera's own time stamps tell how much later than usual a packet comes: its
  lateness (local time less camera time) against the least of the last ``_WINDOW_S`` seconds.
  Camera clocks run wrong and jump, so they are asked only for that long.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from datetime import datetime, timedelta

from facegate.domain import Clock

# A read that takes longer has waited for data. More than the interpreter's switch interval
# (5 ms), so that waiting for another thread is not taken for it.
_WAITED_S = 0.008
_STALLED_S = 0.25
_WINDOW_S = 5.0


@dataclass(frozen=True, slots=True)
class Arrival:
    """When a packet arrived, or a little before: on the monotonic clock, and the moment."""

    monotonic: float
    at: datetime


class Arrivals:
    """Stamps the packets of one connection, in the order in which they are read."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._caught_up: float | None = None
        self._doubtful_until = 0.0
        self._lateness: deque[tuple[float, float]] = deque()

    def stamp(self, waited_s: float, camera_s: float | None) -> Arrival | None:
        """Stamp the packet just read; None while what the server had in store comes in.

        ``waited_s`` is how long the read took, ``camera_s`` the packet's time stamp in seconds.
        """
        read = self._clock.monotonic()
        bound = self._caught_up
        if waited_s >= _WAITED_S:
            self._caught_up = read
        if waited_s >= _STALLED_S:
            self._doubtful_until = read + _WINDOW_S
        lag = 0.0 if camera_s is None else self._lag(read, read - camera_s)
        if read > self._doubtful_until:
            lag = 0.0
        if bound is None:
            return None
        arrived = min(bound, read - lag)
        return Arrival(arrived, self._clock.now() - timedelta(seconds=read - arrived))

    def _lag(self, read: float, lateness: float) -> float:
        """Return how much later than the best of the window; the window is a monotonic queue."""
        window = self._lateness
        while window and window[0][0] < read - _WINDOW_S:
            window.popleft()
        while window and window[-1][1] >= lateness:
            window.pop()
        window.append((read, lateness))
        return lateness - window[0][1]
