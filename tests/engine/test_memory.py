"""Memory that was needed for a moment is given back."""

from __future__ import annotations

import asyncio
import platform
import sys

import pytest

from facegate.memory import give_back, keep_small

# Half of the pieces are freed, every second one, so that no end of the heap can shrink by itself.
PROGRAM = """
from facegate.memory import give_back, keep_small
import os

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

keep_small()
pieces = [bytearray(256 * 1024) for _ in range(800)]
full = resident()
del pieces[::2]
kept = resident()
give_back()
print(full, kept, resident(), len(pieces))
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="needs glibc")
async def test_what_was_freed_between_what_is_used_goes_back_to_the_system() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await process.communicate()
    full, kept, after, _ = map(int, told.split())
    freed = 400 * 256 * 1024
    assert full - after > 0.9 * freed
    assert kept >= after


def test_without_glibc_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(name)

    monkeypatch.setattr("facegate.memory.ctypes.CDLL", missing)
    keep_small()
    give_back()
