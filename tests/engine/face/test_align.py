"""A face comes to the same place however it stands in the picture."""

from __future__ import annotations

import cv2
import numpy as np

from facegate.face.align import SIZE, align, similarity

from .real import astronaut, detector

TEMPLATE = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655],
     [70.7299, 92.2041]]
)  # fmt: skip


def turned(degrees: float, scale: float) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    matrix = cv2.getRotationMatrix2D((256, 256), degrees, scale)
    return np.asarray(matrix, np.float64)


def test_a_crop_whose_landmarks_are_in_place_stays_as_it_is() -> None:
    crop = np.random.default_rng(3).integers(0, 255, (SIZE, SIZE, 3), np.uint8)
    aligned = align(crop, TEMPLATE.astype(np.float32))
    assert aligned.shape == (SIZE, SIZE, 3)
    assert aligned.dtype == np.uint8
    assert np.abs(aligned.astype(int) - crop).max() <= 2


def test_rotation_and_scale_are_taken_out() -> None:
    (face,) = detector().detect(astronaut())
    upright = align(astronaut(), face.landmarks)
    matrix = turned(25, 1.5)
    image = np.asarray(cv2.warpAffine(astronaut(), matrix, (512, 512)), np.uint8)
    landmarks = face.landmarks @ matrix[:, :2].T + matrix[:, 2]
    again = align(image, landmarks.astype(np.float32))
    assert np.abs(upright.astype(float) - again)[20:100, 20:90].mean() < 4


def test_a_known_similarity_is_recovered_exactly() -> None:
    matrix = turned(-140, 0.3)
    target = TEMPLATE @ matrix[:, :2].T + matrix[:, 2]
    assert np.allclose(similarity(TEMPLATE.astype(np.float32), target), matrix, atol=1e-4)


def test_landmarks_that_coincide_give_a_crop_and_no_error() -> None:
    assert align(astronaut(), np.full((5, 2), 100, np.float32)).shape == (SIZE, SIZE, 3)
