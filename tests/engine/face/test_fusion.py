"""What pictures and motion say together, by a door's rule."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
import pytest

from facegate.domain import LivenessEvidence
from facegate.face.fusion import LEVELS, MIN_VIEWS, MOST_VIEWS, fuse
from facegate.register import LivenessLevel, LivenessRule
from facegate.verdicts import Outcome, Reason

LOW, NORMAL, HIGH = LivenessLevel
TURNED = LivenessEvidence(Outcome.PASS, 6.0, 4.0)
STILL = LivenessEvidence(Outcome.UNAVAILABLE, 1.0, 4.0)
FLAT = LivenessEvidence(Outcome.FAIL, 0.5, 4.0)
LIVING, DOUBTFUL, PRINT = (0.98,) * 4, (0.8,) * 4, (0.04,) * 4

levels = st.sampled_from(LivenessLevel)
views = st.lists(st.floats(0, 1), max_size=12)
motions = st.sampled_from([TURNED, STILL, FLAT])


def judged(
    level: LivenessLevel = NORMAL,
    motion: LivenessEvidence = STILL,
    seen: tuple[float, ...] | list[float] | None = LIVING,
    *,
    model: bool = True,
    challenge: bool = False,
    answered: bool = False,
) -> tuple[Outcome, Reason | None]:
    rule = LivenessRule(level, model, challenge)
    found = fuse(rule, motion, seen, answered=answered)
    return found.outcome, found.reason


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (judged(), (Outcome.PASS, Reason.OK)),
        (judged(LOW), (Outcome.PASS, Reason.OK)),
        (judged(HIGH), (Outcome.UNAVAILABLE, Reason.TOO_LITTLE_MOTION)),
        (judged(HIGH, TURNED), (Outcome.PASS, Reason.OK)),
        (judged(LOW, seen=DOUBTFUL), (Outcome.PASS, Reason.OK)),
        (judged(NORMAL, seen=DOUBTFUL), (Outcome.UNAVAILABLE, Reason.TOO_LITTLE_MOTION)),
        (judged(NORMAL, TURNED, DOUBTFUL), (Outcome.PASS, Reason.OK)),
        (judged(NORMAL, FLAT, DOUBTFUL), (Outcome.FAIL, Reason.FLAT_MOTION)),
        (judged(HIGH, TURNED, DOUBTFUL), (Outcome.FAIL, Reason.LOOKS_LIKE_A_PICTURE)),
        (judged(seen=PRINT), (Outcome.FAIL, Reason.LOOKS_LIKE_A_PICTURE)),
        (judged(LOW, TURNED, PRINT), (Outcome.FAIL, Reason.LOOKS_LIKE_A_PICTURE)),
        (judged(LOW, FLAT), (Outcome.FAIL, Reason.FLAT_MOTION)),
        (judged(seen=LIVING[:2]), (Outcome.UNAVAILABLE, Reason.TOO_FEW_VIEWS)),
        (judged(seen=()), (Outcome.UNAVAILABLE, Reason.TOO_FEW_VIEWS)),
        (judged(LOW, TURNED, None), (Outcome.UNAVAILABLE, Reason.NO_LIVENESS_MODEL)),
        (judged(motion=TURNED, seen=None, model=False), (Outcome.PASS, None)),
        (judged(motion=STILL, seen=LIVING, model=False), (Outcome.UNAVAILABLE, None)),
        (judged(challenge=True), (Outcome.UNAVAILABLE, Reason.TURN_YOUR_HEAD)),
        (judged(motion=TURNED, challenge=True), (Outcome.UNAVAILABLE, Reason.TURN_YOUR_HEAD)),
        (judged(challenge=True, answered=True), (Outcome.PASS, Reason.OK)),
        (judged(seen=PRINT, challenge=True), (Outcome.FAIL, Reason.LOOKS_LIKE_A_PICTURE)),
    ],
)
def test_a_rule_takes_this_for_a_person_and_that_not(
    found: tuple[Outcome, Reason | None], expected: tuple[Outcome, Reason | None]
) -> None:
    assert found == expected


def test_what_was_seen_last_outweighs_what_was_seen_first() -> None:
    # A print that read as alive while it was brought up.
    assert judged(seen=(*LIVING, *PRINT))[0] is Outcome.FAIL
    assert judged(seen=(*PRINT, *LIVING[:1] * MOST_VIEWS))[0] is Outcome.PASS


@given(levels, motions, views, st.booleans(), st.booleans())
def test_a_stricter_rule_never_takes_what_a_laxer_one_refuses(
    level: LivenessLevel,
    motion: LivenessEvidence,
    seen: list[float],
    challenge: bool,  # noqa: FBT001
    answered: bool,  # noqa: FBT001
) -> None:
    order = list(LivenessLevel)
    strict = judged(level, motion, seen, challenge=challenge, answered=answered)
    if strict[0] is Outcome.PASS:
        for laxer in order[: order.index(level)]:
            assert judged(laxer, motion, seen, answered=answered)[0] is Outcome.PASS
        newest = seen[-MOST_VIEWS:]
        assert len(newest) >= MIN_VIEWS
        assert sum(newest) / len(newest) >= LEVELS[level].turned
        assert motion.outcome is not Outcome.FAIL
        assert answered or not challenge


def test_the_receipt_carries_the_figures_of_what_decided() -> None:
    rule = LivenessRule()
    assert fuse(rule, STILL, (0.2, 0.4, 0.3), answered=False).measured == pytest.approx(0.3)
    assert fuse(rule, STILL, LIVING, answered=False).limit == LEVELS[NORMAL].alone
    assert fuse(rule, TURNED, DOUBTFUL, answered=False).limit == LEVELS[NORMAL].turned
    assert fuse(rule, STILL, DOUBTFUL, answered=False).measured == STILL.measured
    assert fuse(rule, FLAT, LIVING, answered=False).measured == FLAT.measured
