# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# RUN: %python %s
"""All element types, with ml_dtypes and without."""

import subprocess
import sys
import unittest

import lathe
import models
import numpy as np
from lathe import _types

try:
    import ml_dtypes
except ImportError:
    ml_dtypes = None

PLAIN = {"float": np.float32, "double": np.float64, "float16": np.float16, "int8": np.int8,
         "int16": np.int16, "int32": np.int32, "int64": np.int64, "uint8": np.uint8,
         "uint16": np.uint16, "uint32": np.uint32, "uint64": np.uint64, "bool": np.bool_}
NARROW = ["int4", "uint4", "int2", "uint2", "float4_e2m1fn"]

WITHOUT = """
import sys
import lathe, models, numpy as np
sys.modules["ml_dtypes"] = None
session = lathe.InferenceSession(models.unary("Identity", "bfloat16"), in_process=True)
assert session.get_inputs()[0].dtype == np.uint16
x = np.array([0x3F80, 0x4000], np.uint16)
y, = session.run(None, {"x": x})
assert y.dtype == np.uint16 and (y == x).all()
"""


class ElementTypesTest(unittest.TestCase):
    def check(self, name, x):
        session = lathe.InferenceSession(models.unary("Identity", name), in_process=True)
        info, = session.get_inputs()
        self.assertEqual((info.type, info.dtype), (f"tensor({name})", x.dtype))
        y, = session.run(None, {"x": x})
        self.assertEqual(y.dtype, x.dtype)
        np.testing.assert_array_equal(y.view(np.uint8), x.view(np.uint8))
        y, = session.run(None, {"x": x[::2]})
        np.testing.assert_array_equal(y.view(np.uint8), x[::2].copy().view(np.uint8))

    def test_plain(self):
        for name, dtype in PLAIN.items():
            with self.subTest(name):
                self.check(name, np.array([0, 1, 1, 0, 1]).astype(dtype))

    @unittest.skipUnless(ml_dtypes, "needs ml_dtypes")
    def test_bfloat16(self):
        self.check("bfloat16", np.array([0, 1.5, -2, 3, 4], ml_dtypes.bfloat16))

    def test_without_ml_dtypes(self):
        subprocess.run([sys.executable, "-c", WITHOUT], check=True, cwd=sys.path[0])

    @unittest.skipUnless(ml_dtypes, "needs ml_dtypes")
    def test_packing(self):
        random = np.random.default_rng(0)
        for name in NARROW:
            if not hasattr(ml_dtypes, name):
                continue
            dtype = np.dtype(getattr(ml_dtypes, name))
            for shape in ((), (1,), (5,), (3, 3), (0,)):
                bits = 2 if name.endswith("int2") else 4
                codes = random.integers(0, 1 << bits, shape, np.uint8)
                packed = _types.pack(_types.unpack(_types.pack(codes.view(dtype)), dtype, shape)
                                     if codes.size else codes.view(dtype))
                self.assertEqual(packed.size, -(-codes.size * bits // 8))
                array = _types.unpack(packed, dtype, shape)
                self.assertEqual((array.dtype, array.shape), (dtype, shape))
                np.testing.assert_array_equal(
                    array.view(np.uint8) & ((1 << bits) - 1), codes)
        three = np.array([1, -2, 7], ml_dtypes.int4)
        np.testing.assert_array_equal(_types.pack(three), [0xE1, 0x07])


if __name__ == "__main__":
    unittest.main()
