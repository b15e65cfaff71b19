"""Tells a person from a print or a screen by the picture alone, with two MiniFASNets.

Reference: Silent-Face-Anti-Spoofing (Minivision, 2020): the face is cut out with its surroundings
at two scales, a net judges each cut, and the mean of both counts; class 1 is a living face. The
surroundings matter as much as the face: a sheet's edge, a hand, a screen's frame.

Two kinds of views mislead the nets, so they are not asked about them (``tells``). A face that
moves very fast is smeared, and a photograph that is just being held up is. A face near the
picture's edge has its surroundings cut off: the demo's photograph, held so low that only 0.1 to
0.6 of the face's height was seen under it, reached 0.4 to 0.8; from 0.75 on at most 0.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import onnxruntime as ort  # type: ignore[import-untyped]

from facegate.domain import Box, Image
from facegate.errors import ModelError
from facegate.face.view import surroundings

_SIDE = 80
_LIVING = 1
# What is looked at for a view to tell: pixels of height, face heights a second, and how much of
# its own size must lie above and beside the face, and under it, inside the picture.
MIN_FACE_PX = 48
MAX_SPEED = 4.0
_MARGIN = 0.15
_UNDER = 0.25


@dataclass(frozen=True, slots=True, eq=False)
class AttackNet:
    """A prepared net, and how many times the face's box it looks at."""

    session: ort.InferenceSession
    scale: float


class AttackDetector:
    """Judges single views; for one thread."""

    def __init__(self, nets: Sequence[AttackNet]) -> None:
        if not nets:
            raise ValueError("expected at least one net")
        self._nets = tuple(nets)

    def live(self, image: Image, box: Box) -> float:
        """Return how certainly (0..1) the face in ``box`` is a person.

        Raises ``ModelError`` where a net gives no probability.
        """
        return float(np.mean([_judge(net, image, box) for net in self._nets]))


def tells(box: Box, size: tuple[int, int], speed: float) -> bool:
    """Return whether a view may be judged: large enough, slow enough, and whole.

    ``size`` is the picture's width and height, ``speed`` in face heights a second.
    """
    if box.height < MIN_FACE_PX or not speed <= MAX_SPEED:
        return False
    across, down = _MARGIN * box.width, _MARGIN * box.height
    return (
        box.x >= across
        and box.y >= down
        and box.x + box.width + across <= size[0]
        and box.y + (1 + _UNDER) * box.height <= size[1]
    )


def _judge(net: AttackNet, image: Image, box: Box) -> float:
    cut = _cut(image, box, net.scale)
    blob = np.ascontiguousarray(cut.transpose(2, 0, 1)[None], np.float32)
    (output,) = net.session.run(None, {net.session.get_inputs()[0].name: blob})
    probability = float(output[0][_LIVING])
    if not 0 <= probability <= 1:
        raise ModelError(f"a liveness model gave {probability} for a probability")
    return probability


def _cut(image: Image, box: Box, scale: float) -> Image:
    """Return the square net input: the box scaled about its center, moved to lie inside."""
    left, top, right, bottom = surroundings(box, (image.shape[1], image.shape[0]), scale)
    return np.asarray(cv2.resize(image[top:bottom, left:right], (_SIDE, _SIDE)), np.uint8)
