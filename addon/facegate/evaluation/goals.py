"""Goals of open-set identification, and what would have to change to hold them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
import math

from facegate.evaluation.conditions import Condition
from facegate.evaluation.identification import Search
from facegate.evaluation.siting import Goals
from facegate.evaluation.statistics import Rate, rate

_NEAR_PX = 96
_NEAR = (Condition.AS_GIVEN, Condition.HEIGHT_128, Condition.HEIGHT_96)
_STEPS = 1000

type Expected = Callable[[float], float]


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure that is to be held; ``change`` tells what would have to where it is not."""

    name: str
    found: Rate
    limit: float
    held: bool
    change: str


def scope_of(search: Search) -> str:
    """Return the set's name; who is one of several in a picture counts apart.

    Which face is whose is told there by the scores themselves.
    """
    several = search.mate is not None and search.sample.of_one is None
    return f"{search.sample.set_name} (several)" if several else search.sample.set_name


def reaches(searches: Sequence[Search]) -> tuple[list[float], list[float]]:
    """Return up to which threshold each mate would be named, and each stranger; -1 for never."""
    mated, unmated = [], []
    for search in searches:
        if search.mate is None:
            unmated.append(search.reaches())
        else:
            right = search.found.candidate_id == search.mate
            mated.append(search.reaches() if right else -1.0)
    return mated, unmated


def hold(searches: Sequence[Search], goals: Goals, expected: Expected) -> tuple[Goal, ...]:
    """Return whether each goal is held; ``expected`` gives the FPIR of a threshold at the site."""
    return tuple(_goals(searches, goals, expected))


def _goals(searches: Sequence[Search], goals: Goals, expected: Expected) -> Iterator[Goal]:
    wrong = rate(sum(search.wrong for search in searches), len(searches))
    change = _other_threshold(searches) if wrong.errors else ""
    name = "nobody is named who is not enrolled, nor by another's name"
    yield Goal(name, wrong, 0.0, not wrong.errors, change)
    for scope in dict.fromkeys(scope_of(search) for search in searches):
        own = [search for search in searches if scope_of(search) == scope and _is_near(search)]
        parts = [[s for s in own if s.condition is condition] for condition in _NEAR]
        if any(parts):
            worst = max((part for part in parts if part), key=lambda part: _fnir(part).value or 0)
            name = f"FNIR of {scope} at {_NEAR_PX} px and more (worst: {worst[0].condition})"
            limit = goals.near_by_set.get(worst[0].sample.set_name, goals.near)
            yield _goal(name, worst, limit, expected)
    small = [s for s in searches if s.condition is Condition.HEIGHT_64 and s.mate is not None]
    if small:
        yield _goal("FNIR of all at 64 px", small, goals.at_64, expected)


def _is_near(search: Search) -> bool:
    # A face that was not found has no height; it counts.
    near = search.condition is not Condition.AS_GIVEN or not 0 < search.height < _NEAR_PX
    return search.mate is not None and near


def _fnir(mated: Sequence[Search]) -> Rate:
    return rate(sum(not search.right for search in mated), len(mated))


def _goal(name: str, mated: Sequence[Search], limit: float, expected: Expected) -> Goal:
    found = _fnir(mated)
    held = (found.value or 0) < limit
    return Goal(name, found, limit, held, "" if held else _lower(mated, limit, expected))


def _lower(mated: Sequence[Search], limit: float, expected: Expected) -> str:
    """Say at which threshold a FNIR would be under its limit, and what that would cost."""
    scores = sorted(reaches(mated)[0])
    needed = scores[max(0, math.ceil(limit * len(scores)) - 1)]
    if needed <= 0:
        return (
            "no threshold would do: faces were not found or were too near to another; it takes"
            " more references a subject, more frames, or a nearer and brighter camera"
        )
    threshold = math.floor(needed * _STEPS) / _STEPS
    return (
        f"a threshold of {threshold:.3f}, at which the site's FPIR would be"
        f" {expected(threshold):.1g}; or more references a subject, or more frames"
    )


def _other_threshold(searches: Sequence[Search]) -> str:
    """Say above which threshold nobody would be named wrongly, and what that would cost."""
    highest = max(search.reaches() for search in searches if search.wrong)
    threshold = (math.floor(highest * _STEPS) + 1) / _STEPS
    mated = reaches(searches)[0]
    missed = sum(score < threshold for score in mated)
    return (
        f"a threshold of {threshold:.3f}, at which {missed} of {len(mated)} searches of people who"
        " are enrolled would not name them"
    )
