# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""A compiled model under NumPy, through the C ABI of lathe-rt/lathe.h.

For tests and benchmarks: outputs are allocated once per shape, so that `run`
measures the model and not Python."""

import ctypes as c
import re

import numpy as np

import host_values

CODES = {"i": 0, "u": 1, "f": 2, "b": 6}  # DLPack's kDLInt, kDLUInt, …
KINDS = {code: kind for kind, code in CODES.items()}
# Types that NumPy has from the package ml_dtypes, by DLPack's code and bits.
NARROW = {(4, 16): "bfloat16", (10, 8): "float8_e4m3fn", (11, 8): "float8_e4m3fnuz",
          (12, 8): "float8_e5m2", (13, 8): "float8_e5m2fnuz",
          (14, 8): "float8_e8m0fnu", (15, 6): "float6_e2m3fn",
          (16, 6): "float6_e3m2fn", (17, 4): "float4_e2m1fn", (0, 4): "int4",
          (1, 4): "uint4", (0, 2): "int2", (1, 2): "uint2"}


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
    ("get_type", c.c_char_p, [c.c_void_p, c.c_int32]),
    ("value_tensor", STATUS, [c.c_void_p, c.POINTER(DLTensor), c.c_void_p]),
    ("value_strings", STATUS, [c.c_void_p, c.c_int32, c.POINTER(c.c_int64), c.c_void_p,
                               c.POINTER(c.c_size_t), c.c_void_p]),
    ("value_sequence", STATUS, [c.c_void_p, c.c_int64, c.c_void_p, c.c_void_p]),
    ("value_map", STATUS, [c.c_void_p, c.c_void_p, c.c_void_p, c.c_void_p]),
    ("value_optional", STATUS, [c.c_void_p, c.c_void_p, c.c_void_p]),
    ("value_retain", c.c_void_p, [c.c_void_p]),
    ("value_release", None, [c.c_void_p]),
    ("value_kind", c.c_int32, [c.c_void_p]),
    ("value_count", c.c_int64, [c.c_void_p]),
    ("value_view", STATUS, [c.c_void_p, c.POINTER(DLTensor)]),
    ("value_string", c.c_void_p, [c.c_void_p, c.c_int64, c.POINTER(c.c_size_t)]),
    ("value_element", c.c_void_p, [c.c_void_p, c.c_int64]),
]


class Api(c.Structure):
    _fields_ = [("struct_bytes", c.c_uint32), ("abi_version", c.c_uint32)] + [
        (name, c.CFUNCTYPE(result, *arguments))
        for name, result, arguments in FUNCTIONS]


class ModelTable(c.Structure):
    _fields_ = [("abi_version", c.c_uint32), ("num_variants", c.c_uint32),
                ("api", c.POINTER(Api)), ("variants", c.c_void_p)]


def numpy_type(dtype):
    """NumPy's type; of elements narrower than a byte, which take one in arrays."""
    narrow = NARROW.get((dtype.code, dtype.bits))
    if narrow:
        import ml_dtypes  # an optional package, needed for these alone
        return np.dtype(getattr(ml_dtypes, narrow))
    if dtype.code not in KINDS:
        raise TypeError(f"expected integers, floats or booleans, got code {dtype.code}")
    return np.dtype(f"{KINDS[dtype.code]}{max(1, dtype.bits // 8)}")


def dlpack_type(dtype):
    for (code, bits), name in NARROW.items():
        if dtype.name == name:
            return DLDataType(code, bits, 1)
    return DLDataType(CODES[dtype.kind], 8 * dtype.itemsize, 1)


def pack(array):
    """The bits of elements narrower than a byte, without gaps; else the array."""
    bits = dlpack_type(array.dtype).bits
    if bits >= 8:
        return array
    codes = np.unpackbits(array.reshape(-1, 1).view(np.uint8), axis=1, bitorder="little")
    return np.packbits(codes[:, :bits], bitorder="little")


def unpack(packed, array):
    """Fill `array` from what `pack` makes of it."""
    dtype = dlpack_type(array.dtype)
    codes = np.unpackbits(packed, bitorder="little")[:array.size * dtype.bits]
    codes = codes.reshape(array.size, dtype.bits)
    filler = codes[:, -1:] if dtype.code == 0 else np.zeros((array.size, 1), np.uint8)
    codes = np.hstack([codes, np.repeat(filler, 8 - dtype.bits, axis=1)])
    array[...] = np.packbits(codes, bitorder="little").view(array.dtype).reshape(array.shape)


def dense_tensor(array, memory):
    """A DLTensor of the type and shape of `array` over contiguous `memory`, which
    must outlive it."""
    shape = (c.c_int64 * max(1, array.ndim))(*array.shape)
    return DLTensor(memory.ctypes.data, 1, 0, array.ndim, dlpack_type(array.dtype),
                    shape, None, 0)


def shape_pointers(shapes):
    rows = [(c.c_int64 * max(1, len(s)))(*s) for s in shapes]
    pointers = (c.POINTER(c.c_int64) * max(1, len(rows)))(
        *(c.cast(r, c.POINTER(c.c_int64)) for r in rows))
    return rows, pointers


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
        self.inputs = self._infos(self.api.num_inputs, self.api.get_input, True)
        self.outputs = self._infos(self.api.num_outputs, self.api.get_output, False)
        self.values = host_values.Values(self.api, dense_tensor, numpy_type)
        self.handles = []
        self.feeds = self.results = ()

    def _infos(self, count, get, is_input):
        infos = []
        for index in range(count(self.model)):
            info = TensorInfo()
            self._check(get(self.model, index, c.byref(info)))
            # In place of the array's type stands that of a value.
            value_type = self.api.get_type(
                self.model, index if is_input else ~index)
            infos.append((info.name.decode(),
                          value_type.decode() if value_type else numpy_type(info.dtype),
                          info.rank))
        return infos

    def _check(self, status):
        if status:
            message = self.api.context_message(self.context)
            raise RuntimeError(f"status {status}: {message.decode()}")

    def bind(self, feeds):
        """Take the inputs by name and make room for the outputs."""
        self._release_handles()
        self.feeds = [feeds[name] if isinstance(dtype, str)
                      else np.asarray(feeds[name], dtype, order="C")
                      for name, dtype, _ in self.inputs]
        _, given = shape_pointers([np.shape(feed) if rank >= 0 else ()
                                   for feed, (_, _, rank) in zip(self.feeds, self.inputs)])
        rows, room = shape_pointers([(0,) * rank for _, _, rank in self.outputs])
        self._check(self.api.infer_shapes(self.context, given, room))
        # What the program itself finds the shape of, and values, it makes.
        self.results = [
            None if isinstance(dtype, str) or min(row[:rank], default=0) < 0
            else np.empty(tuple(row[:rank]), dtype)
            for row, (_, dtype, rank) in zip(rows, self.outputs)]
        self._memory = [None if isinstance(dtype, str) else pack(a)
                        for a, (_, dtype, _) in zip(self.feeds, self.inputs)]
        self._memory += [None if a is None else pack(a) for a in self.results]
        self._in = self._arguments(self.feeds, self.inputs, self._memory)
        self._out = self._arguments(self.results, self.outputs,
                                    self._memory[len(self.feeds):])

    def _arguments(self, arrays, infos, memory):
        tensors = []
        for array, (_, dtype, _), place in zip(arrays, infos, memory):
            if place is not None:
                tensors.append(dense_tensor(array, place))
            elif infos is self.inputs:
                handle = self.values.make(array, dtype)
                self.handles.append(handle)
                tensors.append(DLTensor(handle, 1, 0, 0, DLDataType(host_values.HANDLE, 64, 1),
                                        None, None, 0))
            else:
                tensors.append(DLTensor())
        return (DLTensor * max(1, len(tensors)))(*tensors)

    def _release_handles(self):
        for handle in self.handles:
            self.values.release(handle)
        self.handles = []

    def run(self):
        """Run once on what was bound; outputs by name, overwritten each time."""
        self._check(self.api.run(self.context, self._in, self._out))
        results = {}
        for index, ((name, dtype, _), array, memory) in enumerate(
                zip(self.outputs, self.results, self._memory[len(self.feeds):])):
            if array is None:
                made = self._out[index]
                if made.dtype.code == host_values.HANDLE:
                    array = self.values.read(made.data)
                else:
                    array = host_values.copy_tensor(made, dtype)
                self.api.release_output(self.context, c.byref(made))
                self._out[index] = DLTensor()
            elif memory is not array:
                unpack(memory, array)
            results[name] = array
        return results

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
        self._release_handles()
        self.api.context_destroy(self.context)
        self.context = c.c_void_p()
