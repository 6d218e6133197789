// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelTrial.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/Support/Alignment.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
#include <cstdlib>
#include <ctime>

using namespace llvm;
using namespace lathe;

/// Seconds that the rounds of one kernel should take in all, and their number
/// at least and at most.
static constexpr double wantedSeconds = 0.1;
static constexpr int minRounds = 7, maxRounds = 101;
/// The part of the time that a candidate must save at least; less is noise on
/// machines that do other work, too.
static constexpr double minGain = 0.02;
/// Bytes; all buffers of a model begin at lines of a cache.
static constexpr size_t alignment = 64;

//===----------------------------------------------------------------------===//
// Code
//===----------------------------------------------------------------------===//

Error KernelLibrary::link(ArrayRef<SmallVector<char, 0>> objects) {
  using namespace orc;
  Expected<std::unique_ptr<LLJIT>> made =
      LLJITBuilder().setPlatformSetUp(setUpInactivePlatform).create();
  if (!made)
    return made.takeError();
  jit = std::move(*made);
  for (auto [i, object] : llvm::enumerate(objects))
    if (Error error = jit->addObjectFile(
            MemoryBuffer::getMemBuffer(StringRef(object.data(), object.size()),
                                       "kernel" + std::to_string(i),
                                       /*RequiresNullTerminator=*/false)))
      return error;
  return Error::success();
}

Expected<lathe_rt_kernel> KernelLibrary::find(StringRef symbol) {
  Expected<orc::ExecutorAddr> address = jit->lookup(symbol);
  if (!address)
    return address.takeError();
  return address->toPtr<lathe_rt_kernel>();
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static std::unique_ptr<char, void (*)(void *)> allocate(size_t bytes) {
  // One more line, so that there is one.
  void *memory = std::aligned_alloc(alignment, alignTo(bytes + 1, alignment));
  if (!memory)
    report_bad_alloc_error("memory for a kernel's operands");
  return {static_cast<char *>(memory), std::free};
}

/// Fills memory with numbers between 1/8 and 1 for f32, f64 and bf16, and
/// between 1 and 2 for f16.
static void fill(char *memory, size_t bytes) {
  uint32_t state = 1;
  auto *halves = reinterpret_cast<uint16_t *>(memory);
  for (size_t i = 0; i < bytes / 2; ++i) {
    state = state * 1664525 + 1013904223;
    halves[i] = 0x3e00 + (state >> 16) % 0x180;
  }
}

/// Has all lines written, as by the kernel that makes them.
static void rewrite(char *memory, size_t bytes) {
  for (size_t i = 0; i < bytes; i += alignment) {
    volatile char *line = memory + i;
    *line = *line;
  }
}

WeightPool::WeightPool(size_t bytes)
    : memory(allocate(bytes)), numBytes(bytes) {
  fill(memory.get(), bytes);
}

char *WeightPool::take(size_t bytes) {
  if (bytes > numBytes - next)
    next = 0;
  char *taken = memory.get() + next;
  next = std::min(numBytes, size_t(alignTo(next + bytes, alignment)));
  return taken;
}

//===----------------------------------------------------------------------===//
// Time
//===----------------------------------------------------------------------===//

/// Seconds that this thread has computed: kernels do not wait, and what else
/// the machine does counts only as far as it disturbs.
static double getSeconds() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return time.tv_sec + 1e-9 * time.tv_nsec;
}

static double getMedian(SmallVector<double> samples) {
  auto middle = samples.begin() + samples.size() / 2;
  std::nth_element(samples.begin(), middle, samples.end());
  return *middle;
}

namespace {
class Trial {
public:
  Trial(ArrayRef<KernelCandidate> candidates, const KernelOperands &operands,
        WeightPool &pool)
      : candidates(candidates), operands(operands), pool(pool),
        memory(nullptr, std::free), scratch(nullptr, std::free) {
    size_t bytes = 0, scratchBytes = 0;
    for (const KernelOperands::Buffer &buffer : operands.buffers)
      if (!buffer.isWeight())
        bytes += alignTo(buffer.bytes, alignment);
    for (const KernelCandidate &candidate : candidates)
      scratchBytes = std::max(scratchBytes, candidate.scratchBytes);
    memory = allocate(bytes);
    fill(memory.get(), bytes);
    scratch = allocate(scratchBytes);
    fill(scratch.get(), scratchBytes);
  }

  double run(unsigned candidate) {
    SmallVector<int64_t> args;
    size_t offset = 0;
    for (const KernelOperands::Buffer &buffer : operands.buffers) {
      char *at =
          buffer.isWeight() ? pool.take(buffer.bytes) : memory.get() + offset;
      if (!buffer.isWeight())
        offset += alignTo(buffer.bytes, alignment);
      if (buffer.kind == KernelOperands::Kind::Input)
        rewrite(at, buffer.bytes);
      args.push_back(reinterpret_cast<intptr_t>(at));
    }
    llvm::append_range(args, operands.sizes);
    const KernelCandidate &chosen = candidates[candidate];
    double begin = getSeconds();
    chosen.function(args.data(), 0, chosen.tiles, scratch.get());
    return getSeconds() - begin;
  }

  /// The times of these candidates, round by round.
  SmallVector<SmallVector<double>> runRounds(ArrayRef<unsigned> which) {
    double once = 0;
    for (unsigned candidate : which) {
      run(candidate);
      once += run(candidate);
    }
    int rounds = std::clamp<double>(wantedSeconds / std::max(once, 1e-9),
                                    minRounds, maxRounds);
    SmallVector<SmallVector<double>> samples(which.size());
    for (int round = 0; round < rounds; ++round)
      for (size_t i = 0; i < which.size(); ++i) {
        // Nobody always follows the same one.
        size_t turn = (i + round) % which.size();
        samples[turn].push_back(run(which[turn]));
      }
    return samples;
  }

private:
  ArrayRef<KernelCandidate> candidates;
  const KernelOperands &operands;
  WeightPool &pool;
  std::unique_ptr<char, void (*)(void *)> memory, scratch;
};
} // namespace

KernelVerdict lathe::compareKernels(ArrayRef<KernelCandidate> candidates,
                                    const KernelOperands &operands,
                                    WeightPool &pool) {
  KernelVerdict verdict;
  Trial trial(candidates, operands, pool);
  SmallVector<SmallVector<double>> samples = trial.runRounds(
      llvm::to_vector(llvm::seq<unsigned>(0, candidates.size())));
  SmallVector<double> medians = llvm::map_to_vector(samples, getMedian);
  verdict.before = verdict.after = medians.front();
  auto least = std::min_element(medians.begin(), medians.end());
  if (*least > (1 - minGain) * verdict.before)
    return verdict;
  // The best of many is lucky, too: it has to win once more.
  unsigned best = least - medians.begin();
  samples = trial.runRounds({0, best});
  double before = getMedian(samples[0]), after = getMedian(samples[1]);
  int wins = 0;
  for (auto [first, second] : llvm::zip_equal(samples[0], samples[1]))
    wins += second < first;
  verdict.before = verdict.after = before;
  if (after > (1 - minGain) * before || wins * 3 < int(samples[0].size()) * 2)
    return verdict;
  verdict.best = best;
  verdict.after = after;
  return verdict;
}
