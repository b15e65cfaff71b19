"""Enrollment from the command line: what can be used is, and what cannot is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web
import cv2
import pytest

from facegate.enroll import enroll
from facegate.errors import FaceGateError, ImageError, NotFoundError
from tests.engine.face.real import astronaut, enlarged, packaged
from tests.support import Engine, consenting, engine, free_port

pytestmark = pytest.mark.usefixtures("free_loop")

PHOTO = packaged("skimage", "data/astronaut.png")
OTHER = packaged("matplotlib", "mpl-data/sample_data/grace_hopper.jpg")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Engine]:
    options = {"doors": [{"id": "front"}, {"id": "back"}]}
    async with engine(options, tmp_path / "data") as running:
        yield running


async def people(site: Engine) -> list[dict[str, Any]]:
    async with site.session() as session, session.get("/api/v1/subjects") as response:
        return list((await response.json())["subjects"])


async def run(site: Engine, *files: Path, doors: tuple[str, ...] = ("front",)) -> str:
    return await enroll(site.data, site.url, consenting("Ann", list(doors)), list(files))


async def test_photos_become_references_with_permits(site: Engine, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "again.jpg"), enlarged(astronaut(), 1.5))
    told = await run(site, PHOTO, tmp_path / "again.jpg", doors=("front", "back"))
    (ann,) = await people(site)
    assert told == f"Ann is enrolled as {ann['id']} with 2 references"
    assert (ann["name"], ann["kind"], ann["references"]) == ("Ann", "resident", 2)
    assert [permit["door_id"] for permit in ann["permits"]] == ["front", "back"]


async def test_a_short_video_becomes_several_references(site: Engine, resident_clip: Path) -> None:
    told = await run(site, resident_clip)
    (ann,) = await people(site)
    assert ann["references"] == 5
    assert "with 5 references" in told


async def test_what_cannot_be_used_is_told_and_the_rest_is_used(
    site: Engine, tmp_path: Path
) -> None:
    (tmp_path / "text.jpg").write_text("hello")
    told = await run(site, tmp_path / "text.jpg", PHOTO)
    assert "with 1 references" in told
    assert "refused: text.jpg: not a JPEG, PNG or WebP picture" in told


async def test_a_photo_of_somebody_else_is_told_and_left_out(site: Engine) -> None:
    told = await run(site, PHOTO, OTHER)
    assert "with 1 references" in told
    assert "refused: grace_hopper.jpg: this seems to be somebody else" in told


async def test_a_twin_is_enrolled_where_that_is_said(site: Engine) -> None:
    await run(site, PHOTO)
    with pytest.raises(ImageError, match="seems to be enrolled as"):
        await run(site, PHOTO)
    twin = replace(consenting("Ben", ["front"]), distinct=True)
    assert "with 1 references" in await enroll(site.data, site.url, twin, [PHOTO])
    assert [each["name"] for each in await people(site)] == ["Ann", "Ben"]


async def test_where_nothing_can_be_used_nobody_is_enrolled(
    site: Engine, faceless_clip: Path, tmp_path: Path
) -> None:
    (tmp_path / "text.jpg").write_text("hello")
    with pytest.raises(ImageError) as caught:
        await run(site, faceless_clip, tmp_path / "text.jpg")
    assert "nobody was enrolled" in str(caught.value)
    assert "no face was found" in str(caught.value)
    assert await people(site) == []


async def test_a_file_that_is_no_picture_is_named_before_anybody_is_added(
    site: Engine, tmp_path: Path
) -> None:
    (tmp_path / "list.txt").write_text("hello")
    with pytest.raises(ImageError, match="neither a photo nor a video"):
        await run(site, tmp_path / "list.txt")
    with pytest.raises(NotFoundError, match="No such file"):
        await run(site, tmp_path / "none.jpg")
    assert await people(site) == []


async def test_a_door_that_is_none_is_named(site: Engine) -> None:
    with pytest.raises(FaceGateError, match="'garage' is not one of front, back"):
        await run(site, PHOTO, doors=("garage",))
    assert await people(site) == []


async def test_a_wrong_token_is_told(site: Engine, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x" * 43)
    with pytest.raises(FaceGateError, match="token is missing or wrong"):
        await enroll(tmp_path, site.url, consenting("Ann", ["front"]), [PHOTO])


async def test_an_engine_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="token: no token of an engine"):
        await enroll(tmp_path, "http://127.0.0.1:1", consenting("Ann", ["front"]), [PHOTO])
    (tmp_path / "token").write_text("x" * 43)
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(FaceGateError, match=f"the engine at {url} cannot be reached"):
        await enroll(tmp_path, url, consenting("Ann", ["front"]), [PHOTO])


async def test_something_else_at_its_address_is_told(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("x" * 43)
    answers = iter([web.Response(text="<html>hello</html>", status=502), web.Response(text="hi")])

    async def other(_: web.Request) -> web.Response:
        return next(answers)

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", other)
    runner = web.AppRunner(app)
    await runner.setup()
    port = free_port()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    url = f"http://127.0.0.1:{port}"
    for _ in range(2):
        with pytest.raises(FaceGateError, match="is not this version's engine"):
            await enroll(tmp_path, url, consenting("Ann", ["front"]), [PHOTO])
    await runner.cleanup()


async def test_an_engine_that_does_not_answer_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("facegate.remote._TIMEOUT", aiohttp.ClientTimeout(total=0.1))
    (tmp_path / "token").write_text("x" * 43)
    silent = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{silent.sockets[0].getsockname()[1]}"
    with pytest.raises(FaceGateError, match="cannot be reached"):
        await enroll(tmp_path, url, consenting("Ann", ["front"]), [PHOTO])
    silent.close()
