"""Hours in minutes: clip cameras as fast as they decode, and what the engine holds meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
import time

from facegate.bench.actuator import driving
from facegate.bench.arithmetic import deviation, stretches
from facegate.bench.cameras import enroll_before
from facegate.bench.metrics import Metrics
from facegate.bench.people import Resident
from facegate.bench.program import Program, running
from facegate.bench.report import Bound, Figure, Section, Table, Target
from facegate.bench.sampler import growth
from facegate.bench.usage import Usage

_CAMERAS = 4
_EVERY_S = 10.0
_SETTLED_S = 300.0
_LEVEL_S = 300.0
_MINUTE_S = 60.0
_FLAT = 3.0
_PERCENT = 100
_SHORT_RUN = 6

type Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Look:
    """What the engine used and what waited in it, ``at`` seconds after the cameras began."""

    at: float
    usage: Usage
    metrics: Metrics

    @property
    def waiting(self) -> int:
        """How much waits in all its queues."""
        return sum(self.metrics.queues.values())


async def measure_soak(
    clips: Sequence[Path],
    residents: tuple[Resident, ...],
    minutes: float,
    models: Path | None,
    tell: Tell,
) -> Section:
    """Run four clip cameras at full load; ``tell`` hears a line a minute.

    Raises ``FaceGateError`` where the engine ends, or does not answer, before the time is over.
    """
    options = soak_options(clips, models)
    doors = tuple(f"door{number}" for number in range(_CAMERAS))
    with TemporaryDirectory(prefix="facegate-soak-") as folder:
        await enroll_before(options, residents, Path(folder))
        async with (
            running(options, Path(folder)) as program,
            driving(program.url, program.token, doors) as witness,
        ):
            await program.streaming(_CAMERAS)
            looks = await _looks(program, minutes * _MINUTE_S, tell)
            granted = witness.granted
    return _section(looks, minutes, granted)


def soak_options(clips: Sequence[Path], models: Path | None) -> dict[str, object]:
    """Return the options of four doors, each with a camera that plays a clip unpaced for ever."""
    options: dict[str, object] = {
        "cameras": [
            {
                "id": f"cam{number}",
                "clip": str(clips[number % len(clips)].resolve()),
                "loop": True,
                "paced": False,
            }
            for number in range(_CAMERAS)
        ],
        "doors": [
            {"id": f"door{number}", "entry_camera": f"cam{number}", "pulse_seconds": 1}
            for number in range(_CAMERAS)
        ],
    }
    return options if models is None else options | {"models": {"folder": str(models.resolve())}}


async def _looks(program: Program, seconds: float, tell: Tell) -> list[Look]:
    """Look every ten seconds; more often in a run that is too short for that."""
    every = min(_EVERY_S, seconds / _SHORT_RUN)
    began = told = time.monotonic()
    looks: list[Look] = []
    while not looks or looks[-1].at < seconds:
        await asyncio.sleep(every)
        now = time.monotonic()
        looks.append(Look(now - began, program.usage(), await program.metrics()))
        if now - told >= _MINUTE_S or looks[-1].at >= seconds:
            told = now
            tell(_line(looks[-1]))
    return looks


def _line(look: Look) -> str:
    usage = look.usage
    return (
        f"{look.at / _MINUTE_S:5.1f} min: RSS {usage.rss_mb:.1f} MB, {usage.threads} threads,"
        f" {usage.files} files, {look.waiting} waiting, CPU {usage.cpu_s:.0f} s"
    )


def settled(looks: Sequence[Look]) -> Sequence[Look]:
    """Return the looks after the first five minutes, or the second half of a shorter run."""
    after = [look for look in looks if look.at >= _SETTLED_S]
    return after if len(after) > len(looks) // 2 else looks[len(looks) // 2 :]


def _section(looks: Sequence[Look], minutes: float, granted: int) -> Section:
    late = settled(looks)
    times = [look.at for look in late]
    rss = growth(times, [look.usage.rss_mb for look in late])
    levels = stretches(times, [look.usage.rss_mb for look in late], _LEVEL_S)
    figures = [
        Figure("RSS at the end", rss.last, "MB"),
        Figure("RSS, growth", rss.per_minute, "MB/min"),
        # What frames under way take differs from moment to moment; what leaks moves the level.
        Figure(
            "RSS of five minutes, furthest from the mean",
            deviation(levels) * _PERCENT,
            "%",
            Target(Bound.AT_MOST, _FLAT),
        ),
        Figure("RSS of a moment, furthest from the mean", rss.deviation * _PERCENT, "%"),
        *_grown("threads", [look.usage.threads for look in late]),
        *_grown("open files", [look.usage.files for look in late]),
        *_grown("waiting in queues", [look.waiting for look in late]),
        Figure("decisions that granted", granted),
    ]
    rows = tuple(
        (round(look.at), look.usage.rss_mb, look.usage.threads, look.usage.files, look.waiting)
        for look in looks
    )
    table = Table(("second", "RSS MB", "threads", "files", "waiting"), rows)
    note = (
        f"{minutes:g} minutes, {_CAMERAS} cameras as fast as they decode; figures are of the time"
        f" from {times[0]:.0f} s on"
    )
    return Section("Soak", tuple(figures), (table,), (note,))


def _grown(name: str, values: Sequence[int]) -> list[Figure]:
    """Return the usual value of each half: what grows has a higher second half."""
    half = len(values) // 2
    first, second = median(values[: half or 1]), median(values[half:])
    return [
        Figure(f"{name}, first half", first),
        Figure(f"{name}, second half", second, "", Target(Bound.AT_MOST, first)),
    ]
