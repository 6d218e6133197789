# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Element types: their names in DLPack, NumPy, ml_dtypes and ONNX.

NumPy knows the types that ml_dtypes adds only where that package is installed.
Without it, their bits are taken and given as unsigned integers of their width;
those below one byte are packed then."""

from __future__ import annotations

import functools
import importlib

import numpy as np

# DLPack's code and bits: NumPy's name, ONNX's name.
_PLAIN = {
    (0, 8): ("int8", "int8"),
    (0, 16): ("int16", "int16"),
    (0, 32): ("int32", "int32"),
    (0, 64): ("int64", "int64"),
    (1, 8): ("uint8", "uint8"),
    (1, 16): ("uint16", "uint16"),
    (1, 32): ("uint32", "uint32"),
    (1, 64): ("uint64", "uint64"),
    (2, 16): ("float16", "float16"),
    (2, 32): ("float32", "float"),
    (2, 64): ("float64", "double"),
    (5, 64): ("complex64", "complex64"),
    (5, 128): ("complex128", "complex128"),
    (6, 8): ("bool", "bool"),
}
# The same with the names of ml_dtypes.
_EXTRA = {
    (0, 2): ("int2", "int2"),
    (0, 4): ("int4", "int4"),
    (1, 2): ("uint2", "uint2"),
    (1, 4): ("uint4", "uint4"),
    (4, 16): ("bfloat16", "bfloat16"),
    (10, 8): ("float8_e4m3fn", "float8e4m3fn"),
    (11, 8): ("float8_e4m3fnuz", "float8e4m3fnuz"),
    (12, 8): ("float8_e5m2", "float8e5m2"),
    (13, 8): ("float8_e5m2fnuz", "float8e5m2fnuz"),
    (14, 8): ("float8_e8m0fnu", "float8e8m0"),
    (17, 4): ("float4_e2m1fn", "float4e2m1"),
}


@functools.cache
def find_element(code: int, bits: int) -> tuple[np.dtype, np.dtype, int]:
    """The type, the type of the memory, and the bytes of an element: 0 where
    several share a byte."""
    if (code, bits) in _PLAIN:
        dtype = np.dtype(_PLAIN[code, bits][0])
        return dtype, dtype, dtype.itemsize
    storage = np.dtype(f"u{max(1, bits // 8)}")
    if (code, bits) not in _EXTRA:
        return storage, storage, storage.itemsize
    try:
        extra = importlib.import_module("ml_dtypes")
        dtype = np.dtype(getattr(extra, _EXTRA[code, bits][0]))
    except (ImportError, AttributeError):
        dtype = storage
    return dtype, storage, 0 if bits < 8 else storage.itemsize


def name_type(code: int, bits: int) -> str:
    """The type of a tensor as ONNX writes it."""
    names = _PLAIN.get((code, bits)) or _EXTRA.get((code, bits))
    return f"tensor({names[1] if names else f'code{code}bits{bits}'})"


def find_code(name: str) -> tuple[int, int] | None:
    """DLPack's code and bits of a tensor's type as ONNX writes it."""
    for table in (_PLAIN, _EXTRA):
        for key, (_, onnx_name) in table.items():
            if name == f"tensor({onnx_name})":
                return key
    return None


def _bits(dtype: np.dtype) -> int:
    return 2 if dtype.name.endswith("int2") else 4


def pack(array: np.ndarray) -> np.ndarray:
    """Elements below one byte, as bytes with the first element lowest."""
    if array.dtype == np.uint8:
        raise ValueError("expected elements below one byte in a type of ml_dtypes")
    bits = _bits(array.dtype)
    each = np.ascontiguousarray(array).reshape(-1).view(np.uint8) & ((1 << bits) - 1)
    per_byte = 8 // bits
    each = np.pad(each, (0, -each.size % per_byte)).reshape(-1, per_byte)
    packed = np.zeros(each.shape[0], np.uint8)
    for place in range(per_byte):
        packed |= each[:, place] << (place * bits)
    return packed


def unpack(packed: np.ndarray, dtype: np.dtype, shape: tuple[int, ...]) -> np.ndarray:
    """The inverse of `pack`. Without a type of ml_dtypes, the bytes themselves."""
    if dtype == np.uint8:
        return packed
    bits = _bits(dtype)
    places = np.arange(8 // bits, dtype=np.uint8) * bits
    each = (packed[:, None] >> places).reshape(-1)[:int(np.prod(shape, dtype=np.int64))]
    each &= (1 << bits) - 1
    if dtype.name.startswith("int"):  # ml_dtypes keeps signed ones extended
        each = ((each ^ (1 << (bits - 1))).view(np.int8) - (1 << (bits - 1))).view(np.uint8)
    return each.view(dtype).reshape(shape)
