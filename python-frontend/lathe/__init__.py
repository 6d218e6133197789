# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Compiles ONNX models ahead of time, and runs them.

    lathe.compile("model.onnx", "model.so")
    session = lathe.InferenceSession("model.so")  # or "model.onnx", or bytes
    outputs = session.run(None, {"x": x})

`lathe.backend` implements onnx.backend.base.Backend; `lathe.onnxruntime` stands
in for the module onnxruntime in programs that are written for it."""

from .compiler import compile, fusions, options, targets, version  # noqa: A004
from .errors import CompileError, Diagnostic, InvalidArgument, LatheError, RunError
from .session import InferenceSession, ModelMeta, TensorInfo
from .state import State, StateInfo

__all__ = [
    "CompileError",
    "Diagnostic",
    "InferenceSession",
    "InvalidArgument",
    "LatheError",
    "ModelMeta",
    "RunError",
    "State",
    "StateInfo",
    "TensorInfo",
    "compile",
    "fusions",
    "options",
    "targets",
    "version",
]
