"""An RTSP camera that stays connected: states, retries, newest frame wins."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
import contextlib
import logging
import random
import threading
import traceback

from facegate.camera.address import Address, ensure_answers
from facegate.camera.pixels import VideoPixels
from facegate.camera.reader import DeniedError, Picture, Reader, StreamTiming
from facegate.camera.redact import redact
from facegate.camera.slot import LatestSlot
from facegate.camera.status import StatusKeeper, StatusListener
from facegate.domain import CameraStatus, Clock, Frame
from facegate.errors import CameraError
from facegate.protocol import CameraStateName

_LOGGER = logging.getLogger(__name__)

CLOSE_LIMIT_S = 3.5


class RtspCamera:
    """A ``Camera`` that reads H.264 over RTSP and TCP.

    It connects when ``frames`` is first iterated and reconnects until ``close``. One thread
    reads and decodes; a frame is converted only if somebody asks for its pixels.
    ``on_status`` is called on the event loop at each change of ``status``, ``on_decoded`` in the
    reading thread with the seconds that a picture took. The URL's credentials appear in no status,
    log or error.
    """

    def __init__(
        self,
        camera_id: str,
        url: str,
        clock: Clock,
        *,
        timing: StreamTiming | None = None,
        on_status: StatusListener | None = None,
        on_decoded: Callable[[float], None] | None = None,
    ) -> None:
        self._id = camera_id
        self._url = url
        self._clock = clock
        self._timing = timing or StreamTiming()
        self._status = StatusKeeper(camera_id, on_status)
        self._on_decoded = on_decoded
        self._slot: LatestSlot[tuple[int, Picture]] = LatestSlot()
        self._keeper: asyncio.Task[None] | None = None
        self._closed = False
        self._sequence = 0
        self._dropped = 0
        self._rejected = 0
        self._reader: Reader | None = None
        self._failures = 0
        self._has_streamed = False
        self._resting = False

    @property
    def id(self) -> str:
        """The camera's id in the settings."""
        return self._id

    @property
    def status(self) -> CameraStatus:
        """What the stream is doing."""
        return self._status.current

    @property
    def dropped_frames(self) -> int:
        """Frames that a newer one replaced before they were taken."""
        return self._dropped

    @property
    def rejected_frames(self) -> int:
        """Frames that were damaged or too old."""
        return self._rejected + (self._reader.rejected if self._reader else 0)

    async def frames(self) -> AsyncIterator[Frame]:
        """Yield the newest frame not yet yielded, until ``close``; one iteration at a time."""
        if self._keeper is None and not self._closed:
            self._keeper = asyncio.create_task(self._keep(), name=f"camera {self._id}")
        while (taken := await self._slot.take()) is not None:
            sequence, picture = taken
            yield Frame(
                camera_id=self._id,
                sequence=sequence,
                arrived=picture.arrival.monotonic,
                at=picture.arrival.at,
                pixels=VideoPixels(picture.frame),
            )

    def focus(self, *, wanted: bool) -> None:
        """Do nothing: there is one stream."""

    def rest(self, *, resting: bool) -> None:
        """Receive the stream without decoding it, or go on from its last key frame."""
        self._resting = resting
        if self._reader is not None:
            self._reader.resting = resting

    async def close(self) -> None:
        """Stop reading and wait for the reader to end: at most ``CLOSE_LIMIT_S``."""
        self._closed = True
        self._slot.close()
        if self._keeper is not None:
            self._keeper.cancel()
            await asyncio.wait([self._keeper])

    async def _keep(self) -> None:
        while True:
            denied = permanent = False
            try:
                address = Address.parse(self._url)
                await ensure_answers(address, self._timing.connect_s)
                await self._read(address)
            except CameraError as error:
                denied, permanent = isinstance(error, DeniedError), error.permanent
                reason = str(error)
            except Exception as error:  # noqa: BLE001  a camera is never given up
                trace = "".join(traceback.format_exception(error))
                _LOGGER.error("Camera %s: unexpected failure\n%s", self._id, redact(trace))  # noqa: TRY400  redacted
                reason = "The engine failed to read the camera; its log says more."
            self._slot.clear()
            state = CameraStateName.REFUSED if permanent else CameraStateName.BACKING_OFF
            self._status.change(state, reason)
            await asyncio.sleep(self._wait(denied=denied))

    async def _read(self, address: Address) -> None:
        """Run one connection in a thread of its own until it fails."""
        loop = asyncio.get_running_loop()
        reader = self._reader = Reader(
            self._url,
            self._clock,
            self._timing,
            has_credentials=address.has_credentials,
            on_decoded=self._on_decoded,
        )
        reader.resting = self._resting
        ended: asyncio.Future[None] = loop.create_future()
        first = True

        def deliver(picture: Picture) -> None:
            nonlocal first
            if first:
                first = False
                loop.call_soon_threadsafe(self._streaming)
            self._sequence += 1
            if self._slot.put((self._sequence, picture)):
                self._dropped += 1

        def run() -> None:
            failure: Exception | None = None
            try:
                reader.read(deliver)
            except Exception as error:  # noqa: BLE001  raised again on the event loop
                failure = error
            # A loop that is closed already has nobody who wants to know.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(_settle, ended, failure)

        thread = threading.Thread(target=run, name=f"camera {self._id}")
        thread.start()
        try:
            await asyncio.shield(ended)
        finally:
            reader.stop()
            await asyncio.wait([ended], timeout=CLOSE_LIMIT_S)
            if ended.done():
                thread.join()
            else:
                _LOGGER.warning(
                    "Camera %s: the reader is still waiting for the camera and ends later", self._id
                )
            self._rejected += reader.rejected
            self._reader = None

    def _streaming(self) -> None:
        if self._closed:
            return
        self._failures = 0
        self._has_streamed = True
        self._status.change(CameraStateName.STREAMING)

    def _wait(self, *, denied: bool) -> float:
        """Return how long to wait before the next attempt, with jitter."""
        timing = self._timing
        jitter = random.uniform(0.75, 1.0)  # noqa: S311  spreads cameras, guards nothing
        if denied:
            return timing.retry_denied_s / jitter
        limit = timing.retry_lost_limit_s if self._has_streamed else timing.retry_limit_s
        wait = min(timing.retry_first_s * 2.0**self._failures, limit)
        self._failures = min(self._failures + 1, 16)
        return wait * jitter


def _settle(ended: asyncio.Future[None], failure: Exception | None) -> None:
    if failure is None:
        ended.set_result(None)
    else:
        ended.set_exception(failure)
        ended.exception()  # after close nobody else asks
