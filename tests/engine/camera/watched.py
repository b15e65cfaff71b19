"""A camera whose frames and changes are written down while it runs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
import time
from typing import Self

from facegate.camera.reader import StreamTiming
from facegate.camera.status import StatusListener
from facegate.camera.stream import RtspCamera
from facegate.domain import Camera, CameraStatus, Frame
from facegate.protocol import CameraStateName
from tests.engine.camera.scene import SystemClock


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A frame, and when the consumer had it."""

    frame: Frame
    received: float


class Watched[C: Camera]:
    """Consumes a camera from entry to exit; ``busy_s`` is what the consumer does a frame."""

    def __init__(self, make: Callable[[StatusListener], C], *, busy_s: float = 0.0) -> None:
        self.camera = make(self._changed)
        self.seen: list[Seen] = []
        self.changes: list[CameraStatus] = []
        self._busy_s = busy_s
        self._consumer: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._consumer = asyncio.create_task(self._consume())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.camera.close()
        assert self._consumer is not None
        async with asyncio.timeout(2):
            await self._consumer

    async def until(self, state: CameraStateName, within: float, *, because: str = "") -> float:
        """Return the seconds until the camera is in a state for a reason."""

        def arrived() -> bool:
            status = self.camera.status
            return status.state is state and because in (status.reason or "")

        return await self.until_true(arrived, within)

    async def until_frames(self, count: int, within: float) -> float:
        """Return the seconds until ``count`` more frames were seen."""
        goal = len(self.seen) + count
        return await self.until_true(lambda: len(self.seen) >= goal, within)

    async def until_true(self, condition: Callable[[], bool], within: float) -> float:
        """Return the seconds until the condition holds; fails after ``within``."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > within:
                raise AssertionError(
                    f"not within {within} s: {self.changes}, {len(self.seen)} seen"
                )
            await asyncio.sleep(0.01)
        return time.monotonic() - began

    async def _consume(self) -> None:
        async for frame in self.camera.frames():
            self.seen.append(Seen(frame, time.monotonic()))
            if self._busy_s:
                await asyncio.sleep(self._busy_s)

    def _changed(self, status: CameraStatus) -> None:
        self.changes.append(status)


def watch(
    url: str, *, busy_s: float = 0.0, timing: StreamTiming | None = None
) -> Watched[RtspCamera]:
    """Watch an RTSP camera in real time."""

    def make(tell: StatusListener) -> RtspCamera:
        return RtspCamera("front", url, SystemClock(), timing=timing, on_status=tell)

    return Watched(make, busy_s=busy_s)
