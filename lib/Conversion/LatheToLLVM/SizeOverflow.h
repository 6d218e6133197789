// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes that do not fit in 64 bits. An overflow would give a small buffer and a
// long loop over it, so it has to be seen where sizes are computed.

#ifndef LATHE_LIB_CONVERSION_LATHETOLLVM_SIZEOVERFLOW_H
#define LATHE_LIB_CONVERSION_LATHETOLLVM_SIZEOVERFLOW_H

#include "mlir/IR/Builders.h"

namespace lathe {

/// What `eval` returns where a size does not fit in 64 bits.
inline constexpr int32_t sizeOverflowStatus = -1;

/// Returns an `i1` that says whether any of the sums, differences and products
/// of indices in `block` overflows. The checks are created after each of them.
mlir::Value createOverflowFlag(mlir::Block &block, mlir::Location loc);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_LATHETOLLVM_SIZEOVERFLOW_H
