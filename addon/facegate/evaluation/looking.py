"""Looks at samples: finds the faces of a picture or a clip and makes probes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
import math
from pathlib import Path
from statistics import median

import av
import av.error
import numpy as np

from facegate.camera.pixels import StillPixels
from facegate.domain import Detection, Frame, Image, Probe
from facegate.errors import ImageError, InvalidError
from facegate.evaluation.conditions import Condition, View, view_of
from facegate.evaluation.instruments import Instruments
from facegate.evaluation.labels import Sample
from facegate.face.picture import decode_picture
from facegate.face.track import Tracker

MIN_FACE_PX = 48
"""Smaller faces of clips give no probes: the engine's default."""

FRAMES_PER_S = 8
"""How many frames of a clip are looked at."""
_MOST_SECONDS = 20.0
_USUAL_RATE = 25.0
# A face of a picture that shows one person is at least so high, in heights of the largest one.
_SECOND_FACE = 0.5
# Under a condition the face must be found so near to where it is, in face heights.
_NEAR = 0.5
_MOST_BYTES = 64 * 1024 * 1024
_BEGIN = datetime(2000, 1, 1, tzinfo=UTC)

type Probes = tuple[Probe, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Presentation:
    """A sample under a condition, and the tracks that were found in it; a picture's have 1 probe.

    Where the label names one subject, ``tracks`` holds at most that one's.
    """

    sample: Sample
    condition: Condition
    tracks: tuple[Probes, ...]

    @property
    def height(self) -> float:
        """Median height in pixels of the first track's faces; 0 where none was found."""
        if not self.tracks:
            return 0.0
        return median(probe.detection.box.height for probe in self.tracks[0])


def look(
    sample: Sample, instruments: Instruments, conditions: Sequence[Condition]
) -> Iterator[Presentation]:
    """Yield a sample as it is given and, of a picture of one subject, under ``conditions``.

    Conditions that ask for a larger face than there is are left out. Raises ``InvalidError`` with
    the row of a file that cannot be read.
    """
    if sample.is_clip:
        tracks = tuple(sorted(_tracks(sample, instruments), key=len, reverse=True))
        mine = tracks[:1] if sample.of_one else tracks
        yield Presentation(sample, Condition.AS_GIVEN, mine)
        return
    image = picture_of(sample)
    faces = instruments.detector.detect(image)
    if sample.of_one is None:
        tracks = tuple((instruments.probe(image, face),) for face in faces)
        yield Presentation(sample, Condition.AS_GIVEN, tracks)
        return
    face = the_face(image, faces)
    tracks = () if face is None else ((instruments.probe(image, face),),)
    yield Presentation(sample, Condition.AS_GIVEN, tracks)
    for condition in conditions:
        if face is not None and (view := view_of(image, face, condition)) is not None:
            yield Presentation(sample, condition, _again(view, instruments))


def picture_of(sample: Sample) -> Image:
    """Return a sample's picture in BGR; raises ``InvalidError`` with its row."""
    try:
        return decode_picture(sample.path.read_bytes(), max_bytes=_MOST_BYTES)
    except (OSError, ImageError) as err:
        raise _unreadable(sample, str(err)) from err


def frames_of(sample: Sample) -> Iterator[tuple[float, Image]]:
    """Yield seconds and pictures of a clip, 8 a second, its first 20 seconds.

    Raises ``InvalidError`` with the row of a clip that cannot be read.
    """
    try:
        yield from _frames(sample.path)
    except (OSError, IndexError, av.error.FFmpegError) as err:
        raise _unreadable(sample, str(err)) from err


def the_face(image: Image, faces: Sequence[Detection]) -> Detection | None:
    """Return the face that a picture of one person is of: of the large ones the most central."""
    height, width = image.shape[:2]
    largest = max((face.box.height for face in faces), default=0.0)
    large = [face for face in faces if face.box.height >= _SECOND_FACE * largest]
    return min(large, key=lambda face: _away(face, (width / 2, height / 2)), default=None)


def _again(view: View, instruments: Instruments) -> tuple[Probes, ...]:
    """Find a face again under a condition."""
    found = instruments.detector.detect(view.image)
    nearest = min(found, key=lambda face: _away(face, view.center), default=None)
    if nearest is None or _away(nearest, view.center) > _NEAR * view.height:
        return ()
    return ((instruments.probe(view.image, nearest),),)


def _away(face: Detection, point: tuple[float, float]) -> float:
    box = face.box
    return math.hypot(box.x + box.width / 2 - point[0], box.y + box.height / 2 - point[1])


def _tracks(sample: Sample, instruments: Instruments) -> Iterator[Probes]:
    """Follow the faces of a clip as the engine does, and yield each track's probes."""
    tracker = Tracker(sample.path.stem)
    kept: dict[str, Probes] = {}
    for sequence, (seconds, image) in enumerate(frames_of(sample)):
        at = _BEGIN + timedelta(seconds=seconds)
        frame = Frame(sample.path.stem, sequence, seconds, at, StillPixels(image))
        for live in tracker.update(frame, instruments.detector.detect(image)).live:
            if live.detection.box.height < MIN_FACE_PX:
                continue
            probe = instruments.probe(image, live.detection, sequence, seconds)
            track = live
            if not track.add_probe(probe):
                track = tracker.split(track)
                track.add_probe(probe)
            kept[track.id] = tuple(track.probes)
    yield from kept.values()


def _frames(path: Path) -> Iterator[tuple[float, Image]]:
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        rate = float(stream.guessed_rate or _USUAL_RATE)
        due = 0.0
        for index, frame in enumerate(container.decode(stream)):
            # A raw elementary stream has no times of its own.
            seconds = index / rate
            if seconds > _MOST_SECONDS:
                return
            if seconds + 1e-6 >= due:
                due += 1 / FRAMES_PER_S
                yield seconds, np.asarray(frame.to_ndarray(format="bgr24"), np.uint8)


def _unreadable(sample: Sample, why: str) -> InvalidError:
    return InvalidError(
        f"{sample.path}: row {sample.row} of its listing cannot be read ({why}); replace the file"
        " or take the row out"
    )
