"""The short benchmark: what cameras cost on this machine, by resolution and number."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from facegate.bench.film import RATE, pictures_of, still, write_film
from facegate.bench.metrics import Latency
from facegate.bench.program import running
from facegate.bench.report import Section, Table
from facegate.bench.sampler import busy, sampled

SIZES = ((640, 360), (1280, 720), (1920, 1080))
COUNTS = (1, 2, 4)
_FILM_S = 4.0
_SETTLE_S = 2.0
_EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Load:
    """An engine that watched ``count`` cameras; ``cores`` were busy with all of them."""

    size: tuple[int, int]
    count: int
    cores: float
    peak_rss_mb: float
    latencies: dict[str, Latency]

    @property
    def per_stream(self) -> float:
        """CPU seconds for a second of one stream."""
        return self.cores / self.count


async def measure_quick(
    clip: Path | None,
    seconds: float,
    sizes: tuple[tuple[int, int], ...] = SIZES,
    counts: tuple[int, ...] = COUNTS,
) -> tuple[Section, ...]:
    """Run engines with clip cameras: over a still scene and, with a clip, over its people.

    Raises ``FaceGateError``.
    """
    idle = _section("Idle cameras", await _loads(None, seconds, sizes, counts), seconds)
    if clip is None:
        note = "no clip was given: nobody stands before these cameras (--clip FILE shows people)"
        return (_noted(idle, note),)
    title = f"Cameras that show {clip.name}"
    people = _section(title, await _loads(clip, seconds, sizes, counts), seconds)
    note = (
        f"the first {_FILM_S:g} s again and again; nobody is enrolled, so faces are read on and on"
    )
    return idle, _noted(people, note)


async def _loads(
    clip: Path | None,
    seconds: float,
    sizes: tuple[tuple[int, int], ...],
    counts: tuple[int, ...],
) -> list[Load]:
    loads = []
    with TemporaryDirectory(prefix="facegate-bench-") as held:
        folder = Path(held)
        # The first start prepares the models, and its memory is not what watching takes.
        async with running({"doors": [{"id": "door"}]}, folder):
            pass
        for size in sizes:
            film = await asyncio.to_thread(_film, clip, size, folder)
            loads += [await _load(film, size, count, seconds, folder) for count in counts]
    return loads


def _film(clip: Path | None, size: tuple[int, int], folder: Path) -> Path:
    pictures = still(size, RATE, _FILM_S) if clip is None else pictures_of(clip, RATE, _FILM_S)
    return write_film(folder / f"{size[0]}x{size[1]}.mp4", pictures, size, RATE)


async def _load(
    film: Path, size: tuple[int, int], count: int, seconds: float, folder: Path
) -> Load:
    options = {
        "cameras": [{"id": f"cam{n}", "clip": str(film), "loop": True} for n in range(count)],
        "doors": [
            {"id": f"door{n}", "entry_camera": f"cam{n}", "visitors": False} for n in range(count)
        ],
    }
    # One data folder for all: the models are prepared once.
    async with running(options, folder) as program:
        await program.streaming(count)
        await asyncio.sleep(_SETTLE_S)
        usage = await sampled(program.usage, seconds, _EVERY_S)
        latencies = dict(await program.latencies())
    return Load(size, count, busy(usage), usage[-1].peak_rss_mb, latencies)


def _section(title: str, loads: list[Load], seconds: float) -> Section:
    columns = ("picture", "cameras", "CPU s per stream second", "frames/s a core", "peak RSS MB")
    rows = tuple(
        (
            f"{load.size[0]}x{load.size[1]}",
            load.count,
            load.per_stream,
            RATE / load.per_stream if load.per_stream else None,
            load.peak_rss_mb,
        )
        for load in loads
    )
    stages = tuple((name, at.p50_ms, at.p95_ms) for name, at in loads[-1].latencies.items())
    tables = [Table(columns, rows)]
    if stages:
        tables.append(Table(("stage, last row's cameras", "p50 ms", "p95 ms"), stages))
    return Section(title, (), tuple(tables), (f"{RATE} frames a second, {seconds:g} s each row",))


def _noted(section: Section, note: str) -> Section:
    return Section(section.title, section.figures, section.tables, (*section.notes, note))
