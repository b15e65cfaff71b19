"""Prints and screens told from people by the picture alone."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from demo import backdrop
from facegate.domain import Box, Image, Vector
from facegate.errors import ModelError
from facegate.face.attack import MAX_SPEED, MIN_FACE_PX, AttackDetector, AttackNet, tells
from facegate.face.engine import open_session
from facegate.face.fusion import LEVELS
from facegate.face.picture import decode_picture
from tests.engine.face.real import astronaut, detector, enlarged

SIZE = (1280, 720)
FACE = Box(500, 200, 150, 200)
LEAST = min(limits.turned for limits in LEVELS.values())
MOST = max(limits.alone or 0 for limits in LEVELS.values())


@cache
def attacks(models: Path) -> AttackDetector:
    return AttackDetector(
        [
            AttackNet(open_session(models / "minifasnet_v2.onnx"), 2.7),
            AttackNet(open_session(models / "minifasnet_v1se.onnx"), 4.0),
        ]
    )


def judged(models: Path, picture: Image) -> float:
    return attacks(models).live(picture, detector().detect(picture)[0].box)


def test_a_person_before_a_camera_is_one_and_a_print_and_a_screen_are_not(shared: Path) -> None:
    folder = shared / "fixtures" / "spoof_fullframe"
    for row in (folder / "labels.csv").read_text().splitlines()[1:]:
        name, label, *_ = row.split(",")
        live = judged(shared / "models", decode_picture((folder / name).read_bytes()))
        assert live > MOST if label == "live" else live < LEAST, (name, live)


def test_a_photograph_before_a_wall_is_a_photograph(shared: Path) -> None:
    portrait = enlarged(astronaut()[20:300, 90:370], 0.9)
    scene = np.array(backdrop.paint())
    height, width = portrait.shape[:2]
    scene[180 : 180 + height, 500 : 500 + width] = portrait
    assert judged(shared / "models", scene) < LEAST


def test_a_face_larger_than_its_surroundings_can_still_be_judged(shared: Path) -> None:
    picture = astronaut()[60:190, 160:290]
    assert 0 <= judged(shared / "models", picture) <= 1


@pytest.mark.parametrize(
    "box",
    [
        FACE,
        Box(500, 200, 150, MIN_FACE_PX),
        Box(23, 31, 150, 200),
        Box(1280 - 23 - 150, 720 - 50 - 200, 150, 200),
    ],
)
def test_a_whole_face_that_stands_tells(box: Box) -> None:
    assert tells(box, SIZE, MAX_SPEED)
    assert tells(box, SIZE, 0.0)


@pytest.mark.parametrize(
    ("box", "speed"),
    [
        (FACE, MAX_SPEED * 1.01),
        (FACE, float("inf")),
        (FACE, float("nan")),
        (Box(500, 200, 20, MIN_FACE_PX - 1), 0.0),
        (Box(22, 200, 150, 200), 0.0),
        (Box(500, 29, 150, 200), 0.0),
        (Box(1280 - 22 - 150, 200, 150, 200), 0.0),
        (Box(500, 720 - 49 - 200, 150, 200), 0.0),
        (Box(-20, 200, 150, 200), 0.0),
    ],
)
def test_a_face_that_is_small_fast_or_at_the_edge_does_not_tell(box: Box, speed: float) -> None:
    assert not tells(box, SIZE, speed)


class Broken:
    """A session of a net that gives something else than probabilities."""

    def __init__(self, value: float) -> None:
        self._value = value

    def get_inputs(self) -> list[Broken]:
        return [self]

    name = "input"

    def run(self, _outputs: None, _inputs: object) -> list[Vector]:
        return [np.array([[0.0, self._value, 0.0]], np.float32)]


@pytest.mark.parametrize("value", [float("nan"), 1.2, -3.0])
def test_what_is_no_probability_is_an_error_and_never_a_person(value: float) -> None:
    broken = AttackDetector([AttackNet(Broken(value), 2.7)])
    with pytest.raises(ModelError):
        broken.live(astronaut(), FACE)


def test_a_detector_without_nets_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        AttackDetector([])
