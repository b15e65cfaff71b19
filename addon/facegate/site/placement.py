"""Whether a door's camera hangs well: somebody walks up once, and what it saw is judged.

Only figures are kept, no pictures and no names; whoever walks up may pass as ever.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from statistics import median

from facegate.domain import AccessPoint, Clock
from facegate.errors import InvalidError, NotFoundError
from facegate.face.quality import Quality
from facegate.latency import Latencies, Stage
from facegate.protocol import CameraStateName, Direction
from facegate.settings import Settings
from facegate.site.board import Board
from facegate.site.placement_rules import Finding, Seen, findings, nothing_seen

SHORTEST_S, LONGEST_S = 5, 120
DEFAULT_S = 30
_MOST_VIEWS = 4096
_NEAR = 2 / 3
"""A face counts as near from this share of its largest height on: there it is recognized."""


class PlacementState(StrEnum):
    """How far a test is: nobody was seen yet, somebody was, or its time is over."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class PlacementView:
    """The largest face of one frame: when it arrived (monotonic), how old it was once measured."""

    arrived: float
    age_s: float
    quality: Quality


@dataclass(frozen=True, slots=True)
class PlacementResult:
    """What a test found until now; ``passed`` is None until it is done.

    ``seen`` is None while there was no face; ``findings`` say what is wrong and how to mend it.
    """

    door_id: str
    direction: Direction
    camera_id: str
    state: PlacementState
    remaining_s: float
    passed: bool | None
    seen: Seen | None
    findings: tuple[Finding, ...]


@dataclass(slots=True)
class _Test:
    camera_id: str
    until: float
    views: deque[PlacementView] = field(default_factory=lambda: deque(maxlen=_MOST_VIEWS))


class Placement:
    """The tests of a site: the last one of each access point."""

    def __init__(
        self, settings: Settings, board: Board, latencies: Latencies, clock: Clock
    ) -> None:
        self._doors = {door.id: door for door in settings.doors}
        self._limits = settings.recognition
        self._board = board
        self._latencies = latencies
        self._clock = clock
        self._tests: dict[AccessPoint, _Test] = {}

    def start(self, point: AccessPoint, seconds: int = DEFAULT_S) -> PlacementResult:
        """Begin a test, in place of one that runs there.

        Raises ``NotFoundError``, and ``InvalidError`` where no camera looks or for another time
        than ``SHORTEST_S`` to ``LONGEST_S``.
        """
        if not SHORTEST_S <= seconds <= LONGEST_S:
            raise InvalidError(f"seconds: {seconds} is not from {SHORTEST_S} to {LONGEST_S}")
        if (camera_id := self._camera(point)) is None:
            raise InvalidError(f"direction: the door has no camera for its {point.direction}")
        self._tests[point] = _Test(camera_id, self._clock.monotonic() + seconds)
        return self.result(point)

    def wanted(self, camera_id: str) -> bool:
        """Return whether a test runs that wants to see a camera's faces."""
        return any(True for _ in self._running(camera_id))

    def saw(self, camera_id: str, view: PlacementView) -> None:
        """Take what a camera saw in one frame."""
        for test in self._running(camera_id):
            test.views.append(view)

    def result(self, point: AccessPoint) -> PlacementResult:
        """Return what the last test found; raises ``NotFoundError`` where there was none."""
        if (test := self._tests.get(point)) is None:
            self._camera(point)
            raise NotFoundError(f"no placement test was started for the {point.direction}")
        remaining_s = max(0.0, test.until - self._clock.monotonic())
        state = PlacementState.RUNNING if test.views else PlacementState.WAITING
        if not remaining_s:
            state = PlacementState.DONE
        seen = self._seen(test.views) if test.views else None
        found = self._findings(test, seen)
        passed = not any(each.fails for each in found) if state is PlacementState.DONE else None
        return PlacementResult(
            point.door_id,
            point.direction,
            test.camera_id,
            state,
            round(remaining_s, 2),
            passed,
            seen,
            found if seen is not None or state is PlacementState.DONE else (),
        )

    def _camera(self, point: AccessPoint) -> str | None:
        """Return the camera of an access point; raises ``NotFoundError`` for no door."""
        if (door := self._doors.get(point.door_id)) is None:
            known = ", ".join(self._doors)
            raise NotFoundError(f"no door has the id {point.door_id!r}; doors: {known}")
        return door.entry_camera if point.direction is Direction.ENTRY else door.exit_camera

    def _running(self, camera_id: str) -> Iterable[_Test]:
        now = self._clock.monotonic()
        return (
            test
            for test in self._tests.values()
            if test.camera_id == camera_id and now < test.until
        )

    def _findings(self, test: _Test, seen: Seen | None) -> tuple[Finding, ...]:
        if seen is not None:
            return findings(seen, self._limits.min_probes, self._limits.min_face_px)
        status = self._board.camera_status(test.camera_id)
        streams = status.state is CameraStateName.STREAMING
        return (nothing_seen(None if streams else status.reason or "It does not stream."),)

    def _seen(self, views: Iterable[PlacementView]) -> Seen:
        """Sum up: heights of all faces, everything else of those that were near."""
        views = list(views)
        heights = [view.quality.head_size for view in views]
        enough = max(self._limits.min_face_px, _NEAR * max(heights))
        near = [view for view in views if view.quality.head_size >= enough]
        told = [view.quality for view in near or views]
        return Seen(
            frames=len(views),
            near_frames=len(near),
            best_face_px=max(heights),
            median_face_px=median(heights),
            yaw=median(quality.yaw for quality in told),
            pitch=median(quality.pitch for quality in told),
            roll=median(quality.roll for quality in told),
            luminance=median(quality.luminance for quality in told),
            bright=median(quality.bright for quality in told),
            dynamic_range=median(quality.dynamic_range for quality in told),
            sharpness=median(quality.sharpness for quality in told),
            expected_latency_ms=self._expected_ms(near or views),
        )

    def _expected_ms(self, views: list[PlacementView]) -> float:
        """Return how long a face that moves a little would wait for the door, in milliseconds.

        So many frames as an identification needs, at the rate at which they came, the age of the
        last one once it was read, and what recording and opening took until now at the median.
        """
        steps = [after.arrived - before.arrived for before, after in pairwise(views)]
        step_s = median(steps) if steps else 0.0
        age_s = median(view.age_s for view in views)
        known = self._latencies.summary()
        after_s = sum(
            known[stage].p50_s for stage in (Stage.RECORD, Stage.ACTUATE) if stage in known
        )
        return 1000 * ((self._limits.min_probes - 1) * step_s + age_s + after_s)
