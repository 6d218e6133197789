# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains the demo's model: a small convolution net that reads handwritten digits.

The data are the 1,797 scanned 8x8 digits that scikit-learn ships; a quarter is
held out, never seen in training. Writes digits.onnx (batch symbolic) and
heldout.npz (images, labels, the labels that ONNX Runtime gives) beside this
file. Needs torch, scikit-learn, onnx, onnxruntime; fixed seeds, no downloads."""

import os

import numpy as np
import onnx
import onnxruntime
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

HERE = os.path.dirname(os.path.abspath(__file__))
EPOCHS, BATCH = 60, 64


def build():
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Conv2d(16, 32, 3, padding=1), nn.BatchNorm2d(32), nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(0.25), nn.Linear(256, 64), nn.ReLU(),
        nn.Linear(64, 10),
    )


def train(images, labels):
    torch.manual_seed(7)
    torch.use_deterministic_algorithms(True)
    torch.set_num_threads(1)
    model = build()
    steps = EPOCHS * (len(images) // BATCH + 1)
    optimizer = torch.optim.AdamW(model.parameters(), 2e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, steps)
    loss = nn.CrossEntropyLoss(label_smoothing=0.05)
    images, labels = torch.from_numpy(images), torch.from_numpy(labels)
    for _ in range(EPOCHS):
        for pick in torch.randperm(len(images)).split(BATCH):
            optimizer.zero_grad()
            loss(model(images[pick]), labels[pick]).backward()
            optimizer.step()
            schedule.step()
    return model.eval()


def main():
    digits = load_digits()
    images = (digits.images / 16).astype(np.float32)[:, None]
    seen, heldout, seen_labels, labels = train_test_split(
        images, digits.target.astype(np.int64), test_size=0.25,
        stratify=digits.target, random_state=7)
    model = nn.Sequential(train(seen, seen_labels), nn.Softmax(1)).eval()

    path = os.path.join(HERE, "digits.onnx")
    with torch.no_grad():
        torch.onnx.export(
            model, torch.from_numpy(heldout[:2]), path, input_names=["image"],
            output_names=["probability"], opset_version=17, dynamo=False,
            dynamic_axes={"image": {0: "batch"}, "probability": {0: "batch"}})
    onnx.checker.check_model(path)

    session = onnxruntime.InferenceSession(path)
    predicted = session.run(["probability"], {"image": heldout})[0].argmax(1)
    np.savez_compressed(os.path.join(HERE, "heldout.npz"), image=heldout,
                        label=labels, onnxruntime=predicted.astype(np.int64))
    right = (predicted == labels).mean()
    print(f"{len(seen)} digits seen, {len(heldout)} held out: {right:.2%} right")
    assert right >= 0.97


if __name__ == "__main__":
    main()
