# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A compiled model under NumPy, through the C ABI of lathe-rt/lathe.h.

For tests and benchmarks: outputs are allocated once per shape, so that `run`
measures the model and not Python."""

import ctypes as c
import re

import numpy as np

CODES = {"i": 0, "u": 1, "f": 2, "b": 6}  # DLPack's kDLInt, kDLUInt, …
BFLOAT = 4  # kDLBfloat, of no letter in NumPy
KINDS = {code: kind for kind, code in CODES.items()}


class DLDataType(c.Structure):
    _fields_ = [("code", c.c_uint8), ("bits", c.c_uint8), ("lanes", c.c_uint16)]


class DLTensor(c.Structure):
    _fields_ = [("data", c.c_void_p), ("device_type", c.c_int32),
                ("device_id", c.c_int32), ("ndim", c.c_int32),
                ("dtype", DLDataType), ("shape", c.POINTER(c.c_int64)),
                ("strides", c.POINTER(c.c_int64)), ("byte_offset", c.c_uint64)]


class TensorInfo(c.Structure):
    _fields_ = [("name", c.c_char_p), ("dtype", DLDataType), ("rank", c.c_int32)]


class LaunchInfo(c.Structure):
    _fields_ = [("kernel", c.c_char_p), ("nodes", c.c_char_p)] + [
        (n, c.c_int64) for n in ("flops", "bytes", "nanoseconds", "runs")]


class MemoryInfo(c.Structure):
    _fields_ = [(n, c.c_int64) for n in
                ("arena_bytes", "lower_bound", "scratch_bytes", "staging_bytes",
                 "weights_bytes")]


class Options(c.Structure):
    _fields_ = [("struct_bytes", c.c_size_t), ("flags", c.c_uint32),
                ("num_threads", c.c_int32), ("allocator", c.c_void_p * 3),
                ("thread_pool", c.c_void_p * 2), ("arena", c.c_void_p),
                ("arena_bytes", c.c_size_t), ("weights_path", c.c_char_p),
                ("message", c.c_char_p), ("message_bytes", c.c_size_t)]


SHAPES = c.POINTER(c.POINTER(c.c_int64))
STATUS = c.c_int32
FUNCTIONS = [  # of lathe_api, in order
    ("model_name", c.c_char_p, [c.c_void_p]),
    ("num_inputs", c.c_int32, [c.c_void_p]),
    ("num_outputs", c.c_int32, [c.c_void_p]),
    ("get_input", STATUS, [c.c_void_p, c.c_int32, c.POINTER(TensorInfo)]),
    ("get_output", STATUS, [c.c_void_p, c.c_int32, c.POINTER(TensorInfo)]),
    ("get_dim", STATUS, [c.c_void_p, c.c_int32, c.c_int32, c.c_void_p, c.c_void_p]),
    ("get_metadata", c.c_char_p, [c.c_void_p, c.c_int32, c.c_void_p]),
    ("context_create", STATUS, [c.c_void_p, c.POINTER(Options), c.POINTER(c.c_void_p)]),
    ("context_destroy", None, [c.c_void_p]),
    ("context_message", c.c_char_p, [c.c_void_p]),
    ("context_target", c.c_char_p, [c.c_void_p]),
    ("context_num_threads", c.c_int32, [c.c_void_p]),
    ("infer_shapes", STATUS, [c.c_void_p, SHAPES, SHAPES]),
    ("workspace_bytes", STATUS, [c.c_void_p, SHAPES, c.POINTER(c.c_size_t)]),
    ("run", STATUS, [c.c_void_p, c.POINTER(DLTensor), c.POINTER(DLTensor)]),
    ("release_output", None, [c.c_void_p, c.POINTER(DLTensor)]),
    ("set_profiling", STATUS, [c.c_void_p, c.c_int32]),
    ("num_launches", c.c_int32, [c.c_void_p]),
    ("get_launch", STATUS, [c.c_void_p, c.c_int32, c.POINTER(LaunchInfo)]),
    ("get_memory", STATUS, [c.c_void_p, c.POINTER(MemoryInfo)]),
]


class Api(c.Structure):
    _fields_ = [("struct_bytes", c.c_uint32), ("abi_version", c.c_uint32)] + [
        (name, c.CFUNCTYPE(result, *arguments))
        for name, result, arguments in FUNCTIONS]


class ModelTable(c.Structure):
    _fields_ = [("abi_version", c.c_uint32), ("num_variants", c.c_uint32),
                ("api", c.POINTER(Api)), ("variants", c.c_void_p)]


def numpy_type(dtype):
    if dtype.code == BFLOAT:
        import ml_dtypes  # an optional package, needed for bfloat16 alone
        return np.dtype(ml_dtypes.bfloat16)
    if dtype.code not in KINDS:
        raise TypeError(f"expected integers, floats or booleans, got code {dtype.code}")
    return np.dtype(f"{KINDS[dtype.code]}{max(1, dtype.bits // 8)}")


def dense_tensor(array):
    """A DLTensor over a C-contiguous array; the array must outlive it."""
    shape = (c.c_int64 * max(1, array.ndim))(*array.shape)
    code = CODES.get(array.dtype.kind, BFLOAT)
    bits = 8 * array.dtype.itemsize
    return DLTensor(array.ctypes.data, 1, 0, array.ndim, DLDataType(code, bits, 1),
                    shape, None, 0)


def shape_pointers(shapes):
    rows = [(c.c_int64 * max(1, len(s)))(*s) for s in shapes]
    pointers = (c.POINTER(c.c_int64) * max(1, len(rows)))(
        *(c.cast(r, c.POINTER(c.c_int64)) for r in rows))
    return rows, pointers


def bound_arguments(arrays):
    return (DLTensor * max(1, len(arrays)))(*(dense_tensor(a) for a in arrays))


class Model:
    """A context of the model in the shared library at `path`."""

    def __init__(self, path, threads=0):
        with open(path, "rb") as file:
            found = set(re.findall(rb"\0(\w+_lathe_model)\0", file.read()))
        if len(found) != 1:
            raise ValueError(f"{path}: expected one NAME_lathe_model, got {found}")
        self.library = c.CDLL(path)
        entry = self.library[found.pop().decode()]
        entry.restype = c.POINTER(ModelTable)
        self.model = entry()
        self.api = self.model.contents.api.contents
        self.context = c.c_void_p()
        message = c.create_string_buffer(512)
        options = Options(struct_bytes=c.sizeof(Options), num_threads=threads,
                          message=c.cast(message, c.c_char_p), message_bytes=512)
        status = self.api.context_create(self.model, options, c.byref(self.context))
        if status:
            raise RuntimeError(f"{path}: {message.value.decode()}")
        self.inputs = self._infos(self.api.num_inputs, self.api.get_input)
        self.outputs = self._infos(self.api.num_outputs, self.api.get_output)
        self.feeds = self.results = ()

    def _infos(self, count, get):
        infos = []
        for index in range(count(self.model)):
            info = TensorInfo()
            self._check(get(self.model, index, c.byref(info)))
            infos.append((info.name.decode(), numpy_type(info.dtype), info.rank))
        return infos

    def _check(self, status):
        if status:
            message = self.api.context_message(self.context)
            raise RuntimeError(f"status {status}: {message.decode()}")

    def bind(self, feeds):
        """Take the inputs by name and make room for the outputs."""
        self.feeds = [np.asarray(feeds[name], dtype, order="C")
                      for name, dtype, _ in self.inputs]
        _, given = shape_pointers([a.shape for a in self.feeds])
        rows, room = shape_pointers([(0,) * rank for _, _, rank in self.outputs])
        self._check(self.api.infer_shapes(self.context, given, room))
        self.results = [np.empty(tuple(row[:rank]), dtype)
                        for row, (_, dtype, rank) in zip(rows, self.outputs)]
        self._in = bound_arguments(self.feeds)
        self._out = bound_arguments(self.results)

    def run(self):
        """Run once on what was bound; outputs by name, overwritten each time."""
        self._check(self.api.run(self.context, self._in, self._out))
        return {name: r for (name, _, _), r in zip(self.outputs, self.results)}

    def launches(self):
        """Launches of the latest run: dictionaries with kernel, flops, bytes."""
        rows = []
        for index in range(self.api.num_launches(self.context)):
            info = LaunchInfo()
            self._check(self.api.get_launch(self.context, index, c.byref(info)))
            rows.append({name: getattr(info, name) for name, _ in info._fields_})
        return rows

    def memory(self):
        info = MemoryInfo()
        self._check(self.api.get_memory(self.context, c.byref(info)))
        return {name: getattr(info, name) for name, _ in info._fields_}

    def close(self):
        self.api.context_destroy(self.context)
        self.context = c.c_void_p()
