// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_SOFTMAX_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_SOFTMAX_H

#include "Lowering.h"

namespace lathe {

/// The softmax along `axis` of `input`, whose sizes are `dims`, as `element`.
mlir::Value makeSoftmax(Lowering &l, Operand input, DimsRef dims, int64_t axis,
                        mlir::Type element);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_SOFTMAX_H
