# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""operators.py OUT

Writes models of single operators to OUT/NAME.onnx, and inputs with right outputs
to OUT/NAME_k.npz: what ONNX's own tests leave out, as sizes that take another
way through the lowering. Outputs are NumPy's or ONNX Runtime's.
"""
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

out = sys.argv[1]
rng = np.random.default_rng(0)


def add(name, op, feeds, results=None, shapes=None, constants=(), domain="", opset=20, **attributes):
    """A model of one node; outputs of each of `feeds` by `results` or ONNX
    Runtime. `shapes` of the inputs where they are symbolic."""
    feeds = [{k: np.asarray(v) for k, v in feed.items()} for feed in feeds]
    names = list(feeds[0])
    expected = [results(**feed) for feed in feeds] if results else None
    count = len(expected[0]) if expected else attributes.pop("outputs", 1)
    outputs = [f"y{i}" for i in range(count)]
    inputs = [n if n != "none" else "" for n in [*names, *dict(constants)]]
    node = helper.make_node(op, inputs, outputs, domain=domain, **attributes)
    kind = lambda array: helper.np_dtype_to_tensor_dtype(array.dtype)
    graph = helper.make_graph(
        [node], name,
        [helper.make_tensor_value_info(n, kind(feeds[0][n]), (shapes or {}).get(n, feeds[0][n].shape))
         for n in names],
        [helper.make_tensor_value_info(o, kind(expected[0][i]) if expected else attributes_of(op, i), None)
         for i, o in enumerate(outputs)],
        [numpy_helper.from_array(np.asarray(v), n) for n, v in dict(constants).items()])
    model = helper.make_model(graph, opset_imports=[
        helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 3)], ir_version=9 if opset <= 20 else 10)
    onnx.save(model, f"{out}/{name}.onnx")
    for k, feed in enumerate(feeds):
        made = expected[k] if expected else onnxruntime.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, feed)
        np.savez(f"{out}/{name}_{k}.npz", **feed, **dict(zip(outputs, made)))


def attributes_of(op, output):
    """The element type of an output."""
    labels = op.endswith("Classifier") and output == 0
    return onnx.TensorProto.INT64 if labels else onnx.TensorProto.FLOAT


def parts(z, dtype):
    return np.stack([z.real, z.imag], -1).astype(dtype)


# Fourier: a matrix, products of lengths, and a long prime.
for n in (64, 400, 1000, 257):
    x = rng.standard_normal((2, n, 2)).astype(np.float32)
    add(f"dft{n}", "DFT", [{"x": x}],
        lambda x: [parts(np.fft.fft(x[..., 0] + 1j * x[..., 1], axis=1), np.float32)])
    add(f"inverse{n}", "DFT", [{"x": x.astype(np.float64)}],
        lambda x: [parts(np.fft.ifft(x[..., 0] + 1j * x[..., 1], axis=1), np.float64)], inverse=1)

# Remainders whose quotients are larger than any double.
x = rng.standard_normal(4096) * 10.0 ** rng.integers(-300, 300, 4096)
y = rng.standard_normal(4096) * 10.0 ** rng.integers(-320, 300, 4096)
y[:3] = 5e-324, np.inf, 1e308
add("fmod", "Mod", [{"x": x, "y": y}], lambda x, y: [np.fmod(x, y)], fmod=1)

# Transposes: squares in registers, and what is left at the edges.
for dtype in (np.float32, np.float64, np.float16, np.int8, np.int64, np.bool_):
    add(f"transpose-{np.dtype(dtype).name}", "Transpose",
        [{"x": rng.integers(0, 2, shape).astype(dtype)} for shape in ((2, 37, 53), (1, 16, 16), (3, 5, 1), (1, 1, 70))],
        lambda x: [x.transpose(0, 2, 1)], shapes={"x": ["a", "b", "c"]}, perm=[0, 2, 1])

# Heaps: more elements than are kept, all of them, equal ones, a symbolic size.
x = rng.integers(0, 50, (7, 300)).astype(np.float32)


def top(x, k, axis):
    order = np.argsort(-x, axis=axis, kind="stable")
    order = np.take(order, np.arange(k), axis)
    return [np.take_along_axis(x, order, axis), order.astype(np.int64)]


for k in (1, 17, 300):
    add(f"topk{k}", "TopK", [{"x": x}], lambda x, k=k: top(x, k, 1),
        shapes={"x": ["a", "b"]}, constants={"k": np.array([k])})
add("topk-columns", "TopK", [{"x": x}], lambda x: top(x, 3, 0), constants={"k": np.array([3])}, axis=0)


# Updates that hit one element several times, in order.
def scatter(data, i, u):
    made = data.copy()
    np.add.at(made, tuple(np.moveaxis(i, -1, 0)), u)
    return [made]


data = rng.standard_normal((20, 30)).astype(np.float32)
add("scatter-nd", "ScatterND",
    [{"data": data, "i": rng.integers(0, 20, (500, 1)), "u": np.ones((500, 30), np.float32)}], scatter,
    reduction="add")
add("determinant", "Det", [{"x": rng.standard_normal((3, 9, 9))}], lambda x: [np.linalg.det(x)])




# Groups of channels whose number is known, or not.
def normalize_groups(x, scale, bias):
    grouped = x.reshape(x.shape[0], 2, -1).astype(np.float64)
    grouped = (grouped - grouped.mean(2, keepdims=True)) / np.sqrt(grouped.var(2, keepdims=True) + 1e-5)
    per_channel = lambda v: v.reshape(-1, *[1] * (x.ndim - 2))
    return [(grouped.reshape(x.shape) * per_channel(scale) + per_channel(bias)).astype(np.float32)]


for name, channels in (("known", 6), ("unknown", "c")):
    add(f"groups-{name}", "GroupNormalization",
        [{"x": rng.standard_normal((n, c, *space)).astype(np.float32), "scale": rng.standard_normal(c).astype(np.float32),
          "bias": rng.standard_normal(c).astype(np.float32)}
         for n, c, space in ((2, 6, (5, 7)), (1, 6 if channels == 6 else 34, (1, 3)))], normalize_groups,
        shapes={"x": ["n", channels, "h", "w"], "scale": [channels], "bias": [channels]}, opset=21, num_groups=2)

# Trees: three of depth five, with every kind of test.
def trees(kind, targets, modes):
    lists = {k: [] for k in ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids",
                             "falsenodeids", "missing_value_tracks_true")}
    leaves = {k: [] for k in ("treeids", "nodeids", "ids", "weights")}
    for tree in range(3):
        for node in range(63):
            leaf = node >= 31
            row = (tree, node, int(rng.integers(4)), float(rng.integers(-2, 3)),
                   "LEAF" if leaf else modes[int(rng.integers(len(modes)))],
                   0 if leaf else 2 * node + 1, 0 if leaf else 2 * node + 2, int(rng.integers(2)))
            for key, value in zip(lists, row):
                lists[key].append(value)
            for target in range(targets if leaf else 0):
                for key, value in zip(leaves, (tree, node, target, float(rng.standard_normal()))):
                    leaves[key].append(value)
    return {**{f"nodes_{k}": v for k, v in lists.items()}, **{f"{kind}_{k}": v for k, v in leaves.items()}}


ALL = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ"]
x = rng.integers(-3, 4, (100, 4)).astype(np.float32)
x[::9, 1] = np.nan
for how in ("SUM", "AVERAGE", "MIN", "MAX"):
    add(f"trees-{how.lower()}", "TreeEnsembleRegressor", [{"x": x}], domain="ai.onnx.ml", n_targets=2,
        aggregate_function=how, base_values=[0.5, -1.0], **trees("target", 2, ["BRANCH_LEQ"] if how == "SUM" else ALL))
for transform in ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"):
    add(f"classes-{transform.lower()}", "TreeEnsembleClassifier", [{"x": x}], domain="ai.onnx.ml", outputs=2,
        classlabels_int64s=[7, 3, 5], post_transform=transform, **trees("class", 3, ALL))
