"""References: good photos of one person, who is enrolled once; clips; and a change of the model."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import cv2
import numpy as np
import pytest

from facegate.domain import Image
from facegate.identity.gallery import Gallery
from facegate.office.enrollment import Reading, add_reading
from facegate.office.office import Office
from facegate.protocol import PeopleChanged
from tests.engine.api.office import (
    AGAIN,
    CONSENT,
    OTHER,
    PHOTO,
    SUBJECTS,
    add,
    ask,
    person,
    refusal,
)
from tests.engine.clips import png, write_clip
from tests.engine.face.real import astronaut, canvas, carphone, enlarged, hopper, vector_of
from tests.support import Client, Engine, engine

pytestmark = pytest.mark.usefixtures("free_loop")

OPTIONS = {"doors": [{"id": "front"}]}


@pytest.fixture
async def ann(desk: aiohttp.ClientSession) -> str:
    return await consenting(desk, "Ann")


@pytest.fixture
async def ben(desk: aiohttp.ClientSession) -> str:
    return await consenting(desk, "Ben")


@pytest.fixture
def resident(resident_clip: Path) -> bytes:
    return resident_clip.read_bytes()


@pytest.fixture
def hall(faceless_clip: Path) -> bytes:
    return faceless_clip.read_bytes()


async def consenting(desk: aiohttp.ClientSession, name: str) -> str:
    subject_id = await add(desk, name)
    await ask(desk, "POST", f"{SUBJECTS}/{subject_id}/consents", CONSENT)
    return subject_id


def office_of(site: Engine) -> Office:
    """The running engine's own office: no client can bring a reference of another model."""
    found = site.site.rounds._erasure._office
    assert isinstance(found, Office)
    return found


def photos(subject_id: str, query: str = "") -> str:
    return f"{SUBJECTS}/{subject_id}/photos{query}"


def clip(subject_id: str) -> str:
    return f"{SUBJECTS}/{subject_id}/clip"


def dimmed(image: Image) -> Image:
    return (image * 0.2).astype(np.uint8)


# --- quality ------------------------------------------------------------------------------------


async def test_a_poor_photo_is_refused_with_what_is_wrong_and_how_to_mend_it(
    desk: aiohttp.ClientSession, ann: str
) -> None:
    blurred = np.asarray(cv2.GaussianBlur(astronaut(), (0, 0), 5), np.uint8)
    for poor, component, remedy in (
        (blurred, "sharpness", "hold the camera still"),
        (dimmed(hopper()), "under_exposure_prevention", "towards a window or a lamp"),
    ):
        status, code, told = await refusal(desk, "POST", photos(ann), png(poor))
        assert (status, code) == (422, "low_quality")
        assert component in told
        assert remedy in told
    assert (await person(desk, ann))["references"] == 0


async def test_what_could_be_better_is_told_of_a_photo_that_is_kept(
    desk: aiohttp.ClientSession, ann: str
) -> None:
    small = png(enlarged(astronaut(), 0.8))
    status, kept = await ask(desk, "POST", photos(ann), small)
    assert status == 201, kept
    (advice,) = kept["noticed"]["advice"]
    assert advice["component"] == "head_size"
    assert advice["measured"] < advice["limit"]
    assert "come closer" in advice["message"]
    status, kept = await ask(desk, "POST", photos(ann), PHOTO)
    assert kept["noticed"] == {"advice": [], "look_alike": None}


# --- whose face ---------------------------------------------------------------------------------


async def test_a_photo_of_somebody_else_than_before_is_refused(
    desk: aiohttp.ClientSession, ann: str
) -> None:
    await ask(desk, "POST", photos(ann), PHOTO)
    status, code, told = await refusal(desk, "POST", photos(ann), OTHER)
    assert (status, code) == (422, "outlier_photo")
    assert "somebody else than in the 1 kept before" in told
    assert (await ask(desk, "POST", photos(ann), AGAIN))[1]["references"] == 2


async def test_who_is_enrolled_already_is_refused_and_named_by_id(
    desk: aiohttp.ClientSession, ann: str, ben: str
) -> None:
    await ask(desk, "POST", photos(ann), PHOTO)
    status, code, told = await refusal(desk, "POST", photos(ben), AGAIN)
    assert (status, code) == (409, "duplicate_subject")
    assert ann in told
    assert "Ann" not in told
    assert (await person(desk, ben))["references"] == 0
    assert (await refusal(desk, "POST", photos(ben, "?distinct=maybe"), AGAIN))[1] == "invalid"


async def test_twins_are_enrolled_where_somebody_says_so_and_that_is_on_record(
    office: Engine, desk: aiohttp.ClientSession, ann: str, ben: str
) -> None:
    await ask(desk, "POST", photos(ann), PHOTO)
    status, kept = await ask(desk, "POST", photos(ben, "?distinct=true"), AGAIN)
    assert (status, kept["references"]) == (201, 1)
    alike = kept["noticed"]["look_alike"]
    assert alike["subject_id"] == ann
    assert alike["score"] > 0.6
    enrolled = [e["body"] for e in await office.events() if e["body"].get("what") == "enrolled"]
    assert [(each["resembles"], each["distinct"]) for each in enrolled] == [
        (None, False),
        (ann, True),
    ]
    assert enrolled[1]["likeness"] == alike["score"]


# --- clips --------------------------------------------------------------------------------------


async def test_a_clip_gives_a_few_frames_that_differ_and_gives_them_once(
    galleries: list[Gallery],
    desk: aiohttp.ClientSession,
    ann: str,
    resident: bytes,
) -> None:
    status, kept = await ask(desk, "POST", clip(ann), resident)
    assert (status, kept["references"]) == (201, 5)
    references = galleries[-1].references(ann)
    likeness = (references @ references.T)[np.triu_indices(5, 1)]
    assert likeness.min() >= 0.4
    assert likeness.max() < 0.97
    assert (await ask(desk, "POST", clip(ann), resident))[1]["references"] == 5


async def test_who_else_walks_into_a_clip_is_left_out(
    galleries: list[Gallery], desk: aiohttp.ClientSession, ann: str, tmp_path: Path
) -> None:
    other = canvas(528, 432, (enlarged(hopper(), 0.7), 0, 0))
    pictures = [*carphone()[30:60:2], *[other] * 8]
    data = write_clip(tmp_path / "two.mp4", pictures).read_bytes()
    assert (await ask(desk, "POST", clip(ann), data))[0] == 201
    references = galleries[-1].references(ann)
    assert len(references) >= 3
    assert (references @ references.T).min() >= 0.4


async def test_a_clip_that_cannot_be_used_is_refused_with_the_reason(
    desk: aiohttp.ClientSession, ann: str, hall: bytes, resident: bytes, tmp_path: Path
) -> None:
    long = write_clip(tmp_path / "long.mp4", [carphone()[0]] * 34, rate=2).read_bytes()
    dark = write_clip(tmp_path / "dark.mp4", map(dimmed, carphone()[:15])).read_bytes()
    for data, status, code, told in (
        (long, 413, "too_large", "longer than 15 seconds"),
        (hall, 422, "no_face", "no frame of the clip can be used"),
        (dark, 422, "low_quality", "too dark"),
        (resident[: len(resident) // 3], 415, "unsupported_media", "cut or damaged"),
        (b"#EXTM3U\nhttp://127.0.0.1/", 415, "unsupported_media", "not an MP4"),
        (PHOTO, 415, "unsupported_media", "not an MP4"),
        (b"", 415, "unsupported_media", "not an MP4"),
    ):
        found = await refusal(desk, "POST", clip(ann), data)
        assert found[:2] == (status, code), told
        assert told in found[2]
    assert (await person(desk, ann))["references"] == 0


async def test_a_clip_of_somebody_else_is_refused_as_a_whole(
    desk: aiohttp.ClientSession, ann: str, resident: bytes
) -> None:
    await ask(desk, "POST", photos(ann), PHOTO)
    found = await refusal(desk, "POST", clip(ann), resident)
    assert found[:2] == (422, "outlier_photo")
    assert (await person(desk, ann))["references"] == 1


async def test_a_clip_needs_a_consent_as_a_photo_does(
    desk: aiohttp.ClientSession, resident: bytes
) -> None:
    cleo = await add(desk, "Cleo")
    found = await refusal(desk, "POST", clip(cleo), resident)
    assert found[:2] == (409, "consent_required")


# --- another model ------------------------------------------------------------------------------


async def health(site: Engine) -> dict[str, Any]:
    async with site.session() as session, session.get("/health") as response:
        return dict(await response.json())


@pytest.fixture
def old() -> Reading:
    return Reading(b"old photo", "another-model", vector_of(hopper()))


@pytest.fixture
async def outdated(old: Reading, tmp_path: Path) -> AsyncIterator[tuple[Engine, str]]:
    """Give an engine that was started with somebody's references of another model only."""
    async with engine(OPTIONS, tmp_path) as site:
        subject_id = await site.enroll("Ann", [], ["front"])
        people = office_of(site)
        async with people.changing("test") as change:
            ann, _ = await add_reading(people, change, people.roster.get(subject_id), old, alike=1)
            change.hold(ann)
    async with engine(OPTIONS, tmp_path) as site:
        yield site, subject_id


async def test_who_has_references_of_another_model_only_is_asked_for_photos(
    outdated: tuple[Engine, str],
) -> None:
    site, ann = outdated
    async with (
        site.session() as desk,
        Client.connected(site.url, site.token) as client,
    ):
        assert (await person(desk, ann))["needs_photos"] is True
        assert (await health(site))["need_photos"] == 1
        assert site.site.board.state().need_photos == 1
        # The other model's reference is compared with nothing: this is no outlier.
        status, shown = await ask(desk, "POST", photos(ann), PHOTO)
        assert (status, shown["references"], shown["needs_photos"]) == (201, 2, False)
        await client.wait_for(PeopleChanged, lambda told: told.need_photos == 0)
        assert (await health(site))["need_photos"] == 0


async def test_who_was_erased_needs_no_photos(outdated: tuple[Engine, str]) -> None:
    site, ann = outdated
    async with site.session() as desk:
        assert (await ask(desk, "DELETE", f"{SUBJECTS}/{ann}"))[0] == 200
    assert (await health(site))["need_photos"] == 0
