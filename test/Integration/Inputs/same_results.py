# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs a model on the same random inputs with 1, 2 and 7 threads: same_results.py
LATHE MODEL.so OUTPUT,... OPTION..."""

import pathlib
import subprocess
import sys
import tempfile

lathe, model, outputs, *options = sys.argv[1:]
first = {}
for threads in (1, 2, 7, 7):
    with tempfile.TemporaryDirectory() as folder:
        command = [lathe, "run", model, "--random", "--seed", "5", f"--threads={threads}", *options]
        for output in outputs.split(","):
            command.append(f"--output={output}={folder}/{output}.npy")
        subprocess.run(command, check=True)
        for output in outputs.split(","):
            data = (pathlib.Path(folder) / f"{output}.npy").read_bytes()
            if first.setdefault(output, data) != data:
                sys.exit(f"{output}: expected the same bits with 1 and {threads} threads")
