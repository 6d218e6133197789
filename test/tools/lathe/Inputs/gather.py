# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a model with one Gather, data for it, and indices inside and outside."""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

folder = sys.argv[1]
graph = helper.make_graph(
    [helper.make_node("Gather", ["data", "indices"], ["out"], name="lookup")],
    "gather",
    [helper.make_tensor_value_info("data", TensorProto.FLOAT, [4, 2]),
     helper.make_tensor_value_info("indices", TensorProto.INT64, ["count"])],
    [helper.make_tensor_value_info("out", TensorProto.FLOAT, ["count", 2])])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
model.ir_version = 8
onnx.save(model, f"{folder}/gather.onnx")
np.save(f"{folder}/data.npy", np.arange(8, dtype=np.float32).reshape(4, 2))
np.save(f"{folder}/inside.npy", np.array([0, -4, 3]))
np.save(f"{folder}/outside.npy", np.array([0, 1, 4]))
