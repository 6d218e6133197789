// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Groups of a convolution with fewer filters than a vector has lanes: the loops
// over groups and over their filters become one, of all channels of the result.

#include "lathe/Transforms/Fusion/ProgramOps.h"
#include "lathe/Transforms/Layout/Passes.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include <numeric>

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_MERGEGROUPS
#include "lathe/Transforms/Layout/Passes.h.inc"
} // namespace lathe

using namespace lathe;

/// Vectors after which groups and vectors begin together again, at most: blocks
/// of registers hold as many.
static constexpr int64_t maxPeriod = 4;
/// Vectors that what several groups read lies in: one instruction takes lanes
/// from as many.
static constexpr int64_t maxVectors = 2;

namespace {
/// The loops over groups and filters of a convolution, and where they stand.
struct Groups {
  unsigned group, filter; ///< Loops.
  unsigned result;        ///< The group's dimension of the result.
  unsigned weight;        ///< Number of the operand with both.
  int64_t count, filters;
};

struct MergeGroups : public lathe::impl::MergeGroupsBase<MergeGroups> {
  using Base::Base;

  void runOnOperation() override {
    getOperation().walk([&](linalg::GenericOp op) {
      if (std::optional<Groups> groups = match(op))
        rewrite(op, *groups);
    });
  }

private:
  std::optional<Groups> match(linalg::GenericOp op) const;
  bool gains(int64_t filters, int64_t channels) const;
  void rewrite(linalg::GenericOp op, const Groups &groups);
};
} // namespace

/// Where `first` and `second` are two results of `map` that follow each other.
static std::optional<unsigned> findPair(AffineMap map, unsigned first,
                                        unsigned second) {
  std::optional<unsigned> at =
      map.getResultPosition(getAffineDimExpr(first, map.getContext()));
  if (!at || *at + 1 == map.getNumResults() ||
      map.getResult(*at + 1) != getAffineDimExpr(second, map.getContext()))
    return std::nullopt;
  return at;
}

/// Steps of the reductions that an input is read at one by one: its channels in
/// a group.
static int64_t countChannels(linalg::GenericOp op, AffineMap read) {
  int64_t channels = 1;
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  for (auto [d, kind] : llvm::enumerate(op.getIteratorTypesArray()))
    if (kind == utils::IteratorType::reduction &&
        read.getResultPosition(getAffineDimExpr(d, op.getContext())))
      channels *= ranges[d];
  return channels;
}

/// Whether `map` uses `dim` by itself, if at all.
static bool readsAlone(AffineMap map, unsigned dim) {
  return llvm::all_of(map.getResults(), [&](AffineExpr expr) {
    return isa<AffineDimExpr>(expr) || !expr.isFunctionOfDim(dim);
  });
}

/// Whether lanes go over groups of `filters` that read `channels` each better
/// than over those of one group, or over its channels.
bool MergeGroups::gains(int64_t filters, int64_t channels) const {
  // Of what groups and vectors do not share, up to half of the lanes is wasted
  // for blocks of several vectors.
  if (filters >= lanes ||
      filters / std::gcd(filters, lanes.getValue()) > maxPeriod ||
      (lanes % filters != 0 && 2 * filters > lanes))
    return false;
  int64_t runs = llvm::divideCeil(lanes, filters);
  return runs <= 2 || runs * channels <= maxVectors * lanes;
}

std::optional<Groups> MergeGroups::match(linalg::GenericOp op) const {
  if (lanes < 2 || !isContraction(op) || op.getNumDpsInputs() != 2 ||
      op->getNumResults() != 1 || op.hasIndexSemantics())
    return std::nullopt;
  auto type = cast<RankedTensorType>(op.getResult(0).getType());
  auto fill = op.getDpsInitOperand(0)->get().getDefiningOp<linalg::FillOp>();
  // Sums of bytes and pairs fill a vector along the reduction as well.
  if (!type.getElementType().isF32() || !fill ||
      !fill.getOutputs()[0].getDefiningOp<tensor::EmptyOp>())
    return std::nullopt;
  AffineMap made = op.getIndexingMapMatchingResult(op->getResult(0));
  for (OpOperand *weight : op.getDpsInputOperands()) {
    SmallVector<Attribute> recipe;
    AffineMap map = op.getMatchingIndexingMap(weight);
    if (!findWeight(weight->get(), recipe) || map.getNumResults() < 2 ||
        !map.isProjectedPermutation())
      continue;
    Groups groups;
    groups.weight = weight->getOperandNumber();
    groups.group = map.getDimPosition(0);
    groups.filter = map.getDimPosition(1);
    AffineMap read = op.getMatchingIndexingMap(
        op.getDpsInputOperand(1 - weight->getOperandNumber()));
    std::optional<unsigned> at = findPair(made, groups.group, groups.filter);
    if (!at || !read.isFunctionOfDim(groups.group) ||
        read.isFunctionOfDim(groups.filter) || !readsAlone(read, groups.group))
      continue;
    groups.result = *at;
    groups.count = type.getDimSize(*at);
    groups.filters = type.getDimSize(*at + 1);
    if (ShapedType::isDynamic(groups.count) ||
        ShapedType::isDynamic(groups.filters) || groups.count < 2 ||
        !gains(groups.filters, countChannels(op, read)))
      continue;
    return groups;
  }
  return std::nullopt;
}

/// `list` without the entry behind `at`, which takes in what is there.
template <typename T>
static SmallVector<T> mergeAt(ArrayRef<T> list, unsigned at, T merged) {
  SmallVector<T> made(list);
  made[at] = merged;
  made.erase(made.begin() + at + 1);
  return made;
}

void MergeGroups::rewrite(linalg::GenericOp op, const Groups &groups) {
  OpBuilder builder(op);
  Location loc = op.getLoc();
  int64_t channels = groups.count * groups.filters;
  // Loop `filter` goes; loop `group` is that of the channels.
  unsigned numLoops = op.getNumLoops() - 1;
  SmallVector<AffineExpr> renamed;
  for (unsigned d = 0; d <= numLoops; ++d)
    renamed.push_back(builder.getAffineDimExpr(d - (d > groups.filter)));
  AffineExpr channel = renamed[groups.group];
  auto rename = [&](AffineMap map, std::optional<unsigned> pair,
                    AffineExpr expr) {
    SmallVector<AffineExpr> results(map.getResults());
    if (pair)
      results.erase(results.begin() + *pair + 1);
    SmallVector<AffineExpr> dims(renamed);
    dims[groups.group] = expr;
    return AffineMap::get(map.getNumDims(), 0, results, op.getContext())
        .replaceDimsAndSymbols(dims, {}, numLoops, 0);
  };
  SmallVector<AffineMap> maps = op.getIndexingMapsArray();
  unsigned input = 1 - groups.weight;
  maps[input] =
      rename(maps[input], std::nullopt, channel.floorDiv(groups.filters));
  maps[groups.weight] = rename(maps[groups.weight], 0, channel);
  maps[2] = rename(maps[2], groups.result, channel);

  SmallVector<Value> inputs(op.getDpsInputs());
  SmallVector<Attribute> recipe;
  auto weightType = cast<RankedTensorType>(inputs[groups.weight].getType());
  WeightOp weight = findWeight(inputs[groups.weight], recipe);
  SmallVector<int64_t> shape = mergeAt(weightType.getShape(), 0, channels);
  recipe.push_back(ReshapeStepAttr::get(op.getContext(), shape));
  inputs[groups.weight] = WeightOp::create(
      builder, weight.getLoc(),
      RankedTensorType::get(shape, weightType.getElementType()),
      weight.getValue(), builder.getArrayAttr(recipe));

  auto type = cast<RankedTensorType>(op.getResult(0).getType());
  auto fill = op.getDpsInitOperand(0)->get().getDefiningOp<linalg::FillOp>();
  auto empty = fill.getOutputs()[0].getDefiningOp<tensor::EmptyOp>();
  SmallVector<OpFoldResult> sizes = mergeAt<OpFoldResult>(
      empty.getMixedSizes(), groups.result, builder.getIndexAttr(channels));
  Value init =
      tensor::EmptyOp::create(builder, loc, sizes, type.getElementType());
  auto zero =
      linalg::FillOp::create(builder, fill.getLoc(), fill.getInputs(), init);
  zero->setDiscardableAttrs(fill->getDiscardableAttrDictionary());
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  kinds.erase(kinds.begin() + groups.filter);
  auto made =
      linalg::GenericOp::create(builder, loc, zero.getResult(0).getType(),
                                inputs, zero.getResult(0), maps, kinds);
  made->setDiscardableAttrs(op->getDiscardableAttrDictionary());
  made.getRegion().takeBody(op.getRegion());
  op.getResult(0).replaceAllUsesWith(ViewOp::create(builder, loc, type,
                                                    made.getResult(0),
                                                    empty.getDynamicSizes())
                                         .getResult());
  op->erase();
  ++numMerged;
}
