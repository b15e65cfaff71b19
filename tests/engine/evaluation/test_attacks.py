"""Errors of presentation attack detection, masks and quality, from what was said of samples."""

from __future__ import annotations

import pytest

from facegate.evaluation.attacks import Presented, judge
from facegate.evaluation.discard import SHARES, discards
from facegate.evaluation.masks import Masked, count
from facegate.face.fusion import LEVELS

PRESENTED = (
    Presented("p1", "live", 0.99),
    Presented("p2", "live", 0.7),
    Presented("p3", "live", 0.1),
    Presented("p4", "live", None),
    Presented("a1", "spoof_print", 0.05),
    Presented("a2", "spoof_print", 0.9),
    Presented("a3", "spoof_screen", None),
)


@pytest.mark.parametrize(("level", "denied", "passed"), [("low", 2, 1), ("high", 3, 1)])
def test_people_who_are_denied_and_attacks_that_pass_are_counted(
    level: str, denied: int, passed: int
) -> None:
    (found,) = [each for each in judge(PRESENTED).levels if each.name == level]
    assert (found.bpcer.errors, found.bpcer.trials) == (denied, 4)
    assert (found.non_response.errors, found.non_response.trials) == (1, 4)
    prints, screens = found.species
    assert (prints.name, prints.apcer.errors, prints.apcer.trials) == ("print", passed, 2)
    assert (screens.name, screens.apcer.errors, screens.non_response.errors) == ("screen", 0, 1)


def test_the_limits_are_those_of_the_engine() -> None:
    found = {level.name: level.limit for level in judge(PRESENTED).levels}
    assert found == {name: limits.turned for name, limits in LEVELS.items()}


def test_a_stricter_level_denies_no_fewer() -> None:
    levels = sorted(judge(PRESENTED).levels, key=lambda level: level.limit)
    denied = [level.bpcer.errors for level in levels]
    assert denied == sorted(denied)


def test_a_mask_that_was_not_seen_and_one_that_is_not_there_are_told_apart() -> None:
    found = count(
        [
            Masked("m1", masked=True, worn=0.9),
            Masked("m2", masked=True, worn=0.2),
            Masked("m3", masked=True, worn=None),
            Masked("b1", masked=False, worn=0.1),
            Masked("b2", masked=False, worn=0.5),
        ]
    )
    assert (found.missed.errors, found.missed.trials) == (1, 2)
    assert (found.invented.errors, found.invented.trials) == (1, 2)
    assert (found.wrong.errors, found.wrong.trials) == (2, 4)
    assert (found.masked_not_found.errors, found.masked_not_found.trials) == (1, 3)
    assert (found.bare_not_found.errors, found.bare_not_found.trials) == (0, 2)


def test_the_worst_are_discarded_first() -> None:
    # Ten qualities from 0 to 0.9, of which the two lowest were wrong.
    found = discards([(n / 10, n > 1) for n in reversed(range(10))])
    by_share = {each.share: each for each in found}
    assert tuple(by_share) == SHARES
    assert (by_share[0.0].fnir.errors, by_share[0.0].fnir.trials) == (2, 10)
    assert (by_share[0.1].fnir.errors, by_share[0.1].fnir.trials) == (1, 9)
    assert (by_share[0.2].fnir.errors, by_share[0.2].quality) == (0, 0.2)


def test_without_a_face_there_is_nothing_to_discard() -> None:
    assert discards([]) == ()
