"""Permits and approvals hold from a moment until just before another."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from facegate.decision.permit import approved, permitted
from facegate.register import Approval, ApprovalState, Permit
from facegate.verdicts import Outcome, Reason
from tests.engine.decision.claims import ENTRY, EXIT, HOUR, NOON

OK = (Outcome.PASS, Reason.OK)
TICK = timedelta(microseconds=1)
LIMITED = Permit("front", "ann", valid_from=NOON, valid_until=NOON + HOUR)


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (NOON - TICK, Reason.PERMIT_NOT_YET_VALID),
        (NOON, Reason.OK),
        (NOON + HOUR - TICK, Reason.OK),
        (NOON + HOUR, Reason.PERMIT_EXPIRED),
    ],
)
def test_a_permit_holds_from_its_beginning_until_just_before_its_end(
    at: datetime, reason: Reason
) -> None:
    assert permitted([LIMITED], ENTRY, at, frozenset())[1] is reason
    assert permitted([LIMITED], EXIT, at, frozenset()) == OK


def test_a_permit_with_a_schedule_holds_while_the_schedule_covers_the_moment() -> None:
    by_day = [Permit("front", "ann", schedule_id="day")]
    assert permitted(by_day, ENTRY, NOON, frozenset({"day", "night"})) == OK
    found = permitted(by_day, ENTRY, NOON, frozenset({"night"}))
    assert found == (Outcome.FAIL, Reason.OUTSIDE_SCHEDULE)


def test_nobody_leaves_by_a_door_without_a_permit_at_it() -> None:
    found = permitted([Permit("back", "ann")], EXIT, NOON, frozenset())
    assert found == (Outcome.FAIL, Reason.NO_PERMIT)


@pytest.mark.parametrize("state", ApprovalState)
def test_an_approval_ends_at_its_moment_and_only_an_approved_one_counts(
    state: ApprovalState,
) -> None:
    approval = Approval(state, NOON)
    before = approved(approval, NOON - TICK)
    assert (before == OK) == (state is ApprovalState.APPROVED)
    assert approved(approval, NOON)[0] is Outcome.FAIL
    assert approved(Approval(state), NOON)[0] is Outcome.FAIL
