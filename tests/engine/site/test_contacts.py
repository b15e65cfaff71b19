"""A contact tells what really opened: a passage, a forced door, a door held open."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from facegate.protocol import ContactStatus, DoorAction, DoorStateName
from tests.engine.site.gated import Gated, gated
from tests.support import until

pytestmark = pytest.mark.usefixtures("free_loop")

OPTIONS: dict[str, Any] = {
    "areas": [{"id": "hall", "capacity": 1}],
    "doors": [
        {
            "id": "front",
            "pulse_seconds": 1,
            "area": "hall",
            "contact": True,
            "held_open_seconds": 10,
        },
        {"id": "back", "pulse_seconds": 1},
    ],
}


async def contact(site: Gated, *, opened: bool | None) -> None:
    await site.client.send(ContactStatus("front", opened))
    await until(lambda: site.engine.site.board.is_open("front") is opened)


async def shut_again(site: Gated) -> None:
    await until(lambda: site.door().state is DoorStateName.LOCKED)


def reason(receipt: Any) -> str:
    return str(receipt["reason"])


async def test_a_passage_is_counted_once_the_door_really_opens(tmp_path: Path) -> None:
    async with gated(tmp_path, OPTIONS) as site:
        _, pin = await site.resident("Ann")
        _, other = await site.resident("Ben")
        await contact(site, opened=False)
        assert reason(await site.present(**pin)) == "granted"
        assert await site.events("passage") == []
        assert reason(await site.present(**other)) == "area_full"  # a place is kept for Ann
        await shut_again(site)
        await site.tick(6)  # who does not go in takes no place
        assert reason(await site.present(**other)) == "granted"
        await contact(site, opened=True)
        assert len(await site.events("passage")) == 1
        await contact(site, opened=False)
        assert reason(await site.present(**pin)) == "area_full"
        assert await site.alarms() == []


async def test_a_door_is_forced_where_nobody_was_granted_it(tmp_path: Path) -> None:
    async with gated(tmp_path, OPTIONS) as site:
        await contact(site, opened=True)  # found open: nobody saw it being forced
        assert await site.alarms() == []
        await contact(site, opened=False)
        assert (await site.client.operate("front", DoorAction.OPEN)).ok
        await shut_again(site)
        await contact(site, opened=True)  # an operator's opening, taken late
        await contact(site, opened=False)
        assert await site.alarms() == []
        await contact(site, opened=True)
        assert site.door().forced_open
        assert await site.alarms() == ["door_forced"]
        await site.tick(10)
        assert site.door().held_open
        assert await site.alarms() == ["door_forced", "door_held"]
        await site.tick(10)
        assert len(await site.alarms()) == 2
        await contact(site, opened=False)
        assert (site.door().forced_open, site.door().held_open) == (False, False)
        assert await site.events("passage") == []


async def test_a_door_that_is_free_is_neither_forced_nor_held(tmp_path: Path) -> None:
    async with gated(tmp_path, OPTIONS) as site:
        await contact(site, opened=False)
        await site.make("PUT", "doors/front/mode", {"mode": "free"})
        await contact(site, opened=True)
        await site.tick(60)
        assert await site.alarms() == []
        await site.make("PUT", "doors/front/mode", {"mode": "normal"})
        await site.tick(9)
        assert await site.alarms() == []
        await site.tick(1)
        assert await site.alarms() == ["door_held"]


async def test_what_came_to_nothing_keeps_no_place(tmp_path: Path) -> None:
    async with gated(tmp_path, OPTIONS) as site:
        _, pin = await site.resident("Ann")
        await contact(site, opened=False)
        site.client.refusal = "stuck"
        assert (await site.ask("POST", "doors/front/credentials", pin))[0] >= 500
        facts = site.engine.site.gate.presence.facts("hall", None)
        assert facts is not None
        assert facts.occupancy == 0
        site.client.refusal = None
        assert reason(await site.present(**pin)) == "granted"


async def test_a_door_without_the_option_has_no_contact(tmp_path: Path) -> None:
    async with gated(tmp_path, OPTIONS) as site:
        await site.client.send(ContactStatus("back", open=True))
        await site.client.operate("back", DoorAction.LOCK)
        assert site.engine.site.board.is_open("back") is None
        assert await site.alarms() == []
