"""Rewrites of a graph that are exact in real arithmetic, and run faster.

BatchNormalization is folded into the Conv or Gemm before it, ``PRelu(x, a)`` becomes
``a*x + (1-a)*Relu(x)``, which runs twice as fast, and the narrow heads of a detector become one
that is as wide as a vector register.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
import onnx
from onnx import helper, numpy_helper

type Array = NDArray[np.generic]


def rewrite(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Apply all of them in place; the function computed is the same."""
    _fold_batch_norms(proto.graph)
    _replace_prelus(proto.graph)
    _merge_heads(proto.graph)
    drop_unread(proto.graph)
    return proto


def _fold_batch_norms(graph: onnx.GraphProto) -> None:
    """Scale the weights of each Conv or Gemm that only a BatchNormalization reads."""
    constants = constants_of(graph)
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
        replace_items(before.input, [before.input[0], *names])
        before.output[0] = node.output[0]
    replace_items(graph.node, kept)


def _scalable(node: onnx.NodeProto, constants: dict[str, Array]) -> bool:
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
    constants = constants_of(graph)
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
    replace_items(graph.node, nodes)


def _merge_heads(graph: onnx.GraphProto) -> None:
    """Make heads over one input one head, whose channels are then split.

    A head is a Conv of 1 x 1 and a depthwise Conv that alone reads it.
    """
    constants = constants_of(graph)
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    for output in graph.output:
        # Whoever asks for it reads it too, and is no depthwise Conv.
        readers.setdefault(output.name, []).append(onnx.NodeProto())
    heads: dict[object, list[tuple[onnx.NodeProto, onnx.NodeProto]]] = {}
    for node in graph.node:
        after = readers.get(node.output[0], [])
        if len(after) == 1 and _is_head(node, after[0], constants):
            alike = (node.input[0], *map(_geometry, (node, after[0])))
            heads.setdefault(alike, []).append((node, after[0]))
    merged: dict[str, list[onnx.NodeProto]] = {}
    gone: set[str] = set()
    for found in heads.values():
        if len(found) > 1:
            merged[found[0][0].output[0]] = _one_head(graph, found, constants)
            gone |= {node.output[0] for pair in found for node in pair}
    nodes: list[onnx.NodeProto] = []
    for node in graph.node:
        nodes += merged.get(node.output[0], [])
        if node.output[0] not in gone:
            nodes.append(node)
    replace_items(graph.node, nodes)


def _is_head(
    pointwise: onnx.NodeProto, depthwise: onnx.NodeProto, constants: dict[str, Array]
) -> bool:
    nodes = (pointwise, depthwise)
    biased = 3
    if any(node.op_type != "Conv" or len(node.input) != biased for node in nodes):
        return False
    if any(name not in constants for node in nodes for name in node.input[1:]):
        return False
    weight, after = (constants[node.input[1]] for node in nodes)
    groups = [next((a.i for a in node.attribute if a.name == "group"), 1) for node in nodes]
    return weight.shape[2:] == (1, 1) and groups == [1, after.shape[0]] and after.shape[1] == 1


def _geometry(node: onnx.NodeProto) -> tuple[bytes, ...]:
    return tuple(sorted(a.SerializeToString() for a in node.attribute if a.name != "group"))


def _one_head(
    graph: onnx.GraphProto,
    heads: list[tuple[onnx.NodeProto, onnx.NodeProto]],
    constants: dict[str, Array],
) -> list[onnx.NodeProto]:
    name = f"{heads[0][0].output[0]}_heads"
    widths = [constants[depthwise.input[1]].shape[0] for _, depthwise in heads]
    nodes = []
    source = heads[0][0].input[0]
    for stage, convs in enumerate(zip(*heads, strict=True)):
        inputs = [source]
        for place in (1, 2):
            together = np.concatenate([constants[conv.input[place]] for conv in convs])
            inputs.append(f"{name}_{stage}_{place}")
            graph.initializer.append(numpy_helper.from_array(together, inputs[-1]))
        source = f"{name}_{stage}"
        wide = helper.make_node("Conv", inputs, [source])
        wide.attribute.extend(a for a in convs[0].attribute if a.name != "group")
        wide.attribute.append(helper.make_attribute("group", sum(widths) if stage else 1))
        nodes.append(wide)
    sizes = numpy_helper.from_array(np.array(widths, np.int64), f"{name}_sizes")
    graph.initializer.append(sizes)
    outputs = [depthwise.output[0] for _, depthwise in heads]
    nodes.append(helper.make_node("Split", [source, sizes.name], outputs, axis=1))
    return nodes


def constants_of(graph: onnx.GraphProto) -> dict[str, Array]:
    """Return the graph's initializers by name."""
    return {i.name: numpy_helper.to_array(i) for i in graph.initializer}


def drop_unread(graph: onnx.GraphProto) -> None:
    """Remove the initializers that no node reads."""
    read = {name for node in graph.node for name in node.input}
    replace_items(graph.initializer, [i for i in graph.initializer if i.name in read])


def replace_items(field: object, items: Iterable[object]) -> None:
    """Set a repeated protobuf field, whose own type the stubs do not name."""
    items = list(items)
    del field[:]  # type: ignore[attr-defined]
    field.extend(items)  # type: ignore[attr-defined]
