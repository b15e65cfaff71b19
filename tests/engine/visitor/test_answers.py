"""A visitor who rings is let in once, by one person, whose name is on record."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facegate.domain import AccessPoint
from facegate.protocol import (
    AccessEvent,
    CallAnswer,
    CallClosed,
    CallOpened,
    CallView,
    Direction,
    ErrorCode,
)
from tests.support import Client, Engine, FakeClock, engine, until

pytestmark = pytest.mark.usefixtures("free_loop")

FRONT = AccessPoint("front", Direction.ENTRY)
OPTIONS: dict[str, Any] = {"doors": [{"id": "front", "pulse_seconds": 1}]}


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def site(tmp_path: Path, clock: FakeClock) -> AsyncIterator[Engine]:
    async with engine(OPTIONS, tmp_path, clock) as running:
        yield running


@pytest.fixture
async def client(site: Engine) -> AsyncIterator[Client]:
    async with Client.connected(site.url, site.token) as connected:
        await connected.drive("front")
        yield connected


async def ring(site: Engine) -> CallView:
    await site.site.visitors.ring(FRONT, b"\xff\xd8", np.eye(1, 128, dtype=np.float32)[0])
    (call,) = site.site.board.state().calls
    return call


async def on_record(site: Engine, kind: str) -> list[dict[str, Any]]:
    return [event for event in await site.events() if event["kind"] == kind]


async def test_a_ring_is_told_to_everybody_at_once(site: Engine, client: Client) -> None:
    call = await ring(site)
    assert (await client.wait_for(CallOpened)).call == call
    assert call.door_id == "front"
    (event,) = await on_record(site, "call")
    assert (event["ref"], event["body"]["outcome"]) == (call.id, "rang")


async def test_who_is_let_in_is_let_in_once_and_the_approver_is_on_record(
    site: Engine, client: Client
) -> None:
    call = await ring(site)
    assert (await client.answer(call.id, CallAnswer.LET_IN, "Ann")).ok
    closed = await client.wait_for(CallClosed)
    assert (closed.call_id, closed.door_id, closed.outcome) == (call.id, "front", "let_in")
    event = await client.wait_for(AccessEvent)
    assert event.granted
    assert (event.basis, event.reason, event.approver) == ("visitor", "let_in", "Ann")
    (grant,) = await on_record(site, "access")
    assert (grant["body"]["call"], grant["body"]["approver"]) == (call.id, "Ann")
    assert [command.command_id for command in client.pulses] == [grant["ref"]]
    calls = [
        (event["body"]["outcome"], event["body"]["user"]) for event in await on_record(site, "call")
    ]
    assert calls == [("rang", None), ("let_in", "Ann")]


async def test_who_is_turned_away_stays_outside(site: Engine, client: Client) -> None:
    call = await ring(site)
    assert (await client.answer(call.id, CallAnswer.TURN_AWAY, "Ann")).ok
    assert (await client.wait_for(CallClosed)).outcome == "turned_away"
    assert client.pulses == []
    assert await on_record(site, "access") == []
    assert (await on_record(site, "call"))[-1]["body"] == {
        "outcome": "turned_away",
        "user": "Ann",
        "unit": None,
    }


async def test_a_call_that_ten_answer_at_the_same_moment_is_one_grant(site: Engine) -> None:
    call = await ring(site)
    async with AsyncExitStack() as stack:
        clients = [
            await stack.enter_async_context(Client.connected(site.url, site.token))
            for _ in range(10)
        ]
        await clients[0].drive("front")
        results = await asyncio.gather(
            *(
                client.answer(call.id, CallAnswer.LET_IN, f"user {number}")
                for number, client in enumerate(clients)
            )
        )
        winners = [f"user {number}" for number, result in enumerate(results) if result.ok]
        assert len(winners) == 1
        losers = [result.code for result in results if not result.ok]
        assert losers == [ErrorCode.CALL_CLOSED] * 9
        assert len(clients[0].pulses) == 1
        (grant,) = await on_record(site, "access")
        assert grant["body"]["approver"] == winners[0]
        assert [event["body"]["user"] for event in await on_record(site, "call")] == [
            None,
            *winners,
        ]


async def test_letting_in_and_turning_away_at_once_is_one_of_them(
    site: Engine, client: Client
) -> None:
    for _ in range(3):
        call = await ring(site)
        results = await asyncio.gather(
            client.answer(call.id, CallAnswer.TURN_AWAY), client.answer(call.id, CallAnswer.LET_IN)
        )
        assert [result.ok for result in results].count(True) == 1
        grants = [e for e in await on_record(site, "access") if e["body"]["call"] == call.id]
        assert len(grants) == int(results[1].ok)
        site.site.visitors._calls._recent.clear()  # the same face may ring again


async def test_a_call_that_nobody_answers_is_closed_and_opens_nothing(
    site: Engine, client: Client, clock: FakeClock
) -> None:
    call = await ring(site)
    clock.wall = -3600
    clock.passed = 60
    closed = await client.wait_for(CallClosed)
    assert (closed.call_id, closed.outcome) == (call.id, "expired")
    result = await client.answer(call.id, CallAnswer.LET_IN)
    assert (result.ok, result.code) == (False, ErrorCode.CALL_CLOSED)
    assert client.pulses == []
    assert [event["body"]["outcome"] for event in await on_record(site, "call")] == [
        "rang",
        "expired",
    ]


async def test_a_door_that_does_not_open_is_told_to_who_let_in(
    site: Engine, client: Client
) -> None:
    client.refusal = "the bolt is stuck"
    call = await ring(site)
    result = await client.answer(call.id, CallAnswer.LET_IN)
    assert (result.ok, result.code) == (False, ErrorCode.NOT_CONFIRMED)
    assert result.message == "the bolt is stuck"
    assert (await on_record(site, "opening"))[-1]["body"]["outcome"] == "failed"


async def test_a_client_that_comes_later_sees_the_open_call_and_no_closed_one(
    site: Engine, client: Client
) -> None:
    call = await ring(site)
    async with Client.connected(site.url, site.token) as late:
        await until(lambda: late.received[-1:])
        assert site.site.board.state().calls == (call,)
    assert (await client.answer(call.id, CallAnswer.TURN_AWAY)).ok
    assert site.site.board.state().calls == ()


async def test_a_call_ends_with_the_engine(tmp_path: Path) -> None:
    async with engine(OPTIONS, tmp_path) as site:
        call = await ring(site)
    async with (
        engine(OPTIONS, tmp_path) as site,
        Client.connected(site.url, site.token) as client,
    ):
        await client.drive("front")
        assert (await client.answer(call.id, CallAnswer.LET_IN)).code == ErrorCode.CALL_CLOSED
        assert site.site.board.state().calls == ()
