# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times matrix products and convolutions by themselves.

    kernels.py LATHE [--only gemm,resnet50,vgg16] [--seconds S] [--json FILE] [--option O]
    kernels.py LATHE --networks resnet50.onnx vgg16.onnx [--seconds S] [--json FILE] [--option O]

Square matrix products, and the convolutions of ResNet-50 and VGG-16, each as a
model of one node, against ONNX Runtime, OpenVINO, and the libraries below NumPy
(matrix products) and PyTorch. The processor's FMA loop takes its turn with the
others in every round, so that percentages are of what it reached meanwhile; flops
are those of the direct convolution. Ends with the kernels under 60 %.

A convolution by itself has channels first on both sides, and pays for two changes of
layout. `--networks` gives Lathe's convolutions where they are used, out of profiled
runs of whole models, with the bias, activation and residual that are fused into them.
Products with padding are counted, but not computed: small images can exceed 100 %."""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when NumPy is loaded

import numpy as np  # noqa: E402
import onnx  # noqa: E402
from compare import Limits  # noqa: E402
from native import Model  # noqa: E402
from onnx import TensorProto, helper, numpy_helper  # noqa: E402
from peers import PEERS  # noqa: E402
from table import head_of, row_of  # noqa: E402

PEER_NAMES = {"lathe": "Lathe, % of peak", "ort": "ONNX Runtime", "openvino": "OpenVINO",
              "numpy": "NumPy", "torch": "PyTorch"}

# Input channels, output channels, size of the image, of the window, stride, how often.
RESNET50 = [
    (3, 64, 224, 7, 2, 1), (64, 64, 56, 1, 1, 1), (64, 64, 56, 3, 1, 3), (64, 256, 56, 1, 1, 4),
    (256, 64, 56, 1, 1, 2), (256, 128, 56, 1, 1, 1), (128, 128, 56, 3, 2, 1), (128, 512, 28, 1, 1, 4),
    (256, 512, 56, 1, 2, 1), (512, 128, 28, 1, 1, 3), (128, 128, 28, 3, 1, 3), (512, 256, 28, 1, 1, 1),
    (256, 256, 28, 3, 2, 1), (256, 1024, 14, 1, 1, 6), (512, 1024, 28, 1, 2, 1), (1024, 256, 14, 1, 1, 5),
    (256, 256, 14, 3, 1, 5), (1024, 512, 14, 1, 1, 1), (512, 512, 14, 3, 2, 1), (512, 2048, 7, 1, 1, 3),
    (1024, 2048, 14, 1, 2, 1), (2048, 512, 7, 1, 1, 2), (512, 512, 7, 3, 1, 2)]
VGG16 = [
    (3, 64, 224, 3, 1, 1), (64, 64, 224, 3, 1, 1), (64, 128, 112, 3, 1, 1), (128, 128, 112, 3, 1, 1),
    (128, 256, 56, 3, 1, 1), (256, 256, 56, 3, 1, 2), (256, 512, 28, 3, 1, 1), (512, 512, 28, 3, 1, 2),
    (512, 512, 14, 3, 1, 3)]


def make_model(path, op, x, w, y, **attributes):
    """One node on input `x` with weights of shape `w`; returns the inputs."""
    draw = np.random.default_rng(0)
    graph = helper.make_graph(
        [helper.make_node(op, ["x", "w"], ["y"], **attributes)], "kernel",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, x)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, y)],
        [numpy_helper.from_array(draw.standard_normal(w).astype(np.float32), "w")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    weights = numpy_helper.to_array(graph.initializer[0])
    return {"x": draw.standard_normal(x).astype(np.float32)}, weights


def make_library_runners(x, w, attributes):
    """The same node in the terms of NumPy and PyTorch."""
    runners = {}
    if not attributes:
        result = np.empty((x.shape[0], w.shape[1]), np.float32)
        runners["numpy"] = lambda: {"y": np.matmul(x, w, out=result)}
    try:
        import torch
    except ImportError:
        return runners
    torch.set_num_threads(1)
    tx, tw = torch.from_numpy(x), torch.from_numpy(np.array(w))
    call = ((lambda: torch.conv2d(tx, tw, None, attributes["strides"], attributes["pads"][:2]))
            if attributes else (lambda: torch.matmul(tx, tw)))

    def run():
        with torch.no_grad():
            return {"y": call().numpy()}
    return {**runners, "torch": run}


def list_kernels(only):
    """(group, label, how often, flops, what make_model takes)"""
    for n in (256, 384, 512, 768, 1024, 2048):
        if "gemm" in only:
            yield "gemm", f"{n}x{n}x{n}", 1, 2 * n**3, ("MatMul", [n, n], [n, n], [n, n]), {}
    for group, shapes in (("resnet50", RESNET50), ("vgg16", VGG16)):
        for c, k, size, window, stride, times in shapes if group in only else []:
            out, pad = (size + stride - 1) // stride, window // 2
            yield (group, f"{c}->{k}, {size}x{size}, {window}x{window}/{stride}", times,
                   2 * c * k * (window * out)**2,
                   ("Conv", [1, c, size, size], [k, c, window, window], [1, k, out, out]),
                   {"pads": [pad] * 4, "strides": [stride] * 2, "kernel_shape": [window] * 2})


def measure(lathe, folder, limits, flops, node, attributes, seconds, options):
    """name -> median of its rate over the FMA loop's in the same round"""
    # A library of another name: one of the same would not be loaded again.
    path, library = os.path.join(folder, "kernel.onnx"), tempfile.mktemp(".so", dir=folder)
    feeds, weights = make_model(path, *node, **attributes)
    subprocess.run([lathe, "compile", path, "-o", library, *options], check=True)
    model = Model(library, 1)
    model.bind(feeds)
    runners = {"lathe": model.run}
    for name in ("ort", "openvino"):
        try:
            runners[name] = PEERS[name](path, 1, feeds)
        except ImportError:
            continue
    runners.update(make_library_runners(feeds["x"], weights, attributes))
    results = {name: np.array(run()["y"]) for name, run in runners.items()}
    for name, result in results.items():
        # Sums of many products, in another order.
        np.testing.assert_allclose(results["lathe"], result, rtol=1e-3, atol=1e-2, err_msg=name)
    shares = {name: [] for name in runners}
    start = time.perf_counter()
    while time.perf_counter() - start < seconds or len(shares["lathe"]) < 5:
        peak = limits.sample()
        for name, run in runners.items():
            begin = time.perf_counter()
            run()
            shares[name].append(flops / (time.perf_counter() - begin) / peak)
    model.close()
    return {name: statistics.median(values) for name, values in shares.items()}


def report_low(rows):
    low = [f"{row['group']} {row['kernel']} ({100 * row['of_peak']['lathe']:.0f} %)"
           for row in rows if row["of_peak"]["lathe"] < 0.6]
    print(f"Under 60 % of peak: {'; '.join(low) or 'none'}")


def profile(lathe, path, folder, seconds, options):
    """Rows of the convolutions of a model. Launches that only finish one, such as a
    pooling that adds its bias, have less than a flop for each byte and are left out."""
    nodes = {node.name for node in onnx.load(path, load_external_data=False).graph.node
             if node.op_type == "Conv"}
    name = os.path.basename(path).removesuffix(".onnx")
    library, report = os.path.join(folder, f"{name}.so"), os.path.join(folder, f"{name}.json")
    subprocess.run([lathe, "compile", path, "-o", library, *options], check=True)
    samples = []
    for _ in range(5):
        subprocess.run([lathe, "bench", library, "--threads=1", "--profile", f"--duration={seconds / 5}",
                        "--json", report], check=True, stdout=subprocess.DEVNULL)
        with open(report) as file:
            result = json.load(file)
        samples.append((result["peak_gflops"], result["variants"][0]["launches"]))
    for i, launch in enumerate(samples[0][1]):
        if nodes.isdisjoint(launch["nodes"].split(", ")) or launch["flops"] < launch["bytes"]:
            continue
        share = statistics.median(launch["flops"] / launches[i]["ns"] / peak for peak, launches in samples)
        yield {"group": name, "kernel": launch["nodes"], "times": 1, "flops": launch["flops"],
               "of_peak": {"lathe": share}}


def profile_networks(args):
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for path in args.networks:
            new = list(profile(args.lathe, path, folder, args.seconds, args.option))
            print(head_of([f"convolution of {new[0]['group']}", "GFLOP", "% of peak"]))
            for row in new:
                print(row_of([row["kernel"], f"{row['flops'] / 1e9:.3f}", f"{100 * row['of_peak']['lathe']:.0f}"]))
            done = sum(row["flops"] for row in new)
            share = done / sum(row["flops"] / row["of_peak"]["lathe"] for row in new)
            print(f"\n{100 * share:.1f} % of peak, weighted by time\n")
            rows += new
    report_low(rows)
    return rows


def time_kernels(args):
    rows, totals = [], {}
    with tempfile.TemporaryDirectory() as folder:
        limits = Limits(folder)
        print(f"one thread, FMA peak {limits.flops(1) / 1e9:.1f} GFLOP/s\n")
        print(head_of(["kernel", "times", *PEER_NAMES.values()]))
        for group, label, times, flops, node, attributes in list_kernels(args.only.split(",")):
            shares = measure(args.lathe, folder, limits, flops, node, attributes, args.seconds, args.option)
            rows.append({"group": group, "kernel": label, "times": times, "flops": flops, "of_peak": shares})
            print(row_of([label, str(times), *(f"{100 * shares[n]:.0f}" if n in shares else "" for n in PEER_NAMES)]),
                  flush=True)
            for name, share in shares.items():
                # Weighted by time: all flops over all seconds.
                done = totals.setdefault((group, name), [0, 0])
                done[0] += times * flops
                done[1] += times * flops / share
    print()
    for (group, name), (flops, seconds) in totals.items():
        print(f"{group}, {name}: {100 * flops / seconds:.1f} % of peak, weighted by time")
    report_low(rows)
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lathe")
    parser.add_argument("--only", default="gemm,resnet50,vgg16")
    parser.add_argument("--seconds", type=float, default=1)
    parser.add_argument("--networks", nargs="+", metavar="MODEL")
    parser.add_argument("--json")
    parser.add_argument("--option", action="append", default=[], help="one more option for lathe compile")
    args = parser.parse_args()
    rows = profile_networks(args) if args.networks else time_kernels(args)
    if args.json:
        with open(args.json, "w") as file:
            json.dump(rows, file, indent=1)


if __name__ == "__main__":
    main()
