"""What the engine's process uses, as its operating system tells it."""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import threading
import time

_PROC = Path("/proc/self")


@dataclass(frozen=True, slots=True)
class Vitals:
    """Processor seconds since the start, and what is held now; None where it cannot be told."""

    cpu_s: float
    threads: int
    resident_bytes: int | None
    open_files: int | None


def vitals(proc: Path = _PROC) -> Vitals:
    """Return what this process uses; ``proc`` is its folder in Linux's ``/proc``.

    Without that folder the threads are those that Python knows of: not a model's own.
    """
    threads = _entries(proc / "task")
    return Vitals(
        cpu_s=time.process_time(),
        threads=threads if threads is not None else threading.active_count(),
        resident_bytes=_resident_bytes(proc / "statm"),
        open_files=_entries(proc / "fd"),
    )


def _resident_bytes(statm: Path) -> int | None:
    """Return the second of the sizes in ``statm``, which counts pages."""
    try:
        pages = int(statm.read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


def _entries(folder: Path) -> int | None:
    try:
        return len(os.listdir(folder))  # noqa: PTH208  a count needs no paths
    except OSError:
        return None
