# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""groups.py OUT

Writes convolutions with groups to OUT/NAME.onnx, between elementwise ops that
choose no layout, with ONNX Runtime's outputs in OUT/NAME_k.npz.
"""
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

out = sys.argv[1]
rng = np.random.default_rng(0)


def add(name, groups, channels, filters, sizes, kernel=3, shape=None, **attributes):
    """`channels` and `filters` of each group; `sizes`: batch and image of each
    reference; `shape`: the same with symbols."""
    rank = len(sizes[0]) - 1
    weight = rng.standard_normal((groups * filters, channels) + (kernel,) * rank) * 0.3
    batch, *image = shape or sizes[0]
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "two"], ["d"]),
         helper.make_node("Conv", ["d", "w", "b"], ["c"], group=groups, **attributes),
         helper.make_node("Relu", ["c"], ["r"]),
         helper.make_node("Add", ["r", "c"], ["y"])], name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [batch, groups * channels, *image])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(weight.astype(np.float32), "w"),
         numpy_helper.from_array(rng.standard_normal(groups * filters).astype(np.float32), "b"),
         numpy_helper.from_array(np.float32(2), "two")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, f"{out}/{name}.onnx")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for k, (batch, *image) in enumerate(sizes):
        x = rng.standard_normal((batch, groups * channels, *image)).astype(np.float32)
        np.savez(f"{out}/{name}_{k}.npz", x=x, y=session.run(None, {"x": x})[0])


SAME = {"pads": [1, 1, 1, 1]}
ANY = {"sizes": [(1, 7, 9), (3, 16, 5)], "shape": ["n", "h", "w"]}
# As many channels in a group as filters: some fill vectors, some do together,
# some never.
for count, width in ((12, 2), (16, 3), (32, 4), (7, 5), (16, 6), (13, 8), (4, 12), (3, 24)):
    add(f"wide{width}", count, width, width, [(2, 11, 13)], **SAME)
# More, fewer, one; a window that jumps, is spread, is one point.
add("few_of_many", 8, 8, 4, [(2, 9, 9)], **SAME)
add("many_of_few", 8, 4, 8, [(1, 11, 9)], strides=[2, 2], **SAME)
add("one_of_two", 40, 2, 1, [(1, 9, 9)], dilations=[2, 2], pads=[2, 2, 2, 2])
add("one_of_three", 20, 3, 1, [(1, 9, 9)], **SAME)
add("two_of_sixteen", 6, 16, 2, [(1, 9, 9)], **SAME)
add("eight_of_thirty", 6, 30, 8, [(1, 9, 9)], **SAME)
add("multiplier2", 24, 1, 2, [(2, 9, 9)], **SAME)
add("multiplier3", 5, 1, 3, [(1, 9, 9)], strides=[2, 1])
add("point", 16, 8, 8, [(1, 9, 9)], kernel=1)
add("line", 16, 4, 4, [(2, 40)], kernel=7, dilations=[3])
add("volume", 4, 4, 4, [(1, 5, 6, 7)], pads=[1] * 6)
add("symbolic4", 12, 4, 4, **ANY, **SAME)
add("symbolic6", 5, 6, 6, **ANY, strides=[2, 2], **SAME)
add("symbolic8", 20, 8, 8, **ANY, kernel=5, pads=[2, 2, 2, 2])
