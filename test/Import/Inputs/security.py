# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles models that were made to break loaders.

    python3 security.py LATHE CLANG INCLUDE FOLDER [NAME...]

Each model is refused within the time limit by exactly the message that stands
beside it, or, where nothing is wrong with it but its size, accepted. Nothing
else may happen: no signal, no second line that is not an error, no file left.
The table names where each hole was found in a loader of others.
"""

import os
import pathlib
import resource
import subprocess
import sys
import time

import numpy as np
from onnx import TensorProto, helper, numpy_helper

FLOAT, INT64, BOOL = TensorProto.FLOAT, TensorProto.INT64, TensorProto.BOOL
SECONDS = 60
ACCEPTED = None
CASES = []


def case(function):
    """Registers a function that returns (model, the message's part)."""
    CASES.append((function.__name__.replace("_", "-"), function))
    return function


def info(name, shape=None, kind=FLOAT):
    return helper.make_tensor_value_info(name, kind, shape)


def const(name, values, kind=np.int64):
    return numpy_helper.from_array(np.asarray(values, kind), name)


def graph(nodes, inputs=(), outputs=("y",), constants=(), name="g"):
    return helper.make_graph(nodes, name, list(inputs), [info(o) for o in outputs], list(constants))


def model(nodes, inputs=None, outputs=("y",), constants=(), functions=(), opset=21, extra=()):
    inputs = [info("x", [1, 2, 8, 8])] if inputs is None else inputs
    made = helper.make_model(graph(nodes, inputs, outputs, constants), ir_version=10,
                             opset_imports=[helper.make_opsetid("", opset), helper.make_opsetid("ai.onnx.ml", 5),
                                            helper.make_opsetid("local", 1), *extra])
    made.functions.extend(functions)
    return made


def node(op, inputs, outputs=("y",), name="bad", **attributes):
    return helper.make_node(op, list(inputs), list(outputs), name=name, **attributes)


def function(name, nodes, inputs=("a",), outputs=("b",), **more):
    return helper.make_function("local", name, list(inputs), list(outputs), nodes,
                                [helper.make_opsetid("", 21), helper.make_opsetid("local", 1)], **more)


def call(name, inputs=("x",), outputs=("y",)):
    return node(name, inputs, outputs, "call", domain="local")


# --- Structure ---------------------------------------------------------------

@case
def recursion_in_if():
    """GHSA-7w46-vvrh-m8q5, onnx#7815: the call hides in a branch."""
    inner = graph([call("f", ["a"], ["t"])], outputs=["t"])
    other = graph([node("Identity", ["a"], ["e"])], outputs=["e"])
    body = [node("Constant", [], ["c"], value=const("c", True, bool)),
            node("If", ["c"], ["b"], then_branch=inner, else_branch=other)]
    return model([call("f")], functions=[function("f", body)]), "functions called within each other at most 100 deep"


@case
def recursion_in_loop():
    """onnx#8171: two functions that call each other from loops."""
    def body(callee):
        loop = graph([node("Identity", ["go"], ["go2"]), call(callee, ["v"], ["w"])],
                     [info("i", [], INT64), info("go", [], BOOL), info("v")], ["go2", "w"])
        return [node("Constant", [], ["m"], value=const("m", 3)),
                node("Loop", ["m", "", "a"], ["b"], body=loop)]
    return (model([call("f")], functions=[function("f", body("g")), function("g", body("f"))]),
            "functions called within each other at most 100 deep")


@case
def functions_multiply():
    """A billion laughs: each function calls the next one ten times."""
    functions = []
    for i in range(12):
        nodes = [call(f"f{i + 1}", [f"v{k}" if k else "a"], [f"v{k + 1}" if k < 9 else "b"]) for k in range(10)]
        functions.append(function(f"f{i}", nodes))
    functions.append(function("f12", [node("Neg", ["a"], ["b"])]))
    return model([call("f0")], functions=functions), "nodes with functions inlined, got more"


@case
def functions_twice():
    f = function("f", [node("Neg", ["a"], ["b"])])
    return model([call("f")], functions=[f, f]), "expected each function to be defined once, got 'f' of local again"


@case
def function_arity():
    f = function("f", [node("Neg", ["a"], ["b"])])
    return (model([call("f", ["x", "x"])], functions=[f]),
            "node 'call' (f): expected at most 1 inputs and 1 results of the function, got 2 and 1")


@case
def nested_branches():
    """onnxruntime#29617: a loader that visits a branch twice a level takes 2^25 steps."""
    def nest(depth):
        if depth == 0:
            return [node("Neg", ["x"], ["d0"], "leaf")], "d0"
        nodes, result = nest(depth - 1)
        other = graph([node("Relu", ["x"], [f"e{depth}"])], outputs=[f"e{depth}"])
        return [node("If", ["c"], [f"d{depth}"], f"if{depth}", then_branch=graph(nodes, outputs=[result]),
                     else_branch=other)], f"d{depth}"
    nodes, result = nest(25)
    return model(nodes, [info("x", [4]), info("c", [], BOOL)], [result]), ACCEPTED


@case
def cycle():
    return (model([node("Neg", ["b"], ["a"], "first"), node("Neg", ["a"], ["b"], "second")], outputs=["b"]),
            "node 'first' (Neg): expected a value that is defined before the node, got 'b'")


@case
def cycle_through_branch():
    inner = graph([node("Neg", ["y"], ["t"], "inside")], outputs=["t"])
    return (model([node("If", ["c"], ["y"], then_branch=inner, else_branch=inner)], [info("c", [], BOOL)]),
            "node 'inside' (Neg): expected a value that is defined before the node, got 'y'")


@case
def defined_twice():
    return (model([node("Neg", ["x"], name="one"), node("Relu", ["x"], name="two")]),
            "node 'two' (Relu): expected each value to be defined once, got 'y' again")


@case
def input_twice():
    return (model([node("Add", ["x", "x"])], [info("x", [2]), info("x", [3])]),
            "expected each value to be defined once, got 'x' again")


@case
def opset_twice():
    return (model([node("Neg", ["x"])], extra=[helper.make_opsetid("", 7)]),
            "expected one opset of ai.onnx, got 21 and 7")


@case
def branch_without_graph():
    return (model([node("If", ["c"])], [info("c", [], BOOL)]),
            "node 'bad' (If): expected attribute 'else_branch', got none")


@case
def branches_of_different_arity():
    one, two = graph([node("Neg", ["x"], ["t"])], outputs=["t"]), graph([node("Neg", ["x"], ["e"])], outputs=["e", "e"])
    return (model([node("If", ["c"], then_branch=one, else_branch=two)], [info("x", [2]), info("c", [], BOOL)]),
            "node 'bad' (If)")


@case
def loop_body_without_inputs():
    body = graph([node("Constant", [], ["g"], value=const("g", True, bool))], outputs=["g"])
    return model([node("Loop", ["m", "", "x"], body=body)], constants=[const("m", 3)]), "node 'bad' (Loop)"


@case
def scan_counts():
    body = graph([node("Neg", ["v"], ["w"])], [info("v")], ["w"])
    return model([node("Scan", ["x"], num_scan_inputs=10 ** 12, body=body)]), "node 'bad' (Scan)"


@case
def loop_forever():
    """A number of steps that no program finishes is no reason to unroll it."""
    body = graph([node("Identity", ["go"], ["go2"]), node("Neg", ["v"], ["w"])],
                 [info("i", [], INT64), info("go", [], BOOL), info("v", [4])], ["go2", "w"])
    return model([node("Loop", ["m", "", "x"], body=body)], [info("x", [4])],
                 constants=[const("m", 2 ** 62)]), ACCEPTED


@case
def many_nodes():
    """Time that grows with the square of the nodes shows here."""
    nodes = [node("Neg", [f"v{i}" if i else "x"], [f"v{i + 1}"], f"n{i}") for i in range(3000)]
    return model(nodes, [info("x", [4])], ["v3000"]), ACCEPTED


@case
def long_names():
    name = "n" * 200000
    return model([node("Neg", [name], name=name)], [info(name, [4])]), ACCEPTED


@case
def strange_names():
    """Names that end a comment, a string, a format, an identifier."""
    names = ["*/ int x;", "/* \\", "a\"b", "%n%s%lld", "\n\r\t", "int", "", "a b", "a_b", "a.b", "a_b_8", "ä\u2028"]
    inputs = [info(name, [2]) for name in names if name]
    nodes = [node("Add", [a.name, b.name], [f"*/{i}"], f"\"%s\n{i}") for i, (a, b) in
             enumerate(zip(inputs, inputs[1:]))]
    return model(nodes, inputs, [n.output[0] for n in nodes]), ACCEPTED


@case
def unsupported_all_at_once():
    return model([node("Neg", ["x"], ["a"], "ok"), node("Evil", ["a"], ["y"], "evil")]), "node 'evil' (Evil)"


# --- Sizes -------------------------------------------------------------------

@case
def dims_of_terabytes():
    """onnxruntime#27547: the shape says 10^12, the data has nothing."""
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[10 ** 12])
    return model([node("Add", ["x", "w"])], [info("x", [1])], constants=[tensor]), "tensor 'w': expected"


@case
def input_of_terabytes():
    return (model([node("Relu", ["x"])], [info("x", [10 ** 6, 10 ** 6, 10 ** 6, 10 ** 6])]),
            "expected fewer than 2^56 elements of input 'x', got 1000000 in dimension 2")


@case
def negative_dims():
    return (model([node("Relu", ["x"])], [info("x", [-7, 2])]),
            "expected dimensions of at least 0 for input 'x', got -7")


@case
def shape_that_overflows():
    """CVE-2024-27319, onnx#8109: 2^62 * 4 elements of 4 bytes are 0 bytes."""
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[2 ** 62, 4], raw_data=b"")
    return (model([node("Add", ["x", "w"])], constants=[tensor]),
            "tensor 'w': expected fewer than 2^56 elements, got shape [4611686018427387904, 4]")


@case
def raw_data_length():
    tensor = TensorProto(name="w", data_type=FLOAT, dims=[4], raw_data=b"1234567")
    return (model([node("Add", ["x", "w"])], constants=[tensor]), "expected 16 bytes for 'tensor<4xf32>', got 7")


@case
def rank_of_thousands():
    return model([node("Relu", ["x"])], [info("x", [1] * 5000)]), "expected rank at most 32 of input 'x', got 5000"


def fills(op, name, values, *inputs, kind=np.int64, **attributes):
    return model([node(op, [*inputs, name], **attributes)], constants=[const(name, values, kind)])


@case
def reshape_overflow():
    return fills("Reshape", "s", [2 ** 62, 4], "x"), "node 'bad' (Reshape)"


@case
def reshape_two_unknown():
    return fills("Reshape", "s", [-1, -1], "x"), "node 'bad' (Reshape)"


@case
def reshape_negative():
    return fills("Reshape", "s", [-5, 128], "x"), "node 'bad' (Reshape)"


@case
def expand_overflow():
    return (fills("Expand", "s", [2 ** 40, 2 ** 40, 1, 1, 1, 1], "x"),
            "node 'bad' (Expand): expects a result of fewer than 2^56 elements")


@case
def tile_overflow():
    return (fills("Tile", "s", [2 ** 40, 2 ** 40, 1, 1], "x"),
            "node 'bad' (Tile): expects a result of fewer than 2^56 elements")


@case
def tile_negative():
    return fills("Tile", "s", [-1, 1, 1, 1], "x"), "node 'bad' (Tile)"


@case
def fill_overflow():
    return (model([node("ConstantOfShape", ["s"])], [], constants=[const("s", [2 ** 40, 2 ** 40])]),
            "node 'bad' (ConstantOfShape): expects a result of fewer than 2^56 elements")


@case
def fill_terabytes():
    """Never folded into the file, whatever a constant folder would like."""
    return (model([node("ConstantOfShape", ["s"], ["c"]), node("ReduceMax", ["c"], ["y"], keepdims=0)], [],
                  constants=[const("s", [10 ** 12])]), ACCEPTED)


@case
def range_of_zero_steps():
    nodes = [node("Range", ["a", "b", "c"])]
    return model(nodes, [], constants=[const("a", 0), const("b", 9), const("c", 0)]), "node 'bad' (Range)"


@case
def range_of_terabytes():
    nodes = [node("Range", ["a", "b", "c"], ["r"]), node("ReduceMax", ["r"], keepdims=0)]
    return model(nodes, [], constants=[const("a", 0), const("b", 10 ** 13), const("c", 1)]), ACCEPTED


@case
def pad_overflow():
    return fills("Pad", "p", [0, 0, 2 ** 62, 0, 0, 0, 2 ** 62, 0], "x"), "node 'bad' (Pad)"


@case
def pad_length():
    """onnxruntime#28731: a list that does not fit the rank."""
    return fills("Pad", "p", [1, 1, 1], "x"), "node 'bad' (Pad)"


@case
def slice_without_steps():
    constants = [const("b", [0]), const("e", [5]), const("a", [0]), const("s", [0])]
    return model([node("Slice", ["x", "b", "e", "a", "s"])], constants=constants), "node 'bad' (Slice)"


@case
def slice_extremes():
    low, high = -2 ** 63, 2 ** 63 - 1
    constants = [const("b", [high]), const("e", [low]), const("a", [2]), const("s", [low])]
    return model([node("Slice", ["x", "b", "e", "a", "s"])], constants=constants), ACCEPTED


@case
def split_sizes():
    return (model([node("Split", ["x", "s"], ["y", "z"], axis=1)], constants=[const("s", [2 ** 63 - 1, 3])]),
            "node 'bad' (Split)")


@case
def one_hot_depth():
    return (model([node("OneHot", ["i", "d", "v"])], [info("i", [2], INT64)],
                  constants=[const("d", 2 ** 62), const("v", [0.0, 1.0], np.float32)]),
            "node 'bad' (OneHot): expects a result of fewer than 2^56 elements")


@case
def resize_infinite():
    return (model([node("Resize", ["x", "", "s"])], constants=[const("s", [1, 1, np.inf, np.nan], np.float32)]),
            "node 'bad' (Resize)")


@case
def resize_negative():
    return (model([node("Resize", ["x", "", "s"])], constants=[const("s", [1, 1, -2.0, 0.0], np.float32)]),
            "node 'bad' (Resize)")


@case
def top_k_too_many():
    return (model([node("TopK", ["x", "k"], ["y", "i"])], constants=[const("k", [2 ** 40])]), "node 'bad' (TopK)")


# --- Attributes --------------------------------------------------------------

def window(op, *inputs, constants=(), **attributes):
    return model([node(op, ["x", *inputs], **attributes)], constants=constants)


WEIGHT = const("w", np.zeros((2, 2, 3, 3)), np.float32)


@case
def kernel_of_wrong_rank():
    return window("MaxPool", kernel_shape=[3]), "node 'bad' (MaxPool)"


@case
def kernel_of_zero():
    return window("AveragePool", kernel_shape=[0, 3]), "node 'bad' (AveragePool)"


@case
def kernel_without_end():
    return window("MaxPool", kernel_shape=[2 ** 62, 2 ** 62], dilations=[2 ** 62, 3]), "node 'bad' (MaxPool)"


@case
def strides_of_zero():
    return window("Conv", "w", constants=[WEIGHT], strides=[0, 1]), "node 'bad' (Conv)"


@case
def strides_of_wrong_rank():
    return window("Conv", "w", constants=[WEIGHT], strides=[1, 1, 1]), "node 'bad' (Conv)"


@case
def dilations_negative():
    return window("Conv", "w", constants=[WEIGHT], dilations=[-1, 1]), "node 'bad' (Conv)"


@case
def pads_of_wrong_rank():
    return window("Conv", "w", constants=[WEIGHT], pads=[1, 1]), "node 'bad' (Conv)"


@case
def pads_negative():
    return window("MaxPool", kernel_shape=[2, 2], pads=[-9, 0, 0, 0]), "node 'bad' (MaxPool)"


@case
def pads_without_end():
    return window("Conv", "w", constants=[WEIGHT], pads=[2 ** 62] * 4), "node 'bad' (Conv)"


@case
def group_of_zero():
    return window("Conv", "w", constants=[WEIGHT], group=0), "node 'bad' (Conv)"


@case
def group_negative():
    return window("Conv", "w", constants=[WEIGHT], group=-2), "node 'bad' (Conv)"


@case
def transposed_output_padding():
    return (window("ConvTranspose", "w", constants=[WEIGHT], output_padding=[2 ** 62, 0]),
            "node 'bad' (ConvTranspose)")


@case
def transpose_not_a_permutation():
    return window("Transpose", perm=[0, 0, 1, 2]), "node 'bad' (Transpose)"


@case
def transpose_out_of_range():
    return window("Transpose", perm=[0, 1, 2, 2 ** 40]), "node 'bad' (Transpose)"


@case
def axis_out_of_range():
    return window("Softmax", axis=2 ** 40), "node 'bad' (Softmax)"


@case
def axis_lowest():
    return window("Softmax", axis=-2 ** 63), "node 'bad' (Softmax)"


@case
def axes_twice():
    return fills("ReduceSum", "a", [1, -3], "x"), "node 'bad' (ReduceSum)"


@case
def axes_out_of_range():
    return fills("Unsqueeze", "a", [2 ** 62], "x"), "node 'bad' (Unsqueeze)"


@case
def block_of_zero():
    return window("DepthToSpace", blocksize=0), "node 'bad' (DepthToSpace)"


@case
def block_without_end():
    return window("SpaceToDepth", blocksize=2 ** 62), "node 'bad' (SpaceToDepth)"


@case
def hidden_size():
    zeros = [const("w", np.zeros((1, 12, 8)), np.float32), const("r", np.zeros((1, 12, 3)), np.float32)]
    return (model([node("LSTM", ["x", "w", "r"], hidden_size=2 ** 62)], [info("x", [2, 1, 8])], constants=zeros),
            "node 'bad' (LSTM)")


@case
def unknown_activations():
    zeros = [const("w", np.zeros((1, 3, 8)), np.float32), const("r", np.zeros((1, 3, 3)), np.float32)]
    return (model([node("RNN", ["x", "w", "r"], hidden_size=3, activations=["Evil"])], [info("x", [2, 1, 8])],
                  constants=zeros), "node 'bad' (RNN)")


@case
def cast_to_nothing():
    return window("Cast", to=99), "node 'bad' (Cast)"


@case
def equation():
    return (model([node("Einsum", ["x", "x"], equation="ij,,...->" + "k" * 300)]), "node 'bad' (Einsum)")


@case
def constant_of_two_values():
    return (model([node("Constant", [], value_int=1, value_float=2.0)], []), "node 'bad' (Constant)")


@case
def constant_sparse():
    """onnxruntime#28408: external data inside of an attribute's sparse tensor."""
    sparse = helper.make_sparse_tensor(helper.make_tensor("v", FLOAT, [1], [1.0]),
                                       helper.make_tensor("i", INT64, [1], [0]), [4])
    sparse.values.ClearField("float_data")
    sparse.values.data_location = TensorProto.EXTERNAL
    sparse.values.external_data.add(key="location", value="../../../../etc/passwd")
    return (model([node("Constant", [], sparse_value=sparse)], []),
            "expected a path that stays below the model's folder")


@case
def external_in_attribute():
    tensor = TensorProto(name="t", data_type=FLOAT, dims=[1], data_location=TensorProto.EXTERNAL)
    tensor.external_data.add(key="location", value="/etc/passwd")
    return model([node("Constant", [], value=tensor)], []), "expected a path relative to the model"


@case
def trees_of_unequal_lists():
    """onnxruntime#27265: nodes_* lists of different lengths, children that do not exist."""
    return (model([node("TreeEnsembleRegressor", ["x"], domain="ai.onnx.ml", n_targets=1, nodes_treeids=[0, 0, 0],
                        nodes_nodeids=[0, 1], nodes_featureids=[10 ** 9], nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
                        nodes_values=[0.5], nodes_truenodeids=[7], nodes_falsenodeids=[-3], target_ids=[0],
                        target_nodeids=[1], target_treeids=[0], target_weights=[1.0])], [info("x", [1, 4])]),
            "node 'bad' (TreeEnsembleRegressor)")


@case
def vectors_of_unequal_lists():
    return (model([node("SVMRegressor", ["x"], domain="ai.onnx.ml", coefficients=[1.0], n_supports=10 ** 9,
                        support_vectors=[0.5], rho=[0.0], kernel_type="RBF", kernel_params=[0.1])],
                  [info("x", [1, 4])]), "node 'bad' (SVMRegressor)")


@case
def linear_of_unequal_lists():
    return (model([node("LinearClassifier", ["x"], ["y", "z"], domain="ai.onnx.ml", coefficients=[1.0, 2.0, 3.0],
                        intercepts=[0.0], classlabels_ints=[0, 1])], [info("x", [1, 4])]),
            "node 'bad' (LinearClassifier)")


@case
def labels_of_unequal_lists():
    return (model([node("LabelEncoder", ["x"], domain="ai.onnx.ml", keys_int64s=[1, 2, 3], values_int64s=[4])],
                  [info("x", [1, 4], INT64)]), "node 'bad' (LabelEncoder)")


@case
def scaler_of_unequal_lists():
    return (model([node("Scaler", ["x"], domain="ai.onnx.ml", offset=[1.0, 2.0, 3.0], scale=[1.0])],
                  [info("x", [1, 4])]), "node 'bad' (Scaler)")


# -----------------------------------------------------------------------------

def limit():
    # Not the address space: a sanitizer takes all of it.
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))


def check(lathe, clang, include, folder, name, make):
    made, expected = make()
    path, out = folder / f"{name}.onnx", folder / "out"
    path.write_bytes(made.SerializeToString())
    began = time.monotonic()
    result = subprocess.run([lathe, "compile", path, "-o", out / "m.so", "--cpu=x86-64-v3", "--name=m", "-O1"],
                            capture_output=True, text=True, errors="replace", preexec_fn=limit, timeout=10 * SECONDS,
                            env={**os.environ, "TMPDIR": str(folder / "tmp")})
    took = time.monotonic() - began
    lines = result.stderr.splitlines()
    left = sorted(os.listdir(out)) + sorted(os.listdir(folder / "tmp"))
    if "m.h" in left:
        subprocess.run([clang, "-std=c11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", f"-I{include}", "-x", "c",
                        out / "m.h"], check=True)
    for file in out.iterdir():
        file.unlink()
    path.unlink()
    if expected is ACCEPTED:
        right = result.returncode == 0 and not lines and left == ["m.h", "m.so"]
    else:
        right = (result.returncode == 1 and lines and all(line.startswith(str(path)) for line in lines)
                 and expected in lines[0] and not left)
    if not right:
        said = result.stderr if len(result.stderr) < 3000 else result.stderr[:3000] + " ..."
        print(f"{name}: expected {expected or 'success'!r}, got status {result.returncode} after {took:.1f} s, "
              f"files {left}, and\n{said}")
    return right


def main():
    lathe, clang, include, folder, *names = sys.argv[1:]
    folder = pathlib.Path(folder)
    for part in ("out", "tmp"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    wrong = [name for name, make in CASES if (not names or name in names) and
             not check(lathe, clang, include, folder, name, make)]
    print(f"{len(CASES) - len(wrong)} of {len(CASES)} as expected")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
