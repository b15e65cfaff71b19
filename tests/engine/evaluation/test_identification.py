"""Searches: who is enrolled with what, who counts as a stranger, and what is named."""

from __future__ import annotations

from dataclasses import replace

import pytest

from facegate.evaluation.conditions import Condition
from facegate.evaluation.identification import Enrolled, Search
from facegate.evaluation.looking import Presentation
from tests.engine.evaluation.made import RULES, probe, sample, searched, shown, turned

# Whose references are at these angles to a face that is straight ahead.
FAR, NEAR = 75.0, 20.0


def mated(found: tuple[Search, ...]) -> list[Search]:
    return [search for search in found if search.mate is not None]


def unmated(found: tuple[Search, ...]) -> list[Search]:
    return [search for search in found if search.mate is None]


def test_a_sample_is_searched_among_its_subjects_other_samples() -> None:
    found = mated(
        searched(
            shown(sample("ann", 2), turned(0)),
            shown(sample("ann", 3), turned(NEAR)),
            shown(sample("bea", 4), turned(0, 1)),
        )
    )
    assert [(search.sample.row, search.right) for search in found] == [(2, True), (3, True)]
    # The cosine of 20 degrees, not that of a sample with itself.
    assert [search.found.score for search in found] == pytest.approx([0.9397, 0.9397], abs=1e-4)


def test_who_has_one_sample_is_searched_for_as_never_enrolled_only() -> None:
    found = searched(shown(sample("ann", 2), turned(0)), shown(sample("bea", 3), turned(0, 1)))
    assert mated(found) == []
    assert [search.found.candidate_id for search in unmated(found)] == ["bea", "ann"]
    assert not any(search.wrong for search in found)


def test_every_sample_is_a_stranger_to_all_others() -> None:
    alike = searched(shown(sample("ann", 2), turned(0)), shown(sample("bea", 3), turned(NEAR)))
    assert [(s.found.subject_id, s.wrong) for s in unmated(alike)] == [("bea", True), ("ann", True)]


def test_up_to_so_many_references_are_enrolled_in_the_order_of_the_listing() -> None:
    presentations = [shown(sample("ann", row), turned(10.0 * row)) for row in range(2, 7)]
    enrolled = Enrolled(presentations, "m", 3)
    assert (enrolled.subjects, enrolled.templates) == (1, 3)
    # Rows 2, 3, 4 are at 20, 30, 40 degrees: row 6 at 60 is 20 from the last of them.
    last = enrolled.mated(presentations[4].tracks[0], "ann", presentations[4].sample, RULES)
    assert last.score == pytest.approx(0.9397, abs=1e-4)
    # Row 3 is left out for itself, row 5 takes its place.
    third = enrolled.mated(presentations[1].tracks[0], "ann", presentations[1].sample, RULES)
    assert third.score == pytest.approx(0.9848, abs=1e-4)


def test_searching_leaves_the_gallery_as_it_was() -> None:
    first, second = shown(sample("ann", 2), turned(0)), shown(sample("ann", 3), turned(NEAR))
    enrolled = Enrolled([first, second], "m", 3)
    once = enrolled.mated(first.tracks[0], "ann", first.sample, RULES)
    assert enrolled.unmated(first.tracks[0], first.sample, RULES).candidate_id is None
    assert enrolled.mated(first.tracks[0], "ann", first.sample, RULES) == once


def test_a_face_that_was_not_found_is_a_mate_that_was_not_named() -> None:
    found = searched(
        shown(sample("ann", 2), turned(0)),
        shown(sample("ann", 3), turned(0)),
        shown(sample("ann", 2), condition=Condition.HEIGHT_32),
    )
    (lost,) = [search for search in found if search.condition is Condition.HEIGHT_32]
    assert (lost.mate, lost.right, lost.found.probes, lost.height) == ("ann", False, 0, 0)


def test_only_samples_as_they_are_given_are_enrolled() -> None:
    found = searched(
        shown(sample("ann", 2), turned(0)),
        shown(sample("ann", 3), turned(0), condition=Condition.DARK),
    )
    assert [(s.condition, s.right) for s in mated(found)] == [(Condition.DARK, True)]


def test_who_stands_in_a_picture_of_several_is_no_stranger_to_it() -> None:
    found = searched(
        shown(sample("ann", 2), turned(0)),
        shown(sample("bea", 3), turned(0, 1)),
        shown(sample("MULTI:ann+bea", 4), turned(NEAR, 1), turned(NEAR)),
    )
    of_both = [search for search in found if search.sample.row == 4]
    assert not any(search.wrong for search in of_both)
    assert {s.mate: s.right for s in mated(tuple(of_both))} == {"ann": True, "bea": True}
    assert len(unmated(tuple(of_both))) == 2


def test_one_face_is_not_two_people_of_a_picture() -> None:
    found = searched(
        shown(sample("ann", 2), turned(0)),
        shown(sample("bea", 3), turned(0, 1)),
        shown(sample("MULTI:ann+bea", 4), turned(NEAR)),
    )
    of_both = mated(tuple(search for search in found if search.sample.row == 4))
    assert {search.mate: search.found.probes for search in of_both} == {"ann": 1, "bea": 0}


def test_whoever_is_unknown_is_a_stranger_to_everybody() -> None:
    found = searched(
        shown(sample("ann", 2), turned(0)),
        shown(sample("UNKNOWN:two", 3), turned(NEAR), turned(FAR)),
    )
    unknown = [search for search in found if search.sample.row == 3]
    assert [(s.mate, s.wrong) for s in unknown] == [(None, True), (None, False)]


def test_a_clip_needs_its_probes_and_a_picture_has_one() -> None:
    clip, picture = sample("ann", 2, kind="mp4"), sample("ann", 3)
    two = Presentation(clip, Condition.AS_GIVEN, ((probe(turned(0)), probe(turned(1))),))
    found = {s.sample.is_clip: s for s in mated(searched(two, shown(picture, turned(0))))}
    assert (found[True].right, found[True].reaches()) == (False, -1.0)
    assert found[False].right


def test_a_runner_up_who_is_too_near_leaves_nobody_named() -> None:
    close = (
        shown(sample("ann", 2), turned(0)),
        shown(sample("ann", 3), turned(0)),
        shown(sample("bea", 4), turned(10)),
    )
    assert [search.right for search in mated(searched(*close))] == [False, False]
    loose = searched(*close, rules=replace(RULES, min_margin=0.01))
    assert [search.right for search in mated(loose)] == [True, True]


def test_a_threshold_names_exactly_who_reaches_it() -> None:
    presentations = [shown(sample("ann", row), turned(15.0 * row)) for row in range(2, 6)]
    presentations += [shown(sample("bea", 9), turned(0, 1))]
    for threshold in (0.5, 0.9, 0.97, 0.99):
        found = mated(searched(*presentations, rules=replace(RULES, threshold=threshold)))
        assert [search.right for search in found] == [s.reaches() >= threshold for s in found]
