"""An import that was killed half-way and repeated ends as one that was not."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import aiohttp

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
from tests.engine.process import Program, started
from tests.support import lend_models

ROWS = 120


def archive() -> bytes:
    rows = [
        {
            "external_id": f"p{n}",
            "name": f"Person {n}",
            "groups": f"group {n % 3}",
            "doors": "front" if n % 2 else "back",
            "valid_until": "2030-01-01",
            "photo": f"{n % 2}.jpg" if n % 10 == 0 else "",
            "distinct": "yes",
            **CONSENT,
        }
        for n in range(ROWS)
    ]
    return archive_of(csv_of(rows), {f"{n}.jpg": each for n, each in enumerate(small_faces())})


def session_of(program: Program) -> aiohttp.ClientSession:
    headers = {"Authorization": f"Bearer {program.token}"}
    return aiohttp.ClientSession(program.url, headers=headers)


async def kept(session: aiohttp.ClientSession) -> dict[str, Any]:
    """Return everybody by external id, without what the engine gives at random."""
    async with session.get("/api/v1/groups") as response:
        groups = {each["id"]: each["name"] for each in (await response.json())["groups"]}
    shown = {}
    for external_id, each in (await people(session)).items():
        named = [groups[group] for group in each["groups"]]
        shown[external_id] = {**each, "id": None, "number": None, "groups": named}
    return shown


async def test_killed_half_way_and_repeated_it_ends_the_same(tmp_path: Path) -> None:
    packed = archive()
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    for folder in (killed, whole):
        lend_models(folder / "data")
    async with started(DOORS, killed) as program:
        await program.listening()
        async with session_of(program) as session:
            _, job = await send(session, packed)
            async with asyncio.timeout(60):
                while (await look(session, job["import_id"]))["done"] < ROWS // 2:  # noqa: ASYNC110  what is looked at has no event
                    await asyncio.sleep(0.02)
            await program.kill()
    async with started(DOORS, killed) as program:
        await program.listening()
        async with session_of(program) as session:
            half = len(await people(session))
            assert 0 < half < ROWS
            job = await imported(session, packed)
            assert (job["state"], job["refused"]) == ("done", 0)
            assert (job["unchanged"], job["added"]) == (half, ROWS - half)
            repeated = await kept(session)
    async with started(DOORS, whole) as program:
        await program.listening()
        async with session_of(program) as session:
            assert (await imported(session, packed))["added"] == ROWS
            assert await kept(session) == repeated
    assert {each["references"] for each in repeated.values()} == {0, 1}
