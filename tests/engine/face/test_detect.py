"""Faces are found in the frame's own pixels, whatever its shape."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from .real import astronaut, canvas, carphone, centres, detector, enlarged, hopper

# Looked up in the picture itself: eyes, nose, mouth corners.
ASTRONAUT = np.array([[204, 101], [247, 103], [224, 126], [204, 141], [242, 142]])


def test_the_five_landmarks_lie_on_eyes_nose_and_mouth() -> None:
    (face,) = detector().detect(astronaut())
    assert np.abs(face.landmarks - ASTRONAUT).max() < 6
    assert face.landmarks.dtype == np.float32
    assert 0.7 <= face.score <= 1


def test_several_faces_are_given_the_largest_first() -> None:
    image = canvas(
        1280, 720, (astronaut()[:300, 80:380], 40, 60), (enlarged(hopper(), 0.5), 700, 200)
    )
    faces = detector().detect(image)
    assert len(faces) == 2
    sizes = [face.box.width * face.box.height for face in faces]
    assert sizes == sorted(sizes, reverse=True)
    assert sorted(x > 640 for x, _ in centres(faces)) == [False, True]


def test_a_picture_without_faces_gives_none() -> None:
    noise = np.random.default_rng(1).integers(0, 255, (480, 640, 3), np.uint8)
    for image in (np.zeros((720, 1280, 3), np.uint8), noise, canvas(1, 1), canvas(31, 700)):
        assert detector().detect(image) == ()


@pytest.mark.parametrize(
    ("width", "height"), [(1920, 1080), (1080, 1920), (1281, 723), (640, 480), (600, 600)]
)
def test_places_are_told_in_pixels_of_the_frame(width: int, height: int) -> None:
    image = canvas(width, height, (astronaut()[:400, 50:450], width - 400, height - 400))
    (face,) = detector().detect(image)
    moved = ASTRONAUT - [50, 0] + [width - 400, height - 400]
    assert np.abs(face.landmarks - moved).max() < 8


def test_a_small_picture_of_a_face_is_enough() -> None:
    small = cv2.resize(astronaut()[40:190, 150:300], (112, 112), interpolation=cv2.INTER_AREA)
    (face,) = detector().detect(np.asarray(small, np.uint8))
    assert np.abs(face.landmarks - (ASTRONAUT - [150, 40]) * 112 / 150).max() < 6


def test_a_face_that_fills_a_large_picture_is_found() -> None:
    (face,) = detector().detect(enlarged(astronaut()[30:200, 140:310], 8))
    assert face.box.height > 900


def test_a_moving_face_is_found_in_every_frame() -> None:
    assert all(len(detector().detect(frame)) == 1 for frame in carphone()[::6])


def test_one_face_gives_one_detection_and_not_a_heap() -> None:
    for scale in (0.7, 1.0, 1.6):
        assert len(detector().detect(enlarged(hopper(), scale))) == 1
