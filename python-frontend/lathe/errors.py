# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What can go wrong."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

__all__ = ["CompileError", "Diagnostic", "InvalidArgument", "LatheError", "RunError"]


@dataclasses.dataclass(frozen=True)
class Diagnostic:
    """What the compiler has to say about a model. Texts are empty where there is
    nothing to say; a note explains the diagnostic before it."""

    severity: str  #: "error", "warning" or "note"
    file: str
    node: str  #: name of the ONNX node
    op: str  #: its operator
    message: str

    def __str__(self) -> str:
        node = f"node '{self.node}'" if self.node else ""
        op = (f" ({self.op})" if node else self.op) if self.op else ""
        place = f"{node}{op}: " if node or op else ""
        kind = "" if self.severity == "error" else f"{self.severity}: "
        return f"{self.file}: {place}{kind}{self.message}"


class LatheError(Exception):
    """The base of all errors of this package."""


class InvalidArgument(LatheError, ValueError):
    """An argument is not what was expected: an option, a name, a tensor's type or
    shape."""


class CompileError(LatheError):
    """A model cannot be compiled. `diagnostics` says why, all nodes at once."""

    def __init__(self, message: str, diagnostics: Sequence[Diagnostic] = ()) -> None:
        super().__init__(message)
        self.diagnostics: list[Diagnostic] = list(diagnostics)

    def _first(self, field: str) -> str:
        errors = [d for d in self.diagnostics if d.severity == "error"]
        return getattr(errors[0], field) if errors else ""

    @property
    def file(self) -> str:
        """The file of the first error."""
        return self._first("file")

    @property
    def node(self) -> str:
        """The node of the first error, or an empty string."""
        return self._first("node")

    @property
    def op(self) -> str:
        """The operator of the first error, or an empty string."""
        return self._first("op")


class RunError(LatheError):
    """A model cannot be loaded or run here, or its data led to an error, as an
    index out of range does."""

    #: Names of lathe_status, by number.
    STATUSES = ("ok", "invalid argument", "out of memory", "unsupported", "failed",
                "busy", "system")

    def __init__(self, message: str, status: int = 4) -> None:
        super().__init__(message)
        self.status = self.STATUSES[status] if status < len(self.STATUSES) else str(status)
