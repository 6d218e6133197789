# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Image models of PyTorch and torchvision, through both of torch's exporters.

Needs torch, torchvision, onnxscript, onnx, onnxruntime."""

import torch
import torchvision.models as zoo
from common import Export
from torch import nn
from torch_common import calibrate, jitter_vectors, seed, spread_weights, write


def mnist_mlp(export):
    width = export.pick(512, 32)
    return nn.Sequential(
        nn.Flatten(), nn.Linear(784, width), nn.ReLU(),
        nn.Linear(width, width // 2), nn.ReLU(), nn.Linear(width // 2, 10),
    ), (1, 1, 28, 28)


def cifar_cnn(export):
    c = export.pick(32, 8)
    return nn.Sequential(
        nn.Conv2d(3, c, 3, padding=1), nn.BatchNorm2d(c), nn.ReLU(),
        nn.Conv2d(c, c, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Conv2d(c, 2 * c, 3, padding=1), nn.BatchNorm2d(2 * c), nn.ReLU(),
        nn.Conv2d(2 * c, 2 * c, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(2 * c * 36, 8 * c), nn.ReLU(),
        nn.Dropout(0.5), nn.Linear(8 * c, 10), nn.Softmax(1),
    ), (1, 3, 32, 32)


def shrink_classic(model, channels, hidden, pooled):
    """Divide the channels of a plain convolution stack, shorten its head."""
    last = 3
    model.avgpool = nn.AdaptiveAvgPool2d(pooled)
    for index, layer in enumerate(model.features):
        if isinstance(layer, nn.Conv2d):
            out = max(4, layer.out_channels // channels)
            model.features[index] = nn.Conv2d(
                last, out, layer.kernel_size, layer.stride, layer.padding)
            last = out
    inputs = last * pooled * pooled
    for index, layer in enumerate(model.classifier):
        if isinstance(layer, nn.Linear):
            out = 10 if layer.out_features == 1000 else hidden
            model.classifier[index] = nn.Linear(inputs, out)
            inputs = out
    return model


def alexnet(export):
    model = zoo.alexnet()
    if not export.narrow:
        return model, (1, 3, 224, 224)
    return shrink_classic(model, 16, 32, 3), (1, 3, 127, 127)


def vgg16(export):
    model = zoo.vgg16()
    if not export.narrow:
        return model, (1, 3, 224, 224)
    return shrink_classic(model, 16, 32, 2), (1, 3, 64, 64)


def slim_resnet(block, layers, width):
    """A torchvision ResNet whose every stage has width/64 of the channels."""
    model = zoo.ResNet(block, layers, num_classes=10)
    model.conv1 = nn.Conv2d(3, width, 7, 2, 3, bias=False)
    model.bn1 = nn.BatchNorm2d(width)
    model.inplanes = width
    for stage in range(4):
        layer = model._make_layer(
            block, width << stage, layers[stage], stride=2 if stage else 1)
        setattr(model, f"layer{stage + 1}", layer)
    model.fc = nn.Linear((width << 3) * block.expansion, 10)
    return model


def resnet18(export):
    if not export.narrow:
        return zoo.resnet18(), (1, 3, 224, 224)
    return slim_resnet(zoo.resnet.BasicBlock, [2, 2, 2, 2], 8), (1, 3, 64, 64)


def resnet50(export):
    if not export.narrow:
        return zoo.resnet50(), (1, 3, 224, 224)
    return slim_resnet(zoo.resnet.Bottleneck, [2, 2, 2, 2], 8), (1, 3, 64, 64)


def mobilenet_v2(export):
    if not export.narrow:
        return zoo.mobilenet_v2(), (1, 3, 224, 224)
    return zoo.mobilenet_v2(width_mult=0.1, num_classes=10), (1, 3, 64, 64)


def squeezenet(export):
    model = zoo.squeezenet1_1()
    if not export.narrow:
        return model, (1, 3, 224, 224)
    slim = nn.Sequential(
        nn.Conv2d(3, 16, 3, 2), nn.ReLU(), nn.MaxPool2d(3, 2, ceil_mode=True),
        zoo.squeezenet.Fire(16, 4, 8, 8), zoo.squeezenet.Fire(16, 4, 8, 8),
        nn.MaxPool2d(3, 2, ceil_mode=True),
        zoo.squeezenet.Fire(16, 8, 16, 16), zoo.squeezenet.Fire(32, 8, 16, 16),
    )
    model.features = slim
    model.classifier[1] = nn.Conv2d(32, 10, 1)
    return model, (1, 3, 63, 63)


def vit_b_16(export):
    if not export.narrow:
        return zoo.vit_b_16(), (1, 3, 224, 224)
    return zoo.VisionTransformer(
        image_size=32, patch_size=8, num_layers=2, num_heads=4, hidden_dim=32,
        mlp_dim=64, num_classes=10), (1, 3, 32, 32)


MODELS = [mnist_mlp, resnet50, cifar_cnn, alexnet, vgg16, resnet18,
          mobilenet_v2, squeezenet, vit_b_16]


def tame_residuals(model):
    """Let blocks add little to what they skip, as in trained nets: otherwise
    rounding errors grow from block to block."""
    for block in model.modules():
        if isinstance(block, zoo.resnet.Bottleneck):
            nn.init.normal_(block.bn3.weight, 0.3, 0.05)
        elif isinstance(block, zoo.resnet.BasicBlock):
            nn.init.normal_(block.bn2.weight, 0.3, 0.05)


def main():
    export = Export(__doc__)
    for make in MODELS:
        names = [make.__name__ + s for s in ("", "_dynamo")]
        if not any(export.wants(n) for n in names):
            continue
        for name, dynamo in zip(names, (False, True)):
            if not export.wants(name):
                continue
            seed(make.__name__)
            model, shape = make(export)
            # torchvision gives the ViT's head zeros and its blocks good scales.
            spread_weights(model.heads if make is vit_b_16 else model)
            jitter_vectors(model)
            tame_residuals(model)
            calibrate(model, torch.randn(4, *shape[1:]))
            image = torch.randn(shape)
            write(export, name, model, [image], dynamo, ["input"], ["output"])


if __name__ == "__main__":
    main()
