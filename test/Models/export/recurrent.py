# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Recurrent classifiers of PyTorch: LSTM, GRU, RNN.

Needs torch, onnxscript, onnx, onnxruntime."""

import torch
from common import Export, rng
from torch import nn
from torch_common import seed, write

KINDS = {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}


class Classifier(nn.Module):
    """Tokens of a text, through a two-layer recurrent net, to class scores."""

    def __init__(self, kind, vocabulary, width, directions):
        super().__init__()
        self.embed = nn.Embedding(vocabulary, width)
        self.recurrent = KINDS[kind](width, width, num_layers=2,
                                     batch_first=True,
                                     bidirectional=directions == 2)
        self.score = nn.Linear(directions * width, 5)
        for weights in self.recurrent.parameters():
            nn.init.normal_(weights, 0, width ** -0.5)
        nn.init.normal_(self.score.weight, 0, 2 * width ** -0.5)

    def forward(self, tokens):
        states, _ = self.recurrent(self.embed(tokens))
        return torch.log_softmax(self.score(states[:, -1]), dim=1)


def main():
    export = Export(__doc__)
    vocabulary, width = export.pick((20000, 256), (50, 16))
    for kind in KINDS:
        for suffix, directions, dynamo in (("", 1, False), ("_bidirectional", 2, False),
                                           ("_dynamo", 1, True)):
            name = kind + suffix
            if not export.wants(name):
                continue
            seed(name)
            model = Classifier(kind, vocabulary, width, directions)
            draw = rng(name)
            # The new exporter needs a fixed length, the old one a fixed batch.
            shapes = export.pick([(2, 80), (1, 80), (8, 80)],
                                 [(2, 12), (1, 12), (4, 12)])
            dynamic = {"tokens": {0: "batch"}, "scores": {0: "batch"}}
            if not dynamo:
                shapes = [(2, n) for n in export.pick((80, 7, 33), (12, 1, 5))]
                dynamic = {"tokens": {1: "length"}}
            feeds = [{"tokens": draw.integers(0, vocabulary, s)} for s in shapes]
            write(export, name, model, [torch.from_numpy(feeds[0]["tokens"])],
                  dynamo, ["tokens"], ["scores"], dynamic, feeds)


if __name__ == "__main__":
    main()
