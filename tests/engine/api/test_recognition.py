"""The site report, asked for with the token."""

from __future__ import annotations

import aiohttp
import pytest

from facegate.domain import Template
from facegate.face.weights import SFACE
from facegate.identity.gallery import Gallery
from tests.engine.api.office import CONSENT, OTHER, PHOTO, SUBJECTS, add, ask, refusal
from tests.engine.identity.test_gallery import scattered
from tests.support import Engine

pytestmark = pytest.mark.usefixtures("free_loop")

REPORT = "/api/v1/recognition"


async def enrolled(desk: aiohttp.ClientSession, name: str, photo: bytes) -> str:
    subject_id = await add(desk, name)
    await ask(desk, "POST", f"{SUBJECTS}/{subject_id}/consents", CONSENT)
    status, told = await ask(desk, "POST", f"{SUBJECTS}/{subject_id}/photos", photo)
    assert status in (200, 201), told
    return subject_id


async def test_the_report_tells_the_threshold_and_who_is_nearest_to_whom(
    desk: aiohttp.ClientSession,
) -> None:
    ids = [await enrolled(desk, "Ann", PHOTO), await enrolled(desk, "Ben", OTHER)]
    status, report = await ask(desk, "GET", REPORT)
    assert status == 200
    assert report["model_id"] == SFACE.id
    threshold = report["threshold"]
    assert (threshold["subjects"], threshold["templates"]) == (2, 2)
    assert threshold["supported"]
    assert not threshold["fixed"]
    assert threshold["expected_fpir"] <= threshold["fpir"] * 1.01
    (pair,) = report["nearest"]
    assert [pair["first"], pair["second"]] == sorted(ids)
    assert -0.3 < pair["score"] < 0.3
    assert (report["look_alikes"], report["outliers"], report["other_models"]) == ([], [], [])


async def test_the_strangers_of_a_day_are_whoever_asks_to_choose(
    desk: aiohttp.ClientSession,
) -> None:
    await enrolled(desk, "Ann", PHOTO)
    _, few = await ask(desk, "GET", REPORT + "?strangers_a_day=10")
    _, many = await ask(desk, "GET", REPORT + "?strangers_a_day=1000")
    assert many["false_accepts_a_year"] == pytest.approx(100 * few["false_accepts_a_year"])
    status, code, told = await refusal(desk, "GET", REPORT + "?strangers_a_day=-1")
    assert (status, code) == (400, "invalid")
    assert told.startswith("strangers_a_day:")


async def test_the_threshold_in_the_report_follows_the_gallery(
    galleries: list[Gallery], desk: aiohttp.ClientSession
) -> None:
    _, before = await ask(desk, "GET", REPORT)
    vectors = scattered(60)
    galleries[-1].put("many", [Template("", "many", SFACE.id, each) for each in vectors])
    _, after = await ask(desk, "GET", REPORT)
    assert after["threshold"]["threshold"] > before["threshold"]["threshold"]


async def test_without_the_token_nothing_is_told(office: Engine) -> None:
    async with aiohttp.ClientSession(office.url) as nobody, nobody.get(REPORT) as response:
        assert response.status == 401
