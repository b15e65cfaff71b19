"""A face opens a door by itself only where it can carry the name."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facegate import assembly
from facegate.domain import Image, Template, Vector
from facegate.face.weights import SFACE
from facegate.identity.gallery import Gallery
from facegate.protocol import AccessEvent
from tests.engine.identity.test_gallery import scattered
from tests.engine.passage import A_WAIT, Passage, options, passage, residents_scene

pytestmark = pytest.mark.usefixtures("free_loop")

MANY = 3000
BOTH_WAYS = {
    "cameras": [{"id": "porch", "clip": "scripted"}, {"id": "lobby", "clip": "scripted"}],
    "doors": [
        {
            "id": "front",
            "entry_camera": "porch",
            "exit_camera": "lobby",
            "pulse_seconds": 1,
            "controls": {"liveness": "off"},
        }
    ],
}


@pytest.fixture(scope="module")
def ann() -> list[Image]:
    return residents_scene()


@pytest.fixture
def gallery(monkeypatch: pytest.MonkeyPatch) -> Gallery:
    """Return the gallery of the engine that the test runs."""
    made = Gallery(SFACE.id)
    monkeypatch.setattr(assembly, "Gallery", lambda _: made)
    return made


@pytest.fixture
async def front(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gallery: Gallery
) -> AsyncIterator[Passage]:
    async with passage(monkeypatch, tmp_path, BOTH_WAYS) as running:
        assert len(gallery) == 0
        yield running


def put(gallery: Gallery, subject_id: str, vectors: Vector) -> None:
    templates = [Template("", subject_id, SFACE.id, vector) for vector in vectors]
    gallery.put(subject_id, templates)


def like(reference: Vector, cosine: float) -> Vector:
    """Return a unit vector at this cosine from another."""
    other = scattered(1)[0]
    other -= reference * float(reference @ other)
    other /= np.linalg.norm(other)
    mixed = cosine * reference + np.sqrt(1 - cosine**2) * other
    return np.asarray(mixed, np.float32)


def second(event: AccessEvent) -> Any:
    (found,) = [each for each in event.verdicts if each.control == "second_credential"]
    return found


async def test_among_more_people_than_the_data_carry_a_face_needs_a_second_credential(
    front: Passage, gallery: Gallery, ann: list[Image]
) -> None:
    subject_id = await front.enroll(["front"])
    put(gallery, "crowd", scattered(MANY))
    await front.show(ann[:A_WAIT])
    (event,) = await front.events()
    assert event.subject_id == subject_id
    assert (event.granted, event.reason) == (False, "second_credential_missing")
    assert (second(event).outcome, second(event).requirement) == ("fail", "required")
    assert front.client.pulses == []
    gallery.remove("crowd")
    front.nobody(20)
    await front.show(ann[:A_WAIT])
    assert (await front.events())[-1].granted


async def test_a_twin_enters_with_a_second_credential_and_leaves_without(
    front: Passage, gallery: Gallery, ann: list[Image]
) -> None:
    subject_id = await front.enroll(["front"])
    put(gallery, "twin", np.stack([like(gallery.references(subject_id)[0], 0.6)]))
    await front.show(ann[:A_WAIT])
    (event,) = await front.events()
    assert event.subject_id == subject_id
    assert (event.granted, event.reason) == (False, "second_credential_missing")
    assert second(event).measured == pytest.approx(0.6, abs=0.1)
    await front.show(ann[:A_WAIT], "lobby")
    assert [each.granted for each in await front.events()] == [False, True]


async def test_a_threshold_that_the_manager_set_holds_among_any_number(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, gallery: Gallery, ann: list[Image]
) -> None:
    chosen = {**options(), "recognition": {"threshold": 0.55}}
    async with passage(monkeypatch, tmp_path, chosen) as front:
        await front.enroll(["front"])
        put(gallery, "crowd", scattered(MANY))
        await front.show(ann[:A_WAIT])
        event = (await front.events())[0]
        (identity,) = [each for each in event.verdicts if each.control == "identity"]
        assert (event.granted, identity.limit) == (True, 0.55)
