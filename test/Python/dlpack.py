# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# RUN: %python %s
"""Tensors of other libraries, and memory that is never copied."""

import resource
import sys
import unittest

import lathe
import models
import numpy as np

SUM = models.parse("""<ir_version: 10, opset_import: ["" : 21]>
  m (float[n] x) => (float[] y) { y = ReduceMax <keepdims=0> (x) }""")


class Tensor:
    """What another library would give: nothing but DLPack."""

    def __init__(self, array, device=(1, 0)):
        self.array, self.device, self.asked = array, device, []

    def __dlpack__(self, **options):
        self.asked.append(options)
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.device


class OldTensor(Tensor):
    """A producer from before versions."""

    def __dlpack__(self, stream=None):
        self.asked.append({})
        return self.array.__dlpack__()


def peak_bytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


class InputTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.session = lathe.InferenceSession(SUM)

    def test_takes_producers(self):
        x = np.arange(5, dtype=np.float32)
        for kind in (Tensor, OldTensor):
            tensor = kind(x)
            y, = self.session.run(None, {"x": tensor})
            self.assertEqual(y, 4)
            self.assertTrue(tensor.asked)

    def test_gives_tensors_back(self):
        x = np.arange(5, dtype=np.float32)
        before = sys.getrefcount(x)
        for kind in (Tensor, OldTensor):
            for _ in range(10):
                self.session.run(None, {"x": kind(x)})
        self.assertEqual(sys.getrefcount(x), before)

    def test_gives_tensors_back_after_errors(self):
        x = np.arange(5, dtype=np.float64)
        before = sys.getrefcount(x)
        for kind in (Tensor, OldTensor):
            with self.assertRaisesRegex(lathe.InvalidArgument, "expected type"):
                self.session.run(None, {"x": kind(x)})
        self.assertEqual(sys.getrefcount(x), before)

    def test_other_devices_are_refused(self):
        tensor = Tensor(np.zeros(3, np.float32), device=(2, 0))
        with self.assertRaisesRegex(lathe.InvalidArgument, "expected memory of the CPU"):
            self.session.run(None, {"x": tensor})
        self.assertEqual(tensor.asked, [])

    def test_producers_that_refuse(self):
        class Refusing(Tensor):
            def __dlpack__(self, **options):
                raise BufferError("not now")
        with self.assertRaisesRegex(lathe.InvalidArgument, "not now"):
            self.session.run(None, {"x": Refusing(np.zeros(3, np.float32))})

    def test_inputs_are_not_copied(self):
        # Zeros that nobody wrote take no memory, but a copy of them would.
        count = 1 << 27
        x = np.zeros(count, np.float32)
        self.session.run(None, {"x": x[:100]})
        before = peak_bytes()
        for value in (x, Tensor(x)):
            self.session.run(None, {"x": value})
        self.assertLess(peak_bytes() - before, 4 * count // 4)
        self.assertEqual(self.session.memory["staging_bytes"], 0)


class OutputTest(unittest.TestCase):
    def test_outputs_are_shared_with_others(self):
        session = lathe.InferenceSession(models.unary("Neg", "float"))
        y, = session.run(None, {"x": np.ones(4, np.float32)})
        self.assertEqual(np.from_dlpack(y).ctypes.data, y.ctypes.data)
        y, = session.run(None, {"x": Tensor(y)})
        np.testing.assert_array_equal(y, np.ones(4))


if __name__ == "__main__":
    unittest.main()
