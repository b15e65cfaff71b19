"""The conditions under which a face is looked at: farther away, darker, blurred, masked."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
import math
import zlib

import cv2
import numpy as np

from facegate.domain import Detection, Image, Vector
from facegate.face.align import TEMPLATE, similarity

# Four stops less light, in linear values of a display gamma of 2.2, and a sensor's noise in 8-bit
# values.
_LIGHT = (1 / 16) ** (1 / 2.2)
_NOISE = np.float32(5)
# Standard deviation of the blur in face heights: 3 pixels on a face of 112.
_BLUR = 0.027
_CHANGED_HEIGHT = 128.0
# A surgical mask's outline in the aligned crop, from the bridge of the nose around the chin, its
# color and that of its edge in BGR.
_MASK = np.array(
    [[56, 62], [84, 69], [97, 80], [91, 107], [56, 127], [21, 107], [15, 80], [28, 69]], np.float64
)
_MASK_COLOR, _EDGE_COLOR = (196, 176, 158), (140, 120, 100)
# cv2 takes points in parts of a pixel.
_PART_BITS = 4


class Condition(StrEnum):
    """How a sample is shown."""

    AS_GIVEN = "as given"
    HEIGHT_128 = "128 px"
    HEIGHT_96 = "96 px"
    HEIGHT_64 = "64 px"
    HEIGHT_48 = "48 px"
    HEIGHT_32 = "32 px"
    DARK = "dark"
    BLUR = "blur"
    MASK = "mask"

    @property
    def height(self) -> int | None:
        """The face's height in pixels, where the condition is a height."""
        return int(self.removesuffix(" px")) if self.endswith(" px") else None


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """A picture under a condition, and where the face must be: its center and height in pixels."""

    image: Image
    center: tuple[float, float]
    height: float


def view_of(image: Image, face: Detection, condition: Condition) -> View | None:
    """Return ``image`` as a condition shows it, None where the face is smaller than asked.

    Darkness, blur and mask are shown on faces of at most 128 pixels. Nothing is enlarged, and the
    same picture gives the same view.
    """
    box = face.box
    wanted = condition.height or min(_CHANGED_HEIGHT, box.height)
    scale = wanted / box.height
    if scale > 1:
        return None
    size = (max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale)))
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
    center = ((box.x + box.width / 2) * scale, (box.y + box.height / 2) * scale)
    landmarks = face.landmarks * np.float32(scale)
    return View(_changed(small, landmarks, wanted, condition), center, wanted)


def _changed(image: Image, landmarks: Vector, height: float, condition: Condition) -> Image:
    match condition:
        case Condition.DARK:
            random = np.random.default_rng(zlib.crc32(image.tobytes()))
            noise = random.standard_normal(image.shape, np.float32) * _NOISE
            dark = image * np.float32(_LIGHT) + noise
            return np.clip(np.rint(dark), 0, 255).astype(np.uint8)
        case Condition.BLUR:
            blurred = cv2.GaussianBlur(image, (0, 0), _BLUR * height)
            return np.asarray(blurred, np.uint8)
        case Condition.MASK:
            return _masked(image, landmarks)
        case _:
            return image


def _masked(image: Image, landmarks: Vector) -> Image:
    """Return the picture with a mask painted over mouth and nose, as the landmarks lie."""
    matrix = similarity(np.asarray(TEMPLATE, np.float32), landmarks.astype(np.float64))
    outline = _MASK @ matrix[:, :2].T + matrix[:, 2]
    masked = image.copy()
    points = [np.rint(outline * 2**_PART_BITS).astype(np.int32)]
    cv2.fillPoly(masked, points, _MASK_COLOR, cv2.LINE_AA, _PART_BITS)
    thickness = max(1, round(math.hypot(matrix[0, 0], matrix[1, 0])))
    cv2.polylines(
        masked, points, isClosed=True, color=_EDGE_COLOR, thickness=thickness, shift=_PART_BITS
    )
    return masked
