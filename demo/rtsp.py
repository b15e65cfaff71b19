"""A real RTSP server as a subprocess, and byte streams for it to serve.

The server needs Debian packages (``DEBIAN_PACKAGES``); ``rtsp_unavailable_reason`` says what is
missing. Byte streams are made with PyAV alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
import contextlib
from dataclasses import dataclass
from fractions import Fraction
import functools
import json
from pathlib import Path
import signal
import socket
import subprocess
import tempfile
from types import TracebackType
from typing import Self
from urllib.parse import quote

import av
import av.bitstream
import av.container
import av.video
import numpy as np
from numpy.typing import NDArray

type Picture = NDArray[np.uint8]

SYSTEM_PYTHON = Path("/usr/bin/python3")
SERVER = Path(__file__).with_name("rtsp_server.py")
DEBIAN_PACKAGES = (
    "gir1.2-gst-rtsp-server-1.0",
    "python3-gi",
    "gstreamer1.0-plugins-good",
    "gstreamer1.0-plugins-bad",
)
RATE = Fraction(15)
START_LIMIT_S = 15.0
_NO_TIME_S = 1e-6

_PROBE = """
import gi
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GstRtspServer
from gi.repository import Gst
Gst.init(None)
needed = ("multifilesrc", "h264parse", "h265parse", "rtph264pay", "rtph265pay")
missing = [name for name in needed if not Gst.ElementFactory.find(name)]
raise SystemExit("no GStreamer element " + ", ".join(missing) if missing else 0)
"""


@functools.cache
def rtsp_unavailable_reason() -> str | None:
    """Return why no RTSP server can run on this machine, or None where one can."""
    advice = "apt-get install -y --no-install-recommends " + " ".join(DEBIAN_PACKAGES)
    if not SYSTEM_PYTHON.exists():
        return f"needs {SYSTEM_PYTHON} and GStreamer's RTSP server: {advice}"
    done = subprocess.run(
        [SYSTEM_PYTHON, "-c", _PROBE], capture_output=True, text=True, timeout=60, check=False
    )
    if done.returncode == 0:
        return None
    last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
    return f"needs GStreamer's RTSP server ({last}): {advice}"


@dataclass(frozen=True, slots=True)
class Stream:
    """What one path serves: ``codec`` is ``h264``, ``h265``, or ``tone`` (sound, no file)."""

    file: Path | None
    codec: str = "h264"
    rate: Fraction = RATE


class RtspServer:
    """A camera on 127.0.0.1 that can be killed, started again and frozen.

    ``streams`` maps a path such as ``/front`` to what it serves. With a ``password`` every path
    asks for it, by ``auth`` ``basic`` or ``digest``. Port 0 takes a free one at the first start
    and keeps it.
    """

    def __init__(
        self,
        streams: dict[str, Stream],
        *,
        port: int = 0,
        user: str = "camera",
        password: str | None = None,
        auth: str = "digest",
    ) -> None:
        self._streams = dict(streams)
        self._user = user
        self._password = password
        self._auth = auth
        self._process: asyncio.subprocess.Process | None = None
        # A file, not a pipe: GStreamer may complain more than a pipe that nobody reads holds.
        self._said = tempfile.TemporaryFile()  # noqa: SIM115  lives as long as the server
        self.port = port or _free_port()

    def url(self, path: str, *, password: str | None = None) -> str:
        """Return the URL of a path, with the credentials if any are needed.

        ``password`` stands in for the right one.
        """
        secret = password if password is not None else self._password
        user = "" if secret is None else f"{quote(self._user, safe='')}:{quote(secret, safe='')}@"
        return f"rtsp://{user}127.0.0.1:{self.port}{path}"

    async def start(self) -> None:
        """Start, and return once the server answers.

        Raises ``RuntimeError`` if it does not, or if it is running already.
        """
        if self._process is not None:
            raise RuntimeError("the RTSP server is running")
        self._process = await asyncio.create_subprocess_exec(
            SYSTEM_PYTHON,
            SERVER,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._said,
            # Ctrl-C in a terminal ends who started the server first, and the server after it.
            start_new_session=True,
        )
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(json.dumps(self._config()).encode() + b"\n")
        await stdin.drain()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(START_LIMIT_S):
                if await self._listens(self._process):
                    return
        await self._end()
        self._said.seek(0)
        said = self._said.read().decode(errors="replace").strip()
        raise RuntimeError(f"the RTSP server on port {self.port} does not answer: {said}")

    async def kill(self) -> None:
        """End the server as a power cut does (SIGKILL)."""
        await self._end()

    def freeze(self) -> None:
        """Stop the picture while the connections live (SIGSTOP)."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen picture go on (SIGCONT)."""
        self._signal(signal.SIGCONT)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._end()

    def _config(self) -> dict[str, object]:
        streams = [
            {
                "path": path,
                "file": str(stream.file) if stream.file else "",
                "codec": stream.codec,
                "rate": f"{stream.rate.numerator}/{stream.rate.denominator}",
            }
            for path, stream in self._streams.items()
        ]
        config: dict[str, object] = {"port": self.port, "streams": streams}
        if self._password is not None:
            config |= {"user": self._user, "password": self._password, "auth": self._auth}
        return config

    async def _listens(self, process: asyncio.subprocess.Process) -> bool:
        """Wait for this very server's word, and ask it whether it answers."""
        assert process.stdout is not None
        if await process.stdout.readline() != b"listening\n":
            return False
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"OPTIONS {self.url('/')} RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode())
        answer = await reader.readline()
        writer.close()
        return answer.startswith(b"RTSP/1.0")

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError("the RTSP server is not running")
        self._process.send_signal(number)

    async def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.kill()
        if process.stdin is not None:
            process.stdin.close()
        await process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def copy_byte_stream(clip: Path, target: Path) -> Fraction:
    """Write the H.264 video of ``clip`` as an Annex B byte stream; return its frame rate.

    Nothing is encoded anew. ``target`` is replaced in one step. Raises ``ValueError`` if the
    clip's video is not H.264.
    """
    with av.open(clip) as source:
        video = source.streams.video[0]
        if video.codec_context.name != "h264":
            raise ValueError(f"{clip.name} is {video.codec_context.name}, not h264")
        to_annexb = av.bitstream.BitStreamFilterContext("h264_mp4toannexb", video)
        with _replacing(target) as part, part.open("wb") as out:
            for packet in source.demux(video):
                if packet.size:
                    for filtered in to_annexb.filter(packet):
                        out.write(bytes(filtered))
        rate = video.average_rate
        return Fraction(rate.numerator, rate.denominator) if rate else RATE


def encode_byte_stream(
    pictures: Iterable[Picture], target: Path, *, rate: Fraction = RATE, codec: str = "libx264"
) -> int:
    """Encode BGR pictures (height, width, 3) to an Annex B byte stream; return their number.

    Main profile, no B-frames, a key frame every second; ``codec`` may be ``libx265``. All
    pictures have the size of the first; sides are even. ``target`` is replaced in one step.
    """
    count = 0
    form = "hevc" if codec == "libx265" else "h264"
    with _replacing(target) as part, av.open(part, "w", format=form) as out:
        stream: av.video.VideoStream | None = None
        for count, picture in enumerate(pictures, start=1):
            if stream is None:
                stream = _add_stream(out, codec, rate, picture)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = count - 1
            frame.time_base = 1 / rate
            out.mux(stream.encode(frame))
        if stream is None:
            raise ValueError("no pictures to encode")
        out.mux(stream.encode(None))
    return count


def read_pictures(clip: Path, rate: Fraction = RATE) -> Iterator[Picture]:
    """Yield a clip's pictures (height, width, 3) in BGR at ``rate``, repeated or left out."""
    due = Fraction(0)
    with av.open(clip) as source:
        picture: Picture | None = None
        own_rate = source.streams.video[0].guessed_rate or RATE
        for index, frame in enumerate(source.decode(video=0)):
            # A bare byte stream has no time stamps.
            seconds = index / float(own_rate) if frame.pts is None else frame.time
            while picture is not None and due < seconds - _NO_TIME_S:
                yield picture
                due += 1 / rate
            picture = np.asarray(frame.to_ndarray(format="bgr24"), dtype=np.uint8)
        if picture is not None and due <= seconds + _NO_TIME_S:
            yield picture


def _add_stream(
    out: av.container.OutputContainer, codec: str, rate: Fraction, picture: Picture
) -> av.video.VideoStream:
    every_second = str(max(1, round(rate)))
    options = {"preset": "veryfast", "crf": "20", "bf": "0", "g": every_second}
    if codec == "libx264":
        options |= {"profile": "main", "sc_threshold": "0"}
    else:
        options |= {"x265-params": "log-level=none"}
    stream = out.add_stream(codec, rate=rate, options=options)
    assert isinstance(stream, av.video.VideoStream)
    stream.height, stream.width = picture.shape[:2]
    stream.pix_fmt = "yuv420p"
    return stream


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[Path]:
    part = target.with_name(target.name + ".part")
    try:
        yield part
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
