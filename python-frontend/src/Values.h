// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values that are no plain tensors: strings are arrays of objects, sequences
// lists, maps dictionaries, and an optional without a value is None.

#ifndef LATHE_PYTHON_VALUES_H
#define LATHE_PYTHON_VALUES_H

#include "Model.h"
#include <nanobind/nanobind.h>
#include <utility>

namespace lathe::python {

/// How values travel through lathe_run.
inline constexpr DLDataType valueType = {kDLOpaqueHandle, 64, 1};

/// An owner of a value of the runtime.
class Value {
public:
  Value() = default;
  Value(const lathe_model *model, lathe_value *value)
      : model(model), value(value) {}
  Value(Value &&other) : model(other.model), value(other.value) {
    other.value = nullptr;
  }
  Value &operator=(Value &&other) {
    std::swap(model, other.model);
    std::swap(value, other.value);
    return *this;
  }
  ~Value() {
    if (value)
      lathe_value_release(model, value);
  }
  lathe_value *get() const { return value; }

private:
  const lathe_model *model = nullptr;
  lathe_value *value = nullptr;
};

/// Copies an object into a value of the type that `expected.type` names. Raises
/// InvalidArgument where it is of another.
Value makeValue(const lathe_model *model, const Signature &expected,
                nanobind::handle object);

/// Copies a value into an object.
nanobind::object readValue(const lathe_model *model, const lathe_value *value);

/// Text of a model, which may be no UTF-8.
nanobind::object toStr(const char *text, size_t length);

} // namespace lathe::python

#endif // LATHE_PYTHON_VALUES_H
