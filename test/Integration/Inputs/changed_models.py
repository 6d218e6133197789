# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles exporters' models with something in them changed.

    python3 changed_models.py LATHE FOLDER [--count=N] [--seed=N] MODEL.onnx...

A changed model is compiled, or refused in lines that begin with its file's name.
One that is compiled runs on random inputs, or the run ends with an error. FOLDER
keeps the models that were handled otherwise.
"""

import argparse
import copy
import pathlib
import random
import subprocess
import sys

import onnx
from onnx import AttributeProto, TensorProto

INTS = [0, 1, -1, 2, 3, -2, 7, 8, 16, 64, 255, 1000, 2 ** 31 - 1, -2 ** 31, 2 ** 40, 2 ** 62, 2 ** 63 - 1, -2 ** 63]
FLOATS = [0.0, -1.0, 1e-45, 1e38, float("inf"), float("nan")]
DTYPES = sorted(set(TensorProto.DataType.values()) - {TensorProto.UNDEFINED})
# Seconds that one command may take: what needs more hangs.
LIMIT = 300


def graphs_of(graph):
    yield graph
    for node in graph.node:
        for attribute in node.attribute:
            for inner in [attribute.g] if attribute.type == AttributeProto.GRAPH else attribute.graphs:
                yield from graphs_of(inner)


class Changer:
    """Changes one thing of a model at a time."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def change(self, model):
        """Says what has been changed, None if there was nothing to change."""
        graph = self.random.choice(list(graphs_of(model.graph)))
        kinds = [self.attribute] * 4 + [self.input] * 3 + [
            self.shape, self.initializer, self.contents, self.dtype, self.operator, self.order,
            self.remove, self.output, self.opset]
        return self.random.choice(kinds)(model, graph)

    def pick(self, things):
        things = list(things)
        return self.random.choice(things) if things else None

    def integer(self, old):
        return self.pick([old + 1, old - 1, -old, *INTS]) if abs(old) < 2 ** 62 else self.pick(INTS)

    def integers(self, field):
        """Changes, removes or adds a number."""
        kind = self.random.randrange(4)
        if kind == 0 and field:
            del field[self.random.randrange(len(field))]
        elif kind == 1 or not field:
            field.append(self.pick(INTS))
        else:
            i = self.random.randrange(len(field))
            field[i] = self.integer(field[i])

    def attribute(self, model, graph):
        node = self.pick(node for node in graph.node if node.attribute)
        if not node:
            return None
        attribute = self.pick(node.attribute)
        what = f"{node.op_type} {attribute.name}"
        if self.random.randrange(6) == 0:
            node.attribute.remove(attribute)
            return f"without {what}"
        if attribute.type == AttributeProto.INT:
            attribute.i = self.integer(attribute.i)
        elif attribute.type == AttributeProto.FLOAT:
            attribute.f = self.pick(FLOATS)
        elif attribute.type == AttributeProto.INTS:
            self.integers(attribute.ints)
        elif attribute.type == AttributeProto.FLOATS and attribute.floats:
            del attribute.floats[self.random.randrange(len(attribute.floats))]
        elif attribute.type == AttributeProto.STRING:
            attribute.s = self.pick([b"", b"VALID", b"linear", b"reverse", b"\xff"])
        elif attribute.type == AttributeProto.STRINGS and attribute.strings:
            attribute.strings[self.random.randrange(len(attribute.strings))] = self.pick([b"", b"Relu", b"\xff"])
        elif attribute.type == AttributeProto.TENSOR:
            attribute.t.data_type = self.pick(DTYPES)
        else:
            attribute.type = self.pick(AttributeProto.AttributeType.values())
        return what

    def input(self, model, graph):
        """Drops an input, or reads another value there."""
        node = self.pick(node for node in graph.node if node.input)
        if not node:
            return None
        i = self.random.randrange(len(node.input))
        values = [o for n in graph.node for o in n.output] + [v.name for v in graph.input] + [
            t.name for t in graph.initializer]
        kind = self.random.randrange(4)
        if kind == 0:
            del node.input[i]
        elif kind == 1:
            node.input.append(self.pick(values))
        else:
            node.input[i] = "" if kind == 2 else self.pick(values)
        return f"input {i} of {node.op_type}"

    def shape(self, model, graph):
        value = self.pick([*graph.input, *graph.output, *graph.value_info])
        if not value or not value.type.HasField("tensor_type"):
            return None
        dims = value.type.tensor_type.shape.dim
        kind = self.random.randrange(4)
        if kind == 0 and dims:
            del dims[self.random.randrange(len(dims))]
        elif kind == 1:
            dims.add().dim_value = self.pick(INTS)
        elif kind == 2:
            dims.add().dim_param = "n"
        elif dims:
            self.pick(dims).dim_value = self.pick(INTS)
        return f"shape of {value.name}"

    def initializer(self, model, graph):
        """The shape, whether the data fits or not."""
        tensor = self.pick(graph.initializer)
        if not tensor:
            return None
        if self.random.randrange(2) and len(tensor.dims) > 1:
            dims = list(tensor.dims)
            self.random.shuffle(dims)
            tensor.dims[:] = dims
        else:
            self.integers(tensor.dims)
        return f"shape of {tensor.name}"

    def contents(self, model, graph):
        """Of a table of whole numbers: sizes, axes, pads."""
        tensors = [t for t in graph.initializer if t.data_type == TensorProto.INT64]
        tensors += [a.t for n in graph.node for a in n.attribute if a.t.data_type == TensorProto.INT64]
        tensor = self.pick(tensors)
        if not tensor:
            return None
        values = onnx.numpy_helper.to_array(tensor).copy()
        if not values.size:
            return None
        values.flat[self.random.randrange(values.size)] = self.integer(int(values.flat[0]))
        tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
        return f"contents of {tensor.name}"

    def dtype(self, model, graph):
        if self.random.randrange(2) and graph.initializer:
            tensor = self.pick(graph.initializer)
            tensor.data_type = self.pick(DTYPES)
            return f"element type of {tensor.name}"
        value = self.pick([*graph.input, *graph.output, *graph.value_info])
        if not value:
            return None
        value.type.tensor_type.elem_type = self.pick(DTYPES)
        return f"element type of {value.name}"

    def operator(self, model, graph):
        node, other = self.pick(graph.node), self.pick(model.graph.node)
        if not node:
            return None
        was, node.op_type, node.domain = node.op_type, other.op_type, other.domain
        return f"{node.op_type} for {was}"

    def order(self, model, graph):
        if len(graph.node) < 2:
            return None
        node = self.pick(graph.node)
        kept = copy.deepcopy(node)
        graph.node.remove(node)
        graph.node.insert(self.random.randrange(len(graph.node) + 1), kept)
        return f"place of {kept.op_type}"

    def remove(self, model, graph):
        field = self.pick([graph.node, graph.initializer, graph.input, graph.value_info])
        if not field:
            return None
        thing = self.pick(field)
        field.remove(thing)
        return f"without {thing.name}"

    def output(self, model, graph):
        node = self.pick(graph.node)
        if not node:
            return None
        kind = self.random.randrange(3)
        if kind == 0:
            node.output.append("more")
        elif kind == 1:
            node.output[0] = self.pick(self.pick(graph.node).output)
        else:
            del node.output[-1]
        return f"outputs of {node.op_type}"

    def opset(self, model, graph):
        model.opset_import[0].version = self.pick([1, 6, 7, 9, 11, 13, 18, 21, 100, -1])
        return "opset"


def run(*command):
    """Status and lines of errors; None as status of what hangs."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return None, ["takes too long"]
    # Sanitizers say on a line of their own that memory was refused.
    return done.returncode, [line for line in done.stderr.splitlines() if "WARNING: AddressSanitizer" not in line]


def check(lathe, model, library):
    """What went wrong, or None."""
    library.unlink(missing_ok=True)
    status, lines = run(lathe, "compile", model, "-o", library, "--name=m", "-O1")
    if status == 1 and lines and all(line.startswith(str(model)) for line in lines) and not library.exists():
        return None
    if status != 0 or lines:
        return f"compile: status {status}, {lines[:40]}"
    status, lines = run(lathe, "run", library, "--random", "--threads=2")
    if status in (0, 1) and bool(lines) == (status == 1):
        return None
    return f"run: status {status}, {lines[:40]}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("lathe")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("models", nargs="+")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    loaded = [(path, onnx.load(path)) for path in args.models]
    wrong = compiled = 0
    for number in range(args.seed, args.seed + args.count):
        path, original = loaded[number % len(loaded)]
        model = copy.deepcopy(original)
        changer = Changer(number)
        changes = [changer.change(model) for _ in range(changer.random.choice([1, 1, 2]))]
        file, library = args.folder / f"changed-{number}.onnx", args.folder / "m.so"
        file.write_bytes(model.SerializeToString())
        error = check(args.lathe, file, library)
        compiled += library.exists()
        if error:
            wrong += 1
            print(f"{file} ({path}, {', '.join(filter(None, changes))}): {error}", flush=True)
        else:
            file.unlink()
    print(f"{args.count} models, {compiled} compiled, {wrong} wrong")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
