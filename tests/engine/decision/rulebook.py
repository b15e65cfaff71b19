"""The rules of the doors in words, and a book that holds a site to them.

The book remembers what happened and looks up what a rule says about it; it shares no code with the
gate, which remembers states.

 1. PROVEN: default deny. A face is recognized (probes, score and margin suffice) as a subject who
    is known; a PIN or a card is right and somebody's.
 2. FRESH: what the camera tells of a face is at most 2 s old, and not from the future.
 3. ALIVE: where liveness is required, in either direction, a face moved as a solid head.
 4. PERMIT: to enter, one permit names this door, this direction or both, this hour and this date.
    To leave, a permit at this door is enough.
 5. CONTRACT: a contractor enters only while its approval is in force.
 6. RETIRED: from a group's date on, a kind of credential opens nothing to its members.
 7. ATTEMPTS: after 5 failures in a row a credential waits 30 s at that door before it may enter;
    a success, or an hour without a failure, forgets them; other credentials are not concerned.
 8. TEMPERATURE: where required, the newest reading at this access point is not above the limit,
    not older than the door allows, not from before this face stood there, and served no passage.
 9. MASK: as rule 8, for the newest sight of the mask that the door asks for or forbids.
10. DOCUMENT: where required, the picture on the newest document, shown at most 60 s ago and before
    no passage, is of this face.
11. SECOND: where required, this subject presented a credential of another kind here within the
    door's time, lacking nothing that is known of the subject itself, and did not pass since. It is
    required of whoever enters by a face that does not carry the name by itself, at every door.
12. TWO: where required, another subject stood here within the door's time who lacked only a second
    person; it serves one pair, of which the first may follow the second, once, with nobody else.
13. What a door or a rule of it asks for without naming a direction concerns entries, but for
    liveness. The first rule that applies and names a control counts, else the door's own word.
14. LOCKDOWN: nobody enters, whoever answers for it.
15. PASSBACK: who is in an area of hard anti-passback, or on the way in, does not enter it.
16. CAPACITY: nobody enters a full area, those on their way in counted; a user's word goes beyond.
17. CALL: a call is answered once, within its minute by a clock that nobody sets, and granted once.
18. PASS: a visitor pass opens its doors within its time, by the newest code or PIN that the site
    made, as often as it was made for; a revoked one not. Who entered by it gets out by it with any
    of its codes until an hour after its end.
19. EXIT: who may leave in normal mode with nothing remembered may leave in every state.
20. What is advisory or off denies nobody, and what breaks no rule is granted.
21. MODELS: while a model's file is missing or altered no door opens to a face; that is held against
    nobody.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from facegate.domain import AccessPoint
from facegate.protocol import Direction, DoorMode
from facegate.register import (
    ApprovalState,
    CredentialKind,
    DoorRules,
    MaskRule,
    Passback,
    Permit,
)
from facegate.verdicts import Basis, Control, Requirement
from tests.engine.decision.events import (
    Event,
    Failed,
    Granted,
    Measurement,
    PassFacts,
    Presented,
    Request,
    Waiting,
)
from tests.engine.decision.world import AREAS, OPEN, ZONE
from tests.support import FakeClock


class Rule(StrEnum):
    """A rule that keeps somebody out; see the module."""

    PROVEN = "proven"
    FRESH = "fresh"
    ALIVE = "alive"
    MODELS = "models"
    PERMIT = "permit"
    CONTRACT = "contract"
    RETIRED = "retired"
    ATTEMPTS = "attempts"
    TEMPERATURE = "temperature"
    MASK = "mask"
    DOCUMENT = "document"
    SECOND = "second"
    TWO = "two"
    LOCKDOWN = "lockdown"
    PASSBACK = "passback"
    CAPACITY = "capacity"
    CALL = "call"
    PASS = "pass"
    EXIT = "exit"


# What is held against the credential itself, and what may still come after it.
_COUNTED = {Rule.PROVEN, Rule.RETIRED, Rule.PASS, Rule.ALIVE, Rule.DOCUMENT}
_MAY_COME = {Rule.SECOND, Rule.TWO, Rule.TEMPERATURE, Rule.MASK, Rule.DOCUMENT}
_KINDS = {
    Basis.FACE: CredentialKind.FACE,
    Basis.PIN: CredentialKind.PIN,
    Basis.CARD: CredentialKind.CARD,
}


@dataclass(slots=True)
class Book:
    """What happened at a site, and which rules a request breaks."""

    clock: FakeClock
    doors: Mapping[str, DoorRules]
    modes: dict[str, DoorMode] = field(default_factory=dict)
    passes: dict[str, PassFacts] = field(default_factory=dict)
    history: list[Event] = field(default_factory=list)
    inside: dict[str, set[str]] = field(default_factory=lambda: {key: set() for key in AREAS})
    heads: Counter[str] = field(default_factory=Counter)
    coming: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    # --- what happens ---------------------------------------------------------------------------

    def asked(self, request: Request, broken: set[Rule], companion: str | None) -> None:
        """Remember a request and what became of it."""
        point, who, now = request.point, request.who, self.clock.monotonic()
        if request.word:
            return
        kind = _KINDS.get(request.basis)
        if who is not None and kind is not None and broken <= _MAY_COME:
            self.history.append(Presented(now, point, who, kind))
        if who is not None and broken == {Rule.TWO}:
            self.history.append(Waiting(now, point, who))
        if not broken:
            follows = companion is not None and self.led(companion, point)
            self.history.append(Granted(now, point, request, companion, follows))
        elif request.key is None or Rule.MODELS in broken:
            return
        elif broken & _COUNTED and not self.waits(request):
            self.history.append(Failed(now, point, request.key))

    def passed(self, decision_id: str, point: AccessPoint, who: str | None) -> None:
        """Remember a passage."""
        self.coming.pop(decision_id, None)
        if (area := self.doors[point.door_id].area_id) is None:
            return
        if point.direction is Direction.ENTRY:
            if who is None:
                self.heads[area] += 1
            else:
                self.inside[area].add(who)
        elif who in self.inside[area]:
            self.inside[area].discard(who)
        elif self.people(area) > 0:
            self.heads[area] -= 1

    def people(self, area: str) -> int:
        return max(0, len(self.inside[area]) + self.heads[area])

    # --- which rules a request breaks -----------------------------------------------------------

    def broken(self, request: Request) -> set[Rule]:
        """Return the rules that forbid to grant a request."""
        found = self._at_door_and_area(request) if request.enters else set()
        if request.word:
            return found
        if request.basis is Basis.PASS:
            checks = {Rule.PASS: self._pass_opens(request)}
        else:
            checks = self._subject(request)
        if request.basis is Basis.FACE:
            checks[Rule.MODELS] = request.models_whole
            checks[Rule.FRESH] = 0 <= request.age_s <= 2
            checks[Rule.ALIVE] = request.alive or not self.asks(Control.LIVENESS, request.point)
        checks[Rule.ATTEMPTS] = not (request.enters and self.waits(request))
        for control, rule, held in (
            (Control.TEMPERATURE, Rule.TEMPERATURE, self._cool),
            (Control.MASK, Rule.MASK, self._masked),
            (Control.DOCUMENT, Rule.DOCUMENT, self._documented),
            (Control.SECOND_CREDENTIAL, Rule.SECOND, self._seconded),
            (Control.TWO_PERSONS, Rule.TWO, self._accompanied),
        ):
            asked = self.asks(control, request.point)
            if control is Control.SECOND_CREDENTIAL:
                asked = asked or (request.enters and request.step_up)
            checks[rule] = not asked or held(request)
        return found | {rule for rule, kept in checks.items() if not kept}

    def asks(
        self, control: Control, point: AccessPoint, weight: Requirement = Requirement.REQUIRED
    ) -> bool:
        """Return whether a door asks for a control here and now."""
        door, leaves = self.doors[point.door_id], point.direction is Direction.EXIT
        told = [
            rule.requirements[control]
            for rule in door.rules
            if control in rule.requirements
            and rule.direction in {None, point.direction}
            and (rule.schedule_id is None or self.open(rule.schedule_id))
            and not (leaves and rule.direction is None and control is not Control.LIVENESS)
        ]
        if not leaves or control is Control.LIVENESS:
            told.append(door.requirements.get(control, Requirement.OFF))
        return next(iter(told), Requirement.OFF) is weight

    def open(self, schedule_id: str) -> bool:
        return OPEN[schedule_id](self.clock.now().astimezone(ZONE))

    def mode(self, door_id: str) -> DoorMode:
        mode, free = self.modes.get(door_id, DoorMode.NORMAL), self.doors[door_id].free_schedule_id
        is_free = mode is DoorMode.NORMAL and free is not None and self.open(free)
        return DoorMode.FREE if is_free else mode

    def waits(self, request: Request) -> bool:
        """Rule 7."""
        failures: list[float] = []
        for event in reversed(self.history):
            if event.point.door_id != request.point.door_id or request.key is None:
                continue
            if isinstance(event, Granted) and event.request.key == request.key:
                break
            if isinstance(event, Failed) and event.key == request.key:
                if failures and failures[-1] - event.at > 3600:
                    break
                failures.append(event.at)
        return len(failures) >= 5 and self.clock.monotonic() < failures[0] + 30

    def companions(self, request: Request) -> set[str]:
        """Return the subjects that a request may be paired with, by rule 12."""
        return {
            other
            for other in self._others(request)
            if self._stands_ready(other, request.point, request.who)
        }

    def led(self, who: str, point: AccessPoint) -> bool:
        """Return whether a subject went first of a pair whose other half may follow."""
        return isinstance(self._last_stand(who, point), Granted)

    # --- rules ----------------------------------------------------------------------------------

    def _subject(self, request: Request) -> dict[Rule, bool]:
        person, at = request.person, self.clock.now()
        if person is None:
            return {Rule.PROVEN: False, Rule.PERMIT: False}
        approval = person.approval
        approved = (
            approval is not None
            and approval.state is ApprovalState.APPROVED
            and approval.until is not None
            and at < approval.until
        )
        return {
            Rule.PROVEN: request.proven,
            Rule.PERMIT: any(self._permits(permit, request) for permit in person.permits),
            Rule.CONTRACT: approved or person.subject.kind != "contractor" or not request.enters,
            Rule.RETIRED: not any(
                item.kind is _KINDS[request.basis] and item.at <= at for item in person.retirements
            ),
        }

    def _permits(self, permit: Permit, request: Request) -> bool:
        here, at = permit.door_id == request.point.door_id, self.clock.now()
        in_time = (permit.valid_from is None or permit.valid_from <= at) and (
            permit.valid_until is None or at < permit.valid_until
        )
        hour = permit.schedule_id is None or self.open(permit.schedule_id)
        inwards = permit.direction in {None, Direction.ENTRY}
        return here and (not request.enters or (inwards and in_time and hour))

    def _pass_opens(self, request: Request) -> bool:
        """Rule 18."""
        facts, at = self.passes.get(request.pass_id or ""), self.clock.now()
        if facts is None or not request.proven or request.point.door_id not in facts.door_ids:
            return False
        if not request.enters and facts.used > 0:
            return at < facts.valid_until + timedelta(hours=1)
        return (
            request.newest
            and not facts.revoked
            and facts.valid_from <= at < facts.valid_until
            and (facts.used < facts.max_uses or not request.enters)
        )

    def _at_door_and_area(self, request: Request) -> set[Rule]:
        """Rules 14 to 16."""
        found = set()
        if self.modes.get(request.point.door_id) is DoorMode.LOCKDOWN:
            found.add(Rule.LOCKDOWN)
        if (area_id := self.doors[request.point.door_id].area_id) is None:
            return found
        area, who = AREAS[area_id], request.who
        coming = [name for place, name in self.coming.values() if place == area_id]
        named = self.inside[area_id] | {name for name in coming if name is not None}
        if area.passback is Passback.HARD and who in named:
            found.add(Rule.PASSBACK)
        count = len(named) + coming.count(None) + self.heads[area_id]
        if area.capacity is not None and count >= area.capacity and not request.word:
            found.add(Rule.CAPACITY)
        return found

    def _cool(self, request: Request) -> bool:
        rules = self.doors[request.point.door_id]
        life_s = rules.temperature_max_age_s
        if request.since is None:
            life_s = min(life_s, 3)
        reading = self._unused(request, Control.TEMPERATURE, life_s)
        return reading is not None and float(reading.value) <= rules.temperature_limit

    def _masked(self, request: Request) -> bool:
        rules = self.doors[request.point.door_id]
        sight = self._unused(request, Control.MASK, rules.together_s)
        worn = sight is not None and float(sight.value) >= 0.5
        return sight is not None and worn == (rules.mask_rule is MaskRule.WORN)

    def _documented(self, request: Request) -> bool:
        shown = self._unused(request, Control.DOCUMENT, 60)
        return shown is not None and request.basis is Basis.FACE and shown.value == request.who

    def _unused(self, request: Request, control: Control, life_s: float) -> Measurement | None:
        """Return the newest measurement, where it may count for a request."""
        for event in self._here(request.point):
            if isinstance(event, Granted):
                return None
            if isinstance(event, Measurement) and event.control is control:
                there = request.since is None or event.taken >= request.since
                counts_from = control is Control.DOCUMENT or there
                young = self.clock.monotonic() - event.taken <= life_s
                return event if young and counts_from else None
        return None

    def _seconded(self, request: Request) -> bool:
        together = self.doors[request.point.door_id].together_s
        for event in self._here(request.point):
            if isinstance(event, Granted) and event.request.who == request.who:
                return False
            if (
                isinstance(event, Presented)
                and event.who == request.who
                and event.kind is not _KINDS.get(request.basis)
                and self.clock.monotonic() - event.at <= together
            ):
                return request.who is not None
        return False

    def _accompanied(self, request: Request) -> bool:
        return bool(self.companions(request))

    def _others(self, request: Request) -> set[str]:
        if request.who is None or request.basis not in _KINDS:
            return set()
        names = {event.who for event in self.history if isinstance(event, Waiting)}
        names |= {e.request.who for e in self.history if isinstance(e, Granted) and e.request.who}
        return names - {request.who}

    def _stands_ready(self, other: str, point: AccessPoint, who: str | None) -> bool:
        stand = self._last_stand(other, point)
        if (
            stand is None
            or self.clock.monotonic() - stand.at > self.doors[point.door_id].together_s
        ):
            return False
        return isinstance(stand, Waiting) or stand.companion == who

    def _last_stand(self, who: str, point: AccessPoint) -> Waiting | Granted | None:
        """Return how a subject last came to stand ready, None where that was used up."""
        for event in self._here(point):
            if isinstance(event, Waiting) and event.who == who:
                return event
            if isinstance(event, Granted):
                if event.companion == who:
                    return None
                if event.request.who == who:
                    return None if event.companion is None or event.followed else event
        return None

    def _here(self, point: AccessPoint) -> Iterator[Event]:
        """Yield what happened at an access point, the newest first."""
        return (event for event in reversed(self.history) if event.point == point)
