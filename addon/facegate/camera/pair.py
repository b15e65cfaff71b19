"""A camera with two streams: the small one watches, the large one is read when somebody comes.

Both stay connected. The large one is received but not decoded until ``focus`` asks for it; then
it goes on from its last key frame, so that its newest picture is there within a frame's time.
While one of the two fails, the other does the work of both.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
import math

from facegate.camera.slot import LatestSlot
from facegate.camera.status import StatusKeeper, StatusListener
from facegate.camera.stream import RtspCamera
from facegate.domain import CameraStatus, Clock, Frame
from facegate.protocol import CameraStateName

# How long the small stream still speaks after the large one was asked for and gave nothing yet.
_LARGE_IS_LATE_S = 0.4


class PairedCamera:
    """A ``Camera`` of two RTSP streams that show the same view.

    Faces are told in pixels of the large stream, also those found in the small one.
    """

    def __init__(
        self,
        camera_id: str,
        url: str,
        substream_url: str,
        clock: Clock,
        *,
        on_status: StatusListener | None = None,
        on_decoded: Callable[[float], None] | None = None,
    ) -> None:
        self._id = camera_id
        self._clock = clock
        self._status = StatusKeeper(camera_id, on_status)
        self._large = RtspCamera(
            camera_id, url, clock, on_status=self._changed, on_decoded=on_decoded
        )
        self._small = RtspCamera(
            f"{camera_id}, small stream",
            substream_url,
            clock,
            on_status=self._changed,
            on_decoded=on_decoded,
        )
        self._large.rest(resting=True)
        self._slot: LatestSlot[Frame] = LatestSlot()
        self._space: tuple[int, int] | None = None
        self._wanted = False
        self._large_seen = 0.0
        self._sequence = 0
        self._dropped = 0
        self._pumps: list[asyncio.Task[None]] = []

    @property
    def id(self) -> str:
        """The camera's id in the settings."""
        return self._id

    @property
    def status(self) -> CameraStatus:
        """What the streams are doing; while one fails, that one's state and reason."""
        return self._status.current

    @property
    def dropped_frames(self) -> int:
        """Frames that a newer one replaced before they were taken."""
        return self._dropped + self._large.dropped_frames + self._small.dropped_frames

    @property
    def rejected_frames(self) -> int:
        """Frames that were damaged or too old."""
        return self._large.rejected_frames + self._small.rejected_frames

    async def frames(self) -> AsyncIterator[Frame]:
        """Yield the newest frame of the stream that is wanted, until ``close``."""
        if not self._pumps:
            self._pumps = [
                asyncio.create_task(self._pump_large(), name=f"camera {self._id}, large"),
                asyncio.create_task(self._pump_small(), name=f"camera {self._id}, small"),
            ]
        newest = -math.inf
        while (frame := await self._slot.take()) is not None:
            if frame.arrived <= newest:
                continue  # the other stream was faster; going back would upset what is followed
            newest = frame.arrived
            self._sequence += 1
            yield replace(frame, camera_id=self._id, sequence=self._sequence)

    def focus(self, *, wanted: bool) -> None:
        """Ask for the large stream, or be content with the small one."""
        self._wanted = wanted
        # With the small stream down there is nothing else to watch with.
        self._large.rest(resting=not wanted and _streams(self._small))

    async def close(self) -> None:
        """Stop reading both streams and wait for their readers to end."""
        self._slot.close()
        await asyncio.gather(self._large.close(), self._small.close())
        await asyncio.gather(*self._pumps)

    async def _pump_large(self) -> None:
        async for frame in self._large.frames():
            self._space = frame.pixels.size
            self._large_seen = self._clock.monotonic()
            if self._wanted or not _streams(self._small):
                self._put(frame)

    async def _pump_small(self) -> None:
        async for frame in self._small.frames():
            if not _streams(self._large) or self._space is None:
                self._put(frame)
            elif not self._wanted or self._clock.monotonic() - self._large_seen > _LARGE_IS_LATE_S:
                self._put(replace(frame, detail=False, space=self._space))

    def _put(self, frame: Frame) -> None:
        if self._slot.put(frame):
            self._dropped += 1

    def _changed(self, _: CameraStatus) -> None:
        self.focus(wanted=self._wanted)
        for stream, name, other in (
            (self._large, "large", self._small),
            (self._small, "small", self._large),
        ):
            status = stream.status
            if status.state in (CameraStateName.STREAMING, CameraStateName.CONNECTING):
                continue
            instead = " The other one is used meanwhile." if _streams(other) else ""
            self._status.change(status.state, f"The {name} stream: {status.reason}{instead}")
            return
        both = all(_streams(stream) for stream in (self._large, self._small))
        self._status.change(CameraStateName.STREAMING if both else CameraStateName.CONNECTING)


def _streams(stream: RtspCamera) -> bool:
    return stream.status.state is CameraStateName.STREAMING
