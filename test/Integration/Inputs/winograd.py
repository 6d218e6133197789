# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""winograd.py OUT

Writes convolutions to OUT/NAME.onnx, and inputs with the outputs of ONNX Runtime
to OUT/NAME_k.npz.
"""
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

out = sys.argv[1]
rng = np.random.default_rng(0)


def floats(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def add(name, image, channels, taps, pads, batches=(1,), residual=False,
        symbolic=False):
    """A convolution with a bias, something added if `residual`, and Relu."""
    inputs, height, width = image
    scale = 1 / np.sqrt(inputs * taps * taps)
    weights = [("w", floats(channels, inputs, taps, taps) * np.float32(scale)),
               ("b", floats(channels))]
    rows = height + pads[0] + pads[2] - taps + 1
    columns = width + pads[1] + pads[3] - taps + 1
    nodes = [helper.make_node("Conv", ["x", "w", "b"], ["c"], pads=pads)]
    if residual:
        nodes.append(helper.make_node("Add", ["c", "r"], ["s"]))
    nodes.append(helper.make_node("Relu", ["s" if residual else "c"], ["y"]))
    batch = "n" if symbolic else batches[0]

    def value(name, *shape):
        return helper.make_tensor_value_info(
            name, TensorProto.FLOAT, [batch, *shape])

    given = [value("x", inputs, height, width)]
    if residual:
        given.append(value("r", channels, rows, columns))
    graph = helper.make_graph(
        nodes, name, given, [value("y", channels, rows, columns)],
        [numpy_helper.from_array(array, name) for name, array in weights])
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, f"{out}/{name}.onnx")
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"])
    for k, n in enumerate(batches):
        feed = {"x": floats(n, inputs, height, width)}
        if residual:
            feed["r"] = floats(n, channels, rows, columns)
        np.savez(f"{out}/{name}_{k}.npz", **feed, y=session.run(None, feed)[0])


add("whole", (64, 28, 28), 64, 3, [1, 1, 1, 1])
add("ragged", (48, 19, 13), 72, 3, [1, 1, 1, 1], batches=(2,), residual=True)
add("narrow", (40, 15, 30), 20, 3, [0, 0, 0, 0])
add("uneven", (64, 17, 22), 64, 3, [2, 0, 1, 3])
add("deep", (256, 7, 7), 256, 3, [1, 1, 1, 1])
add("five", (64, 27, 27), 96, 5, [2, 2, 2, 2], residual=True)
add("four", (32, 21, 28), 32, 4, [2, 2, 1, 1], batches=(1, 2), symbolic=True)
add("two", (64, 14, 14), 64, 2, [0, 0, 0, 0])
add("images", (64, 14, 14), 64, 3, [1, 1, 1, 1], batches=(1, 3),
    residual=True, symbolic=True)
