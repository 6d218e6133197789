# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""precision.py LATHE

Prints the errors of convolutions, strict and relaxed, and of products of matrices
with factors stored as 16-bit floats, against the same in double precision: for
normal inputs, and weights scaled so that results are about one.
"""
import re
import subprocess
import sys
import tempfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

# Channels, height and width, taps.
SHAPES = [(64, 56, 3), (128, 28, 3), (256, 14, 3), (512, 14, 3), (512, 7, 3),
          (64, 27, 5), (192, 27, 5), (64, 28, 2), (64, 28, 4)]


# Terms of the sums of a product of matrices.
DEPTHS = [256, 768, 3072]

# Options, and what they do to a product. The processors are those that a
# machine with AVX-512 can run.
PRODUCTS = [(["--precision=strict"], "strict"),
            (["--precision=f16"], "f16: weights rounded"),
            (["--precision=bf16", "--cpu=x86-64-v4"], "bf16: weights rounded"),
            (["--precision=bf16", "--cpu=native"], "bf16, as on this processor")]


def convolve(x, w):
    """In double precision, with so much padding that the image keeps its size."""
    taps = w.shape[-1]
    pad = (taps // 2, (taps - 1) // 2)
    x = np.pad(x.astype(np.float64), [(0, 0), (0, 0), pad, pad])
    windows = np.lib.stride_tricks.sliding_window_view(x, (taps, taps), (2, 3))
    return np.einsum("nchwrs,kcrs->nkhw", windows, w.astype(np.float64),
                     optimize=True)


def save_model(path, node, x, w, y):
    """A model of one node that reads `x` and the constant `w`; `x` and `y` are
    shapes."""
    graph = helper.make_graph(
        [node], "one", [helper.make_tensor_value_info("x", TensorProto.FLOAT, x)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, y)],
        [numpy_helper.from_array(w, "w")])
    onnx.save(helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)


def measure(lathe, model, options, x, expected):
    """The largest and the root mean square error, as text."""
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/x.npy", x)
        subprocess.run([lathe, "run", model, *options, "--input", f"x={folder}/x.npy",
                        "--output", f"y={folder}/y.npy"], check=True, capture_output=True)
        error = np.abs(np.load(f"{folder}/y.npy") - expected)
    return [f"{error.max():.1e}", f"{np.sqrt((error**2).mean()):.1e}"]


def print_convolutions(lathe, rng):
    print("| channels | image | taps | algorithm | largest | root mean square | "
          "strict: largest | root mean square |")
    print("|---|---|---|---|---|---|---|---|")
    for channels, side, taps in SHAPES:
        w = rng.standard_normal((channels, channels, taps, taps))
        w = (w / np.sqrt(channels * taps * taps)).astype(np.float32)
        x = rng.standard_normal((1, channels, side, side)).astype(np.float32)
        pads = [taps // 2] * 2 + [(taps - 1) // 2] * 2
        expected = convolve(x, w)
        cells = []
        with tempfile.TemporaryDirectory() as folder:
            model = f"{folder}/conv.onnx"
            save_model(model, helper.make_node("Conv", ["x", "w"], ["y"], pads=pads),
                       x.shape, w, x.shape)
            for precision in ("relaxed", "strict"):
                cells += measure(lathe, model, [f"--precision={precision}"], x, expected)
            subprocess.run([lathe, "compile", model, "--precision=relaxed", "-o",
                            f"{folder}/conv.mlir"], check=True, capture_output=True)
            with open(f"{folder}/conv.mlir") as text:
                tile = re.search(r"#lathe\.winograd<(\d)>", text.read())
        name = f"F({tile[1]}x{tile[1]}, {taps}x{taps})" if tile else "direct"
        print(f"| {channels} | {side} | {taps} | {name} | {' | '.join(cells)} |")


def print_products(lathe, rng):
    print("| terms | | largest | root mean square |")
    print("|---|---|---|---|")
    for depth in DEPTHS:
        w = (rng.standard_normal((depth, 256)) / np.sqrt(depth)).astype(np.float32)
        x = rng.standard_normal((64, depth)).astype(np.float32)
        expected = x.astype(np.float64) @ w.astype(np.float64)
        with tempfile.TemporaryDirectory() as folder:
            model = f"{folder}/product.onnx"
            save_model(model, helper.make_node("MatMul", ["x", "w"], ["y"]), x.shape, w,
                       [64, 256])
            for options, text in PRODUCTS:
                cells = measure(lathe, model, options, x, expected)
                print(f"| {depth} | {text} | {' | '.join(cells)} |")


def main(lathe):
    rng = np.random.default_rng(0)
    print_convolutions(lathe, rng)
    print()
    print_products(lathe, rng)


if __name__ == "__main__":
    main(sys.argv[1])
