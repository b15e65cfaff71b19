"""What is told of the engine's process."""

from __future__ import annotations

import mmap
import os
from pathlib import Path
import threading

import pytest

from facegate.vitals import vitals

LINUX = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="there is no /proc here")


@LINUX
def test_memory_that_is_written_is_resident() -> None:
    size = 64 * 1024 * 1024
    before = vitals().resident_bytes
    with mmap.mmap(-1, size) as memory:
        for page in range(0, size, mmap.PAGESIZE):
            memory[page] = 1
        held = vitals().resident_bytes
    assert before is not None
    assert held is not None
    assert held - before > size * 0.9


@LINUX
def test_a_thread_and_an_open_file_are_counted() -> None:
    before, done = vitals(), threading.Event()
    thread = threading.Thread(target=done.wait)
    thread.start()
    with Path(os.devnull).open():
        now = vitals()
    done.set()
    thread.join()
    assert before.open_files is not None
    assert now.open_files == before.open_files + 1
    assert now.threads == before.threads + 1


def test_without_proc_memory_is_not_told_and_pythons_threads_are(tmp_path: Path) -> None:
    found = vitals(tmp_path / "none")
    assert (found.resident_bytes, found.open_files) == (None, None)
    assert found.threads == threading.active_count()


@pytest.mark.parametrize("statm", ["", "1", "one two"])
def test_a_size_that_cannot_be_read_is_not_told(tmp_path: Path, statm: str) -> None:
    (tmp_path / "statm").write_text(statm)
    assert vitals(tmp_path).resident_bytes is None
