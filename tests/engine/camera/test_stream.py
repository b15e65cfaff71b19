"""What a camera that works gives."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
import shutil
import time

import pytest

from demo.rtsp import RtspServer, Stream
from facegate.camera.stream import RtspCamera
from facegate.protocol import CameraStateName
from tests.engine.camera.conftest import Footage
from tests.engine.camera.scene import SystemClock, number_of
from tests.engine.camera.watched import watch
from tests.engine.camera.wire import Wire

STREAMING = CameraStateName.STREAMING


@pytest.fixture(autouse=True)
def _loop_stays_free(rtsp: Footage, free_loop: None) -> None:
    """Fail a test in which reading, decoding or converting held the event loop."""


@pytest.mark.parametrize("auth", ["basic", "digest"])
async def test_a_camera_with_a_password_streams_its_pictures_in_order(
    rtsp: Footage, auth: str
) -> None:
    streams = {"/front": Stream(rtsp.numbered)}
    async with RtspServer(streams, password="s3cr:t@/x", auth=auth) as server:
        async with watch(server.url("/front")) as watched:
            assert watched.camera.status.state is CameraStateName.CONNECTING
            await watched.until_frames(15, within=5)
            assert watched.camera.status.state is STREAMING
        numbers = [number_of(seen.frame.image) for seen in watched.seen]
        sequences = [seen.frame.sequence for seen in watched.seen]
        assert sequences == sorted(set(sequences))
        assert numbers == sorted(set(numbers))
        assert watched.seen[-1].frame.image.shape == (360, 640, 3)
        assert watched.seen[-1].frame.camera_id == "front"


async def test_a_slow_consumer_gets_the_newest_frame_and_the_rest_is_counted(
    rtsp: Footage,
) -> None:
    async with (
        RtspServer({"/front": Stream(rtsp.numbered)}) as server,
        watch(server.url("/front"), busy_s=0.8) as watched,
    ):
        await watched.until_frames(6, within=12)
        taken = watched.seen[2:]
        ages = [seen.received - seen.frame.arrived for seen in taken]
        assert max(ages) < 0.6
        gaps = [
            later.frame.sequence - earlier.frame.sequence
            for earlier, later in itertools.pairwise(taken)
        ]
        assert min(gaps) >= 6
        assert watched.camera.dropped_frames >= sum(gap - 1 for gap in gaps)


async def test_a_picture_that_changes_size_goes_on(rtsp: Footage, tmp_path: Path) -> None:
    scene = tmp_path / "scene.h264"
    shutil.copy(rtsp.short, scene)
    next_scene = tmp_path / "next.h264"
    shutil.copy(rtsp.larger, next_scene)
    async with (
        RtspServer({"/front": Stream(scene)}) as server,
        watch(server.url("/front")) as watched,
    ):
        await watched.until_frames(5, within=5)
        next_scene.replace(scene)
        await watched.until_frames(35, within=6)
        shapes = [seen.frame.image.shape for seen in watched.seen]
        assert shapes[0] == (360, 640, 3)
        assert shapes[-1] == (480, 800, 3)
        assert number_of(watched.seen[-1].frame.image) >= 100
        assert [change.state for change in watched.changes] == [STREAMING]


async def test_after_a_stall_no_frame_claims_to_be_younger_than_its_picture(
    rtsp: Footage,
) -> None:
    async with (
        RtspServer({"/front": Stream(rtsp.numbered)}) as server,
        Wire(server.port) as wire,
        watch(f"rtsp://127.0.0.1:{wire.port}/front") as watched,
    ):
        await watched.until_frames(15, within=5)
        before = len(watched.seen)
        # When picture 0 was sent, by the frames that came straight from the camera.
        offset = min(seen.received - number_of(seen.frame.image) / 15 for seen in watched.seen[5:])
        wire.hold()
        await asyncio.sleep(2.2)
        wire.release()
        await watched.until_frames(15, within=5)
        assert watched.camera.status.state is STREAMING
        assert watched.camera.rejected_frames > 0
        for seen in watched.seen[before:]:
            sent = offset + number_of(seen.frame.image) / 15
            assert seen.frame.arrived <= sent + 0.15
            assert seen.received - sent < 2.0


async def test_a_damaged_picture_is_left_out(rtsp: Footage, tmp_path: Path) -> None:
    scene = tmp_path / "damaged.h264"
    scene.write_bytes(damaged(rtsp.short.read_bytes()))
    async with (
        RtspServer({"/front": Stream(scene)}) as server,
        watch(server.url("/front")) as watched,
    ):
        await watched.until_frames(30, within=6)
        assert watched.camera.rejected_frames >= 2
        assert watched.camera.status.state is STREAMING


def damaged(stream: bytes) -> bytes:
    """Overwrite the sixth picture after the key frame."""
    starts = [at for at in range(len(stream) - 3) if stream[at : at + 3] == b"\0\0\1"]
    slices = [at for at in starts if stream[at + 3] & 31 == 1]
    begin, end = slices[5] + 12, starts[starts.index(slices[5]) + 1] - 4
    spoiled = bytes(byte ^ 0x5A for byte in stream[begin:end])
    return stream[:begin] + spoiled + stream[end:]


async def test_closing_ends_the_iteration_and_the_reader(rtsp: Footage) -> None:
    async with RtspServer({"/front": Stream(rtsp.short)}) as server:
        camera = RtspCamera("front", server.url("/front"), SystemClock())
        frames = camera.frames()
        await anext(frames)
        began = time.monotonic()
        await camera.close()
        assert time.monotonic() - began < 0.5
        with pytest.raises(StopAsyncIteration):
            await anext(frames)
        async for _ in camera.frames():
            pytest.fail("a closed camera gives no frames")
