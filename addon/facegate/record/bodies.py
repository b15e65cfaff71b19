"""What an event's body says: the receipt as JSON values, in a fixed order of keys."""

from __future__ import annotations

from facegate.domain import Decision, Identification
from facegate.verdicts import Verdict

type Json = str | float | bool | list["Json"] | dict[str, "Json"] | None


def decision_body(decision: Decision) -> dict[str, Json]:
    """Return a decision's receipt."""
    first_seen = decision.first_seen_at
    return {
        "granted": decision.granted,
        "reason": decision.reason,
        "direction": decision.access_point.direction,
        "basis": decision.basis,
        "approver": decision.approver,
        "call": decision.call_id,
        "pass": decision.pass_id,
        "companion": decision.companion_id,
        "first_seen_at": first_seen.timestamp() if first_seen else None,
        "frame_age_s": decision.frame_age_s,
        "identification": _identification(decision.identification),
        "verdicts": [_verdict(verdict) for verdict in decision.verdicts],
    }


def _verdict(verdict: Verdict) -> dict[str, Json]:
    return {
        "control": verdict.control,
        "outcome": verdict.outcome,
        "requirement": verdict.requirement,
        "reason": verdict.reason,
        "measured": verdict.measured,
        "limit": verdict.limit,
    }


def _identification(found: Identification | None) -> Json:
    if found is None:
        return None
    return {
        "candidate": found.candidate_id,
        "score": found.score,
        "runner_up": found.runner_up,
        "margin": found.margin,
        "threshold": found.threshold,
        "min_margin": found.min_margin,
        "probes": found.probes,
    }
