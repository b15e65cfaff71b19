"""An engine with its cameras, watched from outside: processor, memory, how fast a door opens."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
import sys
from tempfile import TemporaryDirectory

from facegate.bench.actuator import Witness, driving
from facegate.bench.arithmetic import percentile
from facegate.bench.metrics import Latency, Metrics
from facegate.bench.people import Resident, enroll_residents
from facegate.bench.program import read_options, running
from facegate.bench.report import Bound, Figure, Section, Table, Target
from facegate.bench.sampler import busy, sampled
from facegate.bench.usage import Usage, read_usage
from facegate.errors import FaceGateError, NotFoundError

_SETTLE_S = 4.0
_EVERY_S = 1.0
_MS = 1000


@dataclass(frozen=True, slots=True)
class Limits:
    """What is asked for in this run; None where nothing is.

    ``above_decode`` and ``cores`` are cores in all, ``rss_mb`` the peak, ``unlock_ms`` a p95.
    """

    above_decode: float | None = None
    cores: float | None = None
    rss_mb: float | None = None
    unlock_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Watching:
    """What was seen of an engine that watched its cameras."""

    usage: tuple[Usage, ...]
    latencies: Mapping[str, Latency]
    metrics: Metrics
    witness: Witness


async def measure_cameras(
    options_file: Path,
    residents: tuple[Resident, ...],
    seconds: float,
    limits: Limits,
    title: str,
    *,
    baseline: bool,
) -> Section:
    """Run an engine with an options file for some seconds; raises ``FaceGateError``.

    With ``baseline`` the same cameras' watched streams are first decoded, and nothing else, for
    as long.
    """
    options = await asyncio.to_thread(read_options, options_file)
    decoded = await bare_decode(streams_of(options), seconds) if baseline else None
    seen = await watch(options, residents, seconds)
    return _section(seen, decoded, seconds, limits, title)


async def watch(
    options: Mapping[str, object], residents: tuple[Resident, ...], seconds: float
) -> Watching:
    """Run an engine with these options and drive its doors; raises ``FaceGateError``."""
    doors = ids_of(options, "doors")
    with TemporaryDirectory(prefix="facegate-bench-") as folder:
        # Whoever stands before a camera already is enrolled before anybody looks.
        await enroll_before(options, residents, Path(folder))
        async with running(options, Path(folder)) as program:
            async with driving(program.url, program.token, doors) as witness:
                await program.streaming(len(ids_of(options, "cameras")))
                await asyncio.sleep(_SETTLE_S)
                usage = await sampled(program.usage, seconds, _EVERY_S)
            return Watching(
                tuple(usage), await program.latencies(), await program.metrics(), witness
            )


async def enroll_before(
    options: Mapping[str, object], residents: tuple[Resident, ...], folder: Path
) -> None:
    """Enroll residents with an engine that sees nobody; its records stay in ``folder``."""
    if not residents:
        return
    blind = {name: value for name, value in options.items() if name not in {"cameras", "doors"}}
    blind["doors"] = [{"id": door} for door in ids_of(options, "doors")]
    async with running(blind, folder) as program:
        await enroll_residents(program, residents, ids_of(options, "doors"))


async def bare_decode(urls: Sequence[str], seconds: float) -> float:
    """Return how many cores bare decoding of some streams keeps busy; raises ``FaceGateError``."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "facegate.bench.decode", *urls
    )
    try:
        await asyncio.sleep(_SETTLE_S)
        return busy(await sampled(lambda: read_usage(process.pid), seconds, seconds))
    except NotFoundError as err:
        raise FaceGateError(f"these streams end by themselves: {', '.join(urls)}") from err
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def ids_of(options: Mapping[str, object], kind: str) -> tuple[str, ...]:
    """Return the ids of an options file's cameras or doors."""
    return tuple(str(each["id"]) for each in _listed(options, kind))


def streams_of(options: Mapping[str, object]) -> tuple[str, ...]:
    """Return the stream by which each camera is watched: the small one where there is one."""
    return tuple(
        str(camera.get("substream_url", camera.get("url", camera.get("clip"))))
        for camera in _listed(options, "cameras")
    )


def _listed(options: Mapping[str, object], kind: str) -> list[Mapping[str, object]]:
    found = options.get(kind, [])
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []


def _section(
    seen: Watching, decoded: float | None, seconds: float, limits: Limits, title: str
) -> Section:
    used = busy(seen.usage)
    figures = [
        Figure("engine", used, "cores", _at_most(limits.cores)),
        *_above(used, decoded, limits.above_decode),
        Figure("peak RSS", seen.usage[-1].peak_rss_mb, "MB", _at_most(limits.rss_mb)),
        Figure("RSS at the end", seen.usage[-1].rss_mb, "MB"),
        Figure("threads", seen.usage[-1].threads),
        Figure("open files", seen.usage[-1].files),
        Figure("decisions that granted", seen.witness.granted),
        *_unlocks(seen, limits.unlock_ms),
    ]
    rows = tuple((stage, found.p50_ms, found.p95_ms) for stage, found in seen.latencies.items())
    dropped = ", ".join(f"{kind} {count}" for kind, count in seen.metrics.dropped.items())
    return Section(
        title,
        tuple(figures),
        (Table(("stage", "p50 ms", "p95 ms"), rows),) if rows else (),
        (f"{seconds:g} s; left out: {dropped or 'nothing'}",),
    )


def _above(used: float, decoded: float | None, limit: float | None) -> list[Figure]:
    if decoded is None:
        return []
    return [
        Figure("bare decode of the watched streams", decoded, "cores"),
        Figure("engine above bare decode", used - decoded, "cores", _at_most(limit)),
    ]


def _unlocks(seen: Watching, limit_ms: float | None) -> list[Figure]:
    """Return how long doors took, as the engine and as the lock saw it; nothing if none opened."""
    if not seen.witness.delays_s:
        return []
    figures = []
    if (own := seen.latencies.get("arrival_to_unlock")) is not None:
        figures += [
            Figure("arrival to unlock, p50", own.p50_ms, "ms"),
            Figure("arrival to unlock, p95", own.p95_ms, "ms", _at_most(limit_ms)),
        ]
    p95 = percentile(seen.witness.delays_s, 0.95) * _MS
    return [*figures, Figure("arrival to the lock's command, p95", p95, "ms")]


def _at_most(limit: float | None) -> Target | None:
    return None if limit is None else Target(Bound.AT_MOST, limit)
