"""Clients are told how fast passages are: at once when they connect, then from time to time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from facegate.latency import Stage
from facegate.protocol import LatencyView, PerformanceChanged, StateMessage
from facegate.site.performance import EVERY_S
from tests.support import Client, Engine, FakeClock, engine

pytestmark = pytest.mark.usefixtures("free_loop")


@dataclass
class Measured:
    """An engine whose time is told, and its client."""

    site: Engine
    client: Client
    clock: FakeClock

    def unlock(self, seconds: float) -> None:
        self.site.site.latencies.observe(Stage.ARRIVAL_TO_UNLOCK, seconds)

    async def told(self) -> list[tuple[LatencyView, ...]]:
        """Return what was told, once all that was sent has been received."""
        self.site.site.tick()
        await self.client.operate("nowhere", "lock")  # type: ignore[arg-type]
        return [message.latencies for message in self.client.all(PerformanceChanged)]


@pytest.fixture
async def measured(tmp_path: Path) -> AsyncIterator[Measured]:
    clock = FakeClock()
    async with (
        engine({"doors": [{"id": "front"}]}, tmp_path, clock) as site,
        Client.connected(site.url, site.token) as client,
    ):
        yield Measured(site, client, clock)


async def test_figures_are_told_in_milliseconds(measured: Measured) -> None:
    measured.unlock(0.41237)
    assert await measured.told() == [(LatencyView("arrival_to_unlock", 1, 412.4, 412.4),)]


async def test_new_figures_wait_until_the_last_are_half_a_minute_old(measured: Measured) -> None:
    measured.unlock(0.25)
    await measured.told()
    measured.unlock(0.75)
    measured.clock.passed += EVERY_S - 1
    assert len(await measured.told()) == 1
    measured.clock.passed += 1
    assert (await measured.told())[1:] == [(LatencyView("arrival_to_unlock", 2, 250, 750),)]


async def test_figures_that_have_not_changed_are_not_told_again(measured: Measured) -> None:
    measured.unlock(0.25)
    await measured.told()
    measured.clock.passed += 2 * EVERY_S
    assert len(await measured.told()) == 1


async def test_who_connects_is_told_at_once(measured: Measured) -> None:
    measured.unlock(0.25)
    async with Client.connected(measured.site.url, measured.site.token) as late:
        state = await late.wait_for(StateMessage)
    assert state.latencies == (LatencyView("arrival_to_unlock", 1, 250, 250),)
