"""A whole clip with people: the engine's passage against the loops that the peers' users write."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
import os
from pathlib import Path
import shutil
from statistics import median
from tempfile import TemporaryDirectory
import time

import cv2
import numpy as np

from facegate.bench.actuator import Witness, driving
from facegate.bench.arithmetic import Paired, paired
from facegate.bench.contestant import Watched
from facegate.bench.people import Resident, enroll_residents
from facegate.bench.program import Program, running
from facegate.bench.report import Bound, Figure, Section, Table, Target
from facegate.bench.rivals import Kind, Peer, Rival, rivals
from facegate.domain import Image

ROUNDS = 3
_DOOR, _CAMERA = "door", "camera"
_SLOW_EVERY = 5
_LAST_S = 0.5
_LIMIT_S = 600.0
_REST_S = 11.0
"""Whoever was let in is not let in again for ten seconds: rounds are further apart."""

_FEWER, _FEWER_THAN_SLOW = 2.5, 10.0


@dataclass(frozen=True, slots=True)
class Passage:
    """One round of the engine through the clip: what it took, and whom its decisions named."""

    cpu_s: float
    peak_rss_mb: float
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Race:
    """A peer's rounds and the engine's that were run in turns with them."""

    rival: Rival
    every: int
    cpu: Paired
    watched: Watched


async def measure_clip(
    clip: Path,
    cast: tuple[Image, ...],
    peers: tuple[Peer, ...],
    models: Path | None,
    rounds: int = ROUNDS,
) -> Section:
    """Let the engine and each peer watch a clip in turns; raises ``FaceGateError``.

    All know the same people by the same pictures: those of ``cast`` that the engine takes.
    """
    with TemporaryDirectory(prefix="facegate-clip-") as held:
        folder = Path(held)
        # The engine looks for the clip every two seconds: it is there once a round begins.
        played = folder / f"now{clip.suffix}"
        async with (
            running(_options(played, models), folder) as program,
            driving(program.url, program.token, (_DOOR,)) as witness,
            rivals(peers) as others,
        ):
            residents = await asyncio.to_thread(_write, cast, folder)
            refused = await enroll_residents(program, residents, (_DOOR,))
            people = {
                resident.name: resident.files[0].with_suffix(".npy")
                for resident in residents
                if resident.name not in refused
            }
            races, passages = [], []
            for rival in others:
                every = _SLOW_EVERY if rival.kind is Kind.FACE_RECOGNITION else 1
                ours, theirs = [], []
                for _ in range(rounds):
                    ours.append(await _pass(program, witness, clip, played))
                    rested = time.monotonic() + _REST_S
                    theirs.append(await rival.worker.watch(clip, people, every))
                    await asyncio.sleep(max(0.0, rested - time.monotonic()))
                cpu = paired([o.cpu_s for o in ours], [t.cpu_s for t in theirs])
                races.append(Race(rival, every, cpu, theirs[-1]))
                passages += ours
            if not others:
                passages = [await _pass(program, witness, clip, played) for _ in range(rounds)]
    return _section(clip, people, passages, races)


async def _pass(program: Program, witness: Witness, clip: Path, played: Path) -> Passage:
    """Show the clip to the engine's camera once, at its own pace."""
    decided = len(witness.accesses)
    before = program.usage()
    await asyncio.to_thread(_put, clip, played)
    await program.streaming(1)
    await asyncio.to_thread(played.unlink)
    await program.streaming_no_more(_LIMIT_S)
    await asyncio.sleep(_LAST_S)
    after = program.usage()
    names = frozenset(
        access.subject_name for access in witness.accesses[decided:] if access.subject_name
    )
    return Passage(after.cpu_s - before.cpu_s, after.peak_rss_mb, names)


def _options(played: Path, models: Path | None) -> Mapping[str, object]:
    options: dict[str, object] = {
        "cameras": [{"id": _CAMERA, "clip": str(played), "loop": True, "paced": True}],
        "doors": [
            {
                "id": _DOOR,
                "entry_camera": _CAMERA,
                "pulse_seconds": 1,
                "visitors": False,
                # Measured and told, but who walks past is named before it is certain.
                "controls": {"liveness": "advisory"},
            }
        ],
    }
    return options if models is None else options | {"models": {"folder": str(models.resolve())}}


def _put(clip: Path, played: Path) -> None:
    part = played.with_suffix(".part")
    shutil.copyfile(clip, part)
    part.replace(played)


def _write(cast: tuple[Image, ...], folder: Path) -> tuple[Resident, ...]:
    """Write each person as a photo for the engine and as an array for the peers."""
    residents = []
    for number, picture in enumerate(cast):
        photo = folder / f"person-{number}.png"
        cv2.imwrite(os.fspath(photo), picture)
        np.save(photo.with_suffix(".npy"), picture)
        residents.append(Resident(f"person {number}", (photo,)))
    return tuple(residents)


def _section(
    clip: Path, people: Mapping[str, Path], passages: list[Passage], races: list[Race]
) -> Section:
    # A round in which fewer were named is what a visitor may meet.
    named = min((passage.names for passage in passages), key=len)
    cpu_s = median(passage.cpu_s for passage in passages)
    figures = [
        Figure("the engine", cpu_s, "CPU s"),
        Figure("the engine, peak RSS", max(passage.peak_rss_mb for passage in passages), "MB"),
        *_ratios(races),
        Figure(
            "people named",
            len(named),
            "",
            Target(Bound.AT_LEAST, max((len(race.watched.names) for race in races), default=0)),
        ),
    ]
    rows = [
        ("FaceGate, whole passage", 1, cpu_s, 1.0, len(named), len(people)),
        *(
            (
                race.rival.name,
                race.every,
                race.cpu.b,
                race.cpu.ratio,
                len(race.watched.names),
                len(race.watched.known),
            )
            for race in races
        ),
    ]
    columns = ("who", "every n-th frame", "CPU s", "ratio", "named", "enrolled")
    note = (
        f"{clip.name}, decoded by PyAV with one thread for all; the engine sees it as from a"
        " camera, in real time, decides and records; a peer's loop decodes, detects, embeds each"
        " face and compares; medians of pairs in turns"
    )
    return Section("A whole clip", tuple(figures), (Table(columns, tuple(rows)),), (note,))


def _ratios(races: list[Race]) -> list[Figure]:
    """Return how many times fewer CPU seconds the engine takes than the best loop, and dlib."""
    every = [race for race in races if race.every == 1]
    slow = [race for race in races if race.every != 1]
    figures = []
    if every:
        best = min(every, key=lambda race: race.cpu.b)
        figures.append(
            Figure(
                f"times fewer CPU seconds than {best.rival.name}, the best loop",
                best.cpu.ratio,
                "",
                Target(Bound.AT_LEAST, _FEWER),
            )
        )
    figures += [
        Figure(
            f"times fewer CPU seconds than {race.rival.name} on every {race.every}th frame",
            race.cpu.ratio,
            "",
            Target(Bound.AT_LEAST, _FEWER_THAN_SLOW),
        )
        for race in slow
    ]
    return figures
