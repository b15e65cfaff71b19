"""A mask over nose and mouth is told from a bare face."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
import hashlib
from importlib.resources import files
import json
from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import numpy_helper
import pytest

from facegate.domain import Image, MaskClassifier
from facegate.errors import ModelError
from facegate.face.align import SIZE, align
from facegate.face.engine import open_session
from facegate.face.mask import INPUT_SIZE, RESOURCE, MaskNet
from facegate.face.picture import decode_picture

from .real import astronaut, carphone, detector, hopper, one_face

FIGURES = Path(__file__).parents[3] / "training/mask/figures.json"

BLUE, WHITE, BLACK, GREEN = (200, 165, 110), (225, 228, 230), (28, 26, 25), (150, 175, 120)


@lru_cache
def shipped() -> bytes:
    return files("facegate").joinpath(RESOURCE).read_bytes()


@lru_cache
def net() -> MaskNet:
    return MaskNet(open_session(shipped()))


def crop_of(image: Image) -> Image:
    return align(image, one_face(image).landmarks)


def covered(crop: Image, color: tuple[int, int, int], top: int = 60) -> Image:
    """An aligned face with cloth from ``top`` (over the nose: 60) to under the chin."""
    sides = np.array(
        [[16, top + 8], [56, top], [96, top + 8], [90, 98], [72, 111], [40, 111], [22, 98]]
    )
    image = crop.copy()
    cv2.fillPoly(image, [sides.astype(np.int32)], color, cv2.LINE_AA)
    shade = tuple(round(0.8 * value) for value in color)
    for row in range(top + 12, 100, 9):
        cv2.line(image, (26, row), (86, row), shade, 1, cv2.LINE_AA)
    return np.asarray(cv2.GaussianBlur(image, (3, 3), 0), np.uint8)


def seen_at(crop: Image, side: int) -> Image:
    """The crop as of a face that is ``side`` pixels large in the frame."""
    small = cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (SIZE, SIZE), interpolation=cv2.INTER_LINEAR), np.uint8)


def gray(crop: Image) -> Image:
    one = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY)
    return np.asarray(cv2.cvtColor(one, cv2.COLOR_GRAY2BGR), np.uint8)


def test_the_network_is_a_mask_classifier() -> None:
    classifier: MaskClassifier = net()
    assert 0 <= classifier.worn(crop_of(astronaut())) <= 1


@pytest.mark.parametrize("picture", [astronaut, hopper])
def test_a_bare_face_wears_no_mask(picture: Callable[[], Image]) -> None:
    crop = crop_of(picture())
    for seen in (crop, gray(crop), seen_at(crop, 64), seen_at(crop, 40)):
        assert net().worn(seen) < 0.2


def test_a_bare_face_that_moves_and_talks_wears_no_mask_in_any_frame() -> None:
    crops = [align(image, detector().detect(image)[0].landmarks) for image in carphone()[::3]]
    assert max(net().worn(crop) for crop in crops) < 0.5


@pytest.mark.parametrize("color", [BLUE, WHITE, BLACK, GREEN])
@pytest.mark.parametrize("picture", [astronaut, hopper])
def test_a_covered_nose_and_mouth_is_a_mask(
    picture: Callable[[], Image], color: tuple[int, int, int]
) -> None:
    crop = covered(crop_of(picture()), color)
    for seen in (crop, gray(crop), seen_at(crop, 64), seen_at(crop, 40)):
        assert net().worn(seen) > 0.8


@pytest.mark.parametrize("color", [BLUE, WHITE, BLACK])
def test_a_mask_under_the_chin_is_not_worn(color: tuple[int, int, int]) -> None:
    assert net().worn(covered(crop_of(astronaut()), color, top=104)) < 0.5


def pictures(folder: Path) -> Iterator[Image]:
    """The largest faces of a folder's pictures, aligned; a few have none that is found."""
    for path in sorted(folder.iterdir()):
        image = decode_picture(path.read_bytes())
        for face in detector().detect(image)[:1]:
            yield align(image, face.landmarks)


def test_masks_on_pictures_never_trained_on_are_found(shared: Path) -> None:
    worn = [net().worn(crop) for crop in pictures(shared / "fixtures/masks/with_mask")]
    bare = [net().worn(crop) for crop in pictures(shared / "fixtures/masks/without_mask")]
    assert len(worn) >= 25
    assert len(bare) >= 29
    assert sum(score < 0.5 for score in worn) <= 1
    assert sum(score >= 0.5 for score in bare) <= 1


def test_nobody_in_plain_portraits_wears_a_mask(shared: Path) -> None:
    for person in sorted((shared / "fixtures/london").glob("*/"))[:12]:
        for crop in pictures(person):
            assert net().worn(crop) < 0.5, person.name


def test_many_crops_at_once_give_what_each_gives_alone() -> None:
    session = open_session(shipped())
    crops = [crop_of(astronaut()), covered(crop_of(astronaut()), BLUE), crop_of(hopper())]
    size = (INPUT_SIZE, INPUT_SIZE)
    small = [cv2.resize(crop, size, interpolation=cv2.INTER_AREA) for crop in crops]
    batch = np.ascontiguousarray(np.stack(small).transpose(0, 3, 1, 2), np.float32)
    (together,) = session.run(None, {session.get_inputs()[0].name: batch})
    assert np.allclose(together[:, 0], [net().worn(crop) for crop in crops], atol=1e-5)


def test_the_shipped_file_is_the_one_whose_figures_the_card_tells() -> None:
    figures = json.loads(FIGURES.read_text())
    assert hashlib.sha256(shipped()).hexdigest() == figures["sha256"]
    assert len(shipped()) == figures["bytes"] < 300_000
    assert figures["test"]["accuracy"] >= 0.98


def test_a_network_that_gives_no_probability_is_told() -> None:
    proto = onnx.load_model_from_string(shipped())
    for initializer in proto.graph.initializer:
        broken = np.full_like(numpy_helper.to_array(initializer), np.nan)
        initializer.CopyFrom(numpy_helper.from_array(broken, initializer.name))
    damaged = MaskNet(open_session(proto.SerializeToString()))
    with pytest.raises(ModelError, match="no probability"):
        damaged.worn(crop_of(astronaut()))
