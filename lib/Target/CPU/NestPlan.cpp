// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decides how a nest uses vectors and registers: which dimension the lanes run
// along, and which block of the output is held in registers while the reduction
// runs. Candidates are few, so all of them are costed.

#include "CostModel.h"
#include "Nest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

/// The dimension of the rows that an elementwise op reads, if turning squares
/// of them in registers is better than lanes read one by one.
static std::optional<unsigned> findTurned(linalg::LinalgOp op, unsigned dim,
                                          unsigned lanes,
                                          ArrayRef<int64_t> extents) {
  if (op.getNumReductionLoops() || lanes < 2 || lanes > maxTurnedLanes)
    return std::nullopt;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    if (classifyAccess(*operand, dim, lanes, lanes) != LaneAccess::Strided)
      continue;
    std::optional<unsigned> row = findRowDim(*operand, dim);
    if (row && (ShapedType::isDynamic(extents[*row]) ||
                extents[*row] >= int64_t(lanes) / 2))
      return row;
  }
  return std::nullopt;
}

/// The widest type that the op loads, computes or stores, in bytes.
static unsigned getWidestBytes(linalg::LinalgOp op) {
  unsigned bits = 0;
  auto visit = [&](Type type) {
    if (type.isIntOrFloat())
      bits = std::max(bits, type.isBF16() || type.isF16()
                                ? 32
                                : type.getIntOrFloatBitWidth());
  };
  for (OpOperand &operand : op->getOpOperands())
    visit(getElementTypeOrSelf(operand.get().getType()));
  op.getBlock()->walk([&](Operation *inner) {
    for (Type type : inner->getResultTypes())
      visit(type);
  });
  return std::max(1u, bits / 8);
}

/// The extent, or a guess for one that is not known.
static double getGuess(int64_t extent) {
  return ShapedType::isDynamic(extent) ? unknownExtent : double(extent);
}

/// Cost of one point of the nest, in vector instructions per lane, with lanes
/// along `dim`.
static double costLanes(linalg::LinalgOp op, unsigned dim, unsigned lanes,
                        ArrayRef<int64_t> extents) {
  double cost = arithmeticCost;
  std::optional<unsigned> turned = findTurned(op, dim, lanes, extents);
  for (OpOperand &operand : op->getOpOperands()) {
    bool isInit = op.isDpsInit(&operand);
    AffineMap map = op.getMatchingIndexingMap(&operand);
    // An operand that misses dimensions is loaded once for many points, where
    // the missing dimension can be blocked.
    double reuse = 1;
    for (auto [d, iterator] : llvm::enumerate(op.getIteratorTypesArray()))
      if (d != dim && !map.isFunctionOfDim(d))
        reuse *= std::max(1.0, std::min(getGuess(extents[d]), assumedReuse));
    reuse = std::min(reuse, double(maxBlock));
    switch (classifyAccess(operand, dim, lanes, /*unit=*/0)) {
    case LaneAccess::Invariant:
      // Two vectors side by side, in a block, share the scalar.
      cost += invariantCost / (2 * reuse);
      break;
    case LaneAccess::Contiguous:
      cost += (isInit ? storeCost : loadCost) / reuse;
      break;
    case LaneAccess::Spread: {
      SpreadCost spread =
          getSpreadCost(operand, *matchSpread(operand, dim), lanes);
      cost +=
          (spread.loads * loadCost + spread.permutations * permutationCost) /
          reuse;
      break;
    }
    case LaneAccess::Strided:
      if (turned && !isInit && findRowDim(operand, dim) == turned)
        cost += loadCost + llvm::Log2_64(lanes);
      else
        cost += lanes * (isInit ? laneStoreCost : laneLoadCost) / reuse;
      break;
    }
  }
  double extent = getGuess(extents[dim]);
  double used = extent / (lanes * std::ceil(extent / lanes));
  return cost / (lanes * std::max(used, 1e-3));
}

/// Whether every output of the op can be reduced along lanes.
static bool canReduceLanes(linalg::LinalgOp op, unsigned dim) {
  for (auto [i, init] : llvm::enumerate(op.getDpsInitsMutable()))
    if (op.getMatchingIndexingMap(&init).isFunctionOfDim(dim) ||
        !getCombiner(op, i))
      return false;
  return true;
}

static void chooseVectorDim(Nest &nest, NestPlan &plan,
                            ArrayRef<int64_t> extents, const Target &target) {
  linalg::LinalgOp op = nest.getMain();
  unsigned widest = 1;
  for (NestStage &stage : nest.stages)
    widest = std::max(widest, getWidestBytes(stage.op));
  unsigned lanes = target.vectorBytes / widest;
  double best = scalarCost;
  for (auto [dim, iterator] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (extents[dim] == 1)
      continue;
    bool reduces = iterator == utils::IteratorType::reduction;
    if (reduces && !canReduceLanes(op, dim))
      continue;
    double cost = costLanes(op, dim, lanes, extents);
    if (reduces) {
      // Lanes are folded once per output element.
      double length = 1;
      for (auto [d, other] : llvm::enumerate(op.getIteratorTypesArray()))
        if (other == utils::IteratorType::reduction)
          length *= getGuess(extents[d]);
      cost += foldCost * llvm::Log2_64(lanes) / length;
    }
    if (cost < best) {
      best = cost;
      plan.vectorDim = dim;
      plan.horizontal = reduces;
      plan.lanes = lanes;
    }
  }
}

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

/// What blocks of `vectors` vectors each begin at multiples of; 0: there is
/// one.
static unsigned getUnit(const NestPlan &plan, unsigned vectors,
                        int64_t numVectors) {
  if (ShapedType::isDynamic(numVectors))
    return plan.lanes;
  return vectors >= numVectors ? 0 : vectors * plan.lanes;
}

/// Chooses vectors and blocks so that the estimated cycles are least.
static void chooseBlocks(Nest &nest, NestPlan &plan, ArrayRef<int64_t> extents,
                         ArrayRef<int64_t> bounds, const Target &target) {
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
  if (!plan.horizontal)
    plan.unrolled = chooseUnrolled(op, plan, extents);
  double steps = 1;
  for (auto [dim, extent] : llvm::enumerate(extents))
    if (plan.unrolled >> dim & 1)
      steps *= extent;
  uint64_t conflicts = 0;
  for (unsigned dim : candidates)
    if (hasConflicts(op, plan, dim))
      conflicts |= uint64_t(1) << dim;
  double best = std::numeric_limits<double>::infinity();
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
        // What windows share stays in registers from one step to the next.
        streams += reads < mean * n ? (n + 2) * vectors
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
    if (cost < best * 0.999) {
      best = cost;
      plan.vectors = vectors;
      plan.blocks.assign(blocks.begin(), blocks.end());
    }
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
  // Equal blocks: 49 rows in blocks of at most 14 are 13 + 12 + 12 + 12.
  for (auto &[dim, factor] : plan.blocks)
    if (!ShapedType::isDynamic(extents[dim]))
      factor = llvm::divideCeil(extents[dim],
                                llvm::divideCeil(extents[dim], factor));
  if (ShapedType::isDynamic(numVectors) || plan.vectors > numVectors)
    return;
  unsigned equal =
      llvm::divideCeil(numVectors, llvm::divideCeil(numVectors, plan.vectors));
  bool begins = llvm::all_of(op.getDpsInputOperands(), [&](OpOperand *operand) {
    auto spread = matchSpread(*operand, plan.vectorDim);
    return !spread ||
           spread->isKnown(plan.lanes, getUnit(plan, equal, numVectors));
  });
  if (begins)
    plan.vectors = equal;
}

NestPlan lathe::cpu::planNest(Nest &nest, ArrayRef<int64_t> extents,
                              ArrayRef<int64_t> bounds, const Target &target) {
  NestPlan plan;
  linalg::LinalgOp op = nest.getMain();
  plan.dot = matchDotProduct(op, extents, target);
  plan.permutes = target.permutes();
  if (plan.dot) {
    plan.vectorDim = plan.dot->columns;
    plan.lanes = plan.dot->lanes;
  } else {
    chooseVectorDim(nest, plan, extents, target);
  }
  if (plan.vectorDim >= 0) {
    plan.shared = findShared(op);
    plan.shared[plan.vectorDim] = 0;
    plan.narrowRest = hasNarrowRest(op, plan, extents, target);
    plan.unit = 0;
    chooseBlocks(nest, plan, extents, bounds, target);
    int64_t extent = extents[plan.vectorDim];
    plan.unit = getUnit(plan, plan.vectors,
                        ShapedType::isDynamic(extent)
                            ? extent
                            : llvm::divideCeil(extent, plan.lanes));
  }

  bool vectorParallel = plan.vectorDim >= 0 && !plan.horizontal;
  // The loop over panels goes outside those that reuse the panel.
  auto reusesVectors = [&](unsigned dim) {
    if (!vectorParallel || !op.getNumReductionLoops())
      return false;
    return llvm::any_of(op.getDpsInputOperands(), [&](OpOperand *operand) {
      return plan.getAccess(*operand) == LaneAccess::Contiguous &&
             !op.getMatchingIndexingMap(operand).isFunctionOfDim(dim);
    });
  };
  SmallVector<unsigned> inner;
  for (auto [dim, iterator] : llvm::enumerate(op.getIteratorTypesArray())) {
    if (iterator != utils::IteratorType::parallel ||
        int(dim) == plan.vectorDim || plan.isBlocked(dim))
      continue;
    (reusesVectors(dim) ? inner : plan.order).push_back(dim);
  }
  // Points that share what they read go through all of it at once.
  bool shares = llvm::any_of(plan.blocks,
                             [&](auto b) { return plan.getShared(b.first); });
  if (vectorParallel && !shares)
    plan.order.push_back(plan.vectorDim);
  llvm::append_range(plan.order, inner);
  for (auto [dim, factor] : plan.blocks)
    plan.order.push_back(dim);
  if (vectorParallel && shares)
    plan.order.push_back(plan.vectorDim);
  return plan;
}
