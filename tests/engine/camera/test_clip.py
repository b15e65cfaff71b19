"""Clips in place of cameras."""

from __future__ import annotations

import asyncio
from fractions import Fraction
from pathlib import Path
import time

import av
import numpy as np
import pytest

from demo.rtsp import copy_byte_stream, encode_byte_stream, read_pictures
from facegate.camera.clip import ClipCamera
from facegate.protocol import CameraStateName
from tests.engine.camera.conftest import Footage
from tests.engine.camera.scene import SystemClock, number_of, numbered
from tests.engine.camera.watched import Watched

REFUSED = CameraStateName.REFUSED
STREAMING = CameraStateName.STREAMING


def watch(path: Path, *, paced: bool, loop: bool, busy_s: float = 0.0) -> Watched[ClipCamera]:
    return Watched(
        lambda tell: ClipCamera(
            "clip", path, SystemClock(), paced=paced, loop=loop, on_status=tell
        ),
        busy_s=busy_s,
    )


def write_clip(path: Path, count: int, *, first: int = 0) -> Path:
    """Write numbered pictures at 15 a second into a container with time stamps and B-frames."""
    with av.open(path, "w") as out:
        stream = out.add_stream("libx264", rate=15)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        for picture in numbered(count, first=first):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        out.mux(stream.encode(None))
    return path


async def test_replay_yields_every_frame_in_order_however_slow_the_consumer(
    tmp_path: Path,
) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 20)
    camera = ClipCamera("clip", clip, SystemClock(), paced=False, loop=False)
    numbers, sequences, ages = [], [], []
    async for frame in camera.frames():
        numbers.append(number_of(frame.image))
        sequences.append(frame.sequence)
        ages.append(time.monotonic() - frame.arrived)
        await asyncio.sleep(0.01)
    assert numbers == list(range(20))
    assert sequences == list(range(1, 21))
    assert max(ages) < 0.3
    assert camera.dropped_frames == 0
    assert camera.status.reason == "The clip has ended."
    await camera.close()


async def test_a_paced_clip_keeps_the_pace_of_its_frames(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 15)
    async with watch(clip, paced=True, loop=False) as watched:
        await watched.until_frames(15, within=4)
    arrived = [seen.frame.arrived for seen in watched.seen]
    assert 0.85 < arrived[-1] - arrived[0] < 2
    assert all(seen.received - seen.frame.arrived < 0.3 for seen in watched.seen)


async def test_a_byte_stream_is_paced_by_the_rate_it_was_encoded_with(footage: Footage) -> None:
    async with watch(footage.short, paced=True, loop=False) as watched:
        await watched.until_frames(15, within=4)
    arrived = [seen.frame.arrived for seen in watched.seen]
    assert 0.85 < arrived[-1] - arrived[0] < 2


async def test_a_slow_consumer_of_a_paced_clip_misses_frames_but_no_time(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 30)
    async with watch(clip, paced=True, loop=False, busy_s=0.3) as watched:
        await watched.until_frames(6, within=4)
        began = watched.seen[0].frame.arrived
        for seen in watched.seen:
            due = number_of(seen.frame.image) / 15
            assert abs(seen.frame.arrived - began - due) < 0.4
        assert watched.camera.dropped_frames >= 10


async def test_a_replaced_clip_is_played_in_the_next_round(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 5)
    other = write_clip(tmp_path / "other.mp4", 5, first=100)
    async with watch(clip, paced=True, loop=True) as watched:
        await watched.until_frames(7, within=4)
        other.replace(clip)
        await watched.until_frames(8, within=4)
        numbers = [number_of(seen.frame.image) for seen in watched.seen]
        assert numbers[:6] == [0, 1, 2, 3, 4, 0]
        assert numbers[-1] >= 100
        assert [change.state for change in watched.changes] == [STREAMING]


async def test_a_missing_clip_is_refused_and_played_once_it_is_there(tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    async with watch(clip, paced=True, loop=True) as watched:
        await watched.until(REFUSED, within=2, because="There is no clip")
        write_clip(tmp_path / "ready.mp4", 5).replace(clip)
        await watched.until(STREAMING, within=5)


def sound_only(path: Path) -> None:
    with av.open(path, "w") as out:
        stream = out.add_stream("pcm_s16le", rate=8000, layout="mono")
        silence = av.AudioFrame.from_ndarray(
            np.zeros((1, 800), np.int16), format="s16", layout="mono"
        )
        silence.sample_rate = 8000
        out.mux(stream.encode(silence))


@pytest.mark.parametrize(
    ("name", "because"),
    [
        ("folder", "cannot be opened"),
        ("notes.mp4", "cannot be opened"),
        ("empty.mp4", "cannot be opened"),
        ("cut.mp4", "cannot be opened"),
        ("sound.wav", "no video track"),
    ],
)
async def test_a_clip_that_cannot_be_played_is_refused(
    name: str, because: str, tmp_path: Path
) -> None:
    path = tmp_path / name
    match name:
        case "folder":
            path.mkdir()
        case "notes.mp4":
            path.write_text("these are notes, not a video\n" * 100)
        case "empty.mp4":
            path.touch()
        case "cut.mp4":
            whole = write_clip(tmp_path / "whole.mp4", 5).read_bytes()
            path.write_bytes(whole[: len(whole) // 2])
        case _:
            sound_only(path)
    async with watch(path, paced=False, loop=False) as watched:
        await watched.until(REFUSED, within=2, because=because)
    assert watched.seen == []


async def test_closing_ends_a_clip_that_is_waiting_for_its_next_frame(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 5)
    camera = ClipCamera("clip", clip, SystemClock(), paced=True, loop=True)
    frames = camera.frames()
    await anext(frames)
    waiting = asyncio.ensure_future(anext(frames))
    await asyncio.sleep(0)
    await camera.close()
    with pytest.raises(StopAsyncIteration):
        await waiting


def test_a_byte_stream_copied_from_a_clip_holds_its_pictures(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 20)
    rate = copy_byte_stream(clip, tmp_path / "copy.h264")
    assert rate == 15
    copied = [number_of(picture) for picture in read_pictures(tmp_path / "copy.h264")]
    assert copied == list(range(20))


def test_a_byte_stream_encoded_anew_holds_the_clip_at_the_rate_asked(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "clip.mp4", 30)
    count = encode_byte_stream(
        read_pictures(clip, rate=Fraction(5)), tmp_path / "slow.h264", rate=Fraction(5)
    )
    assert count == 10
    with pytest.raises(ValueError, match="no pictures"):
        encode_byte_stream([], tmp_path / "none.h264")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip.mp4", "slow.h264"]
