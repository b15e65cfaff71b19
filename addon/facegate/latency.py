"""How long each step of a passage takes, and what was left out to keep up.

Every part measures itself here, always: what it costs is one lock and two additions a sample. The
memory is bounded: a window of the newest samples and one histogram a stage, one number for each
kind of drop and camera.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Generator, Iterable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
import math
import threading
import time

WINDOW = 512
"""How many of its newest samples a stage's percentiles are taken from."""

BOUNDS_S = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0, 2.0, 5.0,
)  # fmt: skip
"""Upper bounds of the histograms' buckets, closest where a fast door differs from a slow one."""


class Stage(StrEnum):
    """The steps of a passage in their order, and the two ways through several of them.

    ``receive`` is from a frame's arrival until it is taken, ``probe`` the alignment and the
    embedding of a face, ``record`` until a decision is durable, ``actuate`` until the hardware
    has confirmed. ``arrival_to_decision`` begins with the frame that was judged,
    ``arrival_to_unlock`` with the first frame in which the face was large enough and whole.
    """

    RECEIVE = "receive"
    DECODE = "decode"
    DETECT = "detect"
    PROBE = "probe"
    LIVENESS = "liveness"
    MASK = "mask"
    DECIDE = "decide"
    RECORD = "record"
    ACTUATE = "actuate"
    ARRIVAL_TO_DECISION = "arrival_to_decision"
    ARRIVAL_TO_UNLOCK = "arrival_to_unlock"


class Drop(StrEnum):
    """What was left out.

    Frames that a newer one replaced, or that were damaged or too old; detections where nothing
    moved.
    """

    FRAME_REPLACED = "frame_replaced"
    FRAME_REJECTED = "frame_rejected"
    DETECTION_SKIPPED = "detection_skipped"


@dataclass(frozen=True, slots=True)
class Summary:
    """A stage: samples and seconds since the start, percentiles of the newest ``WINDOW`` samples.

    A percentile is the smallest sample that as many per cent of them do not exceed.
    """

    count: int
    total_s: float
    p50_s: float
    p95_s: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """A stage since the start: how many samples took at most each of ``BOUNDS_S``, and in all."""

    cumulative: tuple[int, ...]
    count: int
    total_s: float


@dataclass(slots=True)
class _Samples:
    """``newest`` is a ring; ``buckets`` has one more for what is beyond the last bound."""

    newest: array[float] = field(default_factory=lambda: array("d"))
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    count: int = 0
    total_s: float = 0.0

    def add(self, seconds: float) -> None:
        if len(self.newest) < WINDOW:
            self.newest.append(seconds)
        else:
            self.newest[self.count % WINDOW] = seconds
        self.buckets[bisect_left(BOUNDS_S, seconds)] += 1
        self.count += 1
        self.total_s += seconds


class Latencies:
    """The figures of one engine; every method may be called in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stages = {stage: _Samples() for stage in Stage}
        self._drops: dict[tuple[Drop, str], int] = {}

    def observe(self, stage: Stage, seconds: float) -> None:
        """Take one sample; a negative one, of a clock that was read in two threads, is 0."""
        with self._lock:
            self._stages[stage].add(max(0.0, seconds))

    @contextmanager
    def measured(self, stage: Stage) -> Generator[None]:
        """Measure the block; one that raises is no sample."""
        began = time.perf_counter()
        yield
        self.observe(stage, time.perf_counter() - began)

    def count(self, drop: Drop, camera_id: str, times: int = 1) -> None:
        """Count what a camera's pictures lost."""
        key = (drop, camera_id)
        with self._lock:
            self._drops[key] = self._drops.get(key, 0) + times

    def counted(self, drop: Drop, camera_id: str) -> int:
        """Return how often something of a camera was left out since the start."""
        with self._lock:
            return self._drops.get((drop, camera_id), 0)

    def drops(self) -> Mapping[tuple[Drop, str], int]:
        """Return everything that was left out since the start, by kind and camera."""
        with self._lock:
            return dict(self._drops)

    def summary(self) -> Mapping[Stage, Summary]:
        """Return the stages that have a sample, in the order of a passage."""
        with self._lock:
            copies = [
                (stage, samples.newest[:], samples.count, samples.total_s)
                for stage, samples in self._stages.items()
                if samples.count
            ]
        return {stage: _summary(newest, count, total_s) for stage, newest, count, total_s in copies}

    def histograms(self) -> Mapping[Stage, Histogram]:
        """Return every stage since the start, in the order of a passage."""
        with self._lock:
            copies = [
                (stage, samples.buckets[:], samples.count, samples.total_s)
                for stage, samples in self._stages.items()
            ]
        return {
            stage: Histogram(_cumulative(buckets), count, total_s)
            for stage, buckets, count, total_s in copies
        }


def _summary(newest: Iterable[float], count: int, total_s: float) -> Summary:
    ordered = sorted(newest)
    return Summary(count, total_s, _percentile(ordered, 0.50), _percentile(ordered, 0.95))


def _percentile(ordered: list[float], share: float) -> float:
    """Return a percentile by the nearest rank: always a value that was measured."""
    return ordered[math.ceil(share * len(ordered)) - 1]


def _cumulative(buckets: list[int]) -> tuple[int, ...]:
    """Return how many samples do not exceed each bound: the last bucket has none."""
    sums, below = [], 0
    for samples in buckets[:-1]:
        below += samples
        sums.append(below)
    return tuple(sums)
