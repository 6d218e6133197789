// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Transforms/Fusion/ProgramOps.h"
#include "lathe/Transforms/Layout/GroupedProduct.h"
#include "lathe/Transforms/Layout/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_PACKWEIGHTS
#include "lathe/Transforms/Layout/Passes.h.inc"
} // namespace lathe

using namespace lathe;

/// Moves the numbers that one lane of a dot product sums together: dimension
/// `dim` of the loops, by which the weight's index `at` goes, is split into
/// groups of `size`, which come last.
static void makeGroups(unsigned dim, unsigned at, int64_t size,
                       SmallVector<int64_t> &shape,
                       SmallVector<AffineExpr> &results,
                       SmallVectorImpl<Attribute> &recipe) {
  MLIRContext *context = results.front().getContext();
  AffineExpr loop = getAffineDimExpr(dim, context);
  SmallVector<int64_t> split(shape), perm;
  split[at] /= size;
  split.insert(split.begin() + at + 1, size);
  recipe.push_back(ReshapeStepAttr::get(context, split));
  for (unsigned d = 0; d < split.size(); ++d)
    if (d != at + 1)
      perm.push_back(d);
  perm.push_back(at + 1);
  recipe.push_back(PermuteStepAttr::get(context, perm));
  shape = applyPermutation(split, perm);
  results[at] = loop.floorDiv(size);
  results.push_back(loop % size);
}

namespace {
struct PackWeights : public lathe::impl::PackWeightsBase<PackWeights> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([&](linalg::GenericOp op) {
      if (!isContraction(op) || op->getNumResults() != 1)
        return;
      for (OpOperand *input : op.getDpsInputOperands())
        pack(op, *input);
    });
  }

private:
  void pack(linalg::GenericOp op, OpOperand &input);
  /// Whether all columns of a result lie in a quarter of a vector, so that
  /// lanes had better run along the reduction.
  bool isNarrow(int64_t columns) const { return columns * 8 <= panelWidth; }
};
} // namespace

void PackWeights::pack(linalg::GenericOp op, OpOperand &input) {
  SmallVector<Attribute> recipe;
  WeightOp weight = findWeight(input.get(), recipe);
  AffineMap map = op.getMatchingIndexingMap(&input);
  if (!weight || !map.isProjectedPermutation())
    return;
  AffineMap resultMap = op.getIndexingMapMatchingResult(op->getResult(0));
  if (resultMap.getNumResults() == 0)
    return;
  auto last = dyn_cast<AffineDimExpr>(resultMap.getResults().back());
  if (!last || !map.getResultPosition(last))
    return;
  // Batch dimensions, then reductions in the order of the loops, then columns.
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  SmallVector<int64_t> perm;
  for (utils::IteratorType kind :
       {utils::IteratorType::parallel, utils::IteratorType::reduction})
    for (unsigned d = 0; d < kinds.size(); ++d)
      if (kinds[d] == kind && d != last.getPosition())
        if (std::optional<unsigned> at =
                map.getResultPosition(getAffineDimExpr(d, op.getContext())))
          perm.push_back(*at);
  perm.push_back(*map.getResultPosition(last));

  MLIRContext *context = op.getContext();
  auto type = cast<RankedTensorType>(input.get().getType());
  // Few columns do not fill a vector; the innermost reduction may.
  bool narrow = perm.size() > 1 && isNarrow(type.getDimSize(perm.back())) &&
                type.getDimSize(perm[perm.size() - 2]) * 2 >= panelWidth;
  if (narrow) {
    int64_t columns = perm.pop_back_val();
    auto isParallel = [&](int64_t p) {
      auto dim = cast<AffineDimExpr>(map.getResult(p));
      return kinds[dim.getPosition()] == utils::IteratorType::parallel;
    };
    perm.insert(llvm::find_if_not(perm, isParallel), columns);
  }
  SmallVector<int64_t> shape = applyPermutation(type.getShape(), perm);
  SmallVector<AffineExpr> results;
  bool moves = false;
  for (auto [i, p] : llvm::enumerate(perm)) {
    results.push_back(map.getResult(p));
    moves |= (int64_t)i != p;
  }
  if (moves)
    recipe.push_back(PermuteStepAttr::get(context, perm));
  // One panel would be the matrix itself. Batched weights keep their columns
  // together: the panels of one batch must not be spread over all.
  bool panels = panelWidth > 0 && !narrow && shape.back() > panelWidth &&
                llvm::none_of(perm, [&](int64_t p) {
                  auto dim = cast<AffineDimExpr>(map.getResult(p));
                  return dim != last && kinds[dim.getPosition()] ==
                                            utils::IteratorType::parallel;
                });
  if (panels) {
    recipe.push_back(PanelStepAttr::get(context, panelWidth));
    results.back() = last % panelWidth;
    results.insert(results.begin(), last.floorDiv(panelWidth));
    int64_t columns = shape.back();
    shape.back() = panelWidth;
    shape.insert(shape.begin(), llvm::divideCeil(columns, panelWidth));
  }
  bool groups = false;
  std::optional<GroupedProduct> product =
      matchGroupedProduct(op, input.getOperandNumber());
  bool grouped =
      product && (type.getElementType().isInteger() || (pairs && !narrow));
  for (auto [at, expr] : llvm::enumerate(results))
    if (grouped && expr == getAffineDimExpr(product->reduction, context) &&
        shape[at] % product->group == 0) {
      makeGroups(product->reduction, at, product->group, shape, results,
                 recipe);
      groups = true;
      break;
    }
  if (!moves && !panels && !groups)
    return;
  OpBuilder builder(op);
  auto packed =
      WeightOp::create(builder, weight.getLoc(),
                       RankedTensorType::get(shape, type.getElementType()),
                       weight.getValue(), builder.getArrayAttr(recipe));
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  maps[input.getOperandNumber()] =
      AffineMap::get(map.getNumDims(), 0, results, context);
  input.set(packed);
  op.setIndexingMapsAttr(builder.getAffineMapArrayAttr(maps));
  ++numPacked;
}
