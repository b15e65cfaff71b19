"""What is read of a photo for enrollment, and which frames of a clip are worth keeping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from facegate.domain import Detection, Vector
from facegate.errors import ImageError
from facegate.face.quality import Quality, weight
from facegate.protocol import ErrorCode

MIN_REFERENCE_PX = 80
"""Height in pixels that a face must have in an enrollment photo."""

SAME_PERSON = 0.4
"""The cosine under which two photos are taken to show two people.

Measured on pictures that are not shipped, each held against one other of the same person: 0.5 % of
press photos over years fall under it, no studio or holiday photo (0.69 and more), no frame of a
clip (0.68 and more); of photos of somebody else 99.9 % lie under 0.37.
"""

_SECOND_FACE = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class FacePhoto:
    """The one face of a picture: its embedding (128 values, unit length) and its quality."""

    embedding: Vector
    quality: Quality


def only_face(detections: Sequence[Detection]) -> Detection:
    """Return the face that a photo is of; raises ``ImageError``.

    ``detections`` come the largest first; others of less than half its height are bystanders.
    """
    if not detections:
        raise ImageError(
            "no face was found: use a sharp, well lit photo of the face from the front",
            ErrorCode.NO_FACE,
        )
    face, *others = detections
    if others and others[0].box.height >= _SECOND_FACE * face.box.height:
        raise ImageError(
            f"{len(detections)} faces were found: use a photo that shows one person",
            ErrorCode.SEVERAL_FACES,
        )
    if face.box.height < MIN_REFERENCE_PX:
        raise ImageError(
            f"the face is {face.box.height:.0f} pixels high: use a photo in which it has at"
            f" least {MIN_REFERENCE_PX}",
            ErrorCode.FACE_TOO_SMALL,
        )
    return face


def best_of(frames: Sequence[FacePhoto], most: int) -> tuple[FacePhoto, ...]:
    """Return at most so many frames of a clip: good ones that differ, in the clip's order.

    The best is taken first, then each time the one whose merit times its distance from what was
    taken (1 - the highest cosine) is greatest. Frames that show somebody else than the best are
    left out. Merit is the quality's weight, less where the eyes are less open than usual in this
    clip.
    """
    if not frames:
        return ()
    usual = median(frame.quality.eyes_open for frame in frames)
    merits = {
        index: weight(frame.quality) * min(1.0, frame.quality.eyes_open / max(usual, 1e-6))
        for index, frame in enumerate(frames)
    }
    best = max(merits, key=lambda index: merits[index])
    near = {index: float(frames[index].embedding @ frames[best].embedding) for index in merits}
    left = {index for index in merits if near[index] >= SAME_PERSON} - {best}
    taken = [best]
    while left and len(taken) < most:
        chosen = max(left, key=lambda index: merits[index] * (1 - near[index]))
        taken.append(chosen)
        left.remove(chosen)
        for index in left:
            cosine = float(frames[index].embedding @ frames[chosen].embedding)
            near[index] = max(near[index], cosine)
    return tuple(frames[index] for index in sorted(taken))
