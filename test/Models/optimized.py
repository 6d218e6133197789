# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""optimized.py LATHE MODELS OUT NAME...

Lets ONNX Runtime write what its optimizer makes of models (the level before
layouts of its own), and compares them, compiled, with ONNX Runtime's outputs of
the models as they were.
"""
import glob
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime

lathe, models, out, *names = sys.argv[1:]
LEVELS = onnxruntime.GraphOptimizationLevel


def open_session(path, level, optimized=""):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.log_severity_level = 3
    if optimized:
        options.optimized_model_filepath = optimized
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(*command):
    made = subprocess.run([lathe, *command], capture_output=True, text=True)
    if made.returncode:
        sys.exit(f"{' '.join(command)}:\n{made.stdout}{made.stderr}")


for name in names:
    path, optimized = f"{models}/{name}/model.onnx", f"{out}/{name}.onnx"
    open_session(path, LEVELS.ORT_ENABLE_EXTENDED, optimized)
    fused = {n.op_type for n in onnx.load(optimized).graph.node if n.domain == "com.microsoft"}
    session = open_session(path, LEVELS.ORT_DISABLE_ALL)
    inputs = [i.name for i in session.get_inputs()]
    outputs = [o.name for o in session.get_outputs()]
    references = sorted(glob.glob(f"{models}/{name}/reference*.npz"))
    assert references, f"no references of {name}"
    # A quantized number that lies between two may be rounded to either.
    loose = ["--atol=0.05"] if name.startswith("q") else []
    for fusion in ("all", "none"):
        run("compile", optimized, f"--fusion={fusion}", "-o", f"{out}/{name}.so")
        for k, reference in enumerate(references):
            with np.load(reference) as given:
                feed = {i: given[i] for i in inputs}
            np.savez(f"{out}/{name}_{k}.npz", **feed, **dict(zip(outputs, session.run(outputs, feed))))
            run("verify", f"{out}/{name}.so", "--reference", f"{out}/{name}_{k}.npz", *loose)
    print(f"{name}: {' '.join(sorted(fused))}: {len(references)} references, fused and unfused")
