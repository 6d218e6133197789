# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# RUN: %python %s
"""Everything that is wrong is an exception that says what was expected."""

import os
import tempfile
import unittest

import lathe
import models
import numpy as np

X = np.ones((2, 3), np.float32)
B = np.ones(3, np.float32)


class CompileErrorTest(unittest.TestCase):
    def test_names_all_nodes(self):
        for in_process in (False, True):
            with self.assertRaises(lathe.CompileError) as caught:
                lathe.InferenceSession(models.parse(models.UNSUPPORTED), in_process=in_process)
            error = caught.exception
            self.assertEqual([d.op for d in error.diagnostics], ["Bad", "Worse"])
            self.assertEqual((error.file, error.op), ("<bytes>", "Bad"))
            self.assertEqual(error.diagnostics[1].node, "second")
            self.assertIn("<bytes>: node 'second' (Worse): expected", str(error))
            self.assertEqual(str(error.diagnostics[1]), str(error).splitlines()[1])

    def test_writes_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            with self.assertRaises(lathe.CompileError):
                lathe.compile(models.parse(models.UNSUPPORTED), os.path.join(folder, "m.so"))
            self.assertEqual(os.listdir(folder), [])

    def test_no_model(self):
        for in_process in (False, True):
            for source in (b"nothing", b"\0" * 100, "/no/such.onnx"):
                with self.assertRaises(lathe.CompileError):
                    lathe.InferenceSession(source, in_process=in_process)

    def test_wrong_options(self):
        for in_process in (False, True):
            for option, value in (("fusion", "nothing"), ("no_such", 1), ("layout", "x"),
                                  ("dim", {"n": -1}), ("cpu", "no-such-cpu")):
                with self.assertRaises(lathe.InvalidArgument, msg=option):
                    lathe.InferenceSession(models.parse(models.ADD), in_process=in_process,
                                           **{option: value})

    def test_no_options_for_compiled_models(self):
        with self.assertRaisesRegex(lathe.InvalidArgument, "fusion: expected no option"):
            lathe.InferenceSession("m.so", fusion="none")

    def test_wrong_output(self):
        with self.assertRaisesRegex(lathe.InvalidArgument, "ending in"):
            lathe.compile(models.parse(models.ADD), "m.txt")


class LoadErrorTest(unittest.TestCase):
    def test_no_compiled_model(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "m.so")
            with open("/proc/self/exe", "rb") as file:
                program = file.read()
            contents = (b"", b"\x7fELF", b"\x7fELF\x02\x01" + b"\xff" * 100, program)
            for content in contents:
                with open(path, "wb") as file:
                    file.write(content)
                with self.assertRaisesRegex(lathe.InvalidArgument, "expected a compiled model"):
                    lathe.InferenceSession(path)
        with self.assertRaises(lathe.InvalidArgument):
            lathe.InferenceSession("/no/such.so")

    def test_no_source(self):
        with self.assertRaisesRegex(lathe.InvalidArgument, "got int"):
            lathe.InferenceSession(1)

    def test_threads(self):
        for threads in (-1, 5000):
            with self.assertRaisesRegex(lathe.InvalidArgument, "expected 0 to 1024"):
                lathe.InferenceSession(models.parse(models.ADD), threads=threads)


class RunErrorTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.session = lathe.InferenceSession(models.parse(models.ADD))

    def refuse(self, message, feeds, names=None):
        with self.assertRaisesRegex(lathe.InvalidArgument, message):
            self.session.run(names, feeds)

    def test_names(self):
        self.refuse("input 'b': expected a value", {"x": X})
        self.refuse("input 'c': expected one of 'x', 'b'", {"x": X, "b": B, "c": B})
        self.refuse("output 'w': expected one of 'y', 'z'", {"x": X, "b": B}, ["w"])

    def test_types(self):
        self.refuse("input 'x': expected type float32, got float64",
                    {"x": X.astype(np.float64), "b": B})
        self.refuse("input 'x': expected type float32, got >f4", {"x": X.astype(">f4"), "b": B})
        self.refuse("input 'x': expected an array, got str", {"x": "text", "b": B})
        self.refuse("input 'x': expected an array, got object", {"x": object(), "b": B})

    def test_shapes(self):
        self.refuse("input 'x': expected 2 dimensions", {"x": X[0], "b": B})
        self.refuse("input 'x'.*3.*4", {"x": np.ones((2, 4), np.float32), "b": B})

    def test_data(self):
        session = lathe.InferenceSession(models.parse(models.GATHER))
        x = np.arange(8, dtype=np.float32).reshape(4, 2)
        y, = session.run(None, {"x": x, "i": np.array([3, -1])})
        np.testing.assert_array_equal(y, x[[3, 3]])
        with self.assertRaises(lathe.RunError) as caught:
            session.run(None, {"x": x, "i": np.array([4])})
        self.assertEqual(caught.exception.status, "failed")
        # The session goes on.
        y, = session.run(None, {"x": x, "i": np.array([0])})
        np.testing.assert_array_equal(y, x[:1])

    def test_hierarchy(self):
        for kind in (lathe.CompileError, lathe.RunError, lathe.InvalidArgument):
            self.assertTrue(issubclass(kind, lathe.LatheError))
        self.assertTrue(issubclass(lathe.InvalidArgument, ValueError))


if __name__ == "__main__":
    unittest.main()
