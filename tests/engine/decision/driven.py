"""A site under the model: asks the gate, the calls and the passes as the engine does."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

from hypothesis.stateful import RuleBasedStateMachine, invariant

from facegate.decision import gate
from facegate.decision.claim import FaceEvidence
from facegate.decision.gate import Asking, Gate
from facegate.domain import AccessPoint, Identification, LivenessEvidence
from facegate.errors import ConflictError
from facegate.protocol import Direction
from facegate.register import DoorRules, Person, VisitorPass
from facegate.verdicts import Basis, Control, Outcome, Reason
from facegate.visitor.call import Calls
from facegate.visitor.code import make_code
from facegate.visitor.passes import Passes
from tests.engine.decision.events import Measurement, PassFacts, Request
from tests.engine.decision.rulebook import Book, Rule
from tests.engine.decision.world import (
    ADVISORY,
    AREAS,
    CALENDAR,
    DOOR_IDS,
    DOORS,
    HOUR,
    NAMES,
    PEOPLE,
    REQUIRED,
    SCHEDULES,
    TestSigner,
    likeness,
    site_clock,
)


class ForbiddenError(AssertionError):
    """Something was granted that a rule forbids, or kept in whom the rules let out."""


class RefusedError(AssertionError):
    """Something was denied that no rule forbids."""


class Driven(RuleBasedStateMachine):
    """A site and the book that is kept on it."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = site_clock()
        self.people: dict[str, Person] = dict(PEOPLE)
        self.numbers = count()
        self.codes: dict[str, list[str]] = {}
        self.awaited: dict[str, tuple[AccessPoint, str | None, str | None]] = {}
        self.call_deadlines: dict[str, float | None] = {}
        self.calls_granted: set[str] = set()

    def open_site(self, fifth: DoorRules) -> None:
        """Begin, with four doors of the world and this one."""
        self.doors = {**DOORS, fifth.door_id: fifth}
        self.gate = self.new_gate()
        self.calls = Calls(self.clock)
        self.passes = Passes(TestSigner())
        self.book = Book(self.clock, self.doors)

    def new_gate(self) -> Gate:
        return Gate(self.doors, SCHEDULES, CALENDAR, self.clock, AREAS.values())

    def ask(self, request: Request, asking: Asking) -> bool:
        """Ask as the site does, and hold what comes of it to the rules."""
        broken = self.book.broken(request)
        ready = self.book.companions(request)
        if not request.enters:
            self.compare_exit(asking)
        judgment = self.gate.judge(asking)
        if judgment.granted and broken:
            raise ForbiddenError(f"granted against {', '.join(sorted(broken))}: {request}")
        if not judgment.granted and not broken:
            raise RefusedError(f"{sorted(judgment.failed)} of {request}")
        decision_id = str(next(self.numbers))
        committed = self.gate.commit(asking, judgment, decision_id)
        weighed = any(
            self.book.asks(Control.TWO_PERSONS, request.point, weight)
            for weight in (REQUIRED, ADVISORY)
        )
        paired = committed.companion_id in ready if ready and weighed and not broken else None
        assert paired or committed.companion_id is None
        self.book.asked(request, broken, committed.companion_id)
        if judgment.granted:
            self.granted(request, decision_id)
        return judgment.granted

    def granted(self, request: Request, decision_id: str) -> None:
        """Take a use and a place, and await the passage."""
        point = request.point
        self.awaited[decision_id] = (point, request.who, request.pass_id)
        if not request.enters:
            return
        if request.pass_id is not None:
            assert self.passes.reserve(request.pass_id) is not None
            self.book.passes[request.pass_id].used += 1
        if (area_id := self.doors[point.door_id].area_id) is not None:
            self.book.coming[decision_id] = (area_id, request.who)

    def show_face(self, point: AccessPoint, name: str, quality: str = "good", **more: Any) -> bool:
        """Let a face ask; ``more`` are fields of the request, and the ``mask``."""
        mask = more.pop("mask", None)
        person = None if quality == "other" else self.people[name]
        request = Request(
            point,
            Basis.FACE,
            person,
            proven=quality == "good",
            key=f"face {name}",
            **more,
        )
        if mask is not None:
            self.measured(point, Control.MASK, mask)
        found = Identification(name, name, 0.7, 0.2, 5, 0.5, 0.1, 3)
        changes: dict[str, dict[str, float]] = {
            "low": {"score": 0.4},
            "ambiguous": {"runner_up": 0.65},
            "few": {"probes": 2},
        }
        evidence = FaceEvidence(
            replace(
                found,
                step_up=request.step_up,
                **changes.get(quality, {}),  # type: ignore[arg-type]
            ),
            LivenessEvidence(Outcome.PASS if request.alive else Outcome.UNAVAILABLE, 0.9, 0.5),
            request.age_s,
            model_fault=not request.models_whole,
        )
        asking = Asking(
            point,
            Basis.FACE,
            person,
            evidence,
            key=request.key,
            since=request.since,
            embedding=likeness(name),
            mask=mask,
        )
        return self.ask(request, asking)

    def present(
        self, point: AccessPoint, name: str, basis: Basis = Basis.PIN, *, right: bool = True
    ) -> bool:
        """Let somebody ask with a number and a PIN, or with a card."""
        person, key = self.people[name], f"{basis} {name}"
        credential = Reason.OK if right else Reason.CREDENTIAL_WRONG
        request = Request(point, basis, person, proven=right, key=key)
        return self.ask(request, Asking(point, basis, person, credential=credential, key=key))

    def measured(
        self, point: AccessPoint, control: Control, value: float | str, ago: float = 0
    ) -> None:
        now = self.clock.monotonic()
        self.book.history.append(Measurement(now, point, control, value, now - ago))

    def show_pass(
        self, door: str, direction: Direction, pick: int, way: str, *, newest: bool
    ) -> None:
        """Let a visitor ask by code or by PIN."""
        pass_id = list(self.codes)[pick % len(self.codes)]
        codes, point, at = self.codes[pass_id], AccessPoint(door, direction), self.clock.now()
        which = len(codes) - 1 if newest else 0
        key, right = f"pass {pass_id}", way != "forged"
        if way == "pin":
            number, right = self.passes.get(pass_id).number, which == len(codes) - 1
            check = self.passes.check_pin(number, f"pin {which}", point, at)
        else:
            code = codes[which] if right else codes[which][:-4] + "AAAA"
            check = self.passes.check(code, point, at)
        request = Request(
            point,
            Basis.PASS,
            proven=right,
            key=key,
            pass_id=pass_id,
            newest=which == len(codes) - 1,
        )
        self.ask(request, Asking(point, Basis.PASS, credential=check.reason, key=key))

    def answer_once(self, pick: int, *, let_in: bool, recorded: bool) -> None:
        """Answer a call that is or was open, as the site does."""
        call_id = list(self.call_deadlines)[pick % len(self.call_deadlines)]
        deadline = self.call_deadlines[call_id]
        is_open = deadline is not None and self.clock.monotonic() < deadline
        try:
            call = self.calls.answer(call_id)
        except ConflictError:
            if is_open:
                raise RefusedError(
                    f"{Rule.CALL}: nobody answered it, and its minute runs"
                ) from None
            return
        if not is_open:
            raise ForbiddenError(f"{Rule.CALL}: answered when it was answered or over")
        if not recorded:
            self.calls.reopen(call)
            return
        self.call_deadlines[call_id] = None
        asking = Asking(call.access_point, Basis.VISITOR, approval=Reason.LET_IN)
        if let_in and self.ask(Request(call.access_point, Basis.VISITOR, word=True), asking):
            if call_id in self.calls_granted:
                raise ForbiddenError(f"{Rule.CALL}: granted twice")
            self.calls_granted.add(call_id)

    def issue(self, doors: tuple[str, ...], since: int, hours: int, uses: int) -> None:
        """Make a pass from and until these hours from now."""
        number = next(self.numbers)
        begin, end = (self.clock.now() + n * HOUR for n in (since, hours))
        pass_id = f"{number:032x}"
        code, digest = make_code(pass_id, TestSigner())
        made = VisitorPass(
            pass_id, "Fay", "Ann", doors, begin, end, uses, digest, f"9{number:05}", "pin 0"
        )
        self.passes.put(made)
        self.book.passes[pass_id] = PassFacts(made.door_ids, begin, end, uses)
        self.codes[pass_id] = [code]

    # --- what always holds ---------------------------------------------------------------------

    def compare_exit(self, asking: Asking) -> None:
        """Rule 19, without a trace: ``judge`` would note who asks."""
        if self.new_gate().judge(asking).granted:
            # By the gate's own name for it, so that a broken one is found out here as well.
            found = gate.judge(self.gate._claim(asking))  # type: ignore[attr-defined]
            if not found.granted:
                raise ForbiddenError(f"{Rule.EXIT}: kept in by {sorted(found.failed)}: {asking}")

    @invariant()
    def modes_and_people_are_as_they_were_told(self) -> None:
        for door_id in DOOR_IDS:
            assert self.gate.mode(door_id) is self.book.mode(door_id)
        for area in AREAS:
            assert self.gate.presence.occupancy(area) == self.book.people(area)
            assert self.gate.presence.inside(area) == self.book.inside[area]

    @invariant()
    def whoever_may_leave_may_leave_in_every_state(self) -> None:
        step = next(self.numbers)
        name = NAMES[step % len(NAMES)]
        point = AccessPoint(DOOR_IDS[step % len(DOOR_IDS)], Direction.EXIT)
        person, key = self.people[name], f"{Basis.PIN} {name}"
        asking = Asking(point, Basis.PIN, person, credential=Reason.OK, key=key)
        self.compare_exit(asking)

    @invariant()
    def visitors_who_came_in_get_out(self) -> None:
        for pass_id, facts in self.book.passes.items():
            if facts.used == 0 or self.clock.now() >= facts.valid_until + timedelta(hours=1):
                continue
            for code in {self.codes[pass_id][0], self.codes[pass_id][-1]}:
                point = AccessPoint(facts.door_ids[0], Direction.EXIT)
                if not self.passes.check(code, point, self.clock.now()).passes:
                    raise ForbiddenError(f"{Rule.EXIT}: a visitor is kept in")
