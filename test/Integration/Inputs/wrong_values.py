# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs models on inputs whose values point outside of what is there.

    python3 wrong_values.py LATHE FOLDER [NAME...]

Each operator reads positions, counts or sizes from an input. Right values give
NumPy's result; each wrong value ends the run with an error that names the node
(CVE-2020-15211, CVE-2020-15212), and nothing is read or written outside.
"""

import pathlib
import subprocess
import sys

import numpy as np
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

FAR = [2 ** 31, -2 ** 31, 2 ** 62, 2 ** 63 - 1, -2 ** 63]
DATA = np.arange(12, dtype=np.float32).reshape(4, 3)
CUBE = np.arange(60, dtype=np.float32).reshape(1, 1, 6, 10)


def i64(values):
    return np.asarray(values, np.int64)


def f32(values):
    return np.asarray(values, np.float32)


# name: operator, attributes, inputs (None for an omitted one), which input is
# wrong, wrong values of it. Where the input's shape has a symbol, so do others.
CASES = {
    "gather": ("Gather", {"axis": 0}, [DATA, i64([0, -4, 3])], 1, [[0, v, 1] for v in [4, -5, *FAR]]),
    "gather-axis": ("Gather", {"axis": 1}, [DATA, i64([[0, -3]])], 1, [[[v, 0]] for v in [3, -4, *FAR]]),
    "gather-elements": ("GatherElements", {"axis": 0}, [DATA, i64([[0, -4, 3]])], 1,
                        [[[0, v, 1]] for v in [4, -5, *FAR]]),
    "gather-nd": ("GatherND", {}, [DATA, i64([[0, 2], [-4, -3]])], 1, [[[0, v], [0, 0]] for v in [3, -4, *FAR]]),
    "scatter-elements": ("ScatterElements", {"axis": 0}, [DATA, i64([[0, -1, 3]]), f32([[7, 8, 9]])], 1,
                         [[[0, v, 1]] for v in [4, -5, *FAR]]),
    "scatter-elements-add": ("ScatterElements", {"axis": 0, "reduction": "add"},
                             [DATA, i64([[0, -1, 3]]), f32([[7, 8, 9]])], 1, [[[0, v, 1]] for v in [4, -5, *FAR]]),
    "scatter-nd": ("ScatterND", {}, [DATA, i64([[0], [-1]]), f32([[7, 8, 9], [1, 2, 3]])], 1,
                   [[[0], [v]] for v in [4, -5, *FAR]]),
    "features": ("ai.onnx.ml.ArrayFeatureExtractor", {}, [DATA, i64([2, 0])], 1, [[0, v] for v in [3, -1, *FAR]]),
    "loss": ("NegativeLogLikelihoodLoss", {"reduction": "none"}, [DATA, i64([0, 2, 1, 0])], 1,
             [[0, v, 1, 0] for v in [3, -4, *FAR]]),
    "max-unpool": ("MaxUnpool", {"kernel_shape": [2, 2], "strides": [2, 2]},
                   [f32([[[[1, 2], [3, 4]]]]), i64([[[[0, 3], [8, 15]]]])], 1,
                   [[[[[0, 3], [8, v]]]] for v in [16, -1, *FAR]]),
    "roi-align": ("RoiAlign", {"output_height": 2, "output_width": 2, "coordinate_transformation_mode": "half_pixel"},
                  [CUBE, f32([[0, 0, 4, 4]]), i64([0])], 2, [[v] for v in [1, -1, *FAR]]),
    "reverse-sequence": ("ReverseSequence", {"batch_axis": 1, "time_axis": 0}, [DATA, i64([1, 4, 2])], 1,
                         [[1, v, 2] for v in [5, -1, *FAR]]),
    "rotary": ("RotaryEmbedding", {}, [np.ones((1, 1, 2, 4), np.float32), f32(np.ones((3, 2))), f32(np.ones((3, 2))),
                                       i64([[0, 2]])], 3, [[[0, v]] for v in [3, -4, *FAR]]),
    "top-k": ("TopK", {"axis": 0}, [DATA, i64([2])], 1, [[v] for v in [5, -1, *FAR]]),
    "reshape": ("Reshape", {}, [DATA, i64([2, -1])], 1,
                [[5, -1], [-1, -1], [2, 7], [-2, 6], [2 ** 62, 8], [2 ** 32, 2 ** 32]]),
    "expand": ("Expand", {}, [DATA[:, :1], i64([4, 5])], 1, [[3, 5], [4, -1], [4, 2 ** 62], [4, 2 ** 40]]),
    "tile": ("Tile", {}, [DATA, i64([1, 2])], 1, [[1, -1], [2 ** 62, 2 ** 62], [2 ** 40, 2 ** 40]]),
    "fill": ("ConstantOfShape", {}, [i64([2, 3])], 0, [[-1, 3], [2 ** 32, 2 ** 32], [2 ** 62, 4], [2 ** 63 - 1, 2]]),
    "range": ("Range", {}, [i64(0), i64(5), i64(2)], 2, [0]),
    "range-end": ("Range", {}, [i64(0), i64(5), i64(2)], 1, [2 ** 62]),
    "pad": ("Pad", {}, [DATA, i64([0, 1, 0, 1])], 1, [[0, -9, 0, 1], [2 ** 62, 0, 2 ** 62, 0], [0, 2 ** 40, 0, 2 ** 40]]),
    "slice-step": ("Slice", {}, [DATA, i64([0]), i64([2]), i64([0]), i64([1])], 4, [[0]]),
    "split": ("Split", {"axis": 0}, [DATA, i64([1, 3])], 1, [[2, 3], [-1, 5], [2 ** 63 - 1, 5]]),
    "unsqueeze": ("Unsqueeze", {}, [DATA, i64([1])], 1, [[3], [-4], [2 ** 62]]),
    "one-hot": ("OneHot", {}, [i64([0, 2]), i64(3), f32([0, 1])], 1, [-1, 2 ** 62]),
    "resize": ("Resize", {"mode": "nearest"}, [CUBE, None, None, i64([1, 1, 3, 5])], 3,
               [[1, 1, -3, 5], [1, 1, 2 ** 40, 2 ** 40]]),
}


def make_model(name, op, attributes, inputs):
    domain, _, op = op.rpartition(".")
    names = ["" if array is None else f"i{k}" for k, array in enumerate(inputs)]
    values = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(a.dtype), a.shape)
              for n, a in zip(names, inputs) if a is not None]
    outputs = ["y", "z"] if op in ("TopK", "Split") else ["y"]
    node = helper.make_node(op, names, outputs, name="wrong", domain=domain, **attributes)
    infos = [helper.make_tensor_value_info(o, TensorProto.UNDEFINED, None) for o in outputs]
    for info in infos:
        info.ClearField("type")
    graph = helper.make_graph([node], name.replace("-", "_"), values, infos)
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 23),
                                                                  helper.make_opsetid("ai.onnx.ml", 5)])


def run(lathe, library, folder, inputs, output=None):
    command = [lathe, "run", library, "--threads=1"]
    for k, array in enumerate(inputs):
        if array is not None:
            np.save(folder / f"i{k}.npy", array)
            command.append(f"--input=i{k}={folder / f'i{k}.npy'}")
    if output:
        command.append(f"--output=y={output}")
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def check(lathe, folder, name):
    op, attributes, inputs, which, wrong_values = CASES[name]
    model, library = folder / f"{name}.onnx", folder / f"{name}.so"
    made = make_model(name, op, attributes, inputs)
    model.write_bytes(made.SerializeToString())
    result = subprocess.run([lathe, "compile", model, "-o", library, "-O1"], capture_output=True, text=True)
    if result.returncode:
        # Refused as a whole: nothing to run.
        print(f"{name}: not compiled: {result.stderr.strip()}")
        return result.returncode == 1 and all(line.startswith(str(model)) for line in result.stderr.splitlines())
    output = folder / "y.npy"
    result = run(lathe, library, folder, inputs, output)
    if result.returncode:
        print(f"{name}: expected right values to run, got {result.stderr}")
        return False
    feeds = {f"i{k}": array for k, array in enumerate(inputs) if array is not None}
    expected = ReferenceEvaluator(made).run(None, feeds)[0]
    good = np.allclose(np.load(output), expected, rtol=1e-5, atol=1e-6)
    if not good:
        print(f"{name}: expected {expected}, got {np.load(output)}")
    for value in wrong_values:
        given = list(inputs)
        given[which] = np.asarray(value, inputs[which].dtype)
        result = run(lathe, library, folder, given)
        # Sanitizers say on a line of their own that memory was refused.
        lines = [line for line in result.stderr.splitlines() if "WARNING: AddressSanitizer" not in line]
        # An operator that is a function of others has nodes `wrong/...`.
        if result.returncode != 1 or len(lines) != 1 or ("node 'wrong" not in lines[0] and "memory" not in lines[0]):
            good = False
            print(f"{name}: {value}: expected an error at the node, got status {result.returncode}, "
                  f"{result.stderr[:2000]!r}, printed {result.stdout!r}")
    return good


def main():
    lathe, folder, *names = sys.argv[1:]
    folder = pathlib.Path(folder)
    wrong = [name for name in names or CASES if not check(lathe, folder, name)]
    print(f"{len(wrong)} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
