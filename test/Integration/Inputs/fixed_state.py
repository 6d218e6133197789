# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""fixed_state.py LATHE OUT

A model that reads its state before and after the next one is made: y = x + h,
n = x * h, z = y - h. Three steps, each given what the last one left.
"""
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper

lathe, out = sys.argv[1:]
tensor = lambda name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"])
onnx.save(
    helper.make_model(
        helper.make_graph(
            [helper.make_node("Mul", ["x", "h"], ["n"]),
             helper.make_node("Add", ["x", "h"], ["y"]),
             helper.make_node("Sub", ["y", "h"], ["z"])],
            "fixed", [tensor("x"), tensor("h")],
            [tensor("n"), tensor("y"), tensor("z")]),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
    f"{out}/fixed.onnx")
state = np.float32([1, 2, 3])
for step in range(3):
    x = np.float32([1, 0.5, 2]) + step
    np.savez(f"{out}/fixed_{step}.npz", x=x, h=state, n=x * state, y=x + state,
             z=(x + state) - state)
    subprocess.run(
        [lathe, "verify", f"{out}/fixed.onnx", "--reference",
         f"{out}/fixed_{step}.npz", "--state=h=n"], check=True,
        stdout=subprocess.DEVNULL)
    state = x * state
