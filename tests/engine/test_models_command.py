"""`facegate models`: what is there, whether it runs, and an exit that tells both."""

from __future__ import annotations

from pathlib import Path
import shutil

import pytest

from facegate.__main__ import main
from facegate.face.weights import MODELS, YUNET, locate

HEADINGS = ["model", "role", "licence", "bytes", "sha256", "prepared", "state", "file"]


@pytest.fixture
def folder(shared: Path, tmp_path: Path) -> Path:
    """A folder with every model's file."""
    folder = tmp_path / "models"
    folder.mkdir()
    for model in MODELS:
        shutil.copy(locate(model, (shared / "models",)), folder)
    return folder


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str]:
    status = main(["models", *map(str, arguments)])
    captured = capsys.readouterr()
    return status, captured.out or captured.err


def states(text: str) -> dict[str, str]:
    """Return the state of every model in a table."""
    heading, *lines = text.splitlines()
    assert heading.split() == HEADINGS
    cells = [line.split() for line in lines[: len(MODELS)]]
    return {row[0]: row[6] for row in cells}


@pytest.mark.parametrize("action", ["list", "verify"])
def test_whole_models_are_listed_with_their_files_and_all_is_well(
    capsys: pytest.CaptureFixture[str], folder: Path, action: str
) -> None:
    status, text = run(capsys, action, "--folder", folder)
    assert status == 0
    assert states(text) == {model.name: "whole" for model in MODELS}
    for model in MODELS:
        assert f"{folder}/" in next(line for line in text.splitlines() if model.name in line)
        assert model.licence in text
        assert any(file.sha256[:12] in text for file in model.files)


@pytest.mark.parametrize("action", ["list", "verify", "prepare"])
def test_an_altered_model_is_told_by_the_exit_and_by_what_to_do(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path, action: str
) -> None:
    file = folder / YUNET.files[0].name
    file.write_bytes(file.read_bytes()[:-1])
    status, text = run(capsys, action, "--folder", folder, "--data", tmp_path)
    assert status == 1
    assert states(text)[YUNET.name] == "altered"
    assert f"{file} is not the published file" in text


def test_what_no_place_has_is_missing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    status, text = run(capsys, "list", "--folder", tmp_path)
    assert status == 1
    found = {state for name, state in states(text).items() if name.startswith("minifasnet")}
    assert found == {"missing"}
    assert states(text)[YUNET.name] == "whole"


def test_prepared_graphs_are_kept_where_the_engine_looks_for_them(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    status, _ = run(capsys, "prepare", "--folder", folder, "--data", data)
    assert status == 0
    kept = {path.name.rpartition("-")[0] for path in (data / "models").iterdir()}
    assert kept == {model.name for model in MODELS}


@pytest.mark.parametrize(("action", "option"), [("prepare", "--data"), ("fetch", "--folder")])
def test_a_folder_to_write_to_is_asked_for(
    capsys: pytest.CaptureFixture[str], action: str, option: str
) -> None:
    status, text = run(capsys, action)
    assert status == 1
    assert option in text


def test_nothing_is_fetched_where_all_is_there(
    capsys: pytest.CaptureFixture[str], folder: Path, tmp_path: Path
) -> None:
    status, text = run(capsys, "fetch", "--folder", folder, "--data", tmp_path / "data")
    assert (status, set(states(text).values())) == (0, {"whole"})
    assert not (tmp_path / "data").exists()
