// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nests as threads compute them: together, between two barriers.

#ifndef LATHE_LIB_TARGET_CUDA_NEST_H
#define LATHE_LIB_TARGET_CUDA_NEST_H

#include "lathe/Target/Kernel/Nest.h"

namespace lathe::cuda {

struct Nest {
  /// The first stage defines the iteration space; only it may reduce.
  llvm::SmallVector<NestStage> stages;
  /// Per output of the first stage: the scalar it starts from, or null where it
  /// starts from what is in the buffer.
  llvm::SmallVector<mlir::Value> initial;
  /// All ops that the nest replaces.
  llvm::SmallVector<mlir::Operation *> ops;

  mlir::linalg::LinalgOp getMain() const { return stages.front().op; }
};

/// The nest that begins with `op`, a structured op on buffers.
Nest collectNest(mlir::linalg::LinalgOp op);

/// Whether all points of the parallel dimensions can be computed at the same
/// time: every output is written once per point, and no body writes memory.
bool isDistributable(mlir::linalg::LinalgOp op);

/// A reduction of products: what it multiplies, and which dimensions of the op
/// each factor, and so the result, depends on.
struct Contraction {
  mlir::Value lhs, rhs; ///< In the body.
  llvm::SmallVector<unsigned> batch, rows, columns, depth;
};

/// Matches an op with one result whose factors have dimensions of their own;
/// `columns` holds the last dimension of the result if that is one of them.
std::optional<Contraction> matchContraction(mlir::linalg::LinalgOp op);

/// Dimensions of the op that a value in its body depends on, as bits.
uint64_t getDims(mlir::linalg::LinalgOp op, mlir::Value value);

} // namespace lathe::cuda

#endif // LATHE_LIB_TARGET_CUDA_NEST_H
