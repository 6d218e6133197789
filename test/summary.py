# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Ends tools/check: counts lit's results and fails unless every test passed."""

import collections
import json
import sys

PASSED = {"PASS", "FLAKYPASS"}
# What is known to fail is no success: it counts with what could not run here.
SKIPPED = {"UNSUPPORTED", "SKIPPED", "XFAIL"}


def main():
    count = collections.Counter()
    for path in sys.argv[1:]:
        with open(path) as file:
            for test in json.load(file)["tests"]:
                code = test["code"]
                if code == "EXCLUDED":  # by a filter: nobody asked for it
                    continue
                kind = ("passed" if code in PASSED
                        else "skipped" if code in SKIPPED else "failed")
                count[kind] += 1
                if kind == "failed":
                    print(f"{code}: {test['name']}")
    line = f"{count['passed']} passed, {count['failed']} failed"
    if count["skipped"]:
        line += f", {count['skipped']} skipped"
    print(line)
    return 0 if count["passed"] and not count["failed"] else 1


if __name__ == "__main__":
    sys.exit(main())
