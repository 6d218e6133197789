// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The parts of planning a nest: NestPlan.cpp chooses the lanes and the order of
// loops, NestBlocks.cpp the block in registers, NestCandidates.cpp what else
// could be chosen.

#ifndef LATHE_LIB_TARGET_CPU_NESTPLAN_H
#define LATHE_LIB_TARGET_CPU_NESTPLAN_H

#include "Nest.h"

namespace lathe::cpu {

/// A block in registers, and the estimated cycles of a nest that has it.
struct BlockChoice {
  unsigned vectors;
  RegisterBlocks blocks;
  double cost;
};

/// A dimension, and how many times what the best one costs it does.
using RankedDim = std::pair<unsigned, double>;

/// The dimension of the rows that an elementwise op reads, if turning squares
/// of them in registers is better than lanes read one by one.
std::optional<unsigned> findTurned(mlir::linalg::LinalgOp op, unsigned dim,
                                   unsigned lanes,
                                   llvm::ArrayRef<int64_t> extents);

/// What blocks of `vectors` vectors each begin at multiples of; 0: there is
/// one.
unsigned getUnit(const NestPlan &plan, unsigned vectors, int64_t numVectors);

/// Chooses vectors and blocks so that the estimated cycles are least, or those
/// that are decided if they are possible. `all` gets what was possible, where
/// there was a choice.
void chooseBlocks(Nest &nest, NestPlan &plan, llvm::ArrayRef<int64_t> extents,
                  llvm::ArrayRef<int64_t> bounds, const Target &target,
                  const NestDecision *decided,
                  llvm::SmallVectorImpl<BlockChoice> &all);

/// Plans a nest. `blocks` gets the blocks that there are to choose from,
/// `lanes`, if it is wanted, other dimensions for the lanes.
NestPlan planNest(Nest &nest, llvm::ArrayRef<int64_t> extents,
                  llvm::ArrayRef<int64_t> bounds, const Target &target,
                  const NestDecision *decided,
                  llvm::SmallVectorImpl<BlockChoice> &blocks,
                  llvm::SmallVectorImpl<RankedDim> *lanes);

} // namespace lathe::cpu

#endif // LATHE_LIB_TARGET_CPU_NESTPLAN_H
