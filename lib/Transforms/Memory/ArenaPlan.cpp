// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Transforms/Memory/ArenaPlan.h"

#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <numeric>

using namespace llvm;
using namespace lathe;

int64_t lathe::getLivenessBound(ArrayRef<LiveBuffer> buffers) {
  // Sizes come in at `first` and go out after `last`.
  SmallVector<std::pair<int64_t, int64_t>> events;
  for (const LiveBuffer &buffer : buffers) {
    events.push_back({buffer.first, buffer.bytes});
    events.push_back({buffer.last + 1, -buffer.bytes});
  }
  llvm::sort(events);
  int64_t live = 0, bound = 0;
  for (auto [step, change] : events) {
    // At one step, what goes out sorts before what comes in.
    live += change;
    bound = std::max(bound, live);
  }
  return bound;
}

namespace {
/// Places buffers one after the other; knows which of them meet.
class Placer {
public:
  explicit Placer(ArrayRef<LiveBuffer> buffers) : buffers(buffers) {
    meets.resize(buffers.size());
    SmallVector<unsigned> byFirst(buffers.size());
    std::iota(byFirst.begin(), byFirst.end(), 0);
    llvm::sort(byFirst, [&](unsigned a, unsigned b) {
      return std::pair(buffers[a].first, a) < std::pair(buffers[b].first, b);
    });
    SmallVector<unsigned> live;
    for (unsigned i : byFirst) {
      llvm::erase_if(
          live, [&](unsigned j) { return buffers[j].last < buffers[i].first; });
      for (unsigned j : live) {
        meets[i].push_back(j);
        meets[j].push_back(i);
      }
      live.push_back(i);
    }
  }

  ArenaPlan place(ArrayRef<unsigned> order) {
    ArenaPlan plan;
    plan.offsets.assign(buffers.size(), -1);
    SmallVector<std::pair<int64_t, int64_t>> taken;
    for (unsigned i : order) {
      taken.clear();
      for (unsigned j : meets[i])
        if (plan.offsets[j] >= 0)
          taken.push_back(
              {plan.offsets[j], plan.offsets[j] + buffers[j].bytes});
      llvm::sort(taken);
      int64_t offset = 0;
      for (auto [begin, end] : taken) {
        if (offset + buffers[i].bytes <= begin)
          break;
        offset = std::max(offset, end);
      }
      plan.offsets[i] = offset;
      plan.bytes = std::max(plan.bytes, offset + buffers[i].bytes);
    }
    return plan;
  }

private:
  ArrayRef<LiveBuffer> buffers;
  SmallVector<SmallVector<unsigned>> meets;
};
} // namespace

/// The order in which `key` decreases; equal keys keep their order.
static SmallVector<unsigned> getOrder(size_t count,
                                      function_ref<double(unsigned)> key) {
  SmallVector<unsigned> order(count);
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](unsigned a, unsigned b) {
    double keyA = key(a), keyB = key(b);
    return keyA != keyB ? keyA > keyB : a < b;
  });
  return order;
}

ArenaPlan lathe::planGreedy(ArrayRef<LiveBuffer> buffers) {
  return Placer(buffers).place(getOrder(
      buffers.size(), [&](unsigned i) { return (double)buffers[i].bytes; }));
}

ArenaPlan lathe::planBySearch(ArrayRef<LiveBuffer> buffers, unsigned tries) {
  Placer placer(buffers);
  int64_t bound = getLivenessBound(buffers);
  auto life = [&](unsigned i) {
    return (double)(buffers[i].last - buffers[i].first + 1);
  };
  SmallVector<SmallVector<unsigned>> orders = {
      getOrder(buffers.size(),
               [&](unsigned i) { return (double)buffers[i].bytes; }),
      getOrder(buffers.size(),
               [&](unsigned i) { return buffers[i].bytes * life(i); }),
      getOrder(buffers.size(), life),
      getOrder(buffers.size(),
               [&](unsigned i) { return -(double)buffers[i].first; }),
      getOrder(buffers.size(),
               [&](unsigned i) { return (double)buffers[i].last; })};
  ArenaPlan best;
  SmallVector<unsigned> bestOrder;
  for (SmallVector<unsigned> &order : orders) {
    ArenaPlan plan = placer.place(order);
    if (bestOrder.empty() || plan.bytes < best.bytes) {
      best = plan;
      bestOrder = order;
    }
  }
  // A buffer at the top of the arena was placed too late: move it forward to a
  // place drawn by a fixed linear congruential sequence (Knuth, TAOCP vol. 2,
  // 3.3.4), keep what is not worse.
  uint64_t state = 0x9E3779B97F4A7C15ull;
  SmallVector<unsigned> order = bestOrder;
  for (unsigned i = 0; i < tries && best.bytes > bound; ++i) {
    SmallVector<unsigned> tops;
    for (unsigned position = 1; position < order.size(); ++position) {
      unsigned buffer = order[position];
      if (best.offsets[buffer] + buffers[buffer].bytes == best.bytes)
        tops.push_back(position);
    }
    if (tops.empty())
      break;
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    unsigned from = tops[(state >> 33) % tops.size()];
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    unsigned to = (state >> 33) % from;
    SmallVector<unsigned> next = order;
    std::rotate(next.begin() + to, next.begin() + from,
                next.begin() + from + 1);
    ArenaPlan plan = placer.place(next);
    if (plan.bytes <= best.bytes) {
      best = plan;
      order = next;
    }
  }
  return best;
}
