"""A cable between a camera and the engine that can be held and cut."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Self


class Wire:
    """Relays TCP to a port of 127.0.0.1; async context manager."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._flows = asyncio.Event()
        self._flows.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.port = 0
        self.connections = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        self.release()
        self.cut()
        await self._server.wait_closed()

    def hold(self) -> None:
        """Keep what the camera sends, as a stalled network does."""
        self._flows.clear()

    def release(self) -> None:
        """Deliver what was kept, all at once, and go on."""
        self._flows.set()

    def cut(self) -> None:
        """Break every connection."""
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with contextlib.closing(writer), contextlib.suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._target)
            ends = {writer, far_writer}
            self._writers |= ends
            kept: asyncio.Queue[bytes] = asyncio.Queue()
            async with asyncio.TaskGroup() as group:
                tasks = (
                    group.create_task(self._pump(reader, far_writer)),
                    group.create_task(self._keep(far_reader, kept)),
                    group.create_task(self._deliver(kept, writer)),
                )
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    task.cancel()
            for end in ends:
                end.close()
            self._writers -= ends

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()

    async def _keep(self, reader: asyncio.StreamReader, kept: asyncio.Queue[bytes]) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                kept.put_nowait(data)

    async def _deliver(self, kept: asyncio.Queue[bytes], writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while True:
                data = await kept.get()
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
