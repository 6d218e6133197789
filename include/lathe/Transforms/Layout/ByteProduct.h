// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_TRANSFORMS_LAYOUT_BYTEPRODUCT_H
#define LATHE_TRANSFORMS_LAYOUT_BYTEPRODUCT_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include <optional>

namespace lathe {

/// How many products of bytes one lane of a dot product sums.
inline constexpr int64_t byteGroup = 4;

/// A sum, in `i32`, of products of unsigned and signed bytes.
struct ByteProduct {
  unsigned left;  ///< The input of unsigned bytes.
  unsigned right; ///< The input of signed ones.
  /// Whether the left bytes are read with their highest bit turned: signed
  /// ones, moved up by 128.
  bool flips;
  /// The reduction that comes last in the left input, where it is contiguous.
  unsigned reduction;
};

/// Matches `result += extui(left) * extsi(right)`, or `extui(xori(left, 128))`,
/// with a reduction that the left operand reads by its last index alone.
std::optional<ByteProduct> matchByteProduct(mlir::linalg::LinalgOp op);

} // namespace lathe

#endif // LATHE_TRANSFORMS_LAYOUT_BYTEPRODUCT_H
