"""The pictures that detectors and embedders are timed with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import av.error
import cv2
import numpy as np

from facegate.domain import Detection, Image
from facegate.errors import ImageError
from facegate.face.align import SIZE, align
from facegate.face.detect import FaceDetector

SMALL = (640, 360)
_LARGE = (1920, 1080)
_EVERY = 10
_SEED = 4


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A picture of ``faces`` faces: in its own size, at 640x360, and its largest face aligned.

    ``told`` says what it is. Without a clip it is noise, and there is no face in it.
    """

    picture: Image
    small: Image
    crop: Image
    faces: int
    told: str


def read_scene(clip: Path | None, detector: FaceDetector) -> Scene:
    """Return the picture of a clip that shows the most faces; raises ``ImageError``."""
    if clip is None:
        return _noise()
    best: tuple[Image, tuple[Detection, ...]] | None = None
    for picture in _pictures(clip):
        faces = detector.detect(picture)
        if best is None or len(faces) > len(best[1]):
            best = picture, faces
    if best is None or not best[1]:
        raise ImageError(f"{clip.name}: no face was found in it")
    picture, faces = best
    crop = align(picture, faces[0].landmarks)
    return Scene(picture, resized(picture, SMALL), crop, len(faces), f"a picture of {clip.name}")


def resized(picture: Image, size: tuple[int, int]) -> Image:
    """Return a picture in another size (width, height)."""
    return np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), np.uint8)


def _pictures(clip: Path) -> list[Image]:
    try:
        with av.open(str(clip)) as container:
            return [
                np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)
                for index, frame in enumerate(container.decode(video=0))
                if index % _EVERY == 0
            ]
    except (OSError, IndexError, av.error.FFmpegError) as err:
        raise ImageError(f"{clip}: not a video that can be read ({err})") from err


def _noise() -> Scene:
    source = np.random.default_rng(_SEED)
    picture = source.integers(0, 256, (_LARGE[1], _LARGE[0], 3), np.uint8)
    crop = source.integers(0, 256, (SIZE, SIZE, 3), np.uint8)
    return Scene(picture, resized(picture, SMALL), crop, 0, "noise without a face")
