# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What using a model costs beside its computation.

    overhead.py LATHE MODEL.onnx... [--include DIR] [--repeat N] [--json FILE]

Prints how long a call takes from C, of a model of one Add of 8 floats and of the
given models that run in less than a millisecond; then the time from loading a model
to its first results, of the library compiled by lathe, from C, with how much longer
that is than the next run, and of sessions of ONNX Runtime and OpenVINO. Each load is in a process of its own, the peers' after
their import; files are in the system's cache; medians; one thread. DIR holds
lathe-rt/lathe.h: by default that of the install tree of LATHE, or of the
sources."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import onnx
from onnx import TensorProto, helper
from table import find_references, get_name, head_of, row_of

HERE = os.path.dirname(os.path.abspath(__file__))
LOADERS = ("lathe", "ort", "openvino")


def find_include(lathe):
    tree = os.path.join(os.path.dirname(os.path.abspath(lathe)), "..", "include")
    return tree if os.path.exists(os.path.join(tree, "lathe-rt")) else os.path.join(HERE, "../../include")


def make_add(path):
    value = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, [8])
    graph = helper.make_graph([helper.make_node("Add", ["a", "b"], ["c"])], "add",
                              [value("a"), value("b")], [value("c")])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return {name: np.arange(8, dtype=np.float32) for name in "ab"}


def load_peer(name, model, reference):
    """Seconds to a session's first results, in this process."""
    with np.load(reference) as file:
        feeds = dict(file)
    graph = onnx.load(model, load_external_data=False).graph
    feeds = {value.name: feeds[value.name] for value in graph.input if value.name in feeds}
    from peers import PEERS
    __import__({"ort": "onnxruntime"}.get(name, name))
    start = time.perf_counter()
    PEERS[name](model, 1, feeds)()
    return time.perf_counter() - start


class Program:
    """call.c, and a model that lathe compiled for it."""

    def __init__(self, caller, lathe, model, feeds, folder):
        self.library = os.path.join(folder, "model.so")
        subprocess.run([lathe, "compile", model, "-o", self.library, "--name=model"], check=True)
        graph = onnx.load(model, load_external_data=False).graph
        self.command = [caller, self.library, "model_lathe_model"]
        self.inputs = []
        for value in graph.input:
            if value.name in feeds:
                path = os.path.join(folder, f"{len(self.inputs)}.bin")
                np.ascontiguousarray(feeds[value.name]).tofile(path)
                self.inputs.append(f"{path}:{','.join(map(str, feeds[value.name].shape))}")

    def run(self, batches):
        """Seconds to the first results, of the next run, and of a call where there are
        batches."""
        done = subprocess.run([*self.command, str(batches), *self.inputs],
                              check=True, capture_output=True, text=True)
        first, following, call = map(float, done.stdout.split())
        return 1e-6 * first, 1e-6 * following, 1e-9 * call


def measure_load(program, model, reference, repeat):
    """name -> median of the seconds; all take turns. `next` is lathe's next run,
    `load` how much longer the first results took."""
    times = {name: [] for name in LOADERS}
    following, more = [], []
    for _ in range(repeat):
        for name in list(times):
            if name == "lathe":
                first, later, _ = program.run(0)
                times[name].append(first)
                following.append(later)
                more.append(first - later)
                continue
            done = subprocess.run([sys.executable, __file__, "--load", name, model, reference],
                                  capture_output=True, text=True)
            if done.returncode:
                del times[name]
            else:
                times[name].append(float(done.stdout.split()[-1]))
    times |= {"next": following, "load": more}
    return {name: statistics.median(values) for name, values in times.items()}


def main():
    if sys.argv[1:2] == ["--load"]:
        print(load_peer(*sys.argv[2:]))
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lathe")
    parser.add_argument("models", nargs="*")
    parser.add_argument("--include")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--json", help="file for the numbers")
    args = parser.parse_args()
    calls, loads = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        caller = os.path.join(folder, "call")
        subprocess.run(["clang-22", "-O2", "-I", args.include or find_include(args.lathe),
                        os.path.join(HERE, "call.c"), "-o", caller, "-ldl"], check=True)
        add = os.path.join(folder, "add.onnx")
        calls["one Add of 8 floats"] = Program(caller, args.lathe, add, make_add(add), folder).run(500)[2]
        print(head_of(["model", "to first results, ms: Lathe", "more than the next run", "ONNX Runtime", "OpenVINO"]))
        for model in args.models:
            reference = find_references(model)[0]
            with np.load(reference) as file:
                program = Program(caller, args.lathe, model, dict(file), folder)
            times = loads[get_name(model)] = measure_load(program, model, reference, args.repeat)
            print(row_of([get_name(model), *(f"{1e3 * times[n]:.2f}" if n in times else "-"
                                              for n in ("lathe", "load", "ort", "openvino"))]), flush=True)
            if times["next"] < 1e-3:
                calls[get_name(model)] = program.run(int(min(500, 1 + 1e-2 / times["next"])))[2]  # a second
    print("\n" + head_of(["model", "a call from C, us"]))
    for name, seconds in calls.items():
        print(row_of([name, f"{1e6 * seconds:.3f}"]))
    if args.json:
        with open(args.json, "w") as file:
            json.dump({"call_s": calls, "load_s": loads}, file, indent=1)


if __name__ == "__main__":
    main()
