"""A thread that does the newest work first.

Faces are read one at a time. When more wait than it can do, the newest picture is worth the most:
who stood in an older one is in the newest as well. But nothing is passed over for ever.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
import threading
import time

LONGEST_WAIT_S = 0.5
"""After this the oldest goes first, so that photos are read while cameras are busy."""


@dataclass(slots=True, eq=False)
class _Job:
    arrived: float
    work: Callable[[], None]
    cancel: Callable[[], bool]
    asked: float = field(default_factory=time.monotonic)


class NewestFirst:
    """Runs work in one thread.

    What waits is bounded by who awaits it: a camera has one picture under way at a time.
    """

    def __init__(self, name: str) -> None:
        self._waiting: list[_Job] = []
        self._changed = threading.Condition()
        self._closed = False
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    @property
    def waiting(self) -> int:
        """How many wait for their turn."""
        return len(self._waiting)

    async def run[T](self, work: Callable[[], T], arrived: float) -> T:
        """Return what ``work`` returns, or raise what it raises.

        ``arrived`` is the monotonic moment of the picture that it is about. Work that nobody awaits
        any more when its turn comes is left out.
        """
        future: Future[T] = Future()

        def do() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                result = work()
            except Exception as error:  # noqa: BLE001  raised again where it is awaited
                future.set_exception(error)
            else:
                future.set_result(result)

        with self._changed:
            if self._closed:
                future.cancel()
            self._waiting.append(_Job(arrived, do, future.cancel))
            self._changed.notify()
        return await asyncio.wrap_future(future)

    def close(self) -> None:
        """End the thread once its present work is done; what waits is cancelled."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
        for job in self._waiting:
            job.cancel()

    def _serve(self) -> None:
        while (job := self._next()) is not None:
            job.work()

    def _next(self) -> _Job | None:
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            if self._closed:
                return None
            chosen = min(self._waiting, key=lambda job: job.asked)
            if time.monotonic() - chosen.asked < LONGEST_WAIT_S:
                chosen = max(self._waiting, key=lambda job: job.arrived)
            self._waiting.remove(chosen)
            return chosen
