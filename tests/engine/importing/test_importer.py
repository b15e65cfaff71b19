"""Imports over REST: progress, refusals with reasons, and the same again ends the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from facegate.protocol import ImportProgress
from tests.engine.importing.lists import (
    CONSENT,
    DOORS,
    archive_of,
    csv_of,
    imported,
    look,
    people,
    send,
    small_faces,
)
from tests.support import Client, Engine, engine

pytestmark = pytest.mark.usefixtures("free_loop")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Engine]:
    async with engine(DOORS, tmp_path / "data") as running:
        yield running


@pytest.fixture
async def desk(site: Engine) -> AsyncIterator[aiohttp.ClientSession]:
    async with site.session() as session:
        yield session


def person(number: int, **more: str) -> dict[str, str]:
    return {"external_id": f"p{number}", "name": f"Person {number}", **more}


async def test_a_row_becomes_a_person_with_all_that_it_says(desk: aiohttp.ClientSession) -> None:
    row = person(
        1,
        kind="pupil",
        unit="3b",
        language="zh-CN",
        birth_date="2014-05-31",
        groups="night;day",
        doors="front;back",
        valid_from="2026-01-31T08:00",
        valid_until="2026-07-31",
        photo="photos\\ann.jpg",
        **CONSENT,
        consent_guardian="Ben",
        pin="135790",
        card="0815",
    )
    quoted = {**row, "groups": '"night;day"', "doors": '"front;back"'}
    packed = archive_of(csv_of([quoted]), {"photos/ann.jpg": small_faces()[0]})
    job = await imported(desk, packed)
    assert (job["state"], job["added"], job["report"]) == ("done", 1, [])
    shown = (await people(desk))["p1"]
    assert (shown["kind"], shown["unit"], shown["language"]) == ("pupil", "3b", "zh-CN")
    assert (shown["references"], len(shown["groups"])) == (1, 2)
    assert {each["kind"] for each in shown["credentials"]} == {"pin", "card"}
    assert shown["consent"]["guardian"] == "Ben"
    begin = datetime(2026, 1, 31, 7, tzinfo=UTC).timestamp()
    end = datetime(2026, 7, 31, 22, tzinfo=UTC).timestamp()
    assert [
        (each["door_id"], each["valid_from"], each["valid_until"]) for each in shown["permits"]
    ] == [
        ("front", begin, end),
        ("back", begin, end),
    ]
    again = await imported(desk, packed)
    assert (again["unchanged"], again["done"]) == (1, 1)
    assert (await people(desk))["p1"] == shown


REFUSED: list[tuple[dict[str, str], str]] = [
    ({"name": ""}, "name: required"),
    ({"external_id": ""}, "external_id: required"),
    ({"external_id": "p1"}, "external_id: a row above has the same"),
    ({"name": "=1+1"}, "name: begins with =, as a formula of a spreadsheet"),
    ({"kind": "burglar"}, "kind: 'burglar' is not one of"),
    ({"birth_date": "31.1.2014"}, "birth_date: '31.1.2014' is not a date"),
    ({"doors": "garage"}, "permits[0].door_id: 'garage' is not one of front, back"),
    ({"schedule": "night"}, "schedule: needs doors"),
    ({"doors": "front", "valid_until": "soon"}, "valid_until: 'soon' is neither"),
    ({"photo": "none.jpg", **CONSENT}, "photo: the archive holds no 'none.jpg'"),
    ({"photo": "text.jpg", **CONSENT}, "not a JPEG, PNG or WebP picture"),
    ({"photo": "ann.jpg"}, "a face is kept only with a consent"),
    ({"consent_signer": "Ann"}, "consent_version: required for a consent"),
    ({"pin": "13579x"}, "pin: expected 4 to 12 digits"),
    ({"card": "4711"}, "card_number: this card is somebody else's"),
]


async def test_each_refused_row_is_reported_and_leaves_nothing(
    site: Engine, desk: aiohttp.ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "facegate")
    columns = dict.fromkeys(
        (
            "external_id",
            "name",
            "kind",
            "birth_date",
            "groups",
            "doors",
            "schedule",
            "valid_until",
            "photo",
            *CONSENT,
            "pin",
            "card",
        ),
        "",
    )
    rows = [{**columns, **person(1, card="4711", pin="246802")}]
    rows += [
        {**columns, **person(n, groups="night"), **wrong} for n, (wrong, _) in enumerate(REFUSED, 3)
    ]
    photos = {"ann.jpg": small_faces()[0], "text.jpg": b"hello"}
    job = await imported(desk, archive_of(csv_of(rows), photos))
    assert (job["state"], job["added"], job["refused"]) == ("done", 1, len(REFUSED))
    assert [each["row"] for each in job["report"]] == list(range(3, len(REFUSED) + 3))
    for told, (_, reason) in zip(job["report"], REFUSED, strict=True):
        assert told["reason"].startswith(reason)
    assert list(await people(desk)) == ["p1"]
    async with desk.get("/api/v1/groups") as response:
        assert (await response.json())["groups"] == []
    seen = f"{job}{await site.events()}{caplog.text}"
    assert not [secret for secret in ("4711", "246802", "13579x") if secret in seen]


async def test_what_has_no_column_stays_and_an_empty_cell_means_none(
    desk: aiohttp.ClientSession,
) -> None:
    full = person(1, kind="staff", unit="3b", groups="night", doors="front", pin="1357")
    await imported(desk, archive_of(csv_of([full])))
    before = (await people(desk))["p1"]
    job = await imported(desk, archive_of(csv_of([person(1, pin="")])))
    assert job["unchanged"] == 1
    assert (await people(desk))["p1"] == before
    job = await imported(desk, archive_of(csv_of([person(1, unit="", groups="", doors="")])))
    assert job["changed"] == 1
    after = {**before, "unit": None, "groups": [], "permits": []}
    assert (await people(desk))["p1"] == after


async def test_progress_is_told_and_the_end_is_on_record_without_names(
    site: Engine, desk: aiohttp.ClientSession
) -> None:
    async with Client.connected(site.url, site.token) as client:
        job = await imported(desk, archive_of(csv_of(person(n) for n in range(120))))
        await client.wait_for(ImportProgress, lambda told: told.state == "done")
        told = client.all(ImportProgress)
    assert [each.done for each in told] == sorted(each.done for each in told)
    assert (told[0].done, told[-1].done, {each.total for each in told}) == (0, 120, {120})
    (event,) = [each for each in await site.events() if each["kind"] == "import"]
    assert event["ref"] == job["import_id"]
    assert "Person" not in str(event)


async def test_one_import_runs_at_a_time_and_goes_on_without_who_asked(site: Engine) -> None:
    packed = archive_of(csv_of(person(n) for n in range(200)))
    async with site.session() as leaving:
        _, job = await send(leaving, packed)
    async with site.session() as session:
        status, error = await send(session, packed)
        assert (status, error["code"]) == (409, "conflict")
        async with asyncio.timeout(60):
            while (await look(session, job["import_id"]))["state"] == "running":  # noqa: ASYNC110  what is looked at has no event
                await asyncio.sleep(0.05)
        assert len(await people(session)) == 200


async def test_an_archive_that_cannot_be_used_leaves_room_for_the_next(
    site: Engine, desk: aiohttp.ClientSession
) -> None:
    wrong: list[tuple[bytes, str]] = [
        (b"", "not a zip archive"),
        (archive_of(b"external_id,name,colour\r\n"), "unknown column 'colour'"),
        (archive_of(b"1234,Ann\r\n"), "the first row must name the columns"),
    ]
    for packed, told in wrong:
        status, error = await send(desk, packed)
        assert (status, error["code"]) == (400, "invalid")
        assert told in error["message"]
    assert (await imported(desk, archive_of(csv_of([person(1)]))))["added"] == 1
    async with desk.get("/api/v1/imports/none") as response:
        assert response.status == 404
    assert not [each for each in site.data.iterdir() if each.name.startswith("tmp")]


async def test_an_upload_that_breaks_off_leaves_room_for_the_next(
    site: Engine, desk: aiohttp.ClientSession
) -> None:
    host, port = site.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    head = f"POST /api/v1/imports HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {site.token}\r\n"
    writer.write(f"{head}Content-Length: 1000\r\n\r\nPK".encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    packed = archive_of(csv_of([person(1)]))

    async def begun() -> dict[str, Any]:
        while True:
            status, job = await send(desk, packed)
            if status == 202:
                return job
            await asyncio.sleep(0.05)

    async with asyncio.timeout(10):
        assert (await begun())["total"] == 1
