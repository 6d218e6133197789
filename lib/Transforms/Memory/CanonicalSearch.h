// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exact search for a plan that fits into a given arena.

#ifndef LATHE_TRANSFORMS_MEMORY_CANONICALSEARCH_H
#define LATHE_TRANSFORMS_MEMORY_CANONICALSEARCH_H

#include "lathe/Transforms/Memory/ArenaPlan.h"

namespace lathe {

/// Looks for offsets at which `buffers` fit into `capacity` bytes. Work is
/// counted in steps, an element of some list looked at each, so that the
/// outcome is the same on every machine.
class CanonicalSearch {
public:
  enum class Outcome {
    Found,
    Infeasible, ///< No plan fits.
    OutOfSteps
  };

  /// The recursion is as deep as there are buffers.
  static constexpr size_t maxBuffers = 2048;

  explicit CanonicalSearch(llvm::ArrayRef<LiveBuffer> buffers);

  /// Tries several orders with `budget` steps each, and takes what they use off
  /// `steps`.
  Outcome run(int64_t capacity, int64_t budget, int64_t &steps);

  /// After `Found`.
  llvm::ArrayRef<int64_t> getOffsets() const { return found; }

private:
  /// What an order of equally low buffers looks at first.
  enum class Key { Width, Area, Total };
  using Keys = std::array<Key, 3>;

  /// Sections [begin, end) of time.
  struct Span {
    unsigned begin, end;
  };
  /// What placing a buffer changed, to be taken back.
  struct Raised {
    unsigned buffer;
    int64_t lowest;
  };
  struct Lifted {
    unsigned section;
    int64_t floor;
    int lowestBuffer;
  };
  struct Undo {
    llvm::SmallVector<Raised, 0> raised;
    llvm::SmallVector<Lifted, 0> lifted;
    bool isCovered = false; ///< Buffers to be placed meet the placed one.
  };

  void reset();
  Outcome solveParts(llvm::ArrayRef<unsigned> members, Span span);
  Outcome solve(llvm::ArrayRef<unsigned> members, Span span);
  Outcome placeNext(llvm::ArrayRef<unsigned> order, Span span,
                    std::pair<int64_t, unsigned> after);
  bool place(unsigned buffer, Span span, Undo &undo);
  void takeBack(unsigned buffer, const Undo &undo);
  bool isPlaced(unsigned buffer) const { return offsets[buffer] >= 0; }

  llvm::ArrayRef<LiveBuffer> buffers;
  llvm::SmallVector<Span, 0> spans;                        ///< Of each buffer.
  llvm::SmallVector<llvm::SmallVector<unsigned>, 0> meets; ///< Of each buffer.
  llvm::SmallVector<llvm::SmallVector<unsigned>, 0> live;  ///< Of each section.

  int64_t capacity = 0, stepsLeft = 0;
  Keys keys;
  // Of each buffer.
  llvm::SmallVector<int64_t, 0> offsets; ///< -1 where it is not placed.
  llvm::SmallVector<int64_t, 0> found;
  llvm::SmallVector<int64_t, 0> lowest; ///< Above all placed ones it meets.
  llvm::SmallVector<unsigned, 0> stamps;
  unsigned stamp = 0;
  // Of each section.
  llvm::SmallVector<int64_t, 0> floors;    ///< Nothing more is placed below.
  llvm::SmallVector<int64_t, 0> missing;   ///< Bytes still to be placed.
  llvm::SmallVector<int, 0> lowestBuffers; ///< Of what is to be placed, or -1.
  llvm::SmallVector<unsigned, 0> crossing; ///< What also lives in the next one.
};

} // namespace lathe

#endif // LATHE_TRANSFORMS_MEMORY_CANONICALSEARCH_H
