// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a report says, apart from how it looks.

#ifndef LATHE_TOOLS_LATHE_REPORT_H
#define LATHE_TOOLS_LATHE_REPORT_H

#include "Statistics.h"
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace llvm {
class raw_ostream;
} // namespace llvm

namespace lathe::driver {

struct Report {
  /// One launch of a kernel, in the order of the program.
  struct Launch {
    std::string kernel, nodes;
    int64_t flops, bytes;
    double nanoseconds;
    std::vector<size_t> sources; ///< Launches whose results it reads.
  };
  /// A buffer of the arena: bytes [offset, offset + bytes) from position
  /// `first` of the program to `last`.
  struct Buffer {
    int64_t offset, bytes, first, last;
  };
  /// One way to compile the model.
  struct Variant {
    std::string name;
    Statistics time; ///< Nanoseconds.
    int64_t numLaunches, flops, bytes, arenaBytes, arenaBound;
  };

  std::string model, target;
  std::vector<std::string> inputs; ///< Like "x: float32[1, 3]".
  unsigned threads = 0;
  int64_t weightsBytes = 0;
  double peakFlops = 0; ///< Per nanosecond, measured.
  double peakBytes = 0; ///< From memory, per nanosecond, measured.
  std::vector<Variant> variants;
  /// Of the first variant.
  std::vector<Launch> launches;
  std::vector<Buffer> buffers;
};

/// Writes the report as one HTML page that needs nothing else.
void writePage(const Report &report, llvm::raw_ostream &os);

} // namespace lathe::driver

#endif // LATHE_TOOLS_LATHE_REPORT_H
