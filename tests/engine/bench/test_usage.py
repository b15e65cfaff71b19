"""What Linux tells of a process, read right."""

from __future__ import annotations

import os
from pathlib import Path
import subprocess
import sys
import threading
import time

import pytest

from facegate.bench.sampler import busy, growth, sampled
from facegate.bench.usage import Usage, cores, cpu_seconds, read_usage
from facegate.errors import NotFoundError

TICKS = os.sysconf("SC_CLK_TCK")


def stat_line(name: str, user: int, system: int, child_user: int, child_system: int) -> str:
    """A line of /proc/PID/stat as proc(5) describes it: fields 14 to 17 are the times."""
    before = "S 1 2 2 0 -1 4194560 10 20 30 40"
    return f"42 ({name}) {before} {user} {system} {child_user} {child_system} 20 0 9 0 1234"


@pytest.mark.parametrize("name", ["python", "a b", "odd) name (", ")"])
def test_times_are_found_behind_any_name(name: str) -> None:
    line = stat_line(name, 3 * TICKS, TICKS, 2 * TICKS, TICKS)
    assert cpu_seconds(line) == pytest.approx(7)


def test_work_files_threads_and_children_are_counted() -> None:
    before = read_usage(os.getpid())
    deadline = time.process_time() + 0.3
    while time.process_time() < deadline:
        pass
    child = "import time\nwhile time.process_time() < 0.3: pass"
    subprocess.run([sys.executable, "-c", child], check=True)
    end = threading.Event()
    thread = threading.Thread(target=end.wait)
    thread.start()
    with Path(os.devnull).open() as _:
        after = read_usage(os.getpid())
    end.set()
    thread.join()
    assert after.cpu_s - before.cpu_s >= 0.55
    assert after.threads == before.threads + 1
    assert after.files == before.files + 1
    assert after.peak_rss_mb >= after.rss_mb > 1


def test_memory_is_in_megabytes() -> None:
    before = read_usage(os.getpid())
    block = bytearray(os.urandom(1024)) * (100 * 1024)
    grown = read_usage(os.getpid()).rss_mb - before.rss_mb
    assert len(block) == 100 * 1024 * 1024
    assert 90 < grown < 115


def test_a_process_that_has_ended_is_told() -> None:
    done = subprocess.Popen([sys.executable, "-c", ""])
    done.wait()
    with pytest.raises(NotFoundError, match="has ended"):
        read_usage(done.pid)


def usage(at: float, cpu_s: float, rss_mb: float = 100.0) -> Usage:
    return Usage(at, cpu_s, rss_mb, rss_mb, 1, 1)


def test_busy_cores_are_cpu_time_over_wall_time() -> None:
    assert cores(usage(10, 5), usage(14, 11)) == 1.5
    assert busy([usage(0, 1), usage(5, 3), usage(10, 6)]) == 0.5


async def test_sampling_looks_at_the_start_in_between_and_at_the_end() -> None:
    looks = iter(range(100))
    seen = await sampled(lambda: usage(time.monotonic(), next(looks)), 0.25, 0.1)
    assert [look.cpu_s for look in seen] == [0, 1, 2, 3]
    assert seen[-1].at - seen[0].at >= 0.25


def test_growth_is_told_per_minute() -> None:
    found = growth([0, 30, 60, 90], [100, 101, 102, 103])
    assert (found.first, found.last) == (100, 103)
    assert found.per_minute == pytest.approx(2)
    assert found.deviation == pytest.approx(1.5 / 101.5)
