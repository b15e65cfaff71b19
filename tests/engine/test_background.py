"""Work in the background ends with its owner, whatever moment the owner ends in."""

from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest

from facegate.background import Background

FINISH_JUST_AFTER_THE_WORK = """
import asyncio
from facegate.background import Background

async def work():
    pass

async def main():
    background = Background()
    background.spawn(work())
    await asyncio.sleep(0)
    await background.finish()

asyncio.run(main())
"""


def test_finishing_in_the_moment_in_which_the_work_ended_does_not_freeze_the_engine() -> None:
    # In a process of its own: a frozen event loop can only be ended from outside.
    subprocess.run([sys.executable, "-c", FINISH_JUST_AFTER_THE_WORK], timeout=20, check=True)


async def test_finishing_waits_for_work_that_began_other_work() -> None:
    background = Background()
    done = []

    async def second() -> None:
        await asyncio.sleep(0.01)
        done.append("second")

    async def first() -> None:
        await asyncio.sleep(0.01)
        background.spawn(second())

    background.spawn(first())
    await background.finish()
    assert done == ["second"]


async def test_a_failure_is_logged_and_does_not_keep_others_from_finishing(
    caplog: pytest.LogCaptureFixture,
) -> None:
    background = Background()
    done = []

    async def fail() -> None:
        raise ValueError("of the test")

    async def work() -> None:
        await asyncio.sleep(0.01)
        done.append("work")

    background.spawn(fail())
    background.spawn(work())
    await background.finish()
    assert done == ["work"]
    assert "of the test" in caplog.text


async def test_canceled_work_ends_at_once() -> None:
    background = Background()
    background.spawn(asyncio.sleep(3600))
    async with asyncio.timeout(5):
        await background.cancel()
