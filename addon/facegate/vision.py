"""Sees faces and codes: detection, alignment, embedding, QR in one thread of their own.

One thread, because two inference threads on a small machine slow each other down more than they
win, and because the event loop must stay free for doors.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import cv2

from facegate.domain import Detection, Frame, Image, MaskClassifier, Probe, Vector
from facegate.errors import ImageError
from facegate.face.align import align
from facegate.face.detect import FaceDetector
from facegate.face.picture import decode_picture, encode_jpeg
from facegate.face.track import Tracker, TrackUpdate
from facegate.identity.embed import Embedder
from facegate.protocol import ErrorCode
from facegate.visitor.qr import find_code

MIN_REFERENCE_PX = 80
"""Height in pixels that a face must have in an enrollment photo."""

_SECOND_FACE = 0.5
_SCENE_WIDTH = 640


class Vision:
    """Models at work; every method may be awaited from many tasks at once."""

    def __init__(
        self, detector: FaceDetector, embedder: Embedder, masks: MaskClassifier | None = None
    ) -> None:
        self._detector = detector
        self._embedder = embedder
        self._masks = masks
        self._thread = ThreadPoolExecutor(1, "vision")

    @property
    def model_id(self) -> str:
        """The embedding model, which every template names."""
        return self._embedder.model_id

    async def follow(self, tracker: Tracker, frame: Frame) -> TrackUpdate:
        """Return the tracks of a camera after one more frame, which ``tracker`` has not seen."""
        return await self._run(lambda: tracker.update(frame, self._detector.detect(frame.image)))

    async def probe(self, frame: Frame, detection: Detection) -> Probe:
        """Return the embedding of a face in a frame."""
        embedding, mask = await self._run(lambda: self._read(frame.image, detection))
        return Probe(frame.sequence, frame.arrived, detection, embedding, mask)

    async def read_photo(self, data: bytes) -> Vector:
        """Return the embedding of the one face in an enrollment photo; raises ``ImageError``."""
        image = await asyncio.to_thread(decode_picture, data)
        detections = await self._run(lambda: self._detector.detect(image))
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
        return await self._run(lambda: self._embed(image, face))

    async def read_code(self, frame: Frame) -> str | None:
        """Return the text of a visitor pass's QR code in a frame, or None; see ``find_code``.

        Faces wait behind it: ask a few times a second at most, where a pass may be shown.
        """
        return await self._run(lambda: find_code(frame.image))

    async def jpeg(self, image: Image) -> bytes:
        """Return a picture for people to look at, at most 640 pixels wide."""
        return await asyncio.to_thread(_jpeg, image)

    def close(self) -> None:
        """End the thread once its work is done."""
        self._thread.shutdown()

    def _read(self, image: Image, detection: Detection) -> tuple[Vector, float | None]:
        crop = align(image, detection.landmarks)
        mask = self._masks.worn(crop) if self._masks is not None else None
        return self._embedder.embed(crop), mask

    def _embed(self, image: Image, detection: Detection) -> Vector:
        return self._embedder.embed(align(image, detection.landmarks))

    async def _run[T](self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)


def _jpeg(image: Image) -> bytes:
    height, width = image.shape[:2]
    if width > _SCENE_WIDTH:
        size = (_SCENE_WIDTH, round(height * _SCENE_WIDTH / width))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA).astype("uint8", copy=False)
    return encode_jpeg(image)
