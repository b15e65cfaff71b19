"""Follows faces from frame to frame and keeps each track to one person.

A track gathers what a decision rests on: probes that say who it is and a history of landmarks
that says whether it is a solid head. Both must come from one person, or a living face could vouch
for a photograph held in its place; see ``Track.add_probe``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
import math

import cv2
import numpy as np

from facegate.domain import Box, Detection, Frame, Image, Probe, Vector
from facegate.face.relief import Relief, ReliefMeter
from facegate.face.view import FaceView, view_of

# A face unseen for longer is another track when it comes back.
MAX_GAP_S = 0.7
MAX_PROBES = 16
MAX_SIGHTINGS = 90
# Two probes further apart in time do not vouch for the frames between them.
MAX_UNPROBED_S = 0.5
# Below this cosine to the mean of its probes a face is another one than the track's. Measured
# with SFace 2021dec: probes of clips of one person, moving and half hidden, lie above 0.56 (411
# probes, faces of 70-330 px); in a crowd 0.4 % of faces over 80 px fall below, where people cross;
# of 10 000 pairs of different people 0.5 % reach 0.35, the highest 0.405.
MIN_CONTINUITY = 0.45

_MIN_IOU = 0.1
# How far a face's centre may lie from where it was expected, in face heights: at once, and for
# each second since.
_REACH, _REACH_PER_S, _MAX_REACH = 0.6, 3.0, 1.5
_MAX_SIZE_RATIO = 1.8
_MAX_VELOCITY_AGE_S = 0.3

# The visitor's picture: context around the face's box in box sizes, its longest side in pixels,
# and by how much a view must be better to replace the kept one.
_CONTEXT = 0.6
_PICTURE_SIDE = 480
_BETTER = 1.15
_SHARPNESS_SIDE = 64
_NO_PICTURE: Image = np.zeros((0, 0, 3), np.uint8)

# Faces that are smaller, in pixels of height, are followed and not looked at.
_MIN_LOOK_PX = 32


@dataclass(frozen=True, slots=True, eq=False)
class Sighting:
    """A face in one frame: ``landmarks`` as in ``Detection``, ``size`` = its box's height.

    ``relief`` is how its relief stood against an earlier view, where that could be measured.
    """

    arrived: float
    landmarks: Vector
    size: float
    relief: Relief | None = None


class Track:
    """One face followed over frames; ``detection`` is the newest and belongs to ``last_arrived``.

    ``speed`` is how fast it moved to there, in face heights a second; infinite for the first.
    While it is ``resting`` the face is followed, and only looked at to be probed.
    """

    def __init__(self, track_id: str, frame: Frame, detection: Detection) -> None:
        self.id = track_id
        self.camera_id = frame.camera_id
        self.first_seen_at: datetime = frame.at
        self.first_arrived = frame.arrived
        self.last_arrived = frame.arrived
        self.detection = detection
        self.probes: deque[Probe] = deque(maxlen=MAX_PROBES)
        self.resting = False
        self.picture: Image = _NO_PICTURE
        self.speed = math.inf
        self._view: FaceView | None = None
        self._picture_merit = 0.0
        self._sightings: deque[Sighting] = deque(maxlen=MAX_SIGHTINGS)
        self._relief = ReliefMeter()
        self._velocity = np.zeros(2, np.float32)
        self._vouched_from = math.inf
        self._vouched_until = -math.inf
        self._see(frame, detection)

    @property
    def seen_s(self) -> float:
        """Seconds from the first sighting to the newest."""
        return self.last_arrived - self.first_arrived

    @property
    def sightings(self) -> tuple[Sighting, ...]:
        """Every remembered sighting, the oldest first."""
        return tuple(self._sightings)

    @property
    def vouched(self) -> tuple[Sighting, ...]:
        """The sightings that the track's probes vouch for: what liveness may be judged on.

        They end with the newest probe and begin with the first one after the last stretch of
        more than ``MAX_UNPROBED_S`` in which nobody looked whose face it was.
        """
        return tuple(
            s for s in self._sightings if self._vouched_from <= s.arrived <= self._vouched_until
        )

    def update(self, frame: Frame, detection: Detection) -> None:
        """Add the face's sighting in a later frame."""
        elapsed = frame.arrived - self.last_arrived
        self.speed = _speed(self.detection.box, detection.box, elapsed)
        if 0 < elapsed <= _MAX_VELOCITY_AGE_S:
            moved = _centre(detection.box) - _centre(self.detection.box)
            self._velocity = 0.5 * self._velocity + 0.5 * moved / elapsed
        else:
            self._velocity[:] = 0
        self.detection = detection
        self.last_arrived = frame.arrived
        self._see(frame, detection)

    def view(self, frame: Frame) -> FaceView:
        """Return what is cut out of ``frame``, the newest one, to read the face."""
        if self._view is None:
            self._view = view_of(frame, self.detection)
            self._portray(self._view)
        return self._view

    def add_probe(self, probe: Probe) -> bool:
        """Keep ``probe`` and return True if its face continues the track's.

        Otherwise nothing is kept: the face was exchanged for another, and the caller goes on
        with ``Tracker.split``.
        """
        if self.probes:
            mean = np.mean([kept.embedding for kept in self.probes], axis=0)
            length = float(np.linalg.norm(mean))
            if float(mean @ probe.embedding) < MIN_CONTINUITY * length:
                return False
        if probe.arrived - self._vouched_until > MAX_UNPROBED_S:
            self._vouched_from = probe.arrived
        self._vouched_until = probe.arrived
        self.probes.append(probe)
        return True

    def measure_anew(self) -> None:
        """Measure the relief against a view of now: what was seen before answers no challenge."""
        self._relief = ReliefMeter()

    def expected_centre(self, arrived: float) -> Vector:
        """Return where the face should be at a moment, going on as it moved."""
        ahead = min(arrived - self.last_arrived, _MAX_VELOCITY_AGE_S)
        return _centre(self.detection.box) + self._velocity * np.float32(ahead)

    def _see(self, frame: Frame, detection: Detection) -> None:
        relief = self._view = None
        if frame.detail and not self.resting and detection.box.height >= _MIN_LOOK_PX:
            view = self.view(frame)
            relief = self._relief.measure(view.image, view.detection, frame.arrived, view.origin)
        self._sightings.append(
            Sighting(frame.arrived, detection.landmarks, detection.box.height, relief)
        )

    def _portray(self, view: FaceView) -> None:
        """Keep a view as the face's picture where it is a better one."""
        merit = _merit(view.image, view.detection)
        if merit > _BETTER * self._picture_merit:
            self._picture_merit = merit
            self.picture = _portrait(view.image, view.detection.box)


@dataclass(frozen=True, slots=True)
class TrackUpdate:
    """``live`` tracks have a face in this frame; ``lost`` ones ended before it."""

    live: tuple[Track, ...]
    lost: tuple[Track, ...]


class Tracker:
    """Follows the faces of one camera."""

    def __init__(self, camera_id: str) -> None:
        self._camera_id = camera_id
        self._tracks: list[Track] = []
        self._count = 0
        self._frame: Frame | None = None

    @property
    def following(self) -> bool:
        """Whether any face was there a moment ago."""
        return bool(self._tracks)

    def update(self, frame: Frame, detections: Sequence[Detection]) -> TrackUpdate:
        """Give each detection to the nearest track that can have moved there, or a new one."""
        lost = self.expire(frame.arrived)
        self._frame = frame
        pairs = sorted(
            (
                (cost, track_index, face_index)
                for track_index, track in enumerate(self._tracks)
                for face_index, face in enumerate(detections)
                if (cost := _cost(track, face, frame.arrived)) is not None
            ),
        )
        faces = dict(enumerate(detections))
        tracks = dict(enumerate(self._tracks))
        live: list[Track] = []
        for _, track_index, face_index in pairs:
            if track_index in tracks and face_index in faces:
                track = tracks.pop(track_index)
                track.update(frame, faces.pop(face_index))
                live.append(track)
        for face in faces.values():
            track = self._begin(frame, face)
            self._tracks.append(track)
            live.append(track)
        return TrackUpdate(tuple(live), lost)

    def split(self, track: Track) -> Track:
        """End ``track`` and return a new one that begins with its face in the newest frame.

        For a track in the newest update whose ``add_probe`` returned False; the new track has
        none of the old one's evidence. Raises ``ValueError`` for any other track.
        """
        if self._frame is None or track.last_arrived != self._frame.arrived:
            raise ValueError(f"track {track.id} has no face in the newest frame")
        fresh = self._begin(self._frame, track.detection)
        self._tracks[self._tracks.index(track)] = fresh
        return fresh

    def expire(self, now: float) -> tuple[Track, ...]:
        """End the tracks unseen for longer than ``MAX_GAP_S`` and return them."""
        lost = tuple(t for t in self._tracks if now - t.last_arrived > MAX_GAP_S)
        self._tracks = [t for t in self._tracks if t not in lost]
        return lost

    def _begin(self, frame: Frame, face: Detection) -> Track:
        self._count += 1
        return Track(f"{self._camera_id}-{self._count}", frame, face)


def _cost(track: Track, face: Detection, arrived: float) -> float | None:
    """Return how badly a face continues a track, or None if it cannot; 0 is the best."""
    before, after = track.detection.box, face.box
    ratio = max(after.height, 1e-3) / max(before.height, 1e-3)
    if not 1 / _MAX_SIZE_RATIO <= ratio <= _MAX_SIZE_RATIO:
        return None
    size = max(before.height, after.height, 1e-3)
    away = _centre(after) - track.expected_centre(arrived)
    distance = float(np.hypot(away[0], away[1])) / size
    reach = min(_REACH + _REACH_PER_S * max(0.0, arrived - track.last_arrived), _MAX_REACH)
    shared = _iou(before, after)
    if distance > reach and shared < _MIN_IOU:
        return None
    return distance + abs(float(np.log(ratio))) - shared


def _speed(before: Box, after: Box, elapsed: float) -> float:
    """Return how fast a face moved, in face heights a second."""
    away = _centre(after) - _centre(before)
    if elapsed <= 0:
        return math.inf
    return float(np.hypot(away[0], away[1])) / max(before.height, after.height, 1e-3) / elapsed


def _iou(a: Box, b: Box) -> float:
    width = min(a.x + a.width, b.x + b.width) - max(a.x, b.x)
    height = min(a.y + a.height, b.y + b.height) - max(a.y, b.y)
    shared = max(0.0, width) * max(0.0, height)
    return shared / max(a.width * a.height + b.width * b.height - shared, 1e-6)


def _centre(box: Box) -> Vector:
    return np.array([box.x + box.width / 2, box.y + box.height / 2], np.float32)


def _cut(image: Image, box: Box, context: float) -> Image:
    """Return a view of the box and ``context`` box sizes around it; may be empty."""
    height, width = image.shape[:2]
    left = int(max(0, box.x - context * box.width))
    top = int(max(0, box.y - context * box.height))
    right = int(min(width, box.x + (1 + context) * box.width))
    bottom = int(min(height, box.y + (1 + context) * box.height))
    return image[top : max(top, bottom), left : max(left, right)]


def _portrait(image: Image, box: Box) -> Image:
    """Return a copy of the face with its surroundings, at most ``_PICTURE_SIDE`` pixels long."""
    cut = _cut(image, box, _CONTEXT)
    longest = max(cut.shape[:2])
    if longest <= _PICTURE_SIDE:
        return cut.copy()
    scale = _PICTURE_SIDE / longest
    size = (max(1, round(cut.shape[1] * scale)), max(1, round(cut.shape[0] * scale)))
    return np.asarray(cv2.resize(cut, size, interpolation=cv2.INTER_AREA), np.uint8)


def _merit(image: Image, detection: Detection) -> float:
    """Return how good a view of a face is to show: large, sharp, whole, frontal enough to score.

    Sharpness is the standard deviation of the Laplacian of the face at one fixed size, so that
    an enlarged or blurred face has less of it.
    """
    face = _cut(image, detection.box, 0)
    if not face.size:
        return 0.0
    whole = face.shape[0] * face.shape[1] / (detection.box.width * detection.box.height)
    gray = cv2.cvtColor(face, cv2.COLOR_BGR2GRAY)
    small = cv2.resize(gray, (_SHARPNESS_SIDE, _SHARPNESS_SIDE), interpolation=cv2.INTER_AREA)
    sharpness = float(cv2.Laplacian(small, cv2.CV_32F).std())
    size = min(detection.box.height, _PICTURE_SIDE / 2)
    return size * sharpness * min(whole, 1.0) * detection.score
