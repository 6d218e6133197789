# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""What a model keeps from run to run."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import InvalidArgument

if TYPE_CHECKING:
    from . import _native
    from .session import TensorInfo

__all__ = ["State", "StateInfo"]


@dataclasses.dataclass(frozen=True)
class StateInfo:
    """An output that lies in the memory of an input, by option `state`."""

    input: str
    output: str
    #: Where the output is the input with steps added: along which axis, and how
    #: many there is room for. None where the output is written over the input.
    axis: int | None
    max: int | None


class State(Mapping[str, np.ndarray]):
    """The memory of all states of a model for one sequence, made by
    `InferenceSession.new_state`.

    `run(..., state=state)` reads the inputs that are states here, and leaves the
    outputs here: steps are added behind those that are held, other states are
    written over. A run that fails leaves all as it was.

    As a mapping, it has an array for each state, under the name of the input:
    what is held, without a copy. Such an array stays as long as it is kept;
    later runs write into the same memory. `state[name] = array` takes a copy of
    an array, with any number of steps there is room for.

    One call at a time may use a state; another one at the same time raises
    RunError, with status "busy"."""

    def __init__(self, native: _native.State, infos: Sequence[StateInfo],
                 tensors: Sequence[TensorInfo]) -> None:
        self._native = native
        self._infos = tuple(infos)
        self._tensors = tuple(tensors)
        self._places = {info.input: place for place, info in enumerate(self._infos)}

    def __getitem__(self, name: str) -> np.ndarray:
        return self._native.view(self._places[name])

    def __setitem__(self, name: str, value: Any) -> None:
        if name not in self._places:
            raise InvalidArgument(f"input '{name}': expected one of {quote(self._places)}")
        place = self._places[name]
        info, dtype = self._infos[place], self._tensors[place].dtype
        try:
            array = value if isinstance(value, np.ndarray) else np.asarray(value, dtype)
        except (TypeError, ValueError) as error:
            raise InvalidArgument(f"input '{name}': expected an array, got "
                                  f"{type(value).__name__}: {error}") from None
        if array.dtype != dtype:
            raise InvalidArgument(f"input '{name}': expected type {dtype}, got {array.dtype}")
        expected, given = list(self[name].shape), list(array.shape)
        if info.axis is not None and len(given) == len(expected):
            assert info.max is not None
            if given[info.axis] > info.max:
                raise InvalidArgument(f"input '{name}': expected at most {info.max} steps, "
                                      f"got {given[info.axis]}")
            expected[info.axis] = given[info.axis]
        if given != expected:
            raise InvalidArgument(f"input '{name}': expected shape {expected}, got {given}")
        self._native.assign(place, array)

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)

    # A state is itself only, whatever it holds.
    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def length(self) -> int:
        """How many steps the states that grow hold; 0 where none grows. Raises
        InvalidArgument where they hold different numbers of steps, which the
        arrays' shapes say then."""
        lengths = {info.input: self[info.input].shape[info.axis]
                   for info in self._infos if info.axis is not None}
        if len(set(lengths.values())) > 1:
            raise InvalidArgument("expected as many steps in all states, got " + ", ".join(
                f"{steps} in '{name}'" for name, steps in lengths.items()))
        return next(iter(lengths.values()), 0)

    @property
    def nbytes(self) -> int:
        """Bytes of the memory, with the room that is not in use yet."""
        return self._native.nbytes

    def reset(self) -> None:
        """Back to the beginning: no steps, and zeros where a state is written
        over. The memory stays."""
        self._native.reset()

    def truncate(self, length: int) -> None:
        """Forgets all steps but the first `length`. Raises InvalidArgument where
        fewer are held, or a state is written over, which cannot go back."""
        for info in self._infos:
            if info.axis is None:
                raise InvalidArgument(f"input '{info.input}': expected a state that grows, "
                                      "got one that is written over")
        if not 0 <= length <= self.length:
            raise InvalidArgument(f"length: expected 0 to {self.length}, got {length}")
        self._native.set_length(length)

    def copy(self) -> State:
        """Another state, with memory of its own, that holds the same."""
        return State(self._native.copy(), self._infos, self._tensors)

    __copy__ = copy

    def __deepcopy__(self, memo: dict[int, Any]) -> State:
        return self.copy()


def find_shapes(infos: Sequence[StateInfo], tensors: Sequence[TensorInfo],
                dim: Mapping[str, int], shape: Mapping[str, Sequence[int | None]],
                ) -> list[list[int]]:
    """The shapes of the states before the first run."""
    names = [info.input for info in infos]
    for name in shape:
        if name not in names:
            raise InvalidArgument(f"shape: expected one of {quote(names)}, got '{name}'")
    grows = {(place, info.axis) for place, info in enumerate(infos)}
    symbols = dict.fromkeys(
        size for place, tensor in enumerate(tensors)
        for d, size in enumerate(tensor.shape or ())
        if isinstance(size, str) and (place, d) not in grows)
    for name in dim:
        if name not in symbols:
            raise InvalidArgument(f"dim: expected {quote(symbols) or 'none'}, got '{name}'")
    return [_find_shape(info, tensor, dim, shape.get(info.input))
            for info, tensor in zip(infos, tensors)]


def _find_shape(info: StateInfo, tensor: TensorInfo, dim: Mapping[str, int],
                given: Sequence[int | None] | None) -> list[int]:
    assert tensor.shape is not None
    if given is not None and len(given) != len(tensor.shape):
        raise InvalidArgument(f"shape: expected {len(tensor.shape)} dimensions of "
                              f"'{info.input}', got {len(given)}")
    shape: list[int] = []
    for d, declared in enumerate(tensor.shape):
        known = 0 if d == info.axis else declared
        if isinstance(known, str):
            known = dim.get(known)
        wanted = known if given is None or given[d] is None else given[d]
        if wanted is None:
            raise InvalidArgument(f"input '{info.input}': expected a size for dimension {d}, "
                                  f"as in new_state(dim={{'{declared}': ...}}), got none")
        if wanted < 0 or (known is not None and wanted != known):
            expected = "a size" if known is None or known < 0 else known
            raise InvalidArgument(f"input '{info.input}': expected {expected} in dimension "
                                  f"{d}, got {wanted}")
        shape.append(wanted)
    return shape


def quote(names: Any) -> str:
    """Names as errors show them."""
    return ", ".join(f"'{name}'" for name in names)
