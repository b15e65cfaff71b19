"""Attempts: a credential that failed often in a row at a door has to wait there."""

from __future__ import annotations

from dataclasses import dataclass

MOST_FAILURES = 5
DELAY_S = 30.0
FORGET_S = 3600.0
_MOST_KEYS = 10_000


@dataclass(slots=True)
class _Failures:
    count: int
    last: float


class Attempts:
    """Failures in a row by door and credential; other credentials stay usable.

    Moments are monotonic seconds. The first failure after a delay begins the next delay, until
    one succeeds or an hour passes without an attempt.
    """

    def __init__(self) -> None:
        self._failures: dict[tuple[str, str], _Failures] = {}

    def blocked_s(self, door_id: str, key: str, now: float) -> float:
        """Return how many seconds a credential must still wait at a door."""
        failures = self._failures.get((door_id, key))
        if failures is None or failures.count < MOST_FAILURES:
            return 0.0
        return max(0.0, failures.last + DELAY_S - now)

    def failed(self, door_id: str, key: str, now: float) -> bool:
        """Count a failure; return whether the credential must wait from now on."""
        failures = self._failures.pop((door_id, key), None)
        if failures is None or now - failures.last > FORGET_S:
            failures = _Failures(0, now)
        failures.count, failures.last = failures.count + 1, now
        self._failures[door_id, key] = failures
        if len(self._failures) > _MOST_KEYS:
            # Somebody tries numbers at random: the oldest go, in the order of their last failure.
            del self._failures[next(iter(self._failures))]
        return failures.count >= MOST_FAILURES

    def succeeded(self, door_id: str, key: str) -> None:
        """Forget the failures of a credential at a door."""
        self._failures.pop((door_id, key), None)
