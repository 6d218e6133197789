# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# RUN: %python %s
"""Strings, sequences, maps, optionals, and outputs whose sizes depend on data."""

import unittest

import lathe
import models
import numpy as np

HEAD = '<ir_version: 10, opset_import: ["" : 21, "ai.onnx.ml" : 3]>'
A = np.array([1, 2], np.float32)
B = np.zeros((0,), np.float32)


def session(text):
    return lathe.InferenceSession(models.parse(HEAD + text), in_process=True)


class ValuesTest(unittest.TestCase):
    def test_strings(self):
        model = session("m (string[n] x) => (string[n] y) { y = Identity (x) }")
        info, = model.get_inputs()
        self.assertEqual((info.type, info.shape, info.dtype), ("tensor(string)", ("n",), object))
        for x in (["a", "\u00e9", ""], np.array(["one", "two"]), np.array(["x", b"y"], object),
                  np.array([], object)):
            y, = model.run(None, {"x": x})
            self.assertEqual(y.dtype, object)
            self.assertEqual(y.tolist(), [t.decode() if isinstance(t, bytes) else t for t in x])

    def test_strings_in_rows(self):
        model = session("m (string[n, 2] x) => (string[2, n] y) { y = Transpose (x) }")
        y, = model.run(None, {"x": [["a", "b"], ["c", "d"], ["e", "f"]]})
        self.assertEqual(y.tolist(), [["a", "c", "e"], ["b", "d", "f"]])

    def test_sequences(self):
        model = session("""m (seq(float[n]) x, int64 i) => (seq(float[n]) y, float[n] z) {
          y = SequenceErase (x, i)
          z = SequenceAt (x, i)
        }""")
        self.assertEqual(model.get_inputs()[0].type, "seq(tensor(float))")
        for x in ([A, B, 2 * A], (A, B)):
            y, z = model.run(None, {"x": x, "i": np.array(0)})
            np.testing.assert_array_equal(z, A)
            self.assertEqual(len(y), len(x) - 1)
            for got, want in zip(y, x[1:]):
                np.testing.assert_array_equal(got, want)

    def test_optionals(self):
        model = session("m (optional(float[n]) x) => (bool y) { y = OptionalHasElement (x) }")
        self.assertEqual(model.run(None, {"x": None}), [False])
        self.assertEqual(model.run(None, {"x": A}), [True])

    def test_maps(self):
        model = session("""m (float[n, 2] x) => (seq(map(int64, float)) y) {
          y = ai.onnx.ml.ZipMap <classlabels_int64s = [5, 7]> (x)
        }""")
        self.assertEqual(model.get_outputs()[0].type, "seq(map(int64,tensor(float)))")
        y, = model.run(None, {"x": np.array([[1, 2], [3, 4]], np.float32)})
        self.assertEqual(y, [{5: 1.0, 7: 2.0}, {5: 3.0, 7: 4.0}])

    def test_sizes_that_depend_on_data(self):
        model = session("m (float[n] x) => (int64[1, k] y) { y = NonZero (x) }")
        for x in ([0, 1, 0, 2], [0, 0], []):
            x = np.array(x, np.float32)
            y, = model.run(None, {"x": x})
            np.testing.assert_array_equal(y, np.array(np.nonzero(x)))
            self.assertTrue(y.flags.writeable)

    def test_wrong_values(self):
        strings = session("m (string[n] x) => (string[n] y) { y = Identity (x) }")
        sequence = session("m (seq(float[n]) x) => (int64 y) { y = SequenceLength (x) }")
        for model, value, message in (
                (strings, [1, 2], r"input 'x': expected tensor\(string\), got int"),
                (strings, None, "got NoneType"),
                (strings, [["a"]], "dimensions"),
                (sequence, A, "expected a list of tensor"),
                (sequence, [A.astype(np.float64)], "expected type float32, got float64"),
                (sequence, [None], "got NoneType")):
            with self.assertRaisesRegex(lathe.InvalidArgument, message):
                model.run(None, {"x": value})


if __name__ == "__main__":
    unittest.main()
