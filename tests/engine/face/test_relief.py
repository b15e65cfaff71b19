"""The relief meter sees noses that shift, and nothing in pictures of noses."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray
import pytest

from facegate.domain import Detection, Image
from facegate.face.relief import Relief, ReliefMeter, cut_patch

from .real import astronaut, canvas, enlarged, hopper, one_face

EYES = 47.0  # the astronaut's eye distance in pixels


def bent(amount: float) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """A print bent about its vertical axis and turned: a shift that grows with the square."""
    row, column = np.mgrid[0:512, 0:512].astype(np.float32)
    return column + amount * ((column - 224) / EYES) ** 2, row


def with_nose_shifted(x: float, y: float) -> Image:
    """The astronaut with nose and eye sockets shifted by eye distances, as a turn would."""
    row, column = np.mgrid[0:512, 0:512].astype(np.float32)

    def hill(at_x: float, at_y: float, width: float, height: float) -> NDArray[np.float32]:
        return np.asarray(
            np.exp(-(((column - at_x) / width) ** 2) / 2 - (((row - at_y) / height) ** 2) / 2),
            np.float32,
        )

    relief = hill(224, 123, 8, 8) - 0.3 * hill(201, 102, 9, 9) - 0.3 * hill(247, 103, 9, 9)
    return remapped(column - x * EYES * relief, row - y * EYES * relief)


def remapped(x: NDArray[np.float32], y: NDArray[np.float32]) -> Image:
    return np.asarray(cv2.remap(astronaut(), x, y, cv2.INTER_LINEAR), np.uint8)


def tilted(yaw: float, pitch: float) -> Image:
    """The astronaut's photograph, turned in true perspective half a metre before a lens."""
    focal, away = 800.0, 800.0
    yaw, pitch = np.radians(yaw), np.radians(pitch)
    turn_yaw = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    turn_pitch = np.array(
        [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    )
    turn = turn_pitch @ turn_yaw
    plane = np.array([[1, 0, -224], [0, 1, -123], [0, 0, 1]], np.float64)
    camera = np.array([[focal, 0, 256], [0, focal, 256], [0, 0, 1]])
    pose = np.column_stack([turn[:, 0], turn[:, 1], [0, 0, away]])
    return np.asarray(cv2.warpPerspective(astronaut(), camera @ pose @ plane, (512, 512)), np.uint8)


def measure(reference: Image, view: Image) -> Relief | None:
    """The relief of a view, the face having been there for a moment already."""
    meter = ReliefMeter()
    assert meter.measure(reference, one_face(reference), 0.0) is None
    assert meter.measure(reference, one_face(reference), 0.1) is None
    # The view is a later one; in between the face may have moved at leisure.
    meter.measure(view, one_face(view), 0.6)
    return meter.measure(view, one_face(view), 0.7)


@pytest.mark.parametrize(("x", "y"), [(0.12, 0.0), (-0.12, 0.0), (0.0, 0.12), (0.08, -0.08)])
def test_a_nose_that_shifts_is_measured_with_its_direction(x: float, y: float) -> None:
    relief = measure(astronaut(), with_nose_shifted(x, y))
    assert relief is not None
    assert np.abs(np.array(relief.shift) - (x, y)).max() < 0.045
    assert np.hypot(*relief.shift) > 4 * max(relief.error)


@pytest.mark.parametrize(("yaw", "pitch"), [(15, 0), (-30, 0), (0, 25), (25, -25)])
def test_a_turned_photograph_has_no_relief(yaw: float, pitch: float) -> None:
    relief = measure(tilted(0, 0), tilted(yaw, pitch))
    assert relief is not None
    assert relief.likeness > 0.9
    assert np.hypot(*relief.shift) < 0.04


def test_a_photograph_turned_far_is_seen_to_be_stretched() -> None:
    straight, turned = measure(tilted(0, 0), tilted(3, 0)), measure(tilted(0, 0), tilted(35, 0))
    assert straight is not None
    assert turned is not None
    assert straight.strain < 0.03
    assert turned.strain > 0.08


def test_a_bent_photograph_has_no_relief() -> None:
    relief = measure(astronaut(), remapped(*bent(3.0)))
    assert relief is not None
    assert np.hypot(*relief.shift) < 0.04


def test_light_and_contrast_are_not_relief() -> None:
    darker = np.asarray(astronaut() * 0.6 + 12, np.uint8)
    relief = measure(astronaut(), darker)
    assert relief is None or np.hypot(*relief.shift) < 0.02


def test_views_that_do_not_tell_give_nothing() -> None:
    blurred = np.asarray(cv2.GaussianBlur(astronaut(), (0, 0), 3.5), np.uint8)
    assert measure(astronaut(), blurred) is None
    other = hopper()[:512]
    assert measure(astronaut(), other) is None


def test_a_face_that_rushes_past_is_not_measured() -> None:
    meter = ReliefMeter()
    here = canvas(900, 512, (astronaut(), 0, 0))
    there = canvas(900, 512, (astronaut(), 60, 0))
    for step, image in enumerate((here, here, here)):
        meter.measure(image, one_face(image), step / 10)
    # 60 pixels in a tenth of a second are more than two face heights a second.
    assert meter.measure(there, one_face(there), 0.3) is None
    assert meter.measure(there, one_face(there), 0.4) is not None


def test_frames_that_follow_closely_are_measured_at_half_their_rate() -> None:
    meter = ReliefMeter()
    face = one_face(astronaut())
    told = [meter.measure(astronaut(), face, step / 30) is not None for step in range(31)]
    assert 12 <= sum(told) <= 16


def test_small_faces_and_faces_over_the_edge_are_not_cut() -> None:
    assert cut_patch(astronaut(), one_face(astronaut())) is not None
    small = enlarged(astronaut(), 0.4)
    assert cut_patch(small, one_face(small)) is None
    edge = np.ascontiguousarray(astronaut()[:, 215:])
    face = one_face(astronaut())
    moved = Detection(face.box, np.asarray(face.landmarks - (215, 0), np.float32), face.score)
    assert cut_patch(edge, moved) is None


def test_views_that_stay_unlike_become_the_reference() -> None:
    meter = ReliefMeter()
    meter.measure(astronaut(), one_face(astronaut()), 0.0)
    meter.measure(astronaut(), one_face(astronaut()), 0.1)
    image = canvas(512, 512, (hopper()[:512], 0, 0))
    face = one_face(image)
    reliefs = [meter.measure(image, face, 0.6 + step / 10) for step in range(10)]
    assert reliefs[:5] == [None] * 5
    assert reliefs[-1] is not None
    assert reliefs[-1].reference > 0.9
