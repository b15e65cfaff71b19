"""What is brought to an access point serves one passage, there and in time."""

from __future__ import annotations

import pytest

from facegate.decision.claim import Measured
from facegate.decision.evidence import Evidence
from facegate.domain import AccessPoint
from facegate.protocol import Direction
from facegate.register import CredentialKind, DoorRules
from facegate.verdicts import Reason
from tests.engine.decision.world import likeness

ENTRY = AccessPoint("front", Direction.ENTRY)
EXIT = AccessPoint("front", Direction.EXIT)
RULES = DoorRules("front", {})
FACE, PIN = CredentialKind.FACE, CredentialKind.PIN


@pytest.fixture
def evidence() -> Evidence:
    return Evidence()


def test_a_reading_counts_for_whoever_stood_there_when_it_was_taken(evidence: Evidence) -> None:
    assert evidence.temperature(ENTRY, RULES, None, 0) is None
    evidence.take_temperature(ENTRY, 36.6, 10)
    fresh, stale = Measured(36.6, 37.5), Measured(36.6, 37.5, Reason.STALE_READING)
    assert evidence.temperature(ENTRY, RULES, 10, 12) == fresh
    assert evidence.temperature(ENTRY, RULES, None, 12) == fresh
    assert evidence.temperature(ENTRY, RULES, 10.5, 12) == stale
    assert evidence.temperature(ENTRY, RULES, 10, 40) == fresh
    assert evidence.temperature(ENTRY, RULES, 10, 40.5) == stale
    assert evidence.temperature(EXIT, RULES, 10, 12) is None


def test_a_reading_and_a_sight_of_a_mask_serve_one_passage(evidence: Evidence) -> None:
    evidence.take_temperature(ENTRY, 36.6, 10)
    evidence.see_mask(ENTRY, 0.9, 10)
    evidence.passed(ENTRY, "ann", None, 11)
    assert evidence.temperature(ENTRY, RULES, None, 11) == Measured(None, 37.5, Reason.NO_READING)
    assert evidence.mask(ENTRY, RULES, None, 11) == Measured(None, 0.5, Reason.NO_READING)
    evidence.take_temperature(ENTRY, 36.9, 12)
    evidence.see_mask(ENTRY, 0.8, 12)
    assert evidence.temperature(ENTRY, RULES, None, 12) == Measured(36.9, 37.5)
    assert evidence.mask(ENTRY, RULES, None, 12) == Measured(0.8, 0.5)


def test_a_passage_elsewhere_uses_nothing_up(evidence: Evidence) -> None:
    evidence.take_temperature(ENTRY, 36.6, 10)
    evidence.passed(EXIT, "ann", None, 11)
    assert evidence.temperature(ENTRY, RULES, None, 11) == Measured(36.6, 37.5)


def test_a_mask_that_was_seen_before_or_long_ago_is_stale(evidence: Evidence) -> None:
    assert evidence.mask(ENTRY, RULES, None, 0) is None
    evidence.see_mask(ENTRY, 0.9, 10)
    stale = Measured(0.9, 0.5, Reason.STALE_READING)
    assert evidence.mask(ENTRY, RULES, 10, 25) == Measured(0.9, 0.5)
    assert evidence.mask(ENTRY, RULES, 11, 25) == stale
    assert evidence.mask(ENTRY, RULES, 10, 25.5) == stale


def test_a_document_is_compared_with_the_face_that_stands_there(evidence: Evidence) -> None:
    missing = Measured(None, 0.4, Reason.NO_DOCUMENT)
    ann, ben = likeness("ann"), likeness("ben")
    assert evidence.document(ENTRY, RULES, ann, 0) == missing
    evidence.show_document(ENTRY, ann, 0)
    assert evidence.document(ENTRY, RULES, ann, 60) == Measured(1.0, 0.4)
    assert evidence.document(ENTRY, RULES, ben, 60) == Measured(0.0, 0.4)
    assert evidence.document(ENTRY, RULES, None, 60) == missing
    assert evidence.document(ENTRY, RULES, ann, 60.5) == missing
    evidence.passed(ENTRY, "ann", None, 1)
    assert evidence.document(ENTRY, RULES, ann, 1) == missing


def test_a_document_that_nobody_came_with_is_dropped(evidence: Evidence) -> None:
    evidence.show_document(ENTRY, likeness("ann"), 0)
    evidence.clear(60, 15)
    assert evidence._place(ENTRY).document is not None
    evidence.clear(60.5, 15)
    assert evidence._place(ENTRY).document is None


def test_a_second_credential_is_of_another_kind_and_of_the_same_subject(
    evidence: Evidence,
) -> None:
    evidence.presented(ENTRY, "ann", PIN, 0)
    assert evidence.seconded(ENTRY, "ann", FACE, 15, 15)
    assert not evidence.seconded(ENTRY, "ann", FACE, 15.5, 15)
    assert not evidence.seconded(ENTRY, "ann", PIN, 1, 15)
    assert not evidence.seconded(ENTRY, "ben", FACE, 1, 15)
    assert not evidence.seconded(EXIT, "ann", FACE, 1, 15)
    evidence.passed(ENTRY, "ann", None, 2)
    assert not evidence.seconded(ENTRY, "ann", FACE, 3, 15)


def test_the_first_of_two_may_follow_the_second_once_and_nobody_else_may(
    evidence: Evidence,
) -> None:
    evidence.ready(ENTRY, "ann", 0)
    assert evidence.companion(ENTRY, "ann", 1, 15) is None
    assert evidence.companion(ENTRY, "ben", 15.5, 15) is None
    assert evidence.companion(ENTRY, "ben", 1, 15) == "ann"
    evidence.passed(ENTRY, "ben", "ann", 1)
    assert evidence.companion(ENTRY, "cleo", 2, 15) is None
    assert evidence.companion(ENTRY, "ann", 2, 15) == "ben"
    evidence.passed(ENTRY, "ann", "ben", 2)
    assert evidence.companion(ENTRY, "ann", 3, 15) is None
    assert evidence.companion(ENTRY, "ben", 3, 15) is None


def test_whoever_stood_there_too_long_ago_is_forgotten(evidence: Evidence) -> None:
    evidence.presented(ENTRY, "ann", PIN, 0)
    evidence.ready(ENTRY, "ann", 0)
    evidence.clear(16, 15)
    assert not evidence._place(ENTRY).seen
    assert not evidence._place(ENTRY).ready
