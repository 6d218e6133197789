// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decides how a nest uses vectors and registers: which dimension the lanes run
// along, and which block of the output is held in registers while the reduction
// runs. Candidates are few, so all of them are costed.

#include "NestPlan.h"
#include "CostModel.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

std::optional<unsigned> lathe::cpu::findTurned(linalg::LinalgOp op,
                                               unsigned dim, unsigned lanes,
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

/// Chooses the lanes, those that are decided if they are possible. `others`
/// get the parallel dimensions that could have them instead, with what they
/// cost compared with the choice.
static void chooseVectorDim(Nest &nest, NestPlan &plan,
                            ArrayRef<int64_t> extents, const Target &target,
                            const NestDecision *decided,
                            SmallVectorImpl<RankedDim> *others) {
  linalg::LinalgOp op = nest.getMain();
  unsigned widest = 1;
  for (NestStage &stage : nest.stages)
    widest = std::max(widest, getWidestBytes(stage.op));
  unsigned lanes = target.vectorBytes / widest;
  double best = scalarCost;
  SmallVector<std::pair<unsigned, double>> parallel;
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
    } else if (cost < scalarCost) {
      parallel.push_back({dim, cost});
    }
    if (cost < best) {
      best = cost;
      plan.vectorDim = dim;
      plan.horizontal = reduces;
      plan.lanes = lanes;
    }
  }
  // Lanes along a reduction sum up in another order.
  if (plan.horizontal)
    return;
  for (auto [dim, cost] : parallel) {
    if (decided && decided->vectorDim == dim)
      plan.vectorDim = dim;
    else if (others && int(dim) != plan.vectorDim)
      others->push_back({dim, cost / best});
  }
}

/// The parallel dimensions, outermost loop first.
static void chooseOrder(linalg::LinalgOp op, NestPlan &plan,
                        const NestDecision *decided) {
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
  bool vectorsInside = (decided && decided->vectorsInside) ||
                       llvm::any_of(plan.blocks, [&](auto b) {
                         return plan.getShared(b.first);
                       });
  if (vectorParallel && !vectorsInside)
    plan.order.push_back(plan.vectorDim);
  llvm::append_range(plan.order, inner);
  for (auto [dim, factor] : plan.blocks)
    plan.order.push_back(dim);
  if (vectorParallel && vectorsInside)
    plan.order.push_back(plan.vectorDim);
}

NestPlan lathe::cpu::planNest(Nest &nest, ArrayRef<int64_t> extents,
                              ArrayRef<int64_t> bounds, const Target &target,
                              const NestDecision *decided,
                              SmallVectorImpl<BlockChoice> &all,
                              SmallVectorImpl<RankedDim> *lanes) {
  NestPlan plan;
  linalg::LinalgOp op = nest.getMain();
  plan.dot = matchDotProduct(op, extents, target);
  plan.permutes = target.permutes();
  if (plan.dot) {
    plan.vectorDim = plan.dot->columns;
    plan.lanes = plan.dot->lanes;
    if (!nest.padded)
      chooseMatrix(op, extents, bounds, target, plan);
  } else {
    chooseVectorDim(nest, plan, extents, target, decided, lanes);
  }
  // What was decided for other lanes says nothing about these, nor about
  // registers of matrices.
  if (plan.matrix || (decided && int(decided->vectorDim) != plan.vectorDim))
    decided = nullptr;
  if (plan.vectorDim >= 0) {
    plan.shared = findShared(op);
    plan.shared[plan.vectorDim] = 0;
    plan.narrowRest = hasNarrowRest(op, plan, extents, target);
    plan.unit = 0;
    if (!plan.matrix)
      chooseBlocks(nest, plan, extents, bounds, target, decided, all);
    int64_t extent = extents[plan.vectorDim];
    plan.unit = getUnit(plan, plan.vectors,
                        ShapedType::isDynamic(extent)
                            ? extent
                            : llvm::divideCeil(extent, plan.lanes));
  }
  plan.prefetches = !decided || decided->prefetches;
  chooseOrder(op, plan, decided);
  return plan;
}

NestPlan lathe::cpu::planNest(Nest &nest, ArrayRef<int64_t> extents,
                              ArrayRef<int64_t> bounds, const Target &target,
                              const NestDecision *decided) {
  SmallVector<BlockChoice> all;
  return planNest(nest, extents, bounds, target, decided, all, nullptr);
}
