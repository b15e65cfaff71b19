"""What a process uses, as Linux tells it in /proc."""

from __future__ import annotations

from dataclasses import dataclass
import os
from pathlib import Path
import time

from facegate.errors import NotFoundError

_TICKS = os.sysconf("SC_CLK_TCK")
_KB_PER_MB = 1024
_UTIME, _CSTIME = 11, 14
"""Where user, system and both of children that were waited for stand in stat, after its name."""


@dataclass(frozen=True, slots=True)
class Usage:
    """A process at one moment; memory is in MB.

    ``at`` is monotonic, ``cpu_s`` user and system time of all its threads and of the children
    that it has waited for.
    """

    at: float
    cpu_s: float
    rss_mb: float
    peak_rss_mb: float
    threads: int
    files: int


def read_usage(pid: int, proc: Path = Path("/proc")) -> Usage:
    """Return what a process uses now; raises ``NotFoundError`` once it has ended."""
    folder = proc / str(pid)
    try:
        stat = (folder / "stat").read_text()
        status = (folder / "status").read_text()
        files = len(list((folder / "fd").iterdir()))
    except (FileNotFoundError, ProcessLookupError) as err:
        raise NotFoundError(f"process {pid} has ended") from err
    kilobytes = _status_values(status)
    return Usage(
        at=time.monotonic(),
        cpu_s=cpu_seconds(stat),
        rss_mb=kilobytes["VmRSS"] / _KB_PER_MB,
        peak_rss_mb=kilobytes["VmHWM"] / _KB_PER_MB,
        threads=kilobytes["Threads"],
        files=files,
    )


def cpu_seconds(stat: str) -> float:
    """Return the CPU time in a line of /proc/PID/stat; the name in it may hold spaces and ')'."""
    fields = stat.rpartition(")")[2].split()
    return sum(int(ticks) for ticks in fields[_UTIME : _CSTIME + 1]) / _TICKS


def cores(before: Usage, after: Usage) -> float:
    """Return how many cores were busy with a process between two moments."""
    return (after.cpu_s - before.cpu_s) / (after.at - before.at)


def _status_values(status: str) -> dict[str, int]:
    """Return the numbers of /proc/PID/status; a process that has just ended has no memory."""
    found = {"VmRSS": 0, "VmHWM": 0, "Threads": 0}
    for line in status.splitlines():
        name, _, value = line.partition(":")
        if name in found:
            found[name] = int(value.split()[0])
    return found
