"""Five thousand people with photos: an end, a report, and memory that does not follow the list."""

from __future__ import annotations

import os
from pathlib import Path
import re

import aiohttp
import pytest

from tests.engine.importing.lists import (
    CONSENT,
    DOORS,
    archive_of,
    csv_of,
    imported,
    people,
    small_faces,
)
from tests.engine.process import started
from tests.support import lend_models

MOST_GROWTH_KB = 300 * 1024
LONG = pytest.mark.skipif("FACEGATE_LONG" not in os.environ, reason="FACEGATE_LONG is not set")


def peak_kb(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1])


@pytest.mark.parametrize("count", [250, pytest.param(5000, marks=LONG)])
@pytest.mark.timeout(1800)
async def test_many_people_with_photos_are_imported_in_bounded_memory(
    tmp_path: Path, count: int
) -> None:
    row = {"doors": "front", "distinct": "yes", **CONSENT}
    rows = [
        {"external_id": f"p{n}", "name": f"Person {n}", "photo": f"{n}.jpg", **row}
        for n in range(count)
    ]
    rows[7]["photo"] = "none.jpg"
    faces = small_faces()
    packed = archive_of(csv_of(rows), {f"{n}.jpg": faces[n % 2] for n in range(count)})
    lend_models(tmp_path / "data")
    async with started(DOORS, tmp_path) as program:
        await program.listening()
        headers = {"Authorization": f"Bearer {program.token}"}
        async with aiohttp.ClientSession(program.url, headers=headers) as session:
            before = peak_kb(program.pid)
            job = await imported(session, packed, 1500)
            assert (job["state"], job["added"], job["refused"]) == ("done", count - 1, 1)
            assert [each["row"] for each in job["report"]] == [9]
            assert peak_kb(program.pid) - before < MOST_GROWTH_KB
            assert sum(each["references"] for each in (await people(session)).values()) == count - 1
