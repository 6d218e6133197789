# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiling models.

A compilation runs in a process of its own, so that its memory goes back to the
system and nothing it does can harm this process; or, with `in_process`, in
liblathe.so, which saves the tenth of a second that starting a process takes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Union

from . import _library
from .errors import CompileError, Diagnostic, InvalidArgument

__all__ = ["compile", "fusions", "options", "targets", "version"]

#: A path, the bytes of a serialized ModelProto, or an onnx.ModelProto.
ModelSource = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, Any]
Progress = Callable[[str], None]

_BYTES_NAME = "<bytes>"  # in diagnostics of models that have no file
_SHORT = {"opt_level": "O", "jobs": "j"}
_REPEATED = ("dim", "shape", "state", "tune-dim")  # given once for each entry


def version() -> str:
    """The version of the compiler."""
    return _library.load().version()


def options() -> dict[str, str]:
    """The options of `compile`, each with a line of help."""
    return {option.name.replace("-", "_"): option.help
            for option in _library.load().options()}


def fusions() -> list[str]:
    """The names that option `fusion` takes."""
    return _library.load().fusions()


def targets() -> list[str]:
    """The names that option `target` takes."""
    return _library.load().targets()


def compile(  # noqa: A001 (the name that users expect)
    model: ModelSource,
    output: str | os.PathLike[str],
    *,
    progress: Progress | None = None,
    in_process: bool = False,
    **options: Any,
) -> None:
    """Compiles a model into an artifact, whose kind its suffix says: .so, .o, .a
    (each with a C header beside it), .ll, .s or .mlir.

    The options are those of `lathe compile`, with underscores for dashes:
    `fusion="none"`, `memory_plan="greedy"`, `cpu="x86-64-v3"`. Lists are joined
    by commas. `shape`, `dim` and `state` take dictionaries: `shape={"x": (1, 3,
    224, 224)}`, `dim={"batch": 8}`, `state={"past": ("present", 1024), "h":
    "next_h"}`, or lists of the driver's texts; `opt_level` and `jobs` are `-O`
    and `-j`.

    `progress` is called with the name of each stage as it begins.

    Raises CompileError where the model is at fault, and writes nothing then;
    InvalidArgument where an option is."""
    texts = spell_options(options)
    source, data = open_source(model)
    output = os.fspath(output)
    if in_process:
        _compile_here(source, data, output, texts, progress)
    else:
        _compile_apart(source, data, output, texts, progress)


def open_source(model: ModelSource) -> tuple[str, Any]:
    """A path and None, or a name and the bytes."""
    if isinstance(model, (str, os.PathLike)):
        return os.fspath(model), None
    if isinstance(model, (bytes, bytearray, memoryview)):
        return _BYTES_NAME, model
    if hasattr(model, "SerializeToString"):
        return _BYTES_NAME, model.SerializeToString()
    raise InvalidArgument("model: expected a path, bytes or a ModelProto, got "
                          f"{type(model).__name__}")


def spell_options(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Options as the compiler takes them: names and texts."""
    texts: list[tuple[str, str]] = []
    for key, value in options.items():
        name = _SHORT.get(key, key).replace("_", "-")
        if value is None:
            continue
        if isinstance(value, Mapping):
            spell = _spell_state if name == "state" else _spell_sizes
            texts += ((name, spell(*entry)) for entry in value.items())
        elif isinstance(value, bool):
            texts.append((name, "true" if value else "false"))
        elif isinstance(value, (str, int)):
            texts.append((name, str(value)))
        elif isinstance(value, os.PathLike):
            texts.append((name, os.fspath(value)))
        elif isinstance(value, Iterable) and name in _REPEATED:
            texts += ((name, str(entry)) for entry in value)
        elif isinstance(value, Iterable):
            texts.append((name, ",".join(map(str, value))))
        else:
            raise InvalidArgument(f"{key}: expected text, a number, a list or a dictionary, "
                                  f"got {type(value).__name__}")
    return texts


def _spell_sizes(entry: str, size: Any) -> str:
    sizes = size if isinstance(size, Iterable) else (size,)
    return f"{entry}:{'x'.join(map(str, sizes))}"


def _spell_state(entry: str, output: Any) -> str:
    if isinstance(output, str):
        return f"{entry}={output}"
    try:
        name, steps = output
    except (TypeError, ValueError):
        raise InvalidArgument(f"state: expected an output, or one and a number of steps, for "
                              f"'{entry}', got {output!r}") from None
    return f"{entry}={name}:max={steps}"


def _compile_here(source: str, data: Any, output: str, texts: list[tuple[str, str]],
                  progress: Progress | None) -> None:
    library = _library.load()
    try:
        status, text, diagnostics = library.compile(source, data, output, texts, progress)
    except ValueError as error:
        raise InvalidArgument(str(error)) from None
    _finish(status, text, diagnostics)


def _finish(status: int, text: str, diagnostics: list[Diagnostic]) -> None:
    if status == 0:
        if text:
            print(text, end="")
        return
    if status == 1:
        raise InvalidArgument(text.strip() or "expected other options")
    raise CompileError(text.strip(), diagnostics)


def _compile_apart(source: str, data: Any, output: str, texts: list[tuple[str, str]],
                   progress: Progress | None) -> None:
    # Programs that run compiled models need these modules as little as LLVM.
    import subprocess
    import tempfile

    command = [_library.driver(), "compile", "--diagnostics=json", f"-o={output}"]
    command += [f"-{name}{value}" if len(name) == 1 else f"--{name}={value}"
                for name, value in texts]
    command.append("--")
    if data is None:
        return _run(command + [source], subprocess.DEVNULL, source, progress)
    # A file rather than a pipe: the compiler maps it.
    with tempfile.TemporaryFile(prefix="lathe-") as file:
        file.write(data)
        file.flush()
        file.seek(0)
        _run(command + ["-"], file, source, progress)
    return None


def _run(command: list[str], stdin: Any, source: str, progress: Progress | None) -> None:
    import subprocess

    diagnostics: list[Diagnostic] = []
    others: list[str] = []
    with subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, encoding="utf-8",
                          errors="replace") as child:
        assert child.stderr is not None
        for line in child.stderr:
            try:
                entry = json.loads(line)
                if "stage" in entry:
                    if progress:
                        progress(entry["stage"])
                    continue
                if entry["file"] == "<stdin>":
                    entry["file"] = source
                diagnostics.append(Diagnostic(**entry))
            except (ValueError, TypeError, KeyError):
                others.append(line.removeprefix("lathe compile: "))
    text = "".join([*others, *(f"{diagnostic}\n" for diagnostic in diagnostics)])
    if child.returncode < 0 or child.returncode > 2:
        raise CompileError(
            f"{source}: expected the compiler to end, got exit status "
            f"{child.returncode}\n{text}".rstrip(), diagnostics)
    # The driver's exit statuses are the other way round: 2 is wrong usage.
    _finish({0: 0, 1: 2, 2: 1}[child.returncode], text, diagnostics)
