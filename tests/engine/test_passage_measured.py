"""What a passage before a camera leaves in the engine's figures, and in a test of the camera."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from facegate.domain import Image
from facegate.latency import Stage, Summary
from tests.engine.face.real import canvas, enlarged
from tests.engine.passage import A_LOOK, FRAME_RATE, Passage, options, passage, residents_scene
from tests.support import until

pytestmark = pytest.mark.usefixtures("free_loop")

TO_UNLOCK = Stage.ARRIVAL_TO_UNLOCK


@pytest.fixture(scope="module")
def ann() -> list[Image]:
    return residents_scene()


@pytest.fixture
async def front(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Passage]:
    async with passage(monkeypatch, tmp_path, options()) as running:
        yield running


def measured(front: Passage, stage: Stage) -> Summary | None:
    return front.site.site.latencies.summary().get(stage)


async def test_the_way_to_the_open_door_begins_with_the_first_frame_that_could_be_read(
    front: Passage, ann: list[Image]
) -> None:
    await front.enroll(["front"])
    await front.show(ann[:A_LOOK])
    found = await until(lambda: measured(front, TO_UNLOCK))
    # Three probes, the first of which began it: two frames on.
    assert found.count == 1
    assert found.p50_s == pytest.approx(2 / FRAME_RATE)
    decided = measured(front, Stage.ARRIVAL_TO_DECISION)
    assert decided is not None
    assert decided.p50_s == 0  # of the clock of this test, which moves with pictures only


async def test_every_step_of_a_passage_is_measured(front: Passage, ann: list[Image]) -> None:
    await front.enroll(["front"])
    await front.show(ann[:A_LOOK])
    await until(lambda: measured(front, TO_UNLOCK))
    steps = {Stage.RECEIVE, Stage.DETECT, Stage.PROBE, Stage.DECIDE, Stage.RECORD, Stage.ACTUATE}
    assert steps <= set(front.site.site.latencies.summary())


async def test_a_door_that_does_not_open_is_no_way_to_an_open_one(
    front: Passage, ann: list[Image]
) -> None:
    front.client.refusal = "the bolt does not move"
    await front.enroll(["front"])
    await front.show(ann[:A_LOOK])
    assert [event.granted for event in await front.events()] == [True]
    assert measured(front, TO_UNLOCK) is None


async def test_a_door_that_a_user_opens_is_no_way_of_a_face(front: Passage) -> None:
    assert (await front.client.operate("front", "open")).ok  # type: ignore[arg-type]
    assert measured(front, Stage.ACTUATE) is not None
    assert measured(front, TO_UNLOCK) is None


# --- the test of how the camera hangs -----------------------------------------------------------

PATH = "/api/v1/doors/front/placement"


async def placed(front: Passage, pictures: list[Image]) -> dict[str, Any]:
    """Return the result of a test during which these pictures are seen."""
    async with front.site.session() as desk:
        async with desk.post(PATH, json={"seconds": 20}) as response:
            assert response.status == 200, await response.text()
        await front.show(pictures)
        front.nobody(20)
        async with desk.get(PATH) as response:
            return dict(await response.json())


async def test_who_walks_up_is_measured_and_passes_the_camera(
    front: Passage, ann: list[Image]
) -> None:
    result = await placed(front, ann[:8])
    assert (result["state"], result["passed"], result["findings"]) == ("done", True, [])
    seen = result["seen"]
    assert 150 < seen["best_face_px"] < 240
    assert seen["frames"] == 8
    assert seen["near_frames"] == 8
    assert abs(seen["yaw"]) < 25
    assert 80 < seen["luminance"] < 160
    # Two steps between three probes; reading takes no time of this test's clock.
    assert seen["expected_latency_ms"] == pytest.approx(2 * 1000 / FRAME_RATE)


async def test_a_known_face_is_measured_until_the_end_though_the_door_has_opened(
    front: Passage, ann: list[Image]
) -> None:
    await front.enroll(["front"])
    result = await placed(front, ann[:8])
    assert [event.granted for event in await front.events()] == [True]
    assert result["seen"]["frames"] == 8


async def test_a_face_that_is_too_small_to_be_read_is_measured_all_the_same(
    front: Passage, ann: list[Image]
) -> None:
    far = [canvas(528, 432, (enlarged(picture, 0.2), 200, 150)) for picture in ann[:8]]
    result = await placed(front, far)
    assert not result["passed"]
    checks = {found["check"] for found in result["findings"]}
    assert {"face_px", "near_frames"} <= checks
    assert 25 < result["seen"]["best_face_px"] < 48
    assert await front.events() == []


async def test_a_hall_without_anybody_fails_and_says_what_to_do(front: Passage) -> None:
    result = await placed(front, [canvas(528, 432)] * 3)
    (found,) = result["findings"]
    assert (result["passed"], result["seen"], found["check"]) == (False, None, "frames")


async def test_nothing_is_measured_unless_a_test_runs(front: Passage, ann: list[Image]) -> None:
    await placed(front, ann[:3])
    await front.show(ann[3:6])
    async with front.site.session() as desk, desk.get(PATH) as response:
        assert (await response.json())["seen"]["frames"] == 3
