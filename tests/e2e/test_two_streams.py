"""A camera with two streams on real RTSP: the small one watches, a face is read in the large."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from fractions import Fraction
from pathlib import Path

import pytest

from demo.rtsp import RtspServer, Stream, encode_byte_stream, rtsp_unavailable_reason
from facegate.domain import Image
from facegate.latency import Stage
from facegate.protocol import AccessEvent, CameraStateName
from tests.engine.clips import empty_hall, resident, resident_photos
from tests.engine.face.real import enlarged
from tests.support import Client, Engine, engine, until

pytestmark = pytest.mark.skipif(
    rtsp_unavailable_reason() is not None, reason=str(rtsp_unavailable_reason())
)

SMALL_RATE = Fraction(5)


def served(folder: Path, pictures: list[Image]) -> dict[str, Stream]:
    """Return the large stream at 15 pictures a second and the small one at 5."""
    large, small = folder / "large.h264", folder / "small.h264"
    encode_byte_stream((enlarged(picture, 2) for picture in pictures), large)
    encode_byte_stream(
        (enlarged(picture, 0.5) for picture in pictures[::3]), small, rate=SMALL_RATE
    )
    return {"/large": Stream(large), "/small": Stream(small, rate=SMALL_RATE)}


@asynccontextmanager
async def watching(folder: Path, pictures: list[Image]) -> AsyncIterator[tuple[Engine, Client]]:
    server = RtspServer(await asyncio.to_thread(served, folder, pictures))
    options = {
        "cameras": [
            {"id": "porch", "url": server.url("/large"), "substream_url": server.url("/small")}
        ],
        "doors": [{"id": "front", "entry_camera": "porch", "controls": {"liveness": "off"}}],
    }
    async with engine(options, folder / "engine") as site:
        photos = await asyncio.to_thread(resident_photos)
        await site.enroll("Ann", photos, ["front"])
        async with Client.connected(site.url, site.token) as client:
            await client.drive("front")
            async with server:
                yield site, client


def decoded(site: Engine) -> int:
    """Return how many pictures of any stream were decoded."""
    summary = site.site.latencies.summary()
    return summary[Stage.DECODE].count if Stage.DECODE in summary else 0


async def test_a_resident_found_in_the_small_stream_is_read_in_the_large_one_and_let_in(
    tmp_path: Path,
) -> None:
    async with watching(tmp_path, [*empty_hall(), *resident()]) as (site, client):
        event = await client.wait_for(AccessEvent, timeout_s=15)
        assert (event.granted, event.subject_name) == (True, "Ann")
        assert event.identification is not None
        assert event.identification.score is not None
        assert event.identification.score > event.identification.threshold
        # In the small picture the face is some 90 pixels high, in the one it was named by 360.
        assert site.site.latencies.summary()[Stage.PROBE].count >= 3


async def test_while_nobody_is_there_the_large_stream_is_not_decoded(tmp_path: Path) -> None:
    async with watching(tmp_path, empty_hall()) as (site, _):
        cameras = site.site.board.state
        await until(lambda: cameras().cameras[0].state is CameraStateName.STREAMING or None)
        await asyncio.sleep(1)
        before, seconds = decoded(site), 4
        await asyncio.sleep(seconds)
        assert 0 < decoded(site) - before <= (SMALL_RATE + 1) * seconds
        assert Stage.PROBE not in site.site.latencies.summary()
