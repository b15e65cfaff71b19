"""Turns a face of a video as the solid thing that it is: nearer parts move more than farther ones.

The depth is that of any head, not measured: an egg with a nose and eye sockets, in units of
the distance between the eyes (some 63 mm). A flat photograph, turned, has none of this.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from demo.faces import Cutout

type Plane = NDArray[np.float32]

# Half the head's width and height and its depth, and how far below the eyes its middle is.
_HALF_WIDTH, _HALF_HEIGHT, _DEPTH, _MIDDLE = 1.2, 1.8, 1.4, 0.55
# The nose's tip: height over the face, how far below the eyes, and the breadth of its ridge.
_NOSE, _TIP, _RIDGE = 0.38, 0.55, 0.15
_SOCKET = 0.12
# The neck turns the head about an axis this far behind the surface's rim.
_AXIS = 0.3
# Below the chin the turn fades out into the shoulders.
_CHIN, _SHOULDERS = 1.8, 2.7


def turn(cutout: Cutout, yaw: float, pitch: float = 0.0) -> Cutout:
    """Return the person with the head turned by radians: to the right and down are positive."""
    height, width = cutout.alpha.shape
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    along, down, unit = _head_axes(cutout)
    x, y = columns - cutout.eyes[:, 0].mean(), rows - cutout.eyes[:, 1].mean()
    target_u = (x * along[0] + y * along[1]) / unit
    target_v = (x * down[0] + y * down[1]) / unit
    # Where does what is seen here come from? The depth there is needed to tell, so approach it.
    u, v = target_u, target_v
    for _ in range(4):
        z = _depth(u, v) - _AXIS
        fade = 1 - _smooth((v - _CHIN) / (_SHOULDERS - _CHIN))
        moved_u = u * math.cos(yaw) + z * math.sin(yaw)
        moved_v = v * math.cos(pitch) + z * math.sin(pitch)
        u, v = u - fade * (moved_u - u) - (u - target_u), v - fade * (moved_v - v) - (v - target_v)
    shift_u, shift_v = (u - target_u) * unit, (v - target_v) * unit
    from_x = np.asarray(columns + shift_u * along[0] + shift_v * down[0], np.float32)
    from_y = np.asarray(rows + shift_u * along[1] + shift_v * down[1], np.float32)
    color = cv2.remap(cutout.color, from_x, from_y, cv2.INTER_CUBIC, None, cv2.BORDER_REPLICATE)
    alpha = cv2.remap(cutout.alpha, from_x, from_y, cv2.INTER_LINEAR)
    return Cutout(np.asarray(color, np.uint8), np.asarray(alpha, np.float32), cutout.eyes)


def _head_axes(cutout: Cutout) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Return the unit vectors along the eyes and down the face, and the eyes' distance."""
    right_to_left = cutout.eyes[1] - cutout.eyes[0]
    unit = float(np.hypot(*right_to_left))
    along = right_to_left / unit
    return along, np.array([-along[1], along[0]]), unit


def _depth(u: Plane, v: Plane) -> Plane:
    """Return how far the head's surface is before the plane of its rim."""
    outside = (u / _HALF_WIDTH) ** 2 + ((v - _MIDDLE) / _HALF_HEIGHT) ** 2
    # Smooth at the rim: an ellipsoid's would be infinitely steep there.
    skull = _DEPTH * np.exp(-outside)
    rise = np.where(v < _TIP, _smooth(v / _TIP), np.exp(-(((v - _TIP) / 0.12) ** 2)))
    nose = _NOSE * rise * np.exp(-((u / _RIDGE) ** 2) / 2)
    sockets = sum(np.exp(-((u - side) ** 2 + v**2) / (2 * 0.2**2)) for side in (-0.5, 0.5))
    return np.asarray(skull + nose - _SOCKET * sockets, np.float32)


def _smooth(part: Plane) -> Plane:
    """Go smoothly from 0 to 1 as ``part`` does, and stay there."""
    part = np.clip(part, 0, 1)
    return np.asarray(part * part * (3 - 2 * part), np.float32)
