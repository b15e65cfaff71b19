"""When a picture is worth a look for faces."""

from __future__ import annotations

from collections.abc import Sequence
import itertools

import numpy as np
import pytest

from facegate.camera.motion import MotionGate
from facegate.camera.pixels import StillPixels
from facegate.domain import Image
from tests.engine.face.real import canvas, frame_of

RATE = 5
NOISE = np.random.default_rng(5)


def noisy(picture: Image, deviation: float = 6.0) -> Image:
    """Return a picture as a camera sees it at night."""
    grain = NOISE.normal(0, deviation, picture.shape)
    return np.clip(picture + grain, 0, 255).astype(np.uint8)


def looks(gate: MotionGate, pictures: Sequence[Image], begin: float = 0.0) -> list[bool]:
    return [
        gate.opens(frame_of(picture, index, begin + index / RATE))
        for index, picture in enumerate(pictures)
    ]


def spot(x: int, y: int) -> Image:
    """A hall in which something of the size of a far head stands."""
    return canvas(640, 360, (np.full((20, 20, 3), 180, np.uint8), x, y))


def test_a_still_scene_is_looked_at_every_two_seconds_only() -> None:
    gate = MotionGate()
    seen = looks(gate, [noisy(canvas(640, 360)) for _ in range(10 * RATE)])
    # One second after the first picture, which is news, and then now and then.
    assert seen[: RATE + 1] == [True] * (RATE + 1)
    assert sum(seen[RATE + 1 :]) == 4
    assert gate.skipped == seen.count(False)


@pytest.mark.parametrize("at", [(0, 0), (317, 171), (620, 340)])
def test_something_as_small_as_a_far_head_is_noticed_anywhere(at: tuple[int, int]) -> None:
    gate = MotionGate()
    looks(gate, [noisy(canvas(640, 360)) for _ in range(3 * RATE)])
    assert looks(gate, [noisy(spot(*at)) for _ in range(RATE)], begin=3.0) == [True] * RATE


def test_who_creeps_is_looked_at_every_two_seconds_all_the_same() -> None:
    gate = MotionGate()
    looks(gate, [canvas(640, 360)] * (3 * RATE))
    # A shadow grows by a step of brightness every four pictures, far under what counts as motion.
    creeping = [np.full((360, 640, 3), 90 + step // 4, np.uint8) for step in range(40 * RATE)]
    assert max(gaps(looks(gate, creeping, begin=3.0))) <= 2 * RATE


def test_what_changes_little_by_little_between_two_looks_adds_up() -> None:
    gate = MotionGate()
    looks(gate, [canvas(640, 360)] * (3 * RATE))
    rising = [np.full((360, 640, 3), 90 + 10 * step, np.uint8) for step in range(4)]
    assert looks(gate, rising, begin=3.0)[-1]


def gaps(looked: list[bool]) -> list[int]:
    """Return after how many pictures each look followed the one before."""
    at = [index for index, look in enumerate(looked) if look]
    return [later - earlier for earlier, later in itertools.pairwise(at)]


def test_a_gate_takes_any_size_of_picture() -> None:
    gate = MotionGate()
    for index, (width, height) in enumerate([(1920, 1080), (320, 240), (64, 48)]):
        picture = np.full((height, width, 3), 60 * index, np.uint8)
        frame = frame_of(picture, index, index / RATE)
        assert gate.opens(frame)
        assert frame.pixels.size == StillPixels(picture).size
