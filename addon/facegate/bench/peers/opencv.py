"""OpenCV's own FaceDetectorYN and FaceRecognizerSF: the files are YUNET SFACE SFACE_PLAIN.

OpenCV 5 cannot run the published, block-quantized SFace. ``SFACE_PLAIN`` has the same weights as
plain numbers, the graph otherwise as published, and is used where the first cannot be.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np

if TYPE_CHECKING:
    from facegate.bench.peers.worker import Image, Vector

_WIDTH = 640
_CONFIDENCE, _OVERLAP, _MOST = 0.7, 0.3, 5000
_BOX_AND_LANDMARKS = 14
_CROP = 112


class OpenCv:
    """The loop of OpenCV's own example, with pictures scaled to 640 pixels for the detector."""

    # The Zoo's cosine for one-to-one comparisons.
    threshold = 0.363

    def __init__(self, detector: str, *embedders: str) -> None:
        cv2.setNumThreads(1)
        self._detector = cv2.FaceDetectorYN.create(
            detector, "", (_WIDTH, _WIDTH), _CONFIDENCE, _OVERLAP, _MOST
        )
        self._graph, self._embedder = _first_that_runs(embedders)

    def versions(self) -> dict[str, str]:
        """Return the versions of what computes, and which file of SFace it could run."""
        return {"opencv": cv2.__version__, "sface": self._graph}

    def detect(self, image: Image) -> int:
        """Return how many faces a BGR picture shows, looked at in its own size."""
        return len(self._find(image))

    def embed(self, crop: Image) -> Vector:
        """Return the embedding of an aligned face."""
        return np.asarray(self._embedder.feature(crop))

    def look(self, image: Image) -> list[Vector]:
        """Return the embeddings of all faces of a BGR picture, the largest first."""
        height, width = image.shape[:2]
        scale = min(1.0, _WIDTH / max(height, width))
        small = image
        if scale < 1:
            size = (round(width * scale), round(height * scale))
            small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), np.uint8)
        faces = self._find(small)
        faces[:, :_BOX_AND_LANDMARKS] /= scale
        order = np.argsort(-faces[:, 2] * faces[:, 3])
        return [self.embed(self._align(image, faces[index])) for index in order]

    def likeness(self, one: Vector, other: Vector) -> float:
        """Return the cosine of two faces."""
        return float(self._embedder.match(one, other, cv2.FaceRecognizerSF_FR_COSINE))

    def _find(self, image: Image) -> Vector:
        self._detector.setInputSize((image.shape[1], image.shape[0]))
        # OpenCV's stubs do not know that there may be none.
        faces = cast("Vector | None", self._detector.detect(image)[1])
        return np.zeros((0, 15), np.float32) if faces is None else np.asarray(faces, np.float32)

    def _align(self, image: Image, face: Vector) -> Image:
        return np.asarray(self._embedder.alignCrop(image, face), np.uint8)


def _first_that_runs(files: tuple[str, ...]) -> tuple[str, cv2.FaceRecognizerSF]:
    for file in files:
        embedder = cv2.FaceRecognizerSF.create(file, "")
        try:
            embedder.feature(np.zeros((_CROP, _CROP, 3), np.uint8))
        except cv2.error:
            continue
        return Path(file).name, embedder
    raise ValueError(f"OpenCV {cv2.__version__} can run none of {files}")
