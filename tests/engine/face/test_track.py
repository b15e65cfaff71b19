"""A track follows one face, and never two people."""

from __future__ import annotations

import numpy as np
import pytest

from facegate.domain import Image, Vector
from facegate.face.align import align
from facegate.face.track import MAX_PROBES, MAX_SIGHTINGS, Track, Tracker

from .real import (
    astronaut,
    canvas,
    carphone,
    detector,
    embedder,
    enlarged,
    face_at,
    frame_of,
    hopper,
    probe_of,
)

BLANK = canvas(1280, 720)


def unit(*values: float) -> Vector:
    vector = np.zeros(128, np.float32)
    vector[: len(values)] = values
    return vector / np.float32(np.linalg.norm(vector))


def walk(
    tracker: Tracker, places: list[tuple[float, float] | None], fps: float, size: float = 100
) -> list[str | None]:
    """Show one face at each place in turn; the ids of the tracks that it was given."""
    ids: list[str | None] = []
    for index, place in enumerate(places):
        faces = () if place is None else (face_at(*place, size=size),)
        update = tracker.update(frame_of(BLANK, index, index / fps), faces)
        ids.append(update.live[0].id if update.live else None)
    return ids


def shown(tracker: Tracker, image: Image, sequence: int, seconds: float) -> Track:
    """Detect, track and probe the one face of a real picture, as the pipeline does."""
    frame = frame_of(image, sequence, seconds)
    (track,) = tracker.update(frame, detector().detect(image)).live
    embedding = embedder().embed(align(image, track.detection.landmarks))
    probe = probe_of(track.detection, embedding, seconds)
    if not track.add_probe(probe):
        track = tracker.split(track)
        assert track.add_probe(probe)
    return track


@pytest.mark.parametrize("fps", [5, 15, 30])
def test_someone_who_walks_past_stays_one_track(fps: int) -> None:
    # A metre and a half a second at a face height of 0.24 m is six face heights a second.
    places = [(100 + 600 * index / fps, 300.0) for index in range(int(1.8 * fps))]
    assert set(walk(Tracker("cam"), list(places), fps)) == {"cam-1"}


def test_a_real_moving_face_stays_one_track_and_keeps_its_probes() -> None:
    tracker = Tracker("cam")
    tracks = {
        shown(tracker, image, index, index / 15).id
        for index, image in enumerate(carphone()[::2])
        if index % 3 == 0
    }
    assert tracks == {"cam-1"}


def test_a_face_hidden_for_a_moment_keeps_its_track() -> None:
    tracker = Tracker("cam")
    assert walk(tracker, [(300, 300), None, None, None, (310, 300)], fps=6)[-1] == "cam-1"


def test_a_face_away_for_longer_than_the_gap_is_a_new_track() -> None:
    tracker = Tracker("cam")
    places: list[tuple[float, float] | None] = [(300, 300), *[None] * 5, (300, 300)]
    assert walk(tracker, places, fps=6)[-1] == "cam-2"


def test_lost_tracks_are_told_once() -> None:
    tracker = Tracker("cam")
    tracker.update(frame_of(BLANK, 0, 0), (face_at(300, 300),))
    assert tracker.update(frame_of(BLANK, 1, 0.5), ()).lost == ()
    (lost,) = tracker.update(frame_of(BLANK, 2, 0.8), ()).lost
    assert lost.id == "cam-1"
    assert tracker.update(frame_of(BLANK, 3, 0.9), ()).lost == ()


def test_tracks_end_without_frames_when_a_camera_stops() -> None:
    tracker = Tracker("cam")
    tracker.update(frame_of(BLANK, 0, 10), (face_at(300, 300),))
    assert tracker.expire(10.5) == ()
    assert [track.id for track in tracker.expire(11)] == ["cam-1"]


def test_several_faces_are_followed_at_once_in_whatever_order_they_are_given() -> None:
    tracker = Tracker("cam")
    first = tracker.update(frame_of(BLANK, 0, 0), (face_at(200, 300), face_at(600, 300)))
    for index in range(1, 20):
        faces = [face_at(200 + 10 * index, 300), face_at(600 + 8 * index, 310)]
        update = tracker.update(frame_of(BLANK, index, index / 15), faces[:: (-1) ** index])
        places = {track.id: track.detection.box.x for track in update.live}
        assert places["cam-1"] < places["cam-2"]
    assert {track.id for track in first.live} == {"cam-1", "cam-2"}


def test_people_who_pass_each_other_keep_their_own_tracks() -> None:
    tracker = Tracker("cam")
    for index in range(30):
        left, right = 200 + 20 * index, 800 - 20 * index
        faces = (face_at(left, 280), face_at(right, 330))
        update = tracker.update(frame_of(BLANK, index, index / 15), faces)
    ends = {track.id: track.detection.box.x > 500 for track in update.live}
    assert ends == {"cam-1": True, "cam-2": False}


def test_a_face_elsewhere_or_of_another_size_is_another_track() -> None:
    assert walk(Tracker("cam"), [(200, 300), (900, 300)], fps=15) == ["cam-1", "cam-2"]
    tracker = Tracker("cam")
    tracker.update(frame_of(BLANK, 0, 0), (face_at(300, 300, size=60),))
    (track,) = tracker.update(frame_of(BLANK, 1, 0.07), (face_at(300, 300, size=200),)).live
    assert track.id == "cam-2"


def test_a_track_tells_when_it_was_first_seen_and_for_how_long() -> None:
    tracker = Tracker("cam")
    walk(tracker, [(300, 300)] * 16, fps=15)
    (track,) = tracker.update(frame_of(BLANK, 16, 16 / 15), (face_at(300, 300),)).live
    assert track.first_seen_at == frame_of(BLANK, 0, 0).at
    assert track.first_arrived == 0
    assert track.last_arrived == pytest.approx(16 / 15)
    assert track.seen_s == pytest.approx(16 / 15)


def test_memory_is_bounded() -> None:
    tracker = Tracker("cam")
    walk(tracker, [(300, 300)] * 400, fps=30)
    (track,) = tracker.update(frame_of(BLANK, 400, 400 / 30), (face_at(300, 300),)).live
    for index in range(100):
        assert track.add_probe(probe_of(track.detection, unit(1), index / 30))
    assert len(track.sightings) == MAX_SIGHTINGS
    assert len(track.probes) == MAX_PROBES
    assert track.probes[-1].arrived == pytest.approx(99 / 30)


# --- one person only --------------------------------------------------------------------------


def test_a_photograph_of_another_swapped_in_at_the_same_place_starts_a_new_track() -> None:
    tracker = Tracker("cam")
    for index, image in enumerate(carphone()[:20:2]):
        live = shown(tracker, canvas(1280, 720, (image, 300, 100)), index, index / 15)
    assert live.id == "cam-1"
    # The photograph's face, as large and where the living face was.
    old = live.detection.box
    scale = old.height / detector().detect(hopper())[0].box.height
    photo = enlarged(hopper(), scale)
    box = detector().detect(photo)[0].box
    at = (round(old.x - box.x), round(old.y - box.y))
    photo = photo[max(0, -at[1]) :, max(0, -at[0]) :]
    image = canvas(1280, 720, (photo[: 720 - max(0, at[1])], max(0, at[0]), max(0, at[1])))
    swapped = shown(tracker, image, 10, 10 / 15)
    assert swapped.id == "cam-2"
    assert len(swapped.probes) == 1
    assert len(swapped.sightings) == 1
    assert swapped.first_arrived == pytest.approx(10 / 15)


def test_a_track_that_was_split_does_not_come_back() -> None:
    tracker = Tracker("cam")
    (track,) = tracker.update(frame_of(BLANK, 0, 0), (face_at(300, 300),)).live
    fresh = tracker.split(track)
    update = tracker.update(frame_of(BLANK, 1, 0.1), (face_at(300, 300),))
    assert update.live == (fresh,)
    with pytest.raises(ValueError, match="cam-1"):
        tracker.split(track)


def test_a_probe_that_does_not_continue_the_track_is_not_kept() -> None:
    (track,) = Tracker("cam").update(frame_of(BLANK, 0, 0), (face_at(300, 300),)).live
    assert track.add_probe(probe_of(track.detection, unit(1), 0))
    assert not track.add_probe(probe_of(track.detection, unit(0.2, 1), 0.1))
    assert len(track.probes) == 1
    assert track.add_probe(probe_of(track.detection, unit(1, 0.5), 0.2))


def test_only_frames_between_probes_are_vouched_for() -> None:
    tracker = Tracker("cam")
    for index in range(30):
        update = tracker.update(frame_of(BLANK, index, index / 10), (face_at(300, 300),))
        (track,) = update.live
        if index in (3, 6, 10, 20, 24):
            assert track.add_probe(probe_of(track.detection, unit(1), index / 10))
        if index == 2:
            assert track.vouched == ()
        if index == 12:
            assert [round(s.arrived * 10) for s in track.vouched] == list(range(3, 11))
    # Nobody looked whose face it was between 1.0 s and 2.0 s: what was before counts no more.
    assert [round(s.arrived * 10) for s in track.vouched] == list(range(20, 25))


# --- the visitor's picture --------------------------------------------------------------------


def test_the_picture_is_the_best_view_with_its_surroundings() -> None:
    tracker = Tracker("cam")
    views = [enlarged(astronaut(), 0.6), astronaut(), enlarged(astronaut(), 0.65)]
    for index, view in enumerate(views):
        image = canvas(1280, 720, (view, 400 - view.shape[1] // 2, 300 - view.shape[0] // 2))
        faces = detector().detect(image)
        (track,) = tracker.update(frame_of(image, index, index / 5), faces[:1]).live
        assert track.id == "cam-1"
    assert track.picture.shape[0] > 150
    (face,) = detector().detect(track.picture)
    assert face.box.height > 100
    assert face.box.height < 0.7 * track.picture.shape[0]


def test_a_face_at_the_edge_has_a_picture_too() -> None:
    for x, y in ((0, 0), (1279, 719), (-60, 300)):
        (track,) = Tracker("cam").update(frame_of(BLANK, 0, 0), (face_at(x, y),)).live
        assert track.picture.ndim == 3


def test_the_picture_is_a_copy_of_bounded_size() -> None:
    image = canvas(1280, 720)
    (track,) = Tracker("cam").update(frame_of(image, 0, 0), (face_at(640, 360, 600),)).live
    assert max(track.picture.shape) <= 480
    assert not np.shares_memory(track.picture, image)
