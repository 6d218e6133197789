# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes quantized models with onnxruntime.quantization, and their references.

    quantized.py FOLDER

  qdq_cnn          the trained net of ../digits, 8 bits with QuantizeLinear and
                   DequantizeLinear around each operator, scales per channel
  qdq_mlp          a perceptron trained on the same digits, scales per tensor
  qlinear_cnn      the net as QLinearConv and QLinearMatMul
  dynamic_mlp      the perceptron with activations quantized as it runs

Calibrated on training digits, all seeds fixed, nothing downloaded. A rounding
that falls on a tie may go either way in a runtime that scales in another order,
so each reference is one on which ONNX Runtime agrees with itself whether it
fuses or not. Needs scikit-learn, onnx and onnxruntime."""

import os
import sys
import tempfile

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization
from sklearn.datasets import load_digits
from sklearn.neural_network import MLPClassifier

HERE = os.path.dirname(os.path.abspath(__file__))
OPSET = 17
# Not Softmax, which ONNX Runtime approximates in integers.
LINEAR = ["Conv", "Flatten", "Gemm", "MatMul", "MaxPool", "Relu"]


class Digits(quantization.CalibrationDataReader):
    """The calibration data: batches of training digits."""

    def __init__(self, name, images):
        self.feeds = iter({name: images[i:i + 32]} for i in range(0, 256, 32))

    def get_next(self):
        return next(self.feeds, None)


def make_mlp(images, labels):
    """A perceptron of two layers, as Gemm nodes."""
    net = MLPClassifier((32,), max_iter=60, random_state=7)
    net.fit(images, labels)
    nodes, weights, value = [], [], "x"
    for i, (weight, bias) in enumerate(zip(net.coefs_, net.intercepts_)):
        weights += [numpy_helper.from_array(weight.T.astype(np.float32), f"w{i}"),
                    numpy_helper.from_array(bias.astype(np.float32), f"b{i}")]
        nodes.append(helper.make_node("Gemm", [value, f"w{i}", f"b{i}"], [f"h{i}"],
                                      f"layer{i}", transB=1))
        value = f"h{i}"
        if i == 0:
            nodes.append(helper.make_node("Relu", [value], ["r"], "relu"))
            value = "r"
    graph = helper.make_graph(
        nodes, "mlp", [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 64])],
        [helper.make_tensor_value_info(value, TensorProto.FLOAT, ["batch", 10])], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8)


def run(model, feeds, fused):
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    level = ort.GraphOptimizationLevel
    options.graph_optimization_level = level.ORT_ENABLE_ALL if fused else level.ORT_DISABLE_ALL
    session = ort.InferenceSession(model, options)
    names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, feeds)))


def write(folder, name, model, feed, images):
    """The model, and two references of different sizes."""
    place = os.path.join(folder, name)
    os.makedirs(place, exist_ok=True)
    path = os.path.join(place, "model.onnx")
    onnx.save(onnx.load(model), path)
    index = 0
    for count, start in ((1, 0), (2, 16)):
        while True:
            assert start + count <= len(images), "expected images that agree"
            feeds = {feed: images[start:start + count]}
            want, other = run(path, feeds, False), run(path, feeds, True)
            if all(np.allclose(want[k], other[k], rtol=1e-5, atol=1e-6) for k in want):
                break
            start += count
        np.savez_compressed(os.path.join(place, f"reference_{index}.npz"), **feeds, **want)
        index += 1


def main():
    folder = sys.argv[1]
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)
    flat, square = images.reshape(-1, 64), images[:, None]
    seen, heldout = slice(0, 1300), slice(1300, None)
    quiet = dict(activation_type=quantization.QuantType.QUInt8,
                 weight_type=quantization.QuantType.QInt8)
    with tempfile.TemporaryDirectory() as work:
        cnn = os.path.join(HERE, "..", "digits", "digits.onnx")
        mlp, made = os.path.join(work, "mlp.onnx"), os.path.join(work, "made.onnx")
        onnx.save(make_mlp(flat[seen], digits.target[seen]), mlp)
        for name, source, feed, data, options in (
                ("qdq_cnn", cnn, "image", square, dict(per_channel=True, op_types_to_quantize=LINEAR)),
                ("qdq_mlp", mlp, "x", flat, dict(op_types_to_quantize=LINEAR)),
                ("qlinear_cnn", cnn, "image", square,
                 dict(quant_format=quantization.QuantFormat.QOperator,
                      op_types_to_quantize=["Conv", "MatMul", "MaxPool"]))):
            quantization.quantize_static(
                source, made, Digits(feed, data[seen]),
                **{"quant_format": quantization.QuantFormat.QDQ, **quiet, **options})
            write(folder, name, made, feed, data[heldout])
        quantization.quantize_dynamic(mlp, made, weight_type=quantization.QuantType.QInt8)
        write(folder, "dynamic_mlp", made, "x", flat[heldout])


if __name__ == "__main__":
    main()
