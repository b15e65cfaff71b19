"""Whom a visitor asks for: the unit of the call that rings, or of the next one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facegate.domain import AccessPoint
from facegate.protocol import CallAnswer, CallOpened, Direction
from tests.engine.site.gated import Gated, gated

pytestmark = pytest.mark.usefixtures("free_loop")

FRONT = AccessPoint("front", Direction.ENTRY)
DOORS = [{"id": "front", "pulse_seconds": 1, "unit": "desk"}]


async def ring(site: Gated, who: int) -> str | None:
    """Let a face ring, another one for each number; return whom it asks for."""
    face = np.zeros(128, np.float32)
    face[who] = 1
    await site.engine.site.visitors.ring(FRONT, b"\xff\xd8", face)
    (call,) = site.engine.site.board.state().calls
    return call.unit


async def turn_away(site: Gated) -> None:
    (call,) = site.engine.site.board.state().calls
    assert (await site.client.answer(call.id, CallAnswer.TURN_AWAY)).ok


async def test_a_unit_is_asked_for_before_and_while_it_rings_and_not_for_ever(
    tmp_path: Path,
) -> None:
    async with gated(tmp_path, {"doors": DOORS}) as site:
        path = "doors/front/unit"
        await site.make("POST", path, {"unit": "4a"})
        assert await ring(site, 1) == "4a"
        await site.make("POST", path, {"unit": "5b"})
        told = await site.client.wait_for(CallOpened, lambda opened: opened.call.unit == "5b")
        (call,) = site.engine.site.board.state().calls
        assert (call.id, call.unit) == (told.call.id, "5b")
        await turn_away(site)
        assert await ring(site, 2) == "desk"  # who rings next did not ask
        await turn_away(site)
        await site.make("POST", path, {"unit": "4a"})
        site.clock.passed += 60
        assert await ring(site, 3) == "desk"
        units = [event["body"]["unit"] for event in await site.events("call")]
        assert units == ["4a", "5b", "desk", "desk", "desk"]
        assert (await site.ask("POST", "doors/garage/unit", {"unit": "4a"}))[0] == 404
