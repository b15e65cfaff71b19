"""Decoded pictures that are converted only as far as somebody needs them.

A frame in which nobody is seen costs a look at a few of its brightness values; one with a face
that is decided already is scaled once for the detector; the whole picture in BGR is made where a
face is cut out of it, once.
"""

from __future__ import annotations

from functools import lru_cache
import threading

from av.video.frame import VideoFrame
from av.video.plane import VideoPlane
from av.video.reformatter import Interpolation, VideoReformatter
import cv2
import numpy as np

from facegate.domain import Gray, Image

# Pixel formats whose first plane is brightness, one byte a pixel.
_PLANAR = ("yuv", "yuvj", "nv12", "nv21", "gray")
# Those that a region is cut out of: three planes, the chroma with half the rows and columns.
_HALVED = ("yuv420p", "yuvj420p")


class VideoPixels:
    """The picture of a frame that libav decoded."""

    def __init__(self, frame: VideoFrame) -> None:
        self._frame = frame
        self._image: Image | None = None
        self._lock = threading.Lock()

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._frame.width, self._frame.height

    def image(self) -> Image:
        """Return the whole picture; asked again, the same array."""
        with self._lock:
            if self._image is None:
                self._image = self._bgr(*self.size)
            return self._image

    def scaled(self, width: int, height: int) -> Image:
        """Return the picture at another size, averaged where it shrinks."""
        return self.image() if (width, height) == self.size else self._bgr(width, height)

    def region(self, left: int, top: int, right: int, bottom: int) -> Image:
        """Return a part of the picture; ``right`` and ``bottom`` are the first that are not in."""
        name = self._frame.format.name
        if self._image is not None or name not in _HALVED:
            return self.image()[top:bottom, left:right]
        # Chroma has half the rows and columns, so the part begins and ends at even ones.
        x, y = left // 2 * 2, top // 2 * 2
        wide, high = min(-(-right // 2) * 2, self.size[0]), min(-(-bottom // 2) * 2, self.size[1])
        if (wide - x) % 2 or (high - y) % 2:
            return self.image()[top:bottom, left:right]
        parts = [
            _rows(plane)[y // share : high // share, x // share : wide // share]
            for plane, share in zip(self._frame.planes, (1, 2, 2), strict=True)
        ]
        planar = np.concatenate([part.ravel() for part in parts]).reshape(-1, wide - x)
        cut = VideoFrame.from_ndarray(planar, format=name)
        cut.colorspace, cut.color_range = self._frame.colorspace, self._frame.color_range
        image = _converted(cut, cut.width, cut.height)
        return image[top - y : bottom - y, left - x : right - x]

    def luma(self, width: int, height: int) -> Gray:
        """Return brightness 0..255 of shape (height, width): every so many pixels one."""
        frame = self._frame
        if not frame.format.name.startswith(_PLANAR):
            return _sampled(_gray(self.image()), width, height)
        return _sampled(_rows(frame.planes[0])[: frame.height, : frame.width], width, height)

    def _bgr(self, width: int, height: int) -> Image:
        return _converted(self._frame, width, height)


class StillPixels:
    """A picture that is an array already."""

    def __init__(self, image: Image) -> None:
        self._image = image

    @property
    def size(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return self._image.shape[1], self._image.shape[0]

    def image(self) -> Image:
        """Return the whole picture; asked again, the same array."""
        return self._image

    def scaled(self, width: int, height: int) -> Image:
        """Return the picture at another size, averaged where it shrinks."""
        if (width, height) == self.size:
            return self._image
        resized = cv2.resize(self._image, (width, height), interpolation=cv2.INTER_AREA)
        return np.asarray(resized, np.uint8)

    def region(self, left: int, top: int, right: int, bottom: int) -> Image:
        """Return a part of the picture; ``right`` and ``bottom`` are the first that are not in."""
        return self._image[top:bottom, left:right]

    def luma(self, width: int, height: int) -> Gray:
        """Return brightness 0..255 of shape (height, width): every so many pixels one."""
        return _sampled(_gray(self._image), width, height)


def _gray(image: Image) -> Gray:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def _sampled(plane: Gray, width: int, height: int) -> Gray:
    sampled = cv2.resize(plane, (width, height), interpolation=cv2.INTER_NEAREST)
    return np.asarray(sampled, np.uint8)


def _rows(plane: VideoPlane) -> Gray:
    """Return a plane's rows with their padding, not copied."""
    return np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)


def _converted(frame: VideoFrame, width: int, height: int) -> Image:
    same = (width, height) == (frame.width, frame.height)
    # Scalers keep their tables for the next frame of a size; regions differ each time.
    scaler = VideoReformatter() if same else _scaler((width, height), threading.get_ident())
    converted = scaler.reformat(
        frame, width, height, "bgr24", interpolation=Interpolation.AREA, threads=1
    )
    return np.asarray(converted.to_ndarray(), np.uint8)


@lru_cache(maxsize=64)
def _scaler(size: tuple[int, int], thread: int) -> VideoReformatter:  # noqa: ARG001  the key
    """Return the scaler of a size in a thread."""
    return VideoReformatter()
