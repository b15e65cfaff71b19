"""Every part of ``facegate bench`` really run, for seconds: its figures are there."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path
import sys
from typing import Any

import cv2
import pytest

from demo.rtsp import RtspServer, Stream, copy_byte_stream, rtsp_unavailable_reason
from facegate.bench.cameras import Limits, bare_decode, measure_cameras
from facegate.bench.cast import cast_of
from facegate.bench.clip import measure_clip
from facegate.bench.command import add_commands
from facegate.bench.film import RATE, pictures_of, still, write_film
from facegate.bench.gallery import measure_gallery
from facegate.bench.pairs import measure_pairs
from facegate.bench.people import Resident
from facegate.bench.quick import measure_quick
from facegate.bench.report import Figure, Section
from facegate.bench.rivals import Kind, Peer
from facegate.bench.scene import read_scene
from facegate.bench.soak import measure_soak
from facegate.errors import FaceGateError, ImageError
from tests.engine.clips import empty_hall, resident, resident_photos, write_clip
from tests.engine.face.real import astronaut, canvas, detector, embedder, enlarged, hopper
from tests.support import prepared_models

# The peers that the development environment has itself.
PEERS = (Peer(Kind.OPENCV, Path(sys.executable)), Peer(Kind.VERIFYFACE, Path(sys.executable)))
SIZE = (528, 432)


@pytest.fixture(scope="module")
def visits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clip of somebody who comes and goes."""
    path = tmp_path_factory.mktemp("visits") / "visits.mp4"
    return write_clip(path, [*empty_hall(), *resident(), *empty_hall()])


@pytest.fixture(scope="module")
def ann(tmp_path_factory: pytest.TempPathFactory) -> Resident:
    """Who comes and goes in the clip."""
    folder = tmp_path_factory.mktemp("photos")
    photos = []
    for number, photo in enumerate(resident_photos()):
        photos.append(folder / f"{number}.png")
        photos[-1].write_bytes(photo)
    return Resident("Ann", tuple(photos))


def figures(section: Section) -> dict[str, Figure]:
    return {figure.name: figure for figure in section.figures}


async def test_the_gallery_is_searched_in_every_size() -> None:
    found = figures(await measure_gallery((100, 20_000), 5))
    small, large = (found[f"{size} templates, search p50"].value for size in (100, 20_000))
    assert 0 < small < large
    # 20,000 vectors of 128 floats are 10.2 MB.
    assert 10 <= found["20000 templates, memory"].value < 100


async def test_peers_are_measured_beside_the_engine(visits: Path) -> None:
    scene = await asyncio.to_thread(read_scene, visits, detector())
    assert scene.faces == 1
    assert scene.small.shape == (360, 640, 3)
    section = await measure_pairs(PEERS, scene, prepared_models(), pairs=2)
    (table,) = section.tables
    names = [str(row[0]) for row in table.rows]
    assert [name.partition(" ")[0] for name in names] == ["opencv", "verifyface"]
    for row in table.rows:
        assert all(isinstance(cell, float) and cell > 0 for cell in row[1:])
    cosines = [f for f in section.figures if f.name.startswith("self-cosine")]
    assert len(cosines) == 2
    # The same weights and the same face, whoever computes.
    assert all(f.met for f in cosines)


async def test_noise_stands_for_a_scene_where_no_clip_is_given(tmp_path: Path) -> None:
    scene = read_scene(None, detector())
    assert (scene.faces, scene.crop.shape) == (0, (112, 112, 3))
    empty = write_film(tmp_path / "empty.mp4", still(SIZE, RATE, 1), SIZE, RATE)
    with pytest.raises(ImageError, match="no face"):
        read_scene(empty, detector())
    with pytest.raises(ImageError, match="not a video"):
        read_scene(tmp_path / "nothing.mp4", detector())


async def test_a_clip_is_watched_by_the_engine_and_by_peers(visits: Path) -> None:
    cast = await asyncio.to_thread(cast_of, visits, detector(), embedder())
    assert len(cast) == 1
    section = await measure_clip(visits, cast, PEERS[:1], None, rounds=1)
    (table,) = section.tables
    (own, peer) = table.rows
    assert str(own[0]).startswith("FaceGate")
    assert str(peer[0]).startswith("opencv")
    assert all(isinstance(row[2], float) and row[2] > 0 for row in table.rows)
    assert (own[5], peer[4], peer[5]) == (1, 1, 1)
    assert figures(section)["people named"].target is not None


def test_a_cast_is_each_person_of_a_clip_once(tmp_path: Path) -> None:
    ann, bob = enlarged(astronaut()[:360, 60:420], 0.7), enlarged(hopper()[:400], 0.6)
    scenes = [canvas(640, 360, (ann, 20 + n, 40), (bob, 290 + n, 60)) for n in range(40)]
    clip = write_film(tmp_path / "two.mp4", scenes, (640, 360), RATE)
    cast = cast_of(clip, detector(), embedder())
    assert len(cast) == 2
    assert all(len(detector().detect(picture)) == 1 for picture in cast)


async def test_cameras_are_watched_and_a_door_is_timed(
    visits: Path, ann: Resident, tmp_path: Path
) -> None:
    options = tmp_path / "options.json"
    # Without the liveness models no door would open to a face.
    options.write_text(
        json.dumps(
            {
                "cameras": [{"id": "cam", "clip": str(visits)}],
                "doors": [
                    {
                        "id": "front",
                        "entry_camera": "cam",
                        "pulse_seconds": 1,
                        "controls": {"liveness": "off"},
                    }
                ],
            }
        )
    )
    limits = Limits(cores=10, rss_mb=10_000, unlock_ms=60_000)
    section = await measure_cameras(options, (ann,), 6, limits, "A door", baseline=False)
    found = figures(section)
    assert section.title == "A door"
    assert 0 < found["engine"].value < 10
    assert 50 < found["RSS at the end"].value <= found["peak RSS"].value
    assert found["threads"].value > 1
    assert found["decisions that granted"].value >= 1
    assert found["arrival to unlock, p95"].value > 0
    assert found["arrival to the lock's command, p95"].value > 0
    assert all(figure.met for figure in section.figures if figure.target)
    assert "detect" in [row[0] for row in section.tables[0].rows]


@pytest.mark.skipif(rtsp_unavailable_reason() is not None, reason=str(rtsp_unavailable_reason()))
async def test_bare_decoding_is_measured_as_long_as_the_streams_last(
    visits: Path, tmp_path: Path
) -> None:
    stream = tmp_path / "stream.h264"
    copy_byte_stream(visits, stream)
    async with RtspServer({"/cam": Stream(stream)}) as server:
        assert 0 < await bare_decode([server.url("/cam")] * 2, 2) < 2
    with pytest.raises(FaceGateError, match="end by themselves"):
        await bare_decode([str(visits)], 1)


async def test_an_engine_that_does_not_start_is_told_with_its_words(tmp_path: Path) -> None:
    options = tmp_path / "options.json"
    options.write_text('{"doors": [{"id": "front", "puls": 3}]}')
    with pytest.raises(FaceGateError, match=r"doors\[0\].puls: unknown option"):
        await measure_cameras(options, (), 1, Limits(), "none", baseline=False)
    with pytest.raises(FaceGateError, match="cannot be read"):
        await measure_cameras(tmp_path / "no.json", (), 1, Limits(), "none", baseline=False)


async def test_a_soak_tells_what_grows(visits: Path, ann: Resident) -> None:
    lines: list[str] = []
    section = await measure_soak([visits], (ann,), 0.1, None, lines.append)
    found = figures(section)
    assert found["RSS at the end"].value > 50
    assert found["RSS of five minutes, furthest from the mean"].target is not None
    assert {"threads, first half", "threads, second half"} <= set(found)
    assert {"open files, second half", "waiting in queues, second half"} <= set(found)
    assert len(section.tables[0].rows) >= 5
    assert lines
    assert "RSS" in lines[-1]


async def test_the_short_benchmark_measures_each_size_and_number(visits: Path) -> None:
    (idle,) = await measure_quick(None, 1, sizes=((320, 180),), counts=(1, 2))
    assert [row[:2] for row in idle.tables[0].rows] == [("320x180", 1), ("320x180", 2)]
    assert any("no clip" in note for note in idle.notes)
    _, people = await measure_quick(visits, 1, sizes=(SIZE,), counts=(1,))
    ((_, _, per_stream, frames, rss),) = people.tables[0].rows
    assert isinstance(per_stream, float)
    assert per_stream > 0
    assert frames == pytest.approx(RATE / per_stream)
    assert isinstance(rss, float)
    assert rss > 50


def test_films_keep_their_pictures_time(visits: Path, tmp_path: Path) -> None:
    shown = list(pictures_of(visits, RATE, 2))
    assert len(shown) == 2 * RATE
    # The first second is the empty hall.
    assert [bool(detector().detect(shown[n])) for n in (0, RATE - 1, RATE + 2)] == [
        False,
        False,
        True,
    ]
    film = write_film(tmp_path / "again.mp4", shown, SIZE, RATE)
    clip = cv2.VideoCapture(str(film))
    assert clip.get(cv2.CAP_PROP_FPS) == pytest.approx(RATE)
    assert clip.get(cv2.CAP_PROP_FRAME_COUNT) == 2 * RATE


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser("facegate")
    add_commands(parser.add_subparsers())
    return parser.parse_args(["bench", *arguments])


async def test_a_part_prints_a_table_and_writes_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "report.json"
    chosen = parsed("gallery", "--templates", "200", "--searches", "3", "--json", str(file))
    assert await chosen.run(chosen) == 0
    assert "| 200 templates, search p50 |" in capsys.readouterr().out
    told: dict[str, Any] = json.loads(file.read_text())
    assert told["sections"][0]["title"] == "Gallery search"
    assert told["date"]


def test_a_peer_is_a_kind_and_an_interpreter(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = parsed("peers", "--peer", "opencv=venv/bin/python", "--peer", "verifyface=py")
    assert chosen.peer == [
        Peer(Kind.OPENCV, Path("venv/bin/python")),
        Peer(Kind.VERIFYFACE, Path("py")),
    ]
    for wrong in ("opencv", "faces=python", "opencv="):
        with pytest.raises(SystemExit):
            parsed("peers", "--peer", wrong)
        assert "expected KIND=PYTHON" in capsys.readouterr().err
