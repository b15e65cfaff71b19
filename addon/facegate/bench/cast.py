"""Who is in a clip: a picture each of some of its people, to enroll with every contestant."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from facegate.bench.peers.worker import decode
from facegate.domain import Box, Detection, Image, Vector
from facegate.errors import ImageError
from facegate.face.align import align
from facegate.face.detect import FaceDetector
from facegate.face.photo import only_face
from facegate.face.quality import measure, weight
from facegate.face.shortcomings import require_good
from facegate.identity.embed import Embedder

_EVERY = 3
_SMALLEST_PX = 64
_SAME, _OTHER = 0.5, 0.3
_SIGHTINGS = 10
"""Pictures in which somebody is seen, one in three: at 25 a second, for more than a second."""

_CONTEXT = 0.5
_PICTURE_PX = 400


@dataclass(slots=True, eq=False)
class _Person:
    """Somebody in the clip: the sum of its embeddings, and its view of the best quality so far."""

    total: Vector
    sightings: int = 0
    merit: float = 0.0
    picture: Image = field(default_factory=lambda: np.zeros((1, 1, 3), np.uint8))

    def likeness(self, face: Vector) -> float:
        return float(self.total @ face / np.linalg.norm(self.total))


def cast_of(clip: Path, detector: FaceDetector, embedder: Embedder) -> tuple[Image, ...]:
    """Return the best view of each person who is surely one and not another, the best first.

    A face that is neither clearly like somebody nor clearly unlike everybody tells nothing; who
    is seen only for a moment, or in no view that serves for an enrollment, is left out.
    """
    people: list[_Person] = []
    for picture in decode(str(clip), _EVERY):
        for face, vector in _faces(picture, detector, embedder):
            likeness = [person.likeness(vector) for person in people]
            if likeness and max(likeness) >= _SAME:
                person = people[int(np.argmax(likeness))]
                person.total = person.total + vector
            elif likeness and max(likeness) > _OTHER:
                continue
            else:
                person = _Person(vector)
                people.append(person)
            person.sightings += 1
            if (merit := weight(measure(picture, face))) > person.merit:
                portrait = _portrait(picture, face.box)
                if _serves(portrait, detector):
                    person.merit, person.picture = merit, portrait
    known = [person for person in people if person.sightings >= _SIGHTINGS and person.merit > 0]
    known.sort(key=lambda person: person.merit, reverse=True)
    return tuple(person.picture for person in known)


def _faces(
    picture: Image, detector: FaceDetector, embedder: Embedder
) -> Iterator[tuple[Detection, Vector]]:
    for face in detector.detect(picture):
        if face.box.height >= _SMALLEST_PX:
            yield face, embedder.embed(align(picture, face.landmarks))


def _serves(portrait: Image, detector: FaceDetector) -> bool:
    """Return whether an enrollment would take a portrait."""
    try:
        require_good(measure(portrait, only_face(detector.detect(portrait))))
    except ImageError:
        return False
    return True


def _portrait(picture: Image, box: Box) -> Image:
    """Return a face with what is around it, large enough for an enrollment."""
    height, width = picture.shape[:2]
    around = _CONTEXT * box.height
    left, top = max(0, round(box.x - around)), max(0, round(box.y - around))
    right = min(width, round(box.x + box.width + around))
    bottom = min(height, round(box.y + box.height + around))
    part = picture[top:bottom, left:right]
    scale = _PICTURE_PX / part.shape[0]
    size = (round(part.shape[1] * scale), _PICTURE_PX)
    return np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_CUBIC), np.uint8)
