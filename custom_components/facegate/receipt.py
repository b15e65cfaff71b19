"""What an automation is told of a decision.

Home Assistant's database keeps none of what tells of a person: who went where is in the engine's
records, from which somebody can be erased.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from homeassistant.util import dt as dt_util

from .protocol import AccessEvent

PERSONAL = frozenset(
    {
        "approver",
        "decision_id",
        "detail",
        "first_seen_at",
        "kind",
        "notify",
        "subject",
        "subject_id",
        "verdicts",
    }
)


def moment(timestamp: float | None) -> str | None:
    """Return a moment as text, None where there is none."""
    return dt_util.utc_from_timestamp(timestamp).isoformat() if timestamp is not None else None


def receipt(access: AccessEvent) -> dict[str, Any]:
    """Return a decision's attributes."""
    return {
        "reason": access.reason,
        "subject": access.subject_name,
        "subject_id": access.subject_id,
        "kind": access.subject_kind,
        "direction": access.direction,
        "basis": access.basis,
        "approver": access.approver,
        "at": moment(access.at),
        "first_seen_at": moment(access.first_seen_at),
        "decision_id": access.decision_id,
        "verdicts": [asdict(verdict) for verdict in access.verdicts],
    }
