# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""PyTorch models that are no classifiers: DCGAN's generator, DLRM.

Needs torch, onnxscript, onnx, onnxruntime."""

import numpy as np
import torch
from common import Export, rng
from torch import nn
from torch_common import calibrate, jitter_vectors, seed, spread_weights, write


def dcgan(export, name, dynamo):
    base = export.pick(64, 8)
    noise = export.pick(100, 16)
    layers, inputs = [], noise
    for factor, stride, padding in ((8, 1, 0), (4, 2, 1), (2, 2, 1), (1, 2, 1)):
        layers += [nn.ConvTranspose2d(inputs, factor * base, 4, stride, padding,
                                      bias=False),
                   nn.BatchNorm2d(factor * base), nn.ReLU()]
        inputs = factor * base
    layers += [nn.ConvTranspose2d(inputs, 3, 4, 2, 1, bias=False), nn.Tanh()]
    model = jitter_vectors(nn.Sequential(*layers))
    calibrate(model, torch.randn(4, noise, 1, 1))
    feeds = [{"noise": rng(name + str(b)).standard_normal((b, noise, 1, 1),
                                                          np.float32)}
             for b in (2, 1, 3)]
    write(export, name, model, [torch.from_numpy(feeds[0]["noise"])], dynamo,
          ["noise"], ["image"], {"noise": {0: "batch"}, "image": {0: "batch"}}
          if not dynamo else {"noise": {0: "batch"}}, feeds)


class Dlrm(nn.Module):
    """Dense features through an MLP, sparse ones through summed embeddings,
    all pairs of dot products, a second MLP: a click's probability."""

    def __init__(self, tables, rows, width, hidden):
        super().__init__()
        self.bottom = nn.Sequential(nn.Linear(13, hidden), nn.ReLU(),
                                    nn.Linear(hidden, width), nn.ReLU())
        self.tables = nn.ModuleList(nn.Embedding(rows, width)
                                    for _ in range(tables))
        pairs = (tables + 1) * tables // 2
        self.top = nn.Sequential(nn.Linear(width + pairs, hidden), nn.ReLU(),
                                 nn.Linear(hidden, 1), nn.Sigmoid())
        row, column = np.tril_indices(tables + 1, -1)
        self.register_buffer("row", torch.from_numpy(row))
        self.register_buffer("column", torch.from_numpy(column))

    def forward(self, dense, sparse):
        bottom = self.bottom(dense)
        looked_up = [table(sparse[:, i]).sum(1)
                     for i, table in enumerate(self.tables)]
        vectors = torch.stack([bottom, *looked_up], dim=1)
        products = torch.bmm(vectors, vectors.transpose(1, 2))
        pairs = products[:, self.row, self.column]
        return self.top(torch.cat([bottom, pairs], dim=1))


def dlrm(export, name, dynamo):
    tables, rows, width, hidden = export.pick((26, 10000, 16, 512),
                                              (5, 20, 4, 16))
    model = spread_weights(Dlrm(tables, rows, width, hidden))
    with torch.no_grad():
        for table in model.tables:
            table.weight.mul_(0.3)
    feeds = []
    for batch in export.pick((128, 1), (4, 1)):
        draw = rng(name + str(batch))
        feeds.append({"dense": draw.random((batch, 13), np.float32),
                      "sparse": draw.integers(0, rows, (batch, tables, 3))})
    batch = {0: "batch"}
    dynamic = {"dense": batch, "sparse": batch}
    if not dynamo:
        dynamic["click"] = batch
    args = [torch.from_numpy(feeds[0][n]) for n in ("dense", "sparse")]
    write(export, name, model, args, dynamo, ["dense", "sparse"], ["click"],
          dynamic, feeds)


MODELS = {"dcgan": (dcgan, False), "dcgan_dynamo": (dcgan, True),
          "dlrm": (dlrm, False), "dlrm_dynamo": (dlrm, True)}


def main():
    export = Export(__doc__)
    for name, (make, dynamo) in MODELS.items():
        if export.wants(name):
            seed(name)
            make(export, name, dynamo)


if __name__ == "__main__":
    main()
