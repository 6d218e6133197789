# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""factors.py bf16|f16 OUT

Writes models whose weights are factors of sums of products. OUT/one/NAME.onnx have
one such sum each, OUT/several/NAME.onnx several one after the other. Beside them
lie inputs, numbers of the narrow type, and what ONNX Runtime gives for the same
model with weights that are rounded to that type.
"""
import os
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

kind, out = sys.argv[1:]
rng = np.random.default_rng(0)


def narrow(array):
    """The nearest numbers of the narrow type, ties to even, as f32."""
    if kind == "f16":
        return array.astype(np.float16).astype(np.float32)
    bits = array.view(np.uint32)
    bits = (bits + 0x7FFF + (bits >> 16 & 1)) & np.uint32(0xFFFF0000)
    return bits.view(np.float32)


def floats(*shape, scale=1.0):
    return (rng.standard_normal(shape) * scale).astype(np.float32)


def add(group, name, nodes, inputs, outputs, factors, others=None, sizes=(None,)):
    """`inputs` and `outputs` are shapes by name, `factors` and `others` constants; a
    model runs once for each size of its dimension "n"."""
    os.makedirs(f"{out}/{group}", exist_ok=True)

    def make(weights):
        graph = helper.make_graph(
            nodes, name,
            [helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in inputs.items()],
            [helper.make_tensor_value_info(k, TensorProto.FLOAT, v) for k, v in outputs.items()],
            [numpy_helper.from_array(v, k) for k, v in {**weights, **(others or {})}.items()])
        model = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        return model

    onnx.save(make(factors), f"{out}/{group}/{name}.onnx")
    session = onnxruntime.InferenceSession(
        make({k: narrow(v) for k, v in factors.items()}).SerializeToString(),
        providers=["CPUExecutionProvider"])
    for i, n in enumerate(sizes):
        feed = {k: narrow(floats(*[n if d == "n" else d for d in shape]))
                for k, shape in inputs.items()}
        results = session.run(list(outputs), feed)
        np.savez(f"{out}/{group}/{name}_{i}.npz", **feed, **dict(zip(outputs, results)))


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), **attributes)


# Products of matrices: one row and many, whole panels and parts of one, sums of
# even and of odd length, weights that have to be transposed, batches of them.
for name, rows, inner, columns in (
        ("row", 1, 256, 192), ("rows", 37, 130, 70), ("odd", 21, 33, 65),
        ("few", 40, 192, 3), ("one", 5, 64, 1)):
    add("one", name, [node("MatMul", "x w", "y")], {"x": [rows, inner]},
        {"y": [rows, columns]}, {"w": floats(inner, columns, scale=0.1)})
add("one", "any", [node("MatMul", "x w", "y")], {"x": ["n", 96]}, {"y": ["n", 160]},
    {"w": floats(96, 160, scale=0.1)}, sizes=(1, 7, 50))
add("one", "gemm", [node("Gemm", "x w c", "y", transB=1, alpha=0.5)], {"x": [20, 48]},
    {"y": [20, 72]}, {"w": floats(72, 48, scale=0.1)}, {"c": floats(72)})
add("one", "turned", [node("Gemm", "x w", "y", transA=1)], {"x": [48, 20]},
    {"y": [20, 72]}, {"w": floats(48, 72, scale=0.1)})
add("one", "batch", [node("MatMul", "x w", "y")], {"x": [3, 20, 48]},
    {"y": [3, 20, 40]}, {"w": floats(3, 48, 40, scale=0.1)})
add("one", "left", [node("MatMul", "w x", "y")], {"x": [48, 40]}, {"y": [20, 40]},
    {"w": floats(20, 48, scale=0.1)})
add("one", "sum", [node("Einsum", "x w", "y", equation="bij,kj->bik")],
    {"x": [2, 5, 64]}, {"y": [2, 5, 48]}, {"w": floats(48, 64, scale=0.1)})

# Convolutions: with and without padding, few channels and groups of them. The
# filters of a depthwise one are not rounded.
for name, channels, filters, taps, group in (
        ("conv", 16, 40, 3, 1), ("image", 3, 32, 5, 1), ("points", 32, 64, 1, 1),
        ("groups", 32, 64, 3, 4), ("depthwise", 24, 24, 3, 24)):
    weight = floats(filters, channels // group, taps, taps, scale=0.1)
    bias = floats(filters)
    add("one", name,
        [node("Conv", "x w b", "y", pads=[taps // 2] * 4, group=group)],
        {"x": ["n", channels, 15, 18]}, {"y": ["n", filters, 15, 18]},
        *[dict(w=weight), dict(b=bias)] if group < channels else [{}, dict(w=weight, b=bias)],
        sizes=(1, 2))
add("one", "strided", [node("Conv", "x w", "y", strides=[2, 2], dilations=[2, 1])],
    {"x": [1, 16, 19, 20]}, {"y": [1, 33, 8, 9]}, {"w": floats(33, 16, 3, 3, scale=0.1)})
add("one", "transposed", [node("ConvTranspose", "x w", "y", strides=[2, 2])],
    {"x": [1, 16, 9, 10]}, {"y": [1, 24, 18, 20]}, {"w": floats(16, 24, 2, 2, scale=0.1)})

add("several", "layers",
    [node("Gemm", "x w1 b1", "h", transB=1), node("Relu", "h", "r"),
     node("Gemm", "r w2 b2", "g", transB=1), node("Add", "g r", "s"),
     node("MatMul", "s w3", "y")],
    {"x": ["n", 64]}, {"y": ["n", 10]},
    {"w1": floats(96, 64, scale=0.1), "w2": floats(96, 96, scale=0.1),
     "w3": floats(96, 10, scale=0.1)},
    {"b1": floats(96), "b2": floats(96)}, sizes=(1, 33))
add("several", "residual",
    [node("Conv", "x w1 b1", "c", pads=[1] * 4), node("Relu", "c", "r"),
     node("Conv", "r w2 b2", "d", pads=[1] * 4), node("Add", "d r", "s"),
     node("Relu", "s", "y")],
    {"x": [1, 32, 14, 14]}, {"y": [1, 32, 14, 14]},
    {"w1": floats(32, 32, 3, 3, scale=0.05), "w2": floats(32, 32, 3, 3, scale=0.05)},
    {"b1": floats(32), "b2": floats(32)})
add("several", "attention",
    [node("MatMul", "x wq", "q"), node("MatMul", "x wk", "k"), node("MatMul", "x wv", "v"),
     node("Transpose", "k", "t", perm=[0, 2, 1]), node("MatMul", "q t", "a"),
     node("Softmax", "a", "p", axis=-1), node("MatMul", "p v", "o"),
     node("MatMul", "o wo", "y")],
    {"x": [2, "n", 64]}, {"y": [2, "n", 64]},
    {name: floats(64, 64, scale=0.1) for name in ("wq", "wk", "wv", "wo")}, sizes=(5, 40))
for op, gates in (("RNN", 1), ("GRU", 3), ("LSTM", 4)):
    add("several", op.lower(),
        [node(op, "x w r b", "y", hidden_size=32, direction="bidirectional")],
        {"x": [7, 3, 24]}, {"y": [7, 2, 3, 32]},
        {"w": floats(2, gates * 32, 24, scale=0.2), "r": floats(2, gates * 32, 32, scale=0.2)},
        {"b": floats(2, gates * 64)})
