# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes good.onnx, and bad.onnx with two nodes that nobody knows."""

import os
import sys

import onnx.parser

GOOD = """<ir_version: 10, opset_import: ["" : 21]>
m (float[n, 3] x) => (float[n, 3] y) { y = Relu (x) }"""
BAD = """<ir_version: 10, opset_import: ["" : 21, "test" : 1]>
m (float[3] x) => (float[3] y) {
  a = test.Bad (x)
  [second] b = test.Worse (a)
  y = Relu (b)
}"""

for name, text in (("good", GOOD), ("bad", BAD)):
    onnx.save(onnx.parser.parse_model(text), os.path.join(sys.argv[1], f"{name}.onnx"))
