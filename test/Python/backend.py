# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# RUN: %python %s
"""lathe.backend as ONNX's own tests use it; test/Conformance runs all of them."""

import unittest

import lathe
import lathe.backend
import models
import numpy as np
import onnx
import onnx.backend.test
from onnx import helper

X = np.array([[-1, 2, 3]], np.float32)
B = np.array([1, 1, 1], np.float32)


class BackendTest(unittest.TestCase):
    def test_devices(self):
        self.assertTrue(lathe.backend.supports_device("CPU"))
        self.assertTrue(lathe.backend.supports_device("CPU:0"))
        self.assertFalse(lathe.backend.supports_device("CUDA"))
        with self.assertRaises(lathe.InvalidArgument):
            lathe.backend.prepare(onnx.parser.parse_model(models.ADD), "CUDA")

    def test_prepare(self):
        prepared = lathe.backend.prepare(onnx.parser.parse_model(models.ADD))
        for inputs in ([X, B], (X, B), {"x": X, "b": B}):
            outputs = prepared.run(inputs)
            np.testing.assert_array_equal(outputs[0], X + B)
            np.testing.assert_array_equal(outputs["z"], (X + B) ** 2)
            np.testing.assert_array_equal(outputs.y, X + B)
        with self.assertRaisesRegex(lathe.InvalidArgument, "expected 2 inputs, got 1"):
            prepared.run([X])

    def test_run_model(self):
        model = onnx.ModelProto.FromString(models.unary("Neg", "float"))
        y, = lathe.backend.run_model(model, X[0], threads=1)
        np.testing.assert_array_equal(y, -X[0])

    def test_run_node(self):
        y, = lathe.backend.run_node(helper.make_node("Relu", ["x"], ["y"]), [X])
        np.testing.assert_array_equal(y, np.maximum(X, 0))
        node = helper.make_node("Gather", ["x", "i"], ["y"], axis=1)
        y, = lathe.backend.run_node(node, [X, np.array([2, 0])])
        np.testing.assert_array_equal(y, X[:, [2, 0]])
        y, = lathe.backend.run_node(node, [X, np.array([2, 0])],
                                    outputs_info=[(np.float32, (1, 2))])
        np.testing.assert_array_equal(y, X[:, [2, 0]])
        node = helper.make_node("Softmax", ["x"], ["y"], axis=1)
        y, = lathe.backend.run_node(node, X, opset_version=11)
        np.testing.assert_allclose(y, np.exp(X) / np.exp(X).sum(), rtol=1e-5)

    def test_errors(self):
        with self.assertRaises(lathe.CompileError):
            lathe.backend.run_node(helper.make_node("NoSuch", ["x"], ["y"], domain="test"), [X])
        with self.assertRaisesRegex(lathe.InvalidArgument, "expected 2 inputs of Add"):
            lathe.backend.run_node(helper.make_node("Add", ["x", "b"], ["y"]), [X])


# Some of ONNX's tests by ONNX's own runner.
runner = onnx.backend.test.BackendTest(lathe.backend, __name__)
runner.include(r"^test_(relu|gemm_default_no_bias|softmax_axis_1|maxpool_2d_default)_cpu$")
globals().update(runner.test_cases)

if __name__ == "__main__":
    unittest.main()
