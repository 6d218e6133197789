// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A depth-first search over canonical plans, after M. D. Moffitt, "MiniMalloc:
// A Lightweight Memory Allocator for Hardware-Accelerated Machine Learning",
// ASPLOS 2023.
//
// Time is cut into sections, in each of which the same buffers live. A plan is
// canonical if every buffer lies at offset 0 or right on another that it meets,
// and buffers are placed by rising offset; every plan can be pushed down into
// one, so only these are tried: the next buffer goes to the lowest offset above
// all placed ones that it meets. What cannot lead to a plan is cut off:
//
// - A section's floor, the lowest place for what is still to come there, plus
//   the bytes to come must fit. Offsets only rise, so all floors are at least
//   at the offset placed last: that limits it before anything is tried.
// - An offset at or above the end that some other buffer could have if it were
//   placed now leaves a gap that this one could fill: another plan is as good.
// - If nothing to be placed meets a buffer, placing it where it falls costs
//   nothing, and no alternative has to be tried.
// - Where no buffer to be placed lives on both sides of a border between
//   sections, the sides are problems of their own, and the first that fails
//   ends all of them. The tightest goes first.
//
// Which of equally low buffers comes first decides how fast a plan is found. No
// one order is best, so three take turns.

#include "CanonicalSearch.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace llvm;
using namespace lathe;

CanonicalSearch::CanonicalSearch(ArrayRef<LiveBuffer> buffers)
    : buffers(buffers) {
  size_t count = buffers.size();
  SmallVector<int64_t> times;
  for (const LiveBuffer &buffer : buffers)
    times.append({buffer.first, buffer.last + 1});
  llvm::sort(times);
  times.erase(llvm::unique(times), times.end());
  auto getSection = [&](int64_t time) -> unsigned {
    return llvm::lower_bound(times, time) - times.begin();
  };
  live.resize(times.size());
  meets.resize(count);
  for (size_t i = 0; i != count; ++i) {
    Span span = {getSection(buffers[i].first), getSection(buffers[i].last + 1)};
    for (unsigned s = span.begin; s != span.end; ++s)
      live[s].push_back(i);
    for (size_t j = 0; j != i; ++j)
      if (spans[j].begin < span.end && span.begin < spans[j].end) {
        meets[i].push_back(j);
        meets[j].push_back(i);
      }
    spans.push_back(span);
  }
}

void CanonicalSearch::reset() {
  size_t count = buffers.size(), sections = live.size();
  offsets.assign(count, -1);
  lowest.assign(count, 0);
  stamps.assign(count, 0);
  stamp = 0;
  floors.assign(sections, 0);
  missing.assign(sections, 0);
  crossing.assign(sections, 0);
  lowestBuffers.assign(sections, -1);
  for (size_t s = 0; s != sections; ++s) {
    for (unsigned i : live[s]) {
      missing[s] += buffers[i].bytes;
      crossing[s] += s + 1 != spans[i].end;
    }
    if (!live[s].empty())
      lowestBuffers[s] = live[s].front();
  }
}

CanonicalSearch::Outcome CanonicalSearch::run(int64_t size, int64_t budget,
                                              int64_t &steps) {
  static constexpr Keys orders[] = {{Key::Width, Key::Area, Key::Total},
                                    {Key::Total, Key::Area, Key::Width},
                                    {Key::Total, Key::Width, Key::Area}};
  capacity = size;
  if (getLivenessBound(buffers) > capacity)
    return Outcome::Infeasible;
  SmallVector<unsigned> all(buffers.size());
  std::iota(all.begin(), all.end(), 0);
  found.assign(buffers.size(), 0);
  for (const Keys &order : orders) {
    int64_t granted = std::min(budget, steps);
    keys = order;
    stepsLeft = granted;
    reset();
    Outcome outcome = solveParts(all, {0, unsigned(live.size())});
    steps -= granted - stepsLeft;
    if (outcome != Outcome::OutOfSteps)
      return outcome;
  }
  return Outcome::OutOfSteps;
}

/// Places what `members` have not placed, each part of `span` alone.
CanonicalSearch::Outcome CanonicalSearch::solveParts(ArrayRef<unsigned> members,
                                                     Span span) {
  struct Part {
    Span span;
    int64_t slack;
    SmallVector<unsigned> members;
  };
  SmallVector<Part> parts;
  SmallVector<unsigned> partOf(span.end - span.begin);
  bool isCut = true;
  for (unsigned s = span.begin; s != span.end; ++s) {
    if (isCut)
      parts.push_back({{s, s}, capacity, {}});
    Part &part = parts.back();
    part.span.end = s + 1;
    if (missing[s])
      part.slack = std::min(part.slack, capacity - floors[s] - missing[s]);
    partOf[s - span.begin] = parts.size() - 1;
    isCut = crossing[s] == 0;
  }
  for (unsigned i : members)
    if (!isPlaced(i))
      parts[partOf[spans[i].begin - span.begin]].members.push_back(i);
  stepsLeft -= (span.end - span.begin) + members.size();
  llvm::sort(parts, [](const Part &a, const Part &b) {
    return std::pair(a.slack, a.span.begin) < std::pair(b.slack, b.span.begin);
  });
  for (const Part &part : parts) {
    if (part.members.empty())
      continue;
    Outcome outcome = solve(part.members, part.span);
    if (outcome != Outcome::Found)
      return outcome;
  }
  return Outcome::Found;
}

/// Places `members`, none of which is placed.
CanonicalSearch::Outcome CanonicalSearch::solve(ArrayRef<unsigned> members,
                                                Span span) {
  // maxima[k][s]: the most missing in 2^k sections from s on.
  SmallVector<SmallVector<int64_t>> maxima;
  maxima.emplace_back(missing.begin() + span.begin, missing.begin() + span.end);
  for (size_t width = 1; 2 * width <= span.end - span.begin; width *= 2) {
    ArrayRef<int64_t> half = maxima.back();
    SmallVector<int64_t> whole;
    for (size_t s = 0; s + width < half.size(); ++s)
      whole.push_back(std::max(half[s], half[s + width]));
    stepsLeft -= whole.size();
    maxima.push_back(std::move(whole));
  }
  using Rank = std::array<double, std::tuple_size<Keys>::value>;
  SmallVector<std::pair<Rank, unsigned>> ranks;
  for (unsigned i : members) {
    unsigned begin = spans[i].begin - span.begin;
    unsigned end = spans[i].end - span.begin;
    unsigned k = Log2_32(end - begin);
    double width = buffers[i].last - buffers[i].first + 1;
    double total = std::max(maxima[k][begin], maxima[k][end - (1u << k)]);
    Rank rank;
    for (auto [value, key] : llvm::zip_equal(rank, keys))
      value = key == Key::Width  ? -width
              : key == Key::Area ? -width * buffers[i].bytes
                                 : -total;
    ranks.push_back({rank, i});
    stepsLeft -= keys.size();
  }
  llvm::sort(ranks);
  SmallVector<unsigned> order;
  for (const auto &[rank, i] : ranks)
    order.push_back(i);
  return placeNext(order, span, {0, 0});
}

/// Places what is left of `order`, which comes after `after`: an offset and a
/// position in the order.
CanonicalSearch::Outcome
CanonicalSearch::placeNext(ArrayRef<unsigned> order, Span span,
                           std::pair<int64_t, unsigned> after) {
  if (stepsLeft <= 0)
    return Outcome::OutOfSteps;
  int64_t mostMissing = 0;
  for (unsigned s = span.begin; s != span.end; ++s)
    mostMissing = std::max(mostMissing, missing[s]);
  if (mostMissing == 0)
    return Outcome::Found;
  int64_t limit = capacity - mostMissing + 1;
  for (unsigned i : order)
    if (!isPlaced(i))
      limit = std::min(limit, lowest[i] + buffers[i].bytes);
  SmallVector<std::pair<int64_t, unsigned>, 8> choices;
  for (auto [position, i] : llvm::enumerate(order)) {
    std::pair<int64_t, unsigned> choice(lowest[i], position);
    if (!isPlaced(i) && lowest[i] < limit && choice >= after)
      choices.push_back(choice);
  }
  llvm::sort(choices);
  stepsLeft -= (span.end - span.begin) + order.size();

  for (std::pair<int64_t, unsigned> choice : choices) {
    unsigned i = order[choice.second];
    Undo undo;
    Outcome outcome = Outcome::Infeasible;
    if (place(i, span, undo)) {
      bool isCut = false;
      for (unsigned s = spans[i].begin; s + 1 != spans[i].end; ++s)
        isCut |= --crossing[s] == 0;
      outcome =
          isCut ? solveParts(order, span) : placeNext(order, span, choice);
      for (unsigned s = spans[i].begin; s + 1 != spans[i].end; ++s)
        ++crossing[s];
    }
    takeBack(i, undo);
    if (outcome != Outcome::Infeasible)
      return outcome;
    if (!undo.isCovered)
      break;
  }
  return Outcome::Infeasible;
}

/// Places a buffer at its lowest offset; false where the rest cannot fit then.
bool CanonicalSearch::place(unsigned buffer, Span span, Undo &undo) {
  offsets[buffer] = found[buffer] = lowest[buffer];
  int64_t end = lowest[buffer] + buffers[buffer].bytes;
  stamps[buffer] = ++stamp;
  for (unsigned i : meets[buffer]) {
    if (isPlaced(i))
      continue;
    undo.isCovered = true;
    if (lowest[i] >= end)
      continue;
    undo.raised.push_back({i, lowest[i]});
    lowest[i] = end;
    stamps[i] = stamp;
  }
  stepsLeft -= meets[buffer].size();
  for (unsigned s = spans[buffer].begin; s != spans[buffer].end; ++s) {
    undo.lifted.push_back({s, floors[s], lowestBuffers[s]});
    floors[s] = end;
    missing[s] -= buffers[buffer].bytes;
  }
  for (unsigned s = span.begin; s != span.end; ++s) {
    if (lowestBuffers[s] < 0 || stamps[lowestBuffers[s]] != stamp)
      continue;
    int next = -1;
    for (unsigned i : live[s])
      if (!isPlaced(i) && (next < 0 || lowest[i] < lowest[next]))
        next = i;
    stepsLeft -= live[s].size();
    undo.lifted.push_back({s, floors[s], lowestBuffers[s]});
    lowestBuffers[s] = next;
    if (next < 0 || lowest[next] <= floors[s])
      continue;
    floors[s] = lowest[next];
    if (floors[s] + missing[s] > capacity)
      return false;
  }
  stepsLeft -= span.end - span.begin;
  return true;
}

void CanonicalSearch::takeBack(unsigned buffer, const Undo &undo) {
  for (const Lifted &lifted : llvm::reverse(undo.lifted)) {
    floors[lifted.section] = lifted.floor;
    lowestBuffers[lifted.section] = lifted.lowestBuffer;
  }
  for (unsigned s = spans[buffer].begin; s != spans[buffer].end; ++s)
    missing[s] += buffers[buffer].bytes;
  for (const Raised &raised : llvm::reverse(undo.raised))
    lowest[raised.buffer] = raised.lowest;
  offsets[buffer] = -1;
}
