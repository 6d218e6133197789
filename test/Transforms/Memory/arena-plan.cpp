// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plans of random buffers: none overlap while they live, no plan is below the
// bound, and the search is not worse than the greedy plan.
//
// RUN: %unit/lathe-arena-plan

#include "../../Inputs/expect.h"
#include "lathe/Transforms/Memory/ArenaPlan.h"

#include <random>

using namespace lathe;

static void checkPlan(llvm::ArrayRef<LiveBuffer> buffers,
                      const ArenaPlan &plan) {
  EXPECT(plan.offsets.size() == buffers.size());
  for (size_t i = 0; i < buffers.size(); ++i) {
    EXPECT(plan.offsets[i] >= 0);
    EXPECT(plan.offsets[i] + buffers[i].bytes <= plan.bytes);
    EXPECT(plan.offsets[i] % 64 == 0);
    for (size_t j = 0; j < i; ++j) {
      bool together = buffers[i].first <= buffers[j].last &&
                      buffers[j].first <= buffers[i].last;
      bool overlap = plan.offsets[i] < plan.offsets[j] + buffers[j].bytes &&
                     plan.offsets[j] < plan.offsets[i] + buffers[i].bytes;
      EXPECT(!(together && overlap));
    }
  }
}

/// The bound, step by step.
static int64_t countBound(llvm::ArrayRef<LiveBuffer> buffers, int64_t steps) {
  int64_t bound = 0;
  for (int64_t step = 0; step < steps; ++step) {
    int64_t live = 0;
    for (const LiveBuffer &buffer : buffers)
      if (buffer.first <= step && step <= buffer.last)
        live += buffer.bytes;
    bound = std::max(bound, live);
  }
  return bound;
}

int main() {
  std::mt19937_64 random(1);
  constexpr int64_t steps = 60;
  for (int instance = 0; instance < 200; ++instance) {
    llvm::SmallVector<LiveBuffer> buffers(random() % 80);
    for (LiveBuffer &buffer : buffers) {
      buffer.first = random() % steps;
      buffer.last = std::min<int64_t>(steps - 1, buffer.first + random() % 10);
      buffer.bytes = 64 * (1 + random() % 200);
    }
    int64_t bound = getLivenessBound(buffers);
    EXPECT(bound == countBound(buffers, steps));
    ArenaPlan greedy = planGreedy(buffers);
    ArenaPlan searched = planBySearch(buffers, 200);
    checkPlan(buffers, greedy);
    checkPlan(buffers, searched);
    EXPECT(searched.bytes >= bound);
    EXPECT(searched.bytes <= greedy.bytes);
    EXPECT(planBySearch(buffers, 200).offsets == searched.offsets);
  }
  EXPECT(planBySearch({}, 10).bytes == 0);
  return 0;
}
