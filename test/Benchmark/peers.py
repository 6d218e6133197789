# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Who Lathe is compared with. Each peer is a function of the model's path, the
number of threads and the inputs by name; it gives a function that runs the model
once and returns the outputs by name. Peers that are not installed raise
ImportError when they are asked for."""

import functools

from compiled_peers import COMPILED, compiled_peer


def onnxruntime_peer(path, threads, feeds, optimized=True):
    """ONNX Runtime on the CPU, with or without its graph optimizations."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    level = onnxruntime.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if optimized else level.ORT_DISABLE_ALL
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Its waiting threads must not spin while another variant has its turn.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    names = [o.name for o in session.get_outputs()]
    return lambda: dict(zip(names, session.run(names, feeds)))


def openvino_peer(path, threads, feeds):
    """OpenVINO on the CPU, one stream, computing in f32 also where the processor has bf16."""
    import openvino

    core = openvino.Core()
    model = core.compile_model(path, "CPU", {
        "INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": threads,
        "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY"})
    request = model.create_infer_request()
    names = [o.get_any_name() for o in model.outputs]
    inputs = {i.get_any_name() for i in model.inputs}
    given = {name: value for name, value in feeds.items() if name in inputs}

    def run():
        request.infer(given, share_inputs=True, share_outputs=True)
        # A dynamic output's tensor is another one after the run than before.
        return {name: request.get_output_tensor(i).data for i, name in enumerate(names)}
    return run


PEERS = {
    "ort": onnxruntime_peer,
    "ort-off": functools.partial(onnxruntime_peer, optimized=False),
    "openvino": openvino_peer,
    **{name: functools.partial(compiled_peer, name) for name in COMPILED},
}
