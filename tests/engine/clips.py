"""Videos for cameras that play files."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import av
import cv2
import numpy as np

from facegate.domain import Image
from tests.engine.face.real import canvas, carphone

RATE = 15


def write_clip(path: Path, pictures: Iterable[Image], rate: int = RATE) -> Path:
    """Encode pictures of one even size as H.264."""
    with av.open(str(path), "w") as container:
        stream = None
        for picture in pictures:
            if stream is None:
                stream = container.add_stream("libx264", rate=rate, options={"preset": "veryfast"})
                stream.height, stream.width = picture.shape[:2]
                stream.pix_fmt = "yuv420p"
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            container.mux(stream.encode(frame))
        if stream is not None:
            container.mux(stream.encode(None))
    return path


def resident() -> list[Image]:
    """Return three seconds of one moving face, 15 pictures a second."""
    return list(carphone()[30::2])


def resident_photos() -> list[bytes]:
    """Return photos of the resident, from another part of the clip."""
    return [png(carphone()[index]) for index in (0, 20)]


def empty_hall() -> list[Image]:
    """Return a second without a face."""
    return [canvas(528, 432)] * RATE


def png(picture: Image) -> bytes:
    return np.asarray(cv2.imencode(".png", picture)[1]).tobytes()
