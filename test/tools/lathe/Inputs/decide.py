# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Decides otherwise about the kernels of some node: decide.py FROM.json TO.json NODE DECISIONS"""

import json
import sys

source, target, node, decisions = sys.argv[1:]
with open(source) as file:
    content = json.load(file)
found = [kernel for kernel in content["kernels"].values() if node in kernel["nodes"]]
if not found:
    sys.exit(f"expected a kernel of {node}")
# One is enough.
found[0]["decisions"] = decisions
with open(target, "w") as file:
    json.dump(content, file)
