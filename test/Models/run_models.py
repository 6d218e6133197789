# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Verifies models against their references of ONNX Runtime.

    run_models.py LATHE [--shrink] [FOLDER|MODEL.onnx ...]

A folder holds model.onnx with reference.npz or reference_<i>.npz, or folders
test_data_set_<i> as ONNX has them, or both; beside a NAME.onnx lie NAME.npz or
NAME_<i>.npz. Without any, all folders beside this
file are taken. Each model is compiled with fusion and without; both libraries are
verified on all references, with one thread and with two, at one tolerance for
all models."""

import argparse
import glob
import itertools
import os
import re
import subprocess
import sys
import tempfile

TOLERANCE = ["--rtol=1e-3", "--atol=1e-4"]
HERE = os.path.dirname(os.path.abspath(__file__))


def find_model(path):
    """(name, model, references) of a folder or an .onnx file."""
    if os.path.isdir(path):
        model = os.path.join(path, "model.onnx")
        name, stem = os.path.basename(os.path.normpath(path)), "reference"
    else:
        model = path
        path, name = os.path.split(path[:-len(".onnx")])
        stem = name
    found = glob.glob(os.path.join(glob.escape(path), stem + "*.npz"))
    belongs = re.compile(re.escape(stem) + r"(_\d+)?\.npz")
    references = sorted(r for r in found if belongs.fullmatch(os.path.basename(r)))
    if stem == "reference" and os.path.isdir(os.path.join(path, "test_data_set_0")):
        references.append(path)
    return name, model, references


def call(*command):
    """The error text of a command that failed, or None."""
    run = subprocess.run(command, capture_output=True, text=True)
    if run.returncode == 0:
        return None
    return f"{' '.join(command)}\nexit status {run.returncode}\n{run.stdout}{run.stderr}"


def check(lathe, path):
    name, model, references = find_model(path)
    if not references:
        print(f"FAIL {name}: expected references beside {model}, got none")
        return False
    with tempfile.TemporaryDirectory() as folder:
        for fusion in ("all", "none"):
            library = os.path.join(folder, f"{fusion}.so")
            error = call(lathe, "compile", model, "-o", library, f"--fusion={fusion}")
            if error:
                print(f"FAIL {name}: fusion {fusion}\n{error}")
                return False
            for threads, reference in itertools.product((1, 2), references):
                kind = "--data" if os.path.isdir(reference) else "--reference"
                error = call(lathe, "verify", library, kind, reference,
                             f"--threads={threads}", *TOLERANCE)
                if error:
                    print(f"FAIL {name}: fusion {fusion}, {threads} thread(s)\n{error}")
                    return False
    print(f"PASS {name}: {len(references)} reference(s)", flush=True)
    return True


def shrink(path, passed):
    """Drop the models that passed from the list of expected failures."""
    with open(path) as file:
        lines = file.readlines()
    with open(path, "w") as file:
        file.writelines(line for line in lines
                        if line.partition(":")[0].strip() not in passed)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("lathe")
    parser.add_argument("models", nargs="*")
    parser.add_argument("--shrink", action="store_true",
                        help="drop what passes from xfail.txt")
    args = parser.parse_intermixed_args()
    models = args.models or sorted(
        os.path.dirname(m) for m in glob.glob(os.path.join(HERE, "*", "model.onnx")))
    passed = [path for path in models if check(args.lathe, path)]
    if args.shrink:
        shrink(os.path.join(HERE, "xfail.txt"), {find_model(p)[0] for p in passed})
    print(f"{len(passed)} models passed, {len(models) - len(passed)} failed")
    return 0 if len(passed) == len(models) else 1


if __name__ == "__main__":
    sys.exit(main())
