# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles a model with 1, 2 and 4 threads, and once more: same_artifacts.py
LATHE MODEL OUT KIND... The files go to OUT/1, OUT/2, OUT/4 and OUT/again."""

import pathlib
import subprocess
import sys

lathe, model, out, *kinds = sys.argv[1:]
name = pathlib.Path(model).parent.name
for kind in kinds:
    first = {}
    for folder, jobs in (("1", 1), ("2", 2), ("4", 4), ("again", 2)):
        target = pathlib.Path(out) / folder
        subprocess.run([lathe, "compile", model, "--name", name, f"-j{jobs}", "-o",
                        str(target / f"{name}.{kind}")], check=True)
        names = [f"{name}.{kind}"] + ([f"{name}.h"] if kind in ("so", "o", "a") else [])
        for file in names:
            data = (target / file).read_bytes()
            if not data:
                sys.exit(f"{file}: expected bytes, got none")
            if first.setdefault(file, data) != data:
                sys.exit(f"{file}: expected the same bytes with -j1 and -j{jobs} ({folder})")
