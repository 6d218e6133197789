# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Running models."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Union

import numpy as np

from . import _elf, _native, _types, compiler
from .errors import InvalidArgument
from .state import State, StateInfo, find_shapes, quote

__all__ = ["InferenceSession", "ModelMeta", "TensorInfo"]

#: A path, or the bytes, of a model or of a compiled one; or an onnx.ModelProto.
Source = Union[str, "os.PathLike[str]", bytes, bytearray, memoryview, Any]
#: An array of NumPy, a tensor of another library with `__dlpack__`, or what
#: numpy.asarray takes.
Tensor = Any


@dataclasses.dataclass(frozen=True)
class TensorInfo:
    """An input or output of a model."""

    name: str
    type: str  #: as ONNX writes it: "tensor(float)"
    #: Per dimension its size, its name where the size depends on the inputs, or
    #: None where it has no name. None where the value is no tensor.
    shape: tuple[int | str | None, ...] | None
    #: The type of an array of NumPy: `object` for strings. None where the value
    #: is no tensor.
    dtype: np.dtype | None


@dataclasses.dataclass(frozen=True)
class ModelMeta:
    """What a model says of itself."""

    name: str  #: the prefix of its symbols
    target: str  #: what it is compiled for, like "cpu:x86-64-v4"
    producer_name: str
    producer_version: str
    graph_name: str
    domain: str
    description: str
    version: int
    custom_metadata_map: dict[str, str]


class InferenceSession:
    """A model that is ready to run.

    A model that is not compiled yet (an .onnx file, bytes, a ModelProto) is
    compiled first, into a file that nobody else can read and that is gone when
    the session is made; `options`, `progress` and `in_process` are those of
    `lathe.compile`. A compiled model (a .so, or its bytes) is loaded as it is,
    and needs no compiler.

    `threads` is how many compute, the caller's included (0: as LATHE_NUM_THREADS
    says, else as many as there are processors to use). `flush_denormals` treats
    denormal numbers as zero. `weights` is the file of weights of a model that
    was compiled with `weights="file"`.

    A model that is compiled with option `state` keeps what `new_state` makes, one
    for each sequence, from run to run.

    Sessions may be used from several threads at once; each call then has its
    own intermediate memory. Calls release the interpreter's lock."""

    def __init__(
        self,
        model: Source,
        *,
        threads: int = 0,
        flush_denormals: bool = False,
        weights: str | os.PathLike[str] | None = None,
        progress: compiler.Progress | None = None,
        in_process: bool = False,
        **options: Any,
    ) -> None:
        source, data = compiler.open_source(model)
        if not 0 <= threads <= 1024:
            raise InvalidArgument(f"threads: expected 0 to 1024, got {threads}")

        def load(path: str) -> _native.Model:
            return _native.Model(os.path.abspath(path), _elf.find_entry(path),
                                 os.fspath(weights) if weights else "", threads,
                                 flush_denormals)

        compiled = (source.endswith(".so") if data is None
                    else bytes(memoryview(data)[:4]) == _elf.MAGIC)
        if compiled and options:
            raise InvalidArgument(f"{next(iter(options))}: expected no option of the compiler "
                                  f"for a compiled model")
        if compiled and data is None:
            if not os.path.exists(source):
                raise InvalidArgument(f"{source}: expected a file, got none")
            self._model = load(source)
        else:
            import tempfile

            # Only this user may look into the folder, which goes at once: the
            # system keeps what is loaded.
            with tempfile.TemporaryDirectory(prefix="lathe-") as folder:
                path = os.path.join(folder, "model.so")
                if compiled:
                    with open(path, "wb") as file:
                        file.write(data)
                else:
                    _compile(model, source, path, progress, in_process, options)
                self._model = load(path)
        self._inputs = [_describe(*entry) for entry in self._model.inputs]
        self._outputs = [_describe(*entry) for entry in self._model.outputs]
        self._states = [StateInfo(self._inputs[i].name, self._outputs[o].name,
                                  *((None, None) if axis < 0 else (axis, most)))
                        for i, o, axis, most in self._model.states]
        kept = {info.input for info in self._states}
        self._fed_names = [info.name for info in self._inputs if info.name not in kept]
        self._output_places = {info.name: i for i, info in enumerate(self._outputs)}
        self._all_outputs = list(range(len(self._outputs)))

    def get_inputs(self) -> list[TensorInfo]:
        """The inputs, in the model's order."""
        return list(self._inputs)

    def get_outputs(self) -> list[TensorInfo]:
        """The outputs, in the model's order."""
        return list(self._outputs)

    def get_states(self) -> list[StateInfo]:
        """The states, for a model that is compiled with option `state`."""
        return list(self._states)

    def new_state(self, *, dim: Mapping[str, int] | None = None,
                  shape: Mapping[str, Sequence[int | None]] | None = None) -> State:
        """Memory for the states of one sequence (or of a batch of them), which
        hold no steps yet, and zeros where they are written over.

        Sizes that depend on the inputs have to be given once: by the name of the
        dimension, as `dim={"batch": 4}`, or as the shape of an input,
        `shape={"past": (4, None, 8)}`, with None for what is known or grows."""
        if not self._states:
            raise InvalidArgument("expected a model that is compiled with option state, got "
                                  "one without states")
        tensors = [next(tensor for tensor in self._inputs if tensor.name == info.input)
                   for info in self._states]
        native = self._model.new_state(
            find_shapes(self._states, tensors, dim or {}, shape or {}))
        return State(native, self._states, tensors)

    def get_modelmeta(self) -> ModelMeta:
        """What the model says of itself."""
        known: dict[str, str] = {}
        custom: dict[str, str] = {}
        for key, value in self._model.metadata.items():
            if key.startswith("onnx.metadata."):
                custom[key.removeprefix("onnx.metadata.")] = value
            elif key.startswith("onnx."):
                known[key.removeprefix("onnx.")] = value
        return ModelMeta(
            name=self._model.name, target=self._model.target,
            producer_name=known.get("producer_name", ""),
            producer_version=known.get("producer_version", ""),
            graph_name=known.get("graph_name", ""), domain=known.get("domain", ""),
            description=known.get("doc_string", ""),
            version=int(known.get("model_version", 0)), custom_metadata_map=custom)

    @property
    def threads(self) -> int:
        """How many threads compute."""
        return self._model.threads

    @property
    def memory(self) -> dict[str, int]:
        """Bytes for the shapes of the latest run: arena_bytes of intermediate
        values, of which lower_bound live at once, scratch_bytes of all threads,
        staging_bytes of copies of strided tensors, and weights_bytes."""
        return self._model.memory

    def run(self, output_names: Sequence[str] | None, feeds: Mapping[str, Tensor], *,
            state: State | None = None) -> list[Any]:
        """Computes outputs: those named, in this order, or all.

        Arrays of NumPy and tensors of other libraries on the CPU are read where
        they lie, with whatever strides they have. What is returned owns its
        memory. Sequences are lists, maps dictionaries, tensors of strings arrays
        of objects, and an optional without a value is None. Raises
        InvalidArgument where names, types or shapes are not those of the model,
        and RunError where the data leads to an error.

        A model with states needs `state`, of `new_state`, which holds the inputs
        that are states; outputs that are states are arrays that show its memory,
        and are the only ones that later runs change."""
        self._check_state(state)
        try:
            given = [feeds[name] for name in self._fed_names]
        except KeyError as error:
            raise InvalidArgument(f"input '{error.args[0]}': expected a value, "
                                  "got nothing of this name") from None
        if len(given) != len(feeds):
            unknown = next(name for name in feeds if name not in self._fed_names)
            if any(unknown == info.input for info in self._states):
                raise InvalidArgument(f"input '{unknown}': expected no value, as the state "
                                      "holds it")
            raise InvalidArgument(f"input '{unknown}': expected one of "
                                  f"{quote(self._fed_names)}")
        return self._model.run(given, self._places(output_names),
                               None if state is None else state._native)

    def __call__(self, *args: Tensor, **kwargs: Tensor) -> Any:
        """Inputs by position or name; one output as it is, several as a list. A
        State under the name `state` is that of `run`."""
        state = kwargs.pop("state") if isinstance(kwargs.get("state"), State) else None
        if len(args) > len(self._fed_names):
            raise InvalidArgument(f"expected {len(self._fed_names)} inputs, got {len(args)}")
        results = self.run(None, {**dict(zip(self._fed_names, args)), **kwargs}, state=state)
        return results[0] if len(results) == 1 else results

    def _check_state(self, state: State | None) -> None:
        if state is None and self._states:
            raise InvalidArgument(f"input '{self._states[0].input}': expected a state, as in "
                                  "run(..., state=session.new_state()), got none")
        if not isinstance(state, (State, type(None))):
            raise InvalidArgument(f"state: expected a State, got {type(state).__name__}")

    def _places(self, names: Iterable[str] | None) -> list[int]:
        if names is None:
            return self._all_outputs
        try:
            return [self._output_places[name] for name in names]
        except KeyError as error:
            raise InvalidArgument(f"output '{error.args[0]}': expected one of "
                                  f"{quote(self._output_places)}") from None


def _compile(model: Source, source: str, path: str, progress: Callable[[str], None] | None,
             in_process: bool, options: Mapping[str, Any]) -> None:
    if options.get("weights", "embed") != "embed":
        raise InvalidArgument("weights: expected embed for a session, which keeps no files")
    given = {"name": "model", **options}
    compiler.compile(model, path, progress=progress, in_process=in_process, **given)


def _describe(name: str, code: int, bits: int, shape: tuple[int | str | None, ...],
              kind: str) -> TensorInfo:
    if kind:
        dtype = np.dtype(object) if kind == "tensor(string)" else None
        return TensorInfo(name, kind, shape or None, dtype)
    return TensorInfo(name, _types.name_type(code, bits), shape,
                      _types.find_element(code, bits)[0])
