"""Real people on real RTSP streams are named, and nobody else is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from demo.rtsp import (
    RtspServer,
    Stream,
    copy_byte_stream,
    encode_byte_stream,
    read_pictures,
    rtsp_unavailable_reason,
)
from facegate.enroll import enroll
from facegate.protocol import AccessEvent
from tests.support import Client, Engine, consenting, engine

pytestmark = pytest.mark.skipif(
    rtsp_unavailable_reason() is not None, reason=str(rtsp_unavailable_reason())
)

ENROLLED = {
    "pyfeat_man": "pyfeat_single_face.mp4",
    "asl_p1": "asl_p1_again.mkv",
    "asl_p5": "asl_p5_hungry.mkv",
}


def door_of(clip: str) -> str:
    return clip.rpartition(".")[0].lower()


def byte_stream(clip: Path, target: Path) -> Stream:
    """Serve the clip's own H.264; what is coded otherwise is coded anew."""
    try:
        return Stream(target, rate=copy_byte_stream(clip, target))
    except ValueError:
        encode_byte_stream(read_pictures(clip), target)
        return Stream(target)


@asynccontextmanager
async def watching(
    folder: Path, clips: Sequence[str], data: Path, **door: Any
) -> AsyncIterator[tuple[Engine, Client]]:
    """Run an engine that has a door, with a camera, for each clip; everybody is enrolled."""
    streams = {
        f"/{door_of(c)}": byte_stream(folder / c, data / f"{door_of(c)}.h264") for c in clips
    }
    server = RtspServer(streams)
    options = {
        "cameras": [{"id": door_of(c), "url": server.url(f"/{door_of(c)}")} for c in clips],
        "doors": [{"id": door_of(c), "entry_camera": door_of(c), **door} for c in clips],
    }
    async with engine(options, data / "engine") as site:
        doors = [door_of(clip) for clip in clips]
        for name, clip in ENROLLED.items():
            told = await enroll(site.data, site.url, consenting(name, doors), [folder / clip])
            assert "references" in told
        async with Client.connected(site.url, site.token) as client:
            await client.drive(*doors)
            # The people come once the office is done: nobody is granted before the door is there.
            async with server:
                yield site, client


async def granted_at(client: Client, door_id: str) -> AccessEvent:
    return await client.wait_for(
        AccessEvent, lambda event: event.door_id == door_id and event.granted, timeout_s=30
    )


@pytest.mark.parametrize(
    "clips",
    [
        {"pyfeat_noface_face.mov": "pyfeat_man", "asl_p5_want.mkv": "asl_p5"},
        {
            "asl_p1_brother.mkv": "asl_p1",
            "asl_p1_help.mkv": "asl_p1",
            "asl_p1_no.mkv": "asl_p1",
        },
        {"asl_p1_student.mkv": "asl_p1", "asl_p1_yes.mkv": "asl_p1"},
    ],
    ids=lambda clips: "+".join(map(door_of, clips)),
)
async def test_everybody_is_named_in_another_clip_and_never_as_another(
    shared: Path, tmp_path: Path, clips: dict[str, str]
) -> None:
    folder = shared / "fixtures/videos"
    async with watching(folder, tuple(clips), tmp_path, controls={"liveness": "advisory"}) as (
        _,
        client,
    ):
        for clip, name in clips.items():
            named = await granted_at(client, door_of(clip))
            assert named.subject_name == name
        await asyncio.sleep(3)
        for event in client.all(AccessEvent):
            expected = next(name for c, name in clips.items() if door_of(c) == event.door_id)
            assert event.subject_name in (expected, None)


async def test_a_cartoon_and_a_crowd_of_strangers_open_nothing(
    shared: Path, tmp_path: Path
) -> None:
    clips = ("pyfeat_no_face.mp4", "walk_arcade_1080p.mp4")
    folder = shared / "fixtures/videos"
    async with watching(folder, clips, tmp_path, controls={"liveness": "off"}) as (site, client):
        await client.wait_for(
            AccessEvent, lambda event: event.door_id == "walk_arcade_1080p", timeout_s=30
        )
        await asyncio.sleep(6)
        events = client.all(AccessEvent)
        assert not client.pulses
        assert not any(event.granted or event.subject_name for event in events)
        assert not any(event.door_id == "pyfeat_no_face" for event in events)
        assert not any(event["opening_id"] for event in await site.events())
