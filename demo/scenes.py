"""The camera's scenes, composed at 1280x720 and 15 pictures a second, as H.264 byte streams.

Each scene is an Annex-B file that starts with an IDR picture; all share one encoder setting, so
that a server may follow one by another. ``prepare`` makes them once and keeps them by the version
of this code; so does ``python -m demo.scenes FOLDER``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
import contextlib
from dataclasses import dataclass
import hashlib
import itertools
import math
from pathlib import Path
import shutil
import sys
import tempfile

import cv2
import numpy as np
from numpy.typing import NDArray

from demo import backdrop, faces, head
from demo.faces import Cutout, Image
from demo.rtsp import RATE as EXACT_RATE
from demo.rtsp import encode_byte_stream

RATE = int(EXACT_RATE)
EMPTY_S, RESIDENT_S, PHOTO_S, STRANGER_S = 1.0, 6.0, 6.0, 9.0

# Pictures of the clip (30 a second): the first second serves enrollment, the photograph is a
# single later one, and the resident who walks up is the rest, forth and back.
_ENROLLED_PICTURES = (2, 12, 22, 28)
_PHOTOGRAPHED_PICTURE = 33
_LIVE_PICTURES = range(50, 96)
# He looks at the door calmly first, and then talks at the clip's own speed.
_CALM_S, _CALM_RATE, _CLIP_RATE = 2.4, 4, 30


@dataclass(frozen=True, slots=True)
class Scenes:
    """Files of the scenes, and the pictures (PNG or JPEG) to enroll the residents with."""

    empty: Path
    resident: Path
    photo: Path
    stranger: Path
    resident_pictures: tuple[Path, ...]
    second_resident_pictures: tuple[Path, ...]

    @property
    def durations(self) -> Mapping[Path, float]:
        """How long each scene plays, in seconds."""
        scenes = (self.empty, self.resident, self.photo, self.stranger)
        return dict(zip(scenes, (EMPTY_S, RESIDENT_S, PHOTO_S, STRANGER_S), strict=True))


def locate(cache: Path) -> Scenes:
    """Return where this version's scenes are, made or not."""
    folder = cache / f"scenes-{_code_version()}"
    return Scenes(
        empty=folder / "empty.h264",
        resident=folder / "resident.h264",
        photo=folder / "photo.h264",
        stranger=folder / "stranger.h264",
        resident_pictures=tuple(folder / f"resident-{n}.png" for n in _ENROLLED_PICTURES),
        second_resident_pictures=(folder / "second-resident.png",),
    )


def prepare(cache: Path) -> Scenes:
    """Return the scenes, made on the first call; raises FileNotFoundError if a face is missing."""
    scenes = locate(cache)
    folder = scenes.empty.parent
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        for old in cache.glob("scenes-*"):
            shutil.rmtree(old)
        with tempfile.TemporaryDirectory(dir=cache, prefix="unfinished-") as unfinished:
            _make(Path(unfinished, "scenes"), scenes)
            # Another process may have been faster.
            with contextlib.suppress(FileExistsError):
                Path(unfinished, "scenes").rename(folder)
    return scenes


def _code_version() -> str:
    digest = hashlib.sha256()
    for module in (backdrop.__file__, faces.__file__, head.__file__, __file__):
        digest.update(Path(module).read_bytes())
    return digest.hexdigest()[:12]


def _make(folder: Path, scenes: Scenes) -> None:
    folder.mkdir()
    clip = faces.resident_clip()
    for number, path in zip(_ENROLLED_PICTURES, scenes.resident_pictures, strict=True):
        _save(folder / path.name, faces.enlarge_sharply(clip[number], 4))
    portrait = faces.second_resident_portrait()
    _save(folder / scenes.second_resident_pictures[0].name, portrait)

    empty = backdrop.paint()
    resident = faces.cut_out_resident(clip, _LIVE_PICTURES)
    stranger = faces.cut_out_stranger(faces.stranger_portrait())
    photograph = faces.enlarge_sharply(clip[_PHOTOGRAPHED_PICTURE], 5)
    still = itertools.repeat(empty, round(EMPTY_S * RATE))
    encode_byte_stream(_with_noise(still), folder / scenes.empty.name)
    encode_byte_stream(_with_noise(_resident_scene(empty, resident)), folder / scenes.resident.name)
    encode_byte_stream(_with_noise(_photo_scene(empty, photograph)), folder / scenes.photo.name)
    encode_byte_stream(_with_noise(_stranger_scene(empty, stranger)), folder / scenes.stranger.name)


def _save(path: Path, image: Image) -> None:
    if not cv2.imwrite(str(path), image):
        raise OSError(f"cannot write {path}")


# --- what happens in each scene ---------------------------------------------------------------


def _times(duration: float) -> Iterator[float]:
    return (index / RATE for index in range(round(duration * RATE)))


def _ease(time: float, start: float, end: float) -> float:
    """Go smoothly from 0 at ``start`` to 1 at ``end``."""
    part = min(1.0, max(0.0, (time - start) / (end - start)))
    return part * part * (3 - 2 * part)


def _resident_scene(empty: Image, cutouts: list[Cutout]) -> Iterator[Image]:
    """Let the resident come nearer from the right, look about, and go off to the right.

    He turns his head to the door, and back: the clip's own small motions, in 60 pixels of a face,
    are less than a camera sees of somebody who walks up to it. See ``head`` for how.
    """
    for time in _times(RESIDENT_S):
        coming = 1 - (1 - min(1.0, max(0.0, (time - 0.1) / 1.2))) ** 2
        going = _ease(time, RESIDENT_S - 0.9, RESIDENT_S - 0.1)
        scale = 2.8 + 1.2 * coming - 0.5 * going
        walking = 1 - coming + going
        yaw = -16 * _ease(time, 0.6, 1.1) + 30 * _ease(time, 1.6, 2.6) - 14 * _ease(time, 3.2, 4.2)
        turned = head.turn(cutouts[_picture_at(time, len(cutouts))], math.radians(yaw))
        # The clip's right edge cuts the shoulder: it stays at or beyond the scene's right edge.
        right = backdrop.WIDTH + 4 + 340 * (1 - coming) + 640 * going
        face_y = 366 + 6 * walking * math.sin(2 * math.pi * 1.9 * time)
        corner = (right - 176 * scale, face_y - 60 * scale)
        yield _place(empty, turned, scale / faces.ENLARGED, corner)


def _picture_at(time: float, count: int) -> int:
    """Return which of the live pictures is on, forth and back."""
    played = _CALM_RATE * min(time, _CALM_S) + _CLIP_RATE * max(0.0, time - _CALM_S)
    step = round(played) % (2 * count - 2)
    return min(step, 2 * count - 2 - step)


def _stranger_scene(empty: Image, cutout: Cutout) -> Iterator[Image]:
    """Let the stranger come from the left, wait with small shifts of weight, and go back."""
    for time in _times(STRANGER_S):
        coming = _ease(time, 0.1, 1.4)
        going = _ease(time, STRANGER_S - 1.1, STRANGER_S - 0.1)
        walking = 1 - coming + going
        scale = 1.7 + 0.4 * coming - 0.2 * going + 0.02 * math.sin(1.1 * time)
        left = 330 - 1000 * (1 - coming) - 1100 * going + 14 * math.sin(0.9 * time + 1)
        face_y = 330 + 7 * walking * math.sin(2 * math.pi * 1.9 * time) + 4 * math.sin(1.7 * time)
        tilt = 1.6 * math.sin(0.8 * time)
        yield _place(empty, cutout, scale / faces.ENLARGED, (left, face_y - 88 * scale), tilt)


def _photo_scene(empty: Image, photograph: Image) -> Iterator[Image]:
    """Hold up a print by hand: a rigid plane, turned and shaken in true perspective."""
    print_, alpha = _print_of(photograph)
    shake = np.random.default_rng(11).normal(0, 1.0, (round(PHOTO_S * RATE), 2))
    shake[1:] = 0.6 * shake[1:] + 0.4 * shake[:-1]
    for index, time in enumerate(_times(PHOTO_S)):
        raised = _ease(time, 0.1, 1.0) - _ease(time, PHOTO_S - 0.9, PHOTO_S - 0.1)
        angles = (
            math.radians(26) * math.sin(1.6 * time + 0.4),
            math.radians(10) * math.sin(1.7 * time + 1.1),
            math.radians(4) * math.sin(1.1 * time),
        )
        distance = 1.0 + 0.05 * math.sin(0.9 * time) + 0.2 * (1 - raised)
        center = (
            690 + 16 * math.sin(0.8 * time) + 1.5 * float(shake[index, 0]),
            400 + 720 * (1 - raised) + 10 * math.sin(1.2 * time) + 1.5 * float(shake[index, 1]),
        )
        height, width = alpha.shape
        size = (width, height)
        matrix = _perspective(size, angles, distance, center)
        yield _blend(
            empty,
            np.asarray(cv2.warpPerspective(print_, matrix, _SIZE, flags=cv2.INTER_AREA), np.uint8),
            np.asarray(cv2.warpPerspective(alpha, matrix, _SIZE), np.float32),
        )


def _print_of(photograph: Image) -> tuple[Image, NDArray[np.float32]]:
    """Print the middle of a picture with a white border, held from below by a sleeved hand."""
    picture = photograph[20:, 200:760]
    sheet = cv2.copyMakeBorder(picture, 34, 34, 34, 34, cv2.BORDER_CONSTANT, value=(236, 240, 242))
    height, width = sheet.shape[:2]
    below = 900
    canvas = np.zeros((height + below, width, 3), np.uint8)
    alpha = np.zeros((height + below, width), np.float32)
    middle = width // 2
    sleeve = [(middle - 110, height + 120), (middle + 120, height + 110)]
    sleeve += [(middle + 190, height + below), (middle - 170, height + below)]
    hand = ((middle, height + 60), (104, 100))
    cv2.fillPoly(alpha, [np.array(sleeve, np.int32)], (1.0,), cv2.LINE_AA)
    cv2.fillPoly(canvas, [np.array(sleeve, np.int32)], (78, 62, 56), cv2.LINE_AA)
    cv2.ellipse(canvas, *hand, 0, 0, 360, (128, 158, 202), cv2.FILLED, cv2.LINE_AA)
    cv2.ellipse(alpha, *hand, 0, 0, 360, (1.0,), cv2.FILLED, cv2.LINE_AA)
    canvas[:height] = sheet
    alpha[:height] = 1.0
    thumb = ((middle + 6, height - 6), (34, 74), 8)
    cv2.ellipse(canvas, *thumb, 0, 360, (104, 134, 180), cv2.FILLED, cv2.LINE_AA)
    inner = ((middle + 2, height - 4), (29, 70), 8)
    cv2.ellipse(canvas, *inner, 0, 360, (134, 164, 208), cv2.FILLED, cv2.LINE_AA)
    nail = ((middle + 12, height - 56), (15, 18), 8)
    cv2.ellipse(canvas, *nail, 0, 360, (156, 182, 222), cv2.FILLED, cv2.LINE_AA)
    return canvas, alpha


# --- putting things into the picture ----------------------------------------------------------

_SIZE = (backdrop.WIDTH, backdrop.HEIGHT)
_FOCAL = 1100.0  # pixels: a door camera's 60 degrees across
_PRINT_SCALE = 0.62  # scene pixels per print pixel at distance 1


def _perspective(
    size: tuple[int, int],
    angles: tuple[float, float, float],
    distance: float,
    center: tuple[float, float],
) -> NDArray[np.float64]:
    """Return the 3x3 matrix that shows a flat sheet turned by (yaw, pitch, roll) radians.

    The sheet's turning point is its upper middle, where the picture is; a pinhole camera of
    focal length ``_FOCAL`` looks at it from ``distance`` times the distance at which one pixel of
    the sheet covers ``_PRINT_SCALE`` pixels.
    """
    width, _ = size
    yaw, pitch, roll = angles
    turn_y = np.array(
        [[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]]
    )
    turn_x = np.array(
        [[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]]
    )
    turn_z = np.array(
        [[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]]
    )
    turn = turn_z @ turn_x @ turn_y
    depth = distance * _FOCAL / _PRINT_SCALE
    # A point (x, y) of the sheet is turn @ (x - width/2, y - 350, 0) + (0, 0, depth).
    offset = np.array([[1, 0, -width / 2], [0, 1, -350.0], [0, 0, 1]])
    place = np.column_stack([turn[:, 0], turn[:, 1], np.array([0, 0, depth])])
    lens = np.array([[_FOCAL, 0, center[0]], [0, _FOCAL, center[1]], [0, 0, 1]])
    return np.asarray(lens @ place @ offset, np.float64)


def _place(
    scene: Image,
    cutout: Cutout,
    scale: float,
    corner: tuple[float, float],
    tilt_degrees: float = 0.0,
) -> Image:
    """Put a person into the scene, the cutout's upper left corner at ``corner``."""
    middle = (cutout.alpha.shape[1] / 2, cutout.alpha.shape[0] / 2)
    matrix = np.asarray(cv2.getRotationMatrix2D(middle, tilt_degrees, scale), np.float64)
    matrix[0, 2] += corner[0] + scale * middle[0] - middle[0]
    matrix[1, 2] += corner[1] + scale * middle[1] - middle[1]
    color = cv2.warpAffine(
        cutout.color, matrix, _SIZE, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    alpha = cv2.warpAffine(cutout.alpha, matrix, _SIZE, flags=cv2.INTER_LINEAR)
    return _blend(scene, np.asarray(color, np.uint8), np.asarray(alpha, np.float32))


def _blend(scene: Image, color: Image, alpha: NDArray[np.float32]) -> Image:
    rest = (1.0 - alpha).astype(np.float32)
    return np.asarray(cv2.blendLinear(color, scene, alpha, rest), np.uint8)


def _with_noise(pictures: Iterable[Image]) -> Iterator[Image]:
    """Add a sensor's noise: without it, still scenes would look like a frozen camera."""
    source = np.random.default_rng(5)
    shape = (backdrop.HEIGHT, backdrop.WIDTH)
    noise = [cv2.merge([source.normal(0, 1.8, shape).astype(np.int16)] * 3) for _ in range(7)]
    for picture, grain in zip(pictures, itertools.cycle(noise), strict=False):
        yield np.asarray(cv2.add(picture, grain, dtype=cv2.CV_8U), np.uint8)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
