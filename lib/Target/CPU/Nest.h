// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A *nest* is what the generator makes from one structured op on buffers, the
// fill that initializes it and the elementwise ops that follow it.

#ifndef LATHE_LIB_TARGET_CPU_NEST_H
#define LATHE_LIB_TARGET_CPU_NEST_H

#include "lathe/Target/CPU/CPU.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

namespace lathe::cpu {

/// An op that is computed at every point of a nest.
struct NestStage {
  mlir::linalg::LinalgOp op;
  /// The nest's dimension of each dimension of the op.
  llvm::SmallVector<unsigned> dims;
  /// Operands that are results of earlier stages: operand number to (stage,
  /// result).
  llvm::DenseMap<unsigned, std::pair<unsigned, unsigned>> fed;
  /// Per output: false where nothing but later stages reads it.
  llvm::SmallVector<bool> stored;
};

struct Nest {
  /// The first stage defines the iteration space; only it may reduce.
  llvm::SmallVector<NestStage> stages;
  /// Per output of the first stage: the scalar it starts from, or null where it
  /// starts from what is in the buffer.
  llvm::SmallVector<mlir::Value> initial;

  mlir::linalg::LinalgOp getMain() { return stages.front().op; }
};

/// How the lanes of a vector see an operand.
enum class LaneAccess { Invariant, Contiguous, Strided };

/// The access of `operand` by lanes along dimension `dim` of its op.
/// `lanes` consecutive points start at a multiple of `lanes`.
LaneAccess classifyAccess(mlir::OpOperand &operand, unsigned dim,
                          unsigned lanes);

/// The op that folds a new value into output `i` of a reduction, if it is one
/// whose neutral element is known and nothing else reads the running value.
mlir::Operation *getCombiner(mlir::linalg::LinalgOp op, unsigned i);

/// The choices for one nest.
struct NestPlan {
  /// The dimension along which lanes run, or -1 for scalar code.
  int vectorDim = -1;
  unsigned lanes = 1;
  /// Whether `vectorDim` is a reduction: lanes hold partial results.
  bool horizontal = false;
  /// Vectors side by side along `vectorDim`.
  unsigned vectors = 1;
  /// Parallel dimensions blocked in registers, outermost first, with the number
  /// of points in a full block.
  llvm::SmallVector<std::pair<unsigned, unsigned>, 2> blocks;
  /// The parallel dimensions, outermost loop first.
  llvm::SmallVector<unsigned> order;
};

/// Chooses a plan from shapes and the target. Extents that are not known are
/// `ShapedType::kDynamic`.
NestPlan planNest(Nest &nest, llvm::ArrayRef<int64_t> extents,
                  const Target &target);

/// Emits the loops at `builder`'s insertion point.
void generateNest(mlir::OpBuilder &builder, Nest &nest, const Target &target);

} // namespace lathe::cpu

#endif // LATHE_LIB_TARGET_CPU_NEST_H
