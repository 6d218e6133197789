# Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Lathe as a backend of ONNX (onnx.backend.base.Backend).

    outputs = lathe.backend.run_model(model, [x, y])

Keyword arguments of prepare, run_model and run_node are those of
lathe.InferenceSession. Needs the package onnx."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper
from onnx.backend.base import Backend, BackendRep, namedtupledict

from .errors import InvalidArgument
from .session import InferenceSession

__all__ = ["LatheBackend", "LatheBackendRep", "is_compatible", "prepare", "run_model",
           "run_node", "supports_device"]


class LatheBackendRep(BackendRep):
    """A model that is ready to run."""

    def __init__(self, session: InferenceSession) -> None:
        self.session = session
        self._names = [info.name for info in session.get_inputs()]
        self._tuple = namedtupledict("Outputs", [info.name for info in session.get_outputs()])

    def run(self, inputs: Any, **kwargs: Any) -> tuple[Any, ...]:
        """Takes the inputs as a list in the model's order, as a dictionary by
        name, or a single array. Outputs can be read by position and by name."""
        if isinstance(inputs, Mapping):
            feeds = dict(inputs)
        elif isinstance(inputs, (list, tuple)):
            if len(inputs) != len(self._names):
                raise InvalidArgument(f"expected {len(self._names)} inputs, got {len(inputs)}")
            feeds = dict(zip(self._names, inputs))
        else:
            feeds = dict(zip(self._names, [inputs]))
        return self._tuple(*self.session.run(None, feeds, **kwargs))


class LatheBackend(Backend):
    """Compiles models as they are prepared. Compiling in this process is the
    default here, since models of backend tests are small."""

    @classmethod
    def prepare(cls, model: onnx.ModelProto, device: str = "CPU", **kwargs: Any,
                ) -> LatheBackendRep:
        """Compiles a model, which the compiler itself checks."""
        if not cls.supports_device(device):
            raise InvalidArgument(f"device: expected CPU, got '{device}'")
        kwargs.setdefault("in_process", True)
        return LatheBackendRep(InferenceSession(model, **kwargs))

    @classmethod
    def run_model(cls, model: onnx.ModelProto, inputs: Any, device: str = "CPU",
                  **kwargs: Any) -> tuple[Any, ...]:
        """Compiles a model and runs it once."""
        return cls.prepare(model, device, **kwargs).run(inputs)

    @classmethod
    def run_node(cls, node: onnx.NodeProto, inputs: Any, device: str = "CPU",
                 outputs_info: Sequence[tuple[Any, tuple[int, ...]]] | None = None,
                 **kwargs: Any) -> tuple[Any, ...]:
        """Compiles a model of one node and runs it once. `outputs_info` gives
        types and shapes of the outputs, which are inferred otherwise;
        `opset_version` that of the node's domain."""
        given = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
        model = _make_model(node, [np.asarray(value) for value in given], outputs_info,
                            kwargs.pop("opset_version", None))
        return cls.run_model(model, given, device, **kwargs)

    @classmethod
    def supports_device(cls, device: str) -> bool:
        """Whether models can run there: on the CPU."""
        return device.split(":")[0] == "CPU"


def _make_model(node: onnx.NodeProto, inputs: Sequence[np.ndarray],
                outputs_info: Sequence[tuple[Any, tuple[int, ...]]] | None,
                opset_version: int | None) -> onnx.ModelProto:
    names = list(dict.fromkeys(name for name in node.input if name))
    if len(names) != len(inputs):
        raise InvalidArgument(f"expected {len(names)} inputs of {node.op_type}, "
                              f"got {len(inputs)}")
    values = [helper.make_tensor_value_info(
        name, helper.np_dtype_to_tensor_dtype(array.dtype), array.shape)
        for name, array in zip(names, inputs)]
    wanted = [name for name in node.output if name]
    if outputs_info is not None:
        results = [helper.make_tensor_value_info(
            name, helper.np_dtype_to_tensor_dtype(np.dtype(dtype)), shape)
            for name, (dtype, shape) in zip(wanted, outputs_info)]
    else:
        results = [helper.make_empty_tensor_value_info(name) for name in wanted]
    latest = onnx.defs.onnx_opset_version() if not node.domain else 1
    if node.domain == "ai.onnx.ml":
        latest = max(schema.since_version for schema in onnx.defs.get_all_schemas()
                     if schema.domain == node.domain)
    opsets = [helper.make_opsetid(node.domain, opset_version or latest)]
    model = helper.make_model(helper.make_graph([node], "node", values, results),
                              opset_imports=opsets)
    if outputs_info is None:
        # Small inputs are known to inference, as sizes and axes have to be.
        inferred = onnx.shape_inference.infer_shapes(_with_constants(model, inputs))
        del model.graph.output[:]
        model.graph.output.extend(inferred.graph.output)
    return model


def _with_constants(model: onnx.ModelProto, inputs: Sequence[np.ndarray]) -> onnx.ModelProto:
    known = onnx.ModelProto()
    known.CopyFrom(model)
    for value, array in zip(model.graph.input, inputs):
        if array.size <= 64 and array.dtype.kind in "iub":
            known.graph.initializer.append(numpy_helper.from_array(array, value.name))
    return known


is_compatible = LatheBackend.is_compatible
prepare = LatheBackend.prepare
run_model = LatheBackend.run_model
run_node = LatheBackend.run_node
supports_device = LatheBackend.supports_device
