# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Keras models through tf2onnx: MLPs, convolution nets, recurrent nets.

Needs tensorflow (or tensorflow-cpu), tf2onnx, onnx, onnxruntime."""

import os

os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402
import onnx  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf2onnx  # noqa: E402
from common import Export, rng  # noqa: E402
from keras import layers  # noqa: E402


def mlp(export):
    width = export.pick(512, 32)
    return (28, 28), np.float32, [
        layers.Flatten(), layers.Dense(width, "relu"), layers.Dropout(0.2),
        layers.Dense(width // 2, "relu"), layers.Dense(10, "softmax")]


def mnist_cnn(export):
    c = export.pick(32, 8)
    return (28, 28, 1), np.float32, [
        layers.Conv2D(c, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Conv2D(2 * c, 3, activation="relu"), layers.MaxPooling2D(),
        layers.Flatten(), layers.Dropout(0.5), layers.Dense(10, "softmax")]


def cifar_cnn(export):
    c = export.pick(32, 8)
    stack = []
    for factor in (1, 2, 4):
        stack += [
            layers.Conv2D(factor * c, 3, padding="same"),
            layers.BatchNormalization(), layers.Activation("relu"),
            layers.Conv2D(factor * c, 3, padding="same", activation="elu"),
            layers.MaxPooling2D(), layers.Dropout(0.25)]
    return (32, 32, 3), np.float32, stack + [
        layers.GlobalAveragePooling2D(), layers.Dense(8 * c, "relu"),
        layers.Dense(10, "softmax")]


def separable_cnn(export):
    c = export.pick(32, 8)
    return (32, 32, 3), np.float32, [
        layers.SeparableConv2D(c, 3, strides=2, padding="same"),
        layers.BatchNormalization(), layers.ReLU(max_value=6),
        layers.DepthwiseConv2D(3, padding="same"), layers.LeakyReLU(),
        layers.AveragePooling2D(2), layers.Conv2DTranspose(c, 3, strides=2),
        layers.GlobalMaxPooling2D(), layers.Dense(10)]


def recurrent(layer):
    def make(export):
        width = export.pick(128, 12)
        return (20,), np.int32, [
            layers.Embedding(export.pick(10000, 30), width, "random_normal"),
            layer(width), layers.Dense(1, "sigmoid")]
    return make


MODELS = {
    "keras_mlp": mlp, "keras_mnist_cnn": mnist_cnn,
    "keras_cifar_cnn": cifar_cnn, "keras_separable_cnn": separable_cnn,
    "keras_lstm": recurrent(layers.LSTM), "keras_gru": recurrent(layers.GRU),
}


def jitter(model, draw):
    """Move biases, gains and statistics away from their exact zeros and ones,
    and make the rest large enough for inputs to show in the outputs."""
    for weight in model.weights:
        if "embedding" in weight.path:
            weight.assign(20 * weight)
        elif len(weight.shape) > 1:
            weight.assign(1.3 * weight)
        else:
            noise = 0.1 * draw.random(weight.shape, np.float32)
            weight.assign(weight + noise)


def main():
    export = Export(__doc__)
    for name, make in MODELS.items():
        if not export.wants(name):
            continue
        keras.utils.set_random_seed(7)
        shape, dtype, stack = make(export)
        model = keras.Sequential([keras.Input(shape, dtype=dtype), *stack])
        draw = rng(name)
        jitter(model, draw)
        signature = [tf.TensorSpec((None, *shape), dtype, name="input")]
        function = tf.function(lambda x: {"output": model(x, training=False)},
                               input_signature=signature)
        proto, _ = tf2onnx.convert.from_function(function, signature, opset=17)
        onnx.save(proto, export.model_path(name))
        feeds = [{"input": draw.random((n, *shape), np.float32)
                  if dtype is np.float32
                  else draw.integers(0, 30, (n, *shape)).astype(dtype)}
                 for n in (3, 1)]
        export.finish(name, feeds)


if __name__ == "__main__":
    main()
