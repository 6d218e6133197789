# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""attention.py OUT

Writes attention as exporters spell it to OUT/NAME.onnx, with ONNX Runtime's
outputs at several sizes in OUT/NAME_k.npz.
"""
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

out = sys.argv[1]
rng = np.random.default_rng(0)


def add(name, nodes, shapes, sizes, constants=()):
    """`shapes`: inputs and their shapes, where words are symbols; `sizes`: of the
    symbols, for each reference."""
    graph = helper.make_graph(
        [helper.make_node(op, i.split(), o.split(), name=o, **a) for op, i, o, a in nodes], name,
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in dict(constants).items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, f"{out}/{name}.onnx")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for k, known in enumerate(sizes):
        feeds = {n: rng.standard_normal([known.get(d, d) for d in s]).astype(np.float32)
                 for n, s in shapes.items()}
        np.savez(f"{out}/{name}_{k}.npz", **feeds, y=session.run(None, feeds)[0])


QK, SOFTMAX, PV = ("MatMul", "q k", "s", {}), ("Softmax", "s", "p", {"axis": -1}), ("MatMul", "p v", "y", {})

# Rows that do and do not fill register blocks, one row, one key.
add("plain", [QK, SOFTMAX, PV], {"q": ["b", 3, "m", 16], "k": ["b", 3, 16, "n"], "v": ["b", 3, "n", 24]},
    [dict(b=1, m=64, n=64), dict(b=2, m=1, n=33), dict(b=1, m=75, n=1), dict(b=1, m=130, n=300)])
add("static", [QK, SOFTMAX, PV], {"q": [4, 197, 64], "k": [4, 64, 197], "v": [4, 197, 64]}, [{}])

# Heads are the third dimension of what the projections make, and of the result.
add("heads", [("Transpose", "x", "q", {"perm": [0, 2, 1, 3]}), ("Transpose", "z", "k", {"perm": [0, 2, 3, 1]}),
              ("Transpose", "w", "v", {"perm": [0, 2, 1, 3]}), QK, ("Mul", "s scale", "t", {}),
              ("Add", "t mask", "u", {}), ("Softmax", "u", "p", {"axis": -1}), ("MatMul", "p v", "h", {}),
              ("Transpose", "h", "i", {"perm": [0, 2, 1, 3]}), ("Reshape", "i shape", "y", {})],
    {"x": ["b", "m", 4, 32], "z": ["b", "n", 4, 32], "w": ["b", "n", 4, 32], "mask": ["b", 1, "m", "n"]},
    [dict(b=1, m=64, n=64), dict(b=3, m=17, n=29), dict(b=2, m=1, n=100)],
    dict(scale=np.float32(0.17), shape=np.array([0, 0, 128], np.int64)))

# Causal: what lies behind is masked by a choice.
add("causal", [QK, ("Shape", "s", "all", {}), ("Gather", "all two", "m", {}), ("Gather", "all three", "n", {}),
               ("Range", "zero m one", "i", {}), ("Range", "zero n one", "j", {}), ("Unsqueeze", "i last", "ii", {}),
               ("GreaterOrEqual", "ii j", "seen", {}), ("Where", "seen s low", "t", {}),
               ("Softmax", "t", "p", {"axis": -1}), PV],
    {"q": ["b", 2, "m", 8], "k": ["b", 2, 8, "m"], "v": ["b", 2, "m", 8]},
    [dict(b=1, m=40), dict(b=2, m=7)],
    dict(two=np.int64(2), three=np.int64(3), zero=np.int64(0), one=np.int64(1), last=np.array([1], np.int64),
         low=np.float32(-1e9)))

# Two heads of queries for each of the keys.
add("grouped", [("Unsqueeze", "k0 two", "k1", {}), ("Expand", "k1 groups", "k2", {}), ("Reshape", "k2 keys", "k", {}),
                ("Unsqueeze", "v0 two", "v1", {}), ("Expand", "v1 groups", "v2", {}), ("Reshape", "v2 values", "v", {}),
                QK, SOFTMAX, PV],
    {"q": [1, 6, "m", 16], "k0": [1, 3, 16, "n"], "v0": [1, 3, "n", 16]}, [dict(m=30, n=50), dict(m=1, n=9)],
    dict(two=np.array([2], np.int64), groups=np.array([1, 1, 2, 1, 1], np.int64),
         keys=np.array([1, 6, 16, -1], np.int64), values=np.array([1, 6, -1, 16], np.int64)))

# The probabilities are an output of the model's inside too: read twice.
add("twice", [QK, SOFTMAX, ("MatMul", "p v", "a", {}), ("ReduceSum", "p axes", "c", {"keepdims": 1}),
              ("Add", "a c", "y", {})],
    {"q": [2, "m", 16], "k": [2, 16, "n"], "v": [2, "n", 16]}, [dict(m=30, n=50)],
    dict(axes=np.array([-1], np.int64)))

# No exponentials: what is over the row is any elementwise op.
add("linear", [QK, ("Relu", "s", "p", {}), PV], {"q": [2, "m", 16], "k": [2, 16, "n"], "v": [2, "n", 16]},
    [dict(m=30, n=50), dict(m=100, n=7)])
