# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""verify_all.py LATHE FOLDER [OPTION...]

Verifies each model NAME.onnx of FOLDER against NAME_*.npz beside it, fused and
unfused, on one thread and on two. Stops at the first that differs.
"""
import glob
import os
import subprocess
import sys

lathe, folder, *options = sys.argv[1:]
for model in sorted(glob.glob(f"{folder}/*.onnx")):
    name = model[:-len(".onnx")]
    references = sorted(glob.glob(f"{name}_[0-9]*.npz"))
    assert references, f"no references of {model}"
    for fusion in ("all", "none"):
        for threads in (1, 2):
            for reference in references:
                done = subprocess.run(
                    [lathe, "verify", model, "--reference", reference,
                     f"--fusion={fusion}", f"--threads={threads}", *options],
                    capture_output=True, text=True)
                if done.returncode:
                    sys.exit(f"{reference}, {fusion}, {threads} threads:\n"
                             f"{done.stdout}{done.stderr}")
    print(f"{os.path.basename(name)}: {len(references)} references, fused and "
          "unfused, 1 and 2 threads")
