"""What a door takes for a living face: pictures, motion, and a turn of the head on demand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from demo import backdrop
from facegate.domain import Image
from facegate.protocol import AccessEvent, DoorChanged, Prompt, VerdictView
from tests.engine.clips import RATE, resident
from tests.engine.face.real import carphone
from tests.engine.passage import options, passage

pytestmark = pytest.mark.usefixtures("free_loop")


@pytest.fixture(scope="module")
def live() -> list[Image]:
    """Return three seconds of a head that talks and turns, 15 pictures a second."""
    return resident()


@pytest.fixture(scope="module")
def still(live: list[Image]) -> list[Image]:
    """Return four seconds of somebody who holds the head still: camera noise is all that moves."""
    noise = np.random.default_rng(3)
    picture = live[0].astype(int)
    return [
        np.clip(picture + noise.normal(0, 2, picture.shape), 0, 255).astype(np.uint8)
        for _ in range(4 * RATE)
    ]


@pytest.fixture(scope="module")
def photograph() -> list[Image]:
    """Return three seconds of a photograph on white paper that is held before a wall."""
    wall = backdrop.paint()
    picture = cv2.copyMakeBorder(
        carphone()[40][40:400, 120:420], 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=(235, 238, 240)
    )
    scenes = []
    for moment in range(3 * RATE):
        scene = np.array(wall)
        top, left = 180 + moment % 5, 480 + 2 * (moment % 7)
        scene[top : top + picture.shape[0], left : left + picture.shape[1]] = picture
        scenes.append(scene)
    return scenes


def judged(models: Path | None, **liveness: Any) -> dict[str, Any]:
    chosen = options(controls={"liveness": "required"}, liveness=liveness, visitors=False)
    return chosen if models is None else {**chosen, "models": {"folder": str(models)}}


def verdict(event: AccessEvent) -> VerdictView:
    (found,) = [each for each in event.verdicts if each.control == "liveness"]
    return found


async def test_a_person_who_hardly_moves_passes_by_pictures(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shared: Path, still: list[Image]
) -> None:
    async with passage(monkeypatch, tmp_path, judged(shared / "models")) as front:
        await front.enroll(["front"])
        front.cameras["porch"].rate = RATE
        await front.show(still[:6])
        (event,) = await front.events()
        assert (event.granted, verdict(event).reason) == (True, "ok")
        assert verdict(event).limit == pytest.approx(0.85)


async def test_a_photograph_before_a_wall_passes_at_no_level(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shared: Path, photograph: list[Image]
) -> None:
    async with passage(monkeypatch, tmp_path, judged(shared / "models", level="low")) as front:
        ann = await front.enroll(["front"])
        front.cameras["porch"].rate = RATE
        await front.show(photograph)
        (event,) = await front.events()
        assert (event.granted, event.subject_id) == (False, ann)
        assert event.reason == "looks_like_a_picture"
        assert front.client.pulses == []


async def test_the_highest_level_wants_to_see_the_head_turn_as_well(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    shared: Path,
    still: list[Image],
    live: list[Image],
) -> None:
    async with passage(monkeypatch, tmp_path, judged(shared / "models", level="high")) as front:
        await front.enroll(["front"])
        front.cameras["porch"].rate = RATE
        await front.show(still)
        (denied,) = await front.events()
        assert (denied.granted, denied.reason) == (False, "too_little_motion")
        front.nobody()
        await front.show(live)
        assert [event.granted for event in await front.events()] == [False, True]


async def test_who_is_asked_to_turn_the_head_is_let_in_once_it_was_turned_after_that(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    shared: Path,
    still: list[Image],
    live: list[Image],
) -> None:
    async with passage(monkeypatch, tmp_path, judged(shared / "models", challenge=True)) as front:
        await front.enroll(["front"])
        front.cameras["porch"].rate = RATE
        await front.show(still)
        assert await front.events() == []  # there is more time than without a challenge
        assert shown(front.client.all(DoorChanged)) == [None, Prompt.TURN_YOUR_HEAD]
        await front.show(live)
        (event,) = await front.events()
        assert event.granted
        front.nobody()
        await front.show(live[:1])
        assert shown(front.client.all(DoorChanged)) == [None, Prompt.TURN_YOUR_HEAD, None]


async def test_who_does_not_turn_the_head_when_asked_is_denied(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, shared: Path, still: list[Image]
) -> None:
    async with passage(monkeypatch, tmp_path, judged(shared / "models", challenge=True)) as front:
        await front.enroll(["front"])
        front.cameras["porch"].rate = RATE
        await front.show([*still, *still])
        (event,) = await front.events()
        assert (event.granted, event.reason) == (False, "turn_your_head")


async def test_a_door_that_asks_for_the_models_opens_to_no_face_without_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, live: list[Image]
) -> None:
    async with passage(monkeypatch, tmp_path, judged(None, model=True)) as front:
        await front.enroll(["front"])
        front.cameras["porch"].rate = RATE
        await front.show(live)
        (event,) = await front.events()
        assert (event.granted, event.reason) == (False, "no_liveness_model")
        assert verdict(event).outcome == "unavailable"


def shown(changes: list[DoorChanged]) -> list[Prompt | None]:
    """Return what a display showed, each change once."""
    prompts: list[Prompt | None] = [None]
    for change in changes:
        if change.door.prompt != prompts[-1]:
            prompts.append(change.door.prompt)
    return prompts
