// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dynamic storage allocation: offsets for buffers with known lives and sizes.

#ifndef LATHE_TRANSFORMS_MEMORY_ARENAPLAN_H
#define LATHE_TRANSFORMS_MEMORY_ARENAPLAN_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <optional>

namespace lathe {

/// A buffer that is live from step `first` to step `last`, both included.
struct LiveBuffer {
  int64_t first, last;
  int64_t bytes; ///< A multiple of the alignment.
};

struct ArenaPlan {
  llvm::SmallVector<int64_t> offsets; ///< Of each buffer, in bytes.
  int64_t bytes = 0;                  ///< Size of the arena.
};

/// The largest sum of the sizes of buffers live at one step: no plan is
/// smaller.
int64_t getLivenessBound(llvm::ArrayRef<LiveBuffer> buffers);

/// Places the buffers in the order given by decreasing size, each at the lowest
/// offset where it overlaps no placed buffer that lives at the same time.
ArenaPlan planGreedy(llvm::ArrayRef<LiveBuffer> buffers);

/// Searches for a plan of at most `capacity` bytes; nothing where there is
/// none, or after about `steps` looks at a buffer or a moment.
std::optional<ArenaPlan> planWithin(llvm::ArrayRef<LiveBuffer> buffers,
                                    int64_t capacity, int64_t steps);

/// The best of several orders of placement; where that misses the liveness
/// bound, searches for a plan that meets it, then for smaller plans than the
/// best. Ends at the bound, or after about `steps`.
/// Never worse than `planGreedy`, and deterministic.
ArenaPlan planBySearch(llvm::ArrayRef<LiveBuffer> buffers, int64_t steps);

} // namespace lathe

#endif // LATHE_TRANSFORMS_MEMORY_ARENAPLAN_H
