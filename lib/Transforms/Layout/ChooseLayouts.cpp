// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One pass over each block, in program order. A layout is a permutation:
// channels are never padded, so slices, concatenations and broadcasts of any
// size carry over, and symbolic sizes cost nothing.

#include "ViewLayout.h"
#include "Window.h"
#include "lathe/Transforms/Layout/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_CHOOSELAYOUTS
#include "lathe/Transforms/Layout/Passes.h.inc"
} // namespace lathe

using namespace lathe;

using Perm = SmallVector<int64_t>;

namespace {
struct ChooseLayouts : public lathe::impl::ChooseLayoutsBase<ChooseLayouts> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk<WalkOrder::PreOrder>([&](Operation *op) {
      if (isa<GridOp>(op))
        return WalkResult::skip();
      if (isa<linalg::LinalgOp, tensor::PadOp, tensor::InsertSliceOp,
              tensor::ExtractSliceOp, tensor::ConcatOp, ViewOp>(op))
        choose(op);
      return WalkResult::advance();
    });
  }

private:
  void choose(Operation *op);
  std::optional<Perm> follow(Operation *op);
  std::optional<Perm> followGather(linalg::GenericOp generic, AffineMap result);
  std::optional<Perm> lookup(Value value) {
    auto it = chosen.find(value);
    return it == chosen.end() ? std::nullopt : std::optional<Perm>(it->second);
  }

  DenseMap<Value, Perm> chosen;
};
} // namespace

/// Whether each result of an elementwise op's map is a function of the loop in
/// its place alone, as where elements are repeated: then the operand and the
/// result have their dimensions in the same order in every layout.
static bool isAligned(AffineMap map) {
  if (map.getNumResults() != map.getNumDims())
    return false;
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    if (isa<AffineConstantExpr>(expr))
      return false;
    for (unsigned d = 0; d < map.getNumDims(); ++d)
      if (d != i && expr.isFunctionOfDim(d))
        return false;
  }
  return true;
}

/// The layout that `op` passes on from what it reads.
std::optional<Perm> ChooseLayouts::follow(Operation *op) {
  if (auto pad = dyn_cast<tensor::PadOp>(op))
    return lookup(pad.getSource());
  if (auto slice = dyn_cast<tensor::ExtractSliceOp>(op))
    return slice.getDroppedDims().none() ? lookup(slice.getSource())
                                         : std::nullopt;
  if (auto insert = dyn_cast<tensor::InsertSliceOp>(op)) {
    if (insert.getDroppedDims().any())
      return std::nullopt;
    if (std::optional<Perm> perm = lookup(insert.getDest()))
      return perm;
    // The first slice of a chain that fills a new tensor decides for all.
    return insert.getDest().getDefiningOp<tensor::EmptyOp>()
               ? lookup(insert.getSource())
               : std::nullopt;
  }
  if (auto concat = dyn_cast<tensor::ConcatOp>(op)) {
    for (Value input : concat.getInputs())
      if (std::optional<Perm> perm = lookup(input))
        return perm;
    return std::nullopt;
  }
  if (auto view = dyn_cast<ViewOp>(op)) {
    std::optional<Perm> perm = lookup(view.getSource());
    return perm ? followView(view, *perm) : std::nullopt;
  }
  auto generic = dyn_cast<linalg::GenericOp>(op);
  if (!generic || generic->getNumResults() != 1)
    return std::nullopt;
  AffineMap result =
      generic.getIndexingMapMatchingResult(generic->getResult(0));
  if (generic.getNumReductionLoops() == 0 && result.isIdentity())
    for (OpOperand *input : generic.getDpsInputOperands())
      if (isAligned(generic.getMatchingIndexingMap(input)))
        if (std::optional<Perm> perm = lookup(input->get()))
          return perm;
  return followGather(generic, result);
}

/// The layout of a tensor that the body reads at computed places, if its
/// innermost dimension is the result's, too: then whole runs of it are copied.
std::optional<Perm> ChooseLayouts::followGather(linalg::GenericOp generic,
                                                AffineMap result) {
  if (!result.isProjectedPermutation())
    return std::nullopt;
  for (auto extract : generic.getBody()->getOps<tensor::ExtractOp>()) {
    std::optional<Perm> perm = lookup(extract.getTensor());
    if (!perm || perm->size() != result.getNumResults())
      continue;
    auto index =
        extract.getIndices()[perm->back()].getDefiningOp<linalg::IndexOp>();
    if (index && index.getDim() == result.getDimPosition(perm->back()))
      return perm;
  }
  return std::nullopt;
}

void ChooseLayouts::choose(Operation *op) {
  if (op->getNumResults() != 1 ||
      !isa<RankedTensorType>(op->getResult(0).getType()))
    return;
  std::optional<Perm> perm;
  if (auto generic = dyn_cast<linalg::GenericOp>(op))
    if (std::optional<WindowMatch> window = matchWindow(generic))
      perm = window->resultPerm;
  if (!perm)
    perm = follow(op);
  if (!perm)
    return;
  chosen[op->getResult(0)] = *perm;
  op->setAttr(layoutAttrName, DenseI64ArrayAttr::get(&getContext(), *perm));
  ++numChosen;
}
