# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# RUN: %python %s
"""Sessions in several threads."""

import concurrent.futures
import threading
import unittest

import lathe
import models
import numpy as np

B = np.zeros(3, np.float32)
THREADS = 4
SLOW = models.parse("""<ir_version: 10, opset_import: ["" : 21]>
  m (float[n, n] x) => (float[n, n] y) {
    a = MatMul (x, x)
    b = MatMul (a, x)
    y = MatMul (b, x)
  }""")


def in_threads(work):
    """work(i) in several threads at once; raises what one of them raises."""
    with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, range(THREADS)))


class ThreadsTest(unittest.TestCase):
    def test_one_session(self):
        session = lathe.InferenceSession(models.parse(models.ADD), threads=2)

        def work(number):
            for size in range(1, 50):
                x = np.full((size, 3), number, np.float32)
                y, z = session.run(None, {"x": x, "b": B})
                np.testing.assert_array_equal(y, x)
                np.testing.assert_array_equal(z, x * x)

        in_threads(work)

    def test_two_sessions(self):
        sessions = [lathe.InferenceSession(models.unary(op, "float")) for op in ("Neg", "Abs")]
        x = np.arange(-5, 1000, dtype=np.float32)

        def work(number):
            for _ in range(100):
                y, = sessions[number % 2].run(None, {"x": x})
                np.testing.assert_array_equal(y, np.abs(x) if number % 2 else -x)

        in_threads(work)

    def test_compiling(self):
        for in_process in (False, True):
            def work(number):
                session = lathe.InferenceSession(models.unary("Neg", "float"),
                                                 in_process=in_process)
                return session.run(None, {"x": np.full(2, number, np.float32)})[0][0]

            self.assertEqual(in_threads(work), [-n for n in range(THREADS)])

    def test_lock_is_released(self):
        session = lathe.InferenceSession(SLOW, threads=1)
        x = np.ones((1200, 1200), np.float32)
        counts, done = [], threading.Event()

        def count():
            while not done.is_set():
                counts.append(1)

        counter = threading.Thread(target=count)
        counter.start()
        session.run(None, {"x": x})
        during = len(counts)
        done.set()
        counter.join()
        # With the lock held, the other thread would get a turn or two.
        self.assertGreater(during, 1000)


if __name__ == "__main__":
    unittest.main()
