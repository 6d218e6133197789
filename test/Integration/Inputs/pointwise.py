# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""pointwise.py OUT

Writes depthwise convolutions and pooling before convolutions of 1x1 to
OUT/NAME.onnx, with ONNX Runtime's outputs at several sizes in OUT/NAME_k.npz.
"""
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

out = sys.argv[1]
rng = np.random.default_rng(0)


def add(name, nodes, shapes, sizes, constants=(), outputs=("y",)):
    """`shapes`: inputs and their shapes, where words are symbols; `sizes`: of the
    symbols, for each reference; `constants`: values, or shapes of random ones."""
    values = {n: numpy_helper.from_array(
        v if isinstance(v, np.ndarray) else (rng.standard_normal(v) / 4).astype(np.float32), n)
        for n, v in dict(constants).items()}
    graph = helper.make_graph(
        [helper.make_node(op, i.split(" "), o.split(), name=o, **a) for op, i, o, a in nodes], name,
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in shapes.items()],
        [helper.make_tensor_value_info(o, TensorProto.FLOAT, None) for o in outputs], list(values.values()))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, f"{out}/{name}.onnx")
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    for k, known in enumerate(sizes):
        feeds = {n: rng.standard_normal([known.get(d, d) for d in s]).astype(np.float32)
                 for n, s in shapes.items()}
        np.savez(f"{out}/{name}_{k}.npz", **feeds, **dict(zip(outputs, session.run(list(outputs), feeds))))


def depthwise(channels, kernel=3, stride=1, pad=1, inputs="x v b"):
    return ("Conv", inputs, "d", dict(group=channels, kernel_shape=[kernel, kernel], strides=[stride, stride],
                                      pads=[pad] * 4))


CLIP = ("Clip", "d low high", "a", {})
RANGE = dict(low=np.array(0, np.float32), high=np.array(6, np.float32))
PRODUCT = ("Conv", "a w c", "y", dict(kernel_shape=[1, 1]))

# As many columns as channels, so that tiles of both are alike, and a residual.
add("residual", [depthwise(64), CLIP, ("Conv", "a w c", "z", {}), ("Add", "z x", "y", {})],
    {"x": [1, 64, 60, 61]}, [{}], dict(v=(64, 1, 3, 3), b=(64,), w=(64, 64, 1, 1), c=(64,), **RANGE))
# Columns and rows that do not fill vectors and tiles, more images than one.
add("strided", [depthwise(40, kernel=5, stride=2, pad=2), CLIP, PRODUCT],
    {"x": [3, 40, 75, 83]}, [{}], dict(v=(40, 1, 5, 5), b=(40,), w=(23, 40, 1, 1), c=(23,), **RANGE))
# Nothing between the two; no padding.
add("plain", [depthwise(72, pad=0, inputs="x v"), ("Conv", "d w", "y", {})],
    {"x": [1, 72, 64, 64]}, [{}], dict(v=(72, 1, 3, 3), w=(136, 72, 1, 1)))
# An activation that reads its argument twice.
add("twice", [depthwise(64), ("HardSwish", "d", "a", {}), PRODUCT],
    {"x": [1, 64, 56, 56]}, [{}], dict(v=(64, 1, 3, 3), b=(64,), w=(24, 64, 1, 1), c=(24,)))
add("pooling", [("MaxPool", "x", "a", dict(kernel_shape=[3, 3], pads=[1] * 4)), PRODUCT],
    {"x": [1, 64, 57, 64]}, [{}], dict(w=(32, 64, 1, 1), c=(32,)))
add("batch", [depthwise(64), CLIP, PRODUCT], {"x": ["n", 64, 56, 56]}, [dict(n=1), dict(n=3)],
    dict(v=(64, 1, 3, 3), b=(64,), w=(32, 64, 1, 1), c=(32,), **RANGE))
# A factor for each channel, in the image's shape.
add("scaled", [depthwise(64), ("Mul", "d s", "a", {}), PRODUCT], {"x": [1, 64, 56, 56]}, [{}],
    dict(v=(64, 1, 3, 3), b=(64,), s=(64, 1, 1), w=(32, 64, 1, 1), c=(32,)))
# Bytes, of which it takes more pixels to fill a cache.
add("quantized", [("QuantizeLinear", "x xs xz", "q", {}),
                  ("QLinearConv", "q xs xz v vs zero ds dz", "d", dict(group=64, pads=[1] * 4)),
                  ("QLinearConv", "d ds dz w ws zero ys yz", "e", {}),
                  ("DequantizeLinear", "e ys yz", "y", {})],
    {"x": [1, 64, 96, 95]}, [{}],
    dict(xs=np.array(2**-5, np.float32), xz=np.array(120, np.uint8), v=rng.integers(-60, 60, (64, 1, 3, 3), np.int8),
         vs=np.array(2**-6, np.float32), zero=np.array(0, np.int8), ds=np.array(2**-4, np.float32),
         dz=np.array(127, np.uint8), w=rng.integers(-60, 60, (48, 64, 1, 1), np.int8), ws=np.array(2**-7, np.float32),
         ys=np.array(2**-3, np.float32), yz=np.array(128, np.uint8)))

# What the sizes decide stays apart, and is right all the same.
add("image", [depthwise(64), CLIP, PRODUCT], {"x": [1, 64, "h", "w"]}, [dict(h=57, w=56), dict(h=5, w=131)],
    dict(v=(64, 1, 3, 3), b=(64,), w=(32, 64, 1, 1), c=(32,), **RANGE))
add("small", [depthwise(64), CLIP, PRODUCT], {"x": [1, 64, 14, 14]}, [{}],
    dict(v=(64, 1, 3, 3), b=(64,), w=(32, 64, 1, 1), c=(32,), **RANGE))
add("output", [depthwise(64), CLIP, PRODUCT], {"x": [1, 64, 56, 56]}, [{}],
    dict(v=(64, 1, 3, 3), b=(64,), w=(32, 64, 1, 1), c=(32,), **RANGE), outputs=("y", "a"))
