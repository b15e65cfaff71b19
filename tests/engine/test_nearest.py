"""A reading is of whoever stood nearest to the door's camera, and of nobody behind."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from facegate.decision.claim import Measured
from facegate.decision.evidence import Evidence
from facegate.decision.gate import Asking, Gate
from facegate.decision.schedule import calendar
from facegate.domain import AccessPoint
from facegate.face.track import Track, Tracker
from facegate.protocol import Direction
from facegate.register import DoorRules
from facegate.verdicts import Basis, Control, Reason, Requirement
from facegate.watch import Watch
from tests.engine.face.real import canvas, face_at, frame_of
from tests.support import FakeClock

ENTRY = AccessPoint("front", Direction.ENTRY)
RULES = DoorRules("front", {}, temperature_limit=37.3)
ASKS = DoorRules("front", {Control.TEMPERATURE: Requirement.REQUIRED}, temperature_limit=37.3)
STALE = Measured(36.6, 37.3, Reason.STALE_READING)
HALL = canvas(640, 360)

ANN, BEN = 200.0, 400.0
"""Where each of two people stands, in pixels from the left."""


class Porch:
    """The faces before one camera, and the thermometer beside it."""

    def __init__(self) -> None:
        self.watch = Watch(Tracker("porch"), min_face_px=48)
        self.evidence = Evidence()

    def look(self, seconds: float, *faces: tuple[float, float]) -> tuple[Track, ...]:
        """Return the faces in a picture of these (x, height), from the left."""
        frame = frame_of(HALL, round(seconds * 15), seconds)
        found = [face_at(x, 180, size) for x, size in faces]
        tracks = self.watch.tracker.update(frame, found).live
        self.watch.see(tracks, frame)
        return tuple(sorted(tracks, key=lambda track: track.detection.box.x))

    def measure(self, seconds: float, celsius: float = 36.6) -> None:
        self.evidence.take_temperature(ENTRY, celsius, seconds)

    def reading(self, track: Track) -> Measured | None:
        """Return what counts for a face now."""
        since = self.watch.stands_since(track)
        return self.evidence.temperature(ENTRY, RULES, since, track.last_arrived)


def test_who_waited_behind_is_not_let_in_on_the_reading_of_who_stood_in_front() -> None:
    porch = Porch()
    porch.look(0.0, (ANN, 100), (BEN, 60))
    porch.measure(0.1)
    ann, ben = porch.look(0.2, (ANN, 100), (BEN, 60))
    assert porch.reading(ann) == Measured(36.6, 37.3)
    assert porch.reading(ben) == STALE
    # Ann steps aside unmeasured by any door; Ben was in the picture all along.
    (ben,) = porch.look(0.3, (BEN, 100))
    assert porch.reading(ben) == STALE
    porch.measure(0.4, 38.2)
    (ben,) = porch.look(0.5, (BEN, 100))
    assert porch.reading(ben) == Measured(38.2, 37.3)


def test_who_was_measured_and_let_another_go_first_is_measured_again() -> None:
    porch = Porch()
    porch.look(0.0, (ANN, 100), (BEN, 60))
    porch.measure(0.1)
    ann, ben = porch.look(0.2, (ANN, 100), (BEN, 140))
    assert (porch.reading(ann), porch.reading(ben)) == (STALE, STALE)
    porch.look(0.3, (ANN, 100), (BEN, 60))
    ann, _ = porch.look(0.4, (ANN, 100), (BEN, 60))
    assert porch.reading(ann) == STALE


def test_who_came_after_the_person_before_had_gone_does_not_have_their_reading() -> None:
    porch = Porch()
    porch.look(0.0, (ANN, 100))
    porch.measure(0.1)
    porch.look(0.2)
    (ben,) = porch.look(6.1, (BEN, 100))
    assert porch.reading(ben) == STALE


def test_a_reading_that_comes_between_a_picture_and_its_judgment_is_of_who_stood_nearest() -> None:
    clock = FakeClock()
    gate = Gate({"front": ASKS}, {}, calendar(ZoneInfo("UTC"), None, None), clock, ())
    porch = Porch()
    ann, ben = porch.look(clock.monotonic(), (ANN, 100), (BEN, 60))
    clock.passed += 0.1
    gate.evidence.take_temperature(ENTRY, 36.6, clock.monotonic())

    def reason(track: Track) -> Reason:
        asking = Asking(
            ENTRY,
            Basis.FACE,
            since=porch.watch.stands_since(track),
            behind=porch.watch.behind(track),
        )
        verdicts = gate.judge(asking).verdicts
        return next(v.reason for v in verdicts if v.control is Control.TEMPERATURE)

    assert reason(ben) is Reason.STALE_READING
    assert reason(ann) is Reason.OK
