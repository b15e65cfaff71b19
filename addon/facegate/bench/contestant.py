"""A contestant as its rival sees it: a worker process in an environment of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from facegate.domain import Vector
from facegate.errors import FaceGateError

_LINE_LIMIT = 1 << 22
# One thread each: what the numeric libraries bring beside it stays at home.
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class ContestError(FaceGateError):
    """A contestant does not run, or refused a task."""


@dataclass(frozen=True, slots=True)
class Timed:
    """Repetitions of one task: seconds of each."""

    seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Embedded:
    """Repetitions of one embedding, and its unit-length vector."""

    seconds: tuple[float, ...]
    vector: Vector


@dataclass(frozen=True, slots=True)
class Watched:
    """A clip that was watched: ``names`` of who was seen, of those ``known`` to the contestant."""

    cpu_s: float
    wall_s: float
    frames: int
    names: frozenset[str]
    known: frozenset[str]


@dataclass(frozen=True, slots=True)
class Searched:
    """Searches in a gallery: seconds of each, and by how many MB the process grew to hold it."""

    seconds: tuple[float, ...]
    held_mb: float


class Contestant:
    """A running worker; one request at a time."""

    def __init__(
        self, name: str, process: asyncio.subprocess.Process, versions: Mapping[str, str]
    ) -> None:
        self.name = name
        self.versions = versions
        self._process = process

    async def detect(self, picture: Path, times: int) -> Timed:
        """Find the faces of a picture (.npy, BGR) some times."""
        answer = await self._ask({"do": "detect", "picture": str(picture), "times": times})
        return Timed(tuple(answer["seconds"]))

    async def embed(self, crop: Path, times: int, *, original: bool = False) -> Embedded:
        """Embed an aligned face (.npy, BGR, 112 x 112) some times; ``original``: see ``own``."""
        request = {"do": "embed", "crop": str(crop), "times": times, "original": original}
        answer = await self._ask(request)
        vector = np.asarray(answer["vector"], np.float32)
        return Embedded(tuple(answer["seconds"]), vector / np.linalg.norm(vector))

    async def watch(self, clip: Path, people: Mapping[str, Path], every: int) -> Watched:
        """Name who is in each ``every``-th frame of a clip, one loop over all of them."""
        pictures = {name: str(picture) for name, picture in people.items()}
        request = {"do": "clip", "clip": str(clip), "people": pictures, "every": every}
        answer = await self._ask(request)
        return Watched(
            answer["cpu_s"],
            answer["wall_s"],
            answer["frames"],
            frozenset(answer["names"]),
            frozenset(answer["known"]),
        )

    async def search(self, templates: int, times: int) -> Searched:
        """Search a gallery of random templates some times; only ``own`` can."""
        answer = await self._ask({"do": "gallery", "templates": templates, "times": times})
        return Searched(tuple(answer["seconds"]), answer["held_mb"])

    async def _ask(self, request: Mapping[str, object]) -> dict[str, Any]:
        asked = self._process.stdin
        if asked is None:
            raise ContestError(f"{self.name} cannot be asked")
        asked.write(json.dumps(request).encode() + b"\n")
        return await _answer(self.name, self._process)


@asynccontextmanager
async def contestant(name: str, command: tuple[str | Path, ...]) -> AsyncIterator[Contestant]:
    """Start a worker and end it after the block; raises ``ContestError`` if it does not start."""
    try:
        process = await asyncio.create_subprocess_exec(
            *map(str, command),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=_LINE_LIMIT,
            env=os.environ | _ONE_THREAD,
        )
    except OSError as err:
        raise ContestError(f"{name}: {command[0]} cannot be started: {err.strerror}") from err
    try:
        ready = await _answer(name, process)
        yield Contestant(name, process, ready["versions"])
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _answer(name: str, process: asyncio.subprocess.Process) -> dict[str, Any]:
    line = await process.stdout.readline() if process.stdout is not None else b""
    if not line:
        code = await process.wait()
        raise ContestError(f"{name} ended (exit code {code}) where an answer was due")
    try:
        answer: dict[str, Any] = json.loads(line)
    except ValueError as err:
        raise ContestError(f"{name} answered what is not JSON") from err
    if "error" in answer:
        raise ContestError(f"{name}: {answer['error']}")
    return answer
