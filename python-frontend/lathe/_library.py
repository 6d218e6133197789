# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""liblathe.so, the compiler as a C library (include/lathe-c/compiler.h), and the
driver. Both lie in this package; the library is loaded when first asked for."""

from __future__ import annotations

import ctypes as c
import functools
import os
from collections.abc import Callable
from typing import Any, NamedTuple

from .errors import Diagnostic

_HERE = os.path.dirname(os.path.abspath(__file__))
_API_VERSION = 1
_WRONG_USAGE = 1
_SEVERITIES = ("error", "warning", "note")


def driver() -> str:
    """The path of the program `lathe`."""
    return os.path.join(_HERE, "bin", "lathe")


class Option(NamedTuple):
    """An option of the compiler, without its dashes."""

    name: str
    value_name: str
    default: str
    help: str


class _Option(c.Structure):
    _fields_ = [("name", c.c_char_p), ("kind", c.c_int), ("value_name", c.c_char_p),
                ("default_value", c.c_char_p), ("help", c.c_char_p)]


class _Diagnostic(c.Structure):
    _fields_ = [("severity", c.c_int), ("file", c.c_char_p), ("node", c.c_char_p),
                ("op", c.c_char_p), ("message", c.c_char_p)]


_Progress = c.CFUNCTYPE(None, c.c_void_p, c.c_char_p)
_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "version": (c.c_char_p, []),
    "api_version": (c.c_int32, []),
    "get_option_info": (c.c_int32, [c.c_int32, c.POINTER(_Option)]),
    "get_fusion": (c.c_char_p, [c.c_int32]),
    "get_target": (c.c_char_p, [c.c_int32]),
    "create": (c.c_int32, [c.POINTER(c.c_void_p)]),
    "destroy": (None, [c.c_void_p]),
    "set_option": (c.c_int32, [c.c_void_p, c.c_char_p, c.c_char_p]),
    "set_progress": (None, [c.c_void_p, _Progress, c.c_void_p]),
    "compile_file": (c.c_int32, [c.c_void_p, c.c_char_p, c.c_char_p]),
    "compile_bytes": (c.c_int32, [c.c_void_p, c.c_char_p, c.c_size_t, c.c_char_p, c.c_char_p]),
    "num_diagnostics": (c.c_int32, [c.c_void_p]),
    "get_diagnostic": (c.c_int32, [c.c_void_p, c.c_int32, c.POINTER(_Diagnostic)]),
    "text": (c.c_char_p, [c.c_void_p]),
}


def _decode(text: bytes | None) -> str:
    return (text or b"").decode("utf-8", "replace")


def _names(get: Callable[[int], bytes | None]) -> list[str]:
    names: list[str] = []
    while (name := get(len(names))) is not None:
        names.append(_decode(name))
    return names


class Library:
    """The functions of the C API. Calls into it give up the interpreter's lock."""

    def __init__(self, path: str) -> None:
        library = c.CDLL(path)
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(library, f"lathe_compiler_{name}")
            function.restype, function.argtypes = result, arguments
            setattr(self, "_" + name, function)
        got = self._api_version()
        if got != _API_VERSION:
            raise ImportError(f"{path}: expected version {_API_VERSION} of its interface, "
                              f"got {got}")

    def __getattr__(self, name: str) -> Any:  # for type checkers
        raise AttributeError(name)

    def version(self) -> str:
        return _decode(self._version())

    def fusions(self) -> list[str]:
        return _names(self._get_fusion)

    def targets(self) -> list[str]:
        return _names(self._get_target)

    def options(self) -> list[Option]:
        options: list[Option] = []
        info = _Option()
        while not self._get_option_info(len(options), c.byref(info)):
            options.append(Option(*map(_decode, (info.name, info.value_name,
                                                 info.default_value, info.help))))
        return options

    def compile(self, source: str, data: Any, output: str, texts: list[tuple[str, str]],
                progress: Callable[[str], None] | None) -> tuple[int, str, list[Diagnostic]]:
        """The status, all text, and the diagnostics of a compilation."""
        compiler = c.c_void_p()
        if self._create(c.byref(compiler)):
            raise MemoryError
        try:
            return self._compile(compiler, source, data, output, texts, progress)
        finally:
            self._destroy(compiler)

    def _compile(self, compiler: c.c_void_p, source: str, data: Any, output: str,
                 texts: list[tuple[str, str]], progress: Callable[[str], None] | None,
                 ) -> tuple[int, str, list[Diagnostic]]:
        for name, value in texts:
            if self._set_option(compiler, name.encode(), value.encode()):
                return _WRONG_USAGE, _decode(self._text(compiler)), []
        stage = _Progress(lambda _, text: progress(_decode(text)) if progress else None)
        if progress:
            self._set_progress(compiler, stage, None)
        if data is None:
            status = self._compile_file(compiler, os.fsencode(source), os.fsencode(output))
        else:
            data = bytes(data)
            status = self._compile_bytes(compiler, data, len(data), os.fsencode(source),
                                         os.fsencode(output))
        diagnostics, found = [], _Diagnostic()
        for index in range(self._num_diagnostics(compiler)):
            self._get_diagnostic(compiler, index, c.byref(found))
            diagnostics.append(Diagnostic(
                _SEVERITIES[found.severity],
                *map(_decode, (found.file, found.node, found.op, found.message))))
        return status, _decode(self._text(compiler)), diagnostics


@functools.cache
def load() -> Library:
    """The library, loaded once."""
    return Library(os.path.join(_HERE, "lib", "liblathe.so"))
