#!/usr/bin/env python3
# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks a memory plan from what `lathe inspect --json` lists, and nothing else.

    arena_check.py [--limit 1.10] REPORT.json ...

Replays the steps of a program in the order in which they ship, loops twice, and
follows every value from the step that writes it to the last one that reads it.
Fails where two values that live at once overlap, where a step reads what has
been overwritten or was never written, where a value lies outside of the arena,
and where the arena is larger than LIMIT times the most that is live at once. A
value that takes over the place of one that ends at the same step counts once.
Values that control flow passes on (`shared`) are followed by buffer. A value that
is made in parts is written by several steps, each part by one; what is read of it
must have been written.
"""

import argparse
import json
import sys

LINE = 64


def rounded(size):
    return (size + LINE - 1) // LINE * LINE


class Failure(Exception):
    pass


def unroll(steps, depth=0):
    """The steps with every loop's body twice."""
    result, i = [], 0
    while i < len(steps):
        loops = steps[i].get("loops", [])
        if len(loops) <= depth:
            result.append(steps[i])
            i += 1
            continue
        end = i
        while end < len(steps) and steps[end].get("loops", [])[depth:depth + 1] == [loops[depth]]:
            end += 1
        result += unroll(steps[i:end], depth + 1) * 2
        i = end
    return result


def accesses(step, role):
    """(key, begin, end, choice, parts) of every access to the arena; `choice` marks
    one of several places that a loop swaps."""
    for access in step.get(role, []):
        places = [p for p in access["places"] if p["storage"] == "arena"]
        for place in places:
            if "offset" not in place or not isinstance(access["bytes"], int):
                raise Failure("expected a plan with static offsets")
            key = (("buffer", place["buffer"]) if access["shared"]
                   else ("value", access["value"]))
            begin = place["offset"]
            yield key, begin, begin + access["bytes"], len(access["places"]) > 1, access.get("parts", [])


class Value:
    def __init__(self, key, begin, end, first):
        self.key, self.begin, self.end = key, begin, end
        self.first = self.last = first
        self.parts = set()

    def meets(self, other):
        return self.begin < other.end and other.begin < self.end


def follow(steps):
    """Every value's place and life; a shared buffer is one value."""
    values = []
    current = {}
    for time, step in enumerate(steps):
        for key, begin, end, choice, parts in accesses(step, "reads"):
            value = current.get(key)
            if value is None and choice:
                continue  # The other buffer of a loop: not written yet.
            if value is None:
                raise Failure(f"step {time} ({step.get('kernel')}) reads {key}, which nothing wrote")
            if not choice and (value.begin > begin or value.end < end) and key[0] == "value":
                raise Failure(f"step {time} ({step.get('kernel')}) reads {key} at another place")
            missing = set(parts) - value.parts
            if missing and not choice:
                raise Failure(f"step {time} ({step.get('kernel')}) reads {key}, of which nothing wrote "
                              f"parts {sorted(missing)}")
            value.last = time
        for key, begin, end, choice, parts in accesses(step, "writes"):
            value = current.get(key)
            # A part that is there already begins the value anew.
            if value is not None and parts and not value.parts.intersection(parts):
                value.last = time
                value.parts.update(parts)
                continue
            if value is not None and key[0] == "buffer":
                value.last = time
                value.parts.update(parts)
                value.begin, value.end = min(value.begin, begin), max(value.end, end)
                continue
            current[key] = Value(key, begin, end, time)
            current[key].parts.update(parts)
            values.append(current[key])
    return values


def check(report, limit):
    arena = report.get("arena", {})
    if "bytes" not in arena:
        return None
    steps = unroll(report["steps"])
    values = follow(steps)
    for value in values:
        if value.begin % LINE or value.begin < 0 or rounded(value.end) > arena["bytes"]:
            raise Failure(f"{value.key} lies at {value.begin}..{value.end} of {arena['bytes']}")
    # In the order of their starts, against all that still live.
    live, bound, whole_bound, scratch_most = [], 0, 0, 0
    starts = {}
    for value in values:
        starts.setdefault(value.first, []).append(value)
    for time, step in enumerate(steps):
        live = [v for v in live if v.last >= time]
        count = sum(rounded(v.end - v.begin) for v in live)
        for value in starts.get(time, []):
            size = rounded(value.end - value.begin)
            for other in live:
                if not value.meets(other):
                    continue
                takes_over = (other.first < time and other.last == time and other.begin == value.begin
                              and other.end == value.end)
                if not takes_over:
                    raise Failure(f"step {time} ({step.get('kernel')}) writes {value.key} over {other.key}, "
                                  f"which is read until step {other.last}")
                size = 0
            live.append(value)
            count += size
        scratch = step.get("scratch", 0)
        if not isinstance(scratch, int):
            raise Failure("expected scratch of a static size")
        bound = max(bound, count)
        whole_bound = max(whole_bound, count + rounded(scratch))
        scratch_most = max(scratch_most, rounded(scratch))
    ratio = arena["bytes"] / bound if bound else 1.0
    if ratio > limit:
        raise Failure(f"expected an arena of at most {limit} x {bound} bytes, got {arena['bytes']}")
    if "bound" in arena and arena["bound"] > arena["bytes"]:
        raise Failure(f"expected a bound below {arena['bytes']}, got {arena['bound']}")
    return ratio, arena["bytes"], bound, scratch_most, whole_bound, len(values)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--limit", type=float, default=1.10)
    parser.add_argument("reports", nargs="+")
    args = parser.parse_args()
    status = 0
    for path in args.reports:
        with open(path) as file:
            report = json.load(file)
        try:
            result = check(report, args.limit)
        except Failure as failure:
            print(f"{path}: {failure}")
            status = 1
            continue
        if result is None:
            print(f"{path}: not static")
            continue
        ratio, size, bound, scratch, whole, count = result
        print(f"{path}: arena {size} of {bound}, {ratio:.3f}; with scratch {size + scratch} of {whole}, "
              f"{(size + scratch) / max(whole, 1):.3f}; {count} values")
    return status


if __name__ == "__main__":
    sys.exit(main())
