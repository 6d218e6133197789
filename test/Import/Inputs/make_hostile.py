# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes the models in this folder: small ones that no loader should trust.

    python3 make_hostile.py

The files are checked in; run this again after changing it.
"""

import os

import onnx
from onnx import TensorProto, helper

HERE = os.path.dirname(os.path.abspath(__file__))


def save(name, data):
    with open(os.path.join(HERE, name), "wb") as file:
        file.write(data)


def model(initializers=(), nodes=None, inputs=None, sparse=()):
    nodes = nodes or [helper.make_node("Relu", ["x"], ["y"], name="relu")]
    inputs = inputs or [helper.make_tensor_value_info("x", TensorProto.FLOAT, [2])]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(initializers))
    graph.sparse_initializer.extend(sparse)
    return helper.make_model(graph, ir_version=8,
                             opset_imports=[helper.make_opsetid("", 18)])


def external(dims=(512,), **entries):
    tensor = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims,
                         data_location=TensorProto.EXTERNAL)
    for key, value in entries.items():
        tensor.external_data.add(key=key, value=str(value))
    return model([tensor]).SerializeToString()


def raw(dims, data, kind=TensorProto.FLOAT):
    return model([TensorProto(name="w", data_type=kind, dims=dims,
                              raw_data=data)]).SerializeToString()


# External data: w.bin holds 2,048 bytes; the test makes the links.
save("good.onnx", external(location="w.bin", offset=0, length=2048))
save("no-length.onnx", external(location="w.bin"))
save("unaligned.onnx", external(dims=(511,), location="w.bin", offset=3))
save("parent.onnx", external(location="../w.bin"))
save("inner-parent.onnx", external(location="a/../../w.bin"))
save("absolute.onnx", external(location="/etc/passwd"))
save("symlink.onnx", external(location="link.bin"))
save("symlink-folder.onnx", external(location="linked/w.bin"))
save("hardlink.onnx", external(location="hard.bin"))
save("folder.onnx", external(location="folder"))
save("fifo.onnx", external(location="fifo"))
save("missing.onnx", external(location="no.bin"))
save("address.onnx", external(location="*/_ORT_MEM_ADDR_/*", offset=4096, length=2048))
save("empty-location.onnx", external(location=""))
save("no-location.onnx", external(offset=0))
save("key.onnx", external(location="w.bin", basepath="/"))
save("negative.onnx", external(location="w.bin", offset=-1, length=2048))
save("wrap.onnx", external(location="w.bin", offset=2**63 - 1))
save("wrap64.onnx", external(location="w.bin", offset=2**64 - 2048))
save("past-end.onnx", external(location="w.bin", offset=4))
save("length.onnx", external(location="w.bin", length=2**40))

# 3 GiB of weights in a file with a hole, which are mapped and never read.
save("big.onnx", external(dims=(3 << 28,), location="big.bin", offset=4096))

# Sizes.
save("raw-short.onnx", raw([1024], bytes(16)))
save("raw-long.onnx", raw([2], bytes(4096)))
save("raw-overflow.onnx", raw([2**62, 4], bytes(16)))
save("raw-wrap-bytes.onnx", raw([2**61 + 1], bytes(4)))
save("raw-string.onnx", raw([1], b"text", TensorProto.STRING))
save("rank.onnx", raw([1] * 1025, bytes(4)))
save("kind.onnx", raw([1], bytes(4), 99))
sparse_values = helper.make_tensor("w", TensorProto.FLOAT, [1], [1.0])
sparse_index = helper.make_tensor("i", TensorProto.INT64, [1], [5])
save("sparse-index.onnx", model(sparse=[helper.make_sparse_tensor(
    sparse_values, sparse_index, [4])]).SerializeToString())
save("sparse-huge.onnx", model(sparse=[helper.make_sparse_tensor(
    sparse_values, sparse_index, [10**12])]).SerializeToString())
sparse_good = helper.make_tensor("i", TensorProto.INT64, [1, 2], [1, 2])
save("sparse.onnx", model(sparse=[helper.make_sparse_tensor(
    sparse_values, sparse_good, [2, 3])]).SerializeToString())

# Bytes.
whole = model().SerializeToString()
save("truncated.onnx", whole[:len(whole) // 2])
save("empty.onnx", b"")
save("random.onnx", bytes((i * 193 + 71) % 256 for i in range(512)))


def field(number, data):
    """One length-delimited field of a message."""
    size, varint = len(data), b""
    while True:
        varint += bytes([size & 127 | (128 if size > 127 else 0)])
        size >>= 7
        if not size:
            return bytes([number << 3 | 2]) + varint + data


# Sub-graphs 1,000 deep: GraphProto.node(1).attribute(5).g(6); ModelProto.graph(7).
graph = b""
for _ in range(1000):
    graph = field(1, field(5, field(6, graph)))
save("deep.onnx", b"\x08\x08" + field(7, graph))

# 4-bit and bool elements of more than 1 KiB stay packed, and become 0 and 1.
save("large.onnx", model([
    TensorProto(name="f", data_type=TensorProto.FLOAT, dims=[300], raw_data=bytes(1200)),
    TensorProto(name="b", data_type=TensorProto.BOOL, dims=[2000],
                raw_data=bytes(i % 3 for i in range(2000))),
    TensorProto(name="i4", data_type=TensorProto.INT4, dims=[3], raw_data=b"\xf1\x02"),
    TensorProto(name="zero", data_type=TensorProto.FLOAT, dims=[0, 2**40], raw_data=b""),
]).SerializeToString())
