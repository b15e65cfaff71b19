"""Areas: who is in them by passages, and what a full one, or one entered twice, says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.engine.site.gated import Gated, gated
from tests.support import FakeClock

pytestmark = pytest.mark.usefixtures("free_loop")


def options(**area: Any) -> dict[str, Any]:
    return {
        "areas": [{"id": "hall", **area}],
        "doors": [{"id": "front", "pulse_seconds": 1, "area": "hall"}],
    }


async def hall(site: Gated) -> dict[str, Any]:
    await site.engine.site.bulletin.finish()
    (area,) = (await site.make("GET", "areas"))["areas"]
    return dict(area)


async def test_passages_count_and_a_full_area_denies_the_next_entry(tmp_path: Path) -> None:
    clock = FakeClock()
    async with gated(tmp_path, options(capacity=2), clock) as site:
        ann, pin = await site.resident("Ann")
        _, other = await site.resident("Ben")
        until_s = clock.now().timestamp() + 3600
        wish = {"name": "Cleo", "door_ids": ["front"], "valid_until": until_s}
        code = (await site.make("POST", "passes", wish))["code"]
        assert (await site.present(**pin))["granted"]
        assert (await site.present(code=code))["granted"]
        area = await hall(site)
        assert (area["occupancy"], area["capacity"], area["subjects"]) == (2, 2, [ann])
        full = await site.present(**other)
        assert full["reason"] == "area_full"
        (verdict,) = [v for v in full["verdicts"] if v["control"] == "capacity"]
        assert (verdict["measured"], verdict["limit"]) == (2, 2)
    async with gated(tmp_path, options(capacity=2), clock) as site:
        assert await hall(site) == area
        assert (await site.present(direction="exit", code=code))["granted"]
        assert (await hall(site))["occupancy"] == 1
        assert (await site.present(**other))["granted"]
        assert (await site.present(direction="exit", **pin))["granted"]
        assert (await hall(site))["occupancy"] == 1


async def test_a_correction_counts_and_names_who_made_it(tmp_path: Path) -> None:
    async with gated(tmp_path, options(capacity=5)) as site:
        ann, pin = await site.resident("Ann")
        await site.present(**pin)
        body = await site.make("PUT", "areas/hall/occupancy", {"count": 5})
        assert (body["occupancy"], body["subjects"]) == (5, [ann])
        assert (await site.present(**pin))["reason"] == "area_full"
        assert (await site.ask("PUT", "areas/hall/occupancy", {"count": -1}))[0] == 400
        assert (await site.ask("PUT", "areas/yard/occupancy", {"count": 1}))[0] == 404
        (event,) = await site.events("area")
        assert event["body"] == {"occupancy": 5, "user": "api"}


async def test_hard_anti_passback_denies_a_second_entry_until_a_reset(tmp_path: Path) -> None:
    async with gated(tmp_path, options(anti_passback="hard")) as site:
        ann, pin = await site.resident("Ann")
        assert (await site.present(**pin))["granted"]
        assert (await site.present(**pin))["reason"] == "already_inside"
        assert await site.alarms() == ["passback"]
        assert (await site.make("POST", "areas/hall/reset", {"subject_id": ann}))["subjects"] == []
        assert (await site.present(**pin))["granted"]
        assert (await site.present(direction="exit", **pin))["granted"]
        assert (await site.present(**pin))["granted"]
        assert (await site.make("POST", "areas/hall/reset", {}))["occupancy"] == 0


async def test_soft_anti_passback_alarms_and_opens(tmp_path: Path) -> None:
    async with gated(tmp_path, options(anti_passback="soft")) as site:
        _, pin = await site.resident("Ann")
        assert (await site.present(**pin))["granted"]
        assert (await site.present(**pin))["granted"]
        assert await site.alarms() == ["passback"]
        assert (await hall(site))["occupancy"] == 1


async def test_an_area_empties_itself_at_its_hour_also_on_the_disk(tmp_path: Path) -> None:
    clock = FakeClock()
    tonight = datetime.now(UTC).replace(hour=22, minute=0, second=0) + timedelta(days=1)
    clock.wall = (tonight - clock.now()).total_seconds()
    chosen = options(reset_at="23:00")
    async with gated(tmp_path, chosen, clock) as site:
        _, pin = await site.resident("Ann")
        await site.present(**pin)
        await site.tick(3590)
        assert (await hall(site))["occupancy"] == 1
        await site.tick(20)
        assert (await hall(site))["occupancy"] == 0
    async with gated(tmp_path, chosen, clock) as site:
        assert (await hall(site))["subjects"] == []
