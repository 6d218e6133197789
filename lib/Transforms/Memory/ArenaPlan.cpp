// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Transforms/Memory/ArenaPlan.h"

#include "CanonicalSearch.h"

#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <map>
#include <numeric>
#include <set>

using namespace llvm;
using namespace lathe;

/// Orders of placement that learn from the one before, and the pairs of buffers
/// that they may look at: some 0.1 s. An order that looks at more is not tried.
static constexpr size_t orderRounds = 32, orderPairs = 1 << 25;

/// The first attempt's share of steps, for each pair of buffers: enough to
/// place all of them once.
static constexpr int64_t firstSteps = 16;

/// Part of the liveness bound that is not worth another attempt.
static constexpr int64_t tolerance = 128;

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

/// How many pairs of buffers live at the same time.
static size_t countMeetings(ArrayRef<LiveBuffer> buffers) {
  SmallVector<std::pair<int64_t, int64_t>> events;
  for (const LiveBuffer &buffer : buffers) {
    events.push_back({buffer.first, 1});
    events.push_back({buffer.last + 1, -1});
  }
  llvm::sort(events);
  size_t live = 0, meetings = 0;
  for (auto [step, change] : events) {
    if (change > 0)
      meetings += live;
    live += change;
  }
  return meetings;
}

namespace {
/// What lies free between buffers, by place and by size.
class Holes {
public:
  /// The place of the smallest hole of `bytes`, or the end of all.
  int64_t take(int64_t bytes) {
    auto best = bySize.lower_bound({bytes, 0});
    if (best == bySize.end()) {
      // What is free at the end grows.
      int64_t offset = end;
      if (!byPlace.empty()) {
        auto [last, size] = *std::prev(byPlace.end());
        if (last + size == end) {
          remove(last, size);
          offset = last;
        }
      }
      end = offset + bytes;
      return offset;
    }
    auto [size, offset] = *best;
    remove(offset, size);
    if (size > bytes)
      add(offset + bytes, size - bytes);
    return offset;
  }

  void give(int64_t offset, int64_t bytes) {
    auto next = byPlace.lower_bound(offset);
    if (next != byPlace.end() && next->first == offset + bytes) {
      auto [at, size] = *next;
      remove(at, size);
      bytes += size;
    }
    auto before = byPlace.lower_bound(offset);
    if (before != byPlace.begin()) {
      auto [at, size] = *std::prev(before);
      if (at + size == offset) {
        remove(at, size);
        offset = at;
        bytes += size;
      }
    }
    add(offset, bytes);
  }

  int64_t getEnd() const { return end; }

private:
  void add(int64_t offset, int64_t size) {
    byPlace[offset] = size;
    bySize.insert({size, offset});
  }
  void remove(int64_t offset, int64_t size) {
    byPlace.erase(offset);
    bySize.erase({size, offset});
  }

  std::map<int64_t, int64_t> byPlace;
  std::set<std::pair<int64_t, int64_t>> bySize;
  int64_t end = 0;
};
} // namespace

/// Places buffers as they come to life, each in the smallest hole that holds
/// it: not the best of plans, but one for any number of buffers.
static ArenaPlan planByTime(ArrayRef<LiveBuffer> buffers) {
  // At one step, what goes out comes before what comes in.
  SmallVector<std::tuple<int64_t, bool, unsigned>> events;
  for (auto [i, buffer] : llvm::enumerate(buffers)) {
    events.push_back({buffer.first, true, i});
    events.push_back({buffer.last + 1, false, i});
  }
  llvm::sort(events);
  ArenaPlan plan;
  plan.offsets.assign(buffers.size(), 0);
  Holes holes;
  for (auto [step, comes, i] : events) {
    if (buffers[i].bytes == 0)
      continue;
    if (comes)
      plan.offsets[i] = holes.take(buffers[i].bytes);
    else
      holes.give(plan.offsets[i], buffers[i].bytes);
  }
  plan.bytes = holes.getEnd();
  return plan;
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
  if (countMeetings(buffers) > orderPairs)
    return planByTime(buffers);
  return Placer(buffers).place(getOrder(
      buffers.size(), [&](unsigned i) { return (double)buffers[i].bytes; }));
}

/// The best of several orders of placement.
static ArenaPlan planByOrders(ArrayRef<LiveBuffer> buffers) {
  if (countMeetings(buffers) > orderPairs)
    return planByTime(buffers);
  Placer placer(buffers);
  auto life = [&](unsigned i) {
    return (double)(buffers[i].last - buffers[i].first + 1);
  };
  auto place = [&](function_ref<double(unsigned)> key) {
    return placer.place(getOrder(buffers.size(), key));
  };
  ArenaPlan plans[] = {
      place([&](unsigned i) { return (double)buffers[i].bytes; }),
      place([&](unsigned i) { return buffers[i].bytes * life(i); }),
      place(life), place([&](unsigned i) { return -(double)buffers[i].first; }),
      place([&](unsigned i) { return (double)buffers[i].last; })};
  ArenaPlan best =
      *llvm::min_element(plans, [](const ArenaPlan &a, const ArenaPlan &b) {
        return a.bytes < b.bytes;
      });
  // What ends above the bound was placed too late: give it twice the
  // weight (squeaky wheel optimization, Joslin and Clements, JAIR 10, 1999).
  int64_t bound = getLivenessBound(buffers);
  SmallVector<double> weights;
  for (const LiveBuffer &buffer : buffers)
    weights.push_back(buffer.bytes);
  ArenaPlan plan = plans[0];
  size_t count = std::max<size_t>(buffers.size(), 1);
  size_t rounds = std::min(orderRounds, orderPairs / (count * count));
  for (size_t i = 0; i != rounds && best.bytes > bound; ++i) {
    for (auto [offset, buffer, weight] :
         llvm::zip_equal(plan.offsets, buffers, weights))
      if (offset + buffer.bytes > bound)
        weight *= 2;
    plan = place([&](unsigned buffer) { return weights[buffer]; });
    if (plan.bytes < best.bytes)
      best = plan;
  }
  return best;
}

/// What a search's first attempt may take, which doubles from then on.
static int64_t getFirstBudget(ArrayRef<LiveBuffer> buffers) {
  return firstSteps * buffers.size() * buffers.size();
}

static ArenaPlan getPlan(ArrayRef<LiveBuffer> buffers,
                         ArrayRef<int64_t> offsets) {
  ArenaPlan plan;
  plan.offsets.assign(offsets.begin(), offsets.end());
  for (auto [offset, buffer] : llvm::zip_equal(offsets, buffers))
    plan.bytes = std::max(plan.bytes, offset + buffer.bytes);
  return plan;
}

std::optional<ArenaPlan> lathe::planWithin(ArrayRef<LiveBuffer> buffers,
                                           int64_t capacity, int64_t steps) {
  ArenaPlan plan = planByOrders(buffers);
  if (plan.bytes <= capacity)
    return plan;
  if (buffers.size() > CanonicalSearch::maxBuffers)
    return std::nullopt;
  CanonicalSearch search(buffers);
  auto outcome = CanonicalSearch::Outcome::OutOfSteps;
  int64_t budget = getFirstBudget(buffers);
  for (; outcome == CanonicalSearch::Outcome::OutOfSteps && steps > 0;
       budget *= 2)
    outcome = search.run(capacity, budget, steps);
  if (outcome != CanonicalSearch::Outcome::Found)
    return std::nullopt;
  return getPlan(buffers, search.getOffsets());
}

ArenaPlan lathe::planBySearch(ArrayRef<LiveBuffer> buffers, int64_t steps) {
  ArenaPlan best = planByOrders(buffers);
  int64_t bound = getLivenessBound(buffers);
  if (best.bytes <= bound || buffers.size() > CanonicalSearch::maxBuffers)
    return best;
  // Every offset is a sum of sizes, so it is a multiple of what divides all.
  int64_t unit = 0;
  for (const LiveBuffer &buffer : buffers)
    unit = std::gcd(unit, buffer.bytes);
  CanonicalSearch search(buffers);
  auto attempt = [&](int64_t capacity, int64_t budget) {
    auto outcome = search.run(capacity, budget, steps);
    if (outcome == CanonicalSearch::Outcome::Infeasible)
      bound = std::max(bound, capacity + unit);
    if (outcome != CanonicalSearch::Outcome::Found)
      return false;
    best = getPlan(buffers, search.getOffsets());
    return true;
  };
  // Most programs reach the bound. In case this one does not, each round also
  // halves what lies between the best plan and what was too small.
  int64_t budget = getFirstBudget(buffers);
  for (; steps > 0 && best.bytes > bound; budget *= 2) {
    attempt(bound, budget);
    int64_t low = bound;
    while (steps > 0 && best.bytes - low > bound / tolerance) {
      int64_t capacity = low + (best.bytes - low) / unit / 2 * unit;
      if (!attempt(capacity, budget))
        low = std::max(capacity, bound);
      if (best.bytes - low <= unit)
        break;
    }
  }
  return best;
}
