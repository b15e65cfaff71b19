"""From camera to door: who is let through, who is not, and what is told of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from facegate.domain import Image
from facegate.pipeline import REPEAT_S
from facegate.protocol import CallOpened, Direction, DoorAction
from tests.engine.clips import png
from tests.engine.face.real import astronaut, canvas, hopper
from tests.engine.passage import A_LOOK, A_WAIT, Passage, options, passage, residents_scene

pytestmark = pytest.mark.usefixtures("free_loop")


@pytest.fixture(scope="module")
def ann() -> list[Image]:
    return residents_scene()


@pytest.fixture
async def front(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Passage]:
    async with passage(monkeypatch, tmp_path, options()) as running:
        yield running


async def test_a_resident_is_let_in_once_with_one_pulse_and_a_full_receipt(
    front: Passage, ann: list[Image]
) -> None:
    subject_id = await front.enroll(["front"])
    before = front.clock.now().timestamp()
    await front.show(ann[:A_LOOK])
    front.nobody()
    await front.show(ann[:A_LOOK])
    (event,) = await front.events()
    assert (event.granted, event.reason, event.basis) == (True, "granted", "face")
    assert (event.door_id, event.direction) == ("front", Direction.ENTRY)
    assert (event.subject_id, event.subject_name) == (subject_id, "Ann")
    assert event.subject_kind == "resident"
    assert event.approver is None
    assert event.first_seen_at is not None
    assert before <= event.first_seen_at <= event.at
    assert event.frame_age_s == pytest.approx(0, abs=0.01)
    found = event.identification
    assert found is not None
    assert found.probes == 3
    assert found.score is not None
    assert found.score >= found.threshold
    assert found.runner_up is None
    told = {verdict.control: verdict for verdict in event.verdicts}
    assert list(told) == [
        "identity",
        "freshness",
        "permit",
        "liveness",
        "temperature",
        "mask",
        "document",
        "second_credential",
        "two_persons",
        "mode",
    ]
    assert told["identity"].measured == pytest.approx(found.score)
    assert told["identity"].limit == found.threshold
    assert told["liveness"].requirement == "off"
    assert [command.command_id for command in front.client.pulses] == [event.decision_id]
    (row,) = [e for e in await front.site.events() if e["kind"] == "access"]
    assert (row["ref"], row["opening_id"], row["subject_id"]) == (
        event.decision_id,
        event.decision_id,
        subject_id,
    )
    assert row["body"]["identification"]["candidate"] == subject_id
    assert row["body"]["identification"]["score"] == pytest.approx(found.score)
    assert [v["control"] for v in row["body"]["verdicts"]] == list(told)
    assert front.site.site.board.state().doors[0].picture_at is not None


async def test_a_resident_who_comes_again_later_is_let_in_again(
    front: Passage, ann: list[Image]
) -> None:
    await front.enroll(["front"])
    await front.show(ann[:A_LOOK])
    front.nobody(REPEAT_S)
    await front.show(ann[:A_LOOK])
    assert [event.granted for event in await front.events()] == [True, True]


async def test_a_stranger_is_denied_and_rings_once(front: Passage, ann: list[Image]) -> None:
    await front.show(ann[:A_WAIT])
    front.nobody()
    await front.show(ann[:A_WAIT])
    events = await front.events()
    assert [(event.granted, event.reason) for event in events] == [(False, "not_recognized")] * 2
    assert events[0].subject_id is None
    (ring,) = front.client.all(CallOpened)
    assert (await front.site.site.visitors.picture(ring.call.id)).startswith(b"\xff\xd8")
    assert front.client.pulses == []


async def test_somebody_else_enrolled_does_not_let_a_stranger_in(
    front: Passage, ann: list[Image], other_photos: list[bytes]
) -> None:
    for name, photo in zip(("Ben", "Dan"), other_photos, strict=True):
        await front.site.enroll(name, [photo], ["front"])
    await front.show(ann[:A_WAIT])
    (event,) = await front.events()
    assert (event.granted, event.reason) == (False, "not_recognized")
    assert event.identification is not None
    assert event.identification.score is not None


@pytest.fixture(scope="module")
def other_photos() -> list[bytes]:
    return [png(astronaut()), png(hopper())]


async def test_who_only_passes_by_leaves_no_record(front: Passage, ann: list[Image]) -> None:
    await front.show(ann[:A_LOOK])
    front.nobody()
    await front.show(ann[:A_LOOK])
    assert await front.events() == []
    assert await front.site.events() == []


async def test_a_face_that_takes_another_ones_place_inherits_nothing(
    front: Passage, ann: list[Image]
) -> None:
    await front.enroll(["front"])
    stranger = canvas(528, 432, (astronaut()[:432, :512], 0, 0))
    for _ in range(3):  # too few probes of Ann at a time to be named
        await front.show([*ann[:2], *[stranger] * 4])
    assert [event for event in await front.events() if event.granted] == []
    assert front.client.pulses == []


async def test_who_is_removed_is_a_stranger_from_then_on(front: Passage, ann: list[Image]) -> None:
    subject_id = await front.enroll(["front"])
    await front.show(ann[:A_LOOK])
    async with front.site.session() as session:
        await session.delete(f"/api/v1/subjects/{subject_id}")
    front.nobody(REPEAT_S)
    await front.show(ann[:A_WAIT])
    assert [event.reason for event in await front.events()] == ["granted", "not_recognized"]
    assert len(front.client.pulses) == 1


async def test_a_permit_decides_when(front: Passage, ann: list[Image]) -> None:
    subject_id = await front.enroll(["front"])
    now = front.clock.now().timestamp()
    path = f"/api/v1/subjects/{subject_id}/permits"
    for permits, reason in (
        ([], "no_permit"),
        ([{"door_id": "front", "direction": "exit"}], "no_permit"),
        ([{"door_id": "front", "valid_until": now - 1}], "permit_expired"),
        ([{"door_id": "front", "valid_from": now + 3600}], "permit_not_yet_valid"),
    ):
        async with (
            front.site.session() as session,
            session.put(path, json={"permits": permits}) as response,
        ):
            assert response.status == 200
        await front.show(ann[:A_WAIT])
        front.nobody()
        event = (await front.events())[-1]
        assert (event.granted, event.reason, event.subject_id) == (False, reason, subject_id)
    assert front.client.pulses == []
    assert front.client.all(CallOpened) == []  # who is known does not ring


async def test_a_picture_that_is_too_old_opens_nothing(front: Passage, ann: list[Image]) -> None:
    await front.enroll(["front"])
    front.cameras["porch"].delay_s = 2.5
    await front.show(ann[:A_WAIT])
    (event,) = await front.events()
    assert (event.granted, event.reason) == (False, "stale_frame")
    assert event.frame_age_s == pytest.approx(2.5, abs=0.01)
    assert front.client.pulses == []


async def test_a_resident_at_an_open_door_is_on_record_and_gives_no_second_pulse(
    front: Passage, ann: list[Image]
) -> None:
    await front.enroll(["front"])
    assert (await front.client.operate("front", DoorAction.UNLOCK)).ok
    await front.show(ann[:A_LOOK])
    operator, face = await front.events()
    assert (operator.basis, face.basis, face.granted) == ("operator", "face", True)
    rows = [event for event in await front.site.events() if event["kind"] == "access"]
    assert {row["opening_id"] for row in rows} == {operator.decision_id}
    assert front.client.pulses == []
