# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""large_graphs.py OUT

Writes models of many nodes to OUT/NAME.onnx, and an input with its outputs to
OUT/NAME_0.npz. They are deep, or wide, and small otherwise.
"""
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

F = TensorProto.FLOAT
value = helper.make_tensor_value_info
rng = np.random.default_rng(0)
out = sys.argv[1]


class Graph:
    """Nodes with what they compute: each value is its name and an array."""

    def __init__(self, shape, dims=None):
        self.nodes, self.weights = [], []
        self.feed = (rng.random(shape) - 0.5).astype(np.float32)
        self.input = value("x", F, dims or shape)
        self.x = ("x", self.feed)

    def weight(self, *shape, scale=1.0):
        array = ((rng.random(shape) - 0.5) * scale / np.sqrt(shape[0])).astype(np.float32)
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(array, name))
        return name, array

    def add(self, op, inputs, compute, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, [i[0] for i in inputs], [name],
                                           name=f"{op}{len(self.nodes)}", **attributes))
        return name, compute(*[i[1] for i in inputs]).astype(np.float32)

    def relu(self, a):
        return self.add("Relu", [a], lambda x: np.maximum(x, 0))

    def sum(self, a, b):
        return self.add("Add", [a, b], np.add)

    def product(self, a, b):
        return self.add("MatMul", [a, b], np.matmul)

    def softmax(self, a):
        return self.add("Softmax", [a], lambda x: np.exp(x) / np.exp(x).sum(-1, keepdims=True),
                        axis=-1)

    def save(self, name, result, dims=None):
        """Writes the graph and what it computes."""
        graph = helper.make_graph(
            self.nodes, name, [self.input],
            [value(result[0], F, dims or result[1].shape)], self.weights)
        model = helper.make_model(graph, ir_version=8,
                                  opset_imports=[helper.make_opsetid("", 17)])
        onnx.save(model, f"{out}/{name}.onnx")
        np.savez(f"{out}/{name}_0.npz", **{self.input.name: self.feed, result[0]: result[1]})


# Elementwise nodes, one after the other.
g = Graph((4, 8))
v, step = g.x, ("step", np.float32(1e-3))
g.weights.append(numpy_helper.from_array(np.array(step[1]), "step"))
for i in range(5000):
    v = g.add("Neg", [v], np.negative) if i % 2 else g.sum(v, step)
g.save("chain", v)

# Layers that add to what goes past them; with a symbol, sizes are many too.
for name, dims in (("residual", None), ("symbolic", ["batch", 8])):
    g = Graph((4, 8), dims)
    v = g.x
    for _ in range(1000):
        v = g.sum(v, g.product(g.relu(v), g.weight(8, 8, scale=0.1)))
    g.save(name, v, dims)

# The first kernel is part of the last one.
g = Graph((4, 8))
first, v, w = g.relu(g.x), g.x, g.weight(8, 8)
for _ in range(3000):
    v = g.softmax(g.product(v, w))
g.save("past", g.sum(v, first))

# Branches, put together and added up.
g = Graph((2, 8))
parts = [g.product(g.x, g.weight(8, 4)) for _ in range(500)]
joined = g.add("Concat", parts, lambda *x: np.concatenate(x, 1), axis=1)
g.save("branches", g.product(joined, g.weight(2000, 4)))

# The body of a loop of two steps, the second of which is computed to be known.
g = Graph((4, 8))
w = g.weight(8, 8)
v = g.x
for _ in range(200):
    v = g.softmax(g.product(v, w))
body, last = list(g.nodes), v[0]
for _ in range(200):
    v = g.softmax(g.product(v, w))
boolean = TensorProto.BOOL
graph = helper.make_graph(
    [helper.make_node("Identity", ["go"], ["on"])] + body, "body",
    [value("step", TensorProto.INT64, []), value("go", boolean, []), value("x", F, [4, 8])],
    [value("on", boolean, []), value(last, F, [4, 8])])
g.weights.append(numpy_helper.from_array(np.array(2), "steps"))
g.input = value("start", F, [4, 8])
g.nodes = [helper.make_node("Loop", ["steps", "", "start"], ["end"], body=graph)]
g.save("loop", ("end", v[1]))
