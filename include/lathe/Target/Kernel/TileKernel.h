// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiling of kernels in tensor form into a grid. The sizes are the caller's
// choice; all else is the same for every target.

#ifndef LATHE_TARGET_KERNEL_TILEKERNEL_H
#define LATHE_TARGET_KERNEL_TILEKERNEL_H

#include "lathe/Dialect/Lathe/IR/Lathe.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace lathe {

/// An op of a kernel that reduces.
struct KernelSum {
  mlir::linalg::LinalgOp op;
  /// The root's dimension of each of its dimensions; -1: none.
  llvm::SmallVector<int> dims;
};

/// What the choice of tiles needs to know of a kernel's body.
struct KernelShape {
  mlir::linalg::LinalgOp root;
  /// Extents of the root's dimensions, as constants and as expressions over the
  /// kernel's sizes (symbols).
  llvm::SmallVector<int64_t> extents;
  llvm::SmallVector<mlir::AffineExpr> expressions;
  /// Dimensions of the root that some reduction before it does not have, so
  /// that cutting them computes that reduction again.
  llvm::SmallVector<bool> keepWhole;
  /// From the last one to the first.
  llvm::SmallVector<KernelSum> sums;
  /// The op with most arithmetic.
  mlir::linalg::LinalgOp heaviest;
  /// The root's dimension of each of its dimensions; -1: none.
  llvm::SmallVector<int> heaviestDims;
  /// Results of the kernel that producers of the root make.
  llvm::SmallPtrSet<mlir::Operation *, 4> yielded;
};

struct TileChoice {
  /// One per dimension of the root, 0 where it is not tiled.
  llvm::SmallVector<int64_t> sizes;
  /// The root's dimension whose tiles run slowest.
  std::optional<unsigned> slowest;
};

/// Replaces the sizes of inputs by constants and the size arguments.
void replaceDims(KernelOp kernel);

/// Tiles the op that makes the kernel's results into one `scf.forall`, computes
/// all that it reads inside, per tile, and writes `lathe.grid`, the number of
/// tiles. What cannot be tiled is one tile. Errors are reported at the kernel.
llvm::LogicalResult
tileKernel(KernelOp kernel,
           llvm::function_ref<TileChoice(const KernelShape &)> choose);

} // namespace lathe

#endif // LATHE_TARGET_KERNEL_TILEKERNEL_H
