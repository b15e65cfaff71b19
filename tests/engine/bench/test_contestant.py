"""Peers: workers in other environments, and the lines that are spoken with them."""

from __future__ import annotations

import json
from pathlib import Path
import sys

import numpy as np
import pytest

from facegate.bench import contestant as contest
from facegate.bench.contestant import ContestError, contestant
from facegate.bench.film import write_film
from tests.engine.face.real import canvas

WORKER = Path(contest.__file__).with_name("peers") / "worker.py"

# Tells a picture's color where a real one would tell a face.
COLORIST = """
import numpy as np


class Colorist:
    threshold = 0.9

    def __init__(self, limit="0"):
        print("a library may print what it likes")
        self.limit = float(limit)

    def versions(self):
        return {"colorist": "1"}

    def detect(self, image):
        return int(image.mean() > self.limit)

    def embed(self, crop):
        return crop.mean(axis=(0, 1))

    def look(self, image):
        return [self.embed(image)] if image.mean() > self.limit else []

    def likeness(self, one, other):
        return 1 - abs(one - other).max() / 255
"""

# Answers with whatever it is told to.
PARROT = (
    "import sys\nprint(sys.argv[1], flush=True)\nfor _ in sys.stdin: print(sys.argv[2], flush=True)"
)


@pytest.fixture
def colorist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str | Path, ...]:
    """Give the command of a worker with a simple contestant."""
    (tmp_path / "colorist.py").write_text(COLORIST)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return (sys.executable, WORKER, "colorist", "Colorist", "10")


def parrot(first: object, then: object) -> tuple[str, ...]:
    return (sys.executable, "-c", PARROT, json.dumps(first), json.dumps(then))


def saved(path: Path, color: int) -> Path:
    np.save(path, np.full((112, 112, 3), color, np.uint8))
    return path


async def test_a_worker_times_what_it_is_asked_for(
    colorist: tuple[str | Path, ...], tmp_path: Path
) -> None:
    async with contestant("colorist", colorist) as peer:
        assert peer.versions == {"colorist": "1"}
        timed = await peer.detect(saved(tmp_path / "a.npy", 100), 4)
        embedded = await peer.embed(saved(tmp_path / "b.npy", 60), 2)
    assert len(timed.seconds) == 4
    assert all(seconds > 0 for seconds in timed.seconds)
    assert len(embedded.seconds) == 2
    # Whatever length the library gives its vectors.
    assert embedded.vector.tolist() == pytest.approx([3**-0.5] * 3)


async def test_a_worker_names_whom_it_knows_in_a_clip(
    colorist: tuple[str | Path, ...], tmp_path: Path
) -> None:
    gray = [canvas(160, 120)] * 5
    black = [np.zeros((120, 160, 3), np.uint8)] * 5
    clip = write_film(tmp_path / "clip.mp4", [*gray, *black], (160, 120), 5)
    people = {
        "Gray": saved(tmp_path / "gray.npy", 90),
        "White": saved(tmp_path / "white.npy", 250),
        "Nobody": saved(tmp_path / "black.npy", 0),
    }
    async with contestant("colorist", colorist) as peer:
        every = await peer.watch(clip, people, 1)
        fifth = await peer.watch(clip, people, 5)
    assert every.names == {"Gray"}
    assert every.known == {"Gray", "White"}
    assert (every.frames, fifth.frames) == (10, 2)
    assert 0 < every.cpu_s < every.wall_s + 1


async def test_a_task_that_fails_is_told_and_the_next_one_is_done(
    colorist: tuple[str | Path, ...], tmp_path: Path
) -> None:
    async with contestant("colorist", colorist) as peer:
        with pytest.raises(ContestError, match=r"colorist: FileNotFoundError: .*nowhere"):
            await peer.detect(tmp_path / "nowhere.npy", 1)
        assert (await peer.detect(saved(tmp_path / "a.npy", 100), 1)).seconds


async def test_a_contestant_that_does_not_start_is_told(tmp_path: Path) -> None:
    with pytest.raises(ContestError, match="cannot be started"):
        async with contestant("away", (tmp_path / "python",)):
            pass
    with pytest.raises(ContestError, match=r"away ended \(exit code 3\)"):
        async with contestant("away", (sys.executable, "-c", "raise SystemExit(3)")):
            pass


async def test_an_answer_that_is_none_is_told(tmp_path: Path) -> None:
    hello = {"ready": True, "versions": {}}
    async with contestant("parrot", parrot(hello, {"error": "no such task"})) as peer:
        with pytest.raises(ContestError, match="parrot: no such task"):
            await peer.detect(tmp_path, 1)
    noise = (sys.executable, "-c", "print('hello')")
    with pytest.raises(ContestError, match="not JSON"):
        async with contestant("noise", noise):
            pass
