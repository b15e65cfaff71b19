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
import uuid

from facegate.background import Background
from facegate.decision.policy import FaceClaim, Judgment, judge_face
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
from facegate.people import People, Person
from facegate.protocol import Direction
from facegate.settings import Settings
from facegate.site import Site
from facegate.vision import Vision

_LOGGER = logging.getLogger(__name__)

PATIENCE_S = 2.5
LONGEST_S = 15.0
SLOW_PROBE_S = 0.4
REPEAT_S = 10.0
"""A subject is not granted the same access point again within this time."""

PROBES_PER_FRAME = 2


@dataclass(slots=True)
class Attempt:
    """How far a track has come at its access points; ``reported`` at which it was denied."""

    reported: set[AccessPoint] = field(default_factory=set)
    settled: bool = False
    probed: float = -math.inf

    def due(self, track: Track) -> bool:
        """Return whether the track's face is worth another probe."""
        if self.settled or track.seen_s > LONGEST_S:
            return False
        return not self.reported or track.last_arrived - self.probed >= SLOW_PROBE_S


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
        failing = False
        async for frame in camera.frames():
            try:
                await self._look(frame, tracker, attempts)
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
            self._decide(frame, track, attempt, point, found, person, liveness)
            if attempt.settled:
                return
        denied_now = len(attempt.reported) > reported
        attempt.settled = denied_now and liveness.outcome is Outcome.FAIL and person is not None

    def _decide(
        self,
        frame: Frame,
        track: Track,
        attempt: Attempt,
        point: AccessPoint,
        found: Identification,
        person: Person | None,
        liveness: LivenessEvidence,
    ) -> None:
        """Judge a track at an access point and act on it, once."""
        judgment = self._judge(frame, point, found, liveness, person)
        if judgment.granted and person is not None:
            key, now = (point, person.subject.id), self._clock.monotonic()
            if now - self._granted.get(key, -math.inf) >= REPEAT_S:
                self._granted[key] = now
                attempt.settled = True
                decision = self._decision(frame, track, point, judgment, found, person)
                self._background.spawn(self._grant(decision, key))
                self._background.spawn(self._show(frame, point))
        elif track.seen_s >= PATIENCE_S and point not in attempt.reported:
            attempt.reported.add(point)
            decision = self._decision(frame, track, point, judgment, found, person)
            self._background.spawn(self._deny(track, point, decision, found))
            self._background.spawn(self._show(frame, point))

    async def _grant(self, decision: Decision, key: tuple[AccessPoint, str]) -> None:
        """Conclude a grant; one that came to nothing is not held against the next."""
        try:
            await self._site.conclude(decision)
        except FaceGateError:
            self._granted.pop(key, None)
            raise

    async def _deny(
        self, track: Track, point: AccessPoint, decision: Decision, found: Identification
    ) -> None:
        """Conclude a denial, and let a face that nobody knows ring."""
        await self._site.conclude(decision)
        rings = self._doors[point.door_id].visitors and point.direction is Direction.ENTRY
        if rings and found.subject_id is None and found.probes >= found.min_probes:
            picture = await self._vision.jpeg(track.picture)
            await self._site.ring(point, picture, fuse(track.probes))

    def _identify(self, track: Track) -> Identification:
        return identify(
            track.probes,
            self._gallery,
            threshold=self._limits.threshold,
            min_margin=self._limits.min_margin,
            min_probes=self._limits.min_probes,
        )

    def _judge(
        self,
        frame: Frame,
        point: AccessPoint,
        found: Identification,
        liveness: LivenessEvidence,
        person: Person | None,
    ) -> Judgment:
        return judge_face(
            FaceClaim(
                access_point=point,
                at=self._clock.now(),
                frame_age_s=self._clock.monotonic() - frame.arrived,
                identification=found,
                liveness=liveness,
                liveness_requirement=self._doors[point.door_id].liveness,
                subject=person.subject if person else None,
                permits=person.permits if person else (),
            )
        )

    def _decision(
        self,
        frame: Frame,
        track: Track,
        point: AccessPoint,
        judgment: Judgment,
        found: Identification,
        person: Person | None,
    ) -> Decision:
        return Decision(
            id=uuid.uuid4().hex,
            at=self._clock.now(),
            access_point=point,
            basis=Basis.FACE,
            granted=judgment.granted,
            reason=judgment.reason,
            verdicts=judgment.verdicts,
            subject=person.subject if person else None,
            identification=found,
            first_seen_at=track.first_seen_at,
            frame_age_s=self._clock.monotonic() - frame.arrived,
        )

    async def _show(self, frame: Frame, point: AccessPoint) -> None:
        self._site.show(point.door_id, await self._vision.jpeg(frame.image))
