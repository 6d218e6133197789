// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_TRANSFORMS_LAYOUT_GROUPEDPRODUCT_H
#define LATHE_TRANSFORMS_LAYOUT_GROUPEDPRODUCT_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include <optional>

namespace lathe {

/// A sum of products of narrow numbers, of which one lane of 32 bits adds up
/// several at once: in `i32` of unsigned and signed bytes, in `f32` of `bf16`.
struct GroupedProduct {
  unsigned left;  ///< The input that all lanes share; of unsigned bytes.
  unsigned right; ///< The other one.
  /// Numbers that a lane holds: four bytes, two `bf16`.
  int64_t group;
  /// Whether the left bytes are read with their highest bit turned: signed
  /// ones, moved up by 128.
  bool flips = false;
  /// The reduction that comes last in the left input, where it is contiguous.
  unsigned reduction;
};

/// Matches `result += extui(left) * extsi(right)`, or `extui(xori(left, 128))`,
/// or `result += extf(left) * extf(right)` of `bf16`, where `right` is the
/// input of that number, with a reduction that the left operand reads by its
/// last index alone.
std::optional<GroupedProduct> matchGroupedProduct(mlir::linalg::LinalgOp op,
                                                  unsigned right);

/// The reduction that an input of `op` reads by its last index alone.
std::optional<unsigned> findLastReduction(mlir::linalg::LinalgOp op,
                                          mlir::OpOperand &input);

} // namespace lathe

#endif // LATHE_TRANSFORMS_LAYOUT_GROUPEDPRODUCT_H
