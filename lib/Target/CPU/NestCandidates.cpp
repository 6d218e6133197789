// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What else could be decided about a nest than what the model decides. Nothing
// that sums up in another order.

#include "CostModel.h"
#include "NestPlan.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

/// Adds the blocks of least cost, one of each form at first: of each number of
/// vectors, and of each set of dimensions.
static void proposeBlocks(ArrayRef<BlockChoice> all, const NestDecision &like,
                          unsigned most, double limit,
                          SmallVectorImpl<NestDecision> &proposed) {
  SmallVector<std::pair<double, size_t>> ranked;
  for (auto [i, choice] : llvm::enumerate(all))
    if (choice.cost <= limit)
      ranked.push_back({choice.cost, i});
  llvm::sort(ranked);
  auto getForm = [](unsigned vectors,
                    ArrayRef<std::pair<unsigned, unsigned>> blocks) {
    return std::make_pair(vectors,
                          llvm::to_vector(llvm::make_first_range(blocks)));
  };
  unsigned end = proposed.size() + most;
  for (bool newForms : {true, false})
    for (auto [cost, i] : ranked) {
      NestDecision decision = like;
      decision.vectors = all[i].vectors;
      decision.blocks = all[i].blocks;
      auto hasForm = [&](const NestDecision &other) {
        return other.vectorDim == decision.vectorDim &&
               getForm(other.vectors, other.blocks) ==
                   getForm(decision.vectors, decision.blocks);
      };
      if (proposed.size() == end)
        return;
      if (!llvm::is_contained(proposed, decision) &&
          !(newForms && llvm::any_of(proposed, hasForm)))
        proposed.push_back(decision);
    }
}

SmallVector<NestDecision> lathe::cpu::proposeNests(Nest &nest,
                                                   ArrayRef<int64_t> extents,
                                                   ArrayRef<int64_t> bounds,
                                                   const Target &target) {
  SmallVector<BlockChoice> all;
  SmallVector<RankedDim> lanes;
  NestPlan plan = planNest(nest, extents, bounds, target, nullptr, all, &lanes);
  if (all.empty())
    return {};
  NestDecision model;
  model.vectorDim = plan.vectorDim;
  model.vectors = plan.vectors;
  model.blocks = plan.blocks;
  SmallVector<NestDecision> proposed{model};
  double best = llvm::min_element(all, [](auto &a, auto &b) {
                  return a.cost < b.cost;
                })->cost;
  proposeBlocks(all, model, maxBlockCandidates, best * maxCandidateCost,
                proposed);
  for (auto [dim, ratio] : lanes) {
    if (ratio > maxCandidateCost)
      continue;
    NestDecision turned;
    turned.vectorDim = dim;
    SmallVector<BlockChoice> blocks;
    planNest(nest, extents, bounds, target, &turned, blocks, nullptr);
    proposeBlocks(blocks, turned, 1, std::numeric_limits<double>::infinity(),
                  proposed);
  }
  auto change = [&](bool NestDecision::*flag) {
    NestDecision changed = model;
    changed.*flag = !(changed.*flag);
    proposed.push_back(changed);
  };
  if (!plan.horizontal && plan.order.size() > 1 &&
      int(plan.order.back()) != plan.vectorDim)
    change(&NestDecision::vectorsInside);
  if (plan.unrolled)
    change(&NestDecision::unrolls);
  if (canPrefetch(nest, plan))
    change(&NestDecision::prefetches);
  proposed.erase(proposed.begin());
  return proposed;
}
