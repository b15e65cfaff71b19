"""Permits and approvals: who may pass where, when, and why not."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from facegate.domain import AccessPoint
from facegate.protocol import Direction
from facegate.register import Approval, ApprovalState, Permit
from facegate.verdicts import Outcome, Reason

type Finding = tuple[Outcome, Reason]

_PASS: Finding = (Outcome.PASS, Reason.OK)
_NOT_APPROVED = {
    ApprovalState.APPLIED: Reason.NOT_APPROVED,
    ApprovalState.DOCUMENTS_CHECKED: Reason.NOT_APPROVED,
    ApprovalState.SUSPENDED: Reason.APPROVAL_SUSPENDED,
    ApprovalState.REVOKED: Reason.APPROVAL_REVOKED,
}


def permitted(
    permits: Iterable[Permit],
    access_point: AccessPoint,
    at: datetime,
    open_schedules: frozenset[str],
) -> Finding:
    """Find whether a holder of permits may pass; ``open_schedules`` are those that cover ``at``.

    A permit holds from ``valid_from`` until just before ``valid_until``. An exit asks for a
    permit at the door and not for its time: who was let in gets out.
    """
    here = [permit for permit in permits if permit.door_id == access_point.door_id]
    if access_point.direction is Direction.EXIT and here:
        return _PASS
    here = [permit for permit in here if permit.direction in (None, access_point.direction)]
    if not here:
        return Outcome.FAIL, Reason.NO_PERMIT
    begun = [permit for permit in here if permit.valid_from is None or permit.valid_from <= at]
    if not begun:
        return Outcome.FAIL, Reason.PERMIT_NOT_YET_VALID
    valid = [permit for permit in begun if permit.valid_until is None or at < permit.valid_until]
    if not valid:
        return Outcome.FAIL, Reason.PERMIT_EXPIRED
    if not any(p.schedule_id is None or p.schedule_id in open_schedules for p in valid):
        return Outcome.FAIL, Reason.OUTSIDE_SCHEDULE
    return _PASS


def approved(approval: Approval | None, at: datetime) -> Finding:
    """Find whether a contractor's approval is in force; one without an end never is."""
    if approval is None:
        return Outcome.FAIL, Reason.NOT_APPROVED
    if approval.state is not ApprovalState.APPROVED:
        return Outcome.FAIL, _NOT_APPROVED[approval.state]
    if approval.until is None or at >= approval.until:
        return Outcome.FAIL, Reason.APPROVAL_EXPIRED
    return _PASS
