"""Quality: what is measured of real faces, and what is wrong with spoiled ones."""

from __future__ import annotations

import csv
from dataclasses import replace
import math
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
import pytest

from facegate.domain import Box, Detection, Image
from facegate.errors import ImageError
from facegate.face.align import align
from facegate.face.picture import decode_picture
from facegate.face.quality import Component, Quality, components, measure, pose, weight
from facegate.face.shortcomings import require_good, shortcomings
from facegate.protocol import ErrorCode
from tests.engine.face.real import astronaut, carphone, enlarged, hopper, one_face

# Eyes, nose tip and mouth corners of a head: right, down, away from the camera, in millimeters.
HEAD = np.array([[-32, -33, 27], [32, -33, 27], [0, 0, 0], [-26, 32, 23], [26, 32, 23]])
BLINKS = (42, 92, 112)  # frames of the clip whose eyes are shut


def of(image: Image) -> Quality:
    return measure(image, one_face(image))


def refused(quality: Quality) -> set[Component]:
    return {each.component for each in shortcomings(quality) if each.refuses}


def advised(quality: Quality) -> set[Component]:
    return {each.component for each in shortcomings(quality) if not each.refuses}


def lit(image: Image, gain: float, lift: float = 0) -> Image:
    return np.clip(image.astype(np.float32) * gain + lift, 0, 255).astype(np.uint8)


def turned(yaw: float, pitch: float, roll: float) -> Detection:
    """A head seen from afar: turned to the picture's right, then nodded down, then leaned."""
    y, p, r = (math.radians(angle) for angle in (yaw, pitch, roll))
    about_down = [[math.cos(y), 0, -math.sin(y)], [0, 1, 0], [math.sin(y), 0, math.cos(y)]]
    about_right = [[1, 0, 0], [0, math.cos(p), -math.sin(p)], [0, math.sin(p), math.cos(p)]]
    about_away = [[math.cos(r), -math.sin(r), 0], [math.sin(r), math.cos(r), 0], [0, 0, 1]]
    rotation: NDArray[np.float64] = np.array(about_away) @ np.array(about_right) @ about_down
    points = (HEAD @ rotation.T)[:, :2] * 1.5 + 200
    return Detection(Box(100, 100, 200, 200), points.astype(np.float32), 0.9)


@pytest.mark.parametrize("image", [astronaut(), hopper(), carphone()[0]])
def test_a_good_photo_has_no_shortcoming_and_full_weight(image: Image) -> None:
    quality = of(image)
    assert shortcomings(quality) == ()
    assert require_good(quality) == ()
    assert weight(quality) > 0.9
    assert all(0 <= value <= 1 for value in components(quality).values())


@pytest.mark.parametrize(
    ("spoiled", "component"),
    [
        (cv2.GaussianBlur(astronaut(), (0, 0), 5), Component.SHARPNESS),
        (enlarged(enlarged(astronaut(), 0.1), 10), Component.SHARPNESS),
        (lit(hopper(), 0.2), Component.UNDER_EXPOSURE),
        (lit(astronaut(), 1.6, 40), Component.OVER_EXPOSURE),
        (lit(astronaut(), 0.12, 110), Component.DYNAMIC_RANGE),
        (astronaut()[105:], Component.CROP),
        (astronaut()[:, 215:], Component.CROP),
    ],
)
def test_a_spoiled_photo_is_refused_for_what_spoiled_it(
    spoiled: np.ndarray[tuple[int, ...], np.dtype[np.uint8]], component: Component
) -> None:
    quality = of(spoiled)
    assert component in refused(quality)
    assert weight(quality) < weight(of(astronaut()))
    with pytest.raises(ImageError, match=str(component)) as caught:
        require_good(quality)
    assert caught.value.code is ErrorCode.LOW_QUALITY


def test_a_small_face_is_kept_with_the_advice_to_come_closer() -> None:
    quality = of(enlarged(astronaut(), 0.8))
    assert refused(quality) == set()
    assert advised(quality) == {Component.HEAD_SIZE}
    (advice,) = require_good(quality)
    assert "come closer" in advice.message
    assert advice.measured == quality.head_size < advice.limit


def test_a_worn_mask_is_refused_only_where_it_is_certain() -> None:
    quality = of(hopper())
    assert quality.mask is None
    assert Component.MOUTH_OCCLUSION not in components(quality)
    assert refused(replace(quality, mask=0.9)) == {Component.MOUTH_OCCLUSION}
    assert advised(replace(quality, mask=0.6)) == {Component.MOUTH_OCCLUSION}
    assert shortcomings(replace(quality, mask=0.1)) == ()


@pytest.mark.parametrize(
    ("yaw", "pitch", "roll"),
    [(0, 0, 0), (30, 0, 0), (-50, 0, 0), (0, 15, 0), (0, -15, 0), (0, 0, 25), (20, 10, -12)],
)
def test_the_pose_of_a_head_is_found_from_five_points(
    yaw: float, pitch: float, roll: float
) -> None:
    straight = pose(turned(0, 0, 0))
    found = pose(turned(yaw, pitch, roll))
    assert found[0] == pytest.approx(yaw, abs=4)
    assert found[1] - straight[1] == pytest.approx(pitch, abs=4)
    assert found[2] == pytest.approx(roll, abs=4)


def test_a_face_turned_far_to_the_side_is_refused_and_says_little() -> None:
    image = astronaut()
    quality = measure(image, turned(55, 0, 0), crop=align(image, one_face(image).landmarks))
    assert Component.YAW in refused(quality)
    assert weight(quality) < 0.4


def test_a_face_without_extent_is_measured_all_the_same() -> None:
    nowhere = Detection(Box(5, 5, 0, 0), np.full((5, 2), 5, np.float32), 0.9)
    quality = measure(astronaut(), nowhere)
    assert all(math.isfinite(value) for value in components(quality).values())
    assert weight(quality) == 0


def test_shut_eyes_measure_less_than_the_clip_does_usually() -> None:
    opened = [of(image).eyes_open for image in carphone()]
    usual = float(np.median(opened))
    assert all(opened[index] < 0.8 * usual for index in BLINKS)
    assert np.mean(np.array(opened) < 0.8 * usual) < 0.2


def test_the_aligned_crop_that_was_made_already_gives_the_same() -> None:
    image = hopper()
    face = one_face(image)
    assert measure(image, face, crop=align(image, face.landmarks)) == measure(image, face)


def pictures(shared: Path, name: str) -> list[Image]:
    """The pictures of a labeled folder that show one person."""
    folder = shared / "fixtures" / name
    with (folder / "labels.csv").open(encoding="utf-8", newline="") as file:
        paths = [r["path"] for r in csv.DictReader(file) if not r["label"].startswith("MULTI:")]
    return [decode_picture((folder / path).read_bytes()) for path in paths]


@pytest.mark.parametrize(
    ("name", "most_refused"), [("london", 0), ("azure_adults", 0), ("lisa_zoom", 0), ("lfw10", 4)]
)
def test_good_photos_of_many_people_are_not_refused(
    shared: Path, name: str, most_refused: int
) -> None:
    found = [refused(of(image)) for image in pictures(shared, name)]
    assert sum(map(bool, found)) <= most_refused
    assert set().union(*found) <= {Component.YAW}


def test_the_same_photos_are_refused_once_they_are_blurred(shared: Path) -> None:
    for image in pictures(shared, "lfw10")[::5]:
        face = one_face(image)
        blurred = cv2.GaussianBlur(align(image, face.landmarks), (0, 0), 2)
        assert Component.SHARPNESS in refused(measure(image, face, crop=np.asarray(blurred)))


def test_faces_from_the_side_are_named(shared: Path) -> None:
    folder = shared / "fixtures/lfw10"
    for name in ("George_W_Bush/George_W_Bush_0004", "Donald_Rumsfeld/Donald_Rumsfeld_0005"):
        quality = of(decode_picture((folder / f"{name}.jpg").read_bytes()))
        assert refused(quality) == {Component.YAW}
        assert weight(quality) < 0.6
