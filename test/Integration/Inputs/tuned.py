# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tunes a model: tuned.py LATHE MODEL.onnx FOLDER OUTPUT SECONDS NAME:SIZE...

It has to be done within SECONDS of this process and its children. A second
compilation measures nothing and gives the same bytes. The tuned model, and one
with another of the possible decisions about every kernel, compute the same bits
as the model that is not tuned, with one thread and with three."""

import json
import pathlib
import re
import resource
import subprocess
import sys

lathe, model, folder, output, seconds, *dims = sys.argv[1:]
folder = pathlib.Path(folder)
cache = folder / "cache.json"
sizes = [f"--dim={dim}" for dim in dims]
measured = re.compile(r"tuning: (\d+) kernels measured, (\d+) known")


def compile(name, *options):
    """Compiles the model; returns how many kernels were measured, and known."""
    command = [lathe, "compile", model, "-o", folder / f"{name}.so", "--name=m", "--timing", *options]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stderr
    found = measured.search(text)
    return tuple(map(int, found.groups())) if found else None


def expect(what, wanted, got):
    if wanted != got:
        sys.exit(f"{what}: expected {wanted}, got {got}")


def run(name, threads):
    """The output on random inputs, as bytes."""
    command = [lathe, "run", folder / f"{name}.so", "--random", "--seed=3", f"--threads={threads}",
               f"--output={output}={folder / name}.npy", *sizes]
    subprocess.run(command, check=True, capture_output=True)
    return (folder / f"{name}.npy").read_bytes()


expect("untuned", None, compile("plain"))
tune = ["--tune", f"--tune-cache={cache}", *[f"--tune-dim={dim}" for dim in dims]]
number, known = compile("tuned", *tune)
expect("known at first", 0, known)
if number == 0:
    sys.exit("expected kernels to measure, got none")
used = resource.getrusage(resource.RUSAGE_CHILDREN)
if used.ru_utime + used.ru_stime > float(seconds):
    sys.exit(f"expected tuning within {seconds} s, got {used.ru_utime + used.ru_stime:.1f} s")
expect("measured, known", (0, number), compile("again", *tune))
expect("compiled again", (folder / "tuned.so").read_bytes(), (folder / "again.so").read_bytes())

# Other tiles, whatever the kernel: half of what the model takes of the last
# dimensions, by decisions that name a nest that is not there, too.
content = json.loads(cache.read_text())
for kernel in content["kernels"].values():
    kernel["decisions"] = ("{nests = [{lanes = 0 : i64, vectors = 1 : i64, blocks = array<i64: 1, 2>},"
                           " {lanes = 1 : i64, vectors = 1 : i64, blocks = array<i64: 0, 2>,"
                           " vectors_inside, no_unroll, no_prefetch}]}")
(folder / "other.json").write_text(json.dumps(content))
expect("measured, known", (0, number), compile("other", f"--decisions={folder / 'other.json'}"))
for threads in (1, 3):
    plain = run("plain", threads)
    for name in ("tuned", "other"):
        if run(name, threads) != plain:
            sys.exit(f"{name}, {threads} threads: expected the same bits as without decisions")
