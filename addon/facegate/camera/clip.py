"""A video file in place of a camera: paced like one, or every frame as fast as possible."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path

import av
from av import error as av_error
from av.video.frame import VideoFrame

from facegate.camera.pixels import VideoPixels
from facegate.camera.status import StatusKeeper, StatusListener
from facegate.camera.thinning import Thinning
from facegate.domain import CameraStatus, Clock, Frame
from facegate.errors import CameraError
from facegate.protocol import CameraStateName

RETRY_S = 2.0
_USUAL_RATE = 25.0


class ClipCamera:
    """A ``Camera`` that plays a video file of any codec libav reads.

    ``paced``: a frame is yielded, and stamped, when it is due; what a slow consumer missed is
    skipped, and so is what a camera's stream would be thinned by. Otherwise every frame is yielded
    in order and stamped at that moment. ``loop``: the file is opened anew at each round, so it may
    be replaced, and a file that cannot be used is tried again; without it ``frames`` ends with the
    clip.
    """

    def __init__(
        self,
        camera_id: str,
        path: Path,
        clock: Clock,
        *,
        paced: bool,
        loop: bool,
        on_status: StatusListener | None = None,
    ) -> None:
        self._id = camera_id
        self._path = path
        self._clock = clock
        self._paced = paced
        self._loop = loop
        self._status = StatusKeeper(camera_id, on_status)
        self._closing = asyncio.Event()
        self._reading = asyncio.Lock()
        self._clip: _Clip | None = None
        self._sequence = 0
        self._dropped = 0

    @property
    def id(self) -> str:
        """The camera's id in the settings."""
        return self._id

    @property
    def status(self) -> CameraStatus:
        """What the clip is doing."""
        return self._status.current

    @property
    def dropped_frames(self) -> int:
        """Frames that were due before the consumer came back."""
        return self._dropped

    @property
    def rejected_frames(self) -> int:
        """None: a file is whole or it is refused."""
        return 0

    async def frames(self) -> AsyncIterator[Frame]:
        """Yield frames until ``close`` or the clip's end; one iteration at a time."""
        while not self._closing.is_set():
            try:
                async with aclosing(self._round()) as frames:
                    async for frame in frames:
                        yield frame
            except CameraError as error:
                self._status.change(CameraStateName.REFUSED, str(error))
                if not self._loop:
                    return
                await self._pause(RETRY_S)
            if not self._loop:
                self._status.change(CameraStateName.BACKING_OFF, "The clip has ended.")
                return

    def focus(self, *, wanted: bool) -> None:
        """Do nothing: there is one clip."""

    async def close(self) -> None:
        """Stop playing and wait for a frame that is being decoded."""
        self._closing.set()
        async with self._reading:
            self._release()

    async def _round(self) -> AsyncGenerator[Frame]:
        """Play the clip once."""
        self._clip = await self._in_thread(lambda: _Clip(self._path, paced=self._paced))
        started = self._clock.monotonic()
        try:
            while still := await self._take(started):
                self._dropped += still.skipped
                if self._paced:
                    await self._pause(started + still.seconds - self._clock.monotonic())
                if self._closing.is_set():
                    return
                self._sequence += 1 + still.skipped
                self._status.change(CameraStateName.STREAMING)
                yield Frame(
                    camera_id=self._id,
                    sequence=self._sequence,
                    arrived=self._clock.monotonic(),
                    at=self._clock.now(),
                    pixels=VideoPixels(still.frame),
                )
            if self._paced and self._clip is not None:
                await self._pause(started + self._clip.played_s - self._clock.monotonic())
        finally:
            self._release()

    async def _take(self, started: float) -> _Still | None:
        clip = self._clip
        if clip is None or self._closing.is_set():
            return None
        due = self._clock.monotonic() - started if self._paced else None
        return await self._in_thread(lambda: clip.take(due))

    async def _in_thread[T](self, work: Callable[[], T]) -> T:
        async with self._reading:
            return await asyncio.to_thread(work)

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._closing.wait()

    def _release(self) -> None:
        if self._clip is not None:
            self._clip.close()
            self._clip = None


@dataclass(frozen=True, slots=True, eq=False)
class _Still:
    """A picture, its time in the clip in seconds from 0, and how many were skipped before it."""

    seconds: float
    frame: VideoFrame
    skipped: int


class _Clip:
    """An open video file; blocking. Everything raises ``CameraError``."""

    def __init__(self, path: Path, *, paced: bool) -> None:
        self._name = path.name
        try:
            self._container = av.open(path)
        except FileNotFoundError:
            raise _refusal(f"There is no clip {path}. Correct the camera's clip.") from None
        except (av_error.FFmpegError, OSError) as error:
            why = error.strerror or type(error).__name__
            raise _refusal(f"The clip {path} cannot be opened: {why}.") from None
        if not self._container.streams.video:
            self._container.close()
            raise _refusal(f"The clip {path} has no video track. Choose a video file.")
        self._video = self._container.streams.video[0]
        # As many threads as a camera's stream has: more only hold more pictures.
        self._video.thread_count = 1
        self._thinning = Thinning(self._video.codec_context) if paced else None
        self._rate = float(self._video.guessed_rate or _USUAL_RATE)
        self._frames = self._decode()
        self._ahead = next(self._frames, None)
        self.played_s = 0.0
        if self._ahead is None:
            self._container.close()
            raise _refusal(f"The clip {path} holds no picture. Choose another file.")

    def close(self) -> None:
        """Close the file."""
        self._frames.close()
        self._container.close()

    def take(self, due: float | None) -> _Still | None:
        """Return the newest picture due at ``due``, else the next one; None at the end.

        Without ``due``, the next one.
        """
        if self._ahead is None:
            return None
        (seconds, frame), skipped = self._ahead, 0
        while (ahead := next(self._frames, None)) and due is not None and ahead[0] <= due:
            (seconds, frame), skipped = ahead, skipped + 1
        self._ahead = ahead
        self.played_s = seconds + 1 / self._rate
        return _Still(seconds, frame, skipped)

    def _pictures(self) -> Generator[VideoFrame]:
        for packet in self._container.demux(self._video):
            if self._thinning is not None:
                self._thinning.wanted(packet)
            yield from packet.decode()

    def _decode(self) -> Generator[tuple[float, VideoFrame]]:
        first: float | None = None
        try:
            for index, frame in enumerate(self._pictures()):
                seconds = index / self._rate if frame.pts is None else frame.time
                if first is None:
                    first = seconds
                yield seconds - first, frame
        except av_error.FFmpegError as error:
            why = error.strerror or type(error).__name__
            raise _refusal(f"The clip {self._name} is damaged: {why}. Replace it.") from None


def _refusal(text: str) -> CameraError:
    return CameraError(text, permanent=True)
