"""Conditions on a real face: what they change, and that the engine still finds it where it is."""

from __future__ import annotations

import numpy as np
import pytest

from facegate.evaluation.conditions import Condition, view_of
from facegate.face.align import align
from tests.engine.face.real import astronaut, detector, one_face

HEIGHTS = [condition for condition in Condition if condition.height is not None]


@pytest.mark.parametrize("condition", HEIGHTS)
def test_a_face_is_shown_at_the_height_that_is_asked_for(condition: Condition) -> None:
    image = astronaut()
    face = one_face(image)
    view = view_of(image, face, condition)
    if condition.height is not None and face.box.height < condition.height:
        assert view is None
        return
    assert view is not None
    found = detector().detect(view.image)[0].box
    assert found.height == pytest.approx(condition.height, rel=0.15)
    center = (found.x + found.width / 2, found.y + found.height / 2)
    assert np.hypot(*np.subtract(center, view.center)) < 0.2 * view.height


def test_nothing_is_enlarged() -> None:
    image = astronaut()
    small = view_of(image, one_face(image), Condition.HEIGHT_64)
    assert small is not None
    face = detector().detect(small.image)[0]
    assert view_of(small.image, face, Condition.HEIGHT_96) is None
    dark = view_of(small.image, face, Condition.DARK)
    assert dark is not None
    assert dark.image.shape == small.image.shape


@pytest.mark.parametrize("condition", [Condition.DARK, Condition.BLUR, Condition.MASK])
def test_the_same_picture_gives_the_same_view(condition: Condition) -> None:
    image = astronaut()
    first, second = (view_of(image, one_face(image), condition) for _ in range(2))
    assert first is not None
    assert second is not None
    assert np.array_equal(first.image, second.image)


def crop_under(condition: Condition) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """The aligned crop, in values of 0..255, at landmarks of the picture as it is."""
    image = astronaut()
    face = one_face(image)
    view = view_of(image, face, condition)
    assert view is not None
    scale = view.image.shape[1] / image.shape[1]
    return align(view.image, face.landmarks * np.float32(scale)).astype(np.float64)


def test_darkness_takes_four_stops_of_light() -> None:
    given, dark = crop_under(Condition.HEIGHT_96), crop_under(Condition.DARK)
    # (1 / 16) ** (1 / 2.2) of the display values.
    assert dark.mean() / given.mean() == pytest.approx(0.2836, abs=0.02)


def test_blur_takes_the_edges() -> None:
    def edges(condition: Condition) -> float:
        return float(np.abs(np.diff(crop_under(condition), axis=1)).mean())

    assert edges(Condition.BLUR) < 0.75 * edges(Condition.HEIGHT_96)


def test_a_mask_covers_mouth_and_nose_and_leaves_the_eyes() -> None:
    changed = np.abs(crop_under(Condition.MASK) - crop_under(Condition.HEIGHT_96)).mean(axis=2)
    assert changed[80:108, 40:72].mean() > 30
    assert changed[40:56, 30:82].mean() < 5
