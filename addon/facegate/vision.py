"""Sees faces and codes: one thread finds faces, one reads them, the newest first.

A model computes on the thread that asks it and brings none of its own: on a small machine more
threads than cores slow each other down more than they win. The event loop stays free for doors.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
import time

from facegate.domain import Detection, Frame, Image, MaskClassifier, Probe
from facegate.errors import ImageError
from facegate.face.align import align
from facegate.face.attack import AttackDetector, tells
from facegate.face.detect import FaceDetector
from facegate.face.photo import FacePhoto, best_of, only_face
from facegate.face.picture import decode_picture, encode_jpeg
from facegate.face.quality import Quality, measure, weight
from facegate.face.shortcomings import require_good
from facegate.face.track import Track, Tracker, TrackUpdate
from facegate.face.video import clip_frames
from facegate.face.view import view_of
from facegate.identity.embed import Embedder
from facegate.latency import Latencies, Stage
from facegate.protocol import ErrorCode
from facegate.worker import NewestFirst

_SCENE_WIDTH = 640


class Vision:
    """Models at work; every method may be awaited from many tasks at once.

    ``masks`` and ``attacks`` are None where their models are missing.
    """

    def __init__(
        self,
        detector: FaceDetector,
        embedder: Embedder,
        masks: MaskClassifier | None,
        attacks: AttackDetector | None,
        latencies: Latencies,
    ) -> None:
        self._detector = detector
        self._embedder = embedder
        self._masks = masks
        self._attacks = attacks
        self._latencies = latencies
        self._finder = ThreadPoolExecutor(1, "detect")
        self._reader = NewestFirst("probe")

    @property
    def model_id(self) -> str:
        """The embedding model, which every template names."""
        return self._embedder.model_id

    @property
    def knows_attacks(self) -> bool:
        """Whether probes tell a person from a print or a screen."""
        return self._attacks is not None

    @property
    def waiting(self) -> int:
        """How many faces wait to be read."""
        return self._reader.waiting

    async def follow(self, tracker: Tracker, frame: Frame) -> TrackUpdate:
        """Return the tracks of a camera after one more frame, which ``tracker`` has not seen."""

        def look() -> TrackUpdate:
            with self._latencies.measured(Stage.DETECT):
                found = self._detector.find(frame)
            return tracker.update(frame, found)

        return await self._find(look)

    async def probe(self, frame: Frame, track: Track, *, living: bool = True) -> Probe:
        """Return a face of a frame as a probe of its track; ``living`` asks whether it is alive."""
        return await self._reader.run(lambda: self._read(frame, track, living), frame.arrived)

    async def read_photo(self, data: bytes) -> FacePhoto:
        """Return the one face in a photo, be it good or bad; raises ``ImageError``."""
        return await self._read_picture(await asyncio.to_thread(decode_picture, data))

    async def read_clip(self, data: bytes, most: int) -> tuple[FacePhoto, ...]:
        """Return at most so many good frames of a short clip, see ``best_of``.

        Raises ``ImageError``, also where no frame shows one face that is good enough.
        """
        found: list[FacePhoto] = []
        refusals: Counter[tuple[ErrorCode, str]] = Counter()
        with closing(clip_frames(data)) as frames:
            while (image := await asyncio.to_thread(next, frames, None)) is not None:
                try:
                    photo = await self._read_picture(image)
                    require_good(photo.quality)
                except ImageError as err:
                    refusals[err.code, str(err)] += 1
                else:
                    found.append(photo)
        if not found:
            (code, why), _ = max(
                refusals.items(),
                key=lambda item: item[1],
                default=((ErrorCode.NO_FACE, "it has no frames"), 0),
            )
            raise ImageError(f"no frame of the clip can be used: {why}", code)
        return best_of(found, most)

    async def examine(self, frame: Frame, detection: Detection) -> Quality:
        """Return how good a view of a face a frame gives."""

        def look() -> Quality:
            view = view_of(frame, detection)
            return measure(view.image, view.detection)

        return await self._reader.run(look, frame.arrived)

    def close(self) -> None:
        """End the threads once their work is done."""
        self._finder.shutdown()
        self._reader.close()

    def _read(self, frame: Frame, track: Track, living: bool) -> Probe:  # noqa: FBT001
        detection, measured = track.detection, self._latencies.measured
        view = track.view(frame)
        with measured(Stage.PROBE):
            crop = align(view.image, view.detection.landmarks)
            embedding = self._embedder.embed(crop)
            quality = weight(measure(view.image, view.detection, crop=crop))
        mask = live = None
        if self._masks is not None:
            with measured(Stage.MASK):
                mask = self._masks.worn(crop)
        tellable = living and tells(detection.box, frame.size, track.speed)
        if self._attacks is not None and tellable:
            with measured(Stage.LIVENESS):
                live = self._attacks.live(view.image, view.detection.box)
        return Probe(frame.sequence, frame.arrived, detection, embedding, mask, quality, live)

    async def _read_picture(self, image: Image) -> FacePhoto:
        face = only_face(await self._find(lambda: self._detector.detect(image)))
        return await self._reader.run(lambda: self._reference(image, face), time.monotonic())

    def _reference(self, image: Image, face: Detection) -> FacePhoto:
        crop = align(image, face.landmarks)
        mask = self._masks.worn(crop) if self._masks is not None else None
        return FacePhoto(self._embedder.embed(crop), measure(image, face, crop=crop, mask=mask))

    async def _find[T](self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._finder, work)


async def portrait(image: Image) -> bytes:
    """Return a track's picture as JPEG, for people to look at."""
    return await asyncio.to_thread(encode_jpeg, image)


async def scene(frame: Frame) -> bytes:
    """Return a frame as JPEG for people to look at, at most 640 pixels wide."""

    def draw() -> bytes:
        width, height = frame.pixels.size
        share = min(1.0, _SCENE_WIDTH / width)
        return encode_jpeg(frame.pixels.scaled(round(width * share), round(height * share)))

    return await asyncio.to_thread(draw)
