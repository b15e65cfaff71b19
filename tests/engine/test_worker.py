"""Work for one thread, the newest first."""

from __future__ import annotations

import asyncio
import threading

import pytest

from facegate import worker
from facegate.worker import NewestFirst


async def test_the_newest_picture_goes_first_and_one_at_a_time() -> None:
    reader, free, done = NewestFirst("reader"), threading.Event(), list[float]()
    running = asyncio.create_task(reader.run(free.wait, 0.0))
    await asyncio.sleep(0.02)
    waiting = [
        asyncio.create_task(reader.run(lambda at=at: done.append(at), at))  # type: ignore[misc]
        for at in (3.0, 5.0, 1.0, 4.0)
    ]
    await asyncio.sleep(0.02)
    assert reader.waiting == 4
    free.set()
    await asyncio.gather(running, *waiting)
    assert done == [5.0, 4.0, 3.0, 1.0]
    reader.close()


async def test_nothing_is_passed_over_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "LONGEST_WAIT_S", 0.0)
    reader, free, done = NewestFirst("reader"), threading.Event(), list[float]()
    running = asyncio.create_task(reader.run(free.wait, 0.0))
    await asyncio.sleep(0.02)
    waiting = []
    for at in (1.0, 2.0, 3.0):
        waiting.append(asyncio.create_task(reader.run(lambda at=at: done.append(at), at)))  # type: ignore[misc]
        await asyncio.sleep(0.01)
    free.set()
    await asyncio.gather(running, *waiting)
    assert done == [1.0, 2.0, 3.0]
    reader.close()


async def test_what_work_raises_is_raised_where_it_is_awaited() -> None:
    reader = NewestFirst("reader")
    with pytest.raises(ZeroDivisionError):
        await reader.run(lambda: 1 / 0, 0.0)
    assert await reader.run(lambda: 7, 0.0) == 7
    reader.close()


async def test_work_that_nobody_awaits_any_more_is_left_out() -> None:
    reader, free, done = NewestFirst("reader"), threading.Event(), list[str]()
    running = asyncio.create_task(reader.run(free.wait, 0.0))
    await asyncio.sleep(0.02)
    left = asyncio.create_task(reader.run(lambda: done.append("left"), 1.0))
    kept = asyncio.create_task(reader.run(lambda: done.append("kept"), 0.5))
    await asyncio.sleep(0.02)
    left.cancel()
    await asyncio.sleep(0)
    free.set()
    await asyncio.gather(running, kept)
    assert done == ["kept"]
    reader.close()


async def test_closing_cancels_what_waits() -> None:
    reader, free = NewestFirst("reader"), threading.Event()
    running = asyncio.create_task(reader.run(free.wait, 0.0))
    await asyncio.sleep(0.02)
    waiting = asyncio.create_task(reader.run(lambda: None, 1.0))
    await asyncio.sleep(0.02)
    closing = asyncio.create_task(asyncio.to_thread(reader.close))
    await asyncio.sleep(0.02)
    free.set()
    await closing
    assert await running
    with pytest.raises(asyncio.CancelledError):
        await waiting
    with pytest.raises(asyncio.CancelledError):
        await reader.run(lambda: None, 2.0)
