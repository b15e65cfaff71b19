"""Doors differ: what they require, whom their cameras look at, who may pass which way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from facegate.domain import Image
from facegate.protocol import CallOpened, Direction
from tests.engine.clips import RATE
from tests.engine.face.real import carphone
from tests.engine.passage import A_LOOK, A_WAIT, options, passage, residents_scene

SLOW_RATE = 10

pytestmark = pytest.mark.usefixtures("free_loop")


@pytest.fixture(scope="module")
def ann() -> list[Image]:
    return residents_scene()


@pytest.fixture(scope="module")
def live() -> list[Image]:
    """Return two and a half seconds of a head that moves, 15 pictures a second."""
    return list(carphone()[:75:2])


@pytest.fixture(scope="module")
def photograph() -> list[Image]:
    """Return three seconds of a photograph of the same head, tilted and moved by a hand."""
    picture = carphone()[40]
    height, width = picture.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    pictures = []
    for moment in np.linspace(0, 3, 3 * SLOW_RATE):
        tilt, shift = 40 * np.sin(2.1 * moment), 15 * np.sin(1.3 * moment)
        bent = corners + np.array(
            [[tilt, tilt], [-tilt / 2, 0], [0, tilt / 3], [tilt / 2, -tilt]], np.float32
        )
        view = cv2.getPerspectiveTransform(corners, np.asarray(bent + shift, np.float32))
        moved = cv2.warpPerspective(picture, view, (width, height), borderValue=(90, 90, 90))
        pictures.append(np.asarray(moved, np.uint8))
    return pictures


async def test_a_living_head_passes_where_liveness_is_required(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, live: list[Image]
) -> None:
    async with passage(monkeypatch, tmp_path, options(controls={"liveness": "required"})) as front:
        await front.enroll(["front"])
        front.cameras["porch"].rate = RATE
        await front.show(live)
        (event,) = await front.events()
        (liveness,) = [found for found in event.verdicts if found.control == "liveness"]
        assert (event.granted, liveness.outcome, liveness.requirement) == (True, "pass", "required")
        assert liveness.measured is not None
        assert liveness.limit is not None
        assert liveness.measured > liveness.limit


@pytest.mark.parametrize("requirement", ["required", "advisory"])
async def test_a_photograph_passes_only_where_liveness_is_not_required(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, photograph: list[Image], requirement: str
) -> None:
    async with passage(monkeypatch, tmp_path, options(controls={"liveness": requirement})) as front:
        ann = await front.enroll(["front"])
        front.cameras["porch"].rate = SLOW_RATE
        await front.show(photograph)
        (event,) = await front.events()
        assert event.subject_id == ann
        assert event.granted == (requirement != "required")
        (liveness,) = [found for found in event.verdicts if found.control == "liveness"]
        assert liveness.outcome != "pass"
        assert (liveness.control, liveness.requirement) == ("liveness", requirement)
        if requirement == "required":
            assert event.reason in {"flat_motion", "too_little_motion"}
            assert front.client.pulses == []
            assert front.client.all(CallOpened) == []  # a resident's face does not ring


async def test_a_picture_that_does_not_move_passes_nowhere_that_requires_liveness(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ann: list[Image]
) -> None:
    async with passage(monkeypatch, tmp_path, options(controls={"liveness": "required"})) as front:
        await front.enroll(["front"])
        await front.show([ann[0]] * A_WAIT)
        (event,) = await front.events()
        assert (event.granted, event.reason) == (False, "too_little_motion")
        assert front.client.pulses == []


def two_doors(**front: Any) -> dict[str, Any]:
    """Return options of two doors that one camera looks at."""
    chosen = options(**front)
    chosen["doors"].append({**chosen["doors"][0], "id": "side", "visitors": True})
    return chosen


async def test_of_two_doors_before_one_camera_that_opens_which_the_resident_may_pass(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ann: list[Image]
) -> None:
    async with passage(monkeypatch, tmp_path, two_doors()) as both:
        await both.enroll(["side"])
        await both.show(ann[:A_LOOK])
        (event,) = await both.events()
        assert (event.granted, event.door_id) == (True, "side")
        assert [command.door_id for command in both.client.pulses] == ["side"]


async def test_a_resident_of_neither_door_is_denied_at_both(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ann: list[Image]
) -> None:
    async with passage(monkeypatch, tmp_path, two_doors()) as both:
        await both.enroll([])
        await both.show(ann[:A_WAIT])
        events = await both.events()
        assert [(event.door_id, event.reason) for event in events] == [
            ("front", "no_permit"),
            ("side", "no_permit"),
        ]


async def test_a_stranger_rings_where_visitors_are_received(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ann: list[Image]
) -> None:
    async with passage(monkeypatch, tmp_path, two_doors(visitors=False)) as both:
        await both.show(ann[:A_WAIT])
        assert [event.door_id for event in await both.events()] == ["front", "side"]
        assert [ring.call.door_id for ring in both.client.all(CallOpened)] == ["side"]


async def test_a_permit_of_one_direction_does_not_let_pass_the_other_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ann: list[Image]
) -> None:
    chosen = options(exit_camera="hall")
    chosen["cameras"].append({"id": "hall", "clip": "scripted"})
    async with passage(monkeypatch, tmp_path, chosen) as front:
        subject_id = await front.enroll([])
        path = f"/api/v1/subjects/{subject_id}/permits"
        body = {"permits": [{"door_id": "front", "direction": "exit"}]}
        async with front.site.session() as session, session.put(path, json=body) as response:
            assert response.status == 200
        await front.show(ann[:A_WAIT], "porch")
        front.nobody()
        await front.show(ann[:A_LOOK], "hall")
        entry, leaving = await front.events()
        assert (entry.granted, entry.direction) == (False, Direction.ENTRY)
        assert (leaving.granted, leaving.direction) == (True, Direction.EXIT)
        assert [command.command_id for command in front.client.pulses] == [leaving.decision_id]


async def test_a_stranger_who_leaves_does_not_ring(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, ann: list[Image]
) -> None:
    chosen = options(entry_camera="hall", exit_camera="porch")
    chosen["cameras"].append({"id": "hall", "clip": "scripted"})
    async with passage(monkeypatch, tmp_path, chosen) as front:
        await front.show(ann[:A_WAIT], "porch")
        (event,) = await front.events()
        assert (event.direction, event.reason) == (Direction.EXIT, "not_recognized")
        assert front.client.all(CallOpened) == []
