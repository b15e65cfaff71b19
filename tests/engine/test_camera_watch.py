"""When a camera's faces are looked for, and when each is worth another look."""

from __future__ import annotations

import numpy as np

from facegate.domain import Frame, Identification
from facegate.face.track import Track, Tracker
from facegate.watch import LONGEST_S, Hope, Watch, hope
from tests.engine.face.real import canvas, face_at, frame_of, probe_of

SIZE = (640, 360)
SAME = np.eye(1, 128, dtype=np.float32)[0]


def frame(seconds: float, shade: int = 0) -> Frame:
    """Return a picture of a hall; another shade is motion everywhere."""
    return frame_of(canvas(*SIZE) + np.uint8(shade), round(seconds * 15), seconds)


def watching(min_face_px: int = 48) -> Watch:
    return Watch(Tracker("porch"), min_face_px)


def seen(watch: Watch, seconds: float, x: float = 320, size: float = 100.0) -> tuple[Track, ...]:
    return watch.tracker.update(frame(seconds), [face_at(x, 180, size)]).live


def test_a_face_is_read_once_it_is_large_enough_and_its_time_begins_then() -> None:
    watch = watching(min_face_px=80)
    assert watch.worth_a_look(far := seen(watch, 0.0, size=60), frame(0.0)) == []
    assert watch.needs_detail(far)  # it is coming
    near = seen(watch, 0.1, size=82)
    assert watch.worth_a_look(near, frame(0.1)) == list(near)
    assert watch.attempt(near[0]).arrived == 0.1


def test_a_face_that_comes_in_by_the_edge_is_read_when_it_is_whole() -> None:
    watch = watching()
    assert watch.worth_a_look(seen(watch, 0.0, x=640), frame(0.0)) == []
    whole = seen(watch, 0.1, x=590)
    assert watch.worth_a_look(whole, frame(0.1)) == list(whole)


def test_a_face_that_stays_at_the_edge_is_read_all_the_same() -> None:
    watch = watching()
    for step in range(12):
        tracks = seen(watch, step / 10, x=640)
        due = watch.worth_a_look(tracks, frame(step / 10))
        assert bool(due) == (step >= 10), step


def test_a_face_is_read_the_less_often_the_less_may_come_of_it() -> None:
    def reads(hope: Hope) -> int:
        watch, count = watching(), 0
        for step in range(30):
            tracks = seen(watch, step / 15)
            for track in watch.worth_a_look(tracks, frame(step / 15)):
                attempt = watch.attempt(track)
                attempt.probed, attempt.hope = step / 15, hope
                track.add_probe(probe_of(track.detection, SAME, step / 15))
                count += 1
        return count

    assert reads(Hope.NAMED) == 30
    assert 8 <= reads(Hope.OPEN) <= 12
    assert 5 <= reads(Hope.LITTLE) <= 6
    assert 5 <= reads(Hope.NONE) <= 6


def test_who_was_let_in_and_stays_is_read_seldom_and_who_is_denied_is_told_in_time() -> None:
    def reads(hope: Hope) -> list[int]:
        watch, found = watching(), []
        for step in range(60):
            tracks = seen(watch, step / 15)
            for track in watch.worth_a_look(tracks, frame(step / 15)):
                attempt = watch.attempt(track)
                attempt.probed, attempt.hope = step / 15, hope
                track.add_probe(probe_of(track.detection, SAME, step / 15))
                found.append(step)
        return found

    assert len(reads(Hope.NONE)) <= 12
    # Patience ends after 2.5 s: then a stranger is told in the very next picture.
    assert 38 in reads(Hope.LITTLE)


def test_little_may_come_of_a_face_that_is_like_nobodys_or_was_let_in_a_moment_ago() -> None:
    def found(score: float, probes: int, subject_id: str | None = None) -> Identification:
        return Identification(subject_id, "ann", score, -1, probes, 0.5, 0.08, 3)

    assert hope(found(0.7, 3, "ann"), let_in=False) is Hope.NAMED
    assert hope(found(0.7, 3, "ann"), let_in=True) is Hope.NONE
    assert hope(found(0.45, 5), let_in=False) is Hope.OPEN
    assert hope(found(0.2, 2), let_in=False) is Hope.LITTLE
    # One probe may be smeared: it tells less.
    assert hope(found(0.2, 1), let_in=False) is Hope.OPEN
    assert hope(found(0.1, 1), let_in=False) is Hope.LITTLE


def test_what_is_measured_at_a_door_is_of_whoever_stands_nearest() -> None:
    watch = watching()

    def look(seconds: float, *faces: tuple[float, float]) -> tuple[Track, ...]:
        found = [face_at(x, 180, size) for x, size in faces]
        tracks = watch.tracker.update(frame(seconds), found).live
        watch.see(tracks, frame(seconds))
        return tuple(sorted(tracks, key=lambda track: track.detection.box.x))

    (ann,) = look(0.0, (200, 100))
    ann, ben = look(0.1, (200, 100), (400, 60))
    assert (watch.stands_since(ann), watch.stands_since(ben)) == (0.0, 0.1)
    # A little nearer is not nearer: two who stand side by side do not change places all the time.
    ann, ben = look(0.2, (200, 100), (400, 108))
    assert (watch.stands_since(ann), watch.stands_since(ben)) == (0.0, 0.2)
    # Ann goes in; Ben, who was there all along, steps up.
    (ben,) = look(0.3, (400, 108))
    (ben,) = look(0.4, (400, 110))
    assert watch.stands_since(ben) == 0.3


def test_nobody_is_read_for_ever() -> None:
    watch = watching()
    (track,) = seen(watch, 0.0)
    watch.attempt(track)
    for step in range(1, round(LONGEST_S) * 2 + 2):
        (track,) = seen(watch, step / 2)
    assert watch.worth_a_look((track,), frame(LONGEST_S + 1)) == []
    assert not watch.needs_detail((track,))


def test_a_settled_face_is_followed_and_needs_no_large_picture() -> None:
    watch = watching()
    (track,) = seen(watch, 0.0)
    watch.attempt(track).settled = True
    assert not watch.needs_detail((track,))
    watch.settle((track,))
    assert watch.calm
    assert watch.looks(frame(0.1))
    assert not watch.looks(frame(0.2))
    assert watch.looks(frame(0.26))


def test_somebody_new_is_looked_for_as_often_as_there_are_pictures_up_to_a_limit() -> None:
    watch = watching()
    watch.settle(seen(watch, 0.0))
    assert not watch.calm
    looked = [watch.looks(frame(step / 30, shade=step)) for step in range(30)]
    assert 14 <= sum(looked) <= 16
