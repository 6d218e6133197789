// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decides which block of the output is held in registers while a reduction
// runs. Candidates are few, so all of them are costed.

#include "CostModel.h"
#include "NestPlan.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

/// Points along the dimension at most, or a guess.
static double getMost(int64_t bound) {
  return ShapedType::isDynamic(bound) ? unknownExtent
                                      : std::max(1.0, double(bound));
}

/// Blocks to cover at most `bound` points with blocks of at most `factor`.
static double getBlocks(int64_t bound, unsigned factor) {
  if (ShapedType::isDynamic(bound))
    return unknownExtent / factor;
  return double(llvm::divideCeil(bound, factor));
}

/// Whether vectors of some operand are read along `dim` as by a window that
/// moves along another dimension, so that neighbours read the same ones, or
/// other elements of the same ones.
static bool sharesVectors(linalg::LinalgOp op, const NestPlan &plan,
                          unsigned dim) {
  return llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *operand) {
    LaneAccess access = plan.getAccess(*operand);
    return llvm::any_of(op.getMatchingIndexingMap(operand).getResults(),
                        [&](AffineExpr expr) {
                          return expr.isFunctionOfDim(dim) &&
                                 (access == LaneAccess::Spread ||
                                  (access == LaneAccess::Contiguous &&
                                   expr.getKind() == AffineExprKind::Add));
                        });
  });
}

/// Windows over vectors do without loops, as far as their points together are
/// few.
static uint64_t chooseUnrolled(linalg::LinalgOp op, const NestPlan &plan,
                               ArrayRef<int64_t> extents) {
  uint64_t unrolled = 0;
  int64_t points = 1;
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  for (int d = kinds.size() - 1; d >= 0; --d) {
    if (kinds[d] != utils::IteratorType::reduction)
      continue;
    if (ShapedType::isDynamic(extents[d]) ||
        points * extents[d] > maxUnrolledSteps || !sharesVectors(op, plan, d))
      break;
    points *= extents[d];
    unrolled |= uint64_t(1) << d;
  }
  return unrolled;
}

/// Points of a block on average: blocks along a known extent are equal.
static double getMean(int64_t extent, unsigned factor) {
  return ShapedType::isDynamic(extent) ? factor
                                       : extent / getBlocks(extent, factor);
}

/// Whether a sum along lanes is one of products, each factor of which several
/// results share: those side by side in registers save loads.
static bool sharesAcrossLanes(linalg::LinalgOp op, const NestPlan &plan) {
  unsigned factors = 0, shared = 0;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    if (op.getMatchingBlockArgument(operand).use_empty())
      continue;
    if (plan.getAccess(*operand) != LaneAccess::Contiguous)
      return false;
    ++factors;
    AffineMap map = op.getMatchingIndexingMap(operand);
    for (auto [d, kind] : llvm::enumerate(op.getIteratorTypesArray()))
      if (kind == utils::IteratorType::parallel && !map.isFunctionOfDim(d)) {
        ++shared;
        break;
      }
  }
  return factors == 2 && shared > 0;
}

/// How many different elements (or vectors) of an operand a block reads in all
/// unrolled steps together. `blocks` give the points per blocked dimension.
static double countReads(AffineMap map, uint64_t unrolled,
                         ArrayRef<std::pair<unsigned, unsigned>> blocks,
                         ArrayRef<int64_t> extents) {
  double reads = 1;
  for (AffineExpr expr : map.getResults()) {
    double points = 1, span = 1;
    auto visit = [&](unsigned dim, double extent) {
      if (!expr.isFunctionOfDim(dim))
        return;
      points *= extent;
      AffineExpr at = getAffineDimExpr(dim, expr.getContext());
      auto step = getCoefficient(expr, at, map.getNumDims());
      span += step ? std::abs(double(*step)) * (extent - 1)
                   : std::numeric_limits<double>::infinity();
    };
    for (auto [dim, factor] : blocks)
      visit(dim, factor);
    for (auto [dim, extent] : llvm::enumerate(extents))
      if (unrolled >> dim & 1)
        visit(dim, extent);
    // A panel is indexed twice by one dimension: count it once.
    if (auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
        binary && binary.getKind() == AffineExprKind::FloorDiv)
      continue;
    reads *= std::min(points, span);
  }
  return reads;
}

/// Whether a window moves over an operand in steps that follow each other.
static bool isWindow(AffineMap map, uint64_t unrolled) {
  return llvm::any_of(map.getResults(), [&](AffineExpr expr) {
    if (expr.getKind() != AffineExprKind::Add)
      return false;
    for (unsigned dim = 0; dim < map.getNumDims(); ++dim)
      if ((unrolled >> dim & 1) && expr.isFunctionOfDim(dim))
        return true;
    return false;
  });
}

/// How many vectors of a window's operand wait in registers for the next steps,
/// where a block reads `points` of them in one: all that a row of the window
/// moves over.
static double countLive(AffineMap map, uint64_t unrolled, double points,
                        ArrayRef<std::pair<unsigned, unsigned>> blocks,
                        ArrayRef<int64_t> extents) {
  unsigned innermost = unrolled ? llvm::Log2_64(unrolled) : map.getNumDims();
  for (auto [dim, factor] : blocks)
    for (AffineExpr expr : map.getResults())
      if (expr.isFunctionOfDim(dim) && expr.isFunctionOfDim(innermost))
        return points - factor +
               countReads(AffineMap::get(map.getNumDims(), 0, expr),
                          uint64_t(1) << innermost, {{dim, factor}}, extents);
  return points + 2;
}

/// Whether neighbours along `dim` of what some operand broadcasts, or of what
/// is stored, lie in one set of the cache, so that a block of many evicts its
/// own lines.
static bool hasConflicts(linalg::LinalgOp op, const NestPlan &plan,
                         unsigned dim) {
  return llvm::any_of(op->getOpOperands(), [&](OpOperand &operand) {
    auto type = dyn_cast<MemRefType>(operand.get().getType());
    AffineMap map = op.getMatchingIndexingMap(&operand);
    SmallVector<int64_t> strides;
    int64_t offset;
    if (!type || !map.isFunctionOfDim(dim) ||
        (!op.isDpsInit(&operand) &&
         plan.getAccess(operand) != LaneAccess::Invariant) ||
        failed(type.getStridesAndOffset(strides, offset)))
      return false;
    int64_t distance = 0;
    for (auto [expr, stride] : llvm::zip_equal(map.getResults(), strides)) {
      if (!expr.isFunctionOfDim(dim))
        continue;
      AffineExpr at = getAffineDimExpr(dim, expr.getContext());
      auto step = getCoefficient(expr, at, map.getNumDims());
      if (!step || ShapedType::isDynamic(stride))
        return false;
      distance += *step * stride;
    }
    distance *= llvm::divideCeil(type.getElementTypeBitWidth(), 8);
    return distance != 0 && distance % cacheSetPeriod == 0;
  });
}

/// Whether padding lies along `dim` and only the tile tells where, so that
/// blocks along it would have to find out. Not asked of the innermost padded
/// dimension: there copying the padding is better than no blocks.
static bool variesAtEdges(const Nest &nest, unsigned dim) {
  if (!nest.padded || nest.padded->dims.empty())
    return false;
  return llvm::any_of(
      ArrayRef(nest.padded->dims).drop_back(), [&](const PaddedDim &padded) {
        return padded.parallel == dim &&
               !getConstantIntValue(
                   OpFoldResult(nest.padded->starts[padded.position]));
      });
}

unsigned lathe::cpu::getUnit(const NestPlan &plan, unsigned vectors,
                             int64_t numVectors) {
  if (ShapedType::isDynamic(numVectors))
    return plan.lanes;
  return vectors >= numVectors ? 0 : vectors * plan.lanes;
}

void lathe::cpu::chooseBlocks(Nest &nest, NestPlan &plan,
                              ArrayRef<int64_t> extents,
                              ArrayRef<int64_t> bounds, const Target &target,
                              const NestDecision *decided,
                              SmallVectorImpl<BlockChoice> &all) {
  linalg::LinalgOp op = nest.getMain();
  unsigned numReductions = op.getNumReductionLoops();
  int64_t vectorExtent = extents[plan.vectorDim];
  int64_t numVectors = ShapedType::isDynamic(vectorExtent)
                           ? ShapedType::kDynamic
                           : llvm::divideCeil(vectorExtent, plan.lanes);
  if (plan.narrowRest && vectorExtent > plan.lanes)
    numVectors = vectorExtent / plan.lanes;
  if (llvm::any_of(plan.shared, [](unsigned points) { return points > 0; })) {
    for (auto [dim, points] : llvm::enumerate(plan.shared))
      if (points && int(dim) != plan.vectorDim)
        plan.blocks.push_back({dim, points});
    return;
  }
  if (std::optional<unsigned> row =
          findTurned(op, plan.vectorDim, plan.lanes, extents)) {
    plan.vectors = 1;
    unsigned factor = plan.lanes;
    if (!ShapedType::isDynamic(bounds[*row]))
      factor = std::min<int64_t>(factor, bounds[*row]);
    plan.blocks.push_back({*row, factor});
    return;
  }
  if (!numReductions || (plan.horizontal && !sharesAcrossLanes(op, plan))) {
    unsigned limit =
        plan.horizontal ? maxPartialVectors : maxElementwiseVectors;
    plan.vectors = ShapedType::isDynamic(numVectors)
                       ? limit
                       : std::min<int64_t>(limit, numVectors);
    return;
  }
  // Parallel dimensions that some vector operand does not depend on.
  SmallVector<unsigned> candidates;
  for (auto [dim, iterator] : llvm::enumerate(op.getIteratorTypesArray()))
    if (iterator == utils::IteratorType::parallel &&
        int(dim) != plan.vectorDim && bounds[dim] != 1)
      candidates.push_back(dim);
  // Dimensions next to the lanes in memory come last: prefer them.
  std::reverse(candidates.begin(), candidates.end());
  if (candidates.size() > 3)
    candidates.resize(3);
  if (!plan.horizontal && (!decided || decided->unrolls))
    plan.unrolled = chooseUnrolled(op, plan, extents);
  double steps = 1;
  for (auto [dim, extent] : llvm::enumerate(extents))
    if (plan.unrolled >> dim & 1)
      steps *= extent;
  uint64_t conflicts = 0;
  for (unsigned dim : candidates)
    if (hasConflicts(op, plan, dim))
      conflicts |= uint64_t(1) << dim;
  auto tryBlock = [&](unsigned vectors,
                      ArrayRef<std::pair<unsigned, unsigned>> blocks) {
    plan.unit = getUnit(plan, vectors, numVectors);
    unsigned points = 1, conflicting = 1;
    double count = getBlocks(numVectors, vectors);
    double meanVectors = getMean(numVectors, vectors);
    double meanPoints = 1;
    for (auto [dim, factor] : blocks) {
      if (variesAtEdges(nest, dim))
        return;
      points *= factor;
      if (conflicts >> dim & 1)
        conflicting *= factor;
      meanPoints *= getMean(extents[dim], factor);
      count *= getBlocks(bounds[dim], factor);
    }
    if (points * vectors * steps > maxUnrolledPoints ||
        conflicting > maxConflictingRows)
      return;
    // Dimensions that are not blocked.
    for (unsigned dim : candidates)
      if (llvm::none_of(blocks, [&](auto block) { return block.first == dim; }))
        count *= getMost(bounds[dim]);
    double loads = 0, streams = 0, crowd = 0, permutations = 0;
    for (OpOperand *operand : op.getDpsInputOperands()) {
      AffineMap map = op.getMatchingIndexingMap(operand);
      // A pooling's window only gives the shape.
      if (op.getMatchingBlockArgument(operand).use_empty())
        continue;
      double n = 1, mean = 1;
      for (auto [dim, factor] : blocks)
        if (map.isFunctionOfDim(dim)) {
          n *= factor;
          mean *= getMean(extents[dim], factor) / factor;
        }
      // Elements read in all unrolled steps, for each that one step reads.
      double reads =
          mean * countReads(map, plan.unrolled, blocks, extents) / steps;
      switch (plan.getAccess(*operand)) {
      case LaneAccess::Invariant:
        loads += reads;
        crowd += reads * repeatedLoad;
        break;
      case LaneAccess::Contiguous:
        loads += reads * meanVectors;
        crowd += reads * meanVectors;
        if (isWindow(map, plan.unrolled))
          loads += reads * windowRun;
        // What windows share stays in registers from one step to the next.
        streams += reads < mean * n ? vectors * countLive(map, plan.unrolled, n,
                                                          blocks, extents)
                   : n == points    ? 1
                                    : n * vectors;
        break;
      case LaneAccess::Spread: {
        SpreadCost spread = getSpreadCost(
            *operand, *matchSpread(*operand, plan.vectorDim), plan.lanes);
        loads += reads * meanVectors * spread.loads;
        permutations += reads * meanVectors * spread.permutations;
        crowd += reads * meanVectors;
        streams += reads < mean * n ? (n + 2) * vectors : 1;
        break;
      }
      case LaneAccess::Strided:
        loads += n * vectors * plan.lanes * laneLoadCost;
        streams += n * vectors;
        break;
      }
    }
    unsigned accumulators = points * vectors * op.getNumDpsInits();
    if (accumulators + streams + 1 > target.numVectorRegisters)
      return;
    double fmas = meanPoints * meanVectors;
    double cycles = std::max({(fmas + permutations) / fmasPerCycle,
                              loads / loadsPerCycle, double(fmaLatency)});
    double cost = count * (cycles + crowding * crowd + blockOverhead / steps);
    all.push_back({vectors, RegisterBlocks(blocks), cost});
  };
  unsigned maxVectors =
      ShapedType::isDynamic(numVectors) ? 4 : std::min<int64_t>(8, numVectors);
  auto limit = [&](unsigned dim) -> unsigned {
    return ShapedType::isDynamic(bounds[dim])
               ? maxBlock
               : std::min<int64_t>(maxBlock, bounds[dim]);
  };
  for (unsigned vectors = 1; vectors <= maxVectors; ++vectors) {
    tryBlock(vectors, {});
    for (unsigned i = 0; i < candidates.size(); ++i) {
      for (unsigned f = 2; f <= limit(candidates[i]); ++f)
        tryBlock(vectors, {{candidates[i], f}});
      // Two dimensions only when the inner one is taken whole.
      int64_t whole = extents[candidates[i]];
      if (ShapedType::isDynamic(whole) || whole > maxBlock / 2)
        continue;
      for (unsigned j = i + 1; j < candidates.size(); ++j)
        for (unsigned f = 2; f <= limit(candidates[j]); ++f)
          tryBlock(vectors,
                   {{candidates[j], f}, {candidates[i], unsigned(whole)}});
    }
  }
  // As many vectors for each block, where operands that are read in runs still
  // know where these begin.
  auto getEqual = [&](unsigned vectors) -> unsigned {
    if (ShapedType::isDynamic(numVectors) || vectors > numVectors)
      return vectors;
    unsigned equal =
        llvm::divideCeil(numVectors, llvm::divideCeil(numVectors, vectors));
    bool begins =
        llvm::all_of(op.getDpsInputOperands(), [&](OpOperand *operand) {
          auto spread = matchSpread(*operand, plan.vectorDim);
          return !spread ||
                 spread->isKnown(plan.lanes, getUnit(plan, equal, numVectors));
        });
    return begins ? equal : vectors;
  };
  // Equal blocks: 49 rows in blocks of at most 14 are 13 + 12 + 12 + 12.
  double best = std::numeric_limits<double>::infinity();
  for (BlockChoice &choice : all) {
    for (auto &[dim, factor] : choice.blocks)
      if (!ShapedType::isDynamic(extents[dim]))
        factor = llvm::divideCeil(extents[dim],
                                  llvm::divideCeil(extents[dim], factor));
    choice.vectors = getEqual(choice.vectors);
    bool isDecided = decided && decided->vectors == choice.vectors &&
                     decided->blocks == choice.blocks;
    if (isDecided || choice.cost < best * 0.999) {
      best = isDecided ? -1 : choice.cost;
      plan.vectors = choice.vectors;
      plan.blocks = choice.blocks;
    }
  }
}
