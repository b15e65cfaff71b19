"""What is cut out of a frame to read a face: the face with its surroundings, and no more.

Everything that looks at a face looks at this cut. Of a 1080p frame it is a quarter or less, so that
the whole frame never has to be converted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from facegate.domain import Box, Detection, Frame, Image, Vector

REACH = 4.0
"""How many times the face's box the cut is wide and high: what the widest model looks at."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceView:
    """A cut of a frame, and the face in it.

    ``detection`` is in pixels of ``image``, whose left upper corner is at ``origin`` (x, y) in the
    frame.
    """

    image: Image
    detection: Detection
    origin: tuple[int, int]


def view_of(frame: Frame, detection: Detection) -> FaceView:
    """Cut a face out of a frame whose faces are told in its own pixels."""
    left, top, right, bottom = surroundings(detection.box, frame.size, REACH)
    image = frame.pixels.region(left, top, right, bottom)
    box = detection.box
    return FaceView(
        image,
        Detection(
            Box(box.x - left, box.y - top, box.width, box.height),
            _moved(detection.landmarks, left, top),
            detection.score,
        ),
        (left, top),
    )


def surroundings(box: Box, size: tuple[int, int], scale: float) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of the box scaled about its center.

    It is moved to lie inside a picture of ``size`` (width, height), and scaled by less where it
    would not fit; at least one pixel.
    """
    width, height = size
    scale = min(scale, (height - 1) / box.height, (width - 1) / box.width)
    wide, high = box.width * scale, box.height * scale
    left = min(max(box.x + box.width / 2 - wide / 2, 0), width - 1 - wide)
    top = min(max(box.y + box.height / 2 - high / 2, 0), height - 1 - high)
    return int(left), int(top), int(left + wide) + 1, int(top + high) + 1


def _moved(landmarks: Vector, left: int, top: int) -> Vector:
    return landmarks - np.array([left, top], np.float32)
