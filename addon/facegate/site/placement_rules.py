"""What a camera must show of who walks up to its door, and what to do where it does not."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

BEST_FACE_PX = 96
"""Height that a face must reach before a door: below it the error rates rise."""

LONGEST_MS = 1000
"""More than this and people stand still and wait."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a test saw: heights of all faces in pixels, medians of those that were near.

    ``near_frames`` are those in which a face was large enough to be read. Angles are in degrees,
    ``luminance`` in 0..255, ``bright`` is the share (0..1) of the face that is overexposed,
    ``dynamic_range`` in bits, ``sharpness`` in 0..1; see ``face.quality.Quality``.
    """

    frames: int
    near_frames: int
    best_face_px: float
    median_face_px: float
    yaw: float
    pitch: float
    roll: float
    luminance: float
    bright: float
    dynamic_range: float
    sharpness: float
    expected_latency_ms: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: ``measured`` is beyond ``limit``.

    ``message`` tells how to mend it. A test with one that ``fails`` has not passed; the others
    are advice.
    """

    check: str
    fails: bool
    measured: float
    limit: float
    message: str


@dataclass(frozen=True, slots=True)
class _Rule:
    """A figure and its limit; ``low`` tells that less is worse.

    ``message`` is given what was measured and the limit.
    """

    check: str
    measured: Callable[[Seen], float]
    limit: float
    message: str
    low: bool = False
    fails: bool = True

    def finding(self, seen: Seen) -> Finding | None:
        measured = self.measured(seen)
        if measured >= self.limit if self.low else measured <= self.limit:
            return None
        text = self.message.format(measured=measured, limit=self.limit)
        return Finding(self.check, self.fails, round(measured, 3), self.limit, text)


def findings(seen: Seen, min_probes: int, min_face_px: int) -> tuple[Finding, ...]:
    """Return what is wrong, the size of the face first; nothing where all is well.

    ``min_probes`` and ``min_face_px`` are the site's own limits of an identification.
    """
    rules = (*_of_site(min_probes, max(min_face_px, BEST_FACE_PX)), *_RULES)
    return tuple(found for rule in rules if (found := rule.finding(seen)) is not None)


def nothing_seen(stream_fault: str | None) -> Finding:
    """Return what is wrong where no face was seen; ``stream_fault`` is why no pictures came."""
    message = (
        "No face was seen: walk up to the door during the test, and point the camera at where"
        " people come from, at the height of their faces."
    )
    if stream_fault is not None:
        message = f"The camera sent no pictures. {stream_fault}"
    return Finding("frames", fails=True, measured=0, limit=1, message=message)


def _of_site(min_probes: int, best_face_px: int) -> Iterator[_Rule]:
    yield _Rule(
        "face_px",
        lambda seen: seen.best_face_px,
        best_face_px,
        "The face is {measured:.0f} px high at its best; at least {limit} are needed: move the"
        " camera nearer, zoom in, or use the camera's main stream.",
        low=True,
    )
    yield _Rule(
        "near_frames",
        lambda seen: seen.near_frames,
        min_probes,
        "The face was large enough in {measured} frames; at least {limit} are needed: let the"
        " camera see people for longer as they come, and send at least 10 frames a second.",
        low=True,
    )


_RULES = (
    _Rule(
        "yaw",
        lambda seen: abs(seen.yaw),
        25,
        "The face is turned {measured:.0f} degrees to the side, at most {limit} are well: hang"
        " the camera nearer to where people look as they come.",
    ),
    _Rule(
        "pitch",
        lambda seen: abs(seen.pitch),
        25,
        "The face seems to be raised or lowered by {measured:.0f} degrees: hang the camera at"
        " the height of the eyes, 1.5 to 1.8 m, if you can.",
        fails=False,
    ),
    _Rule(
        "roll",
        lambda seen: abs(seen.roll),
        20,
        "The picture leans by {measured:.0f} degrees, at most {limit} are well: hang the camera"
        " upright, or rotate the picture in its settings.",
    ),
    _Rule(
        "luminance",
        lambda seen: seen.luminance,
        50,
        "The face is too dark ({measured:.0f} of 255, at least {limit}): light it from the front,"
        " or switch on the camera's backlight compensation.",
        low=True,
    ),
    _Rule(
        "bright",
        lambda seen: seen.bright,
        0.2,
        "{measured:.0%} of the face is overexposed, at most {limit:.0%} are well: shade it from"
        " the sun, or let the camera expose less.",
    ),
    _Rule(
        "dynamic_range",
        lambda seen: seen.dynamic_range,
        4.5,
        "The face has hardly any contrast ({measured:.1f} bits, at least {limit}): avoid light"
        " from behind, wipe the lens, or switch on the camera's wide dynamic range.",
        low=True,
    ),
    _Rule(
        "sharpness",
        lambda seen: seen.sharpness,
        0.23,
        "The face is blurred ({measured:.2f}, at least {limit}): focus the camera on where people"
        " stand, wipe the lens, use a shorter exposure or a higher bit rate.",
        low=True,
    ),
    _Rule(
        "expected_latency_ms",
        lambda seen: seen.expected_latency_ms,
        LONGEST_MS,
        "The door would open after about {measured:.0f} ms, at most {limit} are well: send more"
        " frames a second, and look at the stages' latencies for what is slow.",
    ),
)
