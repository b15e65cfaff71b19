"""The passage: camera -> face -> identity -> decision; ``Site.conclude`` goes on to the door.

A face is looked at in every frame until it is decided. It is granted as soon as every required
control passes. It is denied, and an unknown one rings, once it has stood there for
``PATIENCE_S`` without that. Then it is still looked at, less often, until ``LONGEST_S``, so that
who turned to the camera late gets in; but a face that moved like a picture has had its chance.
Faces that pass by leave no record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
import logging
import math

from facegate.background import Background
from facegate.decision.claim import FaceEvidence
from facegate.decision.gate import Asking
from facegate.decision.policy import MAX_FRAME_AGE_S
from facegate.domain import (
    AccessPoint,
    Basis,
    Camera,
    Clock,
    Decision,
    Frame,
    Identification,
    LivenessEvidence,
    Outcome,
)
from facegate.errors import FaceGateError
from facegate.face.liveness import assess
from facegate.face.track import Track, Tracker
from facegate.identity.evidence import fuse, identify
from facegate.identity.gallery import Gallery
from facegate.office.people import People
from facegate.protocol import Direction
from facegate.register import Person
from facegate.settings import Settings
from facegate.site import Site
from facegate.vision import Vision

_LOGGER = logging.getLogger(__name__)

PATIENCE_S = 2.5
LONGEST_S = 15.0
SLOW_PROBE_S = 0.4
REPEAT_S = 10.0
"""A subject is not granted the same access point again within this time."""

RETRY_S = 3.0
"""How long a face that stays waits until a door that did not open to it is asked again."""

PROBES_PER_FRAME = 2
CODE_S = 0.4
"""How often a camera's picture is searched for the code of a visitor pass."""


@dataclass(slots=True)
class Attempt:
    """How far a track has come at its access points.

    ``reported`` are those at which it was denied; ``failed`` is when a door did not open to it.
    """

    reported: set[AccessPoint] = field(default_factory=set)
    settled: bool = False
    probed: float = -math.inf
    failed: float = -math.inf

    def due(self, track: Track) -> bool:
        """Return whether the track's face is worth another probe."""
        if self.settled or track.seen_s > LONGEST_S:
            return False
        return not self.reported or track.last_arrived - self.probed >= SLOW_PROBE_S


@dataclass(slots=True)
class Seen:
    """The last code that a camera saw, and when it was looked for and seen."""

    code: str | None = None
    looked: float = -math.inf
    at: float = -math.inf


class Pipeline:
    """Watches cameras and lets through who may pass."""

    def __init__(
        self,
        settings: Settings,
        vision: Vision,
        gallery: Gallery,
        people: People,
        site: Site,
        clock: Clock,
    ) -> None:
        self._limits = settings.recognition
        self._doors = {door.id: door for door in settings.doors}
        self._access_points = settings.access_points
        self._vision = vision
        self._gallery = gallery
        self._people = people
        self._site = site
        self._clock = clock
        self._granted: dict[tuple[AccessPoint, str], float] = {}
        self._background = Background()

    async def watch(self, camera: Camera) -> None:
        """Follow the faces of one camera until it ends."""
        tracker = Tracker(camera.id)
        attempts: dict[str, Attempt] = {}
        seen = Seen()
        failing = False
        async for frame in camera.frames():
            try:
                await self._look(frame, tracker, attempts)
                await self._look_for_codes(frame, seen)
            except Exception:
                # A picture that cannot be judged opens nothing; the next one may be judged.
                if not failing:
                    _LOGGER.exception("Camera %s: a frame could not be judged", camera.id)
                failing = True
            else:
                failing = False

    async def close(self) -> None:
        """Finish what was decided; to be called once no camera is watched any more."""
        await self._background.finish()

    async def _look(self, frame: Frame, tracker: Tracker, attempts: dict[str, Attempt]) -> None:
        """Look for faces in a frame and decide about those that are due."""
        found = await self._vision.follow(tracker, frame)
        for lost in found.lost:
            attempts.pop(lost.id, None)
        for track in self._worth_a_look(found.live, attempts):
            track_now = await self._probe(frame, track, tracker)
            if track_now is not track:
                attempts.pop(track.id, None)
            attempt = attempts.setdefault(track_now.id, Attempt())
            attempt.probed = frame.arrived
            self._consider(frame, track_now, attempt)

    def _worth_a_look(self, tracks: tuple[Track, ...], attempts: dict[str, Attempt]) -> list[Track]:
        """Return the tracks to probe in this frame: those that waited longest."""
        near = [
            track
            for track in tracks
            if track.detection.box.height >= self._limits.min_face_px
            and attempts.setdefault(track.id, Attempt()).due(track)
        ]
        return sorted(near, key=lambda track: attempts[track.id].probed)[:PROBES_PER_FRAME]

    async def _probe(self, frame: Frame, track: Track, tracker: Tracker) -> Track:
        """Add a probe to a track, or to a new one where another face took its place."""
        probe = await self._vision.probe(frame, track.detection)
        if not track.add_probe(probe):
            track = tracker.split(track)
            track.add_probe(probe)
        return track

    def _consider(self, frame: Frame, track: Track, attempt: Attempt) -> None:
        """Judge a track at every access point of its camera, until one lets it through."""
        found = self._identify(track)
        person = self._people.find(found.subject_id)
        liveness = assess(track.vouched)
        reported = len(attempt.reported)
        for point in self._access_points(frame.camera_id):
            before = (attempt.settled, len(attempt.reported))
            asking = self._asking(frame, track, point, found, liveness, person)
            self._decide(track, attempt, asking, person)
            if before != (attempt.settled, len(attempt.reported)):
                self._background.spawn(self._show(frame, point))
            if attempt.settled:
                return
        denied_now = len(attempt.reported) > reported
        attempt.settled = denied_now and liveness.outcome is Outcome.FAIL and person is not None

    def _decide(
        self, track: Track, attempt: Attempt, asking: Asking, person: Person | None
    ) -> None:
        """Judge a track at an access point and act on it, once."""
        point, judgment = asking.access_point, self._site.gate.judge(asking)
        if judgment.granted and person is not None:
            key, now = (point, person.subject.id), self._clock.monotonic()
            rests = now - attempt.failed < RETRY_S
            if not rests and now - self._granted.get(key, -math.inf) >= REPEAT_S:
                self._granted[key] = now
                attempt.settled = True
                decision = self._site.passages.decide(
                    asking, judgment, first_seen_at=track.first_seen_at
                )
                self._background.spawn(self._grant(decision, key, attempt))
        elif track.seen_s >= PATIENCE_S and point not in attempt.reported:
            attempt.reported.add(point)
            decision = self._site.passages.decide(
                asking, judgment, first_seen_at=track.first_seen_at
            )
            self._background.spawn(self._deny(track, decision))

    async def _grant(
        self, decision: Decision, key: tuple[AccessPoint, str], attempt: Attempt
    ) -> None:
        """Conclude a grant; one that came to nothing is not held against the next."""
        try:
            await self._site.passages.conclude(decision)
        except FaceGateError:
            self._granted.pop(key, None)
            attempt.settled, attempt.failed = False, self._clock.monotonic()
            raise

    async def _deny(self, track: Track, decision: Decision) -> None:
        """Conclude a denial, and let a face that nobody knows ring."""
        await self._site.passages.conclude(decision)
        point, found = decision.access_point, decision.identification
        rings = self._doors[point.door_id].visitors and point.direction is Direction.ENTRY
        if found is None or found.subject_id is not None or found.probes < found.min_probes:
            return
        if rings:
            picture = await self._vision.jpeg(track.picture)
            await self._site.visitors.ring(point, picture, fuse(track.probes))

    def _identify(self, track: Track) -> Identification:
        return identify(
            track.probes,
            self._gallery,
            threshold=self._limits.threshold,
            min_margin=self._limits.min_margin,
            min_probes=self._limits.min_probes,
        )

    def _asking(
        self,
        frame: Frame,
        track: Track,
        point: AccessPoint,
        found: Identification,
        liveness: LivenessEvidence,
        person: Person | None,
    ) -> Asking:
        masks = [probe.mask for probe in track.probes if probe.mask is not None]
        return Asking(
            point,
            Basis.FACE,
            person,
            FaceEvidence(found, liveness, self._clock.monotonic() - frame.arrived),
            key=f"face:{person.subject.id}" if person is not None else None,
            since=track.first_arrived,
            embedding=fuse(track.probes),
            mask=sum(masks) / len(masks) if masks else None,
        )

    # --- codes ----------------------------------------------------------------------------------

    async def _look_for_codes(self, frame: Frame, seen: Seen) -> None:
        """Read the code of a visitor pass, and present it once while it is held up."""
        points = [
            point
            for point in self._access_points(frame.camera_id)
            if self._site.presenting.reads_codes(point.door_id)
        ]
        if not points or frame.arrived - seen.looked < CODE_S:
            return
        seen.looked = frame.arrived
        code = await self._vision.read_code(frame)
        if code is None or (code == seen.code and frame.arrived - seen.at < REPEAT_S):
            seen.at = frame.arrived if code is not None else seen.at
            return
        seen.code, seen.at = code, frame.arrived
        for point in points:
            self._background.spawn(self._present(point, code, frame))

    async def _present(self, point: AccessPoint, code: str, frame: Frame) -> None:
        age_s = self._clock.monotonic() - frame.arrived
        if age_s <= MAX_FRAME_AGE_S:
            await self._site.presenting.present_code(point, code, age_s)
            await self._show(frame, point)

    async def _show(self, frame: Frame, point: AccessPoint) -> None:
        self._site.board.show_picture(point.door_id, await self._vision.jpeg(frame.image))
