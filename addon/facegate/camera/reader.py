"""Reads one connection to a camera, in a thread: packets, decoded frames, what went wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
import threading
import time
from typing import cast

import av
from av import error as av_error
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from facegate.camera.arrival import Arrival, Arrivals
from facegate.camera.redact import redact
from facegate.camera.thinning import Thinning, camera_seconds
from facegate.domain import Clock
from facegate.errors import CameraError

_OPTIONS = {
    "rtsp_transport": "tcp",
    "allowed_media_types": "video",  # sound is not asked for, so a silent picture is noticed
    "fpsprobesize": "0",
    "analyzeduration": "500000",
}
_CODEC_NAMES = {"hevc": "H.265", "mjpeg": "Motion JPEG", "mpeg4": "MPEG-4"}
_FROZEN = (
    "The picture stopped while the connection stayed open. Check the camera's network cable; if "
    "it stays so, restart the camera."
)


@dataclass(frozen=True, slots=True)
class StreamTiming:
    """Time-outs and waits of one camera, in seconds.

    ``connect_s`` and ``open_s`` bound connecting and opening, ``read_s`` the silence of an open
    connection, ``picture_s`` the time without a usable picture while data arrive and
    ``first_picture_s`` the same before the first one (a key frame may be far). A frame older
    than ``oldest_frame_s`` when it is decoded is rejected. Retries wait ``retry_first_s``,
    doubled up to ``retry_limit_s``, or to ``retry_lost_limit_s`` where the camera streamed
    before; after a wrong password ``retry_denied_s``.
    """

    connect_s: float = 3.0
    open_s: float = 5.0
    read_s: float = 3.0
    picture_s: float = 4.0
    first_picture_s: float = 15.0
    oldest_frame_s: float = 1.5
    retry_first_s: float = 1.0
    retry_limit_s: float = 30.0
    retry_lost_limit_s: float = 5.0
    retry_denied_s: float = 30.0


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """A decoded frame in the camera's own pixel format, and its arrival."""

    arrival: Arrival
    frame: VideoFrame


class Backlog:
    """Packets that a resting reader keeps: from the last key frame on, so that it can wake there.

    Bounded, for cameras that send no key frame for long: then all is decoded, rest or not.
    """

    def __init__(self, most_packets: int = 250, most_bytes: int = 6 * 1024 * 1024) -> None:
        self._most_packets = most_packets
        self._most_bytes = most_bytes
        self._packets: list[Packet[VideoStream]] = []
        self._bytes = 0

    def add(self, packet: Packet[VideoStream]) -> bool:
        """Keep a packet; return whether decoding may still wait."""
        if packet.is_keyframe:
            self.take()
        self._packets.append(packet)
        self._bytes += packet.size
        return len(self._packets) < self._most_packets and self._bytes < self._most_bytes

    def take(self) -> list[Packet[VideoStream]]:
        """Give up everything kept, in order."""
        taken, self._packets, self._bytes = self._packets, [], 0
        return taken


class Reader:
    """Reads a camera's stream until it fails or is stopped; one instance a connection.

    While ``resting`` is set, from any thread, packets are received and not decoded, but for the
    first picture, which shows that they could be. ``on_decoded`` is told, in the reading thread,
    how many seconds each picture took.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        timing: StreamTiming,
        *,
        has_credentials: bool,
        on_decoded: Callable[[float], None] | None = None,
    ) -> None:
        self._url = url
        self._has_credentials = has_credentials
        self._clock = clock
        self._timing = timing
        self._stop = threading.Event()
        self._on_decoded = on_decoded
        self._arrivals = Arrivals(clock)
        self._backlog = Backlog()
        self.resting = False
        self.rejected = 0

    def stop(self) -> None:
        """Ask ``read`` to return; it does at the next packet or time-out."""
        self._stop.set()

    def read(self, deliver: Callable[[Picture], None]) -> None:
        """Deliver pictures in order until ``stop``; blocking. Raises ``CameraError``."""
        container = self._open()
        try:
            video = _video_of(container)
            self._read(container, video, deliver)
        except av_error.ExitError:
            raise CameraError(_FROZEN) from None
        except av_error.FFmpegError as error:
            raise self._explained(error) from None
        finally:
            container.close()

    def _open(self) -> InputContainer:
        started = time.perf_counter()
        limits = (self._timing.open_s, self._timing.read_s)
        try:
            return av.open(self._url, options=_OPTIONS, timeout=limits)
        except av_error.HTTPOtherClientError as error:
            if _only_sound(self._url, limits):
                raise _no_video() from None
            raise self._explained(error) from None
        except av_error.FFmpegError as error:
            if time.perf_counter() - started >= self._timing.open_s:
                raise CameraError(
                    "The camera answers but does not begin to stream. Restart the camera; if it "
                    "stays so, check how many viewers it allows at a time."
                ) from None
            raise self._explained(error) from None

    def _read(
        self, container: InputContainer, video: VideoStream, deliver: Callable[[Picture], None]
    ) -> None:
        watch = _Watch(self._timing)
        thinning = Thinning(video.codec_context)
        packets = container.demux(video)
        delivered = False

        def hand_over(picture: Picture) -> None:
            nonlocal delivered
            delivered = True
            deliver(picture)

        while not self._stop.is_set():
            asked = time.perf_counter()
            packet = next(packets, None)
            if packet is None or packet.size == 0:
                raise CameraError(
                    "The camera ended the stream. It may be restarting; if it stays so, check "
                    "how many viewers it allows at a time."
                )
            waited = time.perf_counter() - asked
            if waited >= self._timing.read_s:
                # libav gives up its held packet first and reports the time-out one read later.
                raise CameraError(_FROZEN)
            packet.opaque = self._arrivals.stamp(waited, camera_seconds(packet))
            may_wait = self._backlog.add(packet)
            if self.resting and delivered and may_wait:
                watch.seen()
                continue
            *missed, newest = self._backlog.take()
            thinning.unwanted()
            for earlier in missed:
                self._catch_up(earlier)
            thinning.wanted(newest)
            self._decode(newest, watch, hand_over)
            watch.check()

    def _decode(
        self,
        packet: Packet[VideoStream],
        watch: _Watch,
        deliver: Callable[[Picture], None],
    ) -> None:
        began = time.perf_counter()
        try:
            frames = packet.decode()
        except av_error.InvalidDataError:
            self.rejected += 1
            watch.damaged()
            return
        if frames and self._on_decoded is not None:
            self._on_decoded(time.perf_counter() - began)
        for frame in frames:
            if not isinstance(frame.opaque, Arrival):
                watch.late()
            elif frame.is_corrupt:
                self.rejected += 1
                watch.damaged()
            elif self._clock.monotonic() - frame.opaque.monotonic > self._timing.oldest_frame_s:
                self.rejected += 1
                watch.late()
            else:
                watch.seen()
                deliver(Picture(frame.opaque, frame))

    def _catch_up(self, packet: Packet[VideoStream]) -> None:
        """Decode what later pictures are built on and nobody will look at."""
        try:
            packet.decode()
        except av_error.InvalidDataError:
            self.rejected += 1

    def _explained(self, error: av_error.FFmpegError) -> CameraError:
        match error:
            case av_error.HTTPUnauthorizedError() if not self._has_credentials:
                return DeniedError(
                    "The camera asks for a user name and password. Write them into its URL: "
                    "rtsp://user:password@host:port/path.",
                    permanent=True,
                )
            case av_error.HTTPUnauthorizedError() | av_error.HTTPForbiddenError():
                return DeniedError(
                    "The camera refuses the user name or password. Correct them in its URL; "
                    "percent-encode special characters (@ is %40, / is %2F). Some cameras lock an "
                    "account for a while after wrong passwords.",
                    permanent=True,
                )
            case av_error.HTTPNotFoundError():
                return CameraError(
                    "The camera has no stream at this path. Correct the path of the URL: the "
                    "camera's manual gives it.",
                    permanent=True,
                )
            case av_error.HTTPServerError():
                return CameraError(
                    "The camera reports an error of its own. Restart the camera; if it stays so, "
                    "check how many viewers it allows at a time."
                )
            case _:
                text = redact(error.strerror or type(error).__name__)
                return CameraError(f"The stream failed: {text}. It is tried again.")


class _Watch:
    """Notices that data arrive and no usable picture does."""

    def __init__(self, timing: StreamTiming) -> None:
        self._timing = timing
        self._deadline = time.perf_counter() + timing.first_picture_s
        self._lately_late = False

    def seen(self) -> None:
        self._deadline = time.perf_counter() + self._timing.picture_s
        self._lately_late = False

    def late(self) -> None:
        self._lately_late = True

    def damaged(self) -> None:
        self._lately_late = False

    def check(self) -> None:
        if time.perf_counter() < self._deadline:
            return
        if self._lately_late:
            raise CameraError(
                "The camera's pictures arrive too late to be used. Set a lower resolution, frame "
                "rate or bit rate in the camera, or use its second stream."
            )
        raise CameraError(
            "Data arrive from the camera but no whole picture. Check the network for losses and "
            "set a key frame (I-frame) interval of one or two seconds in the camera."
        )


def _video_of(container: InputContainer) -> VideoStream:
    if not container.streams.video:
        raise _no_video()
    video = container.streams.video[0]
    # PyAV's types do not say that it is None for a codec that libav cannot decode.
    context = cast("VideoCodecContext | None", video.codec_context)
    if context is None or context.name != "h264":
        codec = "unknown" if context is None else context.name
        name = _CODEC_NAMES.get(codec, f"video of the codec {codec}")
        raise CameraError(
            f"The camera sends {name}. Set its video encoding to H.264 (the second stream often "
            "has a setting of its own).",
            permanent=True,
        )
    context.thread_type = "SLICE"
    context.thread_count = 1
    context.copy_opaque = True
    return video


def _only_sound(url: str, limits: tuple[float, float]) -> bool:
    options = {name: value for name, value in _OPTIONS.items() if name != "allowed_media_types"}
    try:
        with av.open(url, options=options, timeout=limits) as container:
            return not container.streams.video
    except av_error.FFmpegError:
        return False


def _no_video() -> CameraError:
    return CameraError(
        "The stream has no video track. Choose the camera's video stream: its manual gives the "
        "path of the URL.",
        permanent=True,
    )


class DeniedError(CameraError):
    """A wrong password: asked again seldom, because cameras lock accounts."""
