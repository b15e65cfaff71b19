"""Finds faces and their five landmarks with YuNet.

Reference for the decoding: YuNet (Wu et al., 2023) as exported by the OpenCV Zoo: an anchor per
cell at strides 8, 16 and 32; score = sqrt(cls * obj), centre = (cell + offset) * stride,
size = exp(value) * stride, landmark = (cell + offset) * stride.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray
import onnxruntime as ort  # type: ignore[import-untyped]

from facegate.domain import Box, Detection, Frame, Image

_STRIDES = (8, 16, 32)
_MULTIPLE = 32
_IOU_LIMIT = 0.3
_OUTPUTS = tuple(f"{kind}_{s}" for s in _STRIDES for kind in ("cls", "obj", "bbox", "kps"))

type _Floats = NDArray[np.float32]


class FaceDetector:
    """Looks at a picture scaled so that its longer side is at most ``width`` pixels.

    At 640 it finds nearly every face over 2.5 % of the longer side; ``score_threshold`` is in
    0..1. For one thread.
    """

    def __init__(
        self, session: ort.InferenceSession, *, score_threshold: float = 0.7, width: int = 640
    ) -> None:
        self._session = session
        self._input = session.get_inputs()[0].name
        self._score_threshold = score_threshold
        self._width = width
        self._room = np.zeros((1, 3, 0, 0), np.float32)
        self._filled = (0, 0)

    def detect(self, image: Image) -> tuple[Detection, ...]:
        """Return the faces in pixels of ``image``, the largest first.

        Boxes and landmarks may reach over the picture's edge where a face does. Small pictures
        are not enlarged.
        """
        height, width = image.shape[:2]
        scale = min(1.0, self._width / max(height, width))
        inner = (max(1, round(width * scale)), max(1, round(height * scale)))
        if scale < 1:
            image = np.asarray(cv2.resize(image, inner, interpolation=cv2.INTER_AREA), np.uint8)
        blob = self._blob(image)
        outputs = self._session.run(_OUTPUTS, {self._input: blob})
        boxes, landmarks, scores = self._decode(outputs, blob.shape[2], blob.shape[3])
        # Width and height are rounded apart, so each axis has its own way back.
        back = np.array([width / inner[0], height / inner[1]], np.float32)
        boxes *= np.tile(back, 2)
        landmarks *= back
        found = [
            Detection(Box(*boxes[index].tolist()), landmarks[index].copy(), float(scores[index]))
            for index in _best(boxes, scores)
        ]
        found.sort(key=lambda face: face.box.width * face.box.height, reverse=True)
        return tuple(found)

    def find(self, frame: Frame) -> tuple[Detection, ...]:
        """Return a frame's faces in the frame's space, the largest first.

        The picture is scaled by its decoder, so that no larger one is made for it.
        """
        width, height = frame.pixels.size
        scale = min(1.0, self._width / max(width, height))
        small = frame.pixels.scaled(max(1, round(width * scale)), max(1, round(height * scale)))
        across, down = frame.size[0] / small.shape[1], frame.size[1] / small.shape[0]
        return tuple(_scaled(face, across, down) for face in self.detect(small))

    def _blob(self, image: Image) -> _Floats:
        """Return a picture as the model's input, black where its sides are no multiple of 32.

        Always in the same room, because new pages cost more than filling them.
        """
        height, width = image.shape[:2]
        if self._filled != (height, width):
            self._filled = height, width
            padded = height + -height % _MULTIPLE, width + -width % _MULTIPLE
            self._room = np.zeros((1, 3, *padded), np.float32)
        self._room[0, :, :height, :width] = image.transpose(2, 0, 1)
        return self._room

    def _decode(
        self, outputs: list[_Floats], height: int, width: int
    ) -> tuple[_Floats, _Floats, _Floats]:
        """Return boxes (N, 4) as x, y, width, height, landmarks (N, 5, 2) and scores (N)."""
        boxes, landmarks, scores = [], [], []
        for level, stride in enumerate(_STRIDES):
            cls, obj, bbox, kps = (o[0] for o in outputs[4 * level : 4 * level + 4])
            score = np.sqrt(np.clip(cls[:, 0], 0, 1) * np.clip(obj[:, 0], 0, 1))
            keep = np.flatnonzero(score >= self._score_threshold)
            cells = _cells(height // stride, width // stride)[keep]
            centre = (cells + bbox[keep, :2]) * stride
            size = np.exp(bbox[keep, 2:]) * stride
            boxes.append(np.concatenate([centre - size / 2, size], axis=1))
            landmarks.append((cells[:, None] + kps[keep].reshape(-1, 5, 2)) * stride)
            scores.append(score[keep])
        return np.concatenate(boxes), np.concatenate(landmarks), np.concatenate(scores)


def _best(boxes: _Floats, scores: _Floats) -> list[int]:
    """Return the indices of the best of each heap of overlapping boxes."""
    corner = boxes[:, :2] + boxes[:, 2:]
    area = boxes[:, 2] * boxes[:, 3]
    order = np.argsort(-scores)
    best = []
    while order.size:
        first, rest = int(order[0]), order[1:]
        best.append(first)
        overlap = np.minimum(corner[first], corner[rest]) - np.maximum(
            boxes[first, :2], boxes[rest, :2]
        )
        shared = np.clip(overlap, 0, None).prod(axis=1)
        order = rest[shared <= _IOU_LIMIT * (area[first] + area[rest] - shared)]
    return best


def _scaled(face: Detection, across: float, down: float) -> Detection:
    box = face.box
    return Detection(
        Box(box.x * across, box.y * down, box.width * across, box.height * down),
        np.asarray(face.landmarks * np.array([across, down], np.float32), np.float32),
        face.score,
    )


@lru_cache(maxsize=32)
def _cells(rows: int, columns: int) -> _Floats:
    """Return (rows * columns, 2) of column and row of each cell, in the model's order."""
    row, column = np.divmod(np.arange(rows * columns), columns)
    return np.array([column, row], np.float32).T
