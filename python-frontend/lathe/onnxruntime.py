# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Stands in for the module onnxruntime in programs that are written for it.

    import lathe.onnxruntime as onnxruntime

or, for programs that cannot be changed, before their first import of it:

    import lathe.onnxruntime
    lathe.onnxruntime.install()

What runs is Lathe on the CPU: a session compiles its model. Options that have
a meaning here are followed: numbers of threads, GraphOptimizationLevel (without
optimization nothing is fused), free dimensions, denormals. Those that would
have to be followed and cannot be, as profiling and custom operators, are errors;
those on how ONNX Runtime works inside have no effect."""

from __future__ import annotations

import ctypes
import enum
import os
import sys
import threading
import types
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from . import compiler
from . import session as _session
from .errors import CompileError, InvalidArgument, LatheError, RunError

__all__ = [
    "ExecutionMode", "Fail", "GraphOptimizationLevel", "IOBinding", "InferenceSession",
    "InvalidArgument", "ModelMetadata", "NodeArg", "NotImplemented", "OrtDevice", "OrtValue",
    "RunOptions", "RuntimeException", "SessionOptions", "disable_telemetry_events",
    "enable_telemetry_events", "get_all_providers", "get_available_providers", "get_device",
    "install", "set_default_logger_severity", "set_default_logger_verbosity", "set_seed",
]

#: Of ONNX Runtime's interface; the compiler's own is lathe.version().
__version__ = "1.31.0"
_PROVIDER = "CPUExecutionProvider"

Fail = CompileError
RuntimeException = RunError


class NotImplemented(LatheError):  # noqa: A001 (its name there)
    """Something of ONNX Runtime that this module does not have."""


class NoSuchFile(LatheError):
    """A model that is not there."""


class GraphOptimizationLevel(enum.IntEnum):
    """How much is optimized. Everything but ORT_DISABLE_ALL is the same here."""

    ORT_DISABLE_ALL = 0
    ORT_ENABLE_BASIC = 1
    ORT_ENABLE_EXTENDED = 2
    ORT_ENABLE_LAYOUT = 3
    ORT_ENABLE_ALL = 99


class ExecutionMode(enum.IntEnum):
    """Without effect: nodes run one after another, each on all threads."""

    ORT_SEQUENTIAL = 0
    ORT_PARALLEL = 1


class ExecutionOrder(enum.IntEnum):
    """Without effect."""

    DEFAULT = 0
    PRIORITY_BASED = 1
    MEMORY_EFFICIENT = 2


class SessionOptions:
    """How a session is made."""

    def __init__(self) -> None:
        self.intra_op_num_threads = 0
        self.graph_optimization_level = GraphOptimizationLevel.ORT_ENABLE_ALL
        self.enable_profiling = False
        self.optimized_model_filepath = ""
        # Without effect.
        self.inter_op_num_threads = 0
        self.execution_mode = ExecutionMode.ORT_SEQUENTIAL
        self.execution_order = ExecutionOrder.DEFAULT
        self.enable_cpu_mem_arena = True
        self.enable_mem_pattern = True
        self.enable_mem_reuse = True
        self.use_deterministic_compute = False
        self.log_severity_level = -1
        self.log_verbosity_level = 0
        self.logid = ""
        self.profile_file_prefix = ""
        self._dims: dict[str, int] = {}
        self._entries: dict[str, str] = {}

    def add_free_dimension_override_by_name(self, name: str, size: int) -> None:
        """Gives a symbolic dimension its size."""
        self._dims[name] = size

    def add_session_config_entry(self, key: str, value: str) -> None:
        """Of all entries, session.set_denormal_as_zero has an effect."""
        self._entries[key] = value

    def get_session_config_entry(self, key: str) -> str:
        return self._entries[key]

    def has_session_config_entry(self, key: str) -> bool:
        return key in self._entries

    def _refuse(self, name: str) -> None:
        raise NotImplemented(f"SessionOptions.{name}: expected not to be used with Lathe")

    def register_custom_ops_library(self, path: str) -> None:
        self._refuse("register_custom_ops_library")

    def add_initializer(self, name: str, value: OrtValue) -> None:
        self._refuse("add_initializer")

    def add_external_initializers(self, names: Sequence[str], values: Sequence[OrtValue]) -> None:
        self._refuse("add_external_initializers")

    def add_free_dimension_override_by_denotation(self, denotation: str, size: int) -> None:
        self._refuse("add_free_dimension_override_by_denotation")

    def _for_lathe(self) -> dict[str, Any]:
        """Arguments of lathe.InferenceSession."""
        for name in ("enable_profiling", "optimized_model_filepath"):
            if getattr(self, name):
                self._refuse(name)
        given: dict[str, Any] = {"threads": self.intra_op_num_threads}
        if self.graph_optimization_level == GraphOptimizationLevel.ORT_DISABLE_ALL:
            given["fusion"] = "none"
        if self._dims:
            given["dim"] = self._dims
        given["flush_denormals"] = self._entries.get("session.set_denormal_as_zero") == "1"
        return given


class RunOptions:
    """Without effect."""

    def __init__(self) -> None:
        self.log_severity_level = -1
        self.log_verbosity_level = 0
        self.logid = ""
        self.only_execute_path_to_fetches = False
        self.terminate = False

    def add_run_config_entry(self, key: str, value: str) -> None:
        """Without effect."""


class NodeArg:
    """An input or output of a model."""

    def __init__(self, info: _session.TensorInfo) -> None:
        self.name = info.name
        self.type = info.type
        self.shape = list(info.shape or ())

    def __repr__(self) -> str:
        return f"NodeArg(name='{self.name}', type='{self.type}', shape={self.shape})"


class ModelMetadata:
    """What a model says of itself."""

    def __init__(self, meta: _session.ModelMeta) -> None:
        self.producer_name = meta.producer_name
        self.graph_name = meta.graph_name
        self.graph_description = ""
        self.domain = meta.domain
        self.description = meta.description
        self.version = meta.version
        self.custom_metadata_map = dict(meta.custom_metadata_map)


class OrtDevice:
    """A device; only the CPU is one."""

    def __init__(self, kind: str = "cpu", device_id: int = 0) -> None:
        _expect_cpu(kind)
        self._id = device_id

    @staticmethod
    def make(name: str, device_id: int) -> OrtDevice:
        return OrtDevice(name, device_id)

    def device_id(self) -> int:
        return self._id

    def device_type(self) -> str:
        return "cpu"


def _expect_cpu(kind: str) -> None:
    if kind.lower() != "cpu":
        raise NotImplemented(f"device: expected cpu, got {kind}")


class OrtValue:
    """A value that a model takes or gives: an array, or a list or dictionary."""

    def __init__(self, value: Any) -> None:
        self._value = value

    @classmethod
    def ortvalue_from_numpy(cls, array: np.ndarray, device_type: str = "cpu",
                            device_id: int = 0) -> OrtValue:
        """The array itself, not a copy."""
        _expect_cpu(device_type)
        return cls(array)

    @classmethod
    def ortvalue_from_shape_and_type(cls, shape: Sequence[int], element_type: Any,
                                     device_type: str = "cpu", device_id: int = 0) -> OrtValue:
        _expect_cpu(device_type)
        return cls(np.empty(tuple(shape), element_type))

    @classmethod
    def from_dlpack(cls, tensor: Any, is_bool_tensor: bool = False) -> OrtValue:
        array = np.from_dlpack(tensor)
        return cls(array.view(bool) if is_bool_tensor else array)

    def numpy(self) -> np.ndarray:
        return self._array()

    def _array(self) -> np.ndarray:
        if not isinstance(self._value, np.ndarray):
            raise RunError(f"expected a tensor, got {type(self._value).__name__}")
        return self._value

    def shape(self) -> list[int]:
        return list(self._array().shape)

    def data_type(self) -> str:
        if not isinstance(self._value, np.ndarray):
            return "seq" if isinstance(self._value, list) else "map"
        return f"tensor({_onnx_name(self._value.dtype)})"

    def data_ptr(self) -> int:
        return int(self._array().ctypes.data)

    def device_name(self) -> str:
        return "cpu"

    def is_tensor(self) -> bool:
        return isinstance(self._value, np.ndarray)

    def is_tensor_sequence(self) -> bool:
        return isinstance(self._value, list)

    def is_sparse_tensor(self) -> bool:
        return False

    def has_value(self) -> bool:
        return self._value is not None

    def update_inplace(self, array: np.ndarray) -> None:
        np.copyto(self._array(), array, casting="no")

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self._array().__dlpack__(**kwargs)

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._array().__dlpack_device__()


def _onnx_name(dtype: np.dtype) -> str:
    return {"float32": "float", "float64": "double", "object": "string"}.get(dtype.name, dtype.name)


class IOBinding:
    """Inputs and outputs that are bound before a run."""

    def __init__(self, session: InferenceSession) -> None:
        self._session = session
        self._feeds: dict[str, Any] = {}
        self._wanted: dict[str, Callable[[Any], Any] | None] = {}
        self._results: list[OrtValue] = []

    def bind_cpu_input(self, name: str, array: np.ndarray) -> None:
        self._feeds[name] = array

    def bind_ortvalue_input(self, name: str, value: OrtValue) -> None:
        self._feeds[name] = value._value

    def bind_input(self, name: str, device_type: str, device_id: int, element_type: Any,
                   shape: Sequence[int], buffer_ptr: int) -> None:
        _expect_cpu(device_type)
        self._feeds[name] = _array_at(buffer_ptr, element_type, shape)

    def bind_output(self, name: str, device_type: str = "cpu", device_id: int = 0,
                    element_type: Any = None, shape: Sequence[int] | None = None,
                    buffer_ptr: int | None = None) -> None:
        _expect_cpu(device_type)
        if buffer_ptr is None:
            self._wanted[name] = None
        else:
            self._write_to(name, _array_at(buffer_ptr, element_type, shape or ()))

    def bind_ortvalue_output(self, name: str, value: OrtValue) -> None:
        self._write_to(name, value.numpy())

    def _write_to(self, name: str, room: np.ndarray) -> None:
        def write(result: np.ndarray) -> np.ndarray:
            if room.shape != result.shape or room.dtype != result.dtype:
                raise InvalidArgument(f"output '{name}': expected {result.dtype} of "
                                      f"{result.shape}, got {room.dtype} of {room.shape}")
            np.copyto(room, result)
            return room
        self._wanted[name] = write

    def clear_binding_inputs(self) -> None:
        self._feeds.clear()

    def clear_binding_outputs(self) -> None:
        self._wanted.clear()

    def synchronize_inputs(self) -> None:
        """Nothing to wait for."""

    def synchronize_outputs(self) -> None:
        """Nothing to wait for."""

    def get_outputs(self) -> list[OrtValue]:
        return self._results

    def copy_outputs_to_cpu(self) -> list[Any]:
        return [value._value for value in self._results]

    def _run(self) -> None:
        names = list(self._wanted)
        results = self._session.run(names, self._feeds)
        self._results = [OrtValue(place(result) if place else result)
                         for place, result in zip(self._wanted.values(), results)]


def _array_at(address: int, element_type: Any, shape: Sequence[int]) -> np.ndarray:
    dtype = np.dtype(element_type)
    size = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
    memory = (ctypes.c_char * size).from_address(address)
    return np.frombuffer(memory, dtype).reshape(tuple(shape))


class InferenceSession:
    """A model that is ready to run. Providers other than the CPU's are passed
    over with a warning."""

    def __init__(self, path_or_bytes: Any, sess_options: SessionOptions | None = None,
                 providers: Sequence[Any] | None = None,
                 provider_options: Sequence[Mapping[str, Any]] | None = None,
                 **kwargs: Any) -> None:
        self._options = sess_options or SessionOptions()
        names = [entry if isinstance(entry, str) else entry[0] for entry in providers or ()]
        for name in names:
            if name != _PROVIDER:
                warnings.warn(f"expected provider {_PROVIDER}, got {name}, which is not "
                              "available", stacklevel=2)
        if isinstance(path_or_bytes, str) and not os.path.isfile(path_or_bytes):
            raise NoSuchFile(f"{path_or_bytes}: expected a file, got none")
        self._session = _session.InferenceSession(path_or_bytes, **self._options._for_lathe())

    def get_inputs(self) -> list[NodeArg]:
        return [NodeArg(info) for info in self._session.get_inputs()]

    def get_outputs(self) -> list[NodeArg]:
        return [NodeArg(info) for info in self._session.get_outputs()]

    def get_overridable_initializers(self) -> list[NodeArg]:
        return []

    def get_modelmeta(self) -> ModelMetadata:
        return ModelMetadata(self._session.get_modelmeta())

    def get_session_options(self) -> SessionOptions:
        return self._options

    def get_providers(self) -> list[str]:
        return [_PROVIDER]

    def get_provider_options(self) -> dict[str, dict[str, str]]:
        return {_PROVIDER: {}}

    def set_providers(self, providers: Sequence[Any] | None = None,
                      provider_options: Sequence[Mapping[str, Any]] | None = None) -> None:
        """Without effect: there is one provider."""

    def disable_fallback(self) -> None:
        """Without effect."""

    def enable_fallback(self) -> None:
        """Without effect."""

    def run(self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any],
            run_options: RunOptions | None = None) -> list[Any]:
        """The outputs of these names, or all."""
        feeds = {name: value._value if isinstance(value, OrtValue) else value
                 for name, value in input_feed.items()}
        return self._session.run(output_names or None, feeds)

    def run_with_ort_values(self, output_names: Sequence[str] | None,
                            input_dict_ort_values: Mapping[str, OrtValue],
                            run_options: RunOptions | None = None) -> list[OrtValue]:
        return [OrtValue(value) for value in self.run(output_names, input_dict_ort_values)]

    def run_async(self, output_names: Sequence[str] | None, input_feed: Mapping[str, Any],
                  callback: Callable[[list[Any], Any, str], None], user_data: Any,
                  run_options: RunOptions | None = None) -> None:
        """Runs in a thread of its own, then calls back there."""
        def work() -> None:
            try:
                results, message = self.run(output_names, input_feed), ""
            except LatheError as error:
                results, message = [], str(error)
            callback(results, user_data, message)

        threading.Thread(target=work).start()

    def io_binding(self) -> IOBinding:
        return IOBinding(self)

    def run_with_iobinding(self, iobinding: IOBinding,
                           run_options: RunOptions | None = None) -> None:
        iobinding._run()

    def end_profiling(self) -> str:
        raise NotImplemented("end_profiling: expected not to be used with Lathe; "
                             "see 'lathe bench --profile'")


def get_available_providers() -> list[str]:
    return [_PROVIDER]


def get_all_providers() -> list[str]:
    return [_PROVIDER]


def get_device() -> str:
    return "CPU"


def get_version_string() -> str:
    return __version__


def get_build_info() -> str:
    return f"Lathe {compiler.version()}"


def set_default_logger_severity(severity: int) -> None:
    """Without effect: nothing is logged."""


def set_default_logger_verbosity(verbosity: int) -> None:
    """Without effect: nothing is logged."""


def set_seed(seed: int) -> None:
    """Without effect: operators that draw numbers have seeds of their own."""


def enable_telemetry_events() -> None:
    """Without effect: there are none."""


def disable_telemetry_events() -> None:
    """Without effect: there are none."""


def install() -> None:
    """Puts this module in the place of onnxruntime, for the whole program."""
    this = sys.modules[__name__]
    capi = types.ModuleType("onnxruntime.capi")
    capi.__path__ = []
    sys.modules["onnxruntime"] = this
    sys.modules["onnxruntime.capi"] = capi
    for name in ("onnxruntime_pybind11_state", "_pybind_state"):
        setattr(capi, name, this)
        sys.modules[f"onnxruntime.capi.{name}"] = this
    inference = types.ModuleType("onnxruntime.capi.onnxruntime_inference_collection")
    for public in ("InferenceSession", "IOBinding", "OrtValue", "OrtDevice"):
        setattr(inference, public, getattr(this, public))
    sys.modules[inference.__name__] = inference
