# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# RUN: %python %s
"""Programs that are written for onnxruntime, on lathe.onnxruntime."""

import subprocess
import sys
import tempfile
import threading
import unittest

import lathe
import lathe.onnxruntime as ort
import models
import numpy as np

X = np.array([[1, 2, 3]], np.float32)
B = np.array([1, 1, 1], np.float32)
FEEDS = {"x": X, "b": B}

PROGRAM = """
import sys
import numpy as np
import lathe.onnxruntime
lathe.onnxruntime.install()
import onnxruntime
from onnxruntime import GraphOptimizationLevel, InferenceSession, SessionOptions
from onnxruntime.capi.onnxruntime_pybind11_state import InvalidArgument
options = SessionOptions()
options.intra_op_num_threads = 1
options.graph_optimization_level = GraphOptimizationLevel.ORT_DISABLE_ALL
session = onnxruntime.InferenceSession(sys.argv[1], options,
                                       providers=["CPUExecutionProvider"])
x, b = [node.name for node in session.get_inputs()]
y, z = session.run(None, {x: np.ones((1, 3), np.float32), b: np.ones(3, np.float32)})
assert (y == 2).all() and (z == 4).all()
try:
    session.run(None, {x: np.ones(3)})
except InvalidArgument:
    print("done")
"""


class StandInTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.session = ort.InferenceSession(models.parse(models.ADD),
                                           providers=["CPUExecutionProvider"])

    def test_describes_itself(self):
        node = self.session.get_inputs()[0]
        self.assertEqual((node.name, node.type, node.shape), ("x", "tensor(float)", ["n", 3]))
        self.assertEqual(ort.get_available_providers(), ["CPUExecutionProvider"])
        self.assertEqual(self.session.get_providers(), ["CPUExecutionProvider"])
        self.assertEqual(ort.get_device(), "CPU")
        self.assertEqual(self.session.get_modelmeta().graph_name, "add")

    def test_runs(self):
        y, z = self.session.run(None, FEEDS)
        np.testing.assert_array_equal(y, X + B)
        self.assertEqual(len(self.session.run([], FEEDS)), 2)
        z, = self.session.run(["z"], FEEDS, ort.RunOptions())
        np.testing.assert_array_equal(z, (X + B) ** 2)

    def test_values(self):
        values = {name: ort.OrtValue.ortvalue_from_numpy(a) for name, a in FEEDS.items()}
        y, = self.session.run_with_ort_values(["y"], values)
        self.assertEqual((y.shape(), y.data_type(), y.is_tensor(), y.device_name()),
                         ([1, 3], "tensor(float)", True, "cpu"))
        np.testing.assert_array_equal(y.numpy(), X + B)
        self.assertEqual(y.data_ptr(), y.numpy().ctypes.data)
        np.testing.assert_array_equal(self.session.run(["y"], values)[0], X + B)

    def test_binding(self):
        binding = self.session.io_binding()
        room = np.zeros((1, 3), np.float32)
        binding.bind_cpu_input("x", X)
        binding.bind_input("b", "cpu", 0, np.float32, B.shape, B.ctypes.data)
        binding.bind_output("y", "cpu", 0, np.float32, room.shape, room.ctypes.data)
        binding.bind_output("z")
        self.session.run_with_iobinding(binding)
        np.testing.assert_array_equal(room, X + B)
        y, z = binding.copy_outputs_to_cpu()
        np.testing.assert_array_equal(z, (X + B) ** 2)
        self.assertEqual(len(binding.get_outputs()), 2)

    def test_async(self):
        done, results = threading.Event(), []

        def finish(values, user, message):
            results.extend([values, user, message])
            done.set()

        self.session.run_async(["y"], FEEDS, finish, "user")
        self.assertTrue(done.wait(60))
        np.testing.assert_array_equal(results[0][0], X + B)
        self.assertEqual(results[1:], ["user", ""])

    def test_options(self):
        options = ort.SessionOptions()
        options.add_free_dimension_override_by_name("n", 1)
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
        session = ort.InferenceSession(models.parse(models.ADD), options)
        self.assertEqual(session.get_inputs()[0].shape, [1, 3])
        options.enable_profiling = True
        with self.assertRaises(ort.NotImplemented):
            ort.InferenceSession(models.parse(models.ADD), options)

    def test_other_providers(self):
        with self.assertWarnsRegex(UserWarning, "CUDAExecutionProvider"):
            ort.InferenceSession(models.parse(models.ADD),
                                 providers=[("CUDAExecutionProvider", {}), "CPUExecutionProvider"])

    def test_errors(self):
        with self.assertRaises(ort.NoSuchFile):
            ort.InferenceSession("/no/such.onnx")
        with self.assertRaises(ort.Fail):
            ort.InferenceSession(models.parse(models.UNSUPPORTED))
        with self.assertRaises(ort.InvalidArgument):
            self.session.run(None, {"x": X})
        self.assertTrue(issubclass(ort.RuntimeException, lathe.LatheError))

    def test_program(self):
        with tempfile.NamedTemporaryFile(suffix=".onnx") as file:
            file.write(models.parse(models.ADD))
            file.flush()
            done = subprocess.run([sys.executable, "-c", PROGRAM, file.name], check=True,
                                  capture_output=True, text=True)
        self.assertEqual(done.stdout, "done\n")


if __name__ == "__main__":
    unittest.main()
