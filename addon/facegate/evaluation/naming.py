"""What the searches amount to: FNIR and FPIR by set, condition, pose and note."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
import math

import numpy as np

from facegate.evaluation.conditions import Condition
from facegate.evaluation.goals import Goal, hold, reaches, scope_of
from facegate.evaluation.identification import Enrolled, Rules, Search
from facegate.evaluation.siting import Goals, Siting
from facegate.evaluation.statistics import CurvePoint, Rate, curve, rate

ALL = "all"
# Bounds of the groups by pose: degrees that the head is turned from the front.
_YAWS = (0.0, 10.0, 20.0, 30.0, math.inf)
# A word of notes makes a group where so many mated searches bear it.
_LEAST_NOTED = 10


@dataclass(frozen=True, slots=True)
class Group:
    """A part of the searches at the threshold in force.

    ``fnir``: mated searches that did not name the mate, a face that was not found included.
    ``misnamed``: those of them that named another. ``fpir``: searches of those who are not
    enrolled that named somebody. ``highest``: the best score of these, whatever the margin.
    """

    scope: str
    condition: str
    fnir: Rate
    misnamed: int
    fpir: Rate
    highest: float | None


@dataclass(frozen=True, slots=True)
class NamingCurve:
    """FNIR over FPIR under a condition, with the rules of margin and probes as in force."""

    condition: str
    points: tuple[CurvePoint, ...]


@dataclass(frozen=True, slots=True)
class Naming:
    """Open-set identification as a whole."""

    rules: Rules
    subjects: int
    templates: int
    single_probe_tracks: int
    tracks: int
    groups: tuple[Group, ...]
    by_pose: tuple[Group, ...]
    by_note: tuple[Group, ...]
    curves: tuple[NamingCurve, ...]
    goals: tuple[Goal, ...]


def summarize(
    searches: Sequence[Search], siting: Siting, goals: Goals, enrolled: Enrolled
) -> Naming:
    """Return the figures of the searches of a gallery, and which goals they hold."""
    scopes = list(dict.fromkeys(scope_of(search) for search in searches))
    groups = []
    curves = []
    for condition in Condition:
        under = [search for search in searches if search.condition is condition]
        if not under:
            continue
        parts = {scope: [s for s in under if scope_of(s) == scope] for scope in scopes}
        groups += [_group(scope, condition, part) for scope, part in parts.items() if part]
        groups.append(_group(ALL, condition, under))
        if points := _curve(under):
            curves.append(NamingCurve(condition, points))
    tracked = [search for search in searches if search.found.probes]
    subjects, templates = enrolled.subjects, enrolled.templates
    return Naming(
        siting.rules(subjects, templates),
        subjects,
        templates,
        sum(search.found.probes == 1 for search in tracked),
        len(tracked),
        tuple(groups),
        _by_pose(searches),
        _by_note(searches),
        tuple(curves),
        hold(
            searches,
            goals,
            lambda threshold: siting.expected_fpir(subjects, templates, threshold),
        ),
    )


def _group(scope: str, condition: str, searches: Iterable[Search]) -> Group:
    searches = list(searches)
    mated = [search for search in searches if search.mate is not None]
    unmated = [search for search in searches if search.mate is None]
    return Group(
        scope,
        condition,
        rate(sum(not search.right for search in mated), len(mated)),
        sum(search.wrong for search in mated),
        rate(sum(search.wrong for search in unmated), len(unmated)),
        max((search.found.score for search in unmated), default=None),
    )


def _curve(searches: Sequence[Search]) -> tuple[CurvePoint, ...]:
    mated, unmated = reaches(searches)
    return curve(np.array(mated), np.array(unmated))


def _by_pose(searches: Sequence[Search]) -> tuple[Group, ...]:
    """Return groups by how far the head is turned, over all sets; faces not found have no pose."""
    given = [s for s in searches if s.condition is Condition.AS_GIVEN and s.found.probes]
    parts = [
        (_turned(low, high), [search for search in given if low <= search.yaw < high])
        for low, high in pairwise(_YAWS)
    ]
    return tuple(_group(ALL, name, part) for name, part in parts if part)


def _turned(low: float, high: float) -> str:
    bound = "and more" if math.isinf(high) else f"to {high:.0f}"
    return f"yaw of {low:.0f} {bound} degrees"


def _by_note(searches: Sequence[Search]) -> tuple[Group, ...]:
    """Return groups by the words of notes, such as expressions, that tell samples apart."""
    given = [search for search in searches if search.condition is Condition.AS_GIVEN]
    groups = []
    for scope in dict.fromkeys(search.sample.set_name for search in given):
        own = [search for search in given if search.sample.set_name == scope]
        mated = [search for search in own if search.mate is not None]
        words = Counter(word for search in mated for word in search.sample.notes)
        groups += [
            _group(scope, word, [search for search in own if word in search.sample.notes])
            for word, count in words.items()
            if _LEAST_NOTED <= count < len(mated)
        ]
    return tuple(groups)
