// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A *nest* is what a generator makes from one structured op on buffers, the
// fills that initialize it and the elementwise ops that follow it: its stages,
// computed one after the other at each point. What is the same however points
// are computed is here.

#ifndef LATHE_TARGET_KERNEL_NEST_H
#define LATHE_TARGET_KERNEL_NEST_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/SmallVector.h"

namespace lathe {

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

/// The stage that a nest begins with: its dimensions are the nest's.
NestStage getFirstStage(mlir::linalg::LinalgOp op);

/// Fills in the dimensions of `stage`, and which operands are fed, through the
/// results of earlier stages that it reads. False where it reads none, or not
/// all of one at its own point.
bool mapStage(llvm::ArrayRef<NestStage> earlier, NestStage &stage);

/// Whether `stage` and an earlier one use the same memory at different points,
/// and one of them writes it.
bool hasConflict(llvm::ArrayRef<NestStage> earlier, NestStage &stage);

/// Fills in which outputs must be stored: those that no later stage overwrites
/// and that more than the ops in `inside`, all that the nest replaces, read.
void findStored(llvm::MutableArrayRef<NestStage> stages,
                const llvm::SmallPtrSetImpl<mlir::Operation *> &inside);

/// The allocation or argument that a buffer is a part of.
mlir::Value getRoot(mlir::Value buffer);

/// Whether an op between others has no part in what they do.
bool isTransparent(mlir::Operation *op);

/// The next structured op, if only address computations lie between.
mlir::linalg::LinalgOp findNext(mlir::linalg::LinalgOp op);

/// The fill that writes all of output `i` before `op`, with nothing between
/// that touches the same memory; null where there is none.
mlir::linalg::FillOp findFill(mlir::linalg::LinalgOp op, unsigned i);

/// Whether the body reads the running value of output `i`.
bool readsOutput(mlir::linalg::LinalgOp op, unsigned i);

/// Whether the body reads memory by itself.
bool readsMemory(mlir::linalg::LinalgOp op);

/// The op that folds a new value into output `i` of a reduction, if it is one
/// whose neutral element is known and nothing else reads the running value.
mlir::Operation *getCombiner(mlir::linalg::LinalgOp op, unsigned i);

/// The results of `map` at indices that are not negative, so that divisions are
/// unsigned.
llvm::SmallVector<mlir::Value> emitIndices(mlir::OpBuilder &builder,
                                           mlir::Location loc,
                                           mlir::AffineMap map,
                                           mlir::ValueRange dims);

} // namespace lathe

#endif // LATHE_TARGET_KERNEL_NEST_H
