"""Prepared graphs compute what the published ones do, and the cache is never trusted blindly."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
import hashlib
import logging
import os
from pathlib import Path
import shutil
import subprocess
import sys

import numpy as np
from numpy.typing import NDArray
import onnx
from onnx import helper, numpy_helper
import pytest

from facegate.errors import ModelError
from facegate.face.align import align
from facegate.face.engine import open_session
from facegate.face.graph import fold
from facegate.face.preparation import prepare
from facegate.face.rewriting import rewrite
from facegate.face.weights import (
    MINIFASNET_V1SE,
    MINIFASNET_V2,
    MODELS,
    SFACE,
    YUNET,
    Model,
    Source,
    find,
    load,
)

from .real import astronaut, carphone, detector, hopper

type Floats = NDArray[np.float32]


def run(graph: bytes, picture: Floats) -> list[Floats]:
    session = open_session(graph)
    outputs: list[Floats] = session.run(None, {session.get_inputs()[0].name: picture})
    return outputs


def published(model: Model) -> bytes:
    """The file with as little changed as lets onnxruntime run it; nothing is computed by us.

    Weights that stand as inputs go, and so do block sizes beside a single scale, where they mean
    nothing and onnxruntime refuses them.
    """
    proto = onnx.load_model_from_string(load(model))
    picture = proto.graph.input[0]
    del proto.graph.input[:]
    proto.graph.input.append(picture)
    shapes = {i.name: tuple(i.dims) for i in proto.graph.initializer}
    for node in proto.graph.node:
        if node.op_type == "DequantizeLinear" and shapes[node.input[1]] in {(), (1,)}:
            for attribute in node.attribute:
                if attribute.name == "block_size":
                    attribute.i = 0
    file: bytes = proto.SerializeToString()
    return file


def crops() -> Floats:
    images = (astronaut(), hopper(), carphone()[0], carphone()[60])
    aligned = [align(i, detector().detect(i)[0].landmarks)[:, :, ::-1] for i in images]
    return np.ascontiguousarray(np.stack(aligned).transpose(0, 3, 1, 2), np.float32)


def test_prepared_embeddings_are_the_published_models_embeddings() -> None:
    original = published(SFACE)
    ours = rewrite(fold(load(SFACE), SFACE)).SerializeToString()
    for crop in crops():
        expected, found = run(original, crop[None])[0][0], run(ours, crop[None])[0][0]
        cosine = expected @ found / np.linalg.norm(expected) / np.linalg.norm(found)
        assert cosine >= 0.9999
        assert np.abs(expected - found).max() < 1e-3


def test_prepared_detections_are_the_published_models_detections() -> None:
    picture = np.zeros((1, 3, 640, 640), np.float32)
    picture[0, :, :512, :512] = astronaut().transpose(2, 0, 1)
    expected = run(published(YUNET), picture)
    found = run(rewrite(fold(load(YUNET), YUNET)).SerializeToString(), picture)
    assert len(found) == 12
    for one, other in zip(expected, found, strict=True):
        assert one.shape == other.shape
        assert np.abs(one - other).max() < 1e-3


def test_the_slow_nodes_are_gone() -> None:
    left = Counter(n.op_type for n in rewrite(fold(load(SFACE), SFACE)).graph.node)
    assert not {"PRelu", "DequantizeLinear", "Reshape"} & left.keys()
    # One batch norm stands between an activation and Flatten, where there is nothing to fold it.
    assert left["BatchNormalization"] == 1


def test_the_detectors_heads_are_as_wide_as_a_register() -> None:
    def narrow(proto: onnx.ModelProto) -> int:
        weights = {i.name: i.dims for i in proto.graph.initializer}
        convs = [node for node in proto.graph.node if node.op_type == "Conv"]
        return sum(weights[node.input[1]][0] < 16 for node in convs)

    assert narrow(fold(load(YUNET), YUNET)) == 24
    assert narrow(rewrite(fold(load(YUNET), YUNET))) == 0


def test_several_faces_in_one_batch_give_what_each_gives_alone() -> None:
    graph = fold(load(SFACE), SFACE).SerializeToString()
    batch = crops()
    together = run(graph, batch)[0]
    for index, crop in enumerate(batch):
        assert np.allclose(together[index], run(graph, crop[None])[0][0], atol=1e-3)


@pytest.mark.parametrize(("height", "width"), [(192, 320), (640, 384), (128, 128)])
def test_the_detector_takes_pictures_of_any_multiple_of_32(height: int, width: int) -> None:
    graph = fold(load(YUNET), YUNET).SerializeToString()
    outputs = run(graph, np.zeros((2, 3, height, width), np.float32))
    assert outputs[0].shape == (2, height * width // 64, 1)


def test_bytes_that_are_no_graph_are_refused() -> None:
    with pytest.raises(ModelError, match="yunet"):
        fold(b"a text file" * 100, YUNET)
    with pytest.raises(ModelError, match="yunet"):
        fold(b"", YUNET)


def twin(shared: Path, model: Model) -> Path:
    """Return a folder's file of a liveness model, as it lies in ../shared."""
    return shared / "models" / model.files[0].name


def as_another_exports_it(source: bytes) -> onnx.ModelProto:
    """The same net with PRelu nodes, one picture at a time, logits, and names of its own."""
    proto = onnx.load_model_from_string(source)
    graph = proto.graph
    constants = {i.name: numpy_helper.to_array(i) for i in graph.initializer}
    made = {node.output[0]: node for node in graph.node}
    gone: set[str] = set()
    nodes = []
    for node in graph.node:
        pair = [made.get(name) for name in node.input]
        if node.op_type == "Add" and all(n is not None and n.op_type == "Mul" for n in pair):
            scaled = next(n for n in pair if n is not None and "Relu" not in kinds(n, made))
            lifted = next(n for n in pair if n is not None and n is not scaled)
            (slope,) = [name for name in scaled.input if name in constants]
            (picture,) = [name for name in scaled.input if name not in constants]
            relu = next(made[name] for name in lifted.input if name in made)
            gone |= {scaled.output[0], lifted.output[0], relu.output[0]}
            nodes.append(helper.make_node("PRelu", [picture, slope], list(node.output)))
        elif node.op_type != "Softmax":
            nodes.append(node)
    last = graph.node[-1].input[0]
    del graph.node[:]
    graph.node.extend(node for node in nodes if node.output[0] not in gone)
    for node in graph.node:
        for names in (node.input, node.output):
            renamed = ["data" if n == "input" else "logits" if n == last else n for n in names]
            del names[:]
            names.extend(renamed)
    graph.input[0].name, graph.output[0].name = "data", "logits"
    for value in (graph.input[0], graph.output[0]):
        value.type.tensor_type.shape.dim[0].dim_value = 1
    return proto


def kinds(node: onnx.NodeProto, made: dict[str, onnx.NodeProto]) -> set[str]:
    return {made[name].op_type for name in node.input if name in made}


def noise(count: int) -> Floats:
    random = np.random.default_rng(4)
    return random.uniform(0, 255, (count, 3, 80, 80)).astype(np.float32)


@pytest.mark.parametrize("model", [MINIFASNET_V2, MINIFASNET_V1SE], ids=lambda model: model.name)
def test_prepared_liveness_is_the_published_liveness(shared: Path, model: Model) -> None:
    source = twin(shared, model).read_bytes()
    ours = rewrite(fold(source, model)).SerializeToString()
    pictures = noise(3)
    expected = np.concatenate([run(source, picture[None])[0] for picture in pictures])
    assert np.abs(run(ours, pictures)[0] - expected).max() < 1e-5


@pytest.mark.parametrize("model", [MINIFASNET_V2, MINIFASNET_V1SE], ids=lambda model: model.name)
def test_liveness_as_another_exports_it_gives_the_same_probabilities(
    shared: Path, model: Model
) -> None:
    source = twin(shared, model).read_bytes()
    theirs = as_another_exports_it(source)
    assert Counter(node.op_type for node in theirs.graph.node)["PRelu"] > 30
    onnx.checker.check_model(theirs)
    prepared = rewrite(fold(theirs.SerializeToString(), model))
    assert "PRelu" not in {node.op_type for node in prepared.graph.node}
    pictures = noise(3)
    found = run(prepared.SerializeToString(), pictures)[0]
    assert np.abs(found - run(source, pictures)[0]).max() < 1e-5
    assert np.allclose(found.sum(axis=1), 1, atol=1e-5)


def test_a_liveness_graph_of_two_outputs_is_refused(shared: Path) -> None:
    proto = onnx.load_model_from_string(twin(shared, MINIFASNET_V2).read_bytes())
    extra = proto.graph.node[0].output[0]
    proto.graph.output.append(helper.make_tensor_value_info(extra, onnx.TensorProto.FLOAT, None))
    with pytest.raises(ModelError, match="expected one output, found 2"):
        fold(proto.SerializeToString(), MINIFASNET_V2)


# --- what is kept -------------------------------------------------------------------------------


def digest(source: Source) -> str:
    """Return the sha256 of what preparation makes of a file."""
    graph = rewrite(fold(source.content, source.model)).SerializeToString()
    return hashlib.sha256(graph).hexdigest()


@pytest.mark.parametrize(
    "model", [model for model in MODELS if model.comes_with_facegate], ids=lambda model: model.name
)
def test_preparation_gives_the_bytes_that_the_registry_names(model: Model) -> None:
    source = find(model)
    assert digest(source) == source.file.prepared


@pytest.mark.parametrize("model", [MINIFASNET_V2, MINIFASNET_V1SE], ids=lambda model: model.name)
def test_preparation_of_a_download_gives_the_bytes_that_the_registry_names(
    shared: Path, model: Model
) -> None:
    source = find(model, (shared / "models",))
    assert digest(source) == source.file.prepared


def test_another_graph_than_the_registry_names_is_not_run(tmp_path: Path) -> None:
    file = replace(YUNET.files[0], prepared="0" * 64)
    with pytest.raises(ModelError, match="another graph than it must"):
        prepare(replace(YUNET, files=(file,)), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_graph_that_the_registry_does_not_name_is_prepared_and_not_kept(tmp_path: Path) -> None:
    file = replace(YUNET.files[0], prepared=None)
    assert prepare(replace(YUNET, files=(file,)), tmp_path) == prepare(YUNET, tmp_path / "kept")
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_kept_graph_is_whole_onnx(tmp_path: Path) -> None:
    graph = prepare(YUNET, tmp_path)
    (kept,) = tmp_path.iterdir()
    assert kept.read_bytes() == graph
    assert open_session(kept).get_inputs()


def test_a_prepared_graph_is_read_back_from_the_cache(tmp_path: Path) -> None:
    first = prepare(YUNET, tmp_path / "models")
    (file,) = (tmp_path / "models").iterdir()
    before = file.stat().st_mtime_ns
    assert prepare(YUNET, tmp_path / "models") == first
    assert file.stat().st_mtime_ns == before


@pytest.mark.parametrize("damage", ["altered", "cut", "empty", "another model's"])
def test_a_damaged_cache_is_noticed_and_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    first = prepare(YUNET, tmp_path)
    (file,) = tmp_path.iterdir()
    data = file.read_bytes()
    if damage == "altered":
        file.write_bytes(data[:-200] + bytes([data[-200] ^ 1]) + data[-199:])
    elif damage == "cut":
        file.write_bytes(data[:-1000])
    elif damage == "empty":
        file.write_bytes(b"")
    else:
        prepare(SFACE, tmp_path)
        (other,) = (f for f in tmp_path.iterdir() if f != file)
        shutil.copy(other, file)
    assert prepare(YUNET, tmp_path) == first
    assert file.read_bytes() == data
    assert "altered or cut" in caplog.text


def test_a_cache_that_cannot_be_written_is_logged_and_does_not_stop_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blocked = tmp_path / "models"
    blocked.write_text("a file where the folder should be")
    with caplog.at_level(logging.WARNING):
        assert open_session(prepare(YUNET, blocked)).get_inputs()
    assert str(blocked) in caplog.text


def test_a_write_that_fails_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    assert prepare(YUNET, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_a_graph_is_prepared_with_is_not_held_afterwards(tmp_path: Path) -> None:
    asked = (
        "import sys; from pathlib import Path; import facegate.__main__;"
        "from facegate.face.preparation import prepare;"
        "from facegate.face.weights import YUNET;"
        "assert __name__ != '__main__' or prepare(YUNET, Path(sys.argv[1]));"
        "print('onnx' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked, str(tmp_path)], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "False"
    assert list(tmp_path.glob("*.graph"))
