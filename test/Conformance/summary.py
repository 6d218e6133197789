# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes what a sweep says of each operator as docs/Conformance.md.

  summary.py RESULTS.json [--output=FILE | --check=FILE]

RESULTS.json is what `sweep.py --json` wrote; `sweep.py --shrink` writes the page
by itself. An operator's cases are those whose model is one node of it."""

import argparse
import collections
import json
import os
import sys
import textwrap

import onnx
import onnx.defs

HERE = os.path.dirname(os.path.realpath(__file__))
sys.path.insert(0, HERE)
import sweep

DOMAINS = {"": "ai.onnx", "ai.onnx.ml": "ai.onnx.ml",
           "ai.onnx.preview": "ai.onnx.preview",
           "ai.onnx.preview.training": "ai.onnx.preview.training"}
STATES = {
    "all": "All of their cases pass",
    "some": "Some of their cases pass",
    "none": "None of their cases passes",
    "untested": "Without a case in ONNX's tests",
}


def newest_operators():
    """All operators that ONNX has and did not withdraw."""
    newest = {}
    for schema in onnx.defs.get_all_schemas_with_history():
        key = schema.domain, schema.name
        if key not in newest or newest[key].since_version < schema.since_version:
            newest[key] = schema
    return {key for key, schema in newest.items() if not schema.deprecated}


def count_cases(results):
    """Per operator how many cases pass, and how many there are."""
    kinds = {result["name"]: result["kind"] for result in results}
    passed, total = collections.Counter(), collections.Counter()
    for case in sweep.collect():
        nodes = case.model.graph.node
        if len(nodes) == 1:
            key = nodes[0].domain if nodes[0].domain != "ai.onnx" else "", nodes[0].op_type
            total[key] += 1
            passed[key] += kinds[case.name] == "pass"
    return passed, total


def state_of(passed, total):
    if not total:
        return "untested"
    return "all" if passed == total else "some" if passed else "none"


def write_table(results):
    passed, total = count_cases(results)
    plain = [r for r in results if not r["name"].endswith("[constants]")]
    kinds = collections.Counter(r["kind"] for r in plain)
    groups = collections.defaultdict(list)
    for key in sorted(newest_operators()):
        if key[0] in DOMAINS:
            groups[key[0], state_of(passed[key], total[key])].append(key)
    lines = [
        "# Conformance",
        "",
        "ONNX's own tests, run by `test/Conformance/sweep.py` through `lathe.backend`; written by",
        "`test/Conformance/summary.py`. An operator's cases are those whose model is one node of it;",
        "those of whole models and of function bodies count in the sum alone.",
        "",
        f"Of {len(plain)} cases of onnx {onnx.__version__}, {kinds['pass']} pass, "
        f"{kinds['refused']} are refused with a message, and",
        f"{kinds['wrong'] + kinds['crash']} give wrong results. {kinds['inexact']} are inexact: ours differ from "
        "the expected numbers by their",
        "rounding, and are nearer to what ONNX's reference gives in double precision. `refused.txt`, "
        "`wrong.txt` and",
        "`inexact.txt` there name them all.",
    ]
    for domain, title in DOMAINS.items():
        count = sum(len(keys) for (d, _), keys in groups.items() if d == domain)
        if not count:
            continue
        lines += ["", f"## {title}: {count} operators"]
        for state, text in STATES.items():
            keys = groups[domain, state]
            if not keys:
                continue
            names = ", ".join(
                f"{name} {passed[d, name]}/{total[d, name]}" if state == "some" else name
                for d, name in keys)
            lines += ["", f"**{text}: {len(keys)}.** {names}"]
    return "\n".join(line for text in lines for line in wrap(text)) + "\n"


def wrap(text):
    return textwrap.wrap(text, 120, break_on_hyphens=False) or [""]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("results")
    parser.add_argument("--output", help="default: standard output")
    parser.add_argument("--check", help="fail where this file says something else")
    options = parser.parse_args()
    with open(options.results, encoding="utf-8") as file:
        text = write_table(json.load(file))
    if options.check:
        with open(options.check, encoding="utf-8") as file:
            same = file.read() == text
        if not same:
            print(f"expected {options.check} to say what the results say: write it again with "
                  f"{os.path.basename(__file__)} {options.results} --output={options.check}")
        return 0 if same else 1
    with open(options.output, "w", encoding="utf-8") if options.output else sys.stdout as file:
        file.write(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
