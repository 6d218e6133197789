# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Packs models for a machine with a GPU that has nothing but libc and the driver.

    pack.py [--gpu=sm_80,sm_90] [--cc=CC] [--cpu=x86-64-v3] LATHE FOLDER MODEL ...

Compiles each model for CUDA and writes into FOLDER: the libraries, inputs and
expected outputs as raw bytes, the runner, and `run`, a script that runs all of it
and prints what is right and how long it took. A model is a folder with
model.onnx and reference.npz or reference_<i>.npz, or NAME.onnx beside NAME.npz or
NAME_<i>.npz. The runner is made for this machine's processor; `--cpu` is that of
the code that launches kernels."""

import argparse
import os
import re
import shlex
import subprocess
import sys

import numpy as np
import onnx

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "Models"))
from run_models import find_model

INCLUDE = os.path.join(HERE, "..", "..", "include")
# DLPack's type codes.
CODES = {"i": 0, "u": 1, "f": 2, "b": 6}
# As for the CPU (test/Models/run_models.py).
RTOL, ATOL = 1e-3, 1e-4


def describe(kind, name, array, file):
    if array.dtype.kind not in CODES:
        raise SystemExit(f"expected numbers for '{name}', got {array.dtype}")
    bits = array.dtype.itemsize * 8
    dims = "".join(f" {d}" for d in array.shape)
    return f"{kind} {name} {file} {CODES[array.dtype.kind]} {bits} {array.ndim}{dims}"


def pack(lathe, options, folder, path, lines):
    name, model, references = find_model(path)
    references = [r for r in references if r.endswith(".npz")]
    if not references:
        raise SystemExit(f"expected references beside {model}")
    prefix = re.sub(r"\W", "_", "m_" + name)
    subprocess.run([lathe, "compile", model, "--target=cuda", *options,
                    f"--name={prefix}", "-o", os.path.join(folder, name + ".so")],
                   check=True)
    graph = onnx.load(model, load_external_data=False).graph
    constant = {tensor.name for tensor in graph.initializer}
    inputs = [i.name for i in graph.input if i.name not in constant]
    outputs = [o.name for o in graph.output]
    lines.append(f"model {name} {name}.so {prefix}_lathe_model")
    for r, reference in enumerate(references):
        data = np.load(reference)
        lines.append("case")
        for kind, names in (("input", inputs), ("output", outputs)):
            for i, tensor in enumerate(names):
                array = np.ascontiguousarray(data[tensor])
                file = f"{name}.{r}.{kind}{i}.bin"
                array.tofile(os.path.join(folder, file))
                lines.append(describe(kind, tensor, array, file))
        lines.append(f"run {RTOL} {ATOL}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--gpu", default="sm_80,sm_90")
    parser.add_argument("--cpu", default="x86-64-v3")
    parser.add_argument("--cc", default="cc")
    parser.add_argument("lathe")
    parser.add_argument("folder")
    parser.add_argument("models", nargs="+")
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    subprocess.run([*shlex.split(args.cc), "-std=c11", "-D_GNU_SOURCE", "-O2", "-I", INCLUDE, "-o",
                    os.path.join(args.folder, "runner"),
                    os.path.join(HERE, "runner.c"), "-ldl", "-lm"], check=True)
    lines = []
    for path in args.models:
        pack(args.lathe, [f"--gpu={args.gpu}", f"--cpu={args.cpu}"], args.folder, path,
             lines)
    with open(os.path.join(args.folder, "manifest.txt"), "w") as file:
        file.write("\n".join(lines) + "\n")
    script = os.path.join(args.folder, "run")
    with open(script, "w") as file:
        file.write('#!/bin/sh\n# Everything that was packed; options as of runner.\n'
                   'cd "$(dirname "$0")" && exec ./runner "$@" manifest.txt\n')
    os.chmod(script, 0o755)
    print(f"packed {len(args.models)} models into {args.folder}; run {script}")


if __name__ == "__main__":
    sys.exit(main())
