"""What the searches amount to: FNIR and FPIR by set, condition, pose and note, and their goals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
import math

import numpy as np

from facegate.evaluation.conditions import Condition
from facegate.evaluation.identification import Rules, Search
from facegate.evaluation.statistics import CurvePoint, Rate, curve, rate

ALL = "all"
SEVERAL = "several in one picture"
_NEAR_PX = 96
_NEAR = (Condition.AS_GIVEN, Condition.HEIGHT_128, Condition.HEIGHT_96)
FNIR_NEAR = 0.02
FNIR_AT_64 = 0.08
# Bounds of the groups by pose: degrees that the head is turned from the front.
_YAWS = (0.0, 10.0, 20.0, 30.0, 90.0)
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
class Goal:
    """A figure that is to be held; ``change`` tells what would have to where it is not."""

    name: str
    found: Rate
    limit: float
    held: bool
    change: str


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


def summarize(searches: Sequence[Search], rules: Rules, *, subjects: int, templates: int) -> Naming:
    """Return the figures of searches of a gallery of so many subjects and templates."""
    scopes = list(dict.fromkeys(_scope(search) for search in searches))
    groups = []
    curves = []
    for condition in Condition:
        under = [search for search in searches if search.condition is condition]
        if not under:
            continue
        parts = {scope: [s for s in under if _scope(s) == scope] for scope in scopes}
        groups += [_group(scope, condition, part) for scope, part in parts.items() if part]
        groups.append(_group(ALL, condition, under))
        curves.append(NamingCurve(condition, _curve(under)))
    tracked = [search for search in searches if search.found.probes]
    return Naming(
        rules,
        subjects,
        templates,
        sum(search.found.probes == 1 for search in tracked),
        len(tracked),
        tuple(groups),
        _by_pose(searches),
        _by_note(searches),
        tuple(curves),
        tuple(_goals(searches, scopes)),
    )


def _scope(search: Search) -> str:
    """Return the set's name; who is one of several in a picture counts apart.

    Which face is whose is told there by the scores themselves.
    """
    several = search.mate is not None and search.sample.of_one is None
    return f"{search.sample.set_name}, {SEVERAL}" if several else search.sample.set_name


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


def _scores(searches: Iterable[Search]) -> tuple[list[float], list[float]]:
    """Return up to which threshold each mate is named, and each stranger."""
    mated, unmated = [], []
    for search in searches:
        if search.mate is None:
            unmated.append(search.reaches())
        else:
            right = search.found.candidate_id == search.mate
            mated.append(search.reaches() if right else -1.0)
    return mated, unmated


def _curve(searches: Iterable[Search]) -> tuple[CurvePoint, ...]:
    mated, unmated = _scores(searches)
    return curve(np.array(mated), np.array(unmated))


def _by_pose(searches: Sequence[Search]) -> tuple[Group, ...]:
    """Return groups by how far the head is turned, over all sets; faces not found have no pose."""
    given = [s for s in searches if s.condition is Condition.AS_GIVEN and s.found.probes]
    parts = [
        (f"yaw {low:.0f} to {high:.0f} degrees", [s for s in given if low <= s.yaw < high])
        for low, high in pairwise(_YAWS)
    ]
    return tuple(_group(ALL, name, part) for name, part in parts if part)


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


def _goals(searches: Sequence[Search], scopes: Sequence[str]) -> Iterable[Goal]:
    named = [search.wrong for search in searches]
    yield Goal(
        "nobody is named who is not enrolled, nor by another's name",
        rate(sum(named), len(named)),
        0.0,
        not any(named),
        _other_threshold(searches) if any(named) else "",
    )
    for scope in scopes:
        near = [
            (condition, [s for s in own if s.mate is not None and _near(s)])
            for condition in _NEAR
            if (own := [s for s in searches if _scope(s) == scope and s.condition is condition])
        ]
        if parts := [(condition, part) for condition, part in near if part]:
            condition, worst = max(parts, key=lambda part: _fnir(part[1]).value or 0)
            name = f"FNIR of {scope} at {_NEAR_PX} px and more (worst: {condition})"
            yield _fnir_goal(name, worst, searches, FNIR_NEAR)
    small = [s for s in searches if s.condition is Condition.HEIGHT_64 and s.mate is not None]
    if small:
        yield _fnir_goal("FNIR of all at 64 px", small, searches, FNIR_AT_64)


def _near(search: Search) -> bool:
    # A face that was not found has no height; it counts.
    return search.condition is not Condition.AS_GIVEN or not 0 < search.height < _NEAR_PX


def _fnir(mated: Sequence[Search]) -> Rate:
    return rate(sum(not search.right for search in mated), len(mated))


def _fnir_goal(name: str, mated: Sequence[Search], every: Sequence[Search], limit: float) -> Goal:
    found = _fnir(mated)
    held = (found.value or 0) < limit
    return Goal(name, found, limit, held, "" if held else _lower_threshold(mated, every, limit))


def _lower_threshold(mated: Sequence[Search], every: Sequence[Search], limit: float) -> str:
    """Say at which threshold a FNIR would be under its limit, and what that would cost."""
    scores = sorted(_scores(mated)[0])
    allowed = max(0, math.ceil(limit * len(scores)) - 1)
    threshold = math.floor(scores[allowed] * 1000) / 1000
    if scores[allowed] <= -1:
        return (
            "no threshold would do: faces were not found, or were nearer to another;"
            " it takes more references a subject, or a nearer and brighter camera"
        )
    strangers = _scores(every)[1]
    named = rate(sum(score >= threshold for score in strangers), len(strangers))
    return (
        f"a threshold of {threshold:.3f}, at which {named.errors} of {named.trials} searches of"
        " people who are not enrolled would name somebody; or more references a subject"
    )


def _other_threshold(searches: Sequence[Search]) -> str:
    """Say above which threshold nobody would be named wrongly, and what that would cost."""
    highest = max(s.reaches() for s in searches if s.found.candidate_id != s.mate)
    threshold = math.floor(highest * 1000 + 1) / 1000
    mated = _scores(searches)[0]
    missed = rate(sum(score < threshold for score in mated), len(mated))
    return (
        f"a threshold of {threshold:.3f}, at which {missed.errors} of {missed.trials} searches of"
        " people who are enrolled would not name them"
    )
