# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# RUN: %python %s
"""Decoding with states, which stay where they are from run to run."""

import copy
import io
import os
import tempfile
import threading
import unittest

import lathe
import models
import numpy as np
import psutil

GPT2 = os.path.join(models.MODELS, "gpt2_cache", "model.onnx")
MAX, WORDS, LAYERS = 16, 200, 2
CACHE = {f"past.{kind}.{layer}": f"present.{kind}.{layer}"
         for layer in range(LAYERS) for kind in ("key", "value")}

GROWS = models.parse("""<ir_version: 10, opset_import: ["" : 21]>
  m (float[batch, past, 3] cache, float[batch, new, 3] x)
    => (float[batch, total, 3] y, float[batch, total, 3] next) {
    next = Concat <axis = 1> (cache, x)
    y = Neg (next)
  }""")

# The state is read after the next one is made, and the run may fail.
OVERWRITES = models.parse("""<ir_version: 10, opset_import: ["" : 21]>
  m (float[n] x, float[n] h, int64[k] i) => (float[n] next, float[n] y, float[k] z) {
    next = Mul (x, h)
    a = Add (x, h)
    y = Sub (a, h)
    z = Gather (y, i)
  }""")

BOTH = models.parse("""<ir_version: 10, opset_import: ["" : 21]>
  m (float[past, 2] cache, float[2] h, float[new, 2] x)
    => (float[total, 2] next, float[2] last, float[total, 2] y) {
    next = Concat <axis = 0> (cache, x)
    y = Add (next, h)
    axis = Constant <value_ints = [0]> ()
    last = ReduceSum <keepdims = 0> (x, axis)
  }""")


def grows(most=8, **options):
    return lathe.InferenceSession(GROWS, state={"cache": ("next", most)}, **options)


def steps(batch, count, start=0):
    return np.arange(start, start + batch * count * 3, dtype=np.float32).reshape(batch, count, 3)


class Decoder:
    """GPT-2 as in a program that generates text; without states, the past is
    given and comes back."""

    def __init__(self, batch, session, plain=None):
        self.session, self.plain = session, plain
        self.past = {name: np.zeros((batch, 4, 0, 8), np.float32) for name in CACHE}
        self.state = session.new_state(dim={"batch": batch})

    def step(self, ids):
        mask = np.ones((ids.shape[0], self.state.length + ids.shape[1]), np.int64)
        feeds = {"input_ids": ids, "attention_mask": mask}
        logits, = self.session.run(["logits"], feeds, state=self.state)
        if self.plain:
            wanted, *present = self.plain.run(None, {**feeds, **self.past})
            np.testing.assert_allclose(logits, wanted, rtol=0, atol=1e-5)
            self.past = dict(zip(CACHE, present))
            for name, array in self.past.items():
                np.testing.assert_allclose(self.state[name], array, rtol=0, atol=1e-5)
        return logits

    def generate(self, ids, count):
        """The words that follow, each the likeliest."""
        words = []
        for _ in range(count):
            ids = self.step(ids)[:, -1:].argmax(-1)
            words.append(ids)
        return np.concatenate(words, axis=1)


class DecodingTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.plain = lathe.InferenceSession(GPT2)
        cls.session = lathe.InferenceSession(
            GPT2, threads=1, state={i: (o, MAX) for i, o in CACHE.items()})

    def test_describes_states(self):
        self.assertEqual(self.session.get_states(),
                         [lathe.StateInfo(i, o, 2, MAX) for i, o in CACHE.items()])
        self.assertEqual(self.plain.get_states(), [])

    def test_token_by_token(self):
        decoder = Decoder(1, self.session, self.plain)
        ids = np.array([[7]])
        for length in range(1, MAX + 1):
            ids = (decoder.step(ids).argmax(-1) * 31 + length) % WORDS
            self.assertEqual(decoder.state.length, length)

    def test_batch_and_prompt(self):
        decoder = Decoder(3, self.session, self.plain)
        prompt = np.random.default_rng(0).integers(0, WORDS, (3, 5))
        decoder.generate(prompt, MAX - 5)
        self.assertEqual(decoder.state["past.key.0"].shape, (3, 4, MAX - 1, 8))

    def test_full(self):
        decoder = Decoder(1, self.session)
        decoder.step(np.ones((1, MAX - 1), np.int64))
        before = {name: array.copy() for name, array in decoder.state.items()}
        with self.assertRaisesRegex(
                lathe.InvalidArgument,
                f"output 'present.key.0': expected at most {MAX} steps, got {MAX + 1}"):
            decoder.step(np.ones((1, 2), np.int64))
        self.assertEqual(decoder.state.length, MAX - 1)
        for name, array in before.items():
            np.testing.assert_array_equal(decoder.state[name], array)
        decoder.step(np.ones((1, 1), np.int64))
        self.assertEqual(decoder.state.length, MAX)

    def test_copies_go_on_by_themselves(self):
        decoder = Decoder(1, self.session)
        decoder.step(np.array([[1, 2, 3]]))
        other = Decoder(1, self.session)
        for duplicate in (decoder.state.copy(), copy.deepcopy(decoder.state)):
            other.state = duplicate
            self.assertFalse(np.shares_memory(other.state["past.key.0"],
                                              decoder.state["past.key.0"]))
            other.step(np.array([[9]]))
            self.assertEqual((other.state.length, decoder.state.length), (4, 3))
        first = decoder.generate(np.array([[4]]), 5)
        decoder.state.truncate(3)
        np.testing.assert_array_equal(decoder.generate(np.array([[4]]), 5), first)
        decoder.state.reset()
        self.assertEqual(decoder.state.length, 0)
        decoder.step(np.array([[1, 2, 3]]))
        np.testing.assert_array_equal(decoder.generate(np.array([[4]]), 5), first)

    def test_is_kept_in_files(self):
        decoder = Decoder(2, self.session)
        decoder.step(np.array([[1, 2, 3], [3, 2, 1]]))
        file = io.BytesIO()
        np.savez(file, **decoder.state)
        file.seek(0)
        other = Decoder(2, self.session)
        for name, array in np.load(file).items():
            other.state[name] = array
        self.assertEqual(other.state.length, 3)
        ids = np.array([[4], [5]])
        np.testing.assert_array_equal(other.generate(ids, 5), decoder.generate(ids, 5))

    def test_threads(self):
        prompts = [np.array([[1, 2]]), np.array([[100], [3]]), np.array([[5, 6, 7]]),
                   np.array([[150]])]
        wanted = [Decoder(len(ids), self.session).generate(ids, 10) for ids in prompts]
        got = [None] * len(prompts)

        def work(number):
            decoder = Decoder(len(prompts[number]), self.session)
            for _ in range(20):
                decoder.state.reset()
                got[number] = decoder.generate(prompts[number], 10)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(len(got))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for one, other in zip(got, wanted):
            np.testing.assert_array_equal(one, other)


class StateTest(unittest.TestCase):
    def test_axes(self):
        for axis, shape in ((0, (5, 2, 3)), (1, (2, 5, 3)), (2, (2, 3, 5)), (-1, (2, 3, 5))):
            dims = ["2", "3"]
            dims.insert(axis % 3, "past")
            of = {size: ", ".join(dims).replace("past", size) for size in ("past", "new", "all")}
            session = lathe.InferenceSession(models.parse(
                f"""<ir_version: 10, opset_import: ["" : 21]>
                m (float[{of["past"]}] a, float[{of["new"]}] b)
                  => (float[{of["all"]}] c, float[{of["all"]}] y) {{
                  c = Concat <axis = {axis}> (a, b)
                  y = Neg (c)
                }}"""), state=["a=c:max=5"])
            state = session.new_state()
            x = np.random.default_rng(0).random(shape, np.float32)
            for part in np.split(x, [1, 3, 3], axis=axis):
                y, = session.run(["y"], {"b": part}, state=state)
            np.testing.assert_array_equal(state["a"], x)
            np.testing.assert_array_equal(y, -x)

    def test_types(self):
        for dtype, name in ((np.float16, "float16"), (np.float64, "double"), (np.int8, "int8"),
                            (np.uint64, "uint64"), (bool, "bool"), ("bfloat16", "bfloat16")):
            session = lathe.InferenceSession(models.parse(
                f"""<ir_version: 10, opset_import: ["" : 21]>
                m ({name}[2, past] a, {name}[2, new] b) => ({name}[2, total] c) {{
                  c = Concat <axis = 1> (a, b)
                }}"""), state={"a": ("c", 4)}, in_process=True)
            state = session.new_state()
            dtype = session.get_inputs()[0].dtype
            x = np.array([[0, 1, 3], [1, 0, 2]]).astype(dtype)
            for part in np.split(x, 3, axis=1):
                held, = session.run(None, {"b": part}, state=state)
            np.testing.assert_array_equal(state["a"], x)
            np.testing.assert_array_equal(held, x)
            self.assertEqual(held.dtype, dtype)

    def test_overwrites(self):
        session = lathe.InferenceSession(OVERWRITES, state={"h": "next"})
        self.assertEqual(session.get_states(), [lathe.StateInfo("h", "next", None, None)])
        state = session.new_state(dim={"n": 3})
        x, i = np.float32([1, 0.5, 2]), np.array([0])
        np.testing.assert_array_equal(state["h"], [0, 0, 0])
        state["h"][:] = h = np.float32([1, 2, 3])
        for _ in range(3):
            y, = session.run(["y"], {"x": x, "i": i}, state=state)
            np.testing.assert_array_equal(y, (x + h) - h)
            h = x * h
            np.testing.assert_array_equal(state["h"], h)
            x = x + 1
        self.assertEqual(state.length, 0)
        state["h"] = [4, 5, 6]
        duplicate = state.copy()
        state.reset()
        np.testing.assert_array_equal(state["h"], [0, 0, 0])
        np.testing.assert_array_equal(duplicate["h"], [4, 5, 6])

    def test_both_kinds(self):
        session = lathe.InferenceSession(BOTH, state=["cache=next:max=6", "h=last"])
        state = session.new_state()
        state["h"] = np.float32([10, 20])
        for count, h in ((2, [10, 20]), (3, [2, 4]), (1, [3, 6])):
            x = np.full((count, 2), [1, 2], np.float32)
            y, = session.run(["y"], {"x": x}, state=state)
            np.testing.assert_array_equal(y, np.full((state.length, 2), [1, 2]) + np.array(h))
        self.assertEqual((state.length, len(state), list(state)), (6, 2, ["cache", "h"]))

    def test_call(self):
        session = grows()
        state = session.new_state(dim={"batch": 1})
        for _ in range(2):
            y, held = session(steps(1, 2), state=state)
        np.testing.assert_array_equal(y, -held)
        self.assertEqual(held.shape, (1, 4, 3))

    def test_input_named_state(self):
        session = lathe.InferenceSession(models.parse(
            """<ir_version: 10, opset_import: ["" : 21]>
            m (float[2] state, float[2] x) => (float[2] next) { next = Add (state, x) }"""))
        x = np.float32([1, 2])
        np.testing.assert_array_equal(session(x=x, state=x), x + x)

    def test_compiled_model(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "m.so")
            lathe.compile(GROWS, path, state={"cache": ("next", 4)})
            session = lathe.InferenceSession(path)
        state = session.new_state(dim={"batch": 1})
        session.run([], {"x": steps(1, 4)}, state=state)
        np.testing.assert_array_equal(state["cache"], steps(1, 4))

    def test_sizes(self):
        session = grows()
        for given in ({"dim": {"batch": 2}}, {"shape": {"cache": (2, None, 3)}},
                      {"shape": {"cache": (2, 0, None)}},
                      {"dim": {"batch": 2}, "shape": {"cache": (None, None, 3)}}):
            state = session.new_state(**given)
            self.assertEqual(state["cache"].shape, (2, 0, 3))
            self.assertEqual(state.nbytes, 2 * 8 * 3 * 4)
        self.assertEqual(grows(dim={"batch": 4}).new_state()["cache"].shape, (4, 0, 3))


class MemoryTest(unittest.TestCase):
    def test_views_show_what_the_run_wrote(self):
        session = grows()
        state = session.new_state(dim={"batch": 2})
        x = steps(2, 3)
        held, = session.run(["next"], {"x": x}, state=state)
        view = state["cache"]
        np.testing.assert_array_equal(view, x)
        self.assertTrue(np.shares_memory(view, held))
        self.assertEqual(view.ctypes.data, held.ctypes.data)
        view[1, 0] = 99
        y, = session.run(["y"], {"x": x}, state=state)
        np.testing.assert_array_equal(y[1, 0], [-99, -99, -99])
        # Later steps lie behind, and what is shown stays.
        self.assertEqual(state["cache"].ctypes.data, view.ctypes.data)
        np.testing.assert_array_equal(state["cache"][:, :3], view)
        self.assertEqual(view.shape, (2, 3, 3))

    def test_views_outlive_the_state(self):
        session = grows()
        state = session.new_state(dim={"batch": 1})
        view, = session.run(["next"], {"x": steps(1, 4)}, state=state)
        del session, state
        np.testing.assert_array_equal(view, steps(1, 4))

    def test_states_that_end(self):
        session = grows(100_000)

        def cycle():
            state = session.new_state(dim={"batch": 1})
            state["cache"] = np.ones((1, 100_000, 3), np.float32)
            return state.copy()["cache"]

        cycle()
        before = psutil.Process().memory_info().rss
        for _ in range(50):
            cycle()
        self.assertLess(psutil.Process().memory_info().rss - before, 10e6)

    def test_takes_parts_of_itself(self):
        session = grows()
        state = session.new_state(dim={"batch": 1})
        session.run([], {"x": steps(1, 8)}, state=state)
        state["cache"] = state["cache"][:, 3:]
        self.assertEqual(state.length, 5)
        np.testing.assert_array_equal(state["cache"], steps(1, 8)[:, 3:])

    def test_does_not_grow(self):
        width, most = 2048, 1500
        session = lathe.InferenceSession(models.parse(
            f"""<ir_version: 10, opset_import: ["" : 21]>
            m (float[past, {width}] cache, float[1, {width}] x)
              => (float[total, {width}] next, float[1, {width}] y) {{
              next = Concat <axis = 0> (cache, x)
              axes = Constant <value_ints = [0]> ()
              y = ReduceMax (next, axes)
            }}"""), state={"cache": ("next", most)}, threads=1)
        state = session.new_state()
        self.assertEqual(state.nbytes, 4 * width * most)
        x = np.ones((1, width), np.float32)

        def fill():
            for _ in range(most):
                session.run(["y"], {"x": x}, state=state)

        before = psutil.Process().memory_info().rss
        fill()
        address = state["cache"].ctypes.data
        self.assertLess(psutil.Process().memory_info().rss - before, state.nbytes + 5e6)
        before = psutil.Process().memory_info().rss
        state.reset()
        fill()
        self.assertEqual(state["cache"].ctypes.data, address)
        self.assertLess(psutil.Process().memory_info().rss - before, 1e6)


class ErrorsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.session = grows()
        cls.feeds = {"x": steps(1, 2)}

    def setUp(self):
        self.state = self.session.new_state(dim={"batch": 1})

    def refuse(self, message, call, *args, **kwargs):
        with self.assertRaisesRegex(lathe.InvalidArgument, message):
            call(*args, **kwargs)

    def test_run(self):
        run = self.session.run
        self.refuse("input 'cache': expected a state, as in run.*got none", run, None, self.feeds)
        self.refuse("input 'cache': expected a state", run, None,
                    {**self.feeds, "cache": steps(1, 0)})
        self.refuse("input 'cache': expected no value, as the state holds it", run, None,
                    {**self.feeds, "cache": steps(1, 0)}, state=self.state)
        self.refuse("input 'x': expected a value", run, None, {}, state=self.state)
        self.refuse("input 'z': expected one of 'x'$", run, None, {**self.feeds, "z": 1},
                    state=self.state)
        self.refuse("state: expected a State, got dict", run, None, self.feeds, state={})
        other = grows().new_state(dim={"batch": 1})
        self.refuse("state: expected one that this session made", run, None, self.feeds,
                    state=other)
        plain = lathe.InferenceSession(models.parse(models.ADD))
        self.refuse("state: expected one that this session made", plain.run, None,
                    {"x": np.ones((2, 3), np.float32), "b": np.ones(3, np.float32)},
                    state=self.state)
        # The session goes on.
        run(None, self.feeds, state=self.state)
        self.assertEqual(self.state.length, 2)

    def test_batches_differ(self):
        self.refuse("batch", self.session.run, None, {"x": steps(2, 1)}, state=self.state)
        self.assertEqual(self.state.length, 0)

    def test_new_state(self):
        new = self.session.new_state
        self.refuse("input 'cache': expected a size for dimension 0, as in "
                    "new_state.dim={'batch': ...}.*got none", new)
        self.refuse("dim: expected 'batch', got 'past'", new, dim={"batch": 1, "past": 2})
        self.refuse("shape: expected one of 'cache', got 'x'", new, shape={"x": (1, 2, 3)})
        self.refuse("expected 3 dimensions of 'cache', got 2", new, shape={"cache": (1, 3)})
        self.refuse("input 'cache': expected 3 in dimension 2, got 4", new,
                    shape={"cache": (1, 0, 4)})
        self.refuse("input 'cache': expected 0 in dimension 1, got 5", new,
                    shape={"cache": (1, 5, 3)})
        self.refuse("input 'cache': expected 1 in dimension 0, got 2", new, dim={"batch": 1},
                    shape={"cache": (2, None, 3)})
        self.refuse("input 'cache': expected a size in dimension 0, got -1", new,
                    dim={"batch": -1})
        unnamed = lathe.InferenceSession(models.parse(
            """<ir_version: 10, opset_import: ["" : 21]>
            m (float[?, 2] h) => (float[?, 2] y) { y = Neg (h) }"""), state={"h": "y"})
        self.refuse("input 'h': expected a size for dimension 0", unnamed.new_state)
        self.assertEqual(unnamed.new_state(shape={"h": (4, None)})["h"].shape, (4, 2))
        self.refuse("compiled with option state",
                    lathe.InferenceSession(models.parse(models.ADD)).new_state)
        for batch in (1 << 44, 1 << 61):
            with self.assertRaises(lathe.RunError) as caught:
                new(dim={"batch": batch})
            self.assertEqual(caught.exception.status, "out of memory")
            self.assertIn("input 'cache': ", str(caught.exception))

    def test_assignment(self):
        def assign(name, value):
            self.state[name] = value

        self.session.run([], self.feeds, state=self.state)
        self.refuse("input 'next': expected one of 'cache'", assign, "next", steps(1, 1))
        self.refuse("input 'cache': expected type float32, got float64", assign, "cache",
                    np.zeros((1, 2, 3)))
        self.refuse("input 'cache': expected an array, got str", assign, "cache", "text")
        self.refuse("input 'cache': expected at most 8 steps, got 9", assign, "cache",
                    steps(1, 9))
        self.refuse(r"input 'cache': expected shape \[1, 2, 3\], got \[2, 2, 3\]", assign,
                    "cache", steps(2, 2))
        self.refuse(r"input 'cache': expected shape \[1, 2, 3\], got \[3\]", assign, "cache",
                    np.zeros(3, np.float32))
        np.testing.assert_array_equal(self.state["cache"], steps(1, 2))
        self.refuse("length: expected 0 to 2, got 3", self.state.truncate, 3)
        self.refuse("length: expected 0 to 2, got -1", self.state.truncate, -1)
        with self.assertRaises(KeyError):
            self.state["next"]

    def test_data(self):
        session = lathe.InferenceSession(OVERWRITES, state={"h": "next"})
        state = session.new_state(dim={"n": 3})
        state["h"] = h = np.float32([1, 2, 3])
        x = np.float32([2, 2, 2])
        with self.assertRaises(lathe.RunError) as caught:
            session.run(None, {"x": x, "i": np.array([5])}, state=state)
        self.assertEqual(caught.exception.status, "failed")
        np.testing.assert_array_equal(state["h"], h)
        session.run(None, {"x": x, "i": np.array([2])}, state=state)
        np.testing.assert_array_equal(state["h"], h * 2)
        self.refuse("input 'h': expected a state that grows", state.truncate, 0)

    def test_lengths_differ(self):
        session = lathe.InferenceSession(models.parse(
            """<ir_version: 10, opset_import: ["" : 21]>
            m (float[p] a, float[q] b, float[r] x, float[s] y) => (float[t] c, float[u] d) {
              c = Concat <axis = 0> (a, x)
              d = Concat <axis = 0> (b, y)
            }"""), state={"a": ("c", 4), "b": ("d", 4)})
        state = session.new_state()
        session.run([], {"x": [1, 2], "y": [1]}, state=state)
        self.refuse("got 2 in 'a', 1 in 'b'", lambda: state.length)
        self.refuse("output 'd': expected at most 4 steps, got 5", session.run, [],
                    {"x": [1], "y": [1, 2, 3, 4]}, state=state)
        self.assertEqual((state["a"].tolist(), state["b"].tolist()), ([1, 2], [1]))

    def test_one_call_at_a_time(self):
        state, session = self.state, self.session
        inside, leave = threading.Event(), threading.Event()

        class Slow:
            """An input that is read late."""

            def __array__(self, dtype=None, copy=None):
                inside.set()
                leave.wait()
                return steps(1, 2)

        thread = threading.Thread(target=session.run, args=(None, {"x": Slow()}),
                                  kwargs={"state": state})
        thread.start()
        inside.wait()

        def assign():
            state["cache"] = steps(1, 1)

        for call in (lambda: session.run(None, self.feeds, state=state), state.reset,
                     state.copy, assign, lambda: state.truncate(0)):
            with self.assertRaises(lathe.RunError) as caught:
                call()
            self.assertEqual(caught.exception.status, "busy")
        self.assertEqual(state.length, 0)
        session.run(None, self.feeds, state=session.new_state(dim={"batch": 1}))
        leave.set()
        thread.join()
        self.assertEqual(state.length, 2)

    def test_option(self):
        for value in ({"cache": 5}, {"cache": ("next", 4, 5)}, {"cache": None}):
            self.refuse("state: expected an output", lathe.InferenceSession, GROWS, state=value)
        for in_process in (False, True):
            self.refuse("IN=OUT:max=N", lathe.InferenceSession, GROWS, state=["cache"],
                        in_process=in_process)
        with self.assertRaisesRegex(lathe.CompileError, "above 0"):
            grows(0)
        by_data = models.parse("""<ir_version: 10, opset_import: ["" : 21]>
          m (float[past] cache, float[new] x, bool[new] c) => (float[total] next) {
            steps = Compress <axis = 0> (x, c)
            next = Concat <axis = 0> (cache, steps)
          }""")
        with self.assertRaisesRegex(lathe.CompileError, "expects output 'next' of a state to "
                                    "have sizes that are known before a run"):
            lathe.InferenceSession(by_data, state={"cache": ("next", 4)})


if __name__ == "__main__":
    unittest.main()
