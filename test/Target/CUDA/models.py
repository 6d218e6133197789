# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Whole models for CUDA, on a machine without a device.

    models.py assemble LATHE [--OPTION ...] MODEL ...
    models.py run LATHE CLANG [--OPTION ...] MODEL ...

`assemble` compiles models for two chips, looks for calls of functions that
nothing provides, and has NVIDIA's assembler accept all kernels. `run` compiles
the kernels for the host (see Inputs/emulate.py), runs the models with a libcuda
that calls them, and compares with the references. A model is a folder with
model.onnx and reference.npz or reference_<i>.npz, or NAME.onnx beside NAME.npz or
NAME_<i>.npz."""

import itertools
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "Models"))
from run_models import find_model

INPUTS = os.path.join(HERE, "Inputs")
CHIPS = ["sm_80", "sm_90"]
# As for the CPU (test/Models/run_models.py).
TOLERANCE = ["--rtol=1e-3", "--atol=1e-4"]


def call(*command, **environment):
    """The error text of a command that failed, or None."""
    run = subprocess.run(command, capture_output=True, text=True,
                         env={**os.environ, **environment})
    if run.returncode == 0:
        return None
    return f"{' '.join(command)}\nexit status {run.returncode}\n{run.stdout}{run.stderr}"


def assemble(lathe, options, model, folder):
    for chip in CHIPS:
        text = os.path.join(folder, chip + ".ptx")
        error = call(lathe, "compile", model, "--target=cuda", f"--gpu={chip}",
                     *options, "-o", text)
        if error:
            return error
        with open(text) as file:
            outside = [line for line in file if ".extern" in line]
        if outside:
            return "expected kernels that call nothing, got " + outside[0]
        error = call("ptxas", "-arch=" + chip, text, "-o",
                     os.path.join(folder, chip + ".cubin"))
        if error:
            return error
    return None


def run(lathe, clang, driver, options, model, references, folder):
    text, library, kernels = (os.path.join(folder, name)
                              for name in ("m.ll", "m.so", "kernels.so"))
    for output in (text, library):
        error = call(lathe, "compile", model, "--target=cuda", *options, "-o", output)
        if error:
            return error
    error = call(sys.executable, os.path.join(INPUTS, "emulate.py"), clang, text,
                 kernels)
    if error:
        return error
    # In the other order, threads that race would give something else.
    for reference, order in itertools.product(references, ("", "1")):
        error = call(lathe, "verify", library, "--reference", reference, *TOLERANCE,
                     LD_LIBRARY_PATH=driver, FAKE_CUDA_KERNELS=kernels,
                     FAKE_CUDA_REVERSE=order)
        if error:
            return error
    return None if references else f"expected references beside {model}"


def main():
    what, lathe, *models = sys.argv[1:]
    failed = 0
    with tempfile.TemporaryDirectory() as driver:
        if what == "run":
            clang = models.pop(0)
            subprocess.run(
                [clang, "-shared", "-fPIC", "-O1", "-o",
                 os.path.join(driver, "libcuda.so.1"),
                 os.path.join(INPUTS, "FakeCuda.c")], check=True)
        options = [arg for arg in models if arg.startswith("--")]
        for path in models[len(options):]:
            name, model, references = find_model(path)
            with tempfile.TemporaryDirectory() as folder:
                error = (assemble(lathe, options, model, folder) if what == "assemble"
                         else run(lathe, clang, driver, options, model, references,
                                  folder))
            print(f"FAIL {name}\n{error}" if error else f"PASS {name}", flush=True)
            failed += error is not None
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
