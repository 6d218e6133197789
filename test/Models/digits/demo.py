# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""The demo's two small steps around `lathe run`.

    demo.py prepare DIR    writes the held-out images to DIR/image.npy
    demo.py show DIR       reads DIR/probability.npy, shows some digits, and
                           fails unless 97 % are right, all as ONNX Runtime has it
"""

import os
import sys

import numpy as np

HELDOUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "heldout.npz")
SHADES = " .:-=+*#%@"
SHOWN = 6


def draw(images, captions):
    """Images side by side, two characters a pixel, each above its caption."""
    for y in range(images.shape[1]):
        print("   ".join(
            "".join(SHADES[int(round(v * (len(SHADES) - 1)))] * 2 for v in image[y])
            for image in images))
    print("   ".join(c.center(2 * images.shape[2]) for c in captions))


def show(heldout, probability):
    labels, images = heldout["label"], heldout["image"][:, 0]
    predicted = probability.argmax(1)
    right = predicted == labels
    wrong = np.flatnonzero(~right)
    one_each = [np.flatnonzero(right & (labels == d))[:1] for d in range(10)]
    picks = np.concatenate([*one_each, wrong])[:2 * SHOWN]
    for start in range(0, len(picks), SHOWN):
        pick = picks[start:start + SHOWN]
        print()
        draw(images[pick], [f"is {labels[i]}, read {predicted[i]}" for i in pick])
    right = int(right.sum())
    same = int((predicted == heldout["onnxruntime"]).sum())
    total = len(labels)
    print(f"\n{right} of {total} held-out digits read right ({right / total:.2%}); "
          f"{same} of {total} labels as ONNX Runtime gives them")
    return right >= 0.97 * total and same == total


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("prepare", "show"):
        sys.exit(__doc__)
    heldout = np.load(HELDOUT)
    if sys.argv[1] == "prepare":
        np.save(os.path.join(sys.argv[2], "image.npy"), heldout["image"])
        return 0
    probability = np.load(os.path.join(sys.argv[2], "probability.npy"))
    return 0 if show(heldout, probability) else 1


if __name__ == "__main__":
    sys.exit(main())
