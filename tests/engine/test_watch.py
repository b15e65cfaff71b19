"""The watch over the event loop sees what blocks it, and only that."""

from __future__ import annotations

import asyncio
import hashlib
import time

import pytest

from tests.engine.watch import can_watch, watched

pytestmark = pytest.mark.skipif(
    not can_watch(), reason="this kernel does not tell how long threads waited (schedstat)"
)

LONGEST_S = 0.2


async def test_a_loop_that_sleeps_is_noticed() -> None:
    async with watched(LONGEST_S) as stood:
        time.sleep(2 * LONGEST_S)  # noqa: ASYNC251  what must be noticed
    assert stood


async def test_a_loop_that_computes_is_noticed() -> None:
    async with watched(LONGEST_S) as stood:
        until = time.thread_time() + 2 * LONGEST_S
        while time.thread_time() < until:
            hashlib.sha256(b"x" * 10_000).digest()
    assert stood


async def test_a_loop_that_waits_is_not_blamed() -> None:
    async with watched(LONGEST_S) as stood:
        await asyncio.sleep(2 * LONGEST_S)
        await asyncio.to_thread(time.sleep, 2 * LONGEST_S)
    assert not stood
