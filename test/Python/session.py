# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# RUN: %python %s
"""Compiling and running through the package."""

import os
import pathlib
import stat
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

import lathe
import models
import numpy as np
import onnx

X = np.arange(6, dtype=np.float32).reshape(2, 3)
B = np.array([1, 2, 3], np.float32)


class SessionTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.session = lathe.InferenceSession(models.parse(models.ADD))

    def test_describes_inputs_and_outputs(self):
        x, b = self.session.get_inputs()
        self.assertEqual((x.name, x.type, x.shape, x.dtype),
                         ("x", "tensor(float)", ("n", 3), np.float32))
        self.assertEqual(b.shape, (3,))
        self.assertEqual([info.name for info in self.session.get_outputs()], ["y", "z"])

    def test_runs_for_any_size(self):
        for n in (0, 1, 2, 7):
            x = np.random.default_rng(n).random((n, 3), np.float32)
            y, z = self.session.run(None, {"x": x, "b": B})
            np.testing.assert_array_equal(y, x + B)
            np.testing.assert_allclose(z, (x + B) ** 2, rtol=1e-6)

    def test_gives_outputs_by_name(self):
        z, = self.session.run(["z"], {"x": X, "b": B})
        np.testing.assert_array_equal(z, (X + B) ** 2)
        z, y = self.session.run(["z", "y"], {"b": B, "x": X})
        np.testing.assert_array_equal(y, X + B)
        self.assertEqual(self.session.run([], {"x": X, "b": B}), [])

    def test_call_takes_positions_and_names(self):
        y, _ = self.session(X, b=B)
        np.testing.assert_array_equal(y, X + B)

    def test_takes_artifacts_from_a_cache(self):
        model = models.parse(models.ADD)
        with tempfile.TemporaryDirectory() as folder:
            cache = pathlib.Path(folder) / "cache"
            stages = [[], []]
            for seen in stages:
                session = lathe.InferenceSession(model, cache=cache, progress=seen.append)
                y, = session.run(["y"], {"x": X, "b": B})
                np.testing.assert_array_equal(y, X + B)
        self.assertIn("code", stages[0])
        self.assertEqual(set(stages[1]), {"cache"})

    def test_takes_lists(self):
        y, _ = self.session.run(None, {"x": [[1, 2, 3]], "b": [1, 1, 1]})
        np.testing.assert_array_equal(y, [[2, 3, 4]])

    def test_takes_any_strides(self):
        for x in (np.asfortranarray(X), X[::-1], X[:, ::-1], np.repeat(X, 2, axis=1)[:, ::2],
                  np.broadcast_to(B, (4, 3))):
            y, _ = self.session.run(None, {"x": x, "b": B})
            np.testing.assert_array_equal(y, x + B)

    def test_takes_fields_of_structures(self):
        record = np.zeros((2, 3), [("flag", "u1"), ("value", "f4")])
        record["value"] = X
        y, _ = self.session.run(None, {"x": record["value"], "b": B})
        np.testing.assert_array_equal(y, X + B)

    def test_takes_constant_arrays(self):
        x = X.copy()
        x.flags.writeable = False
        y, _ = self.session.run(None, {"x": x, "b": B})
        np.testing.assert_array_equal(y, X + B)

    def test_outputs_own_their_memory(self):
        first, _ = self.session.run(None, {"x": X, "b": B})
        kept = first.copy()
        second, _ = self.session.run(None, {"x": X + 1, "b": B})
        self.assertTrue(first.flags.owndata and first.flags.writeable)
        np.testing.assert_array_equal(first, kept)
        self.assertNotEqual(first.ctypes.data, second.ctypes.data)

    def test_threads(self):
        session = lathe.InferenceSession(models.parse(models.ADD), threads=3)
        self.assertEqual(session.threads, 3)

    def test_memory(self):
        self.session.run(None, {"x": X, "b": B})
        memory = self.session.memory
        self.assertEqual(memory.keys(), {"arena_bytes", "lower_bound", "scratch_bytes",
                                         "staging_bytes", "weights_bytes"})


class SourceTest(unittest.TestCase):
    def check(self, session):
        y, _ = session.run(None, {"x": X, "b": B})
        np.testing.assert_array_equal(y, X + B)

    def test_model_in_all_its_forms(self):
        model = onnx.parser.parse_model(models.ADD)
        data = model.SerializeToString()
        for source in (model, data, bytearray(data), memoryview(data)):
            self.check(lathe.InferenceSession(source, in_process=True))

    def test_compiled_model_in_all_its_forms(self):
        with tempfile.TemporaryDirectory() as folder:
            source, library = (os.path.join(folder, name) for name in ("m.onnx", "m.so"))
            with open(source, "wb") as file:
                file.write(models.parse(models.ADD))
            lathe.compile(source, library)
            self.assertTrue(os.path.exists(os.path.join(folder, "m.h")))
            self.check(lathe.InferenceSession(source))
            self.check(lathe.InferenceSession(library))
            with open(library, "rb") as file:
                self.check(lathe.InferenceSession(file.read()))

    def test_session_leaves_no_files(self):
        with tempfile.TemporaryDirectory() as folder:
            with mock.patch.object(tempfile, "tempdir", folder):
                session = lathe.InferenceSession(models.parse(models.ADD))
            self.assertEqual(os.listdir(folder), [])
            self.check(session)

    def test_files_are_private(self):
        modes = []

        def look(stage):
            folder, = (entry for entry in os.scandir(tempfile.tempdir) if entry.is_dir())
            modes.append(stat.S_IMODE(folder.stat().st_mode))

        with tempfile.TemporaryDirectory() as folder:
            with mock.patch.object(tempfile, "tempdir", folder):
                lathe.InferenceSession(models.parse(models.ADD), progress=look)
        self.assertEqual(set(modes), {0o700})

    def test_options(self):
        for in_process in (False, True):
            session = lathe.InferenceSession(
                models.parse(models.ADD), in_process=in_process, dim={"n": 2}, fusion="none",
                memory_plan="greedy", opt_level=1, jobs=1)
            self.assertEqual(session.get_inputs()[0].shape, (2, 3))
            self.check(session)
            session = lathe.InferenceSession(models.parse(models.ADD), in_process=in_process,
                                             shape={"x": (2, 3)})
            self.assertEqual(session.get_outputs()[0].shape, (2, 3))

    def test_progress(self):
        for in_process in (False, True):
            stages = []
            lathe.InferenceSession(models.parse(models.ADD), progress=stages.append,
                                   in_process=in_process)
            self.assertEqual(stages[:2], ["import", "graph"])
            self.assertEqual(stages[-1], "link")

    def test_lists(self):
        self.assertIn("cpu", lathe.targets())
        self.assertIn("batch-norm", lathe.fusions())
        self.assertIn("memory_plan", lathe.options())
        self.assertRegex(lathe.version(), r"^\d+\.\d+")

    def test_metadata(self):
        model = onnx.parser.parse_model(models.ADD)
        model.producer_name, model.model_version = "tests", 7
        onnx.helper.set_model_props(model, {"key": "value", "lathe.key": "other"})
        meta = lathe.InferenceSession(model, in_process=True).get_modelmeta()
        self.assertEqual((meta.producer_name, meta.graph_name, meta.version),
                         ("tests", "add", 7))
        self.assertEqual(meta.custom_metadata_map, {"key": "value", "lathe.key": "other"})
        self.assertTrue(meta.target.startswith("cpu:"))

    def test_driver(self):
        out = subprocess.run([sys.executable, "-m", "lathe", "--version"], capture_output=True,
                             text=True, check=True).stdout
        self.assertIn(lathe.version(), out)

    def test_import_does_not_load_the_compiler(self):
        code = ("import lathe, sys; maps = open('/proc/self/maps').read();"
                "sys.exit('libLLVM' in maps or 'onnx' in sys.modules)")
        subprocess.run([sys.executable, "-c", code], check=True)


if __name__ == "__main__":
    unittest.main()
