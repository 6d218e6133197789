# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Tells compiled models from other files before they are loaded, since loading
a library runs code of it."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .errors import InvalidArgument

if TYPE_CHECKING:
    import mmap

MAGIC = b"\x7fELF"
_SUFFIX = b"_lathe_model"
_DYNSYM = 11


def find_entry(path: str) -> str:
    """The name of the function that a compiled model exports."""
    import mmap

    with open(path, "rb") as file:
        try:
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:  # an empty file
            raise InvalidArgument(f"{path}: expected a compiled model") from None
    with data:
        try:
            found = _find(data)
        except (struct.error, IndexError, OverflowError, ValueError):
            found = None
    if not found:
        raise InvalidArgument(
            f"{path}: expected a compiled model, which exports NAME{_SUFFIX.decode()}")
    return found


def _find(data: mmap.mmap) -> str | None:
    # The header says 64 bits, little endian.
    if data[:6] != MAGIC + b"\x02\x01":
        return None
    (table,) = struct.unpack_from("<Q", data, 0x28)
    size, count = struct.unpack_from("<HH", data, 0x3A)

    def section(index: int) -> tuple[int, int, int, int]:
        kind, _, _, offset, length, link = struct.unpack_from(
            "<IQQQQI", data, table + index * size + 4)
        return kind, offset, length, link

    for index in range(count):
        kind, offset, length, link = section(index)
        if kind != _DYNSYM or link >= count:
            continue
        _, names, _, _ = section(link)
        for at in range(offset, min(offset + length, len(data)), 24):
            (name,) = struct.unpack_from("<I", data, at)
            end = data.find(b"\0", names + name, names + name + 4096)
            text = data[names + name:end] if end >= 0 else b""
            if text.endswith(_SUFFIX):
                return text.decode("ascii", "replace")
    return None
