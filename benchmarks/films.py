"""What the benchmark's cameras show: a door that nobody comes to, and one that somebody does.

Each view as cameras send it: a large stream, 1920x1080 at 15 pictures a second, and a small one,
640x360 at 5. Made once from the demo's scenes, and kept by the version of this code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
import hashlib
from itertools import chain, islice
from pathlib import Path
import shutil

import av
import av.video
import cv2
import numpy as np

from demo.rtsp import Picture, encode_byte_stream, read_pictures
from demo.scenes import EMPTY_S, RATE, Scenes

LARGE, SMALL = (1920, 1080), (640, 360)
SMALL_RATE = 5
# Somebody is there for six seconds. The pauses differ, so that doors drift through every order.
PAUSES_S = (6, 7, 8, 9)
_IDLE_S = 10


@dataclass(frozen=True, slots=True)
class View:
    """One camera's two streams, Annex B, of the same length; and the large one as a clip."""

    large: Path
    small: Path
    clip: Path


@dataclass(frozen=True, slots=True)
class Films:
    """``idle`` shows an empty door; each of ``people`` somebody who comes, stands and leaves."""

    idle: View
    people: tuple[View, ...]


def prepare(cache: Path, scenes: Scenes) -> Films:
    """Return the films, made on the first call from the demo's scenes."""
    folder = cache / f"films-{_version(scenes)}"
    if not folder.is_dir():
        part = cache / "unfinished-films"
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        _write(_view(part, "idle"), scenes, visitor=False, pause_s=_IDLE_S)
        for pause_s in PAUSES_S:
            _write(_view(part, f"people-{pause_s}"), scenes, visitor=True, pause_s=pause_s)
        part.rename(folder)
    people = tuple(_view(folder, f"people-{pause_s}") for pause_s in PAUSES_S)
    return Films(_view(folder, "idle"), people)


def _version(scenes: Scenes) -> str:
    digest = hashlib.sha256(Path(__file__).read_bytes())
    digest.update(scenes.empty.parent.name.encode())
    return digest.hexdigest()[:12]


def _view(folder: Path, name: str) -> View:
    return View(
        folder / f"{name}-large.h264", folder / f"{name}-small.h264", folder / f"{name}.mp4"
    )


def _write(view: View, scenes: Scenes, *, visitor: bool, pause_s: int) -> None:
    encode_byte_stream(
        (_sized(picture, LARGE) for picture in _pictures(scenes, visitor, pause_s)), view.large
    )
    small = islice(_pictures(scenes, visitor, pause_s), 0, None, RATE // SMALL_RATE)
    encode_byte_stream(
        (_sized(picture, SMALL) for picture in small), view.small, rate=Fraction(SMALL_RATE)
    )
    _wrap(view.large, view.clip)


def _pictures(scenes: Scenes, visitor: bool, pause_s: int) -> Iterator[Picture]:  # noqa: FBT001
    """Yield a visit, if there is one, and then the empty door for some seconds."""
    rounds = round(pause_s / EMPTY_S)
    parts = [scenes.resident] * visitor + [scenes.empty] * rounds
    return chain.from_iterable(read_pictures(part) for part in parts)


def _sized(picture: Picture, size: tuple[int, int]) -> Picture:
    larger = size[0] > picture.shape[1]
    how = cv2.INTER_CUBIC if larger else cv2.INTER_AREA
    return np.asarray(cv2.resize(picture, size, interpolation=how), np.uint8)


def _wrap(byte_stream: Path, clip: Path) -> None:
    """Put a byte stream into a file that tells the time of each picture."""
    options = {"framerate": str(RATE)}
    with (
        av.open(str(byte_stream), format="h264", options=options) as source,
        av.open(str(clip), "w") as out,
    ):
        stream = out.add_stream_from_template(source.streams.video[0])
        for index, packet in enumerate(source.demux(video=0)):
            if packet.size:
                packet.stream = stream
                packet.time_base = Fraction(1, RATE)
                packet.pts = packet.dts = index
                packet.duration = 1
                out.mux(packet)
