"""Makes published model graphs fit to run: folds constants, frees shapes, rewrites for speed.

The block-quantized files of the OpenCV Zoo keep weights behind DequantizeLinear and Reshape nodes
and list them as graph inputs. Preparation turns those into plain weights, makes the picture's
batch (and height and width, where the graph allows it) free, and applies two rewrites that are
exact in real arithmetic: BatchNormalization folded into the Conv or Gemm before it, and
``PRelu(x, a) = a*x + (1-a)*Relu(x)``, which runs twice as fast.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
import hashlib
import logging
import os
from pathlib import Path
import tempfile

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray
import onnx
from onnx import helper, numpy_helper

from facegate.errors import ModelError
from facegate.face.weights import Model, ModelRole, load

_LOGGER = logging.getLogger(__name__)

# Raise when the prepared bytes would change; caches of another version are not read.
CODE_VERSION = 1

_DIGEST_BYTES = 32

type _Array = NDArray[np.generic]


def prepare(model: Model, cache: Path) -> bytes:
    """Return the runnable graph of ``model`` as serialized ONNX; raises ``ModelError``.

    The result is kept in the folder ``cache``, headed by its own sha256, so that a cut or altered
    file is noticed and made anew. A cache that cannot be written costs time, not the start.
    """
    source = load(model)
    path = cache / f"{model.id}-v{CODE_VERSION}.graph"
    prepared = _read_cache(path, model)
    if prepared is None:
        prepared = rewrite(fold(source, model)).SerializeToString()
        _write_cache(path, model, prepared)
    return prepared


def fold(source: bytes, model: Model) -> onnx.ModelProto:
    """Parse ``source`` and return it with constants folded and shapes freed, nothing rewritten.

    Raises ``ModelError`` where ``source`` is not an ONNX graph of one picture input.
    """
    try:
        proto = onnx.load_model_from_string(source)
    except DecodeError as err:
        raise ModelError(f"model {model.name}: not an ONNX file: {err}") from err
    graph = proto.graph
    _fold_constants(graph)
    produced = {initializer.name for initializer in graph.initializer}
    read = {name for node in graph.node for name in node.input}
    pictures = [i for i in graph.input if i.name in read and i.name not in produced]
    if len(pictures) != 1:
        raise ModelError(f"model {model.name}: expected one input, found {len(pictures)}")
    _replace(graph.input, pictures)
    _free_shapes(graph, sizes=model.role is ModelRole.DETECTOR)
    _drop_unread_initializers(graph)
    del graph.value_info[:]
    return proto


def rewrite(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Fold BatchNormalization and replace PRelu, in place; the function computed is the same."""
    _fold_batch_norms(proto.graph)
    _replace_prelus(proto.graph)
    _drop_unread_initializers(proto.graph)
    return proto


# --- constants and shapes ---------------------------------------------------------------------


def _fold_constants(graph: onnx.GraphProto) -> None:
    """Compute DequantizeLinear, Reshape and Constant nodes whose inputs are all constants."""
    constants = _constants(graph)
    kept = []
    for node in graph.node:
        value: _Array | None = None
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            value = numpy_helper.to_array(node.attribute[0].t)
        elif all(name in constants for name in node.input):
            inputs = [constants[name] for name in node.input]
            if node.op_type == "DequantizeLinear":
                value = _dequantize(node, inputs)
            elif node.op_type == "Reshape":
                value = inputs[0].reshape([int(size) for size in inputs[1]])
        if value is None:
            kept.append(node)
            continue
        constants[node.output[0]] = value
        graph.initializer.append(numpy_helper.from_array(value, node.output[0]))
    _replace(graph.node, kept)


def _dequantize(node: onnx.NodeProto, inputs: list[_Array]) -> NDArray[np.float32]:
    """Compute ``(q - zero_point) * scale`` with scales per block along an axis (opset 21)."""
    quantized = inputs[0].astype(np.float32)
    scale = inputs[1].astype(np.float32)
    zero = inputs[2].astype(np.float32) if len(inputs) > 2 else np.zeros_like(scale)  # noqa: PLR2004
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    axis, block = int(attributes.get("axis", 1)), int(attributes.get("block_size", 0))
    if block:
        length = quantized.shape[axis]
        scale = np.repeat(scale, block, axis).take(range(length), axis)
        zero = np.repeat(zero, block, axis).take(range(length), axis)
    elif scale.ndim == 1:
        shape = [-1 if d == axis else 1 for d in range(quantized.ndim)]
        scale, zero = scale.reshape(shape), zero.reshape(shape)
    return ((quantized - zero) * scale).astype(np.float32)


def _free_shapes(graph: onnx.GraphProto, *, sizes: bool) -> None:
    """Name the batch dimension ``n``, with ``sizes`` also height and width, everywhere."""
    dims = graph.input[0].type.tensor_type.shape.dim
    names = ("n", None, "height", "width") if sizes else ("n",)
    for dim, name in zip(dims, names, strict=False):
        if name is not None:
            dim.dim_param = name
    for output in graph.output:
        shape = output.type.tensor_type.shape
        shape.dim[0].dim_param = "n"
        if sizes:
            shape.dim[1].dim_param = f"{output.name}_cells"
    constants = _constants(graph)
    targets = {n.input[1] for n in graph.node if n.op_type == "Reshape"} & constants.keys()
    for initializer in graph.initializer:
        if initializer.name in targets:
            # 0 copies the batch from the input, where the export had written 1.
            shape_value = constants[initializer.name].copy()
            if shape_value[0] == 1:
                shape_value[0] = 0
            initializer.CopyFrom(numpy_helper.from_array(shape_value, initializer.name))


# --- exact rewrites ---------------------------------------------------------------------------


def _fold_batch_norms(graph: onnx.GraphProto) -> None:
    """Scale the weights of each Conv or Gemm that only a BatchNormalization reads."""
    constants = _constants(graph)
    producers = {output: node for node in graph.node for output in node.output}
    readers = Counter(name for node in graph.node for name in node.input)
    readers.update(output.name for output in graph.output)
    kept = []
    for node in graph.node:
        before = producers.get(node.input[0]) if node.op_type == "BatchNormalization" else None
        if before is None or readers[node.input[0]] != 1 or not _scalable(before, constants):
            kept.append(node)
            continue
        gamma, beta, mean, variance = (
            constants[name].astype(np.float64) for name in node.input[1:5]
        )
        epsilon = next((a.f for a in node.attribute if a.name == "epsilon"), 1e-5)
        factor = gamma / np.sqrt(variance + epsilon)
        weight = constants[before.input[1]].astype(np.float64)
        has_bias = len(before.input) > 2  # noqa: PLR2004
        bias = constants[before.input[2]].astype(np.float64) if has_bias else np.zeros_like(mean)
        # Both kinds hold the output channel first: Conv always, Gemm when transB is set.
        weight *= factor.reshape(-1, *[1] * (weight.ndim - 1))
        names = (f"{node.output[0]}_weight", f"{node.output[0]}_bias")
        for name, value in zip(names, (weight, (bias - mean) * factor + beta), strict=True):
            single = value.astype(np.float32)
            constants[name] = single
            graph.initializer.append(numpy_helper.from_array(single, name))
        _replace(before.input, [before.input[0], *names])
        before.output[0] = node.output[0]
    _replace(graph.node, kept)


def _scalable(node: onnx.NodeProto, constants: dict[str, _Array]) -> bool:
    """Whether a per-channel scale of the node's output can move into its constant weights."""
    if any(name not in constants for name in node.input[1:]):
        return False
    if node.op_type == "Conv":
        return True
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    return (
        node.op_type == "Gemm"
        and attributes.get("transB", 0) == 1
        and attributes.get("alpha", 1.0) == 1.0
        and attributes.get("beta", 1.0) == 1.0
        and (len(node.input) < 3 or constants[node.input[2]].ndim == 1)  # noqa: PLR2004
    )


def _replace_prelus(graph: onnx.GraphProto) -> None:
    constants = _constants(graph)
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.op_type != "PRelu" or node.input[1] not in constants:
            nodes.append(node)
            continue
        x, out = node.input[0], node.output[0]
        slope = constants[node.input[1]].astype(np.float32)
        names = (f"{out}_slope", f"{out}_rest")
        for name, value in zip(names, (slope, 1 - slope), strict=True):
            graph.initializer.append(numpy_helper.from_array(value, name))
        nodes += [
            helper.make_node("Relu", [x], [f"{out}_positive"]),
            helper.make_node("Mul", [x, names[0]], [f"{out}_scaled"]),
            helper.make_node("Mul", [f"{out}_positive", names[1]], [f"{out}_lifted"]),
            helper.make_node("Add", [f"{out}_scaled", f"{out}_lifted"], [out]),
        ]
    _replace(graph.node, nodes)


# --- helpers ----------------------------------------------------------------------------------


def _constants(graph: onnx.GraphProto) -> dict[str, _Array]:
    return {i.name: numpy_helper.to_array(i) for i in graph.initializer}


def _drop_unread_initializers(graph: onnx.GraphProto) -> None:
    read = {name for node in graph.node for name in node.input}
    _replace(graph.initializer, [i for i in graph.initializer if i.name in read])


def _replace(field: object, items: Iterable[object]) -> None:
    """Set a repeated protobuf field, whose own type the stubs do not name."""
    items = list(items)
    del field[:]  # type: ignore[attr-defined]
    field.extend(items)  # type: ignore[attr-defined]


# --- cache ------------------------------------------------------------------------------------


def _digest(model: Model, prepared: bytes) -> bytes:
    return hashlib.sha256(f"{model.sha256} v{CODE_VERSION}\n".encode() + prepared).digest()


def _read_cache(path: Path, model: Model) -> bytes | None:
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as err:
        _LOGGER.warning("cannot read the prepared model %s (%s); preparing it again", path, err)
        return None
    prepared = raw[_DIGEST_BYTES:]
    if raw[:_DIGEST_BYTES] != _digest(model, prepared):
        _LOGGER.warning("the prepared model %s was altered or cut; preparing it again", path)
        return None
    return prepared


def _write_cache(path: Path, model: Model, prepared: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".graph-", delete=False) as file:
            try:
                file.write(_digest(model, prepared) + prepared)
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(path)
            except OSError:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as err:
        _LOGGER.warning("cannot keep the prepared model at %s: %s", path, err)
