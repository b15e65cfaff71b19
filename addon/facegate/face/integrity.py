"""Watches the files of the models while the engine runs.

What runs is in memory and cannot be altered by way of a file. But a file that changes under a
running engine tells that somebody, or a failing disk, is at work: until it is whole again no door
opens to a face.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
import hashlib
import math
from pathlib import Path

from facegate.domain import Clock
from facegate.face.weights import Model
from facegate.protocol import ModelProblem

REHASH_S = 3600.0
"""After how long a file is read again though nothing about it seems to have changed."""

_SETTLED_S = 2.0


@dataclass(frozen=True, slots=True)
class ModelFault:
    """A model that does not serve; ``text`` names the file and tells what to do.

    ``stops_faces`` tells that no door opens to a face; else only what asks for this model denies.
    """

    model: Model
    problem: ModelProblem
    text: str
    stops_faces: bool = True


@dataclass(frozen=True, slots=True)
class WatchedFile:
    """A file that must keep its sha256; ``remedy`` tells what to do once it does not."""

    model: Model
    path: Path
    sha256: str
    remedy: str


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What changes when a file is written, replaced or touched."""

    device: int
    inode: int
    size: int
    modified_ns: int
    changed_ns: int


@dataclass(slots=True)
class _Seen:
    file: WatchedFile
    stamp: _Stamp | None = None
    read_at: float = -math.inf
    problem: ModelProblem | None = None


class IntegrityWatch:
    """Looks at files; blocks for as long as it reads them."""

    def __init__(self, files: Iterable[WatchedFile], clock: Clock) -> None:
        self._seen = [_Seen(file) for file in files]
        self._clock = clock

    def look(self) -> tuple[ModelFault, ...]:
        """Return what is wrong now; to be called every few seconds, by one thread at a time.

        A file is read only if its stamp changed, and once every ``REHASH_S``.
        """
        for seen in self._seen:
            self._look_at(seen)
        return tuple(
            ModelFault(seen.file.model, seen.problem, _told(seen.file, seen.problem))
            for seen in self._seen
            if seen.problem is not None
        )

    def _look_at(self, seen: _Seen) -> None:
        now = self._clock.monotonic()
        try:
            stamp = _stamp(seen.file.path)
            if stamp == seen.stamp and now - seen.read_at < REHASH_S:
                return
            # Stamped before it is read: a change in between is seen the next time.
            with seen.file.path.open("rb") as content:
                whole = hashlib.file_digest(content, "sha256").hexdigest() == seen.file.sha256
        except (FileNotFoundError, NotADirectoryError):
            seen.stamp, seen.problem = None, ModelProblem.MISSING
        except OSError:
            seen.stamp, seen.problem = None, ModelProblem.UNUSABLE
        else:
            # Two changes within one tick of the file system's clock leave the same stamp.
            age_s = self._clock.now().timestamp() - stamp.changed_ns / 1e9
            seen.stamp, seen.read_at = stamp if age_s > _SETTLED_S else None, now
            seen.problem = None if whole else ModelProblem.ALTERED


def _stamp(path: Path) -> _Stamp:
    found = path.stat()
    return _Stamp(found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


_WHAT = {
    ModelProblem.MISSING: "is gone",
    ModelProblem.ALTERED: "was altered or damaged",
    ModelProblem.UNUSABLE: "cannot be read any more",
}


def _told(file: WatchedFile, problem: ModelProblem) -> str:
    return f"model {file.model.name}: {file.path} {_WHAT[problem]}; {file.remedy}"
