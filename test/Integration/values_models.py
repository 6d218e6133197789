# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiled models with strings, sequences, maps and optionals against ONNX
Runtime, beyond what ONNX's own tests have.

  values_models.py LATHE FOLDER"""

import os
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "Benchmark"))
import native

ML = "ai.onnx.ml"
OPSETS = [helper.make_opsetid("", 21), helper.make_opsetid(ML, 4)]
WORDS = ["a", "", "ccc", "Straße", "a", "monday"]


def tensor(name, element, shape):
    return helper.make_tensor_value_info(name, element, shape)


def string(name, *shape):
    return tensor(name, TensorProto.STRING, shape)


def typed(name, make, *arguments):
    return helper.make_value_info(name, make(*arguments))


def tensor_type(element, shape=None):
    return helper.make_tensor_type_proto(element, shape)


def mapping(name, key, value):
    return typed(name, helper.make_map_type_proto, key, tensor_type(value, []))


def sequence(name, element, shape=None):
    return typed(name, helper.make_sequence_type_proto, tensor_type(element, shape))


def words(*shape):
    return np.resize(np.array(WORDS, object), shape)


CASES = {}


def case(name, inputs, feeds, nodes, outputs, initializers=(), expected=None):
    """`feeds` has one list of values, or several. `expected` is what ONNX Runtime
    should give, where its Python cannot be fed so."""
    if isinstance(nodes, onnx.NodeProto):
        nodes = [nodes]
    graph = helper.make_graph(nodes, name, inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=OPSETS, ir_version=10)
    CASES[name] = model, feeds, expected


def node(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs, outputs, **attributes)


def ml(op, inputs, outputs, **attributes):
    return helper.make_node(op, inputs, outputs, domain=ML, **attributes)


def ints(name, *values):
    return helper.make_tensor(name, TensorProto.INT64, [len(values)], values)


def maps():
    numbers = {5: 0.5, 1: 1.25, 3: -2.0}
    for form, outputs in (("DENSE", [1, None]), ("SPARSE", [1, 8])):
        for cast, element in (("TO_FLOAT", TensorProto.FLOAT), ("TO_STRING", TensorProto.STRING)):
            expected = None
            if cast == "TO_STRING":
                data = {k: f"t{k}" for k in numbers}
                value = TensorProto.STRING
                expected = [[np.array([[data.get(k, "") for k in range(8)]], object)
                             if form == "SPARSE" else np.array([["t1", "t3", "t5"]], object)]]
            else:
                data, value = {k: np.float32(v) for k, v in numbers.items()}, TensorProto.FLOAT
            case(f"CastMap {form} {cast}", [mapping("x", TensorProto.INT64, value)], [[data]],
                 ml("CastMap", ["x"], ["y"], cast_to=cast, map_form=form,
                    max_map=8 if form == "SPARSE" else 1),
                 [tensor("y", element, outputs)], expected=expected)
    for value, convert in ((TensorProto.FLOAT, np.float32), (TensorProto.DOUBLE, np.float64),
                           (TensorProto.STRING, str)):
        case(f"DictVectorizer int64 {value}", [mapping("x", TensorProto.INT64, value)],
             [[{k: convert(v) for k, v in numbers.items()}]],
             ml("DictVectorizer", ["x"], ["y"], int64_vocabulary=[3, 4, 5, 3]),
             [tensor("y", value, [1, 4])],
             expected=[[np.array([["-2.0", "", "0.5", "-2.0"]], object)
                        if convert is str else np.array([[-2, 0, 0.5, -2]], convert)]])
    for value, convert in ((TensorProto.FLOAT, np.float32), (TensorProto.INT64, np.int64)):
        case(f"DictVectorizer string {value}", [mapping("x", TensorProto.STRING, value)],
             [[{"b": convert(2), "ü": convert(4)}]],
             ml("DictVectorizer", ["x"], ["y"], string_vocabulary=["a", "ü", "b"]),
             [tensor("y", value, [1, 3])], expected=[[np.array([[0, 4, 2]], convert)]])
    scores = np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3)
    case("ZipMap strings", [tensor("x", TensorProto.FLOAT, ["n", 3])], [[scores], [scores[:1]]],
         ml("ZipMap", ["x"], ["z"], classlabels_strings=["a", "b", "ö"]),
         [typed("z", helper.make_sequence_type_proto, helper.make_map_type_proto(
             TensorProto.STRING, tensor_type(TensorProto.FLOAT, [])))])


def labels():
    case("CategoryMapper to numbers", [string("x", 6)], [[words(6)]],
         ml("CategoryMapper", ["x"], ["y"], cats_int64s=[1, 2], cats_strings=["a", "ccc"]),
         [tensor("y", TensorProto.INT64, [6])])
    case("CategoryMapper to text", [tensor("x", TensorProto.INT64, ["n"])],
         [[np.array([2, 1, 7])]],
         ml("CategoryMapper", ["x"], ["y"], cats_int64s=[1, 2], cats_strings=["a", "ccc"],
            default_string="?"),
         [string("y", None)])
    case("LabelEncoder text to text", [string("x", 2, 3)], [[words(2, 3)]],
         ml("LabelEncoder", ["x"], ["y"], keys_strings=["a", "", "Straße"],
            values_strings=["A", "nothing", "street"], default_string="?"),
         [string("y", 2, 3)])
    case("LabelEncoder float to int", [tensor("x", TensorProto.FLOAT, [4])],
         [[np.array([1.5, np.nan, -0.0, 7], np.float32)]],
         ml("LabelEncoder", ["x"], ["y"], keys_floats=[np.nan, 0.0, 1.5],
            values_int64s=[10, 20, 30], default_int64=-7),
         [tensor("y", TensorProto.INT64, [4])])
    case("LabelEncoder int to float", [tensor("x", TensorProto.INT64, ["n"])],
         [[np.arange(5)], [np.arange(2)]],
         ml("LabelEncoder", ["x"], ["y"], keys_int64s=[3, 1], values_floats=[0.25, 1e9]),
         [tensor("y", TensorProto.FLOAT, ["n"])])
    x = np.array([[1, -2], [0.5, 3], [-1, -1]], np.float32)
    case("LinearClassifier text", [tensor("x", TensorProto.FLOAT, ["n", 2])], [[x]],
         ml("LinearClassifier", ["x"], ["y", "z"], coefficients=[1.0, 0, 0, 1, -1, -1],
            intercepts=[0.0, 0.1, 0], classlabels_strings=["left", "up", "down"],
            post_transform="SOFTMAX"),
         [string("y", "n"), tensor("z", TensorProto.FLOAT, ["n", 3])])


def casts():
    case("Cast to text", [tensor("x", TensorProto.INT32, ["n"])],
         [[np.array([0, -1, 2**31 - 1, -2**31], np.int32)]],
         node("Cast", ["x"], ["y"], to=TensorProto.STRING), [string("y", None)])
    for element, dtype in ((TensorProto.FLOAT, np.float32), (TensorProto.DOUBLE, np.float64),
                           (TensorProto.INT64, np.int64), (TensorProto.INT8, np.int8)):
        texts = ["0", "-17", "42"]
        if np.issubdtype(dtype, np.floating):
            texts += ["1e-5", "3.14159265358979", "1E8", "-INF", "NaN"]
        case(f"Cast to {np.dtype(dtype).name}", [string("x", "n")], [[np.array(texts, object)]],
             node("Cast", ["x"], ["y"], to=element), [tensor("y", element, ["n"])])


def moves():
    def move(name, op, inputs, shape, *initializers, **attributes):
        case(name, [string("x", "n", 3)], [[words(4, 3)]],
             node(op, inputs, ["y"], **attributes), [string("y", *shape)], initializers)
    move("Concat", "Concat", ["x", "x"], [None, 6], axis=1)
    move("Gather", "Gather", ["x", "i"], [None, 2], ints("i", 2, -3), axis=1)
    move("Reshape", "Reshape", ["x", "s"], [3, None], ints("s", 3, -1))
    move("Slice", "Slice", ["x", "b", "e", "a"], [None, 2], ints("b", 1), ints("e", 3),
         ints("a", 1))
    move("Transpose", "Transpose", ["x"], [3, None])
    move("Unsqueeze", "Unsqueeze", ["x", "a"], [None, 1, 3], ints("a", 1))
    move("Identity", "Identity", ["x"], [None, 3])
    for op, shape in (("Shape", [2]), ("Size", [])):
        case(op, [string("x", "n", 3)], [[words(4, 3)]], node(op, ["x"], ["y"]),
             [tensor("y", TensorProto.INT64, shape)])
    mask = np.array([[True, False, True]])
    case("Where", [tensor("c", TensorProto.BOOL, [1, 3]), string("x", 4, 3), string("y", 1)],
         [[mask, words(4, 3), np.array(["else"], object)]],
         node("Where", ["c", "x", "y"], ["z"]), [string("z", 4, 3)])
    case("Split", [string("x", 4, 3)], [[words(4, 3)]],
         node("Split", ["x"], ["y", "z"], num_outputs=2, axis=0),
         [string("y", 2, 3), string("z", 2, 3)])
    for is_sorted in (0, 1):
        case(f"Unique {is_sorted}", [string("x", "n")], [[words(9)], [words(1)]],
             node("Unique", ["x"], ["y", "i", "v", "k"], sorted=is_sorted),
             [string("y", None), *(tensor(n, TensorProto.INT64, [None]) for n in "ivk")])
    constant = helper.make_tensor("c", TensorProto.STRING, [2], [b"x", "é".encode()])
    case("Constant", [string("x", "n", 1)], [[words(3, 1)]],
         [node("Constant", [], ["k"], value=constant), node("Equal", ["x", "k"], ["y"])],
         [tensor("y", TensorProto.BOOL, [None, 2])])


def sequences():
    strings = sequence("s", TensorProto.STRING, ["n"])
    case("SplitToSequence text", [string("x", 2, 5)], [[words(2, 5)]],
         node("SplitToSequence", ["x", "k"], ["s"], axis=1), [strings],
         [helper.make_tensor("k", TensorProto.INT64, [], [2])])
    case("ConcatFromSequence text", [string("x", 2, "n")], [[words(2, 5)]],
         [node("SplitToSequence", ["x"], ["s"], axis=1),
          node("ConcatFromSequence", ["s"], ["y"], axis=1)], [string("y", 2, None)])
    floats = [np.arange(6, dtype=np.float32).reshape(i, 3) for i in (2,)] * 3
    case("ConcatFromSequence new axis", [sequence("s", TensorProto.FLOAT, ["n", 3])], [[floats]],
         node("ConcatFromSequence", ["s"], ["y"], axis=-1, new_axis=1),
         [tensor("y", TensorProto.FLOAT, [None, None, None])])
    case("SequenceErase", [sequence("s", TensorProto.FLOAT)], [[floats]],
         [node("SequenceErase", ["s", "p"], ["t"]), node("SequenceErase", ["t"], ["u"]),
          node("SequenceLength", ["u"], ["n"])],
         [sequence("u", TensorProto.FLOAT), tensor("n", TensorProto.INT64, [])],
         [helper.make_tensor("p", TensorProto.INT64, [], [-3])])
    case("SequenceAt into arithmetic", [sequence("s", TensorProto.FLOAT, ["n", 3]),
                                        tensor("p", TensorProto.INT64, [])],
         [[[np.ones((i, 3), np.float32) * i for i in (1, 4, 2)], np.array(p)] for p in (1, -1, 0)],
         [node("SequenceAt", ["s", "p"], ["t"]), node("Exp", ["t"], ["e"]),
          node("ReduceSum", ["e"], ["y"])], [tensor("y", TensorProto.FLOAT, [1, 1])])
    body = helper.make_graph(
        [node("SequenceAt", ["s", "i"], ["t"]), node("Mul", ["t", "t"], ["u"]),
         node("SequenceInsert", ["r", "u", "zero"], ["r2"]), node("Identity", ["c"], ["c2"])],
        "body", [tensor("i", TensorProto.INT64, []), tensor("c", TensorProto.BOOL, []),
                 sequence("r", TensorProto.FLOAT)],
        [tensor("c2", TensorProto.BOOL, []), sequence("r2", TensorProto.FLOAT)])
    case("Loop", [sequence("s", TensorProto.FLOAT, ["n"])],
         [[[np.arange(i, dtype=np.float32) for i in (3, 1, 0, 4)]], [[]]],
         [node("SequenceLength", ["s"], ["n"]), node("SequenceEmpty", [], ["e"]),
          node("Loop", ["n", "", "e"], ["y"], body=body)], [sequence("y", TensorProto.FLOAT)],
         [helper.make_tensor("zero", TensorProto.INT64, [], [0])])


def swap():
    """What a loop carries changes places in each step."""
    body = helper.make_graph(
        [node("StringConcat", ["b", "mark"], ["b2"]), node("Identity", ["c"], ["c2"])],
        "body", [tensor("i", TensorProto.INT64, []), tensor("c", TensorProto.BOOL, []),
                 string("a", 1), string("b", 1)],
        [tensor("c2", TensorProto.BOOL, []), string("b2", 1), string("a", 1)])
    case("Swap", [string("x", 1), string("y", 1), tensor("n", TensorProto.INT64, [])],
         [[np.array(["x"], object), np.array(["y"], object), np.array(n)] for n in (0, 1, 4)],
         node("Loop", ["n", "", "x", "y"], ["p", "q"], body=body),
         [string("p", 1), string("q", 1)],
         [helper.make_tensor("mark", TensorProto.STRING, [], [b"+"])])


def strings(name, *texts):
    return helper.make_tensor(name, TensorProto.STRING, [len(texts)], list(texts))


def branches():
    def branch(nodes, name, shape):
        return helper.make_graph(nodes, name, [], [string(name, shape)])
    flag = tensor("c", TensorProto.BOOL, [])
    case("If", [flag, string("x", "n")], [[np.array(b), words(3)] for b in (True, False)],
         node("If", ["c"], ["y"],
              then_branch=branch([node("StringConcat", ["x", "x"], ["t"])], "t", None),
              else_branch=branch([node("Identity", ["x"], ["e"])], "e", None)),
         [string("y", None)])
    yes, no = (node("Constant", [], [n], value=strings("k", text))
               for n, text in (("t", "yes"), ("e", "no")))
    case("If of constants", [flag], [[np.array(b)] for b in (True, False)],
         node("If", ["c"], ["y"], then_branch=branch([yes], "t", 1),
              else_branch=branch([no], "e", 1)), [string("y", 1)])
    case("Constants alone", [flag], [[np.array(True)]],
         [node("StringConcat", ["a", "b"], ["y"]), node("Identity", ["a"], ["z"]),
          node("Not", ["c"], ["d"])],
         [string("y", 2), string("z", 2), tensor("d", TensorProto.BOOL, [])],
         [strings("a", "p", "q"), strings("b", "", "s")])
    case("No elements", [string("x", "n")], [[np.empty(0, object)], [words(2)]],
         [node("StringConcat", ["x", "a"], ["y"]),
          ml("LabelEncoder", ["y"], ["z"], keys_strings=["a!"], values_int64s=[3])],
         [tensor("z", TensorProto.INT64, [None])], [strings("a", "!")])


def texts():
    pool = ["a", "b", "c", "a", "b", "b", "c"]
    for mode in ("TF", "IDF", "TFIDF"):
        case(f"TfIdfVectorizer {mode}", [string("x", 2, 6)],
             [[np.array([list("abcabc"), list("bbbaxa")], object)]],
             node("TfIdfVectorizer", ["x"], ["y"], mode=mode, min_gram_length=1,
                  max_gram_length=2, max_skip_count=2, ngram_counts=[0, 3],
                  ngram_indexes=[0, 1, 2, 3, 4], pool_strings=pool,
                  weights=[0.5, 1.0, 2.0, 0.25, 3.0]),
             [tensor("y", TensorProto.FLOAT, [2, 5])])
    strings = np.array(["", "a", "aaab", "ab\ncd", "über", "foo.bar@example.org", "A1_",
                        "x" * 40, "-12.5e3", "\\", "[b]", "日本"], object)
    for pattern in (r"a*b?", r".*", r"(?s).*", r"[\w.]+@[\w.]+\.(org|com)", r"(?i)[a-z]\d_",
                    r"x{38,}", r"(x{3}){13}x", r"[+-]?\d+(\.\d+)?(e\d+)?", r"\\|\[b\]", r"[^a-z]+",
                    r"(?:a|b|ab|aaa)+", r"^a$|^$", r"\pa", r".{2}", r"(|a)(|a)(|aab)",
                    r"(?P<n>ü)ber\b", r"[[:alpha:]]\w*", r"\x{65E5}.", r"(a*)*b|((a))"):
        case(f"RegexFullMatch {pattern}", [string("x", "n")], [[strings]],
             node("RegexFullMatch", ["x"], ["y"], pattern=pattern),
             [tensor("y", TensorProto.BOOL, ["n"])])


def compare(got, want):
    if isinstance(want, dict):
        return (isinstance(got, dict) and set(got) == set(want)
                and all(compare(got[k], want[k]) for k in want))
    if isinstance(want, list):
        return (isinstance(got, list) and len(got) == len(want)
                and all(map(compare, got, want)))
    # ONNX Runtime gives numbers of Python in maps.
    got = np.asarray(got)
    want = np.asarray(want, got.dtype if isinstance(want, float) else None)
    if got.shape != want.shape:
        return False
    if want.dtype.kind in "OU":
        return bool(np.all(got == want))
    return got.dtype == want.dtype and np.allclose(got, want, rtol=1e-5, equal_nan=True)


def run(lathe, folder, name, model, feeds, expected):
    path = os.path.join(folder, "model.onnx")
    # A library that is loaded once is not loaded again.
    library = os.path.join(folder, f"{list(CASES).index(name)}.so")
    onnx.save(model, path)
    done = subprocess.run([lathe, "compile", path, "-o", library, "--name=model"],
                          capture_output=True, text=True, check=False)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    except Exception:  # whatever type ONNX Runtime has for it
        return None if done.returncode == 1 else f"{name}: expected an error of the compiler"
    if done.returncode:
        return f"{name}: {done.stderr.strip()}"
    compiled = native.Model(library, threads=1)
    names = [value.name for value in model.graph.input]
    for i, values in enumerate(feeds):
        fed = dict(zip(names, values))
        wanted = expected[i] if expected else session.run(None, fed)
        try:
            compiled.bind(fed)
            results = compiled.run()
        except RuntimeError as error:
            return f"{name}: {error}"
        for value, want in zip(model.graph.output, wanted):
            if not compare(results[value.name], want):
                return f"{name}: {value.name}: expected {want}, got {results[value.name]}"
    compiled.close()
    return None


def main():
    lathe, folder = sys.argv[1:3]
    for make in (maps, labels, casts, moves, sequences, swap, branches, texts):
        make()
    wrong = [error for name, arguments in CASES.items()
             if (error := run(lathe, folder, name, *arguments))]
    print("\n".join(wrong))
    print(f"{len(CASES) - len(wrong)} of {len(CASES)} agree")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
