# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""contrib.py LATHE CASES OUT

Compares operators that ONNX has no schema of with ONNX Runtime. CASES is Python
that calls `case` for each; a case is a model of one node, with the sizes that
its first inputs have and with symbolic ones, unfused, and fused on one thread
and on two. `refuse` says what the compiler has to reject, and how. With
LATHE_TEST_FEW in the environment, as under sanitizers, a case is one model, fused.
"""
import os
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper

lathe, cases, out = sys.argv[1:]
rng = np.random.default_rng(0)
few = "LATHE_TEST_FEW" in os.environ
done = {"models": 0, "runs": 0, "refusals": 0}


class Const:
    """An input that is a constant of the model."""

    def __init__(self, value):
        self.value = np.asarray(value)


def normal(*shape, dtype=np.float32, scale=1.0):
    return (scale * rng.standard_normal(shape)).astype(dtype)


def integers(low, high, shape, dtype):
    return rng.integers(low, high, shape).astype(dtype)


def run(*command):
    made = subprocess.run([lathe, *command], capture_output=True, text=True)
    if made.returncode:
        sys.exit(f"{' '.join(command)}:\n{made.stdout}{made.stderr}")


def reference(model, feed):
    """ONNX Runtime's outputs, by the node's own kernel."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    return session.run(None, feed)


def make_model(op, feed, shapes, results, outputs, domain, attributes):
    """A model of one node; its inputs have `shapes`, or those of the arrays."""
    constants = [numpy_helper.from_array(v.value, n) for n, v in feed.items() if isinstance(v, Const)]
    inputs = [helper.make_tensor_value_info(n, helper.np_dtype_to_tensor_dtype(v.dtype), shapes.get(n, v.shape))
              for n, v in feed.items() if isinstance(v, np.ndarray)]
    node = helper.make_node(op, [n if v is not None else "" for n, v in feed.items()], list(outputs),
                            name="node", domain=domain, **attributes)
    graph = helper.make_graph([node], "graph", inputs, results, constants)
    return helper.make_model(graph, ir_version=9, opset_imports=[
        helper.make_opsetid("", 17), helper.make_opsetid("com.microsoft", 1)])


def case(name, op, *feeds, outputs=("y",), symbolic=None, domain="com.microsoft", rtol=1e-3, atol=1e-5,
         **attributes):
    """Each of `feeds` has the inputs in order, by name: arrays, `Const` or, for
    one that is left out, None. `symbolic` gives the names of sizes by input;
    only feeds[0] is run without it. Outputs are named, "" is left out."""
    def make(shapes, results):
        return make_model(op, feeds[0], shapes, results, outputs, domain, attributes)

    arrays = [{n: v for n, v in feed.items() if isinstance(v, np.ndarray)} for feed in feeds]
    named = [o for o in outputs if o]
    untyped = make(symbolic or {}, [helper.make_empty_tensor_value_info(o) for o in named])
    expected = [reference(untyped, feed) for feed in arrays]
    results = [helper.make_tensor_value_info(o, helper.np_dtype_to_tensor_dtype(e.dtype), None)
               for o, e in zip(named, expected[0])]
    for k, (feed, made) in enumerate(zip(arrays, expected)):
        np.savez(f"{out}/{name}_{k}.npz", **feed, **dict(zip(named, made)))
    for kind, shapes, count in (("static", {}, 1), ("symbolic", symbolic, len(feeds))):
        if shapes is None or (few and kind == "static" and symbolic):
            continue
        path = f"{out}/{name}-{kind}"
        onnx.save(make(shapes, results), f"{path}.onnx")
        for fusion in ("all",) if few else ("all", "none"):
            run("compile", f"{path}.onnx", f"--fusion={fusion}", "-o", f"{path}.so")
            for k in range(1 if few else count):
                for threads in (2,) if few else (1, 2) if fusion == "all" else (1,):
                    run("verify", f"{path}.so", "--reference", f"{out}/{name}_{k}.npz",
                        f"--rtol={rtol}", f"--atol={atol}", f"--threads={threads}")
                    done["runs"] += 1
        done["models"] += 1


def refuse(op, feed, message, outputs=("y",), domain="com.microsoft", **attributes):
    """The compiler names the node and says `message`."""
    results = [helper.make_tensor_value_info(o, onnx.TensorProto.FLOAT, None) for o in outputs if o]
    path = f"{out}/refused.onnx"
    onnx.save(make_model(op, feed, {}, results, outputs, domain, attributes), path)
    made = subprocess.run([lathe, "compile", path, "-o", f"{out}/refused.so"], capture_output=True, text=True)
    expected = f"node 'node' ({op}): {message}"
    if made.returncode != 1 or expected not in made.stderr:
        sys.exit(f"expected the refusal\n{expected}\ngot\n{made.stderr}")
    done["refusals"] += 1


def fail(name, op, feed, wrong, message, outputs=("y",), domain="com.microsoft", **attributes):
    """A program that runs on `feed` ends with an error that names the node, and
    says `message`, where an input has one of the values `wrong[input]`."""
    results = [helper.make_empty_tensor_value_info(o) for o in outputs]
    path = f"{out}/{name}"
    onnx.save(make_model(op, feed, {}, results, outputs, domain, attributes), f"{path}.onnx")
    run("compile", f"{path}.onnx", "-o", f"{path}.so")
    arrays = {n: v for n, v in feed.items() if isinstance(v, np.ndarray)}
    trials = [({}, None)] + [({n: v}, message) for n, values in wrong.items() for v in values]
    for change, expected in trials:
        command = [lathe, "run", f"{path}.so", "--threads=1"]
        for n, v in {**arrays, **change}.items():
            np.save(f"{out}/{n}.npy", np.asarray(v, arrays[n].dtype))
            command.append(f"--input={n}={out}/{n}.npy")
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode != (1 if expected else 0) or (expected and not ("node" in made.stderr and expected in made.stderr)):
            sys.exit(f"{name} with {change}: expected {expected or 'success'}, got\n{made.stderr}")
    done["refusals"] += len(trials) - 1


exec(compile(open(cases).read(), cases, "exec"))
print(f"{done['models']} models, {done['runs']} runs agree with ONNX Runtime, {done['refusals']} refused")
