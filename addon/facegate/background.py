"""Work that nobody waits for, held so that it is neither lost nor silent."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
import logging

from facegate.errors import FaceGateError

_LOGGER = logging.getLogger(__name__)


class Background:
    """Running tasks of one owner; what they raise is logged."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        """Return how many tasks run."""
        return len(self._tasks)

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Start work now."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def finish(self) -> None:
        """Wait for all that runs."""
        while self._tasks:
            # Not gather, which does not yield where all have just ended: their callbacks never run.
            await asyncio.wait(self._tasks)

    async def cancel(self) -> None:
        """Stop all that runs."""
        for task in self._tasks:
            task.cancel()
        await self.finish()

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (err := task.exception()) is None:
            return
        if isinstance(err, FaceGateError):
            _LOGGER.error("%s", err)
        else:
            _LOGGER.error("Unexpected failure", exc_info=err)
