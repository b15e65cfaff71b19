"""The machine's time."""

from __future__ import annotations

from datetime import UTC, datetime
import time


class SystemClock:
    """Time as the machine tells it."""

    def now(self) -> datetime:
        """Return the moment, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never go back."""
        return time.monotonic()
