#!/usr/bin/env python3
# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Inspects every model in a folder of models, and checks the plans.

    arena_models.py LATHE MODELS OUT ARENA_CHECK

Models that cannot be inspected yet are left to the tests of models.
"""

import pathlib
import subprocess
import sys


def main():
    lathe, models, out, checker = sys.argv[1:]
    reports = []
    for model in sorted(pathlib.Path(models).rglob("*.onnx")):
        name = model.stem if model.stem != "model" else model.parent.name
        report = pathlib.Path(out) / f"{name}.json"
        done = subprocess.run([lathe, "inspect", str(model), "--json", str(report)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            print(f"{model}: not inspected: {done.stderr.strip()[:200]}")
            continue
        reports.append(str(report))
    return subprocess.run([sys.executable, checker, *reports]).returncode


if __name__ == "__main__":
    sys.exit(main())
