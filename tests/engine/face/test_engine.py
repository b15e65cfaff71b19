"""Sessions are single-threaded, and broken models are told."""

from __future__ import annotations

from pathlib import Path
import subprocess
import sys

import pytest

from facegate.errors import ModelError
from facegate.face.engine import open_session
from facegate.face.weights import YUNET

from .real import prepared


def test_a_session_opens_from_bytes_and_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(prepared(YUNET))
    assert open_session(path).get_inputs()[0].name == "input"
    assert open_session(prepared(YUNET)).get_inputs()[0].name == "input"


def test_a_session_brings_no_threads_of_its_own() -> None:
    session = open_session(prepared(YUNET))
    options = session.get_session_options()
    assert options.intra_op_num_threads == 1
    assert options.inter_op_num_threads == 1
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"
    assert session.get_providers() == ["CPUExecutionProvider"]


@pytest.mark.parametrize("kind", ["text", "empty", "cut", "missing"])
def test_a_file_that_is_no_model_is_told_with_its_name(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "model.onnx"
    contents = {"text": b"not a model", "empty": b"", "cut": prepared(YUNET)[:-5000]}
    if kind in contents:
        path.write_bytes(contents[kind])
    with pytest.raises(ModelError, match=r"model\.onnx"):
        open_session(path)


def test_bytes_that_are_no_model_are_told() -> None:
    with pytest.raises(ModelError, match="cannot open the prepared graph"):
        open_session(b"\x00" * 100)


def test_nothing_is_reported_to_the_makers_of_the_runtime(tmp_path: Path) -> None:
    """Telemetry has a thread of its own, which the same program without us shows."""
    program = (
        "import os, sys, time\n"
        "if sys.argv[1] == 'ours': import facegate\n"
        "import onnxruntime\n"
        "onnxruntime.InferenceSession(sys.argv[2])\n"
        "time.sleep(0.5)\n"
        "print(len(os.listdir('/proc/self/task')))\n"
    )
    graph = tmp_path / "graph.onnx"
    graph.write_bytes(prepared(YUNET))

    def threads(whose: str) -> int:
        done = subprocess.run(
            [sys.executable, "-c", program, whose, str(graph)],
            check=True,
            capture_output=True,
            text=True,
            # Nothing else: the runtime keeps quiet where CI and the like are set.
            env={"HOME": str(tmp_path)},
        )
        return int(done.stdout)

    assert threads("ours") < threads("another's")
