# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""ONNX's own backend tests, through lathe.backend.

  sweep.py [--form=FORM] [--every=N] [NAME ...]

The cases of the onnx package (node, simple, converted, operator and light
models) are compiled and run by worker processes. A worker that crashes or hangs
is a failed case; another one takes its place. Forms of a case:
  plain     the model as ONNX ships it,
  constants every input but the first is an initializer (cases whose later
            inputs are small integers, as sizes, axes and indices are),
  symbolic  every dimension above 1 of an input is a symbol.
The plain and constants forms are compared with three lists beside this file.
refused.txt names what the compiler refuses, under the message it gives, and
wrong.txt what gives wrong results, crashes or hangs. inexact.txt names cases
whose expected numbers carry the rounding of the way they were computed: ours
differ from them by more than the tolerance, and lie within it of what ONNX's
reference gives in double precision, and nearer to that than the expected ones.
They do not count as passed. A case that does better than its list
says fails the sweep; --shrink rewrites the lists instead, and
docs/Conformance.md with them."""

import argparse
import collections
import copy
import json
import os
import re
import sys
import time
import warnings

import numpy as np
import onnx
from onnx import numpy_helper

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
import workers

Case = collections.namedtuple("Case", "name model data rtol atol")
Result = collections.namedtuple("Result", "name kind detail")
INTEGERS = {onnx.TensorProto.INT64, onnx.TensorProto.INT32, onnx.TensorProto.BOOL}
SECONDS = 180  # on a machine that has other things to do as well
# Operators whose numbers are another generator's in the suite: only types and
# shapes of what depends on them are compared.
RANDOM = {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike",
          "RandomUniform", "RandomUniformLike"}
# The suite's own tolerance of bfloat16.
BFLOAT16_RTOL = 2.0**-6


def read_value(path, value_type):
    """A value of a test's data folder."""
    kind = value_type.WhichOneof("value")
    value, convert = {
        "tensor_type": (onnx.TensorProto(), numpy_helper.to_array),
        "sequence_type": (onnx.SequenceProto(), numpy_helper.to_list),
        "optional_type": (onnx.OptionalProto(), numpy_helper.to_optional),
    }[kind]
    with open(path, "rb") as file:
        value.ParseFromString(file.read())
    return convert(value)


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


def light_cases(tests):
    """Models whose weights are computed, with the runner's own inputs."""
    from onnx.backend.test.runner import Runner
    root = os.path.dirname(onnx.__file__)
    for test in tests:
        path = os.path.join(os.path.dirname(root), test.url)
        if "/data/light/" not in test.url:
            continue
        model = onnx.load(path)
        inputs = [Runner.generate_dummy_data(value) for value in inputs_of(model)]
        outputs = [read_value(f"{path.removesuffix('.onnx')}_output_{i}.pb", value.type)
                   for i, value in enumerate(model.graph.output)]
        yield Case(test.name, model, [(inputs, outputs)], test.rtol, test.atol)


def collect():
    """All cases of the onnx package that need no download, by name."""
    from onnx.backend.test import loader
    from onnx.backend.test.case import model as models
    from onnx.backend.test.case import node
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        tests = [*node.collect_testcases(),
                 *(test for test in models.collect_testcases() if test.kind == "simple")]
        cases = [Case(t.name, t.model, t.data_sets, t.rtol, t.atol) for t in tests]
        for kind in ("pytorch-converted", "pytorch-operator"):
            for test in loader.load_model_tests(kind=kind):
                model = onnx.load(os.path.join(test.model_dir, "model.onnx"))
                cases.append(Case(test.name, model, folder_data(test.model_dir, model),
                                  test.rtol, test.atol))
        cases += light_cases(loader.load_model_tests(kind="real"))
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
        numpy_helper.from_array(as_value(a), i.name) for i, a in later)
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


def as_value(value):
    """A value of a test's data as the package takes it."""
    for kind, convert in ((onnx.TensorProto, numpy_helper.to_array),
                          (onnx.SequenceProto, numpy_helper.to_list),
                          (onnx.OptionalProto, numpy_helper.to_optional),
                          (onnx.MapProto, numpy_helper.to_dict)):
        if isinstance(value, kind):
            return convert(value)
    return np.asarray(value) if isinstance(value, np.generic) else value


def is_random(case):
    """Whether the results of a case are random numbers."""
    for node in case.model.graph.node:
        # Dropout of a ratio above zero, in training.
        if node.op_type == "Dropout" and len(node.input) > 2:
            ratios = [np.asarray(as_value(value))
                      for value in case.data[0][0] if np.size(value) == 1]
            ratios += [numpy_helper.to_array(i) for i in case.model.graph.initializer]
            given = [r for r in ratios if r.dtype.kind == "f" and r.size == 1]
            return not node.input[1] or any(r.item() > 0 for r in given)
        if node.op_type in RANDOM:
            return True
    return False


def compare(name, got, want, rtol, atol, values=True):
    """None, or what differs: in the values, too, unless these are random."""
    want = as_value(want)
    if want is None or got is None:
        return None if want is got else f"{name}: expected {want}, got {got}"
    if isinstance(want, (list, dict)):
        if type(got) is not type(want) or len(got) != len(want):
            return f"{name}: expected {want}, got {got}"
        keys = range(len(want)) if isinstance(want, list) else want
        if isinstance(want, dict) and got.keys() != want.keys():
            return f"{name}: expected keys {list(want)}, got {list(got)}"
        return next(filter(None, (compare(f"{name}[{key!r}]", got[key], want[key], rtol, atol)
                                  for key in keys)), None)
    got, want = np.asarray(got), np.asarray(want)
    if got.shape != want.shape:
        return f"{name}: expected shape {want.shape}, got {got.shape}"
    if got.dtype.kind != "O" != want.dtype.kind and got.dtype != want.dtype:
        return f"{name}: expected type {want.dtype}, got {got.dtype}"
    if not values:
        return None
    if want.dtype.kind in "biuOUS":
        same = got == want
    else:
        if want.dtype.name == "bfloat16":
            rtol = max(rtol, BFLOAT16_RTOL)
        wide = np.complex128 if want.dtype.kind == "c" else np.float64
        same = np.isclose(got.astype(wide), want.astype(wide), rtol=rtol, atol=atol,
                          equal_nan=True)
    if np.all(same):
        return None
    at = np.unravel_index(np.argmin(same), same.shape)
    return (f"{name}: {np.size(same) - np.count_nonzero(same)} of {np.size(same)} differ, "
            f"at {tuple(int(i) for i in at)} expected {want[at]}, got {got[at]}")


def widened(value):
    """Floats of a value of a test in double precision."""
    value = as_value(value)
    if isinstance(value, np.ndarray) and value.dtype.kind in "fc":
        return value.astype(np.complex128 if value.dtype.kind == "c" else np.float64)
    return value


def exact_outputs(model, inputs):
    """What ONNX's reference gives where it computes in double precision."""
    from onnx.reference import ReferenceEvaluator
    model = copy.deepcopy(model)
    for tensor in model.graph.initializer:
        array = numpy_helper.to_array(tensor)
        tensor.CopyFrom(numpy_helper.from_array(widened(array), tensor.name))
    feeds = {i.name: widened(value) for i, value in zip(inputs_of(model), inputs)}
    return ReferenceEvaluator(model).run(None, feeds)


def is_inexact(case, original, inputs, results, outputs):
    """Whether all that differs from the expected outputs is their rounding: ours
    are within the tolerance of the exact ones, and nearer than the expected ones.
    `original` is the case whose operator was expanded, if it was: bodies compute
    in the type of the model."""
    try:
        exact = exact_outputs(original.model, inputs)
    except Exception:  # The reference does not take everything.
        return False
    for got, want, truth in zip(results, outputs, exact):
        want = as_value(want)
        if not all(isinstance(v, np.ndarray) and v.dtype.kind == "f" for v in (got, want, truth)):
            return False
        if not got.shape == want.shape == truth.shape:
            return False
        error = lambda value: np.max(np.abs(value.astype(np.float64) - truth), initial=0)
        if error(got) > error(want) or not np.allclose(
                got.astype(np.float64), truth, rtol=case.rtol, atol=case.atol):
            return False
    return True


def sweep_case(case, original, flags):
    """The kind and the detail of a case's result, in a worker."""
    import lathe.backend
    try:
        model = lathe.backend.prepare(case.model, threads=2, jobs=1, **flags)
        for inputs, outputs in case.data:
            results = model.run([as_value(value) for value in inputs])
            for value, got, want in zip(case.model.graph.output, results, outputs):
                wrong = compare(value.name, got, want, case.rtol, case.atol,
                                not is_random(case))
                if wrong:
                    inexact = is_inexact(case, original, inputs, results, outputs)
                    return "inexact" if inexact else "wrong", wrong
    except lathe.CompileError as error:
        first = str(error).splitlines()[0]
        return "refused", first.removeprefix("<bytes>: ")
    except lathe.LatheError as error:
        return "refused", str(error)
    except Exception as error:  # the worker goes on
        return "wrong", f"{type(error).__name__}: {error}"
    return "pass", ""


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


def write_summary(results):
    import summary  # which reads the cases of this module
    path = os.path.join(os.path.dirname(os.path.dirname(HERE)), "docs", "Conformance.md")
    with open(path, "w", encoding="utf-8") as file:
        file.write(summary.write_table([result._asdict() for result in results]))


def find_package(driver):
    """Makes `import lathe` find the package of a build."""
    if driver:
        root = os.path.dirname(os.path.dirname(os.path.realpath(driver)))
        sys.path.insert(0, os.path.join(root, "python"))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="only the cases with these in their names")
    parser.add_argument("--lathe", help="build/bin/lathe, for the package of that build")
    parser.add_argument("--form", choices=["plain", "constants", "symbolic", "both"],
                        default="both", help="both: plain and constants")
    parser.add_argument("--every", type=int, default=1, metavar="N",
                        help="only each Nth of the cases that are expected to pass")
    parser.add_argument("--flag", action="append", default=[], metavar="NAME=VALUE",
                        help="an option of lathe compile")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--shrink", action="store_true", help="rewrite the lists")
    parser.add_argument("--json", metavar="FILE", help="where to write all results")
    parser.add_argument("--verbose", action="store_true", help="print every refusal")
    options = parser.parse_args()
    find_package(options.lathe)

    begin = time.monotonic()
    plain = collect()
    if options.form == "symbolic":
        cases = [with_symbols(case) for case in plain]
    else:
        constants = [c for c in map(with_constants, plain) if c]
        cases = {"plain": plain, "constants": constants,
                 "both": plain + constants}[options.form]
    originals = {case.name: case for case in plain}
    expected_refused, expected_wrong = read_list("refused.txt"), read_list("wrong.txt")
    expected_inexact = read_list("inexact.txt")
    if options.names:
        cases = [c for c in cases if any(name in c.name for name in options.names)]
    if options.every > 1:
        cases = [c for c in cases
                 if c.name not in expected_refused | expected_wrong | expected_inexact]
        cases = cases[::options.every]
    flags = dict(flag.lstrip("-").split("=", 1) for flag in options.flag)

    results = [Result(case.name, *outcome) for case, outcome in zip(cases, workers.run_all(
        lambda case: sweep_case(case, originals.get(case.name.removesuffix("_expanded"), case),
                                flags), cases, options.jobs, SECONDS))]

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
            if (bad != (result.name in expected_wrong)
                    or (result.kind == "inexact") != (result.name in expected_inexact)):
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
        write_list("inexact.txt", [r for r in results if r.kind == "inexact"])
        write_summary(results)
        failed = 0
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump([result._asdict() for result in results], file, indent=0)
    print(", ".join(f"{counts[kind]} {kind}" for kind in ("pass", "refused", "inexact", "wrong", "crash"))
          + f" in {time.monotonic() - begin:.0f} s")
    print_total(results)
    return 1 if failed else 0


def print_total(results):
    """How many of the cases as ONNX ships them passed."""
    plain = [result for result in results if not result.name.endswith("[constants]")]
    print(f"passed {sum(result.kind == 'pass' for result in plain)} of {len(plain)}")


if __name__ == "__main__":
    sys.exit(main())
