"""Pictures that no other is built on are left out where more come than are looked at."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from facegate.camera.thinning import Thinning
from facegate.domain import Image


def pictures(count: int) -> list[Image]:
    noise = np.random.default_rng(5)
    return [noise.integers(0, 255, (96, 128, 3), np.uint8) for _ in range(count)]


def encoded(path: Path, rate: int, **options: str) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for picture in pictures(50):
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def times(path: Path, *, thinned: bool) -> list[float]:
    """Return when the decoded pictures are due, in order."""
    with av.open(str(path)) as container:
        video = container.streams.video[0]
        video.thread_count = 1
        thinning = Thinning(video.codec_context)
        found = []
        for packet in container.demux(video):
            if thinned:
                thinning.wanted(packet)
            found += [frame.time for frame in packet.decode()]
    return found


def test_of_a_fast_stream_what_nothing_is_built_on_is_left_out(tmp_path: Path) -> None:
    fast = encoded(tmp_path / "fast.mp4", 25, bf="2", b_adapt="0", sc_threshold="0")
    assert len(times(fast, thinned=False)) == 50
    thin = times(fast, thinned=True)
    assert 17 <= len(thin) < 45
    # However the pictures depend on each other, one comes at least every eighth of a second.
    assert max(np.diff(thin)) < 0.125


def test_of_many_pictures_in_a_row_that_nothing_is_built_on_enough_are_left(
    tmp_path: Path,
) -> None:
    row = encoded(
        tmp_path / "row.mp4", 25, bf="12", b_pyramid="none", b_adapt="0", sc_threshold="0"
    )
    assert max(np.diff(times(row, thinned=True))) < 0.125


def test_a_stream_of_which_all_is_looked_at_is_left_whole(tmp_path: Path) -> None:
    slow = encoded(tmp_path / "slow.mp4", 15, bf="2")
    assert times(slow, thinned=True) == times(slow, thinned=False)


def test_pictures_that_others_are_built_on_are_never_left_out(tmp_path: Path) -> None:
    fast = encoded(tmp_path / "fast.mp4", 50, bf="0")
    assert times(fast, thinned=True) == times(fast, thinned=False)
