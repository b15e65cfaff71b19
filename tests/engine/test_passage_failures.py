"""What breaks on the way keeps the door shut, is told, and does not last longer than it must."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection

from facegate.domain import Frame, Image, Probe
from facegate.errors import ModelError
from facegate.face.track import Track
from facegate.protocol import (
    AccessEvent,
    Actuate,
    CallAnswer,
    CallOpened,
    CameraStateName,
    DoorStateName,
)
from facegate.vision import Vision
from tests.engine.clips import resident_photos
from tests.engine.passage import A_LOOK, A_WAIT, Passage, options, passage, residents_scene
from tests.support import Client, engine

pytestmark = pytest.mark.usefixtures("free_loop")


@pytest.fixture(scope="module")
def ann() -> list[Image]:
    return residents_scene()


@pytest.fixture(scope="module")
def photos() -> list[bytes]:
    return resident_photos()


@pytest.fixture
async def front(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Passage]:
    async with passage(monkeypatch, tmp_path, options()) as running:
        yield running


async def test_while_the_records_fail_a_resident_stays_outside_and_is_let_in_right_after(
    front: Passage, ann: list[Image], caplog: pytest.LogCaptureFixture
) -> None:
    await front.enroll(["front"])
    pool = front.site.site.store._engine.sync_engine

    def read_only(connection: DBAPIConnection, *_: object) -> None:
        connection.cursor().execute("PRAGMA query_only=ON")

    event.listen(pool, "checkout", read_only)
    await front.show(ann[:A_LOOK])
    assert front.client.all(Actuate) == []
    assert await front.events() == []
    assert front.site.site.bulletin.record_fault is not None
    assert "make the data folder writable" in caplog.text
    event.remove(pool, "checkout", read_only)
    await front.site.site.store._engine.dispose()
    front.nobody()
    await front.show(ann[:A_LOOK])
    assert [decision.granted for decision in await front.events()] == [True]
    assert len(front.client.pulses) == 1


async def test_a_door_that_did_not_open_is_tried_again_when_the_resident_comes_again(
    front: Passage, ann: list[Image]
) -> None:
    await front.enroll(["front"])
    front.client.refusal = "the bolt is stuck"
    await front.show(ann[:A_LOOK])
    assert front.site.site.board.state().doors[0].state is DoorStateName.JAMMED
    front.client.refusal = None
    front.nobody()
    await front.show(ann[:A_LOOK])
    assert len(front.client.pulses) == 2
    assert [decision.granted for decision in await front.events()] == [True, True]


async def test_a_picture_that_cannot_be_judged_does_not_blind_the_camera(
    front: Passage,
    ann: list[Image],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    await front.enroll(["front"])
    probe, failures = Vision.probe, [ModelError("a vector of length nan"), ZeroDivisionError()]

    async def fails_twice(self: Vision, frame: Frame, track: Track, *, living: bool) -> Probe:
        if failures:
            raise failures.pop()
        return await probe(self, frame, track, living=living)

    monkeypatch.setattr(Vision, "probe", fails_twice)
    await front.show(ann[: A_LOOK + 2])
    assert [decision.granted for decision in await front.events()] == [True]
    assert caplog.text.count("a frame could not be judged") == 1


async def test_a_visitor_whose_door_does_not_open_is_not_on_record_as_inside(
    front: Passage, ann: list[Image]
) -> None:
    front.client.refusal = "the bolt is stuck"
    await front.show(ann[:A_WAIT])
    (ring,) = front.client.all(CallOpened)
    result = await front.client.answer(ring.call.id, CallAnswer.LET_IN)
    assert result.message == "the bolt is stuck"
    outcomes = [
        row["body"]["outcome"] for row in await front.site.events() if row["kind"] == "opening"
    ]
    assert outcomes == ["failed"]


async def test_a_clip_camera_in_real_time_lets_a_resident_in_once(
    tmp_path: Path, resident_clip: Path, photos: list[bytes]
) -> None:
    chosen = options()
    chosen["cameras"] = [{"id": "porch", "clip": str(resident_clip)}]
    chosen["doors"][0]["visitors"] = False
    async with (
        engine(chosen, tmp_path) as site,
        Client.connected(site.url, site.token) as client,
    ):
        await client.drive("front")
        await site.enroll("Ann", photos, ["front"])
        granted = await client.wait_for(AccessEvent, lambda told: told.granted)
        await asyncio.sleep(4)  # more than a round of the clip
        assert [told for told in client.all(AccessEvent) if told.granted] == [granted]
        assert [command.command_id for command in client.pulses] == [granted.decision_id]
        assert granted.frame_age_s is not None
        assert 0 <= granted.frame_age_s <= 2
        assert site.site.board.state().cameras[0].state is CameraStateName.STREAMING
