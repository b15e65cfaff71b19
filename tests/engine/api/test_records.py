"""Records are taken out by door, subject and time, and tell when somebody changed them."""

from __future__ import annotations

from contextlib import closing
import csv
import io
import json
from pathlib import Path
import sqlite3
from typing import Any

import pytest

from tests.engine.site.gated import Gated, gated

pytestmark = pytest.mark.usefixtures("free_loop")


async def taken_out(site: Gated, query: str = "") -> list[dict[str, Any]]:
    """Return the sequence numbers' rows of both formats, which tell the same events."""
    await site.engine.site.bulletin.finish()
    async with site.session.get(f"/api/v1/records?format=jsonl&{query}") as response:
        assert response.content_type == "application/x-ndjson"
        lines = [json.loads(line) for line in (await response.text()).splitlines()]
    async with site.session.get(f"/api/v1/records?format=csv&{query}") as response:
        assert response.content_type == "text/csv"
        table = list(csv.DictReader(io.StringIO(await response.text())))
    assert [int(row["seq"]) for row in table] == [line["seq"] for line in lines]
    assert [row["kind"] for row in table] == [line["kind"] for line in lines]
    return lines


async def test_records_are_taken_out_by_door_subject_and_time(tmp_path: Path) -> None:
    async with gated(tmp_path) as site:
        ann, pin = await site.resident("Ann", "front", "back")
        ben, other = await site.resident("Ben")
        await site.present(**pin)
        await site.present("back", **pin)
        site.clock.passed += 100
        noon = site.clock.now().timestamp()
        await site.present(**other)
        everything = await taken_out(site)
        assert {row["door_id"] for row in await taken_out(site, "door_id=back")} == {"back"}
        assert {row["subject_id"] for row in await taken_out(site, f"subject_id={ben}")} == {ben}
        both = await taken_out(site, f"subject_id={ann}&door_id=front")
        assert {row["kind"] for row in both} == {"access", "passage"}
        before = await taken_out(site, f"until={noon}")
        after = await taken_out(site, f"since={noon}")
        assert before
        assert {row["subject_id"] for row in after if row["kind"] == "access"} == {ben}
        shown = [row["seq"] for row in everything]
        taken = [row["seq"] for row in before + after]
        assert [seq for seq in taken if seq in shown] == shown
        for query in ("format=xml", "since=x", "until=nan"):
            assert (await site.ask("GET", f"records?{query}"))[0] == 400


async def test_an_edit_by_another_program_is_found(tmp_path: Path) -> None:
    async with gated(tmp_path) as site:
        _, pin = await site.resident("Ann")
        await site.present(**pin)
        await site.engine.site.bulletin.finish()
        found = await site.make("GET", "records/verify")
        assert (found["ok"], found["first_bad_seq"]) == (True, None)
        assert found["checked"] >= 4
        (row,) = await site.events("access")
        with closing(sqlite3.connect(site.engine.database)) as database, database:
            edited = json.dumps({**row["body"], "granted": False})
            database.execute("UPDATE events SET body = ? WHERE seq = ?", (edited, row["seq"]))
        found = await site.make("GET", "records/verify")
        assert (found["ok"], found["first_bad_seq"]) == (False, row["seq"])
        assert found["finding"] == "edited"
