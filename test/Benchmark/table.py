# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs compare.py on many models and prints one Markdown table.

    table.py LATHE MODEL.onnx... [--threads N] [--seconds S] [--json FILE] [--plot FILE]

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


COLUMNS = ["model", "fused, ms", "spread, %", "% of FMA peak", "% of bandwidth", "unfused / fused",
           "ONNX Runtime / fused", "OpenVINO / fused", "better of both / fused",
           "ONNX Runtime, optimizations off / unfused"]
COSTS = ["model", "compile, s", "peak memory, MB", "artifact, MB", "arena, MB", "unfused arena, MB",
         "arena / lower bound"]


def row_of(cells):
    return "| " + " | ".join(cells) + " |"


def get_ratios(result):
    """variant -> how many times faster the fused model is than it."""
    return {row["variant"]: 1 / row["first_over_this"] for row in result["rows"]}


def get_best(result):
    ratios = get_ratios(result)
    return min(ratios[v] for v in ("ort", "openvino") if v in ratios)


def format_times(result):
    ratios = get_ratios(result)
    fused = next(row for row in result["rows"] if row["variant"] == "fused")
    ratio = lambda name: f"{ratios[name]:.2f}" if name in ratios else "-"
    # Half of the distance from the fastest to the slowest but one of ten.
    spread = 50 * (fused["p90_ms"] - fused["min_ms"]) / fused["median_ms"]
    return row_of([result["model"], f"{fused['median_ms']:.3f}", f"{spread:.0f}",
                   f"{100 * fused['of_peak']:.0f}" if fused["of_peak"] else "",
                   f"{100 * fused['of_bandwidth']:.0f}", ratio("unfused"), ratio("ort"), ratio("openvino"),
                   f"{get_best(result):.2f}", f"{ratios['ort-off'] / ratios['unfused']:.2f}"])


def format_costs(result):
    fused, unfused = (next(row for row in result["rows"] if row["variant"] == v) for v in ("fused", "unfused"))
    bound = fused["lower_bound"]
    return row_of([result["model"], f"{fused['compile_s']:.1f}", f"{1e-6 * fused['compile_bytes']:.0f}",
                   f"{1e-6 * fused['artifact_bytes']:.1f}", f"{1e-6 * fused['arena_bytes']:.2f}",
                   f"{1e-6 * unfused['arena_bytes']:.2f}", f"{fused['arena_bytes'] / bound:.3f}" if bound else ""])


def write_plot(results, path):
    """Bars of the time of each variant over that of the fused model, as SVG."""
    colors = {"unfused": "#9aa5b1", "ort": "#d08a3c", "openvino": "#4c78a8", "ort-off": "#e3c9a8"}
    height, width, label, scale = 14 * (len(colors) + 1), 900, 170, 160
    body = []
    for at, result in enumerate(results):
        top = 40 + at * height
        body.append(f'<text x="{label - 8}" y="{top + height / 2 - 6}" text-anchor="end">{result["model"]}</text>')
        ratios = get_ratios(result)
        for line, (name, color) in enumerate((n, c) for n, c in colors.items() if n in ratios):
            length = min(scale * ratios[name], width - label - 60)
            y = top + 14 * line
            body.append(f'<rect x="{label}" y="{y}" width="{length:.0f}" height="11" fill="{color}"/>'
                        f'<text x="{label + length + 4:.0f}" y="{y + 10}">{ratios[name]:.2f}</text>')
    total = 40 + len(results) * height
    key = "".join(f'<rect x="{label + 130 * i}" y="10" width="11" height="11" fill="{color}"/>'
                  f'<text x="{label + 130 * i + 16}" y="20">{name}</text>'
                  for i, (name, color) in enumerate(colors.items()))
    line = f'<line x1="{label + scale}" y1="34" x2="{label + scale}" y2="{total}" stroke="black"/>'
    with open(path, "w") as file:
        file.write(f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{total + 10}" '
                   f'font-family="sans-serif" font-size="11"><title>Time over that of the fused model</title>'
                   f'{key}{line}{"".join(body)}</svg>\n')


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lathe")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--json", help="file for the numbers")
    parser.add_argument("--plot", help="file for the ratios as bars, SVG")
    args = parser.parse_args()

    print(f"{get_processor()}, {args.threads} thread(s)\n")
    print(row_of(COLUMNS) + "\n" + "|---" * len(COLUMNS) + "|")
    results = []
    for model in args.models:
        name = os.path.basename(model)[:-len(".onnx")]
        result = measure(args.lathe, model, args.threads, args.seconds)
        if isinstance(result, str):
            print(row_of([name, result] + [""] * (len(COLUMNS) - 2)), flush=True)
            continue
        result["model"] = name
        results.append(result)
        print(format_times(result), flush=True)
    if results:
        peaks = [result["fma_peak"] for result in results]
        bytes_ = [result["bandwidth"] for result in results]
        print(f"\nGeometric mean of better of both / fused: {statistics.geometric_mean(map(get_best, results)):.3f}; "
              f"median of unfused / fused: {statistics.median(get_ratios(r)['unfused'] for r in results):.2f}; "
              f"measured peaks of a thread: {min(peaks) / 1e9:.0f} to {max(peaks) / 1e9:.0f} GFLOP/s, "
              f"{min(bytes_) / 1e9:.0f} to {max(bytes_) / 1e9:.0f} GB/s\n")
        print(row_of(COSTS) + "\n" + "|---" * len(COSTS) + "|")
        print("\n".join(map(format_costs, results)))
    if args.plot:
        write_plot(results, args.plot)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
