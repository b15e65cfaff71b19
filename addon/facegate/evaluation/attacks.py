"""Presentation attacks (ISO/IEC 30107-3): which species pass as a person, and who does not.

What the models say of a picture, or the mean of a clip's, is held against what each level of the
engine asks of a head that turns as well: under it a face fails. The engine judges more than that:
it asks for several views of a track and looks at how the head moved, see ``face/fusion.py``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from facegate.domain import Image
from facegate.evaluation.instruments import Instruments
from facegate.evaluation.labels import LIVE, SPOOF, Sample
from facegate.evaluation.looking import frames_of, picture_of, the_face
from facegate.evaluation.statistics import Rate, rate
from facegate.face.attack import AttackDetector, tells
from facegate.face.fusion import LEVELS, MOST_VIEWS


@dataclass(frozen=True, slots=True)
class Presented:
    """One presentation: ``live`` is 0..1, None where no view could be judged (non-response)."""

    sample: str
    label: str
    live: float | None


@dataclass(frozen=True, slots=True)
class Species:
    """The attacks of one species (PAI) at one level.

    ``apcer``: those that were taken for a person; a non-response denies. ``non_response``: APNRR.
    """

    name: str
    apcer: Rate
    non_response: Rate


@dataclass(frozen=True, slots=True)
class Level:
    """One level's limit, and its errors; ``bpcer`` counts a person's non-response as a denial."""

    name: str
    limit: float
    species: tuple[Species, ...]
    bpcer: Rate
    non_response: Rate


@dataclass(frozen=True, slots=True)
class Attacks:
    """All presentations, and what each level makes of them."""

    presented: tuple[Presented, ...]
    levels: tuple[Level, ...]


def present(
    samples: Iterable[Sample], instruments: Instruments, detector: AttackDetector
) -> tuple[Presented, ...]:
    """Return what the models say of each sample."""
    found = []
    for sample in samples:
        shown = (image for _, image in frames_of(sample))
        images = shown if sample.is_clip else iter((picture_of(sample),))
        judged = (_view(image, instruments, detector) for image in images)
        views = [view for view in judged if view is not None]
        newest = views[-MOST_VIEWS:]
        live = sum(newest) / len(newest) if newest else None
        found.append(Presented(f"{sample.set_name}/{sample.path.name}", sample.label, live))
    return tuple(found)


def judge(presented: Sequence[Presented]) -> Attacks:
    """Return the errors of presentations at the limits of the engine's levels."""
    return Attacks(
        tuple(presented),
        tuple(_level(name, limits.turned, presented) for name, limits in LEVELS.items()),
    )


def _view(image: Image, instruments: Instruments, detector: AttackDetector) -> float | None:
    face = the_face(image, instruments.detector.detect(image))
    size = image.shape[1], image.shape[0]
    if face is None or not tells(face.box, size, 0.0):
        return None
    return detector.live(image, face.box)


def _level(name: str, limit: float, presented: Sequence[Presented]) -> Level:
    persons = [each.live for each in presented if each.label == LIVE]
    species = dict.fromkeys(each.label for each in presented if each.label.startswith(SPOOF))
    return Level(
        name,
        limit,
        tuple(_species(label, limit, presented) for label in species),
        rate(sum(live is None or live < limit for live in persons), len(persons)),
        rate(sum(live is None for live in persons), len(persons)),
    )


def _species(label: str, limit: float, presented: Sequence[Presented]) -> Species:
    lives = [each.live for each in presented if each.label == label]
    return Species(
        label.removeprefix(SPOOF),
        rate(sum(live is not None and live >= limit for live in lives), len(lives)),
        rate(sum(live is None for live in lives), len(lives)),
    )
