// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is decided about a kernel, where it is not left to the cost model, and
// what else could be. None of it changes the order in which anything is summed
// up.

#ifndef LATHE_LIB_TARGET_CPU_DECISIONS_H
#define LATHE_LIB_TARGET_CPU_DECISIONS_H

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Target/Kernel/TileKernel.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/LogicalResult.h"
#include <optional>
#include <utility>

namespace lathe::cpu {

/// Points of dimensions that are blocked in registers.
using RegisterBlocks = llvm::SmallVector<std::pair<unsigned, unsigned>, 2>;

/// What `planNest` would choose.
struct NestDecision {
  unsigned vectorDim = 0; ///< The dimension of the lanes.
  unsigned vectors = 1;   ///< Side by side along it.
  RegisterBlocks blocks;
  /// Whether the loop over vectors is the innermost one of the parallel ones.
  bool vectorsInside = false;
  bool unrolls = true;    ///< Windows over vectors do without loops.
  bool prefetches = true; ///< What is read later is asked for early.

  bool operator==(const NestDecision &other) const {
    return vectorDim == other.vectorDim && vectors == other.vectors &&
           blocks == other.blocks && vectorsInside == other.vectorsInside &&
           unrolls == other.unrolls && prefetches == other.prefetches;
  }
};

/// What is decided about a kernel: an attribute as
///
///   lathe.decisions = {tile = array<i64: 1, 28, 0, 64>, slowest = 3 : i64,
///                      nests = [{lanes = 3 : i64, vectors = 2 : i64,
///                                blocks = array<i64: 2, 14>}]}
///
/// A tile has one entry per dimension of the root, 0 where it is whole;
/// `slowest` is the dimension whose tiles run slowest, if there is one. Nests
/// are in the order in which they are generated; `unit` stands for the model's
/// own choice. `blocks` are pairs of a dimension and a number of points. Nests
/// may have the flags `vectors_inside`, `no_unroll` and `no_prefetch`. What is
/// not one of a nest's candidates is left to the model.
struct Decisions {
  std::optional<TileChoice> tile;
  llvm::SmallVector<std::optional<NestDecision>> nests;

  /// Of the kernel; errors are reported at it.
  static llvm::FailureOr<Decisions> read(KernelOp kernel);
  mlir::DictionaryAttr write(mlir::MLIRContext *context) const;

  const NestDecision *getNest(unsigned number) const {
    return number < nests.size() && nests[number] ? &*nests[number] : nullptr;
  }
};

/// Whether somebody wants to know what else could be decided.
bool wantsCandidates(KernelOp kernel);

/// Adds a group of alternatives to each other, unless it is empty.
void addCandidates(KernelOp kernel, llvm::ArrayRef<Decisions> group);

} // namespace lathe::cpu

#endif // LATHE_LIB_TARGET_CPU_DECISIONS_H
