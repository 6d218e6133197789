# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Small models for the tests, in ONNX's text syntax."""

import glob
import os

import onnx.parser

MODELS = os.path.join(os.path.dirname(os.path.dirname(os.path.realpath(__file__))), "Models")

ADD = """<ir_version: 10, opset_import: ["" : 21]>
add (float[n, 3] x, float[3] b) => (float[n, 3] y, float[n, 3] z) {
  y = Add (x, b)
  z = Mul (y, y)
}"""

GATHER = """<ir_version: 10, opset_import: ["" : 21]>
gather (float[4, 2] x, int64[k] i) => (float[k, 2] y) {
  y = Gather (x, i)
}"""

UNSUPPORTED = """<ir_version: 10, opset_import: ["" : 21, "test" : 1]>
bad (float[3] x) => (float[3] y) {
  a = test.Bad (x)
  [second] b = test.Worse (a)
  y = Relu (b)
}"""


def parse(text):
    """The bytes of a model."""
    return onnx.parser.parse_model(text).SerializeToString()


def unary(op, dtype, out=None, opset=21):
    """One operator on a vector of any length."""
    return parse(f"""<ir_version: 10, opset_import: ["" : {opset}]>
      m ({dtype}[n] x) => ({out or dtype}[n] y) {{ y = {op} (x) }}""")


def narrow_models():
    """(name, model, references) of the models that exporters made."""
    for path in sorted(glob.glob(os.path.join(MODELS, "*", "model.onnx"))):
        folder = os.path.dirname(path)
        yield (os.path.basename(folder), path,
               sorted(glob.glob(os.path.join(glob.escape(folder), "reference*.npz"))))


def refused_models():
    """Names of the models that are known not to compile."""
    with open(os.path.join(MODELS, "xfail.txt"), encoding="utf-8") as file:
        return {line.split(":")[0].strip() for line in file if line.strip() and line[0] != "#"}
