"""Enrollment photos: only a picture of one face, large enough, of a kind that is read."""

from __future__ import annotations

import io
from pathlib import Path
import struct
import zlib

import cv2
from PIL import Image as Pillow
import pytest

from facegate.domain import Image
from tests.engine.api.office import AGAIN
from tests.engine.face.real import astronaut, canvas, enlarged, hopper, packaged
from tests.support import engine

pytestmark = pytest.mark.usefixtures("free_loop")

PNG = packaged("skimage", "data/astronaut.png").read_bytes()
JPEG = packaged("matplotlib", "mpl-data/sample_data/grace_hopper.jpg").read_bytes()


def bomb(side: int) -> bytes:
    """Return a small PNG that claims to be a square of so many pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1 + 3 * side) * 50)
    signature = b"\x89PNG\r\n\x1a\n"
    return signature + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def png(image: Image) -> bytes:
    return cv2.imencode(".png", image)[1].tobytes()


def gif() -> bytes:
    file = io.BytesIO()
    Pillow.new("RGB", (200, 200)).save(file, "GIF")
    return file.getvalue()


@pytest.fixture(scope="module")
def refused() -> list[tuple[bytes, int, str, str]]:
    """Pictures, and status, code and words of their refusal."""
    two = canvas(1640, 1064, (enlarged(astronaut(), 2), 20, 20), (hopper(), 1080, 10))
    return [
        (bomb(20_000), 413, "too_large", "more than 24000000 pixels"),
        (bomb(5_000), 413, "too_large", "at most 24000000 pixels"),
        (b"hello, I am a picture", 415, "unsupported_media", "not a JPEG, PNG or WebP"),
        (b"", 415, "unsupported_media", "not a JPEG, PNG or WebP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "unsupported_media", "not a JPEG"),
        (gif(), 415, "unsupported_media", "not a JPEG, PNG or WebP"),
        (JPEG[:20_000], 415, "unsupported_media", "cut or damaged"),
        (PNG[:100], 415, "unsupported_media", "cut or damaged"),
        (png(canvas(640, 480)), 422, "no_face", "no face was found"),
        (png(two), 422, "several_faces", "2 faces were found"),
        (png(enlarged(astronaut(), 0.4)), 422, "face_too_small", "at least 80"),
    ]


async def test_a_picture_that_cannot_be_used_is_refused_with_the_reason(
    tmp_path: Path, refused: list[tuple[bytes, int, str, str]]
) -> None:
    async with engine({"doors": [{"id": "front"}]}, tmp_path) as site, site.session() as session:
        ann = await site.enroll("Ann", [PNG, AGAIN], ["front"])
        photos, person = f"/api/v1/subjects/{ann}/photos", f"/api/v1/subjects/{ann}"
        for data, status, code, told in refused:
            headers = {"Content-Type": "image/jpeg"}  # whatever a picture claims to be
            async with session.post(photos, data=data, headers=headers) as response:
                error = await response.json()
                assert (response.status, error["code"]) == (status, code), told
                assert told in error["message"]
        async with session.get(person) as response:
            assert (await response.json())["references"] == 2


async def test_a_photo_is_never_written_down(tmp_path: Path) -> None:
    async with engine({"doors": [{"id": "front"}]}, tmp_path / "data") as site:
        await site.enroll("Ann", [JPEG], ["front"])
        files = [path for path in site.data.iterdir() if path.is_file()]
        assert {path.name for path in files} >= {"facegate.db", "token"}
        assert sum(path.stat().st_size for path in files) < len(JPEG) * 8
        for path in files:
            assert JPEG[1000:1100] not in path.read_bytes()
