"""A head that turns passes; a picture of it does not, however it is moved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import av
import cv2
import numpy as np
from numpy.typing import NDArray
import pytest

from facegate.domain import Image, LivenessEvidence
from facegate.face.liveness import LIMIT, assess
from facegate.face.relief import Relief
from facegate.face.track import Sighting, Tracker
from facegate.verdicts import Outcome

from .real import canvas, carphone, detector, enlarged, face_at, frame_of, one_face

FPS = 15


def seen(images: Iterable[Image]) -> LivenessEvidence:
    """Detect and track the face of each picture, 15 a second, and judge the track."""
    tracker = Tracker("cam")
    for index, image in enumerate(images):
        update = tracker.update(frame_of(image, index, index / FPS), detector().detect(image)[:1])
    (track,) = update.live
    assert track.id == "cam-1"
    return assess(track.sightings)


def noisy(image: Image, noise: NDArray[np.float32], step: int) -> Image:
    """A picture with a sensor's noise, another part of it each time."""
    x, y = 37 * step % 80, 23 * step % 80
    part = noise[y : y + image.shape[0], x : x + image.shape[1]]
    return np.clip(image + part, 0, 255).astype(np.uint8)


def composed(pictures: Iterable[Image], scale: float, growth: float = 0.0) -> Iterator[Image]:
    """Pictures in a camera's frames, each ``growth`` larger than the last."""
    noise = np.random.default_rng(1).normal(0, 3, (800, 1360, 3)).astype(np.float32)
    for step, picture in enumerate(pictures):
        image = canvas(1280, 720, (enlarged(picture, scale + growth * step), 300, 100))
        yield noisy(image, noise, step)


def held_up(picture: Image, seconds: float, *, turn: float, shake: float) -> Iterator[Image]:
    """A print of a picture, turned to and fro by ``turn`` degrees in true perspective."""
    noise = np.random.default_rng(5).normal(0, 3, (800, 1360, 3)).astype(np.float32)
    height, width = picture.shape[:2]
    focal, away = 900.0, 900.0
    plane = np.array([[1, 0, -width / 2], [0, 1, -height / 2], [0, 0, 1]], np.float64)
    camera = np.array([[focal, 0, 640], [0, focal, 360], [0, 0, 1]])
    for step in range(int(seconds * FPS)):
        phase = 2 * np.pi * step / FPS * 0.6
        yaw, pitch = np.radians(turn) * np.array([np.sin(phase), 0.6 * np.sin(1.3 * phase + 1)])
        rotation, _ = cv2.Rodrigues(np.array([pitch, yaw, 0.1 * np.sin(0.7 * phase)]))
        place = [shake * np.sin(1.7 * phase), shake * np.cos(phase), away + 4 * shake]
        pose = np.column_stack([rotation[:, 0], rotation[:, 1], place])
        image = cv2.warpPerspective(picture, camera @ pose @ plane, (1280, 720))
        yield noisy(np.asarray(image, np.uint8), noise, step)


def test_a_living_face_passes() -> None:
    assert seen(carphone()[24:90:2]).outcome is Outcome.PASS


@pytest.mark.parametrize("scale", [0.6, 1.0])
def test_a_living_face_passes_in_a_cameras_frame_within_a_second(scale: float) -> None:
    evidence = seen(composed(carphone()[24:54:2], scale))
    assert evidence.outcome is Outcome.PASS
    assert evidence.measured > evidence.limit == LIMIT


@pytest.mark.parametrize("still", [0, 40])
def test_a_photograph_turned_before_the_camera_is_seen_to_be_flat(still: int) -> None:
    evidence = seen(held_up(carphone()[still], 3, turn=35, shake=5))
    assert evidence.outcome is Outcome.FAIL
    assert evidence.measured < 0.8 * LIMIT


@pytest.mark.parametrize(("turn", "shake"), [(0, 0), (3, 10), (12, 40)])
def test_a_photograph_held_up_never_passes(turn: float, shake: float) -> None:
    evidence = seen(held_up(carphone()[60], 2.5, turn=turn, shake=shake))
    assert evidence.outcome is not Outcome.PASS
    assert evidence.measured < 0.8 * LIMIT


def test_a_photograph_that_comes_nearer_does_not_pass() -> None:
    evidence = seen(composed([carphone()[0]] * 30, 0.5, growth=0.018))
    assert evidence.outcome is Outcome.UNAVAILABLE


def test_real_people_pass_in_most_clips(shared: Path) -> None:
    clips = sorted((shared / "fixtures" / "videos").glob("asl_*.mkv"))
    passed = 0
    for clip in clips:
        with av.open(str(clip)) as video:
            frames = [frame.to_ndarray(format="bgr24") for frame in video.decode(video=0)]
        tracker = Tracker("cam")
        outcomes = set()
        for index, image in enumerate(np.asarray(frame, np.uint8) for frame in frames[::2]):
            update = tracker.update(frame_of(image, index, index / FPS), detector().detect(image))
            outcomes |= {assess(track.sightings).outcome for track in update.live}
        passed += Outcome.PASS in outcomes
    assert len(clips) == 8
    assert passed >= 6


def test_no_photograph_of_anyone_passes(shared: Path) -> None:
    for path in sorted((shared / "fixtures" / "london").glob("*/smiling.jpg"))[:5]:
        picture = np.asarray(cv2.imread(str(path)), np.uint8)
        assert one_face(picture).box.height > 100
        evidence = seen(held_up(picture, 1.5, turn=20, shake=15))
        assert evidence.outcome is not Outcome.PASS, path


# --- the reading of measurements --------------------------------------------------------------


def sightings(*reliefs: Relief | None, begin: float = 0.0) -> list[Sighting]:
    landmarks = face_at(0, 0).landmarks
    return [
        Sighting(begin + index / FPS, landmarks, 100, relief)
        for index, relief in enumerate(reliefs)
    ]


def relief(
    x: float = 0.0,
    y: float = 0.0,
    *,
    reference: float = 0.0,
    error: float = 0.01,
    strain: float = 0.0,
) -> Relief:
    return Relief(reference, (x, y), (error, error), 0.95, strain)


def outcome(*reliefs: Relief | None, begin: float = 0.0) -> Outcome:
    return assess(sightings(*reliefs, begin=begin)).outcome


def test_nothing_seen_tells_nothing() -> None:
    assert assess([]) == LivenessEvidence(Outcome.UNAVAILABLE, 0.0, LIMIT)
    assert outcome(None, None, None, None) is Outcome.UNAVAILABLE
    assert outcome(*[relief(0.01)] * 9) is Outcome.UNAVAILABLE


def test_three_readings_that_agree_pass_and_two_do_not() -> None:
    assert outcome(*[relief(0.12)] * 3) is Outcome.PASS
    assert outcome(*[relief(0, -0.12)] * 3) is Outcome.PASS
    assert outcome(*[relief(0.12)] * 2) is Outcome.UNAVAILABLE


def test_a_single_wild_reading_is_outvoted() -> None:
    assert outcome(relief(0.01), relief(0.4), relief(0.01)) is Outcome.UNAVAILABLE


def test_what_is_measured_badly_is_worth_less() -> None:
    assert outcome(*[relief(0.12, error=0.03)] * 9) is Outcome.UNAVAILABLE
    assert outcome(*[relief(0.6)] * 9) is Outcome.UNAVAILABLE


def test_readings_against_different_references_are_not_mixed() -> None:
    mixed = (relief(0.12, reference=index / FPS) for index in range(9))
    assert outcome(*mixed) is Outcome.UNAVAILABLE


def test_readings_far_apart_in_time_are_not_one_reading() -> None:
    sparse = [relief(0.12) if index % 6 == 0 else None for index in range(30)]
    assert outcome(*sparse) is Outcome.UNAVAILABLE


def test_a_reference_from_before_what_is_vouched_for_does_not_count() -> None:
    assert outcome(*[relief(0.12, reference=1.9)] * 9, begin=2.0) is Outcome.UNAVAILABLE
    assert outcome(*[relief(0.12, reference=2.0)] * 9, begin=2.0) is Outcome.PASS


def test_a_surface_stretched_without_relief_is_flat() -> None:
    assert outcome(*[relief(0.01, strain=0.12)] * 3) is Outcome.FAIL
    assert outcome(*[relief(0.06, strain=0.12)] * 3) is Outcome.UNAVAILABLE
    # Relief seen at any time outweighs it: a head may look away and back.
    both = [relief(0.01, strain=0.12)] * 3 + [relief(0.12)] * 3
    assert outcome(*both) is Outcome.PASS
