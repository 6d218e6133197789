# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# RUN: %python %s
"""Sessions on every model of test/Models, against the outputs beside it."""

import unittest

import lathe
import models
import numpy as np

TOLERANCE = {"rtol": 1e-3, "atol": 1e-4}  # of test/Models/run_models.py


def is_same(got, want):
    if want.dtype.kind in "fc":
        return np.allclose(got, want, equal_nan=True, **TOLERANCE)
    return np.array_equal(got, want)


class ExportersTest(unittest.TestCase):
    def test_all(self):
        refused = models.refused_models()
        count = 0
        for name, path, references in models.narrow_models():
            with self.subTest(name):
                if name in refused:
                    with self.assertRaises(lathe.CompileError):
                        lathe.InferenceSession(path, in_process=True)
                    continue
                session = lathe.InferenceSession(path, in_process=True, threads=2)
                self.assertTrue(references)
                for reference in references:
                    data = np.load(reference)
                    results = session.run(None, {info.name: data[info.name]
                                                 for info in session.get_inputs()})
                    for info, result in zip(session.get_outputs(), results):
                        if info.name in data:  # maps do not fit into .npz files
                            self.assertTrue(is_same(result, data[info.name]), info.name)
                count += 1
        print(f"{count} models")
        self.assertGreater(count, 40)


if __name__ == "__main__":
    unittest.main()
