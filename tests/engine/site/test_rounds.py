"""What the site looks after by the clock: jumps, approvals that end, what is kept too long."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facegate.domain import AccessPoint
from facegate.protocol import CallAnswer, Direction
from tests.engine.api.office import PHOTO, add, person
from tests.engine.site.gated import gated
from tests.support import CONSENT, FakeClock

pytestmark = pytest.mark.usefixtures("free_loop")

DAY_S = 86_400.0
FRONT = AccessPoint("front", Direction.ENTRY)


async def test_a_clock_that_was_set_is_recorded_and_told(tmp_path: Path) -> None:
    async with gated(tmp_path) as site:
        site.clock.wall += 1.5  # a clock is corrected by seconds all the time
        await site.tick(3600)
        assert await site.alarms() == []
        for jump in (-60.0, 60.0):
            site.clock.wall += jump
            await site.tick()
        assert await site.alarms() == ["clock_jump"] * 2
        jumps = [event["body"]["jump_s"] for event in await site.events("clock")]
        assert jumps == pytest.approx([-60, 60], abs=0.01)


async def test_an_approval_that_ends_is_told_a_week_and_a_day_before_once_each(
    tmp_path: Path,
) -> None:
    clock = FakeClock()
    async with gated(tmp_path, clock=clock) as site:
        dora = await add(site.session, "Dora", kind="contractor")
        approval = {"state": "approved", "until": clock.now().timestamp() + 8 * DAY_S}
        await site.make("PUT", f"subjects/{dora}/approval", approval)
        await site.tick(60)
        assert await site.alarms() == []
        for _ in range(2):
            await site.tick(DAY_S)
            assert await site.alarms() == ["approval_expiring"]
    async with gated(tmp_path, clock=clock) as site:
        await site.tick(60)
        assert len(await site.events("alarm")) == 1
        await site.tick(5.5 * DAY_S)
        await site.tick(60)
        alarms = await site.events("alarm")
        assert [event["subject_id"] for event in alarms] == [dora, dora]
        await site.tick(DAY_S)
        assert len(await site.events("alarm")) == 2


async def test_what_is_kept_too_long_goes_and_the_chain_stays_whole(tmp_path: Path) -> None:
    options = {"retention": {"events_days": 30}}
    async with gated(tmp_path, options) as site:
        start = site.clock.now().timestamp()
        permits = [{"door_id": "front", "valid_until": start + DAY_S}]
        ann = await add(site.session, "Ann", permits=permits)
        await site.make("POST", f"subjects/{ann}/consents", {**CONSENT, "given_at": start})
        await site.make("POST", f"subjects/{ann}/photos", PHOTO)
        await site.engine.site.visitors.ring(FRONT, b"\xff\xd8 a picture", np.ones(128, np.float32))
        (call,) = site.engine.site.board.state().calls
        assert (await site.client.answer(call.id, CallAnswer.TURN_AWAY)).ok
        picture = f"/api/v1/calls/{call.id}/picture"
        await site.tick(0.9 * DAY_S)
        async with site.session.get(picture) as response:
            assert response.status == 200
        await site.tick(0.2 * DAY_S)
        async with site.session.get(picture) as response:
            assert response.status == 409
        await site.tick(6.8 * DAY_S)
        assert (await person(site.session, ann))["references"] == 1
        await site.tick(0.3 * DAY_S)
        assert (await person(site.session, ann))["references"] == 0
        assert [e for e in await site.engine.events() if e["at"] < start + 60]
        await site.tick(25 * DAY_S)
        events = await site.engine.events()
        assert events
        assert all(event["at"] > start + DAY_S for event in events)
        found = await site.make("GET", "records/verify")
        assert (found["ok"], found["first_bad_seq"]) == (True, None)
