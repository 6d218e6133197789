# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""concat.py OUT

Writes models with concatenations to OUT/NAME.onnx, with ONNX Runtime's outputs
at several sizes in OUT/NAME_k.npz.
"""
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

out = sys.argv[1]
rng = np.random.default_rng(0)


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs.split(), outputs.split(), name=outputs.split()[0], **attributes)


def add(name, nodes, shapes, sizes=({},), constants=(), outputs="y", kind=TensorProto.FLOAT):
    """`shapes`: inputs and their shapes, where words are symbols; `sizes`: of the
    symbols, for each reference."""
    constants = {n: np.asarray(v) for n, v in dict(constants).items()}
    graph = helper.make_graph(
        nodes, name, [helper.make_tensor_value_info(n, kind, s) for n, s in shapes.items()],
        [helper.make_tensor_value_info(o, kind, None) for o in outputs.split()],
        [numpy_helper.from_array(v, n) for n, v in constants.items()])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, f"{out}/{name}.onnx")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    dtype = helper.tensor_dtype_to_np_dtype(kind)
    for k, known in enumerate(sizes):
        feeds = {n: (4 * rng.standard_normal([known.get(d, d) for d in s])).astype(dtype)
                 for n, s in shapes.items()}
        np.savez(f"{out}/{name}_{k}.npz", **feeds, **dict(zip(outputs.split(), session.run(None, feeds))))


def conv(inputs, output, filters, channels, size=1):
    """A convolution with an activation, and its weight."""
    source, weight = inputs.split()
    nodes = [node("Conv", f"{source} {weight}", f"{output}_conv", kernel_shape=[size, size], pads=[size // 2] * 4),
             node("Relu", f"{output}_conv", output)]
    scale = 1 / np.sqrt(channels * size * size)
    return nodes, {weight: (scale * rng.standard_normal((filters, channels, size, size))).astype(np.float32)}


def network(*layers):
    """The nodes and weights of convolutions (tuples) and nodes, in order."""
    nodes, weights = [], {}
    for layer in layers:
        if isinstance(layer, tuple):
            made, more = conv(*layer)
            nodes += made
            weights.update(more)
        else:
            nodes.append(layer)
    return nodes, weights


IMAGE = {"x": [1, 16, 21, 19]}
IMAGES = {"x": ["n", 16, "h", "w"]}
SIZES = [dict(n=1, h=21, w=19), dict(n=2, h=8, w=33), dict(n=3, h=1, w=1)]

# Convolutions of one input, side by side.
fire, weights = network(("x w0", "s", 16, 16), ("s w1", "a", 64, 16), ("s w2", "b", 48, 16, 3),
                        node("Concat", "a b", "c", axis=1), ("c w3", "y", 16, 112))
add("fire", fire, IMAGE, constants=weights)
add("fire_symbolic", fire, IMAGES, SIZES, weights)

# A part that others read, too: a convolution, an addition, the caller.
readers, weights = network(("x w0", "a", 32, 16), ("a w1", "b", 32, 32, 3), node("Concat", "a b", "c", axis=1),
                           ("a w2", "d", 64, 32, 3), node("Add", "c d", "e"), node("MaxPool", "a", "p", kernel_shape=[1, 1]),
                           node("Concat", "e p", "y", axis=1))
add("readers", readers, IMAGE, constants=weights)
add("readers_symbolic", readers, IMAGES, SIZES, weights)
add("results", readers, IMAGES, SIZES, weights, outputs="a c y")

# Concatenations that grow, as lists and one of another.
dense, weights = [], {}
for style in ("list", "nested"):
    layers, names, last = [("x w", "f0", 32, 16)], ["f0"], "f0"
    for i in range(1, 6):
        layers += [node("Sigmoid", last, f"t{i}"), (f"t{i} w{i}", f"f{i}", 16, 16 * (i + 1), 3)]
        names.append(f"f{i}")
        layers.append(node("Concat", " ".join(names) if style == "list" else f"{last} f{i}", f"c{i}", axis=1))
        last = f"c{i}"
    layers.append(("c5 v", "y", 24, 112))
    dense, weights = network(*layers)
    add(f"dense_{style}", dense, IMAGE, constants=weights)
    add(f"dense_{style}_symbolic", dense, IMAGES, SIZES, weights)

# One part of several, in other orders, and twice in one.
shared, weights = network(("x w0", "a", 32, 16), ("x w1", "b", 32, 16), node("Concat", "a b", "c", axis=1),
                          node("Concat", "b a", "d", axis=1), node("Concat", "a a", "e", axis=1), node("Sum", "c d e", "y"))
add("shared", shared, IMAGE, constants=weights)
add("shared_symbolic", shared, IMAGES, SIZES, weights)

# An input, a weight, slices, what others read.
mixed = [node("Exp", "x", "a"), node("Split", "a", "s t", axis=1), node("Mul", "t two", "u"),
         node("Concat", "x s u z a", "c", axis=1), node("Tanh", "c", "y")]
add("mixed", mixed, {"x": [200, 64]}, constants=dict(
    two=np.float32(2), z=rng.standard_normal((200, 16)).astype(np.float32)))

# What is no loop nest, and what reads at computed places.
grid = [node("TopK", "x k", "v i"), node("Exp", "x", "e"), node("Concat", "v e", "c", axis=1), node("Gather", "v at", "g", axis=0),
        node("Softmax", "v", "s", axis=0), node("Concat", "c g s", "y", axis=1)]
add("grid", grid, {"x": [40, 48]}, constants=dict(k=np.array([20], np.int64), at=rng.integers(0, 40, 40)))

# Along other axes: rows side by side, blocks one after the other, both.
axes = [node("Exp", "x", "a"), node("Neg", "x", "b"), node("Concat", "a b", "c", axis=1), node("Concat", "b a", "e", axis=1),
        node("Concat", "c e", "f", axis=2), node("Tanh", "f", "y")]
add("axes", axes, {"x": [3, 5, 32]})
add("axes_symbolic", axes, {"x": ["n", "m", "k"]}, [dict(n=3, m=5, k=32), dict(n=1, m=1, k=7), dict(n=1, m=4, k=64)])
first = [node("Exp", "x", "a"), node("Neg", "z", "b"), node("Concat", "a b", "c", axis=0), node("Reshape", "c wide", "d"),
         node("Softmax", "d", "y", axis=-1)]
add("first", first, {"x": ["n", 8], "z": ["m", 8]}, [dict(n=3, m=5), dict(n=1, m=7)],
    dict(wide=np.array([-1, 4], np.int64)))
last = [node("Exp", "x", "a"), node("Neg", "z", "b"), node("Concat", "a b", "c", axis=-1), node("Tanh", "c", "y")]
add("last", last, {"x": ["n", "k"], "z": ["n", "l"]}, [dict(n=3, k=50, l=5), dict(n=17, k=1, l=70)])
views = [node("Exp", "x", "a"), node("Reshape", "a flat", "v"), node("Neg", "z", "b"), node("Reshape", "b flat", "w"),
         node("Concat", "v w", "c", axis=1), node("Transpose", "c", "t", perm=[0, 2, 1]), node("Tanh", "t", "y")]
add("views", views, {"x": [1, 6, 6, 4], "z": [1, 3, 3, 4]}, constants=dict(flat=np.array([1, -1, 4], np.int64)))

# Whole numbers, narrow ones.
kinds = [node("Abs", "x", "a"), node("Neg", "x", "b"), node("Concat", "a b x", "c", axis=1), node("Sign", "c", "s"),
         node("Mul", "s c", "y")]
add("int64", kinds, {"x": [7, 12]}, kind=TensorProto.INT64)
add("int8", kinds, {"x": [7, 130]}, kind=TensorProto.INT8)
add("double", kinds, {"x": [2, 33, 9]}, kind=TensorProto.DOUBLE)

# Far apart: what is read again on the way back.
unet, weights = network(
    ("x w0", "a", 16, 16, 3), node("MaxPool", "a", "p", kernel_shape=[2, 2], strides=[2, 2]), ("p w1", "b", 32, 16, 3),
    node("MaxPool", "b", "q", kernel_shape=[2, 2], strides=[2, 2]), ("q w2", "m", 32, 32, 3),
    node("ConvTranspose", "m t0", "u", strides=[2, 2]), node("Concat", "b u", "c", axis=1), ("c w3", "d", 16, 64, 3),
    node("Resize", "d none scales", "r", mode="nearest"), node("Concat", "r a", "e", axis=1), ("e w4", "y", 8, 32, 3))
unet[next(i for i, n in enumerate(unet) if n.op_type == "Resize")].input[1] = ""
add("unet", unet, {"x": [1, 16, 32, 24]}, constants=dict(
    weights, t0=rng.standard_normal((32, 32, 2, 2)).astype(np.float32) / 8, scales=np.array([1, 1, 2, 2], np.float32)))


# Inside of control flow: in a branch that yields it, from step to step.
def body(name, nodes, inputs, outputs):
    return helper.make_graph(nodes, name, inputs, [helper.make_tensor_value_info(o, t, s) for o, t, s in outputs])


FLOAT = TensorProto.FLOAT
then = body("then", [node("Exp", "a", "e"), node("Concat", "a e", "r", axis=1)], [], [("r", FLOAT, None)])
other = body("else", [node("Neg", "a", "n"), node("Concat", "n a", "o", axis=1)], [], [("o", FLOAT, None)])
branch = [node("Tanh", "x", "a"), node("ReduceMax", "x", "m", keepdims=0), node("Greater", "m limit", "more"),
          node("If", "more", "i", then_branch=then, else_branch=other), node("Add", "i one", "y")]
for limit in (-100, 100):
    add(f"branch{'_not' if limit > 0 else ''}", branch, {"x": [5, 48]},
        constants=dict(limit=np.float32(limit), one=np.float32(1)))
step = body("step", [node("Tanh", "s", "t"), node("Sigmoid", "s", "g"), node("Concat", "t g", "c", axis=1),
                     node("MatMul", "c w", "n"), node("Concat", "g n", "o", axis=1), node("Identity", "more", "again")],
            [helper.make_tensor_value_info("i", TensorProto.INT64, []),
             helper.make_tensor_value_info("more", TensorProto.BOOL, []), helper.make_tensor_value_info("s", FLOAT, [3, 32])],
            [("again", TensorProto.BOOL, []), ("n", FLOAT, [3, 32]), ("o", FLOAT, [3, 64])])
loop = [node("Exp", "x", "a"), node("Neg", "x", "b"), node("Concat", "a b", "start", axis=1),
        node("Loop", "four true start", "e y", body=step), node("Concat", "e a", "z", axis=1)]
add("loop", loop, {"x": [3, 16]}, outputs="y z", constants=dict(
    four=np.int64(4), true=np.bool_(True), w=rng.standard_normal((64, 32)).astype(np.float32) / 8))
