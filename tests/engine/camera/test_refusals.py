"""What a property manager is told when a camera cannot stream, and what nobody is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
import logging
from pathlib import Path
import socket
from urllib.parse import quote

import pytest

from demo.rtsp import RtspServer, Stream
from facegate.camera.reader import StreamTiming
from facegate.camera.stream import RtspCamera
from facegate.domain import CameraStatus
from facegate.protocol import CameraStateName
from tests.engine.camera.conftest import Footage
from tests.engine.camera.scene import SystemClock
from tests.engine.camera.watched import Watched, watch
from tests.engine.camera.wire import Wire

REFUSED = CameraStateName.REFUSED
BACKING_OFF = CameraStateName.BACKING_OFF
QUICK = StreamTiming(connect_s=0.7, open_s=0.7, read_s=0.7, retry_first_s=0.1, retry_limit_s=0.2)


@pytest.mark.parametrize("auth", ["basic", "digest"])
async def test_a_wrong_password_is_refused_asked_once_and_never_shown(
    rtsp: Footage,
    auth: str,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong = "wr0ng:p@ss/word"
    streams = {"/front": Stream(rtsp.short)}
    async with (
        RtspServer(streams, user="gatekeeper", password="right", auth=auth) as server,
        Wire(server.port) as wire,
        watch(f"rtsp://gatekeeper:{quote(wrong, safe='')}@127.0.0.1:{wire.port}/front") as watched,
    ):
        await watched.until(REFUSED, within=5, because="user name or password")
        asked = wire.connections
        await asyncio.sleep(2)
        assert wire.connections == asked
    assert len(watched.changes) == 1
    out, err = capfd.readouterr()
    shown = caplog.text + repr(watched.changes) + out + err
    assert "gatekeeper" not in shown
    assert wrong not in shown
    assert quote(wrong, safe="") not in shown


async def test_a_camera_whose_password_is_missing_asks_for_it(rtsp: Footage) -> None:
    async with (
        RtspServer({"/front": Stream(rtsp.short)}, password="secret") as server,
        watch(f"rtsp://127.0.0.1:{server.port}/front") as watched,
    ):
        await watched.until(REFUSED, within=5, because="asks for a user name and password")


async def test_an_unknown_path_is_refused(rtsp: Footage) -> None:
    async with (
        RtspServer({"/front": Stream(rtsp.short)}) as server,
        watch(server.url("/back")) as watched,
    ):
        await watched.until(REFUSED, within=5, because="no stream at this path")


async def test_h265_is_refused_with_what_to_set(rtsp: Footage) -> None:
    async with (
        RtspServer({"/front": Stream(rtsp.h265, codec="h265")}) as server,
        watch(server.url("/front")) as watched,
    ):
        await watched.until(
            REFUSED, within=5, because="sends H.265. Set its video encoding to H.264"
        )


@pytest.mark.usefixtures("rtsp")
async def test_a_stream_without_video_is_refused() -> None:
    async with (
        RtspServer({"/front": Stream(None, codec="tone")}) as server,
        watch(server.url("/front")) as watched,
    ):
        await watched.until(REFUSED, within=5, because="no video track")


@pytest.mark.usefixtures("rtsp")
async def test_a_camera_that_reports_its_own_error_is_tried_again(tmp_path: Path) -> None:
    async with (
        RtspServer({"/front": Stream(tmp_path / "missing.h264")}) as server,
        watch(server.url("/front")) as watched,
    ):
        await watched.until(BACKING_OFF, within=5, because="error of its own")


@asynccontextmanager
async def listening(answer: bytes | None) -> AsyncIterator[int]:
    """Serve connections on a port that say ``answer`` to the first line, and then nothing."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        if answer is not None:
            writer.write(answer)
        await reader.read()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("answer", "because"),
    [
        (None, "takes connections but says nothing"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "does not speak RTSP"),
        (b"\xff" * 100_000, "does not speak RTSP"),
        (b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n", "does not begin to stream"),
    ],
)
async def test_what_is_not_a_working_camera_is_told_apart(
    answer: bytes | None, because: str
) -> None:
    async with (
        listening(answer) as port,
        watch(f"rtsp://127.0.0.1:{port}/front", timing=QUICK) as watched,
    ):
        await watched.until(BACKING_OFF, within=3, because=because)


async def test_a_host_that_swallows_connections_is_a_time_out() -> None:
    with socket.socket() as full, socket.socket() as filler:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        filler.connect(("127.0.0.1", port))
        async with watch(f"rtsp://127.0.0.1:{port}/front", timing=QUICK) as watched:
            await watched.until(BACKING_OFF, within=3, because="Nothing answers at 127.0.0.1:")


@pytest.mark.parametrize(
    ("url", "state", "because"),
    [
        ("rtsp://127.0.0.1:1/front", BACKING_OFF, "127.0.0.1:1 refuses connections"),
        ("rtsp://camera.invalid/front", BACKING_OFF, "host name camera.invalid is not known"),
        (f"rtsp://{'x' * 70}.invalid/front", BACKING_OFF, "is not known"),
        ("http://127.0.0.1/front", REFUSED, "must begin with rtsp://"),
        ("rtsp:///front", REFUSED, "name a host"),
        ("rtsp://user:p#ss@127.0.0.1/front", REFUSED, "percent-encode"),
        ("rtsp://user:pass@[127.0.0.1/front", REFUSED, "cannot be read"),
        ("rtsp://user:pass@127.0.0.1:port/front", REFUSED, "cannot be read"),
    ],
)
async def test_a_wrong_url_is_told_by_what_is_wrong(
    url: str, state: CameraStateName, because: str
) -> None:
    async with watch(url, timing=QUICK) as watched:
        await watched.until(state, within=3, because=because)
        await asyncio.sleep(0.5)
        assert len(watched.changes) == 1
        assert "p#ss" not in repr(watched.changes)


async def test_a_listener_that_fails_does_not_end_the_camera(
    caplog: pytest.LogCaptureFixture,
) -> None:
    told: list[CameraStatus] = []

    def fail(status: CameraStatus) -> None:
        told.append(status)
        raise RuntimeError("listener")

    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"rtsp://127.0.0.1:{silent.getsockname()[1]}/front"
        watched = Watched(
            lambda _: RtspCamera("front", url, SystemClock(), timing=QUICK, on_status=fail)
        )
        async with watched:
            await watched.until(BACKING_OFF, within=3, because="says nothing")
            silent.close()
            await watched.until(BACKING_OFF, within=3, because="refuses connections")
    assert len(told) == 2
    assert "telling its status failed" in caplog.text


class BrokenClock(SystemClock):
    """A clock that fails with the URL in its words, as a library might."""

    def now(self) -> datetime:
        raise RuntimeError("rtsp://user:s3cret@127.0.0.1/front")


async def test_an_unexpected_failure_is_logged_without_the_password_and_tried_again(
    rtsp: Footage, caplog: pytest.LogCaptureFixture
) -> None:
    async with RtspServer({"/front": Stream(rtsp.short)}) as server:
        watched = Watched(
            lambda tell: RtspCamera(
                "front", server.url("/front"), BrokenClock(), timing=QUICK, on_status=tell
            )
        )
        async with watched:
            await watched.until(BACKING_OFF, within=5, because="log says more")
            await watched.until_true(lambda: caplog.text.count("unexpected failure") > 1, within=5)
    assert "rtsp://***@127.0.0.1/front" in caplog.text
    assert "s3cret" not in caplog.text
