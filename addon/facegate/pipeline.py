"""The passage: camera -> face -> identity -> decision; ``Site.conclude`` goes on to the door.

While nobody moves, a camera's small picture is glanced at and nothing more. A face is followed
there, and read in the large one until it is decided: it is granted as soon as every required
control passes; it is denied, and an unknown one rings, once it has stood there for ``PATIENCE_S``
without that. Then it is still read, less often, until ``LONGEST_S``, so that who turned to the
camera late gets in; but a face that looked or moved like a picture has had its chance. Faces that
pass by leave no record.
"""

from __future__ import annotations

from datetime import timedelta
import math

from facegate.background import Background
from facegate.codes import CodeReader
from facegate.decision.claim import FaceEvidence, Judgment
from facegate.decision.gate import Asking
from facegate.domain import (
    AccessPoint,
    Camera,
    Clock,
    Decision,
    Frame,
    Identification,
    LivenessEvidence,
)
from facegate.errors import FaceGateError
from facegate.face.fusion import fuse as fuse_liveness
from facegate.face.liveness import assess
from facegate.face.track import Track, Tracker
from facegate.identity.evidence import Identifier, fuse
from facegate.latency import Latencies, Stage
from facegate.office.people import People
from facegate.protocol import Direction
from facegate.register import Person
from facegate.settings import Settings
from facegate.site import Site
from facegate.site.placement import PlacementView
from facegate.verdicts import Basis, Outcome, Reason
from facegate.vision import Vision, portrait, scene
from facegate.watch import CHALLENGE_S, PATIENCE_S, Attempt, Watch, follow, hope

REPEAT_S = 10.0
"""A subject is not granted the same access point again within this time."""

RETRY_S = 3.0
"""How long a face that stays waits until a door that did not open to it is asked again."""


class Pipeline:
    """Watches cameras and lets through who may pass."""

    def __init__(
        self,
        settings: Settings,
        vision: Vision,
        identifier: Identifier,
        people: People,
        site: Site,
        latencies: Latencies,
        clock: Clock,
    ) -> None:
        self._min_face_px = settings.recognition.min_face_px
        self._doors = {door.id: door for door in settings.doors}
        self._access_points = settings.access_points
        self._vision = vision
        self._identifier = identifier
        self._people = people
        self._site = site
        self._latencies = latencies
        self._clock = clock
        self._granted: dict[tuple[AccessPoint, str], float] = {}
        self._background = Background()
        self._codes = CodeReader(settings, site, clock, self._background)

    async def watch(self, camera: Camera) -> None:
        """Follow the faces of one camera until it ends."""
        watch = Watch(Tracker(camera.id), self._min_face_px)

        async def look(frame: Frame) -> bool:
            self._latencies.observe(Stage.RECEIVE, self._clock.monotonic() - frame.arrived)
            watch.count_losses(camera, self._latencies)
            if watch.looks(frame):
                watch.reads = await self._look(frame, watch)
            coming = watch.motion.began_lately(frame.arrived)
            return self._codes.look(frame, watch) or watch.reads or coming

        await follow(camera, look)

    async def close(self) -> None:
        """Finish what was decided; to be called once no camera is watched any more."""
        await self._background.finish()

    async def _look(self, frame: Frame, watch: Watch) -> bool:
        """Look for faces in a frame and decide about those that are due.

        Return whether one is there, or coming, that is to be read in the large picture.
        """
        found = await self._vision.follow(watch.tracker, frame)
        for lost in found.lost:
            self._leave(lost, watch)
        watch.see(found.live, frame)
        due = watch.worth_a_look(found.live, frame)
        for track in due if frame.detail else ():
            living = not watch.attempt(track).rests
            track_now = await self._probe(frame, track, watch.tracker, living=living)
            if track_now is not track:
                self._leave(track, watch)
                watch.see((*(t for t in found.live if t is not track), track_now), frame)
            attempt = watch.attempt(track_now)
            attempt.probed = frame.arrived
            with self._latencies.measured(Stage.DECIDE):
                self._consider(frame, track_now, attempt, watch)
            track_now.resting = attempt.rests
        watch.settle(found.live)
        measuring = await self._measure_placement(frame, found.live)
        return watch.needs_detail(found.live) or measuring

    async def _measure_placement(self, frame: Frame, tracks: tuple[Track, ...]) -> bool:
        """Measure the largest face where somebody tests how the camera hangs.

        Return whether that is so: it is measured in the large picture.
        """
        placement = self._site.placement
        if not tracks or not placement.wanted(frame.camera_id):
            return False
        if frame.detail:
            largest = max(tracks, key=lambda track: track.detection.box.height)
            quality = await self._vision.examine(frame, largest.detection)
            age_s = self._clock.monotonic() - frame.arrived
            placement.saw(frame.camera_id, PlacementView(frame.arrived, age_s, quality))
        return True

    async def _probe(self, frame: Frame, track: Track, tracker: Tracker, *, living: bool) -> Track:
        """Add a probe to a track, or to a new one where another face took its place."""
        probe = await self._vision.probe(frame, track, living=living)
        if not track.add_probe(probe):
            track = tracker.split(track)
            track.add_probe(probe)
        return track

    def _consider(self, frame: Frame, track: Track, attempt: Attempt, watch: Watch) -> None:
        """Judge a track at every access point of its camera, until one lets it through."""
        found = self._identifier.identify(track.probes)
        person = self._people.find(found.subject_id)
        points = self._access_points(frame.camera_id)
        attempt.hope = hope(found, let_in=all(self._let_in(p, person) for p in points))
        motion = assess(track.vouched)
        reported = len(attempt.reported)
        failed = False
        for point in points:
            before = (attempt.settled, len(attempt.reported))
            liveness = self._liveness(point, track, attempt, motion)
            failed |= liveness.outcome is Outcome.FAIL
            asking = self._asking(frame, track, point, found, liveness, person, watch)
            self._decide(track, attempt, asking, person)
            if before != (attempt.settled, len(attempt.reported)):
                self._background.spawn(self._show(frame, point))
            if attempt.settled:
                return
        denied_now = len(attempt.reported) > reported
        attempt.settled = denied_now and failed and person is not None

    def _liveness(
        self, point: AccessPoint, track: Track, attempt: Attempt, motion: LivenessEvidence
    ) -> LivenessEvidence:
        """Return whether a track is a person by the rule of a door; ask for a turn of the head."""
        rule = self._doors[point.door_id].rules.liveness
        views = [probe.live for probe in track.probes if probe.live is not None]
        answered = False
        if attempt.challenged is not None:
            since = [s for s in track.vouched if s.arrived >= attempt.challenged]
            answered = assess(since).outcome is Outcome.PASS
        found = fuse_liveness(
            rule, motion, views if self._vision.knows_attacks else None, answered=answered
        )
        if found.reason is Reason.TURN_YOUR_HEAD and attempt.challenged is None:
            attempt.challenged = track.last_arrived
            track.measure_anew()
        self._site.board.prompt(point.door_id, track.id, found.reason)
        return found

    def _leave(self, track: Track, watch: Watch) -> None:
        """Forget a track that ended, and what its door asked of it."""
        watch.drop(track)
        for point in self._access_points(track.camera_id):
            self._site.board.prompt(point.door_id, track.id, None)

    def _decide(
        self, track: Track, attempt: Attempt, asking: Asking, person: Person | None
    ) -> None:
        """Judge a track at an access point and act on it, once."""
        point, judgment = asking.access_point, self._site.gate.judge(asking)
        patience = PATIENCE_S if attempt.challenged is None else CHALLENGE_S
        if judgment.granted and person is not None:
            key, now = (point, person.subject.id), self._clock.monotonic()
            rests = now - attempt.failed < RETRY_S
            if not rests and not self._let_in(point, person):
                self._granted[key] = now
                attempt.settled = True
                decision = self._conclusion(track, attempt, asking, judgment)
                self._background.spawn(self._grant(decision, key, attempt, track))
        elif attempt.waited_s(track) >= patience and point not in attempt.reported:
            attempt.reported.add(point)
            decision = self._conclusion(track, attempt, asking, judgment)
            self._background.spawn(self._deny(track, decision))

    def _let_in(self, point: AccessPoint, person: Person | None) -> bool:
        """Return whether somebody was granted an access point a moment ago."""
        if person is None:
            return False
        granted = self._granted.get((point, person.subject.id), -math.inf)
        return self._clock.monotonic() - granted < REPEAT_S

    def _conclusion(
        self, track: Track, attempt: Attempt, asking: Asking, judgment: Judgment
    ) -> Decision:
        if asking.face is not None:
            self._latencies.observe(Stage.ARRIVAL_TO_DECISION, asking.face.frame_age_s)
        came_near = timedelta(seconds=attempt.arrived - track.first_arrived)
        return self._site.passages.decide(
            asking,
            judgment,
            first_seen_at=track.first_seen_at + came_near,
            first_arrived=attempt.arrived,
        )

    async def _grant(
        self, decision: Decision, key: tuple[AccessPoint, str], attempt: Attempt, track: Track
    ) -> None:
        """Conclude a grant; one that came to nothing is not held against the next."""
        try:
            await self._site.passages.conclude(decision)
        except FaceGateError:
            self._granted.pop(key, None)
            attempt.settled = track.resting = False
            attempt.failed = self._clock.monotonic()
            raise

    async def _deny(self, track: Track, decision: Decision) -> None:
        """Conclude a denial, and let a face that nobody knows ring."""
        await self._site.passages.conclude(decision)
        point, found = decision.access_point, decision.identification
        rings = self._doors[point.door_id].visitors and point.direction is Direction.ENTRY
        if found is None or found.subject_id is not None or found.probes < found.min_probes:
            return
        if rings:
            picture = await portrait(track.picture)
            await self._site.visitors.ring(point, picture, fuse(track.probes))

    def _asking(
        self,
        frame: Frame,
        track: Track,
        point: AccessPoint,
        found: Identification,
        liveness: LivenessEvidence,
        person: Person | None,
        watch: Watch,
    ) -> Asking:
        masks = [probe.mask for probe in track.probes if probe.mask is not None]
        return Asking(
            point,
            Basis.FACE,
            person,
            FaceEvidence(
                found,
                liveness,
                self._clock.monotonic() - frame.arrived,
                model_fault=self._site.model_fault is not None,
            ),
            key=f"face:{person.subject.id}" if person is not None else None,
            since=watch.stands_since(track),
            behind=watch.behind(track),
            embedding=fuse(track.probes),
            mask=sum(masks) / len(masks) if masks else None,
        )

    async def _show(self, frame: Frame, point: AccessPoint) -> None:
        self._site.board.show_picture(point.door_id, await scene(frame))
