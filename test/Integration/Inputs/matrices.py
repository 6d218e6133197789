# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""matrices.py LATHE OUT CPU OTHER_CPU

Compiles models with sums of products of bytes for both processors and runs them,
fused and unfused, on one thread and on two. Stops where results are not the
same bits. Prints what the first processor sums up by.
"""
import itertools
import json
import os
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

lathe, out, *cpus = sys.argv[1:]
rng = np.random.default_rng(0)
TYPES = {np.dtype(t): helper.np_dtype_to_tensor_dtype(np.dtype(t))
         for t in (np.uint8, np.int8, np.int32, np.float32)}


def bytes_of(dtype, *shape):
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max + 1, shape, dtype)


def run(*command):
    done = subprocess.run([lathe, *command], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{' '.join(command)}:\n{done.stdout}{done.stderr}")
    return done.stdout


def check(name, nodes, x, shape, y, constants, sizes=(None,)):
    """`shape` is that of input "x", of type `x`; output "y" has type `y`."""
    graph = helper.make_graph(
        [helper.make_node(op, i.split(), o.split(), **attributes)
         for op, i, o, attributes in nodes], name,
        [helper.make_tensor_value_info("x", TYPES[np.dtype(x)], shape)],
        [helper.make_tensor_value_info("y", TYPES[np.dtype(y)], None)],
        [numpy_helper.from_array(np.asarray(v), k) for k, v in constants.items()])
    model = f"{out}/{name}.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)],
                                ir_version=8), model)
    steps = json.loads(run("inspect", "--json=-", model, f"--cpu={cpus[0]}"))["steps"]
    print(name + ":", *sorted({kind for step in steps for kind in step.get("sums", [])}))
    for fusion in ("all", "none"):
        for i, cpu in enumerate(cpus):
            run("compile", model, f"--cpu={cpu}", f"--fusion={fusion}", "-o", f"{out}/{i}.so")
        for n, threads in itertools.product(sizes, (1, 2)):
            full = [n if d == "n" else d for d in shape]
            values = bytes_of(x, *full) if x != np.float32 else \
                rng.standard_normal(full).astype(x)
            np.save(f"{out}/x.npy", values)
            results = []
            for i in range(2):
                run("run", f"{out}/{i}.so", f"--input=x={out}/x.npy",
                    f"--threads={threads}", f"--output=y={out}/y.npy")
                results.append(np.load(f"{out}/y.npy"))
            if results[0].tobytes() != results[1].tobytes():
                sys.exit(f"{name}, {fusion}, n={n}, {threads} threads: expected the same bits")


os.makedirs(out, exist_ok=True)
scale = np.float32(0.01)
u8, i8, f32 = np.uint8, np.int8, np.float32
# Products of matrices: bytes of either sign, ragged sizes, known and not.
for name, left in (("unsigned", u8), ("signed", i8)):
    check(name, [("MatMulInteger", "x w z", "y", {})], left, ["n", 148], np.int32,
          {"w": bytes_of(i8, 148, 75), "z": left(7)}, sizes=(1, 5, 47, 100))
check("known", [("MatMulInteger", "x w", "y", {})], u8, [45, 256], np.int32,
      {"w": bytes_of(i8, 256, 64)})
check("row", [("MatMulInteger", "x w", "y", {})], u8, [1, 256], np.int32,
      {"w": bytes_of(i8, 256, 64)})
check("dynamic",
      [("DynamicQuantizeLinear", "x", "q s z", {}), ("MatMulInteger", "q w z", "i", {}),
       ("Cast", "i", "c", {"to": TensorProto.FLOAT}), ("Mul", "c s", "m", {}),
       ("Add", "m b", "a", {}), ("Relu", "a", "y", {})],
      f32, ["n", 96], f32, {"w": bytes_of(i8, 96, 72), "b": rng.standard_normal(72).astype(f32)},
      sizes=(3, 40))
check("gemm",
      [("QuantizeLinear", "x s z", "q", {}), ("DequantizeLinear", "q s z", "d", {}),
       ("DequantizeLinear", "w s z", "v", {}), ("Gemm", "d v b", "g", {"transB": 1}),
       ("Relu", "g", "r", {}), ("QuantizeLinear", "r t z", "y", {})],
      f32, ["n", 128], i8, {"s": scale, "t": f32(0.4), "z": i8(0), "w": bytes_of(i8, 48, 128),
                            "b": rng.standard_normal(48).astype(f32)}, sizes=(2, 33))
# Convolutions: points, windows with padding and strides, small images.
for name, left, image, channels, filters, taps, stride in (
        ("points", u8, 14, 64, 40, 1, 1), ("window", i8, 13, 32, 64, 3, 1),
        ("strided", u8, 14, 64, 33, 3, 2), ("large", u8, 37, 16, 64, 3, 1)):
    check(name, [("ConvInteger", "x w z", "y", {"pads": [taps // 2] * 4,
                                                "strides": [stride] * 2})],
          left, ["n", channels, image, image], np.int32,
          {"w": bytes_of(i8, filters, channels, taps, taps), "z": left(3)}, sizes=(1, 2))
check("linear", [("QLinearConv", "x s z w s z t z", "y", {"pads": [1] * 4})],
      i8, [1, 32, 20, 20], i8, {"s": scale, "t": f32(0.5), "z": i8(0),
                                "w": bytes_of(i8, 48, 32, 3, 3)})
