"""Who is inside, as far as passages tell."""

from __future__ import annotations

import pytest

from facegate.decision.presence import Presence
from facegate.register import Area, Passback

HOUSE = Area("house", "House", capacity=2, passback=Passback.HARD)
LAB = Area("lab", "Lab")


@pytest.fixture
def presence() -> Presence:
    return Presence([HOUSE, LAB])


def facts(presence: Presence, subject_id: str | None) -> tuple[int, bool]:
    found = presence.facts("house", subject_id)
    assert found is not None
    assert (found.capacity, found.passback) == (2, Passback.HARD)
    return found.occupancy, found.inside


def test_a_subject_is_inside_from_its_entry_to_its_exit(presence: Presence) -> None:
    presence.enter("house", "ann")
    presence.enter("house", "ann")
    assert presence.inside("house") == {"ann"}
    assert presence.occupancy("house") == 1
    assert facts(presence, "ann") == (1, True)
    assert facts(presence, "ben") == (1, False)
    presence.leave("house", "ann")
    assert facts(presence, "ann") == (0, False)


def test_whoever_is_on_the_way_in_is_counted_until_it_is_settled(presence: Presence) -> None:
    presence.expect("1", "house", "ann")
    presence.expect("2", "house", None)
    assert facts(presence, "ann") == (2, True)
    assert presence.occupancy("house") == 0
    presence.settle("1")
    presence.settle("2")
    presence.settle("2")
    assert facts(presence, "ann") == (0, False)


def test_a_subject_that_comes_in_again_is_counted_once(presence: Presence) -> None:
    presence.enter("house", "ann")
    presence.expect("1", "house", "ann")
    assert facts(presence, None) == (1, False)


def test_visitors_are_heads_without_a_name(presence: Presence) -> None:
    presence.enter("house", None)
    assert presence.heads("house") == 1
    assert facts(presence, None) == (1, False)
    presence.leave("house", None)
    presence.leave("house", None)
    assert presence.occupancy("house") == 0


def test_somebody_who_never_entered_by_name_leaves_as_a_head(presence: Presence) -> None:
    presence.enter("house", None)
    presence.leave("house", "ann")
    assert presence.occupancy("house") == 0


def test_a_correction_counts_from_there_on(presence: Presence) -> None:
    presence.enter("house", "ann")
    presence.correct("house", 5)
    assert presence.occupancy("house") == 5
    presence.leave("house", "ann")
    assert presence.occupancy("house") == 4
    presence.correct("house", 0)
    assert presence.occupancy("house") == 0


def test_a_reset_lets_one_or_all_enter_again(presence: Presence) -> None:
    for subject_id in ("ann", "ben", None):
        presence.enter("house", subject_id)
    presence.reset("house", "ann")
    assert facts(presence, "ann") == (2, False)
    assert facts(presence, "ben") == (2, True)
    presence.reset("house")
    assert facts(presence, "ben") == (0, False)


def test_a_subject_is_where_it_entered_last_and_has_not_left(presence: Presence) -> None:
    assert presence.where("ann") is None
    presence.enter("house", "ann")
    presence.enter("lab", "ann")
    assert presence.where("ann") == "lab"
    presence.leave("lab", "ann")
    assert presence.where("ann") == "house"


def test_a_forgotten_subject_leaves_a_head_that_can_leave(presence: Presence) -> None:
    presence.enter("house", "ann")
    presence.forget("ann")
    assert presence.inside("house") == frozenset()
    assert presence.occupancy("house") == 1
    presence.leave("house", None)
    assert presence.occupancy("house") == 0


def test_what_an_earlier_run_knew_is_taken_over_for_the_areas_that_are_left(
    presence: Presence,
) -> None:
    presence.restore([("ann", "house"), ("ben", "cellar")], {"house": 1, "cellar": 3})
    assert facts(presence, "ann") == (2, True)
    assert presence.where("ben") is None
    assert presence.area("cellar") is None
    assert presence.facts("cellar", "ben") is None
    assert presence.areas == (HOUSE, LAB)
