"""How good a picture of a face is, by measures named after ISO/IEC 29794-5.

Everything is measured on the aligned crop of 112 x 112 pixels, which is what the embedding model
sees, and on the five landmarks. Where the standard's reference implementation (OFIQ) gives a
formula, it is the one used here; it works on a larger crop with a mask from 98 landmarks, so
values are near to its own but not the same. ``components`` maps what was measured to 0..1, where
1 is best.

What the measures are worth (figures of development, on pictures that are not shipped):

* sharpness follows blur closely: 0.29 and more on 193 photos of studios, holidays and the press,
  at most 0.22 on the same after a Gaussian blur of 2 pixels of the crop, which costs 0.15 of the
  cosine; strong noise counts as sharpness.
* yaw agrees with a dense mesh of 468 landmarks at a correlation of 0.89; pitch at 0.45 only, as
  five landmarks barely show it, so that pitch never refuses.
* eyes open tells blinks within one clip (area under the curve 0.88) but not from person to
  person, where a wide smile or narrow eyes measure less than somebody else's blink: no photo is
  judged by it, and frames of one clip are chosen by it.
* the occlusion of mouth and nose is what the mask classifier says: of 30 masks 30 were refused, of
  195 photos without none. Hands, hair and sunglasses are not measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.domain import Detection, Image, Vector
from facegate.face.align import SIZE, TEMPLATE, align, similarity

type _Floats = NDArray[np.float32]


class Component(StrEnum):
    """The standard's names of what is measured."""

    SHARPNESS = "sharpness"
    UNDER_EXPOSURE = "under_exposure_prevention"
    OVER_EXPOSURE = "over_exposure_prevention"
    DYNAMIC_RANGE = "dynamic_range"
    ILLUMINATION = "illumination_uniformity"
    INTER_EYE_DISTANCE = "inter_eye_distance"
    HEAD_SIZE = "head_size"
    YAW = "pose_yaw"
    PITCH = "pose_pitch"
    ROLL = "pose_roll"
    EYES_OPEN = "eyes_open"
    MOUTH_OCCLUSION = "mouth_occlusion_prevention"
    CROP = "crop_of_face_image"


@dataclass(frozen=True, slots=True)
class Quality:
    """What was measured of one face.

    ``sharpness``: share (0..1) of the luminance's variation between neighbors that a 5 pixels
    wide mean takes away (Crete et al., 2007), the lesser of both directions.
    ``luminance``: mean of the face, 0..255. ``dark`` and ``bright``: shares (0..1) of the face
    with a luminance of at most 25, and of at least 247. ``dynamic_range``: entropy of the
    luminance in bits, 0..8. ``illumination``: what the histograms of both cheeks share, 0..1.
    ``inter_eye_distance`` and ``head_size`` (of the face's box) in pixels of the picture, the
    first as it would be from the front. ``yaw``, ``pitch`` and ``roll`` in degrees, positive
    where the head turns towards the picture's right, nods down, and leans clockwise.
    ``eyes_open``: changes of luminance across the eyes by those down them, about 0.3 to 1.3.
    ``mask``: how certainly (0..1) a mask is worn, None without a classifier.
    ``inside``: share (0..1) of the face, brows to chin, that lies in the picture.
    """

    sharpness: float
    luminance: float
    dark: float
    bright: float
    dynamic_range: float
    illumination: float
    inter_eye_distance: float
    head_size: float
    yaw: float
    pitch: float
    roll: float
    eyes_open: float
    mask: float | None
    inside: float


def measure(
    image: Image, detection: Detection, *, crop: Image | None = None, mask: float | None = None
) -> Quality:
    """Measure a face in a picture; ``crop`` is its aligned crop where that was made already."""
    if crop is None:
        crop = align(image, detection.landmarks)
    gray = np.asarray(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), np.uint8)
    histogram = cv2.calcHist([gray], [0], _FACE, [256], [0, 256]).ravel() / _FACE_PIXELS
    filled = histogram[histogram > 0]
    yaw, pitch, roll = pose(detection)
    to_crop = similarity(detection.landmarks, TEMPLATE)
    across = float(np.hypot(*(detection.landmarks[1] - detection.landmarks[0])))
    return Quality(
        sharpness=_sharpness(gray),
        luminance=float(histogram @ _LEVELS),
        dark=float(histogram[: _DARK + 1].sum()),
        bright=float(histogram[_BRIGHT:].sum()),
        dynamic_range=float(-(filled * np.log2(filled)).sum()),
        illumination=_illumination(gray),
        # Beyond the limit a landmark's error would count more than the distance.
        inter_eye_distance=across / max(math.cos(math.radians(yaw)), 0.5),
        head_size=detection.box.height,
        yaw=yaw,
        pitch=pitch,
        roll=roll,
        eyes_open=_eyes_open(gray, detection.landmarks, to_crop),
        mask=mask,
        inside=_inside(image, to_crop),
    )


def components(quality: Quality) -> Mapping[Component, float]:
    """Return each component in 0..1, 1 being best; what was not measured is left out."""
    found = {
        Component.SHARPNESS: _ramp(quality.sharpness, 0.1, 0.5),
        Component.UNDER_EXPOSURE: _unit(1.2 * (0.832 - _sigmoid(quality.dark, 0.92, 0.05))),
        Component.OVER_EXPOSURE: _unit(0.01 / (quality.bright + 0.01)),
        Component.DYNAMIC_RANGE: _unit(quality.dynamic_range / 8),
        Component.ILLUMINATION: _unit(quality.illumination**0.3),
        Component.INTER_EYE_DISTANCE: _sigmoid(quality.inter_eye_distance, 70, 20),
        Component.HEAD_SIZE: _ramp(quality.head_size, 32, 192),
        Component.YAW: _frontal(quality.yaw),
        Component.PITCH: _frontal(quality.pitch),
        Component.ROLL: _frontal(quality.roll),
        Component.EYES_OPEN: _ramp(quality.eyes_open, 0.2, 1.0),
        Component.CROP: quality.inside,
    }
    if quality.mask is not None:
        found[Component.MOUTH_OCCLUSION] = 1 - quality.mask
    return found


def weight(quality: Quality) -> float:
    """Return how much a probe of this quality shall say, 0..1, for a weighted mean of a track.

    The product of what a blurred, small, dark, overexposed, turned or cut face leaves of an
    embedding; a mask does not count, as it may be required. Measured on 100 press photos, each
    with four spoiled copies: the mean of the five has a cosine of 0.80 to the person's other
    photos with weights, and of 0.74 without.
    """
    return (
        _ramp(quality.sharpness, 0.08, 0.35)
        * _ramp(quality.inter_eye_distance, 8, 40)
        * _ramp(quality.luminance, 10, 60)
        * _ramp(quality.dynamic_range, 3, 6)
        * (1 - _ramp(quality.bright, 0.2, 0.8))
        * _frontal(quality.yaw)
        * _ramp(quality.inside, 0.4, 0.9)
    )


# --- the parts --------------------------------------------------------------------------------

_DARK, _BRIGHT = 25, 247
_LEVELS = np.arange(256)

_row, _column = np.mgrid[:SIZE, :SIZE]
# An ellipse about the template's eyes, nose and mouth, brows to chin.
_FACE = (((_column - 56) / 34) ** 2 + ((_row - 72) / 38) ** 2 < 1).astype(np.uint8)
_FACE_PIXELS = int(_FACE.sum())
_GRID = np.argwhere(_FACE)[::40, ::-1].T.astype(np.float64)
_AROUND = slice(33, 111), slice(21, 91)
_ACROSS, _DOWN = _FACE[_AROUND][:, 1:].astype(np.float32), _FACE[_AROUND][1:].astype(np.float32)

# The standard's zones below the eyes: squares of 0.3 of the distance between the eyes.
_CHEEKS = (slice(66, 77), slice(33, 44)), (slice(66, 77), slice(68, 79))
_EYE_SIZE = (17, 9)

# Eyes, nose tip and mouth corners of a mean head in millimeters: right, down, away.
_HEAD = np.array(
    [[-31.5, -32, 28], [31.5, -32, 28], [0, 0, 0], [-25, 33, 22], [25, 33, 22]], np.float64
)
_TO_HEAD = np.linalg.pinv(_HEAD - _HEAD.mean(axis=0))
_LEVEL_PITCH = 10.0
"""What the mean head gives for faces that look straight ahead, in degrees."""


def pose(detection: Detection) -> tuple[float, float, float]:
    """Return yaw, pitch and roll in degrees, see ``Quality``.

    The five landmarks as a weak perspective view of a mean head: least squares give the two upper
    rows of a scaled rotation, and the nearest rotation to them the angles.
    """
    points = detection.landmarks.astype(np.float64)
    rows = (_TO_HEAD @ (points - points.mean(axis=0))).T
    left, _, right = np.linalg.svd(rows, full_matrices=False)
    first, second = left @ right
    third = np.cross(first, second)
    yaw = math.degrees(math.atan2(third[0], third[2]))
    pitch = math.degrees(math.asin(min(1.0, max(-1.0, float(third[1])))))
    roll = math.degrees(math.atan2(second[0], first[0]))
    return yaw, pitch - _LEVEL_PITCH, roll


def _sharpness(gray: Image) -> float:
    light = gray[_AROUND].astype(np.float32)
    soft = np.asarray(cv2.blur(light, (5, 5)), np.float32)
    return min(
        _lost(light[:, 1:] - light[:, :-1], soft[:, 1:] - soft[:, :-1], _ACROSS),
        _lost(light[1:] - light[:-1], soft[1:] - soft[:-1], _DOWN),
    )


def _lost(before: _Floats, after: _Floats, where: _Floats) -> float:
    steps = np.abs(before)
    lost = np.vdot(np.maximum(steps - np.abs(after), 0), where)
    return float(lost / max(float(np.vdot(steps, where)), 1e-6))


def _illumination(gray: Image) -> float:
    left, right = (np.bincount(gray[cheek].ravel() >> 2, minlength=64) for cheek in _CHEEKS)
    return float(np.minimum(left, right).sum() / left.sum())


def _eyes_open(gray: Image, landmarks: Vector, to_crop: NDArray[np.float64]) -> float:
    """Return the mean of both eyes: an iris has upright edges, and a closed lid none.

    The eyes are looked for where the detector saw them, not where the template has them: two
    pixels beside, and a blink is no longer told.
    """
    smooth = cv2.GaussianBlur(gray, (0, 0), 1)
    ratios = []
    for point in landmarks[:2]:
        x, y = to_crop[:, :2] @ point + to_crop[:, 2]
        eye = cv2.getRectSubPix(smooth, _EYE_SIZE, (float(x), float(y))).astype(np.float32)
        across = float(np.abs(np.diff(eye, axis=1)[1:7]).mean())
        down = float(np.abs(np.diff(eye, axis=0)).mean())
        ratios.append(across / max(down, 1e-6))
    return min(2.0, sum(ratios) / len(ratios))


def _inside(image: Image, to_crop: NDArray[np.float64]) -> float:
    height, width = image.shape[:2]
    # A similarity without its shift is its own inverse, transposed, but for the scale squared.
    turn = to_crop[:, :2]
    scale = max(float(np.hypot(*turn[0])), 1e-6)
    x, y = turn.T @ (_GRID - to_crop[:, 2:]) / scale**2
    return float(((x >= 0) & (x < width) & (y >= 0) & (y < height)).mean())


def _frontal(degrees: float) -> float:
    return max(0.0, math.cos(math.radians(degrees))) ** 2


def _ramp(value: float, worst: float, best: float) -> float:
    return _unit((value - worst) / (best - worst))


def _sigmoid(value: float, middle: float, width: float) -> float:
    return 1 / (1 + math.exp(-(value - middle) / width))


def _unit(value: float) -> float:
    return min(1.0, max(0.0, value))
