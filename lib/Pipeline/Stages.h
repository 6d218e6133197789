// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where a compilation's time goes: stages, their wall time, and progress.

#ifndef LATHE_LIB_PIPELINE_STAGES_H
#define LATHE_LIB_PIPELINE_STAGES_H

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>
#include <functional>
#include <sys/resource.h>

namespace lathe {

class StageClock {
public:
  StageClock(bool timing, bool progress,
             std::function<void(llvm::StringRef)> onStage,
             llvm::raw_ostream &os)
      : timing(timing), progress(progress), onStage(std::move(onStage)),
        os(os) {}

  /// Counts time for a stage while the returned object lives; what runs inside
  /// of it counts for itself only.
  class Running {
  public:
    Running(StageClock &clock, llvm::StringRef stage)
        : clock(clock), stage(stage), outer(clock.innermost),
          begin(std::chrono::steady_clock::now()) {
      clock.seconds[stage] += 0;
      clock.innermost = this;
    }
    Running(const Running &) = delete;
    ~Running() {
      double time = std::chrono::duration<double>(
                        std::chrono::steady_clock::now() - begin)
                        .count();
      clock.seconds[stage] += time;
      if (outer)
        clock.seconds[outer->stage] -= time;
      clock.innermost = outer;
    }

  private:
    StageClock &clock;
    llvm::StringRef stage;
    Running *outer;
    std::chrono::steady_clock::time_point begin;
  };
  Running start(llvm::StringRef stage) {
    if (progress)
      os << "lathe: " << stage << '\n';
    if (onStage)
      onStage(stage);
    return Running(*this, stage);
  }

  void report() {
    if (!timing)
      return;
    double sum = 0;
    for (auto &[stage, time] : seconds) {
      os << llvm::format("%9.3f s  ", time) << stage << '\n';
      sum += time;
    }
    os << llvm::format("%9.3f s  total\n", sum);
    struct rusage usage;
    if (getrusage(RUSAGE_SELF, &usage) == 0)
      os << llvm::format("%9ld MiB peak memory\n", usage.ru_maxrss / 1024);
  }

private:
  bool timing, progress;
  std::function<void(llvm::StringRef)> onStage;
  llvm::raw_ostream &os;
  llvm::MapVector<llvm::StringRef, double> seconds;
  Running *innermost = nullptr;
};

} // namespace lathe

#endif // LATHE_LIB_PIPELINE_STAGES_H
