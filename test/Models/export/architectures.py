# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Many more architectures, of torchvision and transformers and written here, by
hand: none has a place in the repository. They tell what the models of test/Models
do not: grouped convolutions, normalizations of groups and instances, reflected
padding, resampling, dense connections, attention in windows.

Needs torch, torchvision, transformers, onnxscript, onnx, onnxruntime."""

import torch
import torch.nn.functional as F
import torchvision.models as zoo
import transformers
from common import Export
from torch import nn
from torch_common import calibrate, jitter_vectors, seed, spread_weights, write

CLASSIFIERS = [
    "mobilenet_v3_small", "mobilenet_v3_large", "efficientnet_b0", "efficientnet_v2_s", "densenet121",
    "shufflenet_v2_x1_0", "regnet_y_400mf", "resnext50_32x4d", "mnasnet1_0", "convnext_tiny", "swin_t"]


class Pick(nn.Module):
    """The first result of a module, or one by its name; inputs by position."""

    def __init__(self, module, names=(), result=0):
        super().__init__()
        self.module, self.names, self.result = module, names, result

    def forward(self, *inputs):
        if self.names:
            return self.module(**dict(zip(self.names, inputs)))[self.result]
        return self.module(*inputs)[self.result]


def double_conv(channels, out):
    layers = []
    for last in (channels, out):
        layers += [nn.Conv2d(last, out, 3, padding=1), nn.BatchNorm2d(out), nn.ReLU()]
    return nn.Sequential(*layers)


class UNet(nn.Module):
    def __init__(self, c=32):
        super().__init__()
        self.down = nn.ModuleList(double_conv(a, b) for a, b in ((3, c), (c, 2 * c), (2 * c, 4 * c), (4 * c, 8 * c)))
        self.up = nn.ModuleList(nn.ConvTranspose2d(2 * k, k, 2, 2) for k in (4 * c, 2 * c, c))
        self.merge = nn.ModuleList(double_conv(2 * k, k) for k in (4 * c, 2 * c, c))
        self.head = nn.Conv2d(c, 2, 1)

    def forward(self, x):
        skips = []
        for block in self.down[:-1]:
            skips.append(block(x))
            x = F.max_pool2d(skips[-1], 2)
        x = self.down[-1](x)
        for up, merge in zip(self.up, self.merge):
            x = merge(torch.cat([skips.pop(), up(x)], 1))
        return self.head(x)


class Residual(nn.Module):
    def __init__(self, *layers):
        super().__init__()
        self.inner = nn.Sequential(*layers)

    def forward(self, x):
        return x + self.inner(x)


def super_resolution(c=48):
    def block():
        return Residual(nn.Conv2d(c, c, 3, padding=1), nn.ReLU(), nn.Conv2d(c, c, 3, padding=1))
    return nn.Sequential(nn.Conv2d(3, c, 3, padding=1), *(block() for _ in range(6)),
                         nn.Conv2d(c, 4 * c, 3, padding=1), nn.PixelShuffle(2), nn.Conv2d(c, 3, 3, padding=1))


def style_transfer():
    def conv(channels, out, size, stride=1):
        return [nn.ReflectionPad2d(size // 2), nn.Conv2d(channels, out, size, stride),
                nn.InstanceNorm2d(out, affine=True), nn.ReLU()]
    residual = [Residual(*conv(128, 128, 3), *conv(128, 128, 3)[:-1]) for _ in range(3)]
    return nn.Sequential(
        *conv(3, 32, 9), *conv(32, 64, 3, 2), *conv(64, 128, 3, 2), *residual, nn.Upsample(scale_factor=2),
        *conv(128, 64, 3), nn.Upsample(scale_factor=2), *conv(64, 32, 3), nn.ReflectionPad2d(4), nn.Conv2d(32, 3, 9))


def diffusion_blocks():
    def block(c):
        half = lambda: [nn.GroupNorm(8, c), nn.SiLU(), nn.Conv2d(c, c, 3, padding=1)]
        return Residual(*half(), *half())
    return nn.Sequential(nn.Conv2d(4, 64, 3, padding=1), block(64), block(64), nn.Conv2d(64, 128, 3, 2, 1), block(128),
                         block(128), nn.Upsample(scale_factor=2), nn.Conv2d(128, 4, 3, padding=1))


def temporal_convolutions():
    layers = []
    for level in range(6):
        layers += [nn.ConstantPad1d((2 << level, 0), 0.0),
                   nn.Conv1d(16 if level == 0 else 64, 64, 3, dilation=1 << level), nn.BatchNorm1d(64), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool1d(1), nn.Flatten(), nn.Linear(64, 10))


def vocoder():
    return nn.Sequential(
        nn.Conv1d(80, 256, 7, padding=3), nn.LeakyReLU(0.1), nn.ConvTranspose1d(256, 128, 16, 8, 4), nn.LeakyReLU(0.1),
        nn.Conv1d(128, 128, 3, padding=1), nn.LeakyReLU(0.1), nn.ConvTranspose1d(128, 64, 16, 8, 4), nn.LeakyReLU(0.1),
        nn.Conv1d(64, 64, 7, padding=3), nn.LeakyReLU(0.1), nn.Conv1d(64, 1, 7, padding=3), nn.Tanh())


def video():
    return nn.Sequential(
        nn.Conv3d(3, 16, 3, padding=1), nn.BatchNorm3d(16), nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(16, 32, 3, padding=1),
        nn.ReLU(), nn.MaxPool3d(2), nn.Conv3d(32, 64, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool3d(1), nn.Flatten(),
        nn.Linear(64, 10))


PLAIN = {
    "unet": (UNet, (1, 3, 192, 192)),
    "super_resolution": (super_resolution, (1, 3, 96, 96)),
    "style_transfer": (style_transfer, (1, 3, 128, 128)),
    "diffusion_blocks": (diffusion_blocks, (1, 4, 64, 64)),
    "temporal_convolutions": (temporal_convolutions, (1, 16, 1000)),
    "vocoder": (vocoder, (1, 80, 64)),
    "video": (video, (1, 3, 16, 56, 56)),
    "inception_v3": (lambda: zoo.inception_v3(init_weights=False, aux_logits=True), (1, 3, 299, 299)),
    "googlenet": (lambda: zoo.googlenet(aux_logits=False, init_weights=False), (1, 3, 224, 224)),
}


def tokens(length):
    return torch.randint(1, 5000, (1, length))


EAGER = {"attn_implementation": "eager"}
# name -> config's class, its arguments, model's class, inputs by name
LANGUAGE = {
    "distilbert": ("DistilBertConfig", {"n_layers": 3, "vocab_size": 5000, **EAGER}, "DistilBertModel",
                   lambda: {"input_ids": tokens(128), "attention_mask": torch.ones(1, 128, dtype=torch.long)}),
    "albert": ("AlbertConfig", {"num_hidden_layers": 4, "hidden_size": 768, "num_attention_heads": 12,
                                "intermediate_size": 3072, "vocab_size": 5000, **EAGER}, "AlbertModel",
               lambda: {"input_ids": tokens(64)}),
    "t5_encoder": ("T5Config", {"num_layers": 4, "vocab_size": 5000}, "T5EncoderModel",
                   lambda: {"input_ids": tokens(64)}),
    "deberta": ("DebertaV2Config", {"hidden_size": 384, "num_hidden_layers": 3, "num_attention_heads": 6,
                                    "intermediate_size": 1536, "vocab_size": 5000}, "DebertaV2Model",
                lambda: {"input_ids": tokens(64), "attention_mask": torch.ones(1, 64, dtype=torch.long)}),
    "wav2vec2": ("Wav2Vec2Config", {"hidden_size": 384, "num_hidden_layers": 3, "num_attention_heads": 6,
                                    "intermediate_size": 1536, **EAGER}, "Wav2Vec2Model",
                 lambda: {"input_values": torch.randn(1, 16000)}),
    "clip_vision": ("CLIPVisionConfig", {"num_hidden_layers": 4, **EAGER}, "CLIPVisionModel",
                    lambda: {"pixel_values": torch.randn(1, 3, 224, 224)}),
    "segformer": ("SegformerConfig", EAGER, "SegformerForSemanticSegmentation",
                  lambda: {"pixel_values": torch.randn(1, 3, 224, 224)}),
    "mobilevit": ("MobileViTConfig", EAGER, "MobileViTModel",
                  lambda: {"pixel_values": torch.randn(1, 3, 256, 256)}),
}


def save(export, name, model, inputs):
    names = [f"input_{i}" for i in range(len(inputs))]
    write(export, name, model, inputs, False, names, ["output"])


def main():
    export = Export(__doc__)
    images = {name: (lambda name=name: getattr(zoo, name)(), (1, 3, 224, 224)) for name in CLASSIFIERS}
    for name, (make, shape) in (images | PLAIN).items():
        if not export.wants(name):
            continue
        seed(name)
        model = jitter_vectors(spread_weights(make()))
        if name == "inception_v3":
            model.aux_logits, model.AuxLogits = False, None
        calibrate(model, torch.randn(4, *shape[1:]))
        save(export, name, model, [torch.randn(shape)])
    for name, (config, arguments, model, inputs) in LANGUAGE.items():
        if not export.wants(name):
            continue
        seed(name)
        model = getattr(transformers, model)(getattr(transformers, config)(**arguments))
        given = inputs()
        save(export, name, Pick(jitter_vectors(model), list(given)), list(given.values()))


if __name__ == "__main__":
    main()
