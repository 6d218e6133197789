# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Values of the C ABI that are no plain tensors, as objects of Python.

Strings are arrays of objects of type str, sequences lists, maps dictionaries,
and an optional is what it holds, or None."""

import ctypes as c

import numpy as np

TENSOR, STRINGS, SEQUENCE, MAP, OPTIONAL = range(5)
HANDLE = 3  # kDLOpaqueHandle


def split_type(text):
    """The constructor of a type and its arguments: "seq(tensor(int64))"."""
    head, _, inner = text.partition("(")
    inner = inner[:-1]
    if head == "map":
        return head, inner.split(",", 1)
    return head, [inner]


class Values:
    """Conversions for the models of one table of functions; `tensor` makes a
    DLTensor of an array, `dtype_of` an array's type of a DLTensor's."""

    def __init__(self, api, tensor, dtype_of):
        self.api, self.tensor, self.dtype_of = api, tensor, dtype_of

    def _make(self, function, *arguments):
        value = c.c_void_p()
        status = function(None, *arguments, c.byref(value))
        if status:
            raise RuntimeError(f"status {status}: cannot make a value")
        return value

    def _release(self, values):
        for value in values:
            self.api.value_release(value)

    def make(self, item, type_text):
        """A new value, to be released with `release`."""
        head, inner = split_type(type_text)
        if head == "optional":
            if item is None:
                return self._make(self.api.value_optional, None)
            return self._wrap([self.make(item, inner[0])],
                              lambda v: self._make(self.api.value_optional, v[0]))
        if head == "seq":
            elements = [self.make(element, inner[0]) for element in item]
            array = (c.c_void_p * max(1, len(elements)))(*elements)
            return self._wrap(elements, lambda _: self._make(
                self.api.value_sequence, len(elements), array))
        if head == "map":
            keys = np.array(list(item), dtype=object if inner[0] == "string" else None)
            is_scalar = inner[1].startswith("tensor(")
            values = list(item.values())
            parts = [self.make(keys, f"tensor({inner[0]})"),
                     self.make(np.array(values), inner[1]) if is_scalar
                     else self.make(values, f"seq({inner[1]})")]
            return self._wrap(parts, lambda v: self._make(self.api.value_map, *v))
        array = np.asarray(item)
        if inner[0] != "string":
            array = np.require(array, requirements="C")
            return self._make(self.api.value_tensor, c.byref(self.tensor(array, array)))
        texts = [str(text).encode() for text in array.ravel()]
        shape = (c.c_int64 * max(1, array.ndim))(*array.shape)
        pointers = (c.c_char_p * max(1, len(texts)))(*texts)
        lengths = (c.c_size_t * max(1, len(texts)))(*map(len, texts))
        return self._make(self.api.value_strings, array.ndim, shape, pointers, lengths)

    def _wrap(self, parts, make):
        """What is made of parts shares them."""
        try:
            return make(parts)
        finally:
            self._release(parts)

    def read(self, value):
        """The object that a value is."""
        kind = self.api.value_kind(value)
        count = self.api.value_count(value)
        if kind == OPTIONAL:
            return self.read(self.api.value_element(value, 0)) if count else None
        if kind == SEQUENCE:
            return [self.read(self.api.value_element(value, i)) for i in range(count)]
        if kind == MAP:
            keys, values = (self.read(self.api.value_element(value, i)) for i in (0, 1))
            return dict(zip((k if isinstance(k, str) else k.item() for k in keys), values))
        view = type(self.tensor(np.zeros(1), np.zeros(1)))()
        self.api.value_view(value, c.byref(view))
        shape = tuple(view.shape[:view.ndim])
        if kind == STRINGS:
            array = np.empty(count, dtype=object)
            length = c.c_size_t()
            for i in range(count):
                at = self.api.value_string(value, i, c.byref(length))
                array[i] = c.string_at(at, length.value).decode()
            return array.reshape(shape)
        return copy_tensor(view, self.dtype_of(view.dtype))

    def release(self, value):
        self.api.value_release(value)


def copy_tensor(view, dtype):
    """A copy of what a dense DLTensor shows."""
    array = np.empty(tuple(view.shape[:view.ndim]), dtype)
    if array.nbytes:
        c.memmove(array.ctypes.data, view.data + view.byte_offset, array.nbytes)
    return array
