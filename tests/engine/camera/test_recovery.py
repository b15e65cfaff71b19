"""How a camera is lost and comes back, in the default timing."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
import threading
import time

import pytest

from demo.rtsp import RtspServer, Stream
from facegate.camera.reader import StreamTiming
from facegate.protocol import CameraStateName
from tests.engine.camera.conftest import Footage
from tests.engine.camera.watched import watch
from tests.engine.camera.wire import Wire

STREAMING = CameraStateName.STREAMING
BACKING_OFF = CameraStateName.BACKING_OFF


async def test_a_killed_server_is_lost_within_5_s_and_streams_within_10_s_of_its_return(
    rtsp: Footage, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    async with (
        RtspServer({"/front": Stream(rtsp.short)}) as server,
        watch(server.url("/front")) as watched,
    ):
        await watched.until(STREAMING, within=5)
        await server.kill()
        assert await watched.until(BACKING_OFF, within=5, because="ended the stream") < 5
        await watched.until(BACKING_OFF, within=5, because="refuses connections")
        await asyncio.sleep(4)
        await server.start()
        await watched.until(STREAMING, within=10)
        await watched.until_frames(5, within=2)
    told = [text for text in caplog.messages if text.startswith("Camera front")]
    assert len(told) == len(watched.changes) == 4


async def test_a_frozen_picture_is_reported_as_lost_within_5_s_and_comes_back(
    rtsp: Footage,
) -> None:
    async with (
        RtspServer({"/front": Stream(rtsp.short)}) as server,
        watch(server.url("/front")) as watched,
    ):
        await watched.until_frames(5, within=5)
        server.freeze()
        await watched.until(BACKING_OFF, within=5, because="picture stopped")
        last = watched.seen[-1]
        assert last.received - last.frame.arrived < 1
        await watched.until(BACKING_OFF, within=6, because="says nothing")
        server.thaw()
        await watched.until(STREAMING, within=10)
        await watched.until_frames(5, within=2)


async def test_a_camera_that_streamed_is_looked_for_more_often_than_one_that_never_did(
    rtsp: Footage,
) -> None:
    timing = StreamTiming(retry_first_s=0.1, retry_limit_s=30, retry_lost_limit_s=0.2)
    async with RtspServer({"/front": Stream(rtsp.short)}) as server, Wire(server.port) as wire:
        url = f"rtsp://127.0.0.1:{wire.port}/front"
        async with watch(url, timing=timing) as watched:
            await watched.until(STREAMING, within=5)
            await server.kill()
            await watched.until(BACKING_OFF, within=5)
            asked = wire.connections
            await asyncio.sleep(2.5)
            often = wire.connections - asked
    async with Wire(server.port) as wire:
        url = f"rtsp://127.0.0.1:{wire.port}/front"
        async with watch(url, timing=timing):
            await asyncio.sleep(2.5)
            seldom = wire.connections
    assert seldom <= 6
    assert often >= 9


async def test_closing_a_frozen_camera_takes_no_longer_than_its_time_out(rtsp: Footage) -> None:
    before = set(threading.enumerate())
    async with RtspServer({"/front": Stream(rtsp.short)}) as server:
        async with watch(server.url("/front")) as watched:
            await watched.until_frames(5, within=5)
            server.freeze()
            await asyncio.sleep(0.2)
            began = time.monotonic()
            await watched.camera.close()
            assert time.monotonic() - began < 3.5
        assert not readers(before)


async def test_20_reconnects_leave_no_file_and_no_thread_behind(rtsp: Footage) -> None:
    before = set(threading.enumerate())
    timing = StreamTiming(retry_first_s=0.05)
    async with RtspServer({"/front": Stream(rtsp.short)}) as server, Wire(server.port) as wire:
        url = f"rtsp://127.0.0.1:{wire.port}/front"
        async with (
            watch(url, timing=timing) as one,
            watch(url, timing=timing) as two,
            watch(url, timing=timing) as three,
            watch(url, timing=timing) as four,
        ):
            cameras = (one, two, three, four)
            files = []
            for _ in range(6):
                for camera in cameras:
                    await camera.until(STREAMING, within=10)
                files.append(open_files())
                wire.cut()
                for camera in cameras:
                    await camera.until(BACKING_OFF, within=5)
            reconnects = sum(
                change.state is STREAMING for camera in cameras for change in camera.changes
            )
            assert reconnects >= 24
            assert files[-1] <= files[1]
    assert not readers(before)


async def test_a_camera_that_was_never_there_is_found_when_it_comes(rtsp: Footage) -> None:
    server = RtspServer({"/front": Stream(rtsp.short)})
    async with watch(server.url("/front")) as watched:
        await watched.until(BACKING_OFF, within=2, because="refuses connections")
        async with server:
            await watched.until(STREAMING, within=10)


@pytest.mark.parametrize("said", ["", "RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"])
async def test_closing_a_black_holed_camera_is_quick_and_leaves_no_thread(said: str) -> None:
    before = set(threading.enumerate())

    async def hole(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(said.encode())
        await reader.read()
        writer.close()

    server = await asyncio.start_server(hole, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with watch(
            f"rtsp://127.0.0.1:{port}/front", timing=StreamTiming(open_s=2)
        ) as watched:
            await asyncio.sleep(0.5)
            began = time.monotonic()
            await watched.camera.close()
            assert time.monotonic() - began < 3
    assert not readers(before)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def readers(before: set[threading.Thread]) -> list[str]:
    """Return the cameras' threads that were not there before."""
    return [
        thread.name
        for thread in set(threading.enumerate()) - before
        if thread.name.startswith("camera ")
    ]
