"""Exact search in galleries up to a million templates: time and memory, one thread."""

from __future__ import annotations

from collections.abc import Sequence
import sys

from facegate.bench.arithmetic import percentile
from facegate.bench.contestant import contestant
from facegate.bench.report import Bound, Figure, Section, Target

SIZES = (1_000, 10_000, 100_000, 1_000_000)
# Templates: (seconds in ms, memory in MB or None).
_TARGETS: dict[int, tuple[float, float | None]] = {100_000: (5, 60), 1_000_000: (50, None)}
_MS = 1000


async def measure_gallery(sizes: Sequence[int], searches: int) -> Section:
    """Search galleries of these sizes, each in a process of its own, so that memory is its own."""
    figures: list[Figure] = []
    for size in sizes:
        async with contestant("the gallery", (sys.executable, "-m", "facegate.bench.own")) as own:
            searched = await own.search(size, searches)
        limit_ms, limit_mb = _TARGETS.get(size, (None, None))
        name = f"{size} templates"
        p50, p95 = (percentile(searched.seconds, share) * _MS for share in (0.5, 0.95))
        figures += [
            Figure(f"{name}, search p50", p50, "ms"),
            Figure(f"{name}, search p95", p95, "ms", _at_most(limit_ms)),
            Figure(f"{name}, memory", searched.held_mb, "MB", _at_most(limit_mb)),
        ]
    note = f"{searches} searches each, exact, one thread; memory is what the process grew by."
    return Section("Gallery search", tuple(figures), notes=(note,))


def _at_most(limit: float | None) -> Target | None:
    return None if limit is None else Target(Bound.AT_MOST, limit)
