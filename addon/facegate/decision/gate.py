"""The gate: what the rules remember between passages, and judgments that use it.

Everything here is synchronous and in memory: between a judgment and its ``commit`` nothing else
happens, so that two who ask at once never share a place, a reading or a use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
import math

from facegate.decision.attempts import Attempts
from facegate.decision.claim import Claim, FaceEvidence, Judgment
from facegate.decision.evidence import Evidence
from facegate.decision.policy import SUBJECT_BASES, judge
from facegate.decision.presence import Presence
from facegate.decision.schedule import Calendar, covers
from facegate.domain import AccessPoint, Clock, Vector
from facegate.protocol import Direction, DoorMode
from facegate.register import Area, CredentialKind, DoorRules, Person, Schedule
from facegate.verdicts import Basis, Control, Reason, Requirement

# Controls that tell whether a credential is its holder's: their failures are failed attempts.
_PROOFS = {Control.IDENTITY, Control.CREDENTIAL, Control.LIVENESS, Control.DOCUMENT}
# What may still come after a credential that holds.
_MAY_COME = {
    Control.TEMPERATURE,
    Control.MASK,
    Control.DOCUMENT,
    Control.SECOND_CREDENTIAL,
    Control.TWO_PERSONS,
}
# An exit asks for these only where a rule for exits names them.
_ENTRY_ONLY = frozenset(Control) - {Control.LIVENESS}


@dataclass(frozen=True, slots=True, eq=False)
class Asking:
    """Somebody who asks for passage.

    ``key`` names the credential for counting attempts, None where there is nothing to count.
    ``since`` is the monotonic moment from which a face stood there; ``behind`` tells that another
    stands nearer, whose every temperature is then; ``embedding`` (128 values of unit length) and
    ``mask`` (certainty 0..1) are the live face's.
    """

    access_point: AccessPoint
    basis: Basis
    person: Person | None = None
    face: FaceEvidence | None = None
    credential: Reason | None = None
    approval: Reason | None = None
    key: str | None = None
    since: float | None = None
    behind: bool = False
    embedding: Vector | None = None
    mask: float | None = None

    @property
    def subject_id(self) -> str | None:
        """The subject that asks, None for a visitor or a user."""
        return self.person.subject.id if self.person is not None else None


@dataclass(frozen=True, slots=True)
class Committed:
    """What a decision meant to the rules."""

    companion_id: str | None = None
    must_wait: bool = False


@dataclass(slots=True)
class Gate:
    """The rules of every door of a site, and what they remember."""

    rules: Mapping[str, DoorRules]
    schedules: Mapping[str, Schedule]
    calendar: Calendar
    clock: Clock
    areas: Iterable[Area] = ()
    modes: dict[str, DoorMode] = field(default_factory=dict)
    attempts: Attempts = field(default_factory=Attempts)
    evidence: Evidence = field(default_factory=Evidence)
    presence: Presence = field(init=False)

    def __post_init__(self) -> None:
        self.presence = Presence(self.areas)

    # --- door and hour --------------------------------------------------------------------------

    def mode(self, door_id: str) -> DoorMode:
        """Return the mode in force: what a user set, else free where a schedule says so."""
        mode = self.modes.get(door_id, DoorMode.NORMAL)
        free = self.rules[door_id].free_schedule_id
        if mode is DoorMode.NORMAL and free is not None and self.open_now({free}):
            return DoorMode.FREE
        return mode

    def open_now(self, schedule_ids: Iterable[str]) -> frozenset[str]:
        """Return which of these schedules cover this moment; one that is gone covers none."""
        at = self.clock.now()
        return frozenset(
            key
            for key in schedule_ids
            if key in self.schedules and covers(self.schedules[key], self.calendar, at)
        )

    def requirements(self, point: AccessPoint) -> dict[Control, Requirement]:
        """Return what an access point requires now.

        What a door asks for without naming a direction concerns entries, but for liveness, which
        is as true of a face that leaves.
        """
        rules = self.rules[point.door_id]
        named = {rule.schedule_id for rule in rules.rules if rule.schedule_id is not None}
        open_now = self.open_now(named)
        found: dict[Control, Requirement] = {}
        for rule in rules.rules:
            on = rule.schedule_id is None or rule.schedule_id in open_now
            if on and rule.direction in (None, point.direction):
                for control, requirement in rule.requirements.items():
                    if rule.direction is not None or _concerns(control, point):
                        found.setdefault(control, requirement)
        for control, requirement in rules.requirements.items():
            if _concerns(control, point):
                found.setdefault(control, requirement)
        return found

    # --- judging --------------------------------------------------------------------------------

    def judge(self, asking: Asking) -> Judgment:
        """Judge somebody by everything known now; notes who stands ready for another."""
        judgment = judge(self._claim(asking))
        self._note(asking, judgment)
        return judgment

    def commit(self, asking: Asking, judgment: Judgment, decision_id: str) -> Committed:
        """Take note of a judgment that became a decision, before anything is awaited."""
        point, now = asking.access_point, self.clock.monotonic()
        if not judgment.granted:
            waits = False
            # A fault of the engine's own is held against nobody.
            failed = judgment.failed & _PROOFS and judgment.reason is not Reason.MODEL_FAULT
            if asking.key is not None and failed and not self._blocked(asking):
                waits = self.attempts.failed(point.door_id, asking.key, now)
            return Committed(must_wait=waits)
        if asking.key is not None:
            self.attempts.succeeded(point.door_id, asking.key)
        companion = self._companion(asking)
        if asking.approval is None:
            self.evidence.passed(point, asking.subject_id, companion, now)
        area_id = self.rules[point.door_id].area_id
        if area_id is not None and point.direction is Direction.ENTRY:
            self.presence.expect(decision_id, area_id, asking.subject_id)
        return Committed(companion)

    def passed(self, decision_id: str, point: AccessPoint, subject_id: str | None) -> str | None:
        """Take note of a passage; return the area whose occupancy changed."""
        self.presence.settle(decision_id)
        if (area_id := self.rules[point.door_id].area_id) is None:
            return None
        if point.direction is Direction.ENTRY:
            self.presence.enter(area_id, subject_id)
        else:
            self.presence.leave(area_id, subject_id)
        return area_id

    # --- parts ----------------------------------------------------------------------------------

    def _claim(self, asking: Asking) -> Claim:
        point, person, now = asking.access_point, asking.person, self.clock.monotonic()
        rules, at = self.rules[point.door_id], self.clock.now()
        kind = SUBJECT_BASES.get(asking.basis)
        measured_since = math.inf if asking.behind else asking.since
        schedules = {p.schedule_id for p in person.permits if p.schedule_id} if person else set()
        if asking.mask is not None:
            self.evidence.see_mask(point, asking.mask, now)
        return Claim(
            access_point=point,
            at=at,
            basis=asking.basis,
            requirements=self.requirements(point),
            mode=self.mode(point.door_id),
            person=person,
            face=asking.face,
            credential=self._credential(asking, kind),
            approval=asking.approval,
            blocked_s=self._blocked(asking),
            open_schedules=self.open_now(schedules),
            temperature=self.evidence.temperature(point, rules, measured_since, now),
            mask=self.evidence.mask(point, rules, asking.since, now),
            mask_rule=rules.mask_rule,
            document=self.evidence.document(point, rules, asking.embedding, now),
            seconded=self._seconded(asking, kind),
            accompanied=self._companion(asking) is not None,
            area=self.presence.facts(rules.area_id, asking.subject_id),
        )

    def _credential(self, asking: Asking, kind: CredentialKind | None) -> Reason | None:
        """Return what became of a credential; one that is retired opens nothing."""
        found = asking.credential
        if kind is None or asking.person is None or found not in (None, Reason.OK):
            return found
        at = self.clock.now()
        retired = any(r.kind is kind and r.at <= at for r in asking.person.retirements)
        return Reason.CREDENTIAL_RETIRED if retired else found

    def _note(self, asking: Asking, judgment: Judgment) -> None:
        """Note a credential that holds, and a subject that lacks nothing but another person."""
        kind = SUBJECT_BASES.get(asking.basis)
        if kind is None or asking.subject_id is None:
            return
        point, now = asking.access_point, self.clock.monotonic()
        if judgment.failed <= _MAY_COME:
            self.evidence.presented(point, asking.subject_id, kind, now)
        if judgment.failed == {Control.TWO_PERSONS}:
            self.evidence.ready(point, asking.subject_id, now)

    def _blocked(self, asking: Asking) -> float:
        if asking.key is None:
            return 0.0
        door_id = asking.access_point.door_id
        return self.attempts.blocked_s(door_id, asking.key, self.clock.monotonic())

    def _seconded(self, asking: Asking, kind: CredentialKind | None) -> bool:
        if kind is None or asking.subject_id is None:
            return False
        point, now = asking.access_point, self.clock.monotonic()
        within = self.rules[point.door_id].together_s
        return self.evidence.seconded(point, asking.subject_id, kind, now, within)

    def _companion(self, asking: Asking) -> str | None:
        if asking.subject_id is None or asking.basis not in SUBJECT_BASES:
            return None
        point, now = asking.access_point, self.clock.monotonic()
        if self.requirements(point).get(Control.TWO_PERSONS) in (None, Requirement.OFF):
            return None
        within = self.rules[point.door_id].together_s
        return self.evidence.companion(point, asking.subject_id, now, within)


def _concerns(control: Control, point: AccessPoint) -> bool:
    return point.direction is Direction.ENTRY or control not in _ENTRY_ONLY
