# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""data_sizes.py OUT

Writes models whose sizes depend on data to OUT/NAME.onnx, and inputs with the
outputs of ONNX Runtime to OUT/NAME_k.npz.
"""
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

F, I, B = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
value = helper.make_tensor_value_info
node = helper.make_node
rng = np.random.default_rng(0)
out = sys.argv[1]


def constant(name, array):
    return numpy_helper.from_array(np.array(array), name)


def graph(name, nodes, inputs, outputs, initializers=()):
    return helper.make_graph(nodes, name, inputs, outputs, list(initializers))


def add(name, nodes, inputs, outputs, feeds, initializers=()):
    model = helper.make_model(
        graph(name, nodes, inputs, outputs, initializers),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, f"{out}/{name}.onnx")
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    for k, feed in enumerate(feeds):
        feed = {n: np.asarray(x) for n, x in feed.items()}
        np.savez(f"{out}/{name}_{k}.npz", **feed,
                 **dict(zip(names, session.run(None, feed))))


def floats(*shape):
    return rng.standard_normal(shape).astype(np.float32)


# A count that bounds values by the sizes of the inputs, none and all included.
sparse = (rng.random((4, 5)) > 0.5).astype(np.float32)
add("nonzero", [node("NonZero", ["x"], ["y"])],
    [value("x", F, [4, 5])], [value("y", I, [2, None])],
    [{"x": sparse}, {"x": 0 * sparse}, {"x": 0 * sparse + 1}])
add("gather",
    [node("NonZero", ["m"], ["n"]), node("Squeeze", ["n", "axis"], ["i"]),
     node("Gather", ["x", "i"], ["g"]), node("MatMul", ["g", "w"], ["p"]),
     node("Softmax", ["p"], ["y"], axis=-1)],
    [value("m", B, ["a"]), value("x", F, ["a", 8])],
    [value("y", F, [None, 6])],
    [{"m": rng.random(a) > 0.4, "x": floats(a, 8)} for a in (5, 20, 3)],
    [constant("axis", np.array([0])), constant("w", floats(8, 6))])

# Steps that are stacked, their number not known before.
body = graph(
    "body",
    [node("Add", ["s", "x"], ["t"]), node("ReduceSum", ["t"], ["r"], keepdims=0),
     node("Less", ["r", "limit"], ["go"]), node("Identity", ["t"], ["o"])],
    [value("i", I, []), value("c", B, []), value("s", F, [3])],
    [value("go", B, []), value("t", F, [3]), value("o", F, [3])])
add("stack", [node("Loop", ["M", "", "s0"], ["last", "all"], body=body)],
    [value("x", F, [3]), value("limit", F, []), value("s0", F, [3]),
     value("M", I, [])],
    [value("last", F, [3]), value("all", F, [None, 3])],
    [{"x": np.float32([1, 2, 3]), "limit": np.float32(l), "s0": np.zeros(3, "f"),
      "M": np.int64(m)} for l, m in ((30, 100), (1, 5), (1e9, 17), (30, 0))])

# What a loop carries gets longer from step to step; the condition is used.
body = graph(
    "body",
    [node("Concat", ["s", "x"], ["t"], axis=0), node("And", ["c", "k"], ["d"])],
    [value("i", I, []), value("c", B, []), value("s", F, [None, 3])],
    [value("d", B, []), value("t", F, [None, 3])])
add("grow", [node("Loop", ["M", "go", "s0"], ["s"], body=body),
             node("Relu", ["s"], ["y"])],
    [value("x", F, [2, 3]), value("s0", F, [1, 3]), value("M", I, []),
     value("k", B, [])],
    [value("y", F, [None, 3])],
    [{"x": floats(2, 3), "s0": np.ones((1, 3), "f"), "M": np.int64(m),
      "k": np.bool_(k)} for m, k in ((0, 1), (1, 1), (2, 1), (7, 0), (50, 1))],
    [constant("go", np.array(True))])

# Branches of different sizes.
then = graph("then", [node("Concat", ["x", "x"], ["a"], axis=0)], [],
             [value("a", F, [None, 3])])
other = graph("else", [node("Neg", ["x"], ["b"])], [],
              [value("b", F, [None, 3])])
add("branch", [node("If", ["c"], ["z"], then_branch=then, else_branch=other),
               node("Exp", ["z"], ["y"])],
    [value("c", B, []), value("x", F, ["n", 3])], [value("y", F, [None, 3])],
    [{"c": np.bool_(c), "x": floats(n, 3)} for c in (1, 0) for n in (2, 5)])

# A size that must divide another, zero among them.
add("divide",
    [node("Shape", ["y"], ["n"]), node("Concat", ["n", "rest"], ["s"], axis=0),
     node("Reshape", ["x", "s"], ["r"]), node("Neg", ["r"], ["z"])],
    [value("x", F, ["a", "b"]), value("y", F, ["c"])],
    [value("z", F, [None, None])],
    [{"x": floats(4, 6), "y": floats(c)} for c in (3, 8)],
    [constant("rest", np.array([-1]))])

# Branches that only choose.
then = graph("then", [node("Identity", ["x"], ["a"])], [], [value("a", F, ["n"])])
other = graph("else", [node("Identity", ["w"], ["b"])], [], [value("b", F, ["n"])])
add("choose", [node("If", ["c"], ["z"], then_branch=then, else_branch=other),
               node("Neg", ["z"], ["y"])],
    [value("c", B, []), value("x", F, ["n"]), value("w", F, ["n"])],
    [value("y", F, ["n"])],
    [{"c": np.bool_(c), "x": floats(3), "w": floats(3)} for c in (1, 0)])

# An output whose shape is known only after what it shows was made.
add("reshape", [node("Neg", ["x"], ["n"]), node("Reshape", ["n", "s"], ["y"])],
    [value("x", F, ["a", "b"]), value("s", I, [2])],
    [value("y", F, [None, None])],
    [{"x": floats(4, 6), "s": np.int64(s)} for s in ((3, 8), (24, 1), (-1, 2))])
