"""Reads the frames of short clips that people upload for enrollment.

A clip is no more trusted than a photo: its length and its size are bounded before and while it is
decoded, and no more than one frame is held at a time.
"""

from __future__ import annotations

from collections.abc import Generator
import io

import av
from av import error as av_error
import numpy as np

from facegate.domain import Image
from facegate.errors import ImageError
from facegate.protocol import MAX_PICTURE_BYTES, ErrorCode

MAX_CLIP_S = 15
MAX_CLIP_FRAMES = 30
"""How many frames of a clip are looked at, spread evenly."""

_MAX_PIXELS = 4096 * 2304
_MAX_DECODED = 60 * MAX_CLIP_S + 1
_USUAL_RATE = 25


def clip_frames(data: bytes) -> Generator[Image]:
    """Yield frames (BGR) spread evenly over an MP4, MOV, MKV or WebM clip; blocking.

    Raises ``ImageError`` with ``TOO_LARGE`` over ``MAX_PICTURE_BYTES``, 15 seconds, 60 frames a
    second or 9.4 million pixels, and with ``UNSUPPORTED_MEDIA`` for everything else that is no
    such clip. Where the file does not tell its length, frames are half a second apart.
    """
    if len(data) > MAX_PICTURE_BYTES:
        raise ImageError(
            f"the clip has {len(data)} bytes; at most {MAX_PICTURE_BYTES} are read",
            ErrorCode.TOO_LARGE,
        )
    try:
        with av.open(io.BytesIO(data), "r", format=_format_of(data)) as container:
            yield from _spread(container)
    except (av_error.FFmpegError, OSError, ValueError) as err:
        why = getattr(err, "strerror", None) or type(err).__name__
        raise ImageError(f"the clip is cut or damaged: {why}") from err


def _format_of(data: bytes) -> str:
    """Return the one demuxer to ask: others open playlists, and with them files and addresses."""
    if data[4:8] == b"ftyp":
        return "mp4"
    if data[:4] == b"\x1a\x45\xdf\xa3":
        return "matroska"
    raise ImageError("not an MP4, MOV, MKV or WebM clip")


def _spread(container: av.container.InputContainer) -> Generator[Image]:
    if not container.streams.video:
        raise ImageError("the clip has no pictures: choose a video")
    stream = container.streams.video[0]
    if stream.codec_context.width * stream.codec_context.height > _MAX_PIXELS:
        raise ImageError(
            f"a frame of the clip has more than {_MAX_PIXELS} pixels", ErrorCode.TOO_LARGE
        )
    length = container.duration / av.time_base if container.duration else None
    if length is not None and length > MAX_CLIP_S + 1:
        raise _too_long()
    apart = (length or MAX_CLIP_S) / MAX_CLIP_FRAMES
    rate = float(stream.average_rate or _USUAL_RATE)
    due, first = 0.0, None
    for index, frame in enumerate(container.decode(stream)):
        at = index / rate if frame.pts is None else frame.time
        first = at if first is None else first
        if at - first > MAX_CLIP_S + 1 or index >= _MAX_DECODED:
            raise _too_long()
        if at - first >= due:
            due += apart
            yield np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def _too_long() -> ImageError:
    return ImageError(
        f"the clip is longer than {MAX_CLIP_S} seconds: cut it, a few seconds are enough",
        ErrorCode.TOO_LARGE,
    )
