// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Activations that an attribute names: those of the cells of recurrent nets,
// and those that an optimizer has put into another operator.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_NAMEDACTIVATION_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_NAMEDACTIVATION_H

#include "Elementwise.h"

namespace lathe {

/// A function by its lower-case name; the parameters' values where none are
/// given, nothing where it has none.
struct ActivationKind {
  llvm::StringRef name;
  std::optional<double> alpha, beta;
  mlir::Value (*emit)(const Element &, mlir::Value x, mlir::Value alpha,
                      mlir::Value beta);
  /// Whether ONNX gives it to the cells of recurrent nets.
  bool isOfCells = true;
};

/// Null where no function has that name.
const ActivationKind *findActivation(llvm::StringRef name);

/// A function that is there, with its parameters.
struct Activation {
  const ActivationKind *kind;
  double alpha = 0, beta = 0;

  mlir::Value emit(const Element &e, mlir::Value x) const {
    return kind->emit(e, x, e.constant(alpha), e.constant(beta));
  }
};

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_NAMEDACTIVATION_H
