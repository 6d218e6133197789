# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Peers that are compilers: IREE, TVM without tuning, torch.compile.

    compiled_peers.py PEER MODEL.onnx THREADS FEEDS.npz FOLDER

Each has a `build` that leaves an artifact in a folder and a `load` that makes of
it a function that runs once. Compilers may hang or crash, so both are first tried
in a process of their own, which is what running this file does: it may take
SECONDS. They are given the sizes of the inputs where the model has symbols."""

import functools
import os
import signal
import subprocess
import sys
import tempfile

import numpy as np

SECONDS = 120  # unless the caller sets it
IREE_OPTIONS = ["--iree-input-type=onnx", "--iree-hal-target-device=local",
                "--iree-hal-local-target-device-backends=llvm-cpu", "--iree-llvmcpu-target-cpu=host",
                "--iree-opt-level=O3", "--iree-opt-data-tiling",
                # Its convolutions are faster with channels last, which is not what it does by itself.
                "--iree-preprocessing-pass-pipeline="
                "builtin.module(util.func(iree-preprocessing-convert-conv-to-channels-last))"]

# Waiting threads must not spin while another variant has its turn, and none may
# bind the process to a processor. Read when the libraries are loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("TVM_THREAD_POOL_SPIN_COUNT", "0")
os.environ.setdefault("TVM_BIND_THREADS", "0")


def save_model(path, feeds, out):
    """The model with the sizes of the inputs in place of symbols, and with what
    then is constant as constants, by ONNX Runtime."""
    import onnx
    import onnxruntime

    model = onnx.load(path)
    for value in model.graph.input:
        if value.name in feeds:
            for dim, size in zip(value.type.tensor_type.shape.dim, feeds[value.name].shape):
                dim.dim_value = size
    # What was known of the other values is in terms of the symbols.
    del model.graph.value_info[:]
    for value in model.graph.output:
        value.type.tensor_type.ClearField("shape")
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = out
    options.log_severity_level = 3
    onnxruntime.InferenceSession(model.SerializeToString(), options, ["CPUExecutionProvider"])
    onnx.save(onnx.shape_inference.infer_shapes(onnx.load(out)), out)


def get_names(path):
    """The names of the inputs that are not weights, and of the outputs."""
    import onnx

    graph = onnx.load(path, load_external_data=False).graph
    weights = {value.name for value in graph.initializer}
    return ([value.name for value in graph.input if value.name not in weights],
            [value.name for value in graph.output])


def build_iree(path, threads, feeds, folder):
    from iree.compiler import tools  # noqa: F401: says that it is not installed

    tool = lambda name: os.path.join(os.path.dirname(sys.executable), name)
    at = functools.partial(os.path.join, folder)
    save_model(path, feeds, at("model.onnx"))
    # Weights go to a file of their own: as text they would be twice as large.
    subprocess.run([tool("iree-import-onnx"), at("model.onnx"), "-o", at("model.mlir"),
                    "--externalize-params", "--save-params-to", at("weights.irpa")], check=True)
    subprocess.run([tool("iree-compile"), at("model.mlir"), "-o", at("model.vmfb"), *IREE_OPTIONS], check=True)


def load_iree(path, threads, feeds, folder):
    from iree import runtime

    if threads > 1:
        runtime.flags.parse_flags(f"--task_topology_group_count={threads}")
    config = runtime.Config("local-sync" if threads == 1 else "local-task")
    modules = [runtime.create_hal_module(config.vm_instance, config.device)]
    weights = os.path.join(folder, "weights.irpa")
    if os.path.exists(weights):
        index = runtime.ParameterIndex()
        index.load(weights)
        modules.append(runtime.create_io_parameters_module(
            config.vm_instance, index.create_provider("model")))
    program = runtime.VmModule.mmap(config.vm_instance, os.path.join(folder, "model.vmfb"))
    context = runtime.VmContext(config.vm_instance, [*modules, program])
    # Each function is there twice, once to be waited for.
    name = next(n for n in program.function_names if n + "$async" in program.function_names)
    call = runtime.FunctionInvoker(context, config.device, program.lookup_function(name))
    inputs, outputs = get_names(path)
    given = [runtime.asdevicearray(config.device, feeds[name]) for name in inputs]

    def run():
        results = call(*given)
        results = results if isinstance(results, tuple) else (results,)
        return {name: value.to_host() for name, value in zip(outputs, results)}
    return run


def build_tvm(path, threads, feeds, folder):
    import onnx
    import tvm
    from tvm import relax
    from tvm.relax.frontend.onnx import from_onnx

    fixed = os.path.join(folder, "model.onnx")
    save_model(path, feeds, fixed)
    module = from_onnx(onnx.load(fixed), shape_dict={n: list(x.shape) for n, x in feeds.items()},
                       dtype_dict={n: str(x.dtype) for n, x in feeds.items()})
    host = tvm.get_global_func("target.llvm_get_system_cpu")()
    target = tvm.target.Target({"kind": "llvm", "mcpu": host, "num-cores": threads})
    with target:
        module = relax.transform.DecomposeOpsForInference()(module)
        tvm.compile(relax.get_pipeline("zero")(module), target=target).export_library(
            os.path.join(folder, "model.so"))


def load_tvm(path, threads, feeds, folder):
    import tvm
    from tvm import relax

    tvm.get_global_func("runtime.config_threadpool")(1, threads)
    library = tvm.runtime.load_module(os.path.join(folder, "model.so"))
    call = relax.VirtualMachine(library, tvm.cpu())["main"]
    inputs, outputs = get_names(path)
    given = [tvm.runtime.tensor(np.asarray(feeds[name])) for name in inputs]

    def run():
        results = call(*given)
        results = [results] if hasattr(results, "numpy") else list(results)
        return {name: value.numpy() for name, value in zip(outputs, results)}
    return run


def find_torch_module(name):
    """The PyTorch module, and the names of its inputs and outputs, that the export
    scripts of test/Models write as `name`. They compute the same: seeds are fixed."""
    scripts = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "Models", "export")
    sys.path.insert(0, scripts)
    import importlib

    class Found(Exception):
        pass

    def catch(export, written, module, args, dynamo, inputs, outputs, *rest):
        if written == name:
            raise Found(module.eval(), inputs, outputs)

    arguments = sys.argv
    try:
        for script in ("vision", "generative", "recurrent", "language"):
            script = importlib.import_module(script)
            script.write = catch
            with tempfile.TemporaryDirectory() as folder:
                sys.argv = [script.__name__, folder, "--only", name]
                script.main()
    except Found as found:
        return found.args
    finally:
        sys.argv = arguments
        sys.path.remove(scripts)
    raise ValueError(f"expects a model that test/Models/export makes of a PyTorch module, got {name}")


def load_torch(path, threads, feeds, folder):
    # Machine code is found again in the folder, by the source that was compiled.
    os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder
    import torch
    from torch._inductor import config
    from torch.utils import _pytree

    config.freezing = True  # weights are constants
    torch.set_num_threads(threads)
    module, inputs, outputs = find_torch_module(os.path.basename(path)[:-len(".onnx")])
    given = [torch.from_numpy(np.array(feeds[name])) for name in inputs]
    call = torch.compile(module)

    def run():
        with torch.no_grad():
            results = _pytree.tree_leaves(call(*given))
        return {name: value.numpy() for name, value in zip(outputs, results)}
    return run


# Name -> build, load. torch.compile does both at the first run.
COMPILED = {
    "iree": (build_iree, load_iree),
    "tvm": (build_tvm, load_tvm),
    "torch": (lambda *arguments: None, load_torch),
}


def compiled_peer(peer, path, threads, feeds):
    """The function that runs the model once, after a run in another process."""
    folder = tempfile.TemporaryDirectory()
    stored = os.path.join(folder.name, "feeds.npz")
    np.savez(stored, **feeds)
    tried = subprocess.Popen([sys.executable, __file__, peer, path, str(threads), stored, folder.name],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, errors="replace",
                             start_new_session=True)
    try:
        _, said = tried.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(tried.pid, signal.SIGKILL)  # what it started, too
        tried.communicate()
        raise RuntimeError(f"no result after {SECONDS} seconds") from None
    if tried.returncode:
        lines = said.splitlines()
        raise RuntimeError(next((line for line in lines if " error: " in line),
                                next((line for line in reversed(lines) if "rror" in line),
                                     f"ended with status {tried.returncode}")))
    run = COMPILED[peer][1](path, threads, feeds, folder.name)
    run.folder = folder  # lives as long as what was loaded from it
    return run


def main():
    if os.sched_getscheduler(0) == os.SCHED_FIFO:  # which the measuring may have, but compiling does not need
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    peer, path, threads, stored, folder = sys.argv[1:]
    build, load = COMPILED[peer]
    with np.load(stored) as file:
        feeds = dict(file)
    build(path, int(threads), feeds, folder)
    load(path, int(threads), feeds, folder)()


if __name__ == "__main__":
    main()
