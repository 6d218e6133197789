# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""agree.py A.npy B.npy: fails unless the arrays agree up to rounding."""
import sys

import numpy as np

a, b = (np.load(path) for path in sys.argv[1:])
np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
