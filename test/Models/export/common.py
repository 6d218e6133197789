# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What the export scripts share: arguments, seeds, references.

A script makes models with random weights from fixed seeds and downloads
nothing. Full-size models go to OUT/NAME.onnx with OUT/NAME.npz beside them;
with --narrow they go to OUT/NAME/model.onnx and OUT/NAME/reference.npz. A
model that is run at several sizes has reference_0.npz, reference_1.npz, … (or
NAME_0.npz, …). A reference holds every input and every tensor that ONNX Runtime
gives, under the tensor's name. Models that give other values have them, too, in
test_data_set_0, …, as ONNX keeps the data of its tests.
"""

import argparse
import os
import zlib

import numpy as np
import onnx
import onnxruntime
from onnx import numpy_helper


class Export:
    """The arguments of an export script, and where its models go."""

    def __init__(self, description):
        parser = argparse.ArgumentParser(description=description)
        parser.add_argument("out", help="folder for the models")
        parser.add_argument(
            "--narrow", action="store_true", help="few channels, small images"
        )
        parser.add_argument(
            "--only", default="", help="models whose name holds this text"
        )
        args = parser.parse_args()
        self.out, self.narrow, self.only = args.out, args.narrow, args.only
        os.makedirs(self.out, exist_ok=True)

    def wants(self, name):
        return self.only in name

    def pick(self, full, narrow):
        """The one of two values that goes with the size asked for."""
        return narrow if self.narrow else full

    def model_path(self, name):
        if not self.narrow:
            return os.path.join(self.out, name + ".onnx")
        os.makedirs(os.path.join(self.out, name), exist_ok=True)
        return os.path.join(self.out, name, "model.onnx")

    def reference_path(self, name, index=None):
        suffix = "" if index is None else f"_{index}"
        if not self.narrow:
            return os.path.join(self.out, f"{name}{suffix}.npz")
        return os.path.join(self.out, name, f"reference{suffix}.npz")

    def finish(self, name, feeds_list):
        """Check the model that was written and save references for the feeds."""
        path = self.model_path(name)
        onnx.checker.check_model(path)
        write_references(
            path,
            feeds_list,
            lambda index: self.reference_path(name, index),
        )
        print(
            f"{name}: {os.path.getsize(path) / 1e6:.2f} MB, "
            f"{len(feeds_list)} reference(s)",
            flush=True,
        )


def write_references(path, feeds_list, reference_path):
    """Run ONNX Runtime on each feed; save inputs and outputs by tensor name."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(
        path, options, providers=["CPUExecutionProvider"]
    )
    names = [output.name for output in session.get_outputs()]
    for index, feeds in enumerate(feeds_list):
        outputs = session.run(names, feeds)
        for name, value in zip(names, outputs):
            if isinstance(value, np.ndarray) and value.dtype.kind == "f":
                assert np.isfinite(value).all(), f"{path}: {name} is not finite"
        # Sequences and maps have no place in an npz: they go to ONNX's files.
        if not all(isinstance(v, np.ndarray) for v in outputs):
            folder = os.path.join(os.path.dirname(path), f"test_data_set_{index}")
            write_data_set(folder, session, feeds, outputs)
        tensors = {n: v for n, v in zip(names, outputs)
                   if isinstance(v, np.ndarray)}
        tensors.update(feeds)
        np.savez_compressed(
            reference_path(index if len(feeds_list) > 1 else None), **tensors
        )


def write_data_set(folder, session, feeds, outputs):
    """Inputs and outputs as input_0.pb, output_0.pb, … ONNX Runtime gives
    sequences as lists, maps as dictionaries."""
    os.makedirs(folder, exist_ok=True)
    values = [("input", feeds[i.name]) for i in session.get_inputs()]
    values += [("output", value) for value in outputs]
    counts = {}
    for kind, value in values:
        if isinstance(value, list):
            elements = [{k: np.float32(v) for k, v in e.items()}
                        if isinstance(e, dict) else e for e in value]
            proto = numpy_helper.from_list(elements)
        else:
            proto = numpy_helper.from_array(value)
        number = counts[kind] = counts.get(kind, -1) + 1
        with open(os.path.join(folder, f"{kind}_{number}.pb"), "wb") as file:
            file.write(proto.SerializeToString())


def rng(name):
    """A generator whose seed is the name's checksum."""
    return np.random.default_rng(zlib.crc32(name.encode()))
