# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Times a model compiled by lathe against its peers, fused and unfused.

    compare.py LATHE MODEL.onnx [--reference R.npz] [--dim NAME:SIZE]... [--variants V,V@THREADS,...]

Variants are fused, unfused, static (fused, compiled for the sizes of the inputs)
and the peers of peers.py; fused@1 runs with one thread beside others with more.
All variants live in one process and take turns, run by run, so that whatever
else the machine does falls on all alike. Before that their outputs are compared.
Prints medians, the paired ratio to the first variant (the median over rounds of
its time divided by the other's), and how near the processor's measured FMA peak
each comes. Run by hand: timings are no tests."""

import argparse
import ctypes
import json
import os
import re
import statistics
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import compiled_peers
import numpy as np
import onnxruntime
from native import Model
from peers import PEERS

HERE = os.path.dirname(os.path.abspath(__file__))
VARIANTS = {"fused": ["--fusion=all"], "unfused": ["--fusion=none"],
            "static": ["--fusion=all"]}
TYPES = {"float": np.float32, "double": np.float64, "int64": np.int64,
         "int32": np.int32, "float16": np.float16, "bool": np.bool_,
         "uint8": np.uint8, "int8": np.int8}


class Limits:
    """What the processor reaches, measured: `flops` and `bytes` a second, of so
    many threads at once. `sample` measures the first again, for interleaved
    comparisons."""

    def __init__(self, folder):
        library = os.path.join(folder, "peak.so")
        subprocess.run(["clang-22", "-O3", "-march=native", "-ffp-contract=fast",
                        "-shared", "-fPIC", os.path.join(HERE, "peak.c"), "-o", library],
                       check=True)
        library = ctypes.CDLL(library)
        self._peak, self._triad = library.lathe_peak, library.lathe_triad
        self._peak.restype, self._peak.argtypes = ctypes.c_double, [ctypes.c_long, ctypes.c_void_p]
        self._triad.restype = ctypes.c_double
        self._triad.argtypes = [ctypes.c_void_p] * 3 + [ctypes.c_long, ctypes.c_float]
        self._flops, self._bytes = {}, {}

    @staticmethod
    def _rate(task, threads):
        """What `task(i)` returns, summed over the threads, a second."""
        if threads == 1:
            start = time.perf_counter()
            return task(0) / (time.perf_counter() - start)
        with ThreadPoolExecutor(threads) as pool:
            # Threads start with the first tasks.
            list(pool.map(lambda _: time.sleep(1e-3), range(threads)))
            start = time.perf_counter()
            return sum(pool.map(task, range(threads))) / (time.perf_counter() - start)

    def sample(self, threads=1):
        def task(_):
            sink = ctypes.c_float(1)
            return self._peak(2_000_000, ctypes.byref(sink))
        return self._rate(task, threads)

    def flops(self, threads):
        if threads not in self._flops:
            self._flops[threads] = max(self.sample(threads) for _ in range(20))
        return self._flops[threads]

    def bytes(self, threads):
        if threads not in self._bytes:
            arrays = [np.ones((threads, (1 << 24) // threads), np.float32) for _ in range(3)]
            task = lambda i: self._triad(*(x[i].ctypes.data for x in arrays), arrays[0][i].size, 2.0)
            self._bytes[threads] = max(self._rate(task, threads) for _ in range(5))
        return self._bytes[threads]


def compile_model(command):
    """Runs the compiler; its seconds and its peak memory in bytes."""
    # The kernel counts from the size of the process that forks: this one is
    # large, a shell is not.
    start = time.perf_counter()
    done = subprocess.run(["sh", "-c", '"$@"; exit $?', "sh", *command, "--timing"],
                          capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(done.stderr.strip())
    peak = re.search(r"(\d+) MiB peak memory", done.stdout + done.stderr)
    return {"compile_s": seconds, "compile_bytes": int(peak[1]) << 20}


def random_feeds(session, sizes):
    draw, feeds = np.random.default_rng(0), {}
    for value in session.get_inputs():
        shape = [d if isinstance(d, int) and d >= 0 else sizes.get(d, 1)
                 for d in value.shape]
        dtype = TYPES[value.type[len("tensor("):-1]]
        feeds[value.name] = (draw.standard_normal(shape).astype(dtype)
                             if np.dtype(dtype).kind == "f"
                             else draw.integers(0, 2, shape).astype(dtype))
    return feeds


def split_variant(text, threads):
    """The variant of "fused@1", and its number of threads."""
    variant, _, own = text.partition("@")
    return variant, int(own) if own else threads


def make_runners(args, threads, folder, feeds, costs):
    """name -> (function that runs once and gives outputs by name, Model or None).
    What compiling took goes to `costs`."""
    runners = {}
    for name in args.variants.split(","):
        variant, own_threads = split_variant(name, threads)
        if variant in PEERS:
            try:
                run = PEERS[variant](args.model, own_threads, feeds)
                run()
            except Exception as error:  # What a peer refuses is its own affair.
                print(f"{name} cannot run it: {(str(error).strip() or repr(error)).splitlines()[-1]}", flush=True)
                continue
            runners[name] = (run, None)
            continue
        library = os.path.join(folder, variant + ".so")
        if variant not in costs:
            sizes = [f"--dim={d}" for d in args.dim] if args.static else []
            if variant == "static":
                sizes = [f"--shape={name}:{'x'.join(map(str, feed.shape))}"
                         for name, feed in feeds.items() if feed.ndim]
            costs[variant] = compile_model([args.lathe, "compile", args.model, "-o", library,
                                            *VARIANTS[variant], *sizes, *args.option])
            costs[variant]["artifact_bytes"] = os.path.getsize(library)
        model = Model(library, own_threads)
        model.bind(feeds)
        runners[name] = (model.run, model)
    return runners


def prove_equal(runners, args):
    """Raises where variants differ. A peer that differs is left out, if another
    one is of our opinion."""
    results = {name: {k: np.array(v) for k, v in run().items()}
               for name, (run, _) in runners.items()}
    first, *others = results
    wrong = {}
    for other in others:
        try:
            for key, value in results[first].items():
                np.testing.assert_allclose(
                    value, results[other][key], rtol=args.rtol, atol=args.atol,
                    err_msg=f"{key}: {first} against {other}")
        except AssertionError as error:
            wrong[other] = error
    is_peer = {name: split_variant(name, 1)[0] in PEERS for name in others}
    agrees = any(is_peer[name] and name not in wrong for name in others)
    for name, error in wrong.items():
        if not is_peer[name] or not agrees:
            raise error
        print(f"{name} gives other results: {str(error).strip().splitlines()[-1]}")
        del runners[name]


def measure(runners, seconds, warmup):
    """name -> times; each round runs every variant once, in an order drawn anew:
    who comes after whom decides what is left in the caches. One whose run alone
    takes longer than `seconds` is left out after three rounds."""
    draw = np.random.default_rng(0)
    names = list(runners)
    times = {name: [] for name in names}
    start = rested = time.perf_counter()
    rounds = 0
    while time.perf_counter() - start < seconds + warmup or rounds < 5:
        keep = time.perf_counter() - start >= warmup
        for name in draw.permutation(names):
            if len(times[name]) == 3 and min(times[name]) > seconds:
                continue
            begin = time.perf_counter()
            runners[name][0]()
            if keep:
                times[name].append(time.perf_counter() - begin)
            # Linux stops real-time threads in the middle of what they do once
            # they took 95 % of a second: rather pause between runs.
            busy = time.perf_counter() - rested
            if busy > 0.2:
                time.sleep(0.08 * busy)
                rested = time.perf_counter()
        rounds += 1
    return times


def report(times, runners, threads, limits, costs):
    first = next(iter(times))
    rows = []
    launches = next((model.launches() for _, model in runners.values() if model), [])
    flops = sum(launch["flops"] for launch in launches)
    for name, values in times.items():
        median = statistics.median(values)
        ratio = statistics.median(b / a for a, b in zip(values, times[first]))
        variant, own_threads = split_variant(name, threads)
        peak, bandwidth = limits.flops(own_threads), limits.bytes(own_threads)
        model = runners[name][1]
        moved = sum(launch["bytes"] for launch in model.launches()) if model else None
        rows.append({
            "variant": name, "threads": own_threads, "rounds": len(values),
            "median_ms": 1e3 * median,
            "p90_ms": 1e3 * statistics.quantiles(values, n=10)[-1],
            "min_ms": 1e3 * min(values), "first_over_this": ratio,
            "fma_peak": peak, "bandwidth": bandwidth, "of_peak": flops / median / peak,
            "of_bandwidth": moved / median / bandwidth if model else None,
            **costs.get(variant, {}), **(model.memory() if model else {}),
        })
        row = rows[-1]
        print(f"{name:10s} {own_threads} thread(s)  median {row['median_ms']:9.3f} ms  "
              f"p90 {row['p90_ms']:9.3f}  min {row['min_ms']:9.3f}  "
              f"{first}/this {ratio:5.2f}  {row['of_peak']:6.1%} of peak  "
              f"({len(values)} rounds)")
    return rows


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("lathe")
    parser.add_argument("model")
    parser.add_argument("--reference", help="npz that holds the inputs by name")
    parser.add_argument("--dim", action="append", default=[], metavar="NAME:SIZE")
    parser.add_argument("--static", action="store_true",
                        help="give the --dim to the compiler too")
    parser.add_argument("--option", action="append", default=[],
                        help="one more option for lathe compile")
    parser.add_argument("--variants", default="fused,unfused,ort,ort-off")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--warmup", type=float, default=1)
    parser.add_argument("--rtol", type=float, default=1e-3)
    parser.add_argument("--atol", type=float, default=1e-4)
    parser.add_argument("--peer-seconds", type=int, default=compiled_peers.SECONDS,
                        help="in which a peer that compiles must do that and run once")
    parser.add_argument("--json", help="file for the numbers")
    args = parser.parse_args()
    compiled_peers.SECONDS = args.peer_seconds
    for name in args.variants.split(","):
        if split_variant(name, 1)[0] not in {*VARIANTS, *PEERS}:
            parser.error(f"--variants: expects {', '.join([*VARIANTS, *PEERS])}, got {name}")
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        limits, costs = Limits(folder), {}
        print(f"{args.model}: FMA peak {limits.flops(1) / 1e9:.1f} GFLOP/s of a thread, "
              f"triad {limits.bytes(1) / 1e9:.1f} GB/s")
        plain = onnxruntime.InferenceSession(args.model, providers=["CPUExecutionProvider"])
        if args.reference:
            stored = np.load(args.reference)
            feeds = {i.name: stored[i.name] for i in plain.get_inputs()}
        else:
            given = {n: int(s) for n, s in (d.rsplit(":", 1) for d in args.dim)}
            feeds = random_feeds(plain, given)
        sizes = {symbol if isinstance(symbol, str) and symbol != "?" else f"{i.name}[{axis}]":
                 feeds[i.name].shape[axis] for i in plain.get_inputs()
                 for axis, symbol in enumerate(i.shape) if not isinstance(symbol, int) or symbol < 0}
        del plain
        for threads in map(int, args.threads.split(",")):
            runners = make_runners(args, threads, folder, feeds, costs)
            prove_equal(runners, args)
            times = measure(runners, args.seconds, args.warmup)
            rows += report(times, runners, threads, limits, costs)
            for _, model in runners.values():
                if model:
                    model.close()
    if args.json:
        with open(args.json, "w") as file:
            json.dump({"model": args.model, "sizes": sizes, "rows": rows}, file, indent=1)


if __name__ == "__main__":
    main()
