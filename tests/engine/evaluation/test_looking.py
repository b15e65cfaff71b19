"""What is found in real pictures and clips."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from facegate.errors import InvalidError
from facegate.evaluation.conditions import Condition
from facegate.evaluation.instruments import Instruments, Missing
from facegate.evaluation.labels import Sample
from facegate.evaluation.looking import Presentation, look, picture_of
from tests.engine.clips import png, write_clip
from tests.engine.face.real import (
    astronaut,
    canvas,
    carphone,
    detector,
    embedder,
    enlarged,
    hopper,
    vector_of,
)

INSTRUMENTS = Instruments(detector(), embedder(), Missing("-"), Missing("-"))
SMALL_HOPPER = enlarged(hopper(), 0.5)


def looked(
    tmp_path: Path, content: bytes, label: str, *conditions: Condition
) -> tuple[Presentation, ...]:
    path = tmp_path / "1.png"
    path.write_bytes(content)
    return tuple(look(Sample("set", path, 2, label), INSTRUMENTS, conditions))


def clip_of(path: Path, label: str) -> Presentation:
    (shown,) = look(Sample("set", path, 2, label), INSTRUMENTS, (Condition.DARK,))
    return shown


def test_a_picture_gives_one_probe_as_it_is_and_under_each_condition(tmp_path: Path) -> None:
    found = looked(tmp_path, png(astronaut()), "ann", Condition.HEIGHT_64, Condition.DARK)
    assert [each.condition for each in found] == ["as given", "64 px", "dark"]
    assert [[len(track) for track in each.tracks] for each in found] == [[1], [1], [1]]
    assert found[1].height == pytest.approx(64, rel=0.15)
    own = vector_of(astronaut())
    scores = [float(each.tracks[0][0].embedding @ own) for each in found]
    assert scores[0] == pytest.approx(1)
    assert 0.5 < scores[1] < 1


def test_a_condition_that_asks_for_a_larger_face_is_left_out(tmp_path: Path) -> None:
    small = enlarged(astronaut(), 0.5)
    found = looked(tmp_path, png(small), "ann", Condition.HEIGHT_128, Condition.HEIGHT_48)
    assert [each.condition for each in found] == ["as given", "48 px"]


def test_a_picture_without_a_face_has_no_tracks_and_no_conditions(tmp_path: Path) -> None:
    (found,) = looked(tmp_path, png(canvas(320, 240)), "ann", Condition.DARK)
    assert (found.tracks, found.height) == ((), 0)


def test_of_several_large_faces_the_most_central_one_is_meant(tmp_path: Path) -> None:
    both = canvas(1400, 700, (astronaut(), 0, 100), (SMALL_HOPPER, 600, 200))
    (found,) = looked(tmp_path, png(both), "hopper")
    assert float(found.tracks[0][0].embedding @ vector_of(SMALL_HOPPER)) > 0.8


def test_a_picture_of_several_gives_a_track_a_face(tmp_path: Path) -> None:
    both = canvas(1200, 700, (astronaut(), 0, 100), (SMALL_HOPPER, 800, 200))
    (found,) = looked(tmp_path, png(both), "MULTI:ann+hopper", Condition.DARK)
    assert [len(track) for track in found.tracks] == [1, 1]


def test_a_clip_is_one_track_of_many_probes(tmp_path: Path) -> None:
    shown = clip_of(write_clip(tmp_path / "1.mp4", carphone()[::2]), "resident")
    (track,) = shown.tracks
    # Its frames of four seconds at 15 a second, of which at most 8 a second are looked at.
    assert 12 <= len(track) <= 16
    assert len({probe.frame_sequence for probe in track}) == len(track)
    assert all(0 <= probe.quality <= 1 for probe in track)


def test_a_face_that_is_exchanged_begins_another_track(tmp_path: Path) -> None:
    face = enlarged(astronaut()[0:432, 60:492], 1)
    first = [canvas(528, 432, (face, 40, 0))] * 15
    other = [carphone()[0]] * 15
    path = write_clip(tmp_path / "1.mp4", [*first, *other])
    assert len(clip_of(path, "UNKNOWN:two").tracks) == 2
    assert len(clip_of(path, "resident").tracks) == 1


def test_a_clip_without_a_face_has_no_tracks(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "1.mp4", [canvas(320, 240)] * 15)
    assert clip_of(path, "NONE").tracks == ()


def test_a_picture_that_is_damaged_is_told_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "1.png"
    path.write_bytes(png(astronaut())[:2000])
    with pytest.raises(InvalidError, match=r"1\.png: row 7 of its listing cannot be read"):
        picture_of(Sample("set", path, 7, "ann"))


def test_a_clip_that_is_damaged_is_told_with_its_row(tmp_path: Path) -> None:
    path = tmp_path / "1.mp4"
    path.write_bytes(np.arange(4000, dtype=np.uint8).tobytes())
    with pytest.raises(InvalidError, match=r"1\.mp4: row 2 of its listing cannot be read"):
        clip_of(path, "ann")
