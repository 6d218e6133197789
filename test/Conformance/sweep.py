# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ONNX's own backend tests through the compiler.

  sweep.py --lathe=build/bin/lathe [--form=FORM] [--every=N] [NAME ...]

Each case of the onnx package (node, simple, converted and operator models) is
compiled to a shared library and run in a process of its own, so that a crash
or a hang is a result like any other. Forms of a case:
  plain     the model as ONNX ships it,
  constants every input but the first is an initializer (cases whose later
            inputs are small integers, as sizes, axes and indices are),
  symbolic  every dimension above 1 of an input is a symbol.
The plain and constants forms are compared with two lists beside this file.
refused.txt names what the compiler refuses, under the message it gives, and
wrong.txt what gives wrong results, crashes or hangs. A case that does better
than its list says fails the sweep; --shrink rewrites the lists instead."""

import argparse
import collections
import concurrent.futures
import copy
import multiprocessing
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import warnings

import numpy as np
import onnx
from onnx import numpy_helper

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "Benchmark"))
import native

Case = collections.namedtuple("Case", "name model data rtol atol")
Result = collections.namedtuple("Result", "name kind detail")
INTEGERS = {onnx.TensorProto.INT64, onnx.TensorProto.INT32, onnx.TensorProto.BOOL}
MEMORY_BYTES = 4 << 30
SECONDS = 60
# The suite's own tolerance of bfloat16.
BFLOAT16_RTOL = 2.0**-6
SHARED = {}


READERS = {"tensor_type": (onnx.TensorProto, numpy_helper.to_array),
           "sequence_type": (onnx.SequenceProto, numpy_helper.to_list),
           "map_type": (onnx.MapProto, numpy_helper.to_dict),
           "optional_type": (onnx.OptionalProto, numpy_helper.to_optional)}


def read_value(path, value_type):
    """A value of a test's data folder; None where there is none."""
    if not os.path.exists(path):
        return None
    proto, convert = READERS[value_type.WhichOneof("value")]
    with open(path, "rb") as file:
        return convert(proto.FromString(file.read()))


def inputs_of(model):
    """The inputs of a graph that are not initializers."""
    constant = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in constant]


def folder_data(folder, model):
    """The pairs (inputs, outputs) of a test's folder."""
    data = []
    index = 0
    while os.path.isdir(place := os.path.join(folder, f"test_data_set_{index}")):
        data.append(tuple(
            [read_value(os.path.join(place, f"{kind}_{i}.pb"), value.type)
             for i, value in enumerate(values)]
            for kind, values in (("input", inputs_of(model)),
                                 ("output", model.graph.output))))
        index += 1
    return data


def collect():
    """All cases of the onnx package that need no download, by name."""
    from onnx.backend.test import loader
    from onnx.backend.test.case import node
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        tests = list(node.collect_testcases())
        cases = [Case(t.name, t.model, t.data_sets, t.rtol, t.atol) for t in tests]
        for kind in ("simple", "pytorch-converted", "pytorch-operator"):
            for test in loader.load_model_tests(kind=kind):
                model = onnx.load(os.path.join(test.model_dir, "model.onnx"))
                cases.append(Case(test.name, model, folder_data(test.model_dir, model),
                                  test.rtol, test.atol))
    return sorted(cases, key=lambda case: case.name)


def with_constants(case):
    """The case with its later inputs as initializers, or None."""
    inputs = case.model.graph.input
    if case.model.graph.initializer or len(inputs) < 2 or len(case.data) != 1 or len(case.data[0][0]) != len(inputs):
        return None
    arrays = case.data[0][0]
    later = list(zip(inputs, arrays))[1:]
    if (not any(i.type.tensor_type.elem_type in INTEGERS for i, _ in later)
            or not all(isinstance(a, (np.ndarray, np.generic, onnx.TensorProto)) for a in arrays)):
        return None
    model = copy.deepcopy(case.model)
    del model.graph.input[1:]
    model.graph.initializer.extend(
        numpy_helper.from_array(as_array(a), i.name) for i, a in later)
    return Case(case.name + "[constants]", model,
                [(case.data[0][0][:1], case.data[0][1])], case.rtol, case.atol)


def with_symbols(case):
    """The case with symbols for the sizes of its inputs."""
    model = copy.deepcopy(case.model)
    for number, value in enumerate(inputs_of(model)):
        for axis, dim in enumerate(value.type.tensor_type.shape.dim):
            if dim.dim_value > 1:
                dim.dim_param = f"i{number}d{axis}"
    for value in model.graph.output:
        if value.type.WhichOneof("value") == "tensor_type":
            for dim in value.type.tensor_type.shape.dim:
                dim.Clear()
    return Case(case.name, model, case.data, case.rtol, case.atol)


def as_array(value):
    """A value of a test's data as an array of NumPy."""
    if isinstance(value, onnx.TensorProto):
        return numpy_helper.to_array(value)
    return np.asarray(value)


def is_value(value):
    """Whether a value of a test's data is no tensor of numbers."""
    return (value is None or isinstance(value, (list, dict))
            or as_array(value).dtype.kind in "OUS")


def compare(name, got, want, rtol, atol):
    """None, or what differs."""
    if want is None or got is None:
        return None if got is want else f"{name}: expected {want}, got {got}"
    if isinstance(want, dict):
        if not isinstance(got, dict) or list(got) != list(want):
            return f"{name}: expected the keys {list(want)}, got {got}"
        return compare(name, list(got.values()), list(want.values()), rtol, atol)
    if isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            return f"{name}: expected {len(want)} elements, got {got}"
        wrong = (compare(f"{name}[{i}]", *pair, rtol, atol)
                 for i, pair in enumerate(zip(got, want)))
        return next(filter(None, wrong), None)
    want = as_array(want)
    got = np.asarray(got)
    if want.dtype.kind in "OUS":
        want = want.astype(object)
    if got.shape != want.shape:
        return f"{name}: expected shape {want.shape}, got {got.shape}"
    if got.dtype != want.dtype:
        return f"{name}: expected type {want.dtype}, got {got.dtype}"
    if want.dtype.kind not in "biuO":
        if want.dtype.name == "bfloat16":
            rtol = max(rtol, BFLOAT16_RTOL)
        got, want = got.astype(np.float64), want.astype(np.float64)
        same = np.isclose(got, want, rtol=rtol, atol=atol, equal_nan=True)
    else:
        same = got == want
    if np.all(same):
        return None
    at = np.unravel_index(np.argmin(same), same.shape)
    return (f"{name}: {np.size(same) - np.count_nonzero(same)} of {np.size(same)} differ, "
            f"at {tuple(int(i) for i in at)} expected {want[at]}, got {got[at]}")


def run_library(path, case):
    """Run all the case's data; a Result without its name."""
    model = native.Model(path, threads=2)
    for inputs, outputs in case.data:
        names = [value.name for value in inputs_of(case.model)]
        feeds = {n: a if is_value(a) else as_array(a) for n, a in zip(names, inputs)}
        try:
            model.bind(feeds)
            results = model.run()
        except RuntimeError as error:
            return "refused", str(error)
        for value, want in zip(case.model.graph.output, outputs):
            wrong = compare(value.name, results[value.name], want, case.rtol, case.atol)
            if wrong:
                return "wrong", wrong
    return "pass", ""


def run_apart(path, case):
    """run_library in a forked process."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        signal.alarm(SECONDS)
        try:
            kind, detail = run_library(path, case)
        except Exception as error:  # the child must end here, whatever happened
            kind, detail = "wrong", f"{type(error).__name__}: {error}"
        os.write(write, f"{kind}\n{detail[:2000]}".encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as pipe:
        text = pipe.read()
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return "crash", f"run: {signal.Signals(os.WTERMSIG(status)).name}"
    return tuple(text.split("\n", 1))


def bound_memory():
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def sweep_case(case, lathe, flags):
    with tempfile.TemporaryDirectory() as folder:
        source, library = (os.path.join(folder, n) for n in ("model.onnx", "model.so"))
        onnx.save(case.model, source)
        command = [lathe, "compile", source, "-o", library, "--name=model", *flags]
        try:
            done = subprocess.run(command, capture_output=True, text=True,
                                  errors="replace", timeout=SECONDS, check=False,
                                  preexec_fn=bound_memory)
        except subprocess.TimeoutExpired:
            return Result(case.name, "crash", f"compile: over {SECONDS} s")
        if done.returncode == 0:
            return Result(case.name, *run_apart(library, case))
        lines = done.stderr.replace(source + ": ", "").strip().splitlines()
        if done.returncode != 1 or not lines:
            return Result(case.name, "crash", f"compile: exit status {done.returncode}: "
                          + " | ".join(lines[:3]))
        return Result(case.name, "refused", lines[0])


def sweep_index(index):
    return sweep_case(SHARED["cases"][index], SHARED["lathe"], SHARED["flags"])


def reason(detail):
    """A message without what differs from case to case."""
    detail = re.sub(r"^node '[^']*' \((\w+)\)", r"\1", detail)
    detail = re.sub(r"got '[^']*'", "got a size", detail)
    return re.sub(r"\s+", " ", detail).strip()[:120]


def read_list(name):
    """The names in a list; lines that start with # are reasons."""
    path = os.path.join(HERE, name)
    if not os.path.exists(path):
        return set()
    with open(path, encoding="utf-8") as file:
        return {line.strip() for line in file if line.strip() and line[0] != "#"}


def write_list(name, results):
    groups = collections.defaultdict(list)
    for result in results:
        groups[reason(result.detail)].append(result.name)
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as file:
        file.write("\n".join(f"# {why}\n" + "".join(f"{n}\n" for n in sorted(names))
                             for why, names in sorted(groups.items())))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="only the cases with these in their names")
    parser.add_argument("--lathe", required=True)
    parser.add_argument("--form", choices=["plain", "constants", "symbolic", "both"],
                        default="both", help="both: plain and constants")
    parser.add_argument("--every", type=int, default=1, metavar="N",
                        help="only each Nth of the cases that are expected to pass")
    parser.add_argument("--flag", action="append", default=[], help="for lathe compile")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--shrink", action="store_true", help="rewrite the lists")
    parser.add_argument("--verbose", action="store_true", help="print every refusal")
    options = parser.parse_args()

    cases = collect()
    if options.form == "symbolic":
        cases = [with_symbols(case) for case in cases]
    else:
        constants = [c for c in map(with_constants, cases) if c]
        cases = {"plain": cases, "constants": constants,
                 "both": cases + constants}[options.form]
    expected_refused, expected_wrong = read_list("refused.txt"), read_list("wrong.txt")
    if options.names:
        cases = [c for c in cases if any(name in c.name for name in options.names)]
    if options.every > 1:
        cases = [c for c in cases if c.name not in expected_refused | expected_wrong]
        cases = cases[::options.every]

    # Workers inherit the cases by fork, rather than being sent them.
    SHARED.update(cases=cases, lathe=os.path.realpath(options.lathe), flags=options.flag)
    results = []
    with concurrent.futures.ProcessPoolExecutor(
            options.jobs, mp_context=multiprocessing.get_context("fork")) as pool:
        results.extend(pool.map(sweep_index, range(len(cases)), chunksize=4))

    counts = collections.Counter(result.kind for result in results)
    failed = 0
    listed = options.form != "symbolic" and not options.flag
    for result in results:
        bad = result.kind in ("wrong", "crash")
        if listed and not options.shrink:
            refused = result.kind == "refused"
            if refused and result.name not in expected_refused:
                print(f"newly refused: {result.name}: {result.detail}")
                failed += 1
            elif not refused and result.name in expected_refused:
                print(f"no longer refused (run with --shrink): {result.name}")
                failed += 1
            if bad != (result.name in expected_wrong):
                print(f"{result.kind}, not expected: {result.name}: {result.detail}")
                failed += 1
        elif bad or (options.verbose and result.kind == "refused"):
            print(f"{result.kind}: {result.name}: {result.detail}")
            failed += bad
    if options.shrink:
        if options.names or options.every > 1 or options.form != "both" or options.flag:
            parser.error("expected --shrink with the whole sweep")
        write_list("refused.txt", [r for r in results if r.kind == "refused"])
        write_list("wrong.txt", [r for r in results if r.kind in ("wrong", "crash")])
        failed = 0
    print(", ".join(f"{counts[kind]} {kind}"
                    for kind in ("pass", "refused", "wrong", "crash")))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
