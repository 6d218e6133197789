# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""precision.py LATHE

Prints the errors of convolutions, strict and relaxed, against the same in double
precision: for normal inputs, and weights scaled so that results are about one.
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


def convolve(x, w):
    """In double precision, with so much padding that the image keeps its size."""
    taps = w.shape[-1]
    pad = (taps // 2, (taps - 1) // 2)
    x = np.pad(x.astype(np.float64), [(0, 0), (0, 0), pad, pad])
    windows = np.lib.stride_tricks.sliding_window_view(x, (taps, taps), (2, 3))
    return np.einsum("nchwrs,kcrs->nkhw", windows, w.astype(np.float64),
                     optimize=True)


def main(lathe):
    rng = np.random.default_rng(0)
    print("| channels | image | taps | algorithm | largest | root mean square | "
          "strict: largest | root mean square |")
    print("|---|---|---|---|---|---|---|---|")
    for channels, side, taps in SHAPES:
        w = rng.standard_normal((channels, channels, taps, taps))
        w = (w / np.sqrt(channels * taps * taps)).astype(np.float32)
        x = rng.standard_normal((1, channels, side, side)).astype(np.float32)
        value = [1, channels, side, side]
        graph = helper.make_graph(
            [helper.make_node("Conv", ["x", "w"], ["y"], pads=[taps // 2] * 2 + [(taps - 1) // 2] * 2)],
            "conv", [helper.make_tensor_value_info("x", TensorProto.FLOAT, value)],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, value)],
            [numpy_helper.from_array(w, "w")])
        expected = convolve(x, w)
        cells = []
        with tempfile.TemporaryDirectory() as folder:
            model = f"{folder}/conv.onnx"
            onnx.save(helper.make_model(
                graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), model)
            np.save(f"{folder}/x.npy", x)
            for precision in ("relaxed", "strict"):
                subprocess.run(
                    [lathe, "run", model, f"--precision={precision}", "--input",
                     f"x={folder}/x.npy", "--output", f"y={folder}/y.npy"],
                    check=True, capture_output=True)
                error = np.abs(np.load(f"{folder}/y.npy") - expected)
                cells += [f"{error.max():.1e}", f"{np.sqrt((error**2).mean()):.1e}"]
            subprocess.run([lathe, "compile", model, "--precision=relaxed", "-o",
                            f"{folder}/conv.mlir"], check=True, capture_output=True)
            with open(f"{folder}/conv.mlir") as text:
                tile = re.search(r"#lathe\.winograd<(\d)>", text.read())
        name = f"F({tile[1]}x{tile[1]}, {taps}x{taps})" if tile else "direct"
        print(f"| {channels} | {side} | {taps} | {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    main(sys.argv[1])
