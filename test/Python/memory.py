# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# RUN: %python %s
"""What a session costs: its weights, its arena, and at most 50 MB."""

import gc
import unittest

import lathe
import models
import numpy as np
import psutil
from onnx import TensorProto, helper, numpy_helper

BOUND = 50e6


def resident_bytes():
    gc.collect()
    return psutil.Process().memory_info().rss


def large_model():
    """Matrix products with 100 MB of weights."""
    size, count = 1024, 25
    random = np.random.default_rng(0)
    names = ["x", *(f"a{i}" for i in range(count - 1)), "y"]
    nodes = [helper.make_node("MatMul", [names[i], f"w{i}"], [names[i + 1]])
             for i in range(count)]
    weights = [numpy_helper.from_array(
        random.standard_normal((size, size), np.float32) / size**0.5, f"w{i}")
        for i in range(count)]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", size])
              for name in ("x", "y")]
    graph = helper.make_graph(nodes, "large", values[:1], values[1:], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)],
                             ir_version=10).SerializeToString()


class MemoryTest(unittest.TestCase):
    def test_session(self):
        model = large_model()
        x = np.ones((64, 1024), np.float32)
        before = resident_bytes()
        session = lathe.InferenceSession(model)
        y, = session.run(None, {"x": x})
        self.assertTrue(np.all(np.isfinite(y)))
        memory = session.memory
        own = memory["weights_bytes"] + memory["arena_bytes"] + memory["scratch_bytes"]
        self.assertGreater(memory["weights_bytes"], 100e6)
        used = resident_bytes() - before
        print(f"a session with {own / 1e6:.1f} MB of weights and arena takes {used / 1e6:.1f} MB")
        self.assertLess(used, own + BOUND)

    def test_sessions_that_end(self):
        model = models.parse(models.ADD)
        feeds = {"x": np.ones((1000, 3), np.float32), "b": np.ones(3, np.float32)}

        def cycle():
            lathe.InferenceSession(model, in_process=True).run(None, feeds)

        for _ in range(3):
            cycle()
        before = resident_bytes()
        for _ in range(30):
            cycle()
        self.assertLess(resident_bytes() - before, BOUND)

    def test_runs(self):
        session = lathe.InferenceSession(models.parse(models.ADD))
        b = np.ones(3, np.float32)

        def cycle(count):
            for size in range(1, count):
                session.run(None, {"x": np.ones((size % 500, 3), np.float32), "b": b})

        cycle(1000)
        before = resident_bytes()
        cycle(20000)
        self.assertLess(resident_bytes() - before, 5e6)


if __name__ == "__main__":
    unittest.main()
