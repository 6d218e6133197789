// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_CONVOLUTION_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_CONVOLUTION_H

#include "Contraction.h"
#include "Window.h"

namespace lathe {

/// Sums products of operands, which carry their maps, over loops of which the
/// first are those of the result.
using Contract = llvm::function_ref<mlir::Value(
    llvm::ArrayRef<Operand> inputs, unsigned numLoops, DimsRef dims)>;

/// Convolves `x` with `weight` [f, c / group, kernel…] (both as they are
/// stored), padded by `padding` (by default zero) as `window` says. `dims` are
/// those of `x`.
mlir::Value convolve(Lowering &l, Operand x, Operand weight, DimsRef dims,
                     DimsRef outDims, const Window &window, int64_t group,
                     Contract contract, mlir::TypedAttr padding = {});

/// Convolves operand 0 by operand 1, in the compute type of the elements.
mlir::FailureOr<mlir::Value> convolveOperands(
    Lowering &l, int64_t group,
    llvm::function_ref<mlir::FailureOr<Window>(llvm::ArrayRef<int64_t> kernel)>
        makeWindow);

template <typename OpTy>
mlir::FailureOr<mlir::Value> convolveOperands(OpTy op, Lowering &l) {
  return convolveOperands(l, op.getGroup(),
                          [&](llvm::ArrayRef<int64_t> kernel) {
                            return makeWindow(op, l, kernel);
                          });
}

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_CONVOLUTION_H
