"""The gate, the calls and the passes of a site, driven at random and held to the book of rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from facegate.decision.gate import Asking
from facegate.domain import AccessPoint
from facegate.protocol import Direction, DoorMode
from facegate.register import (
    Approval,
    ApprovalState,
    ControlRule,
    CredentialKind,
    DoorRules,
    MaskRule,
    Permit,
    Retirement,
)
from facegate.verdicts import Basis, Control, Reason, Requirement
from facegate.visitor.call import CALL_LIFE, Calls
from facegate.visitor.code import make_code
from facegate.visitor.passes import Passes
from tests.engine.decision.claims import MEASURED
from tests.engine.decision.driven import Driven
from tests.engine.decision.events import Request
from tests.engine.decision.world import (
    AREAS,
    DOOR_IDS,
    DRAWN,
    HOUR,
    NAMES,
    PEOPLE,
    TestSigner,
    likeness,
)

DOOR = st.sampled_from(DOOR_IDS)
NAME = st.sampled_from(NAMES)
DIRECTION = st.sampled_from([Direction.ENTRY, Direction.ENTRY, Direction.EXIT])
RIGHT = st.sampled_from([True, True, True, False])
PICK = st.integers(0, 1000)
SCHEDULE = st.sampled_from([None, "day", "night", "always", "gone"])
WEIGHED = st.dictionaries(st.sampled_from(MEASURED), st.sampled_from(Requirement), max_size=3)
# Faces as the camera may tell of them; the first two are somebody's, beyond doubt.
FACES = ["good", "good", "low", "ambiguous", "few", "other"]
HOURS_AWAY = st.sampled_from([-1, 0, 1, 3])


class RulesMachine(Driven):
    """A site used at random."""

    @initialize(weighed=WEIGHED, drawn=WEIGHED, direction=st.none() | DIRECTION, when=SCHEDULE)
    def build(
        self,
        weighed: dict[Control, Requirement],
        drawn: dict[Control, Requirement],
        direction: Direction | None,
        when: str | None,
    ) -> None:
        rules = (ControlRule(drawn, direction, when),)
        self.open_site(DoorRules(DRAWN, weighed, rules, "hall", mask_rule=MaskRule.NOT_WORN))

    # --- asking ---------------------------------------------------------------------------------

    @rule(
        door=DOOR,
        direction=DIRECTION,
        name=NAME,
        quality=st.sampled_from(FACES),
        age=st.sampled_from([0.0, 0.1, 2.0, 2.1, -0.1]),
        alive=RIGHT,
        stood=st.sampled_from([None, 0, 2, 20]),
        mask=st.sampled_from([None, 0.9, 0.5, 0.1]),
        whole=RIGHT,
        carries=RIGHT,
    )
    def face(
        self,
        *,
        door: str,
        direction: Direction,
        name: str,
        quality: str,
        age: float,
        alive: bool,
        stood: float | None,
        mask: float | None,
        whole: bool,
        carries: bool,
    ) -> None:
        since = None if stood is None else self.clock.monotonic() - stood
        point = AccessPoint(door, direction)
        told: dict[str, Any] = {"age_s": age, "alive": alive, "models_whole": whole}
        told["step_up"] = not carries
        self.show_face(point, name, quality, since=since, mask=mask, **told)

    @rule(door=DOOR, direction=DIRECTION, name=NAME, card=st.booleans(), right=RIGHT)
    def keypad_or_reader(
        self, *, door: str, direction: Direction, name: str, card: bool, right: bool
    ) -> None:
        basis = Basis.CARD if card else Basis.PIN
        self.present(AccessPoint(door, direction), name, basis, right=right)

    @rule(
        door=st.sampled_from(["front", "hall"]),
        name=NAME,
        age=st.sampled_from([0.0, 0.0, 2.0, 2.1, -0.1]),
        alive=st.booleans(),
        whole=RIGHT,
        times=st.integers(1, 2),
        comes=st.booleans(),
        empty=st.booleans(),
    )
    def come(
        self,
        *,
        door: str,
        name: str,
        age: float,
        alive: bool,
        whole: bool,
        times: int,
        comes: bool,
        empty: bool,
    ) -> None:
        if empty:
            self.reset(area="house", name=None)
        point = AccessPoint(door, Direction.ENTRY)
        for _ in range(times):
            self.gate.evidence.take_temperature(point, 36.6, self.clock.monotonic())
            self.measured(point, Control.TEMPERATURE, 36.6)
            told: dict[str, Any] = {"age_s": age, "alive": alive, "models_whole": whole}
            self.show_face(point, name, mask=0.9, **told)
            self.passage(pick=len(self.awaited) - 1, comes=comes)

    @rule(
        door=st.sampled_from(["front", "front", *DOOR_IDS]),
        name=NAME,
        empty=st.booleans(),
        wait=st.sampled_from([0, 29, 30]),
        right=RIGHT,
    )
    def guess(self, *, door: str, name: str, empty: bool, wait: float, right: bool) -> None:
        if empty:
            self.reset(area="house", name=None)
        point = AccessPoint(door, Direction.ENTRY)
        for _ in range(5):
            self.present(point, name, right=False)
        self.clock.passed += wait
        self.present(point, name, right=right)

    @rule(
        door=DOOR,
        direction=DIRECTION,
        name=NAME,
        way=st.tuples(st.booleans(), st.booleans()),
        wait=st.sampled_from([0, 5, 15, 16]),
    )
    def two_credentials(
        self, *, door: str, direction: Direction, name: str, way: tuple[bool, bool], wait: float
    ) -> None:
        point, (face_first, carries) = AccessPoint(door, direction), way
        for by_face in (face_first, not face_first):
            if by_face:
                self.show_face(point, name, mask=0.9, step_up=not carries)
            else:
                self.present(point, name)
            self.clock.passed += wait

    @rule(
        door=st.sampled_from(["lab", "lab", DRAWN]),
        direction=DIRECTION,
        names=st.lists(NAME, min_size=2, max_size=5),
        wait=st.sampled_from([0, 0, 5, 16]),
    )
    def together(self, door: str, direction: Direction, names: list[str], wait: float) -> None:
        for name in names:
            self.show_face(AccessPoint(door, direction), name)
            self.clock.passed += wait

    @rule(door=DOOR, direction=DIRECTION, user=st.sampled_from([Reason.OPERATOR, Reason.LET_IN]))
    def user_opens(self, *, door: str, direction: Direction, user: Reason) -> None:
        point = AccessPoint(door, direction)
        basis = Basis.OPERATOR if user is Reason.OPERATOR else Basis.VISITOR
        self.ask(Request(point, basis, word=True), Asking(point, basis, approval=user))

    # --- what is measured -----------------------------------------------------------------------

    @rule(
        door=st.sampled_from(["hall", "hall", DRAWN]),
        direction=st.sampled_from([Direction.ENTRY, *Direction]),
        celsius=st.sampled_from([36.6, 36.6, 37.5, 37.6]),
        ago=st.sampled_from([0, 0, 0, 30, 31]),
        names=st.lists(NAME, min_size=2, max_size=3),
    )
    def thermometer(
        self, door: str, direction: Direction, celsius: float, ago: float, names: list[str]
    ) -> None:
        point, now = AccessPoint(door, direction), self.clock.monotonic()
        self.gate.evidence.take_temperature(point, celsius, now - ago)
        self.measured(point, Control.TEMPERATURE, celsius, ago)
        for name in names:
            self.show_face(point, name, mask=0.9)

    @rule(
        door=st.sampled_from(["office", "office", DRAWN]),
        direction=DIRECTION,
        name=NAME,
        names=st.lists(NAME, max_size=2),
    )
    def document(self, door: str, direction: Direction, name: str, names: list[str]) -> None:
        point = AccessPoint(door, direction)
        self.gate.evidence.show_document(point, likeness(name), self.clock.monotonic())
        self.measured(point, Control.DOCUMENT, name)
        for other in (*names, name):
            self.show_face(point, other)

    # --- passages -------------------------------------------------------------------------------

    @rule(pick=PICK, comes=RIGHT)
    def passage(self, *, pick: int, comes: bool) -> None:
        if not self.awaited:
            return
        decision_id = list(self.awaited)[pick % len(self.awaited)]
        point, who, pass_id = self.awaited.pop(decision_id)
        if comes:
            self.gate.passed(decision_id, point, who)
            self.book.passed(decision_id, point, who)
            return
        self.gate.presence.settle(decision_id)
        self.book.coming.pop(decision_id, None)
        if pass_id is not None and point.direction is Direction.ENTRY:
            self.passes.give_back(pass_id)
            self.book.passes[pass_id].used -= 1

    @rule(area=st.sampled_from(list(AREAS)), people=st.integers(0, 3))
    def correct(self, area: str, people: int) -> None:
        self.gate.presence.correct(area, people)
        self.book.heads[area] = people - len(self.book.inside[area])

    @rule(area=st.sampled_from(list(AREAS)), name=st.none() | NAME)
    def reset(self, area: str, name: str | None) -> None:
        self.gate.presence.reset(area, name)
        if name is None:
            self.book.inside[area].clear()
            self.book.heads[area] = 0
        self.book.inside[area].discard(name or "")

    # --- what the office changes ----------------------------------------------------------------

    @rule(door=DOOR, mode=st.sampled_from([DoorMode.NORMAL, DoorMode.NORMAL, *DoorMode]))
    def set_mode(self, door: str, mode: DoorMode) -> None:
        self.gate.modes[door] = self.book.modes[door] = mode
        self.user_opens(door=door, direction=Direction.ENTRY, user=Reason.OPERATOR)

    @rule(state=st.sampled_from([ApprovalState.APPROVED, *ApprovalState]), hours=HOURS_AWAY)
    def approve(self, state: ApprovalState, hours: int) -> None:
        until = self.clock.now() + hours * HOUR
        self.people["cleo"] = replace(self.people["cleo"], approval=Approval(state, until))
        self.present(AccessPoint("front", Direction.ENTRY), "cleo")

    @rule(
        name=NAME,
        door=st.sampled_from(["front", "front", "lab", DRAWN]),
        direction=st.sampled_from([None, *Direction]),
        schedule=st.none() | SCHEDULE,
        since=st.sampled_from([-3, -1, 0, 1]),
        until=HOURS_AWAY,
    )
    def permit(
        self,
        name: str,
        door: str,
        direction: Direction | None,
        schedule: str | None,
        since: int,
        until: int,
    ) -> None:
        person, at = self.people[name], self.clock.now()
        rest = tuple(item for item in person.permits if item.door_id != door)
        new = Permit(door, name, None, direction, schedule, at + since * HOUR, at + until * HOUR)
        self.people[name] = replace(person, permits=(*rest, new))
        self.present(AccessPoint(door, Direction.ENTRY), name)

    @rule(name=NAME, kind=st.sampled_from(CredentialKind), hours=HOURS_AWAY, direction=DIRECTION)
    def retire(self, name: str, kind: CredentialKind, hours: int, direction: Direction) -> None:
        retired = Retirement("staff", kind, self.clock.now() + hours * HOUR)
        self.people[name] = replace(self.people[name], retirements=(retired,))
        point = AccessPoint("front", direction)
        if kind is CredentialKind.FACE:
            self.show_face(point, name)
        else:
            self.present(point, name, Basis(kind.value))

    @rule(name=NAME)
    def arrange_as_before(self, name: str) -> None:
        self.people[name] = PEOPLE[name]

    # --- visitors -------------------------------------------------------------------------------

    @rule(
        doors=st.sampled_from([("front",), ("front", DRAWN), (DRAWN, "front", "hall")]),
        since=HOURS_AWAY,
        hours=HOURS_AWAY,
        uses=st.integers(1, 2),
        times=st.integers(0, 3),
        empty=st.booleans(),
    )
    def make_pass(
        self, *, doors: tuple[str, ...], since: int, hours: int, uses: int, times: int, empty: bool
    ) -> None:
        if empty:
            self.reset(area="house", name=None)
        self.issue(doors, min(since, 0), hours, uses)
        for _ in range(times):
            self.show_pass(doors[0], Direction.ENTRY, len(self.codes) - 1, "code", newest=True)

    @rule(
        door=DOOR,
        direction=DIRECTION,
        pick=PICK,
        way=st.sampled_from(["code", "code", "pin", "forged"]),
        newest=RIGHT,
        times=st.integers(1, 3),
    )
    def use_pass(
        self, *, door: str, direction: Direction, pick: int, way: str, newest: bool, times: int
    ) -> None:
        for _ in range(times if self.codes else 0):
            self.show_pass(door, direction, pick, way, newest=newest)

    @rule(pick=PICK)
    def renew_pass(self, pick: int) -> None:
        if self.codes:
            pass_id = list(self.codes)[pick % len(self.codes)]
            code, digest = make_code(pass_id, TestSigner())
            self.passes.renew(pass_id, digest, f"pin {len(self.codes[pass_id])}")
            self.codes[pass_id].append(code)

    @rule(pick=PICK)
    def revoke_pass(self, pick: int) -> None:
        if self.codes:
            pass_id = list(self.codes)[pick % len(self.codes)]
            self.passes.revoke(pass_id, self.clock.now())
            self.book.passes[pass_id].revoked = True

    @rule(door=DOOR, face=NAME, answers=st.integers(0, 2))
    def ring(self, door: str, face: str, answers: int) -> None:
        call = self.calls.ring(AccessPoint(door, Direction.ENTRY), b"", likeness(face))
        if call is not None:
            life = CALL_LIFE.total_seconds()
            self.call_deadlines[call.id] = self.clock.monotonic() + min(life, 60)
            for _ in range(answers):
                self.answer_once(len(self.call_deadlines) - 1, let_in=True, recorded=True)

    @rule(pick=PICK, let_in=RIGHT, recorded=RIGHT, times=st.integers(1, 2))
    def answer(self, *, pick: int, let_in: bool, recorded: bool, times: int) -> None:
        for _ in range(times if self.call_deadlines else 0):
            self.answer_once(pick, let_in=let_in, recorded=recorded)

    # --- time -----------------------------------------------------------------------------------

    @rule(seconds=st.sampled_from([1, 5, 14, 15, 16, 30, 59, 60, 1800, 3601, 18_000]))
    def wait(self, seconds: int) -> None:
        self.clock.passed += seconds

    @rule(seconds=st.sampled_from([-86_400, -1800, 1800, 86_400]))
    def set_the_clock(self, seconds: int) -> None:
        self.clock.wall += seconds

    @rule()
    def tick(self) -> None:
        self.calls.expire()
        self.gate.evidence.clear(self.clock.monotonic(), 60)

    @rule()
    def restart(self) -> None:
        """Start anew with what the store keeps: modes, passes, who is inside."""
        before = self.gate
        self.gate = self.new_gate()
        self.gate.modes = before.modes
        self.gate.presence.restore(
            [(name, area) for area in AREAS for name in before.presence.inside(area)],
            {area: before.presence.heads(area) for area in AREAS},
        )
        kept, self.passes = self.passes.all, Passes(TestSigner())
        self.passes.replace(kept)
        self.calls = Calls(self.clock)
        self.call_deadlines = dict.fromkeys(self.call_deadlines)
        self.awaited.clear()
        self.book.history.clear()
        self.book.coming.clear()
