"""Uploads are read safely, and what is not a usable picture is told apart."""

from __future__ import annotations

import io
import random
import struct
import zlib

import cv2
import numpy as np
from PIL import Image as Pillow
import pytest

from facegate.errors import ImageError
from facegate.face.picture import decode_picture, encode_jpeg
from facegate.protocol import ErrorCode

from .real import astronaut, packaged


def png(width: int, height: int, rows: bytes = b"") -> bytes:
    """A PNG that declares its size and holds only ``rows``."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


def saved(picture: Pillow.Image, kind: str, exif: Pillow.Exif | None = None) -> bytes:
    data = io.BytesIO()
    picture.save(data, kind, exif=exif or Pillow.Exif())
    return data.getvalue()


def rgb() -> Pillow.Image:
    return Pillow.fromarray(np.ascontiguousarray(astronaut()[:, :, ::-1]))


def refused(data: bytes, **limits: int) -> ErrorCode:
    with pytest.raises(ImageError) as caught:
        decode_picture(data, **limits)
    return caught.value.code


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_three_kinds_are_read_as_bgr(kind: str) -> None:
    image = decode_picture(saved(rgb(), kind))
    assert image.shape == astronaut().shape
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - astronaut()).mean() < 4


@pytest.mark.parametrize(("width", "height"), [(50_000, 50_000), (5000, 5000), (2**31 - 1, 1)])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(width: int, height: int) -> None:
    # Once decoded it would be refused for its missing rows, with another code.
    assert refused(png(width, height, bytes(1000))) is ErrorCode.TOO_LARGE
    assert refused(png(100, 100, bytes(1000))) is ErrorCode.UNSUPPORTED_MEDIA


def test_limits_are_the_callers() -> None:
    data = saved(rgb(), "PNG")
    assert refused(data, max_bytes=len(data) - 1) is ErrorCode.TOO_LARGE
    assert refused(data, max_pixels=512 * 512 - 1) is ErrorCode.TOO_LARGE
    assert decode_picture(data, max_bytes=len(data), max_pixels=512 * 512).shape == (512, 512, 3)


@pytest.mark.parametrize(
    "data",
    [b"", b"\xff\xd8\xff", b"this is a text file named .jpg\n" * 100, b"<svg/>", b"GIF89a" * 99],
)
def test_what_is_no_picture_is_refused_whatever_it_is_called(data: bytes) -> None:
    assert refused(data) is ErrorCode.UNSUPPORTED_MEDIA


def test_kinds_that_nobody_photographs_in_are_refused() -> None:
    for kind in ("GIF", "BMP", "TIFF"):
        assert refused(saved(rgb(), kind)) is ErrorCode.UNSUPPORTED_MEDIA


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.6, 0.95])
def test_a_cut_picture_is_refused(kind: str, part: float) -> None:
    data = saved(rgb(), kind)
    assert refused(data[: int(len(data) * part)]) is ErrorCode.UNSUPPORTED_MEDIA


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow on damaged EXIF
def test_damage_is_an_image_error_or_a_picture_and_nothing_else() -> None:
    rng = random.Random(7)
    small = rgb().resize((64, 64))
    exif = Pillow.Exif()
    exif[0x0112] = 6
    for kind in ("JPEG", "PNG", "WEBP"):
        whole = saved(small, kind, exif)
        for _ in range(400):
            data = bytearray(whole)
            for _ in range(rng.randint(1, 8)):
                data[rng.randrange(len(data))] = rng.randrange(256)
            try:
                image = decode_picture(bytes(data))
            except ImageError:
                continue
            assert image.ndim == 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_is_turned_upright_as_its_camera_noted(orientation: int) -> None:
    upright = rgb().crop((100, 0, 400, 200))
    undo = {
        1: None, 2: Pillow.Transpose.FLIP_LEFT_RIGHT, 3: Pillow.Transpose.ROTATE_180,
        4: Pillow.Transpose.FLIP_TOP_BOTTOM, 5: Pillow.Transpose.TRANSPOSE,
        6: Pillow.Transpose.ROTATE_90, 7: Pillow.Transpose.TRANSVERSE,
        8: Pillow.Transpose.ROTATE_270,
    }[orientation]  # fmt: skip
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    stored = upright if undo is None else upright.transpose(undo)
    image = decode_picture(saved(stored, "PNG", exif))
    assert np.array_equal(image[:, :, ::-1], np.asarray(upright))


def test_every_color_mode_becomes_bgr() -> None:
    gray = rgb().convert("L")
    for mode in ("L", "1", "P", "RGBA", "LA"):
        assert decode_picture(saved(rgb().convert(mode), "PNG")).shape == (512, 512, 3)
    assert decode_picture(saved(rgb().convert("CMYK"), "JPEG")).shape == (512, 512, 3)
    deep = Pillow.fromarray(np.asarray(gray).astype(np.uint16) * 257)
    image = decode_picture(saved(deep, "PNG"))
    assert np.array_equal(image[:, :, 1], np.asarray(gray))


def test_a_photograph_of_a_camera_is_read() -> None:
    path = packaged("matplotlib", "mpl-data/sample_data/grace_hopper.jpg")
    assert decode_picture(path.read_bytes()).shape == (600, 512, 3)


def test_a_picture_is_written_as_jpeg() -> None:
    data = encode_jpeg(astronaut())
    assert data[:3] == b"\xff\xd8\xff"
    assert np.abs(decode_picture(data).astype(int) - astronaut()).mean() < 4
    assert len(encode_jpeg(astronaut(), quality=30)) < len(data)
    # OpenCV reads it too, as browsers do.
    assert cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) is not None


def test_an_empty_picture_cannot_be_written() -> None:
    with pytest.raises(ImageError):
        encode_jpeg(np.zeros((0, 0, 3), np.uint8))
