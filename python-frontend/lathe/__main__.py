# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""python -m lathe: the driver."""

import os
import sys

from . import _library


def main() -> None:
    os.execv(_library.driver(), ["lathe", *sys.argv[1:]])


if __name__ == "__main__":
    main()
