// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Moves into reads. What only moves elements, as a transpose does, need not be
// computed where its readers can read its source at other places. The elements
// that lie side by side stay so, else each reader would gather them one by one;
// such moves stay ops, as do those that something else reads.

#include "lathe/Transforms/Fusion/Passes.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_FOLDMOVES
#include "lathe/Transforms/Fusion/Passes.h.inc"
} // namespace lathe

using namespace lathe;

/// The map from the places of what `op` makes to those of its source, if it only
/// moves whole rows of it.
static AffineMap getMove(linalg::GenericOp op) {
  if (op.getNumDpsInputs() != 1 || op.getNumDpsInits() != 1 ||
      op.getNumReductionLoops() || isInsideComputeOp(op))
    return {};
  Block &body = *op.getBody();
  auto yield = cast<linalg::YieldOp>(body.getTerminator());
  if (&body.front() != yield || yield.getOperand(0) != body.getArgument(0))
    return {};
  AffineMap read = op.getMatchingIndexingMap(op.getDpsInputOperand(0));
  AffineMap made = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (!read.isPermutation() || !made.isPermutation() || !read.getNumResults() ||
      read.getResults().back() != made.getResults().back())
    return {};
  return read.compose(inversePermutation(made));
}

/// Whether `use` is read at places that are those of its loops.
static bool canReadSource(OpOperand &use) {
  auto reader = dyn_cast<linalg::GenericOp>(use.getOwner());
  return reader && reader.isDpsInput(&use) && !isInsideComputeOp(reader) &&
         !reader.getMatchingBlockArgument(&use).use_empty() &&
         reader.getMatchingIndexingMap(&use).isProjectedPermutation();
}

namespace {
struct FoldMoves : public lathe::impl::FoldMovesBase<FoldMoves> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<linalg::GenericOp> moves;
    getOperation().walk([&](linalg::GenericOp op) {
      if (getMove(op))
        moves.push_back(op);
    });
    // Readers first: a chain of moves becomes one.
    for (linalg::GenericOp move : llvm::reverse(moves))
      fold(move, getMove(move));
  }

  void fold(linalg::GenericOp move, AffineMap map) {
    if (move->use_empty() ||
        !llvm::all_of(move->getUses(), [&](OpOperand &use) {
          return canReadSource(use) &&
                 (crossNode || use.getOwner()->getAttr(nodeAttrName) ==
                                   move->getAttr(nodeAttrName));
        }))
      return;
    Builder builder(&getContext());
    for (OpOperand &use : llvm::make_early_inc_range(move->getUses())) {
      auto reader = cast<linalg::GenericOp>(use.getOwner());
      unsigned at = use.getOperandNumber();
      SmallVector<AffineMap> maps = reader.getIndexingMapsArray();
      maps[at] = map.compose(maps[at]);
      reader.setIndexingMapsAttr(builder.getAffineMapArrayAttr(maps));
      use.set(move.getDpsInputs()[0]);
      // What is saved is the move itself, so it counts once.
      if (!move->use_empty() ||
          reader->getAttr(nodeAttrName) == move->getAttr(nodeAttrName))
        continue;
      SmallVector<int64_t> moved{at};
      if (auto known = reader->getAttrOfType<DenseI64ArrayAttr>(movedAttrName))
        llvm::append_range(moved, known.asArrayRef());
      reader->setAttr(movedAttrName, builder.getDenseI64ArrayAttr(moved));
    }
    move->erase();
    ++numMoves;
  }
};
} // namespace
