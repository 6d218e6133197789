// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What normalizations are made of. Statistics of `x`, whose sizes are `dims`,
// over `axes` are read by loops over all of `dims`.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_NORMALIZATION_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_NORMALIZATION_H

#include "Lowering.h"

namespace lathe {

Operand makeMean(Lowering &l, Operand x, DimsRef dims,
                 llvm::ArrayRef<int64_t> axes);

/// The mean of (x - mean)^2, or of x^2 without a mean.
Operand makeVariance(Lowering &l, Operand x, std::optional<Operand> mean,
                     DimsRef dims, llvm::ArrayRef<int64_t> axes);

/// 1 / sqrt(variance + epsilon), of sizes `kept`.
Operand makeInverse(Lowering &l, Operand variance, DimsRef kept,
                    double epsilon);

/// (x - mean) * inverse * scale + shift, stored as result 0; all but x and the
/// inverse are optional.
mlir::Value applyNormalization(Lowering &l, Operand x,
                               std::optional<Operand> mean, Operand inverse,
                               std::optional<Operand> scale,
                               std::optional<Operand> shift, DimsRef dims);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_NORMALIZATION_H
