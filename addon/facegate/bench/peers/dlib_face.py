"""The package face_recognition (dlib) as a contestant."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

import dlib  # type: ignore[import-not-found,import-untyped,unused-ignore]
import face_recognition  # type: ignore[import-not-found,import-untyped,unused-ignore]
import numpy as np

if TYPE_CHECKING:
    from facegate.bench.peers.worker import Image, Vector


class FaceRecognition:
    """Its two calls with their defaults: the HOG detector, and one encoding a face."""

    # Its tolerance, a distance, turned round so that more is more alike.
    threshold = -0.6

    def versions(self) -> dict[str, str]:
        """Return the versions of what computes."""
        return {"face_recognition": version("face_recognition"), "dlib": dlib.__version__}

    def detect(self, image: Image) -> int:
        """Return how many faces a BGR picture shows."""
        return len(face_recognition.face_locations(_rgb(image)))

    def embed(self, crop: Image) -> Vector:
        """Return the embedding of a face that fills its crop; it aligns the face itself."""
        height, width = crop.shape[:2]
        found = face_recognition.face_encodings(_rgb(crop), [(0, width, height, 0)])
        return np.asarray(found[0])

    def look(self, image: Image) -> list[Vector]:
        """Return the embeddings of all faces of a BGR picture, the largest first."""
        rgb = _rgb(image)
        places = face_recognition.face_locations(rgb)
        places.sort(key=lambda place: place[0] - place[2])
        return [np.asarray(face) for face in face_recognition.face_encodings(rgb, places)]

    def likeness(self, one: Vector, other: Vector) -> float:
        """Return the distance of two faces, turned round."""
        return -float(np.linalg.norm(one - other))


def _rgb(image: Image) -> Image:
    return np.ascontiguousarray(image[:, :, ::-1])
