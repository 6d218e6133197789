// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_LIB_TRANSFORMS_LAYOUT_WINDOW_H
#define LATHE_LIB_TRANSFORMS_LAYOUT_WINDOW_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include <optional>

namespace lathe {

/// An op that slides a window: an input is read at `stride * out + dilation *
/// window` along its spatial dimensions.
struct WindowMatch {
  unsigned input; ///< Which input is read through the window.
  /// Layouts with the spatial dimensions before all others but the first.
  llvm::SmallVector<int64_t> inputPerm, resultPerm;
  llvm::SmallVector<unsigned> windowDims; ///< Iteration dimensions.
};

/// Whether an operand is read at `expr` by a window that moves, and not one
/// element, or one group, after the other.
bool isSpatial(mlir::AffineExpr expr);

/// Matches a structured op with one window; none where the first dimension of
/// the input or the result is spatial, or nothing but it is.
std::optional<WindowMatch> matchWindow(mlir::linalg::GenericOp op);

/// On ops between `choose-layouts` and `materialize-layouts`.
inline constexpr llvm::StringLiteral layoutAttrName = "lathe.layout";

} // namespace lathe

#endif // LATHE_LIB_TRANSFORMS_LAYOUT_WINDOW_H
