// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_LIB_TRANSFORMS_PRECISION_PLAINCONVOLUTION_H
#define LATHE_LIB_TRANSFORMS_PRECISION_PLAINCONVOLUTION_H

#include "lathe/Dialect/Lathe/IR/Lathe.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include <optional>

namespace lathe {

/// On convolutions between `choose-winograd` and `expand-winograd`: outputs
/// along each side of a tile.
inline constexpr llvm::StringLiteral winogradAttrName = "lathe.winograd";

/// A convolution of `f32` images `[n, h, w, c]` with a constant square filter
/// to `[n, h, w, k]`; strides and dilations are one, all sizes but the number
/// of images are known.
struct PlainConvolution {
  mlir::Value image; ///< Without the padding around it.
  WeightOp filter;
  /// Dimensions of the filter that hold `k`, `c` and the taps of each side.
  llvm::SmallVector<int64_t> filterPerm;
  int64_t low[2]; ///< Rows and columns of zeros before the image.
  int64_t taps;   ///< Along each side of the filter.

  int64_t getInput(unsigned side) const;
  int64_t getChannels() const;
  int64_t getImages() const; ///< Or `ShapedType::kDynamic`.
};

/// Matches a convolution. Where there is none, and the op is nearly one,
/// `reason` says why.
std::optional<PlainConvolution> matchPlainConvolution(mlir::linalg::GenericOp,
                                                      llvm::StringRef &reason);

} // namespace lathe

#endif // LATHE_LIB_TRANSFORMS_PRECISION_PLAINCONVOLUTION_H
