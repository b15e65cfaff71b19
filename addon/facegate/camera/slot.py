"""The hand-over between a reader thread and the event loop: one item, the newest."""

from __future__ import annotations

import asyncio
import threading


class LatestSlot[T]:
    """Holds the newest item that was not taken; ``put`` in any thread, ``take`` on the loop.

    Serves one taker at a time. The loop is that of the first ``take``.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._item: T | None = None
        self._closed = False
        self._filled = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._waiting = False

    def put(self, item: T) -> bool:
        """Hand over ``item``; return whether it replaced one that nobody took."""
        with self._lock:
            replaced = self._item is not None
            self._item = item
            self._wake()
        return replaced

    async def take(self) -> T | None:
        """Wait for an item and take it; None once the slot is closed."""
        self._loop = asyncio.get_running_loop()
        while True:
            with self._lock:
                if self._closed:
                    return None
                item, self._item = self._item, None
                if item is not None:
                    return item
                self._filled.clear()
                self._waiting = True
            await self._filled.wait()

    def clear(self) -> None:
        """Forget an item that nobody took."""
        with self._lock:
            self._item = None

    def close(self) -> None:
        """End the taker; an item that nobody took is forgotten."""
        with self._lock:
            self._item = None
            self._closed = True
            self._wake()

    def _wake(self) -> None:
        if self._waiting and self._loop is not None:
            self._waiting = False
            self._loop.call_soon_threadsafe(self._filled.set)
