// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// lathe._native.State, for lathe/state.py.

#ifndef LATHE_PYTHON_STATEOBJECT_H
#define LATHE_PYTHON_STATEOBJECT_H

#include "State.h"
#include "Tensors.h"

namespace lathe::python {

/// A state with the NumPy types of its tensors.
class StateObject : public State {
public:
  StateObject(std::shared_ptr<Model> model,
              std::vector<std::vector<int64_t>> shapes);

  /// An array that shows what state `index` holds, without a copy. It keeps the
  /// memory alive.
  nanobind::object view(size_t index);
  /// Takes a copy of an array, whose type has been checked.
  void assign(size_t index, nanobind::handle array);

private:
  std::vector<ElementType> elements;
};

/// Adds the class to the module.
void defineState(nanobind::module_ &module);

} // namespace lathe::python

#endif // LATHE_PYTHON_STATEOBJECT_H
