// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_REDUCTION_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_REDUCTION_H

#include "Elementwise.h"

namespace lathe {

/// A reduction by `combine`, from `init`, of `before(x)`; `after` gets the
/// result and the number of elements that it is of.
struct Reduction {
  mlir::TypedAttr init;
  mlir::Value (Element::*combine)(mlir::Value, mlir::Value) const;
  llvm::function_ref<mlir::Value(const Element &, mlir::Value)> before;
  llvm::function_ref<mlir::Value(const Element &, mlir::Value, mlir::Value)>
      after;
  /// Exponentials are reduced, of the distance to the maximum, which is added
  /// to the result: as log(sum(exp(x))) does not overflow.
  bool shiftsByMaximum = false;
};

/// Reduces operand 0 along the axes in operand 1, which are known when the
/// program runs; elements are cast to `working` and from it. Binds the sizes of
/// the result.
llvm::LogicalResult reduceAlongAny(Lowering &l, mlir::Type working,
                                   const Reduction &reduction, bool keepDims);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_REDUCTION_H
