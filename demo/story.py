"""Acts at two doors, seen only through Home Assistant's WebSocket API.

The resident walks up and the front door opens; a photograph of the resident is held up and it does
not; a stranger rings, waits, and is let in by one tap; the back door, whose relay is the engine's
own, is opened from the dashboard. Each act says what came true; nothing here
makes it true: the scenes are shown to the camera, and the only thing done is to press "Let in".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
import math
import time

from demo.back_door import PULSE_S as BACK_PULSE_S
from demo.engine import PULSE_S, Event
from demo.home_client import Change, EntityState
from demo.scenes import PHOTO_S, RESIDENT_S, STRANGER_S
from demo.stage import RESIDENT, Stage, Tell

# An act that does not come true is given up after its scene and this.
PATIENCE_S = 6.0
# The engine does not grant the same person again sooner, nor let the same stranger ring.
NEXT_GRANT_S, NEXT_RING_S = 10.5, 62.0
CALL_S = 60.0
# How long the visitor is left waiting.
TAP_AFTER_S = 1.5

type Json = dict[str, object]
type Meanwhile = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Outcome:
    """What came true, and what was measured on the way; without a broker there is no back door."""

    resident_granted: bool = False
    photo_denied: bool = False
    stranger_denied: bool = False
    visitor_let_in: bool = False
    back_door_opened: bool | None = None
    arrival_to_unlock_ms: list[float] = field(default_factory=list)
    door_pulses: int = 0
    audit_rows: int = 0
    complaints: list[str] = field(default_factory=list)

    @property
    def came_true(self) -> bool:
        """Whether all of the story did, and nothing that should not."""
        return not self.complaints and all(
            (
                self.resident_granted,
                self.photo_denied,
                self.stranger_denied,
                self.visitor_let_in,
                self.back_door_opened is not False,
            )
        )

    def json(self) -> Json:
        """Return what a program wants to know of it."""
        samples = self.arrival_to_unlock_ms
        return {
            "resident_granted": self.resident_granted,
            "photo_denied": self.photo_denied,
            "stranger_denied": self.stranger_denied,
            "visitor_let_in": self.visitor_let_in,
            "back_door_opened": self.back_door_opened,
            "arrival_to_unlock_ms": {
                "samples": [round(sample, 1) for sample in samples],
                "p50": percentile(samples, 50),
                "p95": percentile(samples, 95),
            },
            "door_pulses": self.door_pulses,
            "audit_rows": self.audit_rows,
        }


def percentile(samples: list[float], percent: float) -> float | None:
    """Return the smallest sample that at least ``percent`` of them do not exceed, or None."""
    if not samples:
        return None
    rank = max(1, math.ceil(percent / 100 * len(samples)))
    return round(sorted(samples)[rank - 1], 1)


class Story:
    """Directs the camera and watches what Home Assistant shows."""

    def __init__(self, stage: Stage, tell: Tell) -> None:
        self.outcome = Outcome()
        self._stage = stage
        self._home = stage.home.client
        self._door = stage.door
        self._tell = tell
        self._began = len(self._home.changes)
        self._act_began = time.monotonic()
        self._next_grant = 0.0
        self._next_ring = 0.0

    async def resident(self) -> None:
        """Let the resident walk up; the door is to open, and to lock again."""
        await self._quiet_until(self._next_grant)
        since = self._begin(f"{RESIDENT}, who lives here, walks up to the front door.")
        await self._stage.camera.play(self._stage.scenes.resident)
        access = await self._access(since, RESIDENT_S)
        opened = await self._opened(since, 2.0) if access else None
        self._next_grant = time.monotonic() + NEXT_GRANT_S
        if access is None or not _granted(access, "face") or access.text("subject") != RESIDENT:
            self._complain(f"the resident was not let in: {_told(access)}")
        elif opened is None:
            self._complain("the resident was granted, but the door's relay did not switch on")
        else:
            waited = await self._arrival_to_unlock_ms(opened)
            self.outcome.resident_granted = True
            self.outcome.arrival_to_unlock_ms.append(waited)
            self._say(
                f"{RESIDENT} is recognized and the door opens, {waited:.0f} ms after the first"
                " picture with the face.",
                access,
            )
        await self._locked_again()
        await self._stage.camera.empty()

    async def photograph(self) -> None:
        """Let a photograph be held up; the door is to stay shut."""
        # Had the resident just been granted, a second grant would be left out: prove the denial.
        await self._quiet_until(self._next_grant)
        since = self._begin(f"Somebody holds up a printed photograph of {RESIDENT}.")
        await self._stage.camera.play(self._stage.scenes.photo)
        access = await self._access(since, PHOTO_S)
        if access is not None and _denied(access):
            self._say("The door stays shut.", access)
        await self._stage.camera.empty()
        if await self._opened(since, 0.5):
            self._complain("the photograph opened the door")
        elif access is None or not _denied(access):
            self._complain(f"the photograph was not denied: {_told(access)}")
        else:
            self.outcome.photo_denied = True

    async def back_door(self) -> None:
        """Open the back door from the dashboard; its relay is to go on, and off by itself."""
        lock, relay = self._stage.back_lock, self._stage.back_door.relay
        if lock is None:
            return
        since = self._begin("Somebody at home opens the back door, with a relay of FaceGate's own.")
        moved = len(relay.moves)

        def locks(change: Change) -> bool:
            return _is(change, lock) and change.new is not None and change.new.state == "locked"

        await self._home.call_service("lock.open", lock)
        await self._home.wait_change(since, locks, BACK_PULSE_S + 4)
        self.outcome.back_door_opened = relay.moves[moved:] == [True, False]
        if self.outcome.back_door_opened:
            self._say("The Shelly went on, told so, and went off by itself.")
        else:
            self._complain(f"the back door's relay went {relay.moves[moved:]}")

    async def stranger(self, while_waiting: Meanwhile | None = None) -> None:
        """Let a stranger come; the door is to open only once "Let in" is pressed.

        It is pressed here, after ``while_waiting``.
        """
        since = await self._stranger_comes()
        await self._stage.camera.play(self._stage.scenes.stranger)
        if await self._rings(since):
            await self._home.wait_state(self._door.visitor_waiting, "on", 3)
            await asyncio.sleep(TAP_AFTER_S)
            if while_waiting is not None:
                await while_waiting()
            tapped = len(self._home.changes)
            self._say('Somebody at home taps "Let in".')
            await self._home.call_service("button.press", self._door.let_in)
            await self._is_let_in(tapped)
        await self._locked_again()

    async def stranger_waits_for_you(self) -> None:
        """Let a stranger come and wait until somebody at the dashboard answers, or nobody does."""
        since = await self._stranger_comes()
        self._stage.camera.keep_playing(self._stage.scenes.stranger)
        try:
            if await self._rings(since):
                self._say(f'Your turn: tap "Let in" (or "Turn away") at {self._stage.home.url}')
                tapped = len(self._home.changes)
                await self._home.wait_state(self._door.visitor_waiting, "on", 3)
                await self._home.wait_state(self._door.visitor_waiting, "off", CALL_S + 5)
                if await self._opened(tapped, 2):
                    await self._is_let_in(tapped)
                else:
                    self._say("Nobody let the stranger in: the door stayed shut.")
        finally:
            self._stage.camera.clear()
        await self._locked_again()

    async def finish(self) -> Outcome:
        """Count pulses and records, compare them to what was seen, and return the outcome."""
        outcome = self.outcome
        outcome.door_pulses = sum(map(self._opens, self._home.changes[self._began :]))
        events = await self._stage.engine.events()
        outcome.audit_rows = len(events)
        openings = len(outcome.arrival_to_unlock_ms) + outcome.visitor_let_in
        back = outcome.back_door_opened is True
        if outcome.came_true and outcome.door_pulses != openings:
            self._complain(f"the door opened {outcome.door_pulses} times, not {openings}")
        granted = [event for event in events if event.kind == "access" and event.body["granted"]]
        if outcome.came_true and len(granted) != openings + back:
            self._complain(f"the record has {len(granted)} grants, not {openings + back}")
        return outcome

    # --- parts of acts --------------------------------------------------------------------------

    def _begin(self, text: str) -> int:
        self._tell("")
        self._tell(text)
        self._act_began = time.monotonic()
        return len(self._home.changes)

    def _say(self, text: str, access: EntityState | None = None) -> None:
        self._tell(f"  {time.monotonic() - self._act_began:5.1f} s  {text}")
        if access is not None:
            self._tell(f"           {_verdicts(access)}")

    def _complain(self, text: str) -> None:
        self.outcome.complaints.append(text)
        self._say(f"NOT AS TOLD: {text}")

    async def _quiet_until(self, moment: float) -> None:
        wait = moment - time.monotonic()
        if wait > 1:
            self._tell(f"  (a pause of {wait:.0f} s)")
        await asyncio.sleep(max(0.0, wait))
        await self._stage.camera.empty()

    async def _access(self, since: int, scene_s: float) -> EntityState | None:
        limit = scene_s + PATIENCE_S
        change = await self._home.wait_change(since, lambda c: _is(c, self._door.access), limit)
        return change.new if change else None

    def _opens(self, change: Change) -> bool:
        return (
            _is(change, self._door.relay)
            and change.new is not None
            and change.new.state == "on"
            and (change.old is None or change.old.state != "on")
        )

    async def _opened(self, since: int, limit_s: float) -> EntityState | None:
        change = await self._home.wait_change(since, self._opens, limit_s)
        return change.new if change else None

    async def _locked_again(self) -> None:
        """Wait until a pulse is over; raises ``HomeError`` if the door does not lock in time."""
        if self._home.state(self._door.lock) == "locked":
            return
        await self._home.wait_state(self._door.lock, "locked", PULSE_S + 4)
        self._say("The door is locked again.")

    async def _arrival_to_unlock_ms(self, opened: EntityState) -> float:
        """Return the time from the first picture with the face to the relay's change of state."""
        newest = [event for event in await self._stage.engine.events() if _face_grant(event)][-1]
        assert newest.first_seen_at is not None
        return (opened.last_changed.timestamp() - newest.first_seen_at) * 1000

    async def _stranger_comes(self) -> int:
        await self._quiet_until(self._next_ring)
        return self._begin("A stranger comes to the door.")

    async def _rings(self, since: int) -> bool:
        """Return whether the stranger is denied and rings, with the door shut."""
        access = await self._access(since, STRANGER_S)
        if access is None or not _denied(access) or access.text("subject") is not None:
            self._complain(f"the stranger was not denied: {_told(access)}")
            return False
        self._say("The stranger is not known and stays outside.", access)
        ring = await self._home.wait_change(since, lambda c: _is(c, self._door.visitor), 5)
        self._next_ring = time.monotonic() + NEXT_RING_S
        if ring is None:
            self._complain("the stranger did not ring")
            return False
        if await self._opened(since, 0):
            self._complain("the door opened for the stranger before anybody let them in")
            return False
        self.outcome.stranger_denied = True
        self._say("The doorbell rings in Home Assistant.")
        return True

    async def _is_let_in(self, tapped: int) -> None:
        """Watch the door open for the visitor, after the tap."""
        granted = await self._home.wait_change(
            tapped, lambda c: _is(c, self._door.access) and _granted(c.new, "visitor"), 3
        )
        if granted is None or granted.new is None or await self._opened(tapped, 3) is None:
            self._complain("the visitor was not let in after the tap")
        else:
            self.outcome.visitor_let_in = True
            self._say(f"The door opens for the visitor, let in by {granted.new.text('approver')}.")


def _is(change: Change, entity_id: str) -> bool:
    """Return whether an entity that was there told something new."""
    new, old = change.new, change.old
    if new is None or new.entity_id != entity_id or new.state in ("unavailable", "unknown"):
        return False
    return old is None or old.state != new.state


def _granted(access: EntityState | None, basis: str) -> bool:
    if access is None:
        return False
    return access.text("event_type") == "access_granted" and access.text("basis") == basis


def _denied(access: EntityState) -> bool:
    return access.text("event_type") == "access_denied"


def _told(access: EntityState | None) -> str:
    if access is None:
        return "no decision was told"
    return f"{access.text('event_type')}, {access.text('reason')} ({_verdicts(access)})"


def _verdicts(access: EntityState) -> str:
    verdicts = access.attributes.get("verdicts")
    if not isinstance(verdicts, list):
        return ""
    return ", ".join(_verdict(found) for found in verdicts if found["requirement"] != "off")


def _verdict(verdict: Json) -> str:
    measured, limit = verdict.get("measured"), verdict.get("limit")
    figures = ""
    if isinstance(measured, float | int) and isinstance(limit, float | int):
        figures = f" {measured:.2f} (limit {limit:.2f})"
    return f"{verdict['control']} {verdict['outcome']}{figures}"


def _face_grant(event: Event) -> bool:
    return (
        event.kind == "access" and event.first_seen_at is not None and bool(event.body["granted"])
    )
