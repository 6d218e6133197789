# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs compare.py on many models and prints one Markdown table.

    table.py LATHE MODEL.onnx... [--threads N] [--seconds S] [--json FILE]

Inputs are those of the first reference beside each model (NAME.npz or
NAME_0.npz). Ratios are paired medians of compare.py: how many times faster the
fused model is than the variant of the column."""

import argparse
import glob
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def find_reference(model):
    stem = model[:-len(".onnx")]
    found = sorted(glob.glob(glob.escape(stem) + ".npz") +
                   glob.glob(glob.escape(stem) + "_[0-9].npz"))
    return found[0] if found else None


def get_processor():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def measure(lathe, model, threads, seconds):
    """The JSON of compare.py for one model, or the last line of its error."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.json")
        command = [sys.executable, os.path.join(HERE, "compare.py"), lathe, model,
                   f"--threads={threads}", f"--seconds={seconds}", f"--json={out}",
                   "--variants=fused,unfused,ort,ort-off,openvino"]
        reference = find_reference(model)
        if reference:
            command.append(f"--reference={reference}")
        run = subprocess.run(command, capture_output=True, text=True)
        if run.returncode:
            return (run.stderr.strip() or "failed").splitlines()[-1]
        with open(out) as file:
            return json.load(file)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lathe")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--json")
    args = parser.parse_args()

    print(f"{get_processor()}, {args.threads} thread(s)\n")
    columns = ["model", "fused, ms", "% of FMA peak", "unfused / fused", "ONNX Runtime / fused",
               "OpenVINO / fused", "better of both / fused", "ONNX Runtime, optimizations off / unfused"]
    print("| " + " | ".join(columns) + " |\n" + "|---" * len(columns) + "|")
    results, best = [], []
    for model in args.models:
        name = os.path.basename(model)[:-len(".onnx")]
        result = measure(args.lathe, model, args.threads, args.seconds)
        if isinstance(result, str):
            print(f"| {name} | {result} |" + " |" * (len(columns) - 2), flush=True)
            continue
        result["model"] = name
        results.append(result)
        rows = {row["variant"]: row for row in result["rows"]}
        fused = rows["fused"]
        peak = f"{100 * fused['of_peak']:.0f}" if fused.get("of_peak") else ""
        ratios = {v: 1 / row["first_over_this"] for v, row in rows.items()}
        peers = [ratios[v] for v in ("ort", "openvino") if v in ratios]
        best.append(min(peers))
        cells = [name, f"{fused['median_ms']:.3f}", peak, f"{ratios['unfused']:.2f}", f"{ratios['ort']:.2f}",
                 f"{ratios['openvino']:.2f}" if "openvino" in ratios else "cannot run it",
                 f"{min(peers):.2f}", f"{ratios['ort-off'] / ratios['unfused']:.2f}"]
        print("| " + " | ".join(cells) + " |", flush=True)
    print(f"\nGeometric mean of better of both / fused: {statistics.geometric_mean(best):.3f}")
    if args.json:
        with open(args.json, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
