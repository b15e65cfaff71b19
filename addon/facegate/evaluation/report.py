"""Measures everything that labeled sets allow, into one report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from facegate import __version__
from facegate.evaluation.attacks import Attacks, judge, present
from facegate.evaluation.conditions import Condition
from facegate.evaluation.discard import QualityFigures, weigh
from facegate.evaluation.identification import Enrolled, searches
from facegate.evaluation.instruments import Instruments, Missing
from facegate.evaluation.labels import LabeledSet, Purpose, Sample
from facegate.evaluation.looking import Presentation, look
from facegate.evaluation.masks import Masks, classify, count
from facegate.evaluation.naming import Naming, summarize
from facegate.evaluation.siting import Goals, Siting
from facegate.evaluation.verification import Verification, verify

SHOWN = tuple(condition for condition in Condition if condition is not Condition.AS_GIVEN)


@dataclass(frozen=True, slots=True)
class SetSummary:
    """What a set holds."""

    name: str
    purpose: Purpose
    pictures: int
    clips: int
    subjects: int


@dataclass(frozen=True, slots=True)
class FalseFaces:
    """Samples in which nobody is, and how many of them had a face all the same."""

    samples: int
    with_a_face: int


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that was measured; a part that was not says why."""

    version: str
    embedder: str
    sets: tuple[SetSummary, ...]
    false_faces: FalseFaces
    verification: tuple[Verification, ...] | Missing
    naming: Naming | Missing
    quality: QualityFigures | Missing
    attacks: Attacks | Missing
    masks: Masks | Missing


def measure_sets(
    sets: Sequence[LabeledSet],
    instruments: Instruments,
    siting: Siting,
    goals: Goals,
    tell: Callable[[str], None],
) -> Report:
    """Measure the sets; labels mean the same person in all of them.

    ``tell`` is called with what is being done. Raises ``InvalidError`` for files that cannot be
    read.
    """
    shown = [
        presentation
        for each in sets
        if each.purpose is Purpose.IDENTITY
        for presentation in _looked(each, instruments, tell)
    ]
    verification: tuple[Verification, ...] | Missing
    naming: Naming | Missing
    quality: QualityFigures | Missing
    if shown:
        enrolled = Enrolled(shown, instruments.embedder.model_id, siting.references)
        found = searches(shown, enrolled, siting.rules(enrolled.subjects, enrolled.templates))
        verification = verify(shown)
        naming = summarize(found, siting, goals, enrolled)
        quality = weigh(found)
    else:
        verification = naming = quality = Missing("no identity set was given")
    return Report(
        __version__,
        instruments.embedder.model_id,
        tuple(_summary(each) for each in sets),
        _false_faces(shown),
        verification,
        naming,
        quality,
        _attacks(_samples(sets, Purpose.ATTACK), instruments),
        _masks(_samples(sets, Purpose.MASK), instruments),
    )


def _looked(
    each: LabeledSet, instruments: Instruments, tell: Callable[[str], None]
) -> Sequence[Presentation]:
    tell(f"{each.name}: {len(each.samples)} samples")
    return [shown for sample in each.samples for shown in look(sample, instruments, SHOWN)]


def _samples(sets: Sequence[LabeledSet], purpose: Purpose) -> list[Sample]:
    return [sample for each in sets if each.purpose is purpose for sample in each.samples]


def _attacks(samples: Sequence[Sample], instruments: Instruments) -> Attacks | Missing:
    if not samples:
        return Missing("no attack set was given")
    if isinstance(instruments.attacks, Missing):
        return instruments.attacks
    return judge(present(samples, instruments, instruments.attacks))


def _masks(samples: Sequence[Sample], instruments: Instruments) -> Masks | Missing:
    if not samples:
        return Missing("no mask set was given")
    if isinstance(instruments.masks, Missing):
        return instruments.masks
    return count(classify(samples, instruments, instruments.masks))


def _false_faces(shown: Sequence[Presentation]) -> FalseFaces:
    faceless = [each for each in shown if each.sample.faceless]
    return FalseFaces(len(faceless), sum(bool(each.tracks) for each in faceless))


def _summary(each: LabeledSet) -> SetSummary:
    clips = sum(sample.is_clip for sample in each.samples)
    subjects = {name for sample in each.samples for name in sample.subjects}
    known = len(subjects) if each.purpose is Purpose.IDENTITY else 0
    return SetSummary(each.name, each.purpose, len(each.samples) - clips, clips, known)
