"""Clips for cameras: any clip in another size, and a still hall with a sensor's noise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import av
import av.error
from av.video.stream import VideoStream
import numpy as np

from facegate.bench.scene import resized
from facegate.domain import Image
from facegate.errors import ImageError

RATE = 15
_NOISE = 1.8
_GRAINS = 7
_SEED = 5
_NO_TIME_S = 1e-6


def write_film(path: Path, pictures: Iterable[Image], size: tuple[int, int], rate: int) -> Path:
    """Encode pictures as H.264 with a key frame a second, in a size (width, height); even sides."""
    options = {"preset": "veryfast", "crf": "22", "bf": "0", "g": str(rate), "sc_threshold": "0"}
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=rate, options=options)
        if not isinstance(stream, VideoStream):
            raise ImageError("PyAV has no H.264 encoder here")
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(resized(picture, size), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, rate)
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def pictures_of(clip: Path, rate: int, seconds: float) -> Iterator[Image]:
    """Yield a clip's pictures at a rate, repeated or left out; raises ``ImageError``."""
    try:
        yield from islice(_at_rate(clip, rate), round(seconds * rate))
    except (OSError, IndexError, av.error.FFmpegError) as err:
        raise ImageError(f"{clip}: not a video that can be read ({err})") from err


def still(size: tuple[int, int], rate: int, seconds: float) -> Iterator[Image]:
    """Yield a hall in which nothing moves but the noise of a sensor; size is (width, height)."""
    source = np.random.default_rng(_SEED)
    width, height = size
    across, down = np.linspace(70, 150, width), np.linspace(0, 50, height)
    hall = np.repeat((across[None] + down[:, None])[..., None], 3, axis=2)
    shapes = (height, width, 1)
    noise = [source.normal(0, _NOISE, shapes) for _ in range(_GRAINS)]
    for index in range(round(seconds * rate)):
        yield np.clip(hall + noise[index % _GRAINS], 0, 255).astype(np.uint8)


def _at_rate(clip: Path, rate: int) -> Iterator[Image]:
    shown = 0
    with av.open(str(clip)) as container:
        video = container.streams.video[0]
        own_rate = float(video.guessed_rate or rate)
        for index, frame in enumerate(container.decode(video)):
            seconds = index / own_rate
            picture: Image | None = None
            while shown / rate <= seconds + _NO_TIME_S:
                if picture is None:
                    picture = np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
                yield picture
                shown += 1
