"""How far the faces before one camera have come, and when each is worth another look."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum, auto
import logging
import math

from facegate.camera.motion import MotionGate
from facegate.domain import AccessPoint, Camera, Frame, Identification
from facegate.face.track import Track, Tracker
from facegate.latency import Drop, Latencies

_LOGGER = logging.getLogger(__name__)

PATIENCE_S = 2.5
"""How long a face stands there before it is denied, or rings."""

CHALLENGE_S = 6.0
"""How long instead where it is asked to turn the head."""

LONGEST_S = 15.0
PROBES_PER_FRAME = 2

# A face is read in every frame until there are enough probes to name it; then less often, a known
# one that lacks something more often than an unknown one, and seldom once little comes of it.
_EAGER_PROBES = 4
_KNOWN_PROBE_S = 0.06
_UNKNOWN_PROBE_S = 0.3
_SLOW_PROBE_S = 0.4
# With less than this share of the score it takes, after one probe and after more, a face is a
# stranger's, or turned away.
_STRANGE_AT_ONCE = 0.3
_STRANGE = 0.5
# Between two looks for faces: more pictures a second tell no more about who comes, and fewer do
# where nobody is about to be let in.
_LOOK_S = 1 / 16
_CALM_LOOK_S = 0.15
# A face this small, as a share of the smallest that is read, is on its way: the large stream is
# asked for already.
_COMING = 0.6
# Of two faces that are as near, the one that was the nearest before stays it.
_NEARER = 1.15
# A face comes in by the picture's edge, and is read once so much of it is seen; who is not whole
# after a while stands there.
_WHOLE = 0.9
_ENTERING_S = 1.0


class Hope(Enum):
    """What may come of reading a face once more."""

    NAMED = auto()
    """It is somebody's who is enrolled, and lacks something yet."""
    OPEN = auto()
    LITTLE = auto()
    """It is like nobody's."""
    NONE = auto()
    """It is somebody's who was let in a moment ago."""


def hope(found: Identification, *, let_in: bool) -> Hope:
    """Return what may come of a face that was found to be somebody's, or nobody's."""
    if found.subject_id is not None:
        return Hope.NONE if let_in else Hope.NAMED
    share = _STRANGE_AT_ONCE if found.probes == 1 else _STRANGE
    return Hope.LITTLE if found.score < share * found.threshold else Hope.OPEN


@dataclass(slots=True)
class Attempt:
    """How far a track has come at its access points.

    ``arrived`` is when its face could first be read: large enough, and whole; ``challenged`` when
    it was first asked to turn the head, both on the frames' clock; ``reported`` are the access
    points at which it was denied, ``failed`` is when a door did not open to it.
    """

    arrived: float
    reported: set[AccessPoint] = field(default_factory=set)
    settled: bool = False
    probed: float = -math.inf
    failed: float = -math.inf
    challenged: float | None = None
    hope: Hope = Hope.OPEN

    @property
    def rests(self) -> bool:
        """Whether the face is only looked at now and then."""
        return self.settled or self.hope in (Hope.LITTLE, Hope.NONE)

    def waited_s(self, track: Track) -> float:
        """Return how long the face has stood there to be read."""
        return track.last_arrived - self.arrived

    def open(self, track: Track) -> bool:
        """Return whether anything may still come of the track's face."""
        return not self.settled and self.waited_s(track) <= LONGEST_S

    def due(self, track: Track) -> bool:
        """Return whether the track's face is worth another probe now."""
        if not self.open(track):
            return False
        since = track.last_arrived - self.probed
        if self._to_be_told(track):
            return True
        if self.reported or self.rests:
            return since >= _SLOW_PROBE_S
        wait = _KNOWN_PROBE_S if self.hope is Hope.NAMED else _UNKNOWN_PROBE_S
        return len(track.probes) < _EAGER_PROBES or since >= wait

    def _to_be_told(self, track: Track) -> bool:
        """Return whether the track's face has stood there for as long as it takes to be denied."""
        waiting = not self.reported and self.challenged is None and self.hope is not Hope.NONE
        return waiting and self.waited_s(track) >= PATIENCE_S

    def urgent(self, track: Track) -> bool:
        """Return whether the track's face may be let in any moment."""
        if not self.open(track) or self.rests:
            return False
        fresh = not self.reported and len(track.probes) < _EAGER_PROBES
        return fresh or self.hope is Hope.NAMED


@dataclass(slots=True)
class Code:
    """The last code that a camera saw, when it was looked for and seen, whether it is read now."""

    text: str | None = None
    reading: bool = False
    looked: float = -math.inf
    at: float = -math.inf


@dataclass(slots=True)
class Watch:
    """One camera under watch: its tracks and their attempts, its motion, its codes.

    ``reads`` tells that at the last look a face was there that is read in the large picture,
    ``calm`` that there were faces and none is about to be let in.
    """

    tracker: Tracker
    min_face_px: int
    attempts: dict[str, Attempt] = field(default_factory=dict)
    motion: MotionGate = field(default_factory=MotionGate)
    code: Code = field(default_factory=Code)
    moving: bool = False
    reads: bool = False
    calm: bool = False
    _lost: dict[Drop, int] = field(default_factory=dict)
    _looked: float = -math.inf
    _nearest: str | None = None
    _nearest_since: float = math.inf

    def looks(self, frame: Frame) -> bool:
        """Return whether to look for faces in a frame."""
        self.moving = self.motion.opens(frame)
        wanted = self.moving or self.tracker.following
        pause = _CALM_LOOK_S if self.calm else _LOOK_S
        if not wanted or frame.arrived - self._looked < pause:
            return False
        self._looked = frame.arrived
        return True

    def count_losses(self, camera: Camera, latencies: Latencies) -> None:
        """Count what was left out of a camera's pictures since the last time."""
        for drop, times in (
            (Drop.FRAME_REPLACED, camera.dropped_frames),
            (Drop.FRAME_REJECTED, camera.rejected_frames),
            (Drop.DETECTION_SKIPPED, self.motion.skipped),
        ):
            latencies.count(drop, camera.id, times - self._lost.get(drop, 0))
            self._lost[drop] = times

    def attempt(self, track: Track) -> Attempt:
        """Return how far a track has come; its attempt begins when its face can be read."""
        return self.attempts.setdefault(track.id, Attempt(track.last_arrived))

    def drop(self, track: Track) -> None:
        """Forget a track that ended."""
        self.attempts.pop(track.id, None)

    def worth_a_look(self, tracks: tuple[Track, ...], frame: Frame) -> list[Track]:
        """Return the tracks to probe in this frame: those that waited longest."""
        near = [
            track
            for track in tracks
            if self._readable(track, frame) and self.attempt(track).due(track)
        ]
        return sorted(near, key=lambda track: self.attempt(track).probed)[:PROBES_PER_FRAME]

    def settle(self, tracks: tuple[Track, ...]) -> None:
        """Take note of how urgent the faces are after a look."""
        self.calm = bool(tracks) and not any(
            track.id not in self.attempts or self.attempts[track.id].urgent(track)
            for track in tracks
        )

    def see(self, tracks: tuple[Track, ...], frame: Frame) -> None:
        """Take note of who stands nearest in a frame."""
        if not tracks:
            return
        nearest = max(tracks, key=self._nearness)
        if nearest.id != self._nearest:
            self._nearest, self._nearest_since = nearest.id, frame.arrived

    def stands_since(self, track: Track) -> float:
        """Return since when a track stands nearest, on the frames' clock; now, if another does.

        A temperature is of whoever stood nearest when it was taken, not of who waited behind.
        """
        nearest = track.id == self._nearest
        return self._nearest_since if nearest else track.last_arrived

    def needs_detail(self, tracks: tuple[Track, ...]) -> bool:
        """Return whether a face is there, or coming, that is to be read."""
        return any(
            self.attempt(track).open(track)
            if track.id in self.attempts
            else track.detection.box.height >= _COMING * self.min_face_px
            for track in tracks
        )

    def behind(self, track: Track) -> bool:
        """Return whether another face stands nearer than a track's."""
        return track.id != self._nearest

    def _nearness(self, track: Track) -> float:
        height = track.detection.box.height
        return height * _NEARER if track.id == self._nearest else height

    def _readable(self, track: Track, frame: Frame) -> bool:
        """Return whether a face is large enough, and whole as soon as it can be."""
        box, (width, height) = track.detection.box, frame.size
        if box.height < self.min_face_px:
            return False
        across = min(box.x + box.width, width) - max(box.x, 0)
        down = min(box.y + box.height, height) - max(box.y, 0)
        return across * down >= _WHOLE * box.width * box.height or track.seen_s >= _ENTERING_S


async def follow(camera: Camera, look: Callable[[Frame], Awaitable[bool]]) -> None:
    """Have every frame of a camera looked at until it ends.

    ``look`` returns whether the next ones are wanted in the large picture.
    """
    failing = False
    async for frame in camera.frames():
        try:
            camera.focus(wanted=await look(frame))
        except Exception:
            # A picture that cannot be judged opens nothing; the next one may be judged.
            if not failing:
                _LOGGER.exception("Camera %s: a frame could not be judged", camera.id)
            failing = True
        else:
            failing = False
