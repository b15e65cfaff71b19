"""Reads pictures that people upload, and writes pictures that are shown to them.

An upload is not trusted: its type is told from its content, its size is read from its header
before a pixel is decoded, and only three decoders are ever asked.
"""

from __future__ import annotations

import io
import struct
import zlib

import cv2
import numpy as np
from PIL import Image as Pillow
from PIL import ImageFile, UnidentifiedImageError

from facegate.domain import Image
from facegate.errors import ImageError
from facegate.protocol import ErrorCode

_FORMATS = ("JPEG", "PNG", "WEBP")
_ORIENTATION_TAG = 0x0112
# EXIF orientation (2..8) to what undoes it; 1 and unknown values mean upright.
_UPRIGHT = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}
# What Pillow's parsers raise on damaged files, beside OSError.
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, TypeError)


def decode_picture(
    data: bytes, *, max_bytes: int = 8 * 1024 * 1024, max_pixels: int = 24_000_000
) -> Image:
    """Return the upright BGR picture of a JPEG, PNG or WebP file.

    Raises ``ImageError`` with ``TOO_LARGE`` over ``max_bytes`` or ``max_pixels``, and with
    ``UNSUPPORTED_MEDIA`` for every other type and for cut or damaged files.
    """
    if len(data) > max_bytes:
        raise ImageError(
            f"the picture has {len(data)} bytes; at most {max_bytes} are read",
            ErrorCode.TOO_LARGE,
        )
    try:
        with Pillow.open(io.BytesIO(data), formats=_FORMATS) as file:
            _check_pixels(file.width, file.height, max_pixels)
            return _decode(file)
    except (Pillow.DecompressionBombError, Pillow.DecompressionBombWarning) as err:
        raise ImageError(
            f"the picture has more than {max_pixels} pixels", ErrorCode.TOO_LARGE
        ) from err
    except UnidentifiedImageError as err:
        raise ImageError("not a JPEG, PNG or WebP picture") from err
    except _DAMAGED as err:
        raise ImageError(f"the picture is cut or damaged: {err}") from err


def encode_jpeg(image: Image, quality: int = 85) -> bytes:
    """Return the picture as JPEG, ``quality`` in 1..100; raises ``ImageError`` if it is empty."""
    try:
        ok, data = cv2.imencode(".jpg", image, (cv2.IMWRITE_JPEG_QUALITY, quality))
    except cv2.error as err:
        raise ImageError(f"cannot write a JPEG of shape {image.shape}: {err.err}") from err
    if not ok:
        raise ImageError(f"cannot write a JPEG of shape {image.shape}")
    return data.tobytes()


def _check_pixels(width: int, height: int, max_pixels: int) -> None:
    if width * height > max_pixels:
        raise ImageError(
            f"the picture is {width} x {height} pixels; at most {max_pixels} pixels are read",
            ErrorCode.TOO_LARGE,
        )


def _decode(file: ImageFile.ImageFile) -> Image:
    file.load()
    upright = _UPRIGHT.get(file.getexif().get(_ORIENTATION_TAG, 1))
    picture: Pillow.Image = file
    if picture.mode.startswith("I;16"):
        # Pillow clips 16-bit gray to 255 when it converts; keep the high byte instead.
        high = np.asarray(picture, np.uint16) >> 8
        picture = Pillow.fromarray(high.astype(np.uint8))
    if upright is not None:
        picture = picture.transpose(upright)
    rgb = np.asarray(picture.convert("RGB"))
    return np.ascontiguousarray(rgb[:, :, ::-1])
