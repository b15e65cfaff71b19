"""Looks at a process again and again while something else goes on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
import time

from facegate.bench.arithmetic import deviation, slope
from facegate.bench.usage import Usage, cores

_MINUTE_S = 60.0


@dataclass(frozen=True, slots=True)
class Growth:
    """How values went on after they had settled: per minute, and at most from their mean."""

    first: float
    last: float
    per_minute: float
    deviation: float


async def sampled(look: Callable[[], Usage], seconds: float, every_s: float) -> list[Usage]:
    """Return what ``look`` sees now, every ``every_s`` and at the end, ``seconds`` from now."""
    began = time.monotonic()
    seen = [look()]
    while (left := began + seconds - time.monotonic()) > 0:
        await asyncio.sleep(min(every_s, left))
        seen.append(look())
    return seen


def busy(seen: Sequence[Usage]) -> float:
    """Return how many cores were busy from the first to the last sample."""
    return cores(seen[0], seen[-1])


def growth(times_s: Sequence[float], values: Sequence[float]) -> Growth:
    """Return how values went on over time; times are in seconds."""
    return Growth(values[0], values[-1], slope(times_s, values) * _MINUTE_S, deviation(values))
