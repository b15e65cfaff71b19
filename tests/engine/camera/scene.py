"""Synthetic scenes whose pictures carry their number, and a clock."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
import time

import numpy as np
from numpy.typing import NDArray

type Picture = NDArray[np.uint8]

BITS = 8
BLOCK = 40


class SystemClock:
    """Real time: what is measured here is real."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()


def numbered(
    count: int, *, width: int = 640, height: int = 360, first: int = 0
) -> Iterator[Picture]:
    """Yield pictures whose top row of blocks spells their number, white for one."""
    for number in range(first, first + count):
        picture = np.full((height, width, 3), 64, np.uint8)
        for bit in range(BITS):
            if number >> bit & 1:
                picture[:BLOCK, bit * BLOCK : (bit + 1) * BLOCK] = 255
        yield picture


def number_of(picture: Picture) -> int:
    """Read a picture's number."""
    row = picture[BLOCK // 2, BLOCK // 2 :: BLOCK, 0]
    return sum(1 << bit for bit in range(BITS) if row[bit] > 160)
