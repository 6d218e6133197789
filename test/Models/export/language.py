# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Transformers with symbolic batch and length: BERT, GPT-2, PyTorch's encoder.

Needs torch, transformers, onnxscript, onnx, onnxruntime."""

import numpy as np
import torch
from common import Export, rng
from torch import nn
from torch_common import jitter_vectors, seed, write
from transformers import (BertConfig, BertModel, GPT2Config, GPT2LMHeadModel)
from transformers.cache_utils import DynamicCache

VOCABULARY = {False: 30522, True: 200}  # by narrow
SIZES = [(1, 128), (1, 8), (2, 37), (4, 64), (8, 16)]
NARROW_SIZES = [(1, 16), (1, 5), (2, 7), (4, 12), (3, 1)]


def int64(array):
    return np.asarray(array, dtype=np.int64)


class Encoder(nn.Module):
    """BERT with a plain tensor interface."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        result = self.model(input_ids=input_ids, attention_mask=attention_mask,
                            token_type_ids=token_type_ids)
        return result.last_hidden_state, result.pooler_output


def padded_batch(draw, batch, length, vocabulary):
    """Token ids with a padded tail per row, and their mask and segments."""
    ids = draw.integers(1, vocabulary, (batch, length))
    used = draw.integers(length // 2 + 1, length + 1, (batch, 1))
    used[0] = length
    mask = np.arange(length)[None] < used
    segments = np.arange(length)[None] >= used // 2
    return {"input_ids": int64(ids * mask), "attention_mask": int64(mask),
            "token_type_ids": int64(segments & mask)}


def bert(export, name, dynamo):
    small = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
                 intermediate_size=64, max_position_embeddings=64)
    vocabulary = VOCABULARY[export.narrow]
    config = BertConfig(vocab_size=vocabulary,
                        attn_implementation="eager" if not dynamo else "sdpa",
                        **(small if export.narrow else {}))
    model = jitter_vectors(Encoder(BertModel(config)))
    draw = rng(name)
    feeds = [padded_batch(draw, b, n, vocabulary)
             for b, n in export.pick(SIZES, NARROW_SIZES)]
    inputs = ["input_ids", "attention_mask", "token_type_ids"]
    outputs = ["last_hidden_state", "pooler_output"]
    sizes = {0: "batch", 1: "length"}
    dynamic = {n: sizes for n in inputs}
    if not dynamo:
        dynamic.update(last_hidden_state=sizes, pooler_output={0: "batch"})
    args = [torch.from_numpy(feeds[3][n]) for n in inputs]
    write(export, name, model, args, dynamo, inputs, outputs, dynamic, feeds)


class Decoder(nn.Module):
    """GPT-2 with a plain tensor interface; the cache is a flat list of keys and
    values, layer by layer."""

    def __init__(self, model, cached):
        super().__init__()
        self.model, self.cached = model, cached

    def forward(self, input_ids, attention_mask, *past):
        if not self.cached:
            return self.model(input_ids=input_ids, use_cache=False,
                              attention_mask=attention_mask).logits
        cache = DynamicCache([(past[i], past[i + 1])
                              for i in range(0, len(past), 2)])
        result = self.model(input_ids=input_ids, past_key_values=cache,
                            attention_mask=attention_mask, use_cache=True)
        present = [t for layer in result.past_key_values.layers
                   for t in (layer.keys, layer.values)]
        return result.logits, *present


def gpt2(export, name, layers, cached, dynamo):
    small = dict(n_embd=32, n_head=4, n_positions=64)
    layers = export.pick(layers, 2)
    vocabulary = export.pick(50257, 200)
    config = GPT2Config(vocab_size=vocabulary, n_layer=layers,
                        attn_implementation="sdpa" if dynamo else "eager",
                        **(small if export.narrow else {}))
    model = jitter_vectors(GPT2LMHeadModel(config).eval())
    heads, width = config.n_head, config.n_embd // config.n_head
    draw = rng(name)

    def ids(batch, length):
        return int64(draw.integers(0, vocabulary, (batch, length)))

    names = [f"{kind}.{i}" for i in range(layers) for kind in ("key", "value")]
    inputs, outputs = ["input_ids", "attention_mask"], ["logits"]
    dynamic = {"input_ids": {0: "batch", 1: "length"},
               "attention_mask": {0: "batch", 1: "total" if cached else "length"}}
    if cached:
        inputs += ["past." + n for n in names]
        outputs += ["present." + n for n in names]
        dynamic.update({"past." + n: {0: "batch", 2: "past"} for n in names})
    sizes = export.pick([(1, 1, 64), (1, 16, 0), (2, 3, 20)],
                        [(1, 1, 9), (1, 6, 0), (2, 3, 5)])
    feeds = []
    for batch, length, past in sizes:
        total = length + past
        mask = np.ones((batch, total))
        mask[1:, :2] = 0  # later rows are padded on the left
        feed = {"input_ids": ids(batch, length if cached else total),
                "attention_mask": int64(mask)}
        for n in names if cached else []:
            shape = (batch, heads, past, width)
            feed["past." + n] = draw.standard_normal(shape, np.float32)
        feeds.append(feed)
    args = [torch.from_numpy(feeds[2][n]) for n in inputs]
    if not dynamo:
        dynamic["logits"] = {0: "batch", 1: "length"}
        dynamic.update({n: {0: "batch", 2: "total"} for n in outputs[1:]})
    write(export, name, Decoder(model, cached), args, dynamo, inputs, outputs,
          dynamic, feeds)


def transformer_encoder(export, name, dynamo):
    width = export.pick(512, 32)
    layer = nn.TransformerEncoderLayer(
        width, export.pick(8, 4), 4 * width, batch_first=True,
        activation="gelu" if dynamo else "relu", norm_first=dynamo)
    model = nn.TransformerEncoder(layer, export.pick(6, 2),
                                  enable_nested_tensor=False)
    feeds = [{"source": rng(name + str(b)).standard_normal(
        (b, n, width), np.float32)}
        for b, n in export.pick([(2, 32), (1, 128), (4, 17)],
                                [(2, 6), (1, 9), (3, 1)])]
    if not dynamo:  # the old exporter freezes the attention's sizes
        feeds = feeds[:1]
    args = [torch.from_numpy(feeds[0]["source"])]
    sizes = {0: "batch", 1: "length"}
    dynamic = {"source": sizes} if dynamo else None
    write(export, name, jitter_vectors(model), args, dynamo, ["source"],
          ["encoded"], dynamic, feeds)


MODELS = {
    "bert_base": lambda e, n: bert(e, n, False),
    "bert_base_dynamo": lambda e, n: bert(e, n, True),
    "transformer_encoder": lambda e, n: transformer_encoder(e, n, False),
    "transformer_encoder_dynamo": lambda e, n: transformer_encoder(e, n, True),
    "gpt2": lambda e, n: gpt2(e, n, 12, False, False),
    "gpt2_dynamo": lambda e, n: gpt2(e, n, 12, False, True),
    "gpt2_cache": lambda e, n: gpt2(e, n, 12, True, False),
    "gpt2_cache_dynamo": lambda e, n: gpt2(e, n, 12, True, True),
    "distilgpt2_cache": lambda e, n: gpt2(e, n, 6, True, False),
}


def main():
    export = Export(__doc__)
    for name, make in MODELS.items():
        if export.wants(name):
            seed(name)
            make(export, name)


if __name__ == "__main__":
    main()
