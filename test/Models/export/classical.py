# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Linear models of scikit-learn, trained on the data that it ships.

Needs scikit-learn, skl2onnx, onnx, onnxruntime."""

import numpy as np
import onnx
from common import Export
from skl2onnx import to_onnx
from sklearn.datasets import load_diabetes, load_iris
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler


def save(export, name, model, features, zipmap):
    if not export.wants(name):
        return
    options = {id(model): {"zipmap": zipmap}} if zipmap is not None else None
    proto = to_onnx(model, features[:1], options=options, target_opset=17)
    onnx.save(proto, export.model_path(name))
    export.finish(name, [{"X": features[:n]} for n in (7, 1)])


def main():
    export = Export(__doc__)
    features, target = load_diabetes(return_X_y=True)
    features = features.astype(np.float32)
    save(export, "linear_regression", LinearRegression().fit(features, target),
         features, None)
    features, target = load_iris(return_X_y=True)
    features = features.astype(np.float32)[::10]
    target = target[::10]
    logistic = LogisticRegression(max_iter=500).fit(features, target)
    save(export, "logistic_regression", logistic, features, False)
    save(export, "logistic_regression_zipmap", logistic, features, True)
    binary = LogisticRegression(max_iter=500).fit(features, target == 1)
    save(export, "logistic_regression_binary", binary, features, False)
    scaled = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    scaled.fit(features, target)
    save(export, "logistic_regression_scaled", scaled, features, False)


if __name__ == "__main__":
    main()
