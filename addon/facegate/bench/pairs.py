"""Detection and embedding side by side with the peers: pairs in turns, in one run."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from facegate.bench.arithmetic import Paired, paired
from facegate.bench.contestant import Contestant
from facegate.bench.report import Bound, Figure, Section, Table, Target
from facegate.bench.rivals import Kind, Peer, Rival, own_worker, rivals
from facegate.bench.scene import Scene

PAIRS = 15
_REPETITIONS = 5
_MS = 1000
_OLD, _NEW = 4, 5
_FASTER_DETECTION, _FASTER_THAN_OLD, _FASTER_THAN_NEW = 2.0, 1.8, 1.0
_SAME = 0.9999

type Measure = Callable[[Contestant], Awaitable[float]]


@dataclass(frozen=True, slots=True)
class Match:
    """One peer against the engine: A is ours, B is theirs, in seconds."""

    rival: Rival
    detection: Paired
    embedding: Paired


async def measure_pairs(
    peers: tuple[Peer, ...], scene: Scene, cache: Path, pairs: int = PAIRS
) -> Section:
    """Let each peer and the engine detect and embed in turns; raises ``ContestError``."""
    with TemporaryDirectory(prefix="facegate-bench-") as folder:
        picture, crop = Path(folder, "picture.npy"), Path(folder, "crop.npy")
        np.save(picture, scene.small)
        np.save(crop, scene.crop)

        async def detect(who: Contestant) -> float:
            return median((await who.detect(picture, _REPETITIONS)).seconds)

        async def embed(who: Contestant) -> float:
            return median((await who.embed(crop, _REPETITIONS)).seconds)

        async with own_worker(cache) as own, rivals(peers) as all_rivals:
            matches = [
                Match(
                    rival,
                    await _in_turns(own, rival, detect, pairs),
                    await _in_turns(own, rival, embed, pairs),
                )
                for rival in all_rivals
            ]
            cosines = await _cosines(own, all_rivals, crop)
    return Section(
        "Peers, side by side",
        (*_figures(matches), *cosines),
        (_table(matches),),
        (
            _note(scene, pairs),
            *(f"{one.name}: {_versions(one.worker.versions)}" for one in all_rivals),
        ),
    )


def _note(scene: Scene, pairs: int) -> str:
    height, width = scene.small.shape[:2]
    return (
        f"medians of {pairs} pairs in turns, each half the median of {_REPETITIONS}; detection in"
        f" {scene.told} at {width}x{height}; embedding of one aligned face; one thread each"
    )


async def _in_turns(own: Contestant, rival: Rival, measure: Measure, pairs: int) -> Paired:
    ours, theirs = [], []
    for _ in range(pairs):
        ours.append(await measure(own))
        theirs.append(await measure(rival.worker))
    return paired(ours, theirs)


async def _cosines(
    own: Contestant, all_rivals: tuple[Rival, ...], crop: Path
) -> tuple[Figure, ...]:
    """Return how near the engine's embedding comes to the published graph's."""
    prepared = (await own.embed(crop, 1)).vector
    original = (await own.embed(crop, 1, original=True)).vector
    target = Target(Bound.AT_LEAST, _SAME)
    return (
        Figure("self-cosine, prepared and published graph", float(prepared @ original), "", target),
        *[
            Figure(
                f"self-cosine, prepared graph here and published graph in {rival.name}",
                float(prepared @ (await rival.worker.embed(crop, 1)).vector),
                "",
                target,
            )
            for rival in all_rivals
            if rival.kind is Kind.OPENCV
        ],
    )


def _figures(matches: list[Match]) -> list[Figure]:
    """Return the ratios that have a target; those of a peer that is not here are left out."""
    opencv = [match for match in matches if match.rival.opencv]
    figures = []
    if opencv:
        fastest = min(opencv, key=lambda match: match.detection.b)
        name = f"detection, times as fast as {fastest.rival.name}, the fastest OpenCV"
        target = Target(Bound.AT_LEAST, _FASTER_DETECTION)
        figures.append(Figure(name, fastest.detection.ratio, "", target))
    for major, limit in ((_OLD, _FASTER_THAN_OLD), (_NEW, _FASTER_THAN_NEW)):
        figures += [
            Figure(
                f"embedding, times as fast as {match.rival.name}",
                match.embedding.ratio,
                "",
                Target(Bound.AT_LEAST, limit),
            )
            for match in opencv
            if match.rival.opencv == major
        ]
    return figures


def _table(matches: list[Match]) -> Table:
    columns = ("peer", "detect ms", "ours ms", "ratio", "embed ms", "ours ms", "ratio")
    rows = tuple(
        (match.rival.name, *_cells(match.detection), *_cells(match.embedding)) for match in matches
    )
    return Table(columns, rows)


def _cells(found: Paired) -> tuple[float, float, float]:
    return found.b * _MS, found.a * _MS, found.ratio


def _versions(versions: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {version}" for name, version in versions.items())
