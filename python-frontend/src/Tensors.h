// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Python objects as tensors of the C interface, and back, without copies where
// the memory is of the right type.

#ifndef LATHE_PYTHON_TENSORS_H
#define LATHE_PYTHON_TENSORS_H

#include "Model.h"
#include "Values.h"
#include <nanobind/nanobind.h>

namespace lathe::python {

/// What NumPy calls a type. `storage` is the type of the same width that every
/// NumPy knows, which is `type` itself but for the types of ml_dtypes.
struct ElementType {
  nanobind::object type, storage;
  int64_t bytes; ///< Of an element; 0 where several share a byte.
  bool isNative; ///< `type` is `storage`.
};

ElementType findElement(DLDataType dtype);

/// Raises the class `name` of lathe.errors.
[[noreturn]] void raise(const char *name, const std::string &message);
/// Sets the interpreter's error to what the runtime said.
void setError(const RuntimeFailure &failure);

/// An argument: borrows an object's memory while it lives. To be made and ended
/// with the interpreter's lock held.
class Argument {
public:
  Argument() = default;
  ~Argument();
  Argument(const Argument &) = delete;

  /// Takes an array of NumPy, an object with `__dlpack__`, or what
  /// `numpy.asarray` takes. Raises InvalidArgument where the type differs. To
  /// be called once.
  void take(nanobind::handle object, const Signature &expected,
            const ElementType &element);

  /// Makes a value of what is no plain tensor.
  void takeValue(const lathe_model *model, nanobind::handle object,
                 const Signature &expected);

  size_t getRank() const { return value.get() ? shape.size() : view.ndim; }
  const int64_t *getShape() const {
    return value.get() ? shape.data() : view.shape;
  }
  const DLTensor &getView() const { return view; }

private:
  void borrowArray(nanobind::object array, const Signature &expected,
                   const ElementType &element);
  void borrowCapsule(nanobind::handle object, const Signature &expected);
  void releaseBuffer();

  DLTensor view = {};
  Value value;
  std::vector<int64_t> shape, strides;
  Py_buffer buffer = {};
  bool hasBuffer = false;
  DLManagedTensor *managed = nullptr;
  DLManagedTensorVersioned *versioned = nullptr;
};

/// An array of NumPy that owns its memory, to be written by a run.
class Result {
public:
  /// A negative size is one that depends on data; the run then makes the
  /// memory, by `malloc`. It also makes what is no plain tensor.
  Result(const lathe_model *model, const Signature &expected,
         const ElementType &element, std::vector<int64_t> shape);
  ~Result();
  Result(const Result &) = delete;

  DLTensor &getView() { return view; }
  /// The array, after the run.
  nanobind::object take();

private:
  bool isPlain() const { return expected.type.empty(); }

  const lathe_model *model;
  const Signature &expected;
  const ElementType &element;
  DLTensor view = {};
  std::vector<int64_t> shape;
  nanobind::object array; ///< Of the storage type.
};

} // namespace lathe::python

#endif // LATHE_PYTHON_TENSORS_H
