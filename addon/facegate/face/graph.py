"""Makes published model graphs fit to run: folds constants, frees shapes, rewrites for speed.

The block-quantized files of the OpenCV Zoo keep weights behind DequantizeLinear and Reshape nodes
and list them as graph inputs. Preparation turns those into plain weights, makes the picture's
batch (and height and width, where the graph allows it) free, and applies the exact rewrites of
``rewriting``. A liveness net ends in Softmax, whoever exported it: what has none is given one.

The same file gives the same bytes on every machine, so that the registry can name their sha256.
"""

from __future__ import annotations

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
import numpy as np
from numpy.typing import NDArray
import onnx
from onnx import helper, numpy_helper

from facegate.errors import ModelError
from facegate.face.rewriting import Array, constants_of, drop_unread, replace_items, rewrite
from facegate.face.weights import Model, ModelRole


def runnable(source: bytes, model: Model) -> bytes:
    """Return the graph of ``source`` folded and rewritten, serialized; raises ``ModelError``."""
    graph: bytes = rewrite(fold(source, model)).SerializeToString()
    return graph


def folded(source: bytes, model: Model) -> bytes:
    """Return the graph of ``source`` folded, not rewritten, serialized; raises ``ModelError``."""
    graph: bytes = fold(source, model).SerializeToString()
    return graph


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
    replace_items(graph.input, pictures)
    _free_shapes(graph, sizes=model.role is ModelRole.DETECTOR)
    if model.role is ModelRole.LIVENESS:
        _end_in_probabilities(graph, model)
    drop_unread(graph)
    del graph.value_info[:]
    return proto


# --- constants and shapes ---------------------------------------------------------------------


def _fold_constants(graph: onnx.GraphProto) -> None:
    """Compute Constant, Identity, Reshape and DequantizeLinear nodes that read constants only."""
    constants = constants_of(graph)
    kept = []
    for node in graph.node:
        value: Array | None = None
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            value = numpy_helper.to_array(node.attribute[0].t)
        elif all(name in constants for name in node.input):
            inputs = [constants[name] for name in node.input]
            if node.op_type == "DequantizeLinear":
                value = _dequantize(node, inputs)
            elif node.op_type == "Reshape":
                value = inputs[0].reshape([int(size) for size in inputs[1]])
            elif node.op_type == "Identity":
                value = inputs[0]
        if value is None:
            kept.append(node)
            continue
        constants[node.output[0]] = value
        graph.initializer.append(numpy_helper.from_array(value, node.output[0]))
    replace_items(graph.node, kept)


def _dequantize(node: onnx.NodeProto, inputs: list[Array]) -> NDArray[np.float32]:
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
        if shape.dim:
            shape.dim[0].dim_param = "n"
        if sizes:
            shape.dim[1].dim_param = f"{output.name}_cells"
    constants = constants_of(graph)
    targets = {n.input[1] for n in graph.node if n.op_type == "Reshape"} & constants.keys()
    for initializer in graph.initializer:
        if initializer.name in targets:
            # 0 copies the batch from the input, where the export had written 1.
            shape_value = constants[initializer.name].copy()
            if shape_value[0] == 1:
                shape_value[0] = 0
            initializer.CopyFrom(numpy_helper.from_array(shape_value, initializer.name))


def _end_in_probabilities(graph: onnx.GraphProto, model: Model) -> None:
    """Append Softmax over the classes where the graph's last node is not one."""
    if len(graph.output) != 1:
        raise ModelError(f"model {model.name}: expected one output, found {len(graph.output)}")
    name = graph.output[0].name
    last = next((node for node in graph.node if name in node.output), None)
    if last is None or last.op_type != "Softmax":
        probabilities = f"{name}_softmax"
        graph.node.append(helper.make_node("Softmax", [name], [probabilities], axis=1))
        graph.output[0].name = probabilities
