"""Measures how a face's relief shifts against its surface between two views of it.

Turned against a reference view, a head's nose and eye sockets shift against the cheeks and brow,
because they lie before and behind them. A flat picture has nothing that could: whatever is done
with it, its views differ by a homography, and when it is bent by a smooth warp of the second
order. So one face patch is registered to another with a warp that holds every such motion plus one
pattern more, the relief, whose amplitude along x and y is the measurement.

Registration is Lucas-Kanade with a linear warp model (Baker and Matthews, 2004): Gauss-Newton on
band-passed, normalized patches from coarse to fine, with the reference's gradients. The covariance
of least squares gives each amplitude its standard error. The mouth is left out: it moves by
itself. Costs about a millisecond.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
import math

import cv2
import numpy as np
from numpy.typing import NDArray

from facegate.domain import Detection, Image
from facegate.face.align import TEMPLATE, similarity

type _Floats = NDArray[np.float32]
type _Views = tuple[_Floats, ...]

MIN_FACE_PX = 56
"""Height of a face's box below which its relief is not measured."""

# Patches: where the landmarks come to lie in a square cut from the frame, and its working size.
_CUT = 160
_CUT_LANDMARKS = TEMPLATE * 1.25 + 10
_SIZE = 64
# Gaussian blurs from coarse to fine, each with its number of steps, less this wide one: bands.
_LEVELS = ((4.0, 3), (2.0, 3), (0.8, 3))
_WIDE_BLUR = 3.5

_QUADRATICS = 6
_TERMS = _QUADRATICS + 1
_RIDGE = 1e-5
_MAX_ERROR = 4.0  # residuals are clipped at so many times their mean
_MAX_WARP = 20.0  # pixels of the patch; beyond, registration has lost itself
_RETRY_BELOW = 0.9  # likeness under which the last warp is tried as a start, too

# A view is measured where it is as sharp as the reference and not smeared by motion.
_MIN_SHARPNESS_RATIO = 0.7
_MAX_SPEED = 2.0  # face heights a second
_MIN_INTERVAL_S = 0.055
# Less alike than this to the reference, a view is not registered well enough to be believed;
# after so many of them the next one becomes the reference.
_MIN_LIKENESS = 0.8
_MAX_UNLIKE = 4
_MAX_GAP_S = 0.7


@dataclass(frozen=True, slots=True)
class Relief:
    """One view against the reference view that arrived at ``reference``.

    ``shift`` is the relief's amplitude along x and y in eye distances, ``error`` its standard
    error, ``likeness`` the correlation of the registered patches in -1..1, and ``strain`` how
    much the surface was stretched or sheared, as planes and heads are by turning.
    """

    reference: float
    shift: tuple[float, float]
    error: tuple[float, float]
    likeness: float
    strain: float


@dataclass(frozen=True, slots=True, eq=False)
class _Reference:
    """The reference view: per level its values, Jacobian (transposed) and inverse Hessian."""

    arrived: float
    sharpness: float
    levels: tuple[tuple[_Floats, _Floats, _Floats], ...]


class ReliefMeter:
    """Measures the views of one track, choosing reference views by itself."""

    def __init__(self) -> None:
        self._reference: _Reference | None = None
        self._warp: _Floats | None = None
        self._unlike = 0
        self._centre = np.zeros(2)
        self._seen = -math.inf
        self._measured = -math.inf

    def measure(
        self,
        image: Image,
        detection: Detection,
        arrived: float,
        origin: tuple[int, int] = (0, 0),
    ) -> Relief | None:
        """Return the relief of a face in a frame, or None where this view does not tell.

        ``image`` is the frame, or what was cut out of it at ``origin`` (x, y).

        None is for reference views, for small, smeared, cut-off or unlike faces, and for frames
        that follow the last within ``_MIN_INTERVAL_S``.
        """
        speed = self._speed(detection, arrived, origin)
        if arrived - self._measured < _MIN_INTERVAL_S or speed > _MAX_SPEED:
            return None
        patch = cut_patch(image, detection)
        return None if patch is None else self.measure_patch(patch, arrived)

    def measure_patch(self, patch: Image, arrived: float) -> Relief | None:
        """Return the relief of a view already cut by ``cut_patch``."""
        views, sharpness = _views(patch)
        reference = self._reference
        gap = arrived - self._measured
        self._measured = arrived
        if reference is None or gap > _MAX_GAP_S or self._unlike >= _MAX_UNLIKE:
            self._reference = _refer(views, sharpness, arrived)
            self._warp, self._unlike = None, 0
            return None
        warp, likeness, relief = _register(reference, views, None)
        if likeness < _RETRY_BELOW and self._warp is not None:
            again = _register(reference, views, self._warp)
            if again[1] > likeness:
                warp, likeness, relief = again
        ratio = sharpness / max(reference.sharpness, 1e-6)
        as_sharp = _MIN_SHARPNESS_RATIO <= ratio <= 1 / _MIN_SHARPNESS_RATIO
        alike = likeness >= _MIN_LIKENESS
        self._warp = warp if alike else None
        self._unlike = 0 if alike and as_sharp else self._unlike + 1
        return relief if alike and as_sharp else None

    def _speed(self, detection: Detection, arrived: float, origin: tuple[int, int]) -> float:
        """Return face heights a second since the last sighting; infinite for the first."""
        centre = detection.landmarks.mean(axis=0) + origin
        elapsed = arrived - self._seen
        moved = float(np.hypot(*(centre - self._centre)))
        self._centre, self._seen = centre, arrived
        if not 0 < elapsed <= _MAX_GAP_S:
            return math.inf
        return moved / max(detection.box.height, 1.0) / elapsed


def cut_patch(image: Image, detection: Detection) -> Image | None:
    """Return a 64 x 64 gray view of the face, upright by its landmarks, or None.

    None where the face is smaller than ``MIN_FACE_PX`` or reaches over the picture's edge.
    """
    if detection.box.height < MIN_FACE_PX:
        return None
    matrix = similarity(detection.landmarks, _CUT_LANDMARKS)
    rim = (_basis().rim - matrix[:, 2]) @ np.linalg.inv(matrix[:, :2]).T
    low, high = np.floor(rim.min(axis=0)).astype(int), np.ceil(rim.max(axis=0)).astype(int) + 1
    if low.min() < 0 or high[0] > image.shape[1] or high[1] > image.shape[0]:
        return None
    gray = cv2.cvtColor(image[low[1] : high[1], low[0] : high[0]], cv2.COLOR_BGR2GRAY)
    matrix[:, 2] += matrix[:, :2] @ low
    cut = cv2.warpAffine(gray, matrix, (_CUT, _CUT), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cv2.resize(cut, (_SIZE, _SIZE), interpolation=cv2.INTER_AREA), np.uint8)


# --- the warp ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _Basis:
    """The pixels used, in the patch, and the warp's terms there, (pixels, ``_TERMS``)."""

    index: NDArray[np.intp]
    x: _Floats
    y: _Floats
    terms: _Floats
    eye_distance: float
    rim: NDArray[np.float64]


@cache
def _basis() -> _Basis:
    marks = _CUT_LANDMARKS * (_SIZE / _CUT)
    unit = float(marks[1, 0] - marks[0, 0])
    centre_x = float(marks[:2, 0].mean())
    eyes_y, mouth_y = float(marks[:2, 1].mean()), float(marks[3:, 1].mean())
    centre_y = (eyes_y + mouth_y) / 2
    row, column = np.mgrid[0:_SIZE, 0:_SIZE]
    x, y = (column - centre_x) / unit, (row - centre_y) / unit
    eyes, tip = (eyes_y - centre_y) / unit, (float(marks[2, 1]) - centre_y) / unit
    # An ellipse of brow, eyes, nose and cheeks, down to the upper lip.
    index = np.flatnonzero((x / 1.05) ** 2 + ((y - 0.05) / 1.15) ** 2 < 1)
    index = index[y.ravel()[index] < 0.36]  # noqa: PLR2004
    used_x, used_y = x.ravel()[index], y.ravel()[index]
    smooth = np.stack(
        [np.ones_like(used_x), used_x, used_y, used_x**2, used_x * used_y, used_y**2], axis=1
    )
    relief = _face_relief(used_x, used_y, eyes, tip)
    relief -= smooth @ np.linalg.lstsq(smooth, relief, rcond=None)[0]
    angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    rim = np.stack([1.05 * np.cos(angle), 0.05 + 1.15 * np.sin(angle)], axis=1)
    return _Basis(
        index,
        column.ravel()[index].astype(np.float32),
        row.ravel()[index].astype(np.float32),
        np.concatenate([smooth, relief[:, None]], axis=1).astype(np.float32),
        unit,
        (rim * unit + (centre_x, centre_y)) * (_CUT / _SIZE),
    )


def _face_relief(
    x: NDArray[np.float64], y: NDArray[np.float64], eyes: float, tip: float
) -> NDArray[np.float64]:
    """Return the height of nose and eye sockets over the smooth face: the nose's tip is 1."""
    down = (y - eyes) / (tip - eyes)
    ridge = np.where(
        down < 1,
        np.clip((down + 0.1) / 1.1, 0, 1),
        np.exp(-(((down - 1) * (tip - eyes) / 0.13) ** 2)),
    )
    nose = ridge * np.exp(-((x / (0.13 + 0.06 * np.clip(down, 0, 1))) ** 2) / 2)
    sockets = sum(np.exp(-((x - side) ** 2 + (y - eyes) ** 2) / 2 / 0.2**2) for side in (-0.5, 0.5))
    return np.asarray(nose - 0.3 * sockets)


# --- registration -----------------------------------------------------------------------------


def _views(patch: Image) -> tuple[_Views, float]:
    """Return the patch's bands from coarse to fine, normalized, and its sharpness.

    Sharpness is the deviation of what the finest band adds to the one before, in deviations of
    that one: motion and lack of focus lower it, light does not change it.
    """
    index = _basis().index
    raw = patch.astype(np.float32)
    wide = cv2.GaussianBlur(raw, (0, 0), _WIDE_BLUR)
    bands = [cv2.GaussianBlur(raw, (0, 0), blur) - wide for blur, _ in _LEVELS]
    views = []
    for band in bands:
        used = band.ravel()[index]
        views.append(np.asarray((band - used.mean()) / (used.std() + 1e-3), np.float32))
    before, finest = (band.ravel()[index] for band in bands[-2:])
    return tuple(views), float((finest - before).std() / (before.std() + 1e-3))


def _refer(views: _Views, sharpness: float, arrived: float) -> _Reference:
    basis = _basis()
    levels = []
    for view in views:
        across = cv2.Scharr(view, cv2.CV_32F, 1, 0).ravel()[basis.index, None] / 32
        down = cv2.Scharr(view, cv2.CV_32F, 0, 1).ravel()[basis.index, None] / 32
        values = view.ravel()[basis.index]
        # The last two columns let gain and offset differ.
        jacobian = np.concatenate(
            [across * basis.terms, down * basis.terms, values[:, None], np.ones_like(across)],
            axis=1,
            dtype=np.float32,
        )
        hessian = (jacobian.T @ jacobian).astype(np.float64)
        hessian[np.diag_indices_from(hessian)] += _RIDGE * np.trace(hessian) / len(hessian)
        inverse = np.linalg.inv(hessian).astype(np.float32)
        levels.append((values, np.ascontiguousarray(jacobian.T), inverse))
    return _Reference(arrived, sharpness, tuple(levels))


def _register(
    reference: _Reference, views: _Views, start: _Floats | None
) -> tuple[_Floats, float, Relief | None]:
    """Return the warp, the likeness reached, and the relief read from the warp."""
    basis = _basis()
    warp = np.zeros(2 * _TERMS, np.float32) if start is None else start.copy()
    for (values, jacobian, inverse), view, (_, steps) in zip(
        reference.levels, views, _LEVELS, strict=True
    ):
        for _ in range(steps):
            moved_x, moved_y = basis.terms @ warp[:_TERMS], basis.terms @ warp[_TERMS:]
            if not max(np.abs(moved_x).max(), np.abs(moved_y).max()) < _MAX_WARP:
                return warp, 0.0, None
            seen = cv2.remap(view, basis.x + moved_x, basis.y + moved_y, cv2.INTER_LINEAR).ravel()
            error = values - seen
            limit = _MAX_ERROR * float(np.abs(error).mean())
            np.clip(error, -limit, limit, out=error)
            step = np.asarray(inverse @ (jacobian @ error), np.float32)
            warp += step[: 2 * _TERMS]
    likeness = float(values @ seen) / math.sqrt(float(values @ values) * float(seen @ seen) + 1e-9)
    variance = float(error @ error) / len(error)
    unit = basis.eye_distance
    at = (_TERMS - 1, 2 * _TERMS - 1)
    shift = (float(warp[at[0]]) / unit, float(warp[at[1]]) / unit)
    deviations = [math.sqrt(variance * float(inverse[i, i])) / unit for i in at]
    stretch = float(warp[1] - warp[_TERMS + 2]) / 2 / unit
    shear = float(warp[2] + warp[_TERMS + 1]) / 2 / unit
    relief = Relief(
        reference.arrived,
        shift,
        (deviations[0], deviations[1]),
        likeness,
        math.hypot(stretch, shear),
    )
    return warp, likeness, relief
