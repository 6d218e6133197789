# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""How the PyTorch export scripts fill weights and write models."""

import warnings
import zlib

import onnx
import torch

warnings.filterwarnings("ignore")
torch.backends.mha.set_fastpath_enabled(False)  # it has no ONNX form
OPSET = {False: 17, True: 18}  # by torch's exporter: old (TorchScript), new


def seed(name):
    torch.manual_seed(zlib.crc32(name.encode()))


def spread_weights(module):
    """Random weights that keep activations at unit scale through any depth, so
    that every layer shows in the output."""
    for layer in module.modules():
        if isinstance(layer, (torch.nn.Conv2d, torch.nn.Linear)):
            fan_in = layer.weight[0].numel()
            torch.nn.init.normal_(layer.weight, 0, (2 / fan_in) ** 0.5)
            if layer.bias is not None:
                torch.nn.init.normal_(layer.bias, 0, 0.1)
    return module


def jitter_vectors(module):
    """Move biases, gains and offsets away from their exact zeros and ones."""
    with torch.no_grad():
        for parameter in module.parameters():
            if parameter.ndim == 1:
                parameter.add_(0.1 * torch.randn_like(parameter))
    return module


def calibrate(module, *inputs):
    """Give batch normalizations the statistics of these inputs."""
    norms = [m for m in module.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = None
        norm.reset_running_stats()
    module.train()
    for layer in module.modules():
        if isinstance(layer, torch.nn.Dropout):
            layer.eval()
    with torch.no_grad():
        module(*inputs)
    return module.eval()


def strip_stack_traces(path):
    """Take out what torch's new exporter notes of the exporting machine."""
    model = onnx.load(path)
    graphs = [model.graph, *model.functions]
    for graph in graphs:
        for node in graph.node:
            graphs += [a.g for a in node.attribute if a.HasField("g")]
            for index in reversed(range(len(node.metadata_props))):
                if node.metadata_props[index].key.endswith("stack_trace"):
                    del node.metadata_props[index]
    onnx.save(model, path)


def write(export, name, module, args, dynamo, inputs, outputs, dynamic=None,
          feeds=None):
    """Export with one of torch's two exporters and save references.

    dynamic maps an input's name to {axis: dimension name}. Inputs whose names
    hold a dot are the module's variable arguments."""
    path = export.model_path(name)
    module.eval()
    keywords = dict(input_names=inputs, output_names=outputs,
                    opset_version=OPSET[dynamo], dynamo=dynamo)
    if dynamo:
        keywords.update(external_data=False, verbose=False)
        if dynamic:
            shapes = {
                i: {a: torch.export.Dim.DYNAMIC if "." in i else torch.export.Dim(d)
                    for a, d in dynamic.get(i, {}).items()}
                for i in inputs
            }
            keywords["dynamic_shapes"] = [
                s for i, s in shapes.items() if "." not in i]
            variable = tuple(s for i, s in shapes.items() if "." in i)
            if variable:
                keywords["dynamic_shapes"].append(variable)
    elif dynamic:
        keywords["dynamic_axes"] = dynamic
    with torch.no_grad():
        torch.onnx.export(module, tuple(args), path, **keywords)
    if dynamo:
        strip_stack_traces(path)
    if feeds is None:
        feeds = [{n: a.numpy() for n, a in zip(inputs, args)}]
    export.finish(name, feeds)
