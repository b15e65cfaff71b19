"""Alarms: what somebody should look at, recorded and told at once."""

from __future__ import annotations

import logging
import uuid

from facegate.domain import Clock, Decision, Subject
from facegate.protocol import AlarmEvent, AlarmKind
from facegate.record.store import EventKind, Store
from facegate.site.bulletin import Bulletin
from facegate.verdicts import Control, Outcome, Reason, Requirement, Verdict

_LOGGER = logging.getLogger(__name__)

# Findings that call for somebody, whether they deny or only advise.
_OF_FINDINGS = {
    Reason.TOO_HOT: AlarmKind.FEVER,
    Reason.MASK_MISSING: AlarmKind.MASK,
    Reason.ALREADY_INSIDE: AlarmKind.PASSBACK,
}


class Alarms:
    """Raises alarms; each is one row of the record and one message."""

    def __init__(self, store: Store, bulletin: Bulletin, clock: Clock) -> None:
        self._store = store
        self._bulletin = bulletin
        self._clock = clock

    def raise_(
        self,
        kind: AlarmKind,
        door_id: str | None = None,
        subject: Subject | None = None,
        detail: str | None = None,
        ref: str | None = None,
    ) -> None:
        """Raise an alarm; ``ref`` is what it belongs to, its own id where that is nothing."""
        at = self._clock.now()
        subject_id = subject.id if subject is not None else None
        # Duress must show nowhere near the door, so not in a log on a screen there either.
        if kind is not AlarmKind.DURESS:
            _LOGGER.warning("Alarm %s%s", kind, f" at {door_id}" if door_id else "")
        self._bulletin.record_later(
            self._store.record(
                EventKind.ALARM,
                at,
                ref or uuid.uuid4().hex,
                door_id=door_id,
                subject_id=subject_id,
                body={"alarm": kind.value, "detail": detail},
            )
        )
        name = subject.name if subject is not None else None
        self._bulletin.publish(AlarmEvent(kind, at.timestamp(), door_id, subject_id, name, detail))

    def of_decision(self, decision: Decision, *, must_wait: bool) -> None:
        """Raise the alarms that a decision calls for."""
        door_id = decision.access_point.door_id
        for verdict in decision.verdicts:
            kind = _OF_FINDINGS.get(verdict.reason)
            if kind is not None and _counts(verdict):
                measured = "" if verdict.measured is None else f"{verdict.measured:.1f}"
                detail = measured if verdict.control is Control.TEMPERATURE else None
                self.raise_(kind, door_id, decision.subject, detail, decision.id)
        if must_wait:
            self.raise_(AlarmKind.ATTEMPTS, door_id, decision.subject, ref=decision.id)


def _counts(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.FAIL and verdict.requirement is not Requirement.OFF
