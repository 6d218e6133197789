# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
#
# Writes the data that the driver's tests use, for the model of
# test/Runtime/FakeModel.c, into the folder of the first argument.

import os
import sys

import numpy as np
from onnx import numpy_helper

os.makedirs(os.path.join(sys.argv[1], "data", "test_data_set_0"), exist_ok=True)
os.chdir(sys.argv[1])
x = np.arange(24, dtype=np.float32).reshape(3, 8)
y = np.arange(15, dtype=np.float32).reshape(3, 5)
z = (2 * x + 1) ** 2
w = np.concatenate([y.sum(0)] * 2)
wrong = z.copy()
wrong[1, 2] += 9

np.save("x.npy", x)
np.save("y.npy", np.asfortranarray(y))
np.save("narrow.npy", x[:, :7])
np.save("double.npy", x.astype(np.float64))
np.savez("stored.npz", x=x, y=y, z=z, w=w)
np.savez_compressed("deflated.npz", x=x, y=y, z=z, w=w)
np.savez("wrong.npz", x=x, y=y, z=wrong, w=w)
for kind, tensors in (("input", (x, y)), ("output", (z, w))):
    for index, tensor in enumerate(tensors):
        with open(f"data/test_data_set_0/{kind}_{index}.pb", "wb") as file:
            file.write(numpy_helper.from_array(tensor).SerializeToString())

# Files that say what is not so.
with open("x.npy", "rb") as file:
    good = file.read()
with open("stored.npz", "rb") as file:
    zipped = file.read()
hostile = {
    "short.npy": good[:-4],
    "huge.npy": good.replace(b"(3, 8)", b"(99999999999999, 99999999999)"),
    "negative.npy": good.replace(b"(3, 8)", b"(3,-8)"),
    "object.npy": good.replace(b"<f4", b"|O8"),
    "big-endian.npy": good.replace(b"<f4", b">f4"),
    "no-shape.npy": good.replace(b"'shape'", b"'shade'"),
    "header.npy": good[:8] + b"\xff\xff" + good[10:],
    "text.npy": b"not an array",
    "directory.npz": zipped[:-6] + b"\xff\xff\xff\x7f\0\0",
    "cut.npz": zipped[: len(zipped) // 2],
}
for name, contents in hostile.items():
    with open(name, "wb") as file:
        file.write(contents)
