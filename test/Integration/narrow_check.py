# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Models on elements of 8 bits and less, and what they must compute.

    narrow_check.py models FOLDER    write the models, and files of tensors
    narrow_check.py check FOLDER     run what they were compiled to
    narrow_check.py run LATHE FOLDER   have the driver read and write files"""

import os
import subprocess
import sys

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "Benchmark"))
import native

FLOATS = {"FLOAT8E4M3FN": ml_dtypes.float8_e4m3fn, "FLOAT8E4M3FNUZ": ml_dtypes.float8_e4m3fnuz,
          "FLOAT8E5M2": ml_dtypes.float8_e5m2, "FLOAT8E5M2FNUZ": ml_dtypes.float8_e5m2fnuz,
          "FLOAT4E2M1": ml_dtypes.float4_e2m1fn, "FLOAT6E2M3": ml_dtypes.float6_e2m3fn,
          "FLOAT6E3M2": ml_dtypes.float6_e3m2fn}
INTS = {"INT4": ml_dtypes.int4, "UINT4": ml_dtypes.uint4, "INT2": ml_dtypes.int2,
        "UINT2": ml_dtypes.uint2}
EXPONENT = {"FLOAT8E8M0": ml_dtypes.float8_e8m0fnu}
ALL = {**FLOATS, **INTS, **EXPONENT}
WEIGHTS = ["FLOAT8E4M3FN", "FLOAT8E5M2", "FLOAT4E2M1", "FLOAT6E2M3", "FLOAT6E3M2", *INTS]


def bits_of(dtype):
    return ml_dtypes.finfo(dtype).bits if dtype not in INTS.values() else ml_dtypes.iinfo(dtype).bits


def codes_of(dtype):
    """Every code of a type."""
    return np.arange(1 << bits_of(dtype), dtype=np.uint8).view(dtype)


def numbers(dtype):
    """Numbers of f64 that are hard to round to a float type: all of its own, those
    halfway between, and their neighbours."""
    values = np.sort(codes_of(dtype).astype(np.float64))
    values = values[np.isfinite(values)]
    half = (values[1:] + values[:-1]) / 2
    return np.concatenate([values, half, np.nextafter(half, np.inf), np.nextafter(half, -np.inf)])


def encode_inputs():
    random = np.random.default_rng(3)
    spread = random.normal(size=2000) * np.exp(random.uniform(-20, 14, 2000))
    special = [np.nan, np.inf, -np.inf, 0.0, -0.0, 1e30, -1e30, 1e-40]
    x = np.concatenate([*(numbers(dtype) for dtype in FLOATS.values()), spread, special])
    with np.errstate(over="ignore"):
        return {"single": x.astype(np.float32), "double": x}


def encode_cases():
    """Outputs of the model encode.onnx: (name, input, type, saturate)."""
    for name in FLOATS:
        for source in ("single", "double"):
            yield f"{name}_{source}", source, name, 1
            if name.startswith("FLOAT8"):
                yield f"{name}_{source}_open", source, name, 0
    yield "INT4_single", "whole", "INT4", 1
    yield "UINT4_single", "whole", "UINT4", 1


def encode(x, name, saturate):
    dtype = ALL[name]
    with np.errstate(all="ignore"):
        if saturate and name.startswith("FLOAT8"):
            return numpy_helper.saturate_cast(x, dtype)
        return x.astype(dtype)


def weight_of(name):
    """A weight above the size that the model keeps in its text, and its scales."""
    random = np.random.default_rng(5)
    if name in INTS:
        info = ml_dtypes.iinfo(INTS[name])
        weight = random.integers(int(info.min), int(info.max) + 1, (128, 97))
    else:
        weight = random.normal(size=(128, 97))
    return weight.astype(ALL[name]), random.uniform(0.1, 1, (8, 97)).astype(np.float32)


def move_input(name):
    random = np.random.default_rng(7)
    codes = codes_of(ALL[name])
    return codes[random.integers(0, len(codes), (5, 7))]


def save(folder, name, nodes, inputs, outputs, weights=()):
    def infos(values):
        return [helper.make_tensor_value_info(n, getattr(TensorProto, t), s) for n, t, s in values]
    graph = helper.make_graph(nodes, name, infos(inputs), infos(outputs), list(weights))
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 28)], ir_version=14)
    onnx.save(model, os.path.join(folder, f"{name}.onnx"))


def make_models(folder):
    cases = list(encode_cases())
    save(folder, "encode",
         [helper.make_node("Cast", [x], [out], to=getattr(TensorProto, to), saturate=saturate)
          for out, x, to, saturate in cases],
         [("single", "FLOAT", ["n"]), ("double", "DOUBLE", ["n"]), ("whole", "FLOAT", ["m"])],
         [(out, to, None) for out, _, to, _ in cases])
    save(folder, "decode",
         [helper.make_node("Cast", [name], [f"out_{name}"], to=TensorProto.FLOAT) for name in ALL],
         [(name, name, [1 << bits_of(dtype)]) for name, dtype in ALL.items()],
         [(f"out_{name}", "FLOAT", None) for name in ALL])
    nodes, weights = [], []
    for name in WEIGHTS:
        weight, scale = weight_of(name)
        weights += [numpy_helper.from_array(weight, f"w_{name}"),
                    numpy_helper.from_array(scale, f"s_{name}")]
        nodes += [helper.make_node("DequantizeLinear", [f"w_{name}", f"s_{name}"], [f"d_{name}"],
                                   axis=0, block_size=16),
                  helper.make_node("MatMul", ["x", f"d_{name}"], [f"out_{name}"])]
    save(folder, "weights", nodes, [("x", "FLOAT", ["n", 128])],
         [(f"out_{name}", "FLOAT", None) for name in WEIGHTS], weights)
    make_files(folder)
    save(folder, "one", [helper.make_node("Identity", ["x"], ["y"])], [("x", "INT4", [1, 3])],
         [("y", "INT4", [1, 3])])
    nodes = []
    for name in ALL:
        nodes += [helper.make_node("Transpose", [name], [f"t_{name}"]),
                  helper.make_node("Gather", [f"t_{name}", "at"], [f"out_{name}"])]
    save(folder, "move", nodes, [(name, name, ["a", "b"]) for name in ALL],
         [(f"out_{name}", name, None) for name in ALL],
         [numpy_helper.from_array(np.array([2, 0, -1]), "at")])


def move(x):
    """What the model move.onnx does."""
    return x.T[[2, 0, -1]]


def make_files(folder):
    """Inputs of move.onnx, and its outputs, as files of NumPy and of ONNX."""
    data = os.path.join(folder, "data", "test_data_set_0")
    os.makedirs(data)
    for i, name in enumerate(ALL):
        x = move_input(name)
        np.save(os.path.join(folder, f"{name}.npy"), x)
        for kind, array in (("input", x), ("output", move(x))):
            with open(os.path.join(data, f"{kind}_{i}.pb"), "wb") as file:
                file.write(numpy_helper.from_array(array, kind).SerializeToString())
    # Bytes are taken where they fit.
    np.save(os.path.join(folder, "bytes.npy"), np.array([[-8, 7, 3]], np.int8))
    np.save(os.path.join(folder, "large.npy"), np.array([[-8, 8, 3]], np.int8))


def check_files(lathe, folder):
    command = [lathe, "run", os.path.join(folder, "move.so")]
    for name in ALL:
        command += ["--input", f"{name}={folder}/{name}.npy",
                    "--output", f"out_{name}={folder}/out_{name}.npy"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    for name, dtype in ALL.items():
        got = np.load(os.path.join(folder, f"out_{name}.npy")).view(dtype)
        want = move(move_input(name))
        assert got.shape == want.shape, (name, got.shape)
        # Of an integer's byte, only the low bits count.
        mask = (1 << bits_of(dtype)) - 1
        same = np.all(got.view(np.uint8) & mask == want.view(np.uint8) & mask)
        print(f"{name}: {'as expected' if same else (got, want)}")


def check(folder, name, feeds, expected, rtol=0.0):
    model = native.Model(os.path.join(folder, name), threads=2)
    model.bind(feeds)
    results = model.run()
    for out, want in expected.items():
        got = results[out]
        assert got.dtype == want.dtype and got.shape == want.shape, (out, got.dtype, got.shape)
        with np.errstate(invalid="ignore"):
            a, b = got.astype(np.float64), want.astype(np.float64)
        same = np.isclose(a, b, rtol=rtol, atol=rtol, equal_nan=True)
        if not rtol:
            same &= np.isnan(b) | (np.signbit(a) == np.signbit(b))
        if not np.all(same):
            at = tuple(int(i) for i in np.argwhere(~same)[0])
            print(f"{name}: {out}: expected {want[at]} at {at}, got {got[at]}")
            return
    print(f"{name}: {len(expected)} outputs as expected")


def check_all(folder):
    feeds = {**encode_inputs(), "whole": np.arange(-9, 16, dtype=np.float32)}
    expected = {out: encode(feeds[x], to, saturate) for out, x, to, saturate in encode_cases()}
    for library in ("encode.so", "encode-v3.so"):
        check(folder, library, feeds, expected)
    feeds = {name: codes_of(dtype) for name, dtype in ALL.items()}
    check(folder, "decode.so", feeds,
          {f"out_{name}": x.astype(np.float32) for name, x in feeds.items()})
    x = np.random.default_rng(9).normal(size=(3, 128)).astype(np.float32)
    expected = {}
    for name in WEIGHTS:
        weight, scale = weight_of(name)
        expected[f"out_{name}"] = x @ (weight.astype(np.float32) * np.repeat(scale, 16, 0))
    check(folder, "weights.so", {"x": x}, expected, rtol=1e-3)
    feeds = {name: move_input(name) for name in ALL}
    check(folder, "move.so", feeds,
          {f"out_{name}": x.T[[2, 0, -1]] for name, x in feeds.items()})


if __name__ == "__main__":
    {"models": make_models, "check": check_all, "run": check_files}[sys.argv[1]](*sys.argv[2:])
