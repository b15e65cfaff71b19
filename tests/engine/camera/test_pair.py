"""A camera with two streams: one that watches and one that is read."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import itertools

import pytest

from demo.rtsp import RtspServer, Stream, encode_byte_stream
from facegate.camera.pair import PairedCamera
from facegate.protocol import CameraStateName
from tests.engine.camera.conftest import Footage
from tests.engine.camera.scene import SystemClock, number_of, numbered
from tests.engine.camera.watched import Watched

SMALL, LARGE = (640, 360), (1280, 720)
RATE = 15


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Stream:
    """Ten numbered seconds in twice the size."""
    file = tmp_path_factory.mktemp("large") / "large.h264"
    encode_byte_stream(numbered(150, width=LARGE[0], height=LARGE[1]), file)
    return Stream(file)


@pytest.fixture(autouse=True)
def _loop_stays_free(rtsp: Footage, free_loop: None) -> None:
    """Fail a test in which reading, decoding or converting held the event loop."""


@asynccontextmanager
async def watching(small: RtspServer, large: RtspServer) -> AsyncIterator[Watched[PairedCamera]]:
    clock = SystemClock()
    async with Watched(
        lambda tell: PairedCamera(
            "front", large.url("/large"), small.url("/small"), clock, on_status=tell
        )
    ) as watched:
        await watched.until(CameraStateName.STREAMING, within=8)
        await watched.until_true(lambda: bool(watched.seen), within=3)
        yield watched


async def test_the_small_stream_watches_and_the_large_one_comes_when_it_is_asked_for(
    rtsp: Footage, large: Stream
) -> None:
    async with (
        RtspServer({"/small": Stream(rtsp.numbered), "/large": large}) as server,
        watching(server, server) as watched,
    ):
        watched.seen.clear()
        await watched.until_frames(15, within=4)
        quiet = [seen.frame for seen in watched.seen]
        assert {frame.pixels.size for frame in quiet} == {SMALL}
        assert {(frame.detail, frame.size) for frame in quiet} == {(False, LARGE)}

        watched.camera.focus(wanted=True)
        await watched.until_true(lambda: watched.seen[-1].frame.detail, within=1)
        await watched.until_frames(15, within=4)
        frames = [seen.frame for seen in watched.seen]
        near = list(itertools.dropwhile(lambda frame: not frame.detail, frames))
        assert {frame.pixels.size for frame in near} == {LARGE}
        # It is the newest picture that comes first, not the one at which decoding began again.
        ages = [seen.received - seen.frame.arrived for seen in watched.seen]
        assert max(ages) < 0.5
        numbers = [number_of(frame.image) for frame in near]
        assert numbers == sorted(set(numbers)) or 149 in numbers

        watched.camera.focus(wanted=False)
        await watched.until_true(lambda: not watched.seen[-1].frame.detail, within=1)
        sequences = [seen.frame.sequence for seen in watched.seen]
        assert sequences == sorted(set(sequences))
        arrivals = [seen.frame.arrived for seen in watched.seen]
        assert arrivals == sorted(set(arrivals))


async def test_the_large_stream_wakes_as_often_as_it_is_asked_between_key_frames(
    rtsp: Footage, large: Stream
) -> None:
    async with (
        RtspServer({"/small": Stream(rtsp.numbered), "/large": large}) as server,
        watching(server, server) as watched,
    ):
        for _ in range(6):
            watched.camera.focus(wanted=True)
            await watched.until_true(lambda: watched.seen[-1].frame.detail, within=1.5)
            image = watched.seen[-1].frame.image
            # Every bit of the number is black or white: nothing was decoded upon a missing picture.
            assert 0 <= number_of(image) < 150
            watched.camera.focus(wanted=False)
            await watched.until_true(lambda: not watched.seen[-1].frame.detail, within=1.5)


async def test_while_one_stream_is_away_the_other_does_the_work_of_both(
    rtsp: Footage, large: Stream
) -> None:
    small = RtspServer({"/small": Stream(rtsp.numbered)})
    big = RtspServer({"/large": large})
    async with small, big, watching(small, big) as watched:
        await big.kill()
        await watched.until(
            CameraStateName.BACKING_OFF, within=8, because="The large stream: The camera ended"
        )
        watched.seen.clear()
        await watched.until_frames(5, within=3)
        assert all(seen.frame.detail for seen in watched.seen[1:])
        assert watched.seen[-1].frame.size == SMALL
        await big.start()
        await watched.until(CameraStateName.STREAMING, within=12)

        await small.kill()
        await watched.until(
            CameraStateName.BACKING_OFF, within=8, because="The small stream: The camera ended"
        )
        watched.seen.clear()
        await watched.until_frames(5, within=3)
        assert {seen.frame.pixels.size for seen in watched.seen[1:]} == {LARGE}
        assert "The other one is used meanwhile." in (watched.camera.status.reason or "")
