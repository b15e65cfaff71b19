"""Notices when the event loop stands still, on a machine that may be busy with other things."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
import gc
import os
from pathlib import Path
import time

_THREADS = Path("/proc/self/task")
_STEAL = 8
_BEAT_S = 0.05
LONGEST_S = 0.5


def can_watch() -> bool:
    """Tell whether the kernel says how long a thread waited for a processor."""
    return any(_THREADS.glob("*/schedstat"))


class _Excuse:
    """Seconds that are not the engine's fault: of other programs, of other machines on the same
    processors, and of collecting the garbage of a process that holds all of a test run.
    """

    def __init__(self) -> None:
        self._collected = 0.0
        self._began = 0.0
        self._waited = 0.0
        self._threads: dict[str, int] = {}

    def total_s(self) -> float:
        before, self._threads = self._threads, {}
        for thread in _THREADS.iterdir():
            with suppress(OSError):  # a thread may end meanwhile, and takes its figures with it
                waited = int((thread / "schedstat").read_text().split()[1])
                self._threads[thread.name] = waited
                self._waited += max(0, waited - before.get(thread.name, waited)) / 1e9
        all_processors = Path("/proc/stat").read_text().splitlines()[0].split()
        stolen = int(all_processors[_STEAL]) / os.sysconf("SC_CLK_TCK")
        return self._waited + stolen + self._collected

    def collecting(self, phase: str, _info: dict[str, int]) -> None:
        """Note when the garbage collector begins and ends, as one of ``gc.callbacks``."""
        if phase == "start":
            self._began = time.perf_counter()
        else:
            self._collected += time.perf_counter() - self._began


@asynccontextmanager
async def watched(longest_s: float = LONGEST_S) -> AsyncIterator[list[float]]:
    """Give a list that fills with the seconds, over so many, for which the loop stood still.

    A gap between two beats counts less what excuses it. What is left is work, sleep or waiting
    done on the loop.
    """
    loop = asyncio.get_running_loop()
    stood: list[float] = []
    excuse = _Excuse()

    async def beat() -> None:
        last, excused = loop.time(), excuse.total_s()
        while True:
            await asyncio.sleep(_BEAT_S)
            now, excused_now = loop.time(), excuse.total_s()
            gap = now - last - _BEAT_S - (excused_now - excused)
            if gap > longest_s:
                stood.append(gap)
            last, excused = now, excused_now

    gc.callbacks.append(excuse.collecting)
    beating = asyncio.create_task(beat())
    await asyncio.sleep(0)  # it takes its first look before anything is watched
    try:
        yield stood
        await asyncio.sleep(2 * _BEAT_S)
    finally:
        gc.callbacks.remove(excuse.collecting)
        beating.cancel()
        await asyncio.gather(beating, return_exceptions=True)
