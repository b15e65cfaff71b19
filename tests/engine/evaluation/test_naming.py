"""Figures of searches: groups, curves, and what would have to change to hold a goal."""

from __future__ import annotations

import pytest

from facegate.evaluation.conditions import Condition
from facegate.evaluation.goals import Goal, hold
from facegate.evaluation.identification import Enrolled, searches
from facegate.evaluation.looking import Presentation
from facegate.evaluation.naming import ALL, Naming, summarize
from facegate.evaluation.siting import Goals, Siting
from facegate.face.weights import SFACE
from facegate.identity.calibration import calibration_of
from tests.engine.evaluation.made import sample, searched, shown, turned

HALF = Goals(near=0.5, near_by_set={"b": 0.1}, at_64=0.5)


def summarized(*presentations: Presentation, threshold: float | None = 0.5) -> Naming:
    siting = Siting(calibration_of(SFACE.id), 1e-4, threshold, 0.08, 3, 3)
    enrolled = Enrolled(presentations, "m", 3)
    rules = siting.rules(enrolled.subjects, enrolled.templates)
    return summarize(searches(presentations, enrolled, rules), siting, HALF, enrolled)


def goals_of(*presentations: Presentation) -> dict[str, Goal]:
    found = hold(searched(*presentations), HALF, lambda threshold: 1 - threshold)
    return {goal.name: goal for goal in found}


def pair(
    label: str, degrees: float, person: int, name: str = "set", note: str = ""
) -> list[Presentation]:
    """Two samples of one person at an angle to each other."""
    return [
        shown(sample(label, 10 * person + 2, name, note=note), turned(0, person)),
        shown(sample(label, 10 * person + 3, name, note=note), turned(degrees, person)),
    ]


def test_searches_are_counted_by_set_and_over_all() -> None:
    found = summarized(*pair("ann", 20, 0, "a"), *pair("bea", 75, 1, "b"))
    rows = {group.scope: group for group in found.groups if group.condition == "as given"}
    assert (rows["a"].fnir.errors, rows["a"].fnir.trials) == (0, 2)
    assert (rows["b"].fnir.errors, rows["b"].fnir.trials) == (2, 2)
    assert (rows[ALL].fnir.errors, rows[ALL].fnir.trials) == (2, 4)
    assert (rows[ALL].fpir.errors, rows[ALL].fpir.trials) == (0, 4)
    assert (found.subjects, found.templates, found.tracks) == (2, 4, 8)
    assert found.single_probe_tracks == 8


def test_the_curve_is_at_each_threshold_what_the_threshold_would_name() -> None:
    presentations = [*pair("ann", 20, 0), *pair("bea", 50, 1), *pair("cid", 75, 2)]
    (whole,) = summarized(*presentations).curves
    for point in whole.points:
        if 0.3 <= point.threshold <= 0.99:
            (row,) = [
                group
                for group in summarized(*presentations, threshold=point.threshold).groups
                if group.scope == ALL
            ]
            assert row.fnir.value == pytest.approx(point.false_negative)
            assert row.fpir.value == pytest.approx(point.false_positive)


def test_samples_are_grouped_by_the_words_of_their_notes() -> None:
    presentations = []
    for person in range(12):
        degrees = 75 if person < 3 else 20
        presentations += pair(
            f"p{person}", degrees, person, note="smiling" if person < 6 else "set"
        )
    rows = {group.condition: group.fnir for group in summarized(*presentations).by_note}
    assert (rows["smiling"].errors, rows["smiling"].trials) == (6, 12)
    assert (rows["set"].errors, rows["set"].trials) == (0, 12)


def test_a_word_that_few_or_all_samples_bear_makes_no_group() -> None:
    few = [each for person in range(4) for each in pair(f"p{person}", 20, person, note="rare")]
    rest = [each for person in range(4, 12) for each in pair(f"p{person}", 20, person)]
    assert summarized(*few, *rest).by_note == ()
    all_of_them = [each for n in range(8) for each in pair(f"p{n}", 20, n, note="common")]
    assert summarized(*all_of_them).by_note == ()


def test_faces_are_grouped_by_how_far_they_are_turned() -> None:
    (group,) = summarized(*pair("ann", 20, 0)).by_pose
    assert group.condition == "yaw of 0 to 10 degrees"
    assert group.fnir.trials == 2


def test_goals_that_are_held_ask_for_nothing() -> None:
    goals = goals_of(*pair("ann", 20, 0), *pair("bea", 20, 1))
    assert [goal.held for goal in goals.values()] == [True, True]
    assert {goal.change for goal in goals.values()} == {""}


def test_a_set_has_its_own_limit() -> None:
    goals = goals_of(*pair("ann", 20, 0, "a"), *pair("bea", 20, 1, "b"))
    assert [goal.limit for goal in goals.values()] == [0.0, 0.5, 0.1]


def test_a_missed_goal_names_the_threshold_that_would_do_and_what_it_costs() -> None:
    # The cosine of 65 degrees is 0.4226.
    (_, missed) = goals_of(*pair("ann", 65, 0), *pair("bea", 65, 1)).values()
    assert not missed.held
    assert (missed.found.errors, missed.found.trials) == (4, 4)
    assert missed.change.startswith("a threshold of 0.422, at which the site's FPIR would be 0.6;")


def test_faces_that_are_not_found_can_be_helped_by_no_threshold() -> None:
    lost = [shown(sample("ann", 2), condition=Condition.HEIGHT_64)] * 2
    goals = goals_of(*pair("ann", 20, 0), *lost)
    assert goals["FNIR of all at 64 px"].change.startswith("no threshold would do")


def test_the_worst_of_the_near_conditions_is_held_against_the_goal() -> None:
    far = shown(sample("ann", 2), turned(80), condition=Condition.HEIGHT_96)
    goals = goals_of(*pair("ann", 0, 0), far)
    assert "FNIR of set at 96 px and more (worst: 96 px)" in goals


def test_faces_under_96_pixels_do_not_count_as_near() -> None:
    small = [shown(sample("ann", row), turned(0), height=60) for row in (2, 3)]
    assert list(goals_of(*small)) == ["nobody is named who is not enrolled, nor by another's name"]


def test_a_stranger_who_is_named_breaks_the_first_goal() -> None:
    # The cosine of 30 degrees is 0.8660.
    first = shown(sample("ann", 2), turned(0)), shown(sample("bea", 3), turned(30))
    (goal,) = goals_of(*first).values()
    assert (goal.held, goal.found.errors) == (False, 2)
    assert goal.change.startswith("a threshold of 0.867, at which 0 of 0")


def test_the_threshold_follows_the_galleries_size_unless_it_is_given() -> None:
    few = summarized(*pair("ann", 20, 0), threshold=None).rules
    many = [each for n in range(40) for each in pair(f"p{n}", 20, n)]
    more = summarized(*many, threshold=None).rules
    assert few.threshold < more.threshold
    assert more.origin == "the site's for FPIR 0.0001"
    assert more.expected_fpir == pytest.approx(1e-4, rel=0.2)
    assert summarized(*many, threshold=0.4).rules.origin == "as given"
