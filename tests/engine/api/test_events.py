"""Events in pages, pictures in memory, and figures that are no figures."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facegate.domain import AccessPoint
from facegate.protocol import CallAnswer, Direction, DoorAction
from tests.support import Client, Engine, engine

pytestmark = pytest.mark.usefixtures("free_loop")

EVENTS = "/api/v1/events"
JPEG = b"\xff\xd8 a picture"


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Engine]:
    options = {"doors": [{"id": "front", "pulse_seconds": 1}, {"id": "back", "pulse_seconds": 1}]}
    async with engine(options, tmp_path) as running:
        yield running


async def page(site: Engine, query: str) -> list[dict[str, Any]]:
    async with site.session() as session, session.get(f"{EVENTS}?{query}") as response:
        assert response.status == 200
        return list((await response.json())["events"])


async def test_events_are_read_in_pages_without_a_gap_or_a_repetition(site: Engine) -> None:
    async with Client.connected(site.url, site.token) as client:
        await client.drive("front", "back")
        for door in ("front", "back", "front"):
            assert (await client.operate(door, DoorAction.UNLOCK)).ok
            assert (await client.operate(door, DoorAction.LOCK)).ok
    everything = await site.events()
    assert len(everything) >= 12
    assert [event["seq"] for event in everything] == sorted({e["seq"] for e in everything})
    read: list[dict[str, Any]] = []
    while some := await page(site, f"after={read[-1]['seq'] if read else 0}&limit=5"):
        assert len(some) <= 5
        read += some
    assert read == everything
    back = await page(site, "door_id=back")
    assert back == [event for event in everything if event["door_id"] == "back"]
    assert await page(site, "door_id=garage") == []
    assert await page(site, "limit=0") == []


async def test_a_page_that_is_no_number_is_refused(site: Engine) -> None:
    async with site.session() as session:
        for query in (
            "after=x",
            "after=-1",
            "after=1.5",
            "after=",
            "after=%20",
            "after=²",
            "after=9223372036854775808",
            "after=" + "9" * 5000,
            "after=" + "0" * 21 + "9" * 30,
            "limit=1001",
            "limit=1e3",
        ):
            async with session.get(f"{EVENTS}?{query}") as response:
                name = query.partition("=")[0]
                error = await response.json()
                assert (response.status, error["code"]) == (400, "invalid"), query
                assert error["message"].startswith(f"{name}: ")


@pytest.mark.parametrize("hours", [0, 24])
async def test_a_calls_picture_is_there_as_long_as_the_call_and_as_it_may_be_kept(
    tmp_path: Path, hours: int
) -> None:
    options = {"doors": [{"id": "front"}], "retention": {"visitor_pictures_hours": hours}}
    point = AccessPoint("front", Direction.ENTRY)
    async with (
        engine(options, tmp_path) as site,
        site.session() as session,
        Client.connected(site.url, site.token) as client,
    ):
        await site.site.visitors.ring(point, JPEG, np.ones(128, np.float32))
        (call,) = site.site.board.state().calls
        path = f"/api/v1/calls/{call.id}/picture"
        async with session.get(path) as response:
            assert response.status == 200
            assert response.content_type == "image/jpeg"
            assert response.headers["Cache-Control"] == "no-store"
            assert await response.read() == JPEG
        assert (await client.answer(call.id, CallAnswer.TURN_AWAY)).ok
        async with session.get(path) as response:
            assert response.status == (200 if hours else 409)
        async with session.get("/api/v1/calls/none/picture") as response:
            assert (response.status, (await response.json())["code"]) == (409, "call_closed")


async def test_a_doors_picture_is_the_newest(site: Engine) -> None:
    path = "/api/v1/doors/front/picture"
    async with site.session() as session:
        async with session.get(path) as response:
            assert response.status == 404
        for picture in (JPEG, JPEG + b"2"):
            site.site.board.show_picture("front", picture)
            async with session.get(path) as response:
                assert await response.read() == picture
    assert site.site.board.state().doors[0].picture_at is not None
