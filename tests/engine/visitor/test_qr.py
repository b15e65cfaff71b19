"""A code on a phone before a door's camera is read from what the camera's H.264 leaves of it."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from facegate.camera.clip import ClipCamera
from facegate.clock import SystemClock
from facegate.domain import Image
from facegate.face.picture import decode_picture
from facegate.record.vault import Vault
from facegate.visitor.code import make_code
from facegate.visitor.qr import find_code, qr_png
from tests.engine.clips import write_clip
from tests.engine.face.real import carphone

CODE, _ = make_code("0123456789abcdef" * 2, Vault(bytes(range(32))))


def screen(text: str = CODE) -> Image:
    """Return a phone that shows a code: a dark rim, a white page, the code on it."""
    code = decode_picture(qr_png(text))
    page = cv2.copyMakeBorder(code, 160, 160, 0, 0, cv2.BORDER_CONSTANT, value=(250, 250, 250))
    rim = cv2.copyMakeBorder(page, 40, 40, 16, 16, cv2.BORDER_CONSTANT, value=(20, 20, 20))
    return np.asarray(rim, np.uint8)


def held(scene: Image, phone: Image, width: float, *, angle: float = 0, blur: float = 0) -> Image:
    """Return a scene with a phone of this width in pixels held into it, at an angle in degrees."""
    height, breadth = scene.shape[:2]
    small = width / phone.shape[1]
    method = cv2.INTER_AREA
    phone = np.asarray(cv2.resize(phone, None, fx=small, fy=small, interpolation=method), np.uint8)
    center = (phone.shape[1] / 2, phone.shape[0] / 2)
    shift = [[0, 0, breadth / 2 - center[0]], [0, 0, height / 2 - center[1]]]
    turn = np.add(cv2.getRotationMatrix2D(center, angle, 1), shift)
    size = (breadth, height)
    turned = cv2.warpAffine(phone, turn, size, flags=cv2.INTER_CUBIC)
    covers = cv2.warpAffine(np.full(phone.shape[:2], 255, np.uint8), turn, size) > 127
    picture = scene.copy()
    picture[covers] = turned[covers]
    if blur:
        picture = np.asarray(cv2.GaussianBlur(picture, (0, 0), blur), np.uint8)
    return picture


def hall(width: int, height: int) -> Image:
    """Return a real picture of a person, as large as the camera's."""
    return np.asarray(cv2.resize(carphone()[0], (width, height)), np.uint8)


async def seen(path: Path, pictures: list[Image]) -> list[str | None]:
    """Return what is read in each frame of a camera that plays these pictures as H.264."""
    camera = ClipCamera(
        "porch", write_clip(path / "phone.mp4", pictures), SystemClock(), paced=False, loop=False
    )
    texts = [find_code(frame.image) async for frame in camera.frames()]
    await camera.close()
    return texts


@pytest.mark.parametrize(
    ("size", "phone"),
    [((640, 360), 190), ((640, 360), 260), ((1280, 720), 300), ((1920, 1080), 450)],
    ids=str,
)
async def test_a_code_on_a_phone_is_read_by_the_camera(
    tmp_path: Path, size: tuple[int, int], phone: float
) -> None:
    pictures = [
        held(hall(*size), screen(), phone, angle=angle, blur=0.7) for angle in (-8, -3, 0, 4, 9)
    ]
    texts = await seen(tmp_path, pictures)
    assert len(texts) == 5
    assert set(texts) <= {CODE, None}
    assert texts.count(CODE) >= 3


async def test_where_nobody_shows_a_code_none_is_read(tmp_path: Path) -> None:
    assert await seen(tmp_path, [hall(640, 360)] * 3) == [None] * 3


def test_another_code_in_the_picture_is_passed_over() -> None:
    poster, code = (held(hall(640, 480), screen(text), 250) for text in ("A poster", CODE))
    both = np.asarray(np.hstack([poster, code]), np.uint8)
    assert find_code(poster) is None
    assert find_code(both) == CODE


def test_only_what_may_be_the_code_of_a_pass_is_taken_for_one() -> None:
    def read(text: str) -> str | None:
        return find_code(decode_picture(qr_png(text)))

    longest = "FG1." + "A" * 508
    assert [read(text) for text in ("FG1.A", longest)] == ["FG1.A", longest]
    strange = ("FG1.gr\u00fc\u00dfe", longest + "A", "FG10.A", "xFG1.A", "fg1.A")
    assert [read(text) for text in strange] == [None] * 5


@pytest.mark.parametrize("shape", [(1, 1), (2, 900), (900, 2)])
def test_a_picture_of_an_odd_shape_holds_no_code(shape: tuple[int, int]) -> None:
    assert find_code(np.zeros((*shape, 3), np.uint8)) is None


def test_the_picture_of_a_code_is_a_png_with_a_quiet_zone_of_four_modules() -> None:
    picture = decode_picture(qr_png(CODE))[..., 0]
    dark = np.argwhere(picture < 128)
    assert picture.shape[0] == picture.shape[1] == 45 * 8
    assert dark.min() == 4 * 8
    assert dark.max() == 41 * 8 - 1
