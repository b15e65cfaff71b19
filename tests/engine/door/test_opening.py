"""From a wish over the socket to the hardware and back: one pulse, and the truth about it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from facegate.decision.gate import Asking
from facegate.domain import AccessPoint
from facegate.door import homeassistant
from facegate.protocol import (
    AccessEvent,
    Actuate,
    ActuatorAction,
    ActuatorStatus,
    Direction,
    DoorAction,
    DoorChanged,
    DoorStateName,
    DoorView,
    ErrorCode,
)
from facegate.record.store import Work
from facegate.verdicts import Basis, Reason
from tests.support import Client, Engine, engine, until

pytestmark = pytest.mark.usefixtures("free_loop")

FRONT = AccessPoint("front", Direction.ENTRY)
OPTIONS: dict[str, Any] = {"doors": [{"id": "front", "pulse_seconds": 1}]}


@pytest.fixture
async def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Engine]:
    monkeypatch.setattr(homeassistant, "CONFIRM_S", 0.5)
    async with engine(OPTIONS, tmp_path) as running:
        yield running


@pytest.fixture
async def client(site: Engine) -> AsyncIterator[Client]:
    async with Client.connected(site.url, site.token) as connected:
        await connected.drive("front")
        yield connected


def front(site: Engine) -> DoorView:
    (door,) = site.site.board.state().doors
    return door


async def settled(site: Engine, state: DoorStateName) -> DoorView:
    await until(lambda: front(site).state is state)
    return front(site)


async def outcomes(site: Engine) -> list[tuple[str, str | None]]:
    await site.site.bulletin.finish()
    return [
        (event["body"]["outcome"], event["body"]["fault"])
        for event in await site.events()
        if event["kind"] == "opening"
    ]


async def test_the_record_is_durable_before_the_hardware_is_asked(
    site: Engine, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    order: list[str] = []
    perform = homeassistant.HomeAssistantActuator.perform
    writing = site.site.store.writing

    @asynccontextmanager
    async def recorded() -> AsyncIterator[Work]:
        async with writing() as work:
            yield work
        order.append("recorded")

    async def performed(self: Any, command: Any) -> None:
        order.append("asked")
        await perform(self, command)

    monkeypatch.setattr(site.site.store, "writing", recorded)
    monkeypatch.setattr(homeassistant.HomeAssistantActuator, "perform", performed)
    for action in (DoorAction.OPEN, DoorAction.UNLOCK):
        assert (await client.operate("front", action)).ok
        assert order[:2] == ["recorded", "asked"]
        await site.site.bulletin.finish()
        order.clear()


async def test_ten_wishes_at_once_are_one_pulse_and_ten_rows(site: Engine, client: Client) -> None:
    results = await asyncio.gather(
        *(client.operate("front", DoorAction.OPEN, f"user {n}") for n in range(10))
    )
    assert all(result.ok for result in results)
    assert len(client.pulses) == 1
    grants = [event for event in await site.events() if event["kind"] == "access"]
    assert {event["body"]["approver"] for event in grants} == {f"user {n}" for n in range(10)}
    assert {event["opening_id"] for event in grants} == {client.pulses[0].command_id}
    await settled(site, DoorStateName.LOCKED)
    assert await outcomes(site) == [("opened", None), ("relocked", None)]


async def test_an_opening_is_told_with_who_asked_for_it(site: Engine, client: Client) -> None:
    await client.operate("front", DoorAction.OPEN, None)
    event = await client.wait_for(AccessEvent)
    assert (event.granted, event.basis, event.reason) == (True, "operator", "operator")
    assert event.approver == "test"  # who does not say who he is goes by his client's name
    assert event.decision_id == client.pulses[0].command_id
    states = [m.door.state for m in client.all(DoorChanged)]
    assert states.index(DoorStateName.UNLOCKING) < states.index(DoorStateName.UNLOCKED)
    assert front(site).state is not DoorStateName.JAMMED


async def test_silence_is_a_jam_that_is_shown_and_told_and_over_when_it_answers(
    site: Engine, client: Client
) -> None:
    client.confirms = False
    result = await client.operate("front", DoorAction.OPEN)
    assert (result.ok, result.code) == (False, ErrorCode.NOT_CONFIRMED)
    door = await settled(site, DoorStateName.JAMMED)
    assert "did not confirm pulse" in str(door.fault)
    client.confirms = True
    assert (await client.operate("front", DoorAction.OPEN)).ok
    assert front(site).fault is None


async def test_a_client_that_goes_during_a_pulse_leaves_the_door_unavailable(
    site: Engine, client: Client
) -> None:
    async with Client.connected(site.url, site.token) as driver:
        await driver.drive("front")
        assert (await client.operate("front", DoorAction.OPEN)).ok
        assert len(driver.pulses) == 1
        assert client.pulses == []
    door = await settled(site, DoorStateName.UNAVAILABLE)
    assert "Home Assistant" in str(door.fault)
    assert (await client.operate("front", DoorAction.OPEN)).code == ErrorCode.ACTUATOR_UNAVAILABLE
    opened, failed, again = await outcomes(site)
    assert opened == ("opened", None)
    assert failed == ("failed", "Home Assistant went away before confirming")
    assert again[0] == "failed"
    await client.drive("front")
    await settled(site, DoorStateName.LOCKED)
    assert (await client.operate("front", DoorAction.OPEN)).ok


async def test_a_door_that_was_held_while_its_client_restarted_still_opens(site: Engine) -> None:
    async with Client.connected(site.url, site.token) as driver:
        await driver.drive("front")
        assert (await driver.operate("front", DoorAction.UNLOCK)).ok
        assert front(site).held
    await settled(site, DoorStateName.UNAVAILABLE)
    async with Client.connected(site.url, site.token) as driver:
        await driver.drive("front")  # it came back locked
        await settled(site, DoorStateName.LOCKED)
        assert (await driver.operate("front", DoorAction.OPEN)).ok
        assert len(driver.pulses) == 1


async def test_a_hold_is_ended_by_a_lock(site: Engine, client: Client) -> None:
    assert (await client.operate("front", DoorAction.UNLOCK)).ok
    await client.send(ActuatorStatus("front", available=True, unlocked=True))
    assert (await client.operate("front", DoorAction.LOCK)).ok
    assert front(site).state is DoorStateName.LOCKED
    actions = [command.action for command in client.all(Actuate)]
    assert actions == [ActuatorAction.HOLD, ActuatorAction.RELEASE]
    kinds = [(event["kind"], event["body"].get("user")) for event in await site.events()]
    assert ("lock", "Ann") in kinds


async def test_a_client_that_connects_again_is_not_sent_what_it_missed(site: Engine) -> None:
    async with Client.connected(site.url, site.token) as driver:
        await driver.drive("front")
        assert (await driver.operate("front", DoorAction.OPEN)).ok
    async with Client.connected(site.url, site.token) as driver:
        await driver.drive("front")
        await settled(site, DoorStateName.LOCKED)
        assert driver.all(Actuate) == []
        assert driver.all(AccessEvent) == []


async def test_an_opening_that_a_stop_interrupted_is_closed_on_record_and_not_repeated(
    tmp_path: Path,
) -> None:
    async with engine(OPTIONS, tmp_path) as site:
        # A grant whose engine dies before its door moves.
        asking = Asking(FRONT, Basis.OPERATOR, approval=Reason.OPERATOR)
        judgment = site.site.gate.judge(asking)
        grant = site.site.passages.decide(asking, judgment, approver="Ann")
        await site.site.store.record_decision(grant, grant.id)
    for _ in range(2):
        async with (
            engine(OPTIONS, tmp_path) as site,
            Client.connected(site.url, site.token) as driver,
        ):
            await driver.drive("front")
            await settled(site, DoorStateName.LOCKED)
            assert await outcomes(site) == [("interrupted", None)]
            assert driver.all(Actuate) == []
