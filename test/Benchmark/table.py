# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Runs compare.py on many models and prints one Markdown table.

    table.py LATHE MODEL.onnx... [--threads N] [--peers iree,tvm,torch] [--seconds S] [--json FILE] [--plot FILE]
    table.py LATHE MODEL.onnx... --symbolic

Inputs are those of the first reference beside each model: NAME.npz or NAME_0.npz,
or, beside model.onnx, reference.npz or reference_0.npz. Ratios are paired medians
of compare.py: how many times faster the fused model is than the variant of the
column; with several threads also than itself with one. With --symbolic, each
model that has symbolic sizes runs on all its references, against the same model
compiled for those sizes. What --json wrote may stand among the models: its
results are printed again."""

import argparse
import glob
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile

import onnx

HERE = os.path.dirname(os.path.abspath(__file__))


PEERS = {"ort": "ONNX Runtime", "openvino": "OpenVINO", "iree": "IREE", "tvm": "TVM, untuned",
         "torch": "torch.compile"}
# Those that the fused model is held against.
BARS = ("ort", "openvino")


def find_references(model):
    stem = model[:-len("model.onnx")] + "reference" if is_in_folder(model) else model[:-len(".onnx")]
    return sorted(glob.glob(glob.escape(stem) + ".npz") +
                  glob.glob(glob.escape(stem) + "_[0-9].npz"))


def is_in_folder(model):
    """As in test/Models: NAME/model.onnx with NAME/reference.npz."""
    return os.path.basename(model) == "model.onnx"


def get_name(model):
    return os.path.basename(os.path.dirname(os.path.abspath(model)) if is_in_folder(model)
                            else model[:-len(".onnx")])


def get_processor():
    with open("/proc/cpuinfo") as info:
        for line in info:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def measure(args, model, variants, reference):
    """The JSON of compare.py for one model, or the last line of its error."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out.json")
        command = [sys.executable, os.path.join(HERE, "compare.py"), args.lathe, model,
                   f"--threads={args.threads}", f"--seconds={args.seconds}",
                   f"--peer-seconds={args.peer_seconds}", f"--json={out}",
                   f"--variants={','.join(variants)}"]
        if reference:
            command.append(f"--reference={reference}")
        run = subprocess.run(command, capture_output=True, text=True)
        for line in run.stdout.splitlines():
            if "cannot run it" in line or "gives other results" in line:
                print(f"{get_name(model)}: {line}", file=sys.stderr, flush=True)
        if run.returncode:
            return (run.stderr.strip() or "failed").splitlines()[-1]
        with open(out) as file:
            return {**json.load(file), "model": get_name(model)}


def row_of(cells):
    return "| " + " | ".join(cells) + " |"


def head_of(titles):
    return row_of(titles) + "\n" + "|---" * len(titles) + "|"


def get_row(result, variant):
    return next(row for row in result["rows"] if row["variant"] == variant)


def get_ratios(result):
    """variant -> how many times faster the fused model is than it."""
    return {row["variant"]: 1 / row["first_over_this"] for row in result["rows"]}


def get_best(result):
    ratios = get_ratios(result)
    return min((ratios[v] for v in BARS if v in ratios), default=None)


def make_columns(threads, peers):
    """Titles of the table of times, each with the cell that it makes of a result."""
    fused = lambda result: get_row(result, "fused")

    def ratio(name, over=None):
        def cell(result):
            ratios = get_ratios(result)
            if name not in ratios:
                return "-"
            return f"{ratios[name] / (ratios[over] if over else 1):.2f}"
        return cell

    def spread(result):
        """Half of the distance from the fastest to the slowest but one of ten."""
        return f"{50 * (fused(result)['p90_ms'] - fused(result)['min_ms']) / fused(result)['median_ms']:.0f}"

    def best(result):
        return "-" if get_best(result) is None else f"{get_best(result):.2f}"

    of_peak = lambda r: f"{100 * fused(r)['of_peak']:.0f}" if fused(r)["of_peak"] else ""
    return {
        "model": lambda r: r["model"], "fused, ms": lambda r: f"{fused(r)['median_ms']:.3f}",
        "spread, %": spread, "% of FMA peak": of_peak,
        "% of bandwidth": lambda r: f"{100 * fused(r)['of_bandwidth']:.0f}",
        **({f"1 thread / {threads}": ratio("fused@1")} if threads > 1 else {}),
        "unfused / fused": ratio("unfused"),
        **{f"{PEERS[name]} / fused": ratio(name) for name in (*BARS, *peers)},
        "better of the first two / fused" if peers else "better of both / fused": best,
        "ONNX Runtime, optimizations off / unfused": ratio("ort-off", "unfused"),
    }


COSTS = ["model", "compile, s", "peak memory, MB", "artifact, MB", "arena, MB", "unfused arena, MB",
         "arena / lower bound"]


def format_costs(result):
    fused, unfused = get_row(result, "fused"), get_row(result, "unfused")
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


def print_times(results, threads, peers):
    """Prints a row a result as they come; returns those that are no errors."""
    columns = make_columns(threads, peers)
    print(head_of(columns))
    good = []
    for name, result in results:
        if isinstance(result, str):
            print(row_of([name, result] + [""] * (len(columns) - 2)), flush=True)
            continue
        good.append(result)
        print(row_of([cell(result) for cell in columns.values()]), flush=True)
    if not good:
        return good
    mean = lambda values: f"{statistics.geometric_mean(values):.3f}"
    bests = {result["model"]: get_best(result) for result in good if get_best(result)}
    if bests:
        behind = [f"{name} {ratio:.2f}" for name, ratio in bests.items() if ratio < 0.95]
        print(f"\nGeometric mean of {list(columns)[-2]}: {mean(bests.values())}; "
              f"under 0.95: {', '.join(behind) or 'none'}.")
    ratios = [get_ratios(result) for result in good]
    for name in ("fused@1", *peers):
        known = [r[name] for r in ratios if name in r]
        if known:
            print(f"Geometric mean of {PEERS.get(name, 'one thread')} / fused, {len(known)} models: {mean(known)}.")
    peaks, bytes_ = ([get_row(result, "fused")[key] for result in good] for key in ("fma_peak", "bandwidth"))
    print(f"Median of unfused / fused: {statistics.median(r['unfused'] for r in ratios):.2f}; "
          f"measured peaks of {threads} thread(s): {min(peaks) / 1e9:.0f} to {max(peaks) / 1e9:.0f} GFLOP/s, "
          f"{min(bytes_) / 1e9:.0f} to {max(bytes_) / 1e9:.0f} GB/s\n")
    print(head_of(COSTS))
    print("\n".join(map(format_costs, good)))
    return good


def has_symbols(model):
    graph = onnx.load(model, load_external_data=False).graph
    weights = {value.name for value in graph.initializer}
    return any(dim.WhichOneof("value") != "dim_value" or dim.dim_value < 0
               for value in graph.input if value.name not in weights
               for dim in value.type.tensor_type.shape.dim)


def print_symbolic(results):
    """Prints how the symbolic model fares against one for the sizes at hand."""
    print(head_of(["model", "sizes", "symbolic, ms", "static, ms", "symbolic / static"]))
    good = []
    for name, result in results:
        if isinstance(result, str):
            print(row_of([name, result, "", "", ""]), flush=True)
            continue
        good.append(result)
        times = [f"{get_row(result, variant)['median_ms']:.3f}" for variant in ("fused", "static")]
        sizes = ", ".join(f"{symbol} {size}" for symbol, size in result["sizes"].items())
        print(row_of([name, sizes, *times, f"{1 / get_ratios(result)['static']:.2f}"]), flush=True)
    if good:
        ratios = [1 / get_ratios(result)["static"] for result in good]
        print(f"\nGeometric mean of symbolic / static: {statistics.geometric_mean(ratios):.3f}; "
              f"over 1.10: {sum(ratio > 1.1 for ratio in ratios)} of {len(ratios)}")
    return good


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lathe")
    parser.add_argument("models", nargs="+")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--peers", default="", help="more of them: iree, tvm, torch")
    parser.add_argument("--peer-seconds", type=int, default=120,
                        help="in which each of these must compile and run once")
    parser.add_argument("--symbolic", action="store_true",
                        help="against the same model compiled for the sizes at hand")
    parser.add_argument("--json", help="file for the numbers")
    parser.add_argument("--plot", help="file for the ratios as bars, SVG")
    args = parser.parse_args()

    peers = [name for name in args.peers.split(",") if name]
    variants = ["fused", "unfused", "ort", "ort-off", "openvino", *peers]
    if args.symbolic:
        variants = ["fused", "static"]
    elif args.threads > 1:
        variants.append("fused@1")

    def find_results():
        for model in args.models:
            if model.endswith(".json"):
                with open(model) as file:
                    yield from ((result["model"], result) for result in json.load(file))
            elif has_symbols(model) or not args.symbolic:
                references = find_references(model) or [None]
                for reference in references if args.symbolic else references[:1]:
                    yield get_name(model), measure(args, model, variants, reference)

    print(f"{get_processor()}, {args.threads} thread(s)\n")
    results = (print_symbolic(find_results()) if args.symbolic
               else print_times(find_results(), args.threads, peers))
    if args.plot:
        write_plot(results, args.plot)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(results, file, indent=1)


if __name__ == "__main__":
    main()
