// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plans of random buffers: none overlap while they live, no plan is below the
// bound, and the search is not worse than the greedy plan. Then instances that
// are hard to solve: each has a plan of the size that its file's name says.
//
// RUN: %unit/lathe-arena-plan %S/Inputs/minimalloc

#include "../../Inputs/expect.h"
#include "lathe/Transforms/Memory/ArenaPlan.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>

using namespace lathe;

/// Looks of the search at most: some seconds.
static constexpr int64_t manySteps = 2000 * 1000 * 1000;

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

static void testRandom() {
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
    ArenaPlan searched = planBySearch(buffers, 200000);
    checkPlan(buffers, greedy);
    checkPlan(buffers, searched);
    EXPECT(searched.bytes >= bound);
    EXPECT(searched.bytes <= greedy.bytes);
    EXPECT(planBySearch(buffers, 200000).offsets == searched.offsets);
    EXPECT(planBySearch(buffers, 0).bytes <= greedy.bytes);
    // What is found with a limit fits, and nothing fits below the bound.
    std::optional<ArenaPlan> within =
        planWithin(buffers, searched.bytes, 1000000);
    if (within)
      checkPlan(buffers, *within);
    EXPECT(!within || within->bytes <= searched.bytes);
    EXPECT(buffers.empty() || !planWithin(buffers, bound - 1, 1000000));
  }
  EXPECT(planBySearch({}, 10).bytes == 0);
}

/// So many buffers at the same time that no order of placement is tried.
static void testMany() {
  std::mt19937_64 random(3);
  llvm::SmallVector<LiveBuffer> buffers(10000);
  for (LiveBuffer &buffer : buffers) {
    buffer.first = random() % 2000;
    buffer.last = buffer.first + random() % 20000;
    buffer.bytes = 64 * (1 + random() % 200);
  }
  ArenaPlan plan = planBySearch(buffers, 1000000);
  checkPlan(buffers, plan);
  EXPECT(plan.bytes <= getLivenessBound(buffers) * 5 / 4);
}

/// The smallest arena, by trying every order of placement.
static int64_t findSmallest(llvm::ArrayRef<LiveBuffer> buffers) {
  llvm::SmallVector<unsigned> order(buffers.size());
  std::iota(order.begin(), order.end(), 0);
  int64_t smallest = INT64_MAX;
  do {
    llvm::SmallVector<int64_t> offsets(buffers.size(), -1);
    int64_t bytes = 0;
    for (unsigned i : order) {
      int64_t offset = 0;
      // Past all earlier ones that it meets, as in a canonical plan.
      for (unsigned j : order)
        if (offsets[j] >= 0 && buffers[i].first <= buffers[j].last &&
            buffers[j].first <= buffers[i].last)
          offset = std::max(offset, offsets[j] + buffers[j].bytes);
      offsets[i] = offset;
      bytes = std::max(bytes, offset + buffers[i].bytes);
    }
    smallest = std::min(smallest, bytes);
  } while (std::next_permutation(order.begin(), order.end()));
  return smallest;
}

static void testSmallest() {
  std::mt19937_64 random(2);
  for (int instance = 0; instance < 200; ++instance) {
    llvm::SmallVector<LiveBuffer> buffers(1 + random() % 7);
    for (LiveBuffer &buffer : buffers) {
      buffer.first = random() % 8;
      buffer.last = buffer.first + random() % 5;
      buffer.bytes = 64 * (1 + random() % 9);
    }
    EXPECT(planBySearch(buffers, 1000000).bytes == findSmallest(buffers));
  }
}

static llvm::SmallVector<LiveBuffer> readBuffers(llvm::StringRef path) {
  auto file = llvm::MemoryBuffer::getFile(path);
  EXPECT(file);
  llvm::SmallVector<LiveBuffer> buffers;
  llvm::SmallVector<llvm::StringRef> lines;
  (*file)->getBuffer().split(lines, '\n', -1, /*KeepEmpty=*/false);
  EXPECT(lines.front().trim() == "id,lower,upper,size");
  for (llvm::StringRef line : llvm::drop_begin(lines)) {
    llvm::SmallVector<llvm::StringRef> fields;
    line.trim().split(fields, ',');
    LiveBuffer buffer;
    EXPECT(fields.size() == 4 && llvm::to_integer(fields[1], buffer.first) &&
           llvm::to_integer(fields[2], buffer.last) &&
           llvm::to_integer(fields[3], buffer.bytes));
    --buffer.last;
    buffers.push_back(buffer);
  }
  return buffers;
}

static void testHard(llvm::StringRef folder) {
  llvm::SmallVector<std::string> paths;
  std::error_code error;
  for (llvm::sys::fs::directory_iterator entry(folder, error), end;
       !error && entry != end; entry.increment(error))
    if (llvm::StringRef(entry->path()).ends_with(".csv"))
      paths.push_back(entry->path());
  EXPECT(!error);
  EXPECT(paths.size() == 11);
  llvm::sort(paths);
  for (const std::string &path : paths) {
    llvm::SmallVector<LiveBuffer> buffers = readBuffers(path);
    llvm::StringRef name = llvm::sys::path::stem(path);
    int64_t capacity = 0;
    EXPECT(llvm::to_integer(name.rsplit('.').second, capacity));
    auto begin = std::chrono::steady_clock::now();
    std::optional<ArenaPlan> plan = planWithin(buffers, capacity, manySteps);
    std::chrono::duration<double> seconds =
        std::chrono::steady_clock::now() - begin;
    EXPECT(plan);
    checkPlan(buffers, *plan);
    EXPECT(plan->bytes <= capacity);
    int64_t bound = getLivenessBound(buffers);
    printf("%s: %zu buffers, arena %lld, bound %lld, ratio %.4f, greedy %.4f, "
           "%.3f s\n",
           name.str().c_str(), buffers.size(), (long long)plan->bytes,
           (long long)bound, (double)plan->bytes / bound,
           (double)planGreedy(buffers).bytes / bound, seconds.count());
  }
}

int main(int argc, char **argv) {
  EXPECT(argc == 2);
  testRandom();
  testMany();
  testSmallest();
  testHard(argv[1]);
  return 0;
}
