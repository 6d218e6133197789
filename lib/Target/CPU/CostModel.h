// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every tuned number of the CPU target, with its unit and its origin. They
// depend on shapes and the target only, never on the number of threads.

#ifndef LATHE_LIB_TARGET_CPU_COSTMODEL_H
#define LATHE_LIB_TARGET_CPU_COSTMODEL_H

#include "lathe/Target/CPU/CPU.h"
#include "lathe/Target/Kernel/CostModel.h"
#include "lathe/Target/Kernel/TileKernel.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace lathe::cpu {

//===----------------------------------------------------------------------===//
// Instructions. Units: issue slots of one vector instruction. Origin: the
// instruction tables of Agner Fog for Skylake-X and Zen 4.
//===----------------------------------------------------------------------===//

inline constexpr double arithmeticCost = 1;
inline constexpr double invariantCost = 0.5;
inline constexpr double loadCost = 0.5;
inline constexpr double storeCost = 1;
/// A vector whose lanes change places.
inline constexpr double permutationCost = 1;
/// One lane read by itself: a scalar load and an insertion.
inline constexpr double laneLoadCost = 1.5;
/// One lane written by itself: an extraction and a scalar store.
inline constexpr double laneStoreCost = 2;
/// One step of folding the lanes of a vector: a shuffle and an operation, at
/// latency.
inline constexpr double foldCost = 7;
/// One point computed without vectors.
inline constexpr double scalarCost = 3;
/// Points that share a load where a dimension can be blocked in registers.
inline constexpr double assumedReuse = 6;

//===----------------------------------------------------------------------===//
// Register blocks
//===----------------------------------------------------------------------===//

/// Vector FMAs and vector loads started per cycle (Skylake-X server parts with
/// two FMA units; Zen 4 has half of both, so the ratio holds).
inline constexpr double fmasPerCycle = 2;
inline constexpr double loadsPerCycle = 2;
/// Cycles from an FMA to the next that needs its result.
inline constexpr unsigned fmaLatency = 4;
/// Cycles per block and reduction step that do not depend on its size: loop
/// control, shared by the block.
inline constexpr double blockOverhead = 0.5;
/// Cycles that a load of new data takes from the others, even where there is a
/// slot for it: second-level caches give a vector in two cycles, and not at
/// every one. A load from a line that was read before, as a scalar of a row is,
/// takes less. Measured on Zen 4: blocks of 14 x 2 reach 99 % of the peak,
/// 7 x 2 96 %, 5 x 2 78 %.
inline constexpr double crowding = 0.1;
inline constexpr double repeatedLoad = 0.25;
/// Loads that vectors side by side cost besides their own where a window reads
/// them, since the next ones lie elsewhere. Measured on Zen 4: poolings of 3 x 3
/// with stride 2 take 0.8 of the time of 14 x 1 with blocks of 2 x 4; with
/// stride 1, both take the same.
inline constexpr double windowRun = 1;
/// Points of one dimension in a block; more rows than this are more address
/// registers than a processor has.
inline constexpr unsigned maxBlock = 14;
/// Points of the largest block that is made for what an extent that is known at
/// run time only leaves over. All smaller ones are made, too.
inline constexpr unsigned maxExactBlock = 8;
/// Bytes between rows that all fall into the same set of a first-level cache:
/// its size over its ways, the same for 32 KiB of 8 ways and 48 KiB of 12.
inline constexpr int64_t cacheSetPeriod = 4096;
/// Rows of a block that lie so, as many as the ways. Measured on Zen 4: 8 lose
/// nothing, 12 up to a tenth, 14 a quarter.
inline constexpr unsigned maxConflictingRows = 8;
/// Lanes of the largest square that is turned in registers: its rows, and as
/// many that it is made of, fit there.
inline constexpr unsigned maxTurnedLanes = 16;
/// Vectors per step of elementwise loops and of reductions along lanes; hides
/// the latency of the operations.
inline constexpr unsigned maxElementwiseVectors = 4;
inline constexpr unsigned maxPartialVectors = 8;
/// Steps of a reduction that follow each other without a loop, and points times
/// vectors times steps in all: code of a few kilobytes.
inline constexpr int64_t maxUnrolledSteps = 16;
inline constexpr double maxUnrolledPoints = 512;
/// Steps of a reduction that take longer than memory does to answer.
inline constexpr int64_t minPrefetchSteps = 32;
/// Of other blocks than the model's own: how many are worth trying, and how
/// many times the cycles they may take by its estimate. Measured on Zen 4: what
/// is faster was estimated at 1.3 times at most.
inline constexpr unsigned maxBlockCandidates = 5;
inline constexpr double maxCandidateCost = 1.5;

//===----------------------------------------------------------------------===//
// Registers of matrices. Units: cycles. Origin: what Intel's optimization
// manual gives as throughput and latency of AMX's instructions; nothing is
// measured.
//===----------------------------------------------------------------------===//

/// A row of the left matrix times a right matrix, and a row loaded.
inline constexpr double matrixRowProduct = 1;
inline constexpr double matrixRowLoad = 0.5;
/// A row of results stored, and loaded again as a vector.
inline constexpr double matrixRowResult = 1.5;
/// From the last product to its result.
inline constexpr double matrixLatency = 52;

/// Rows of a block that are better near each other than more.
inline constexpr unsigned enoughMatrixRows = 8;

/// Whether a dot product of `rows` by `vectors` results, with `steps` steps of
/// `stepBytes` bytes each, takes less time in registers of matrices than it
/// does in vectors. `flips`: the left operand's bytes count as moved up by 128,
/// the sums of which are made by vectors.
bool prefersMatrices(unsigned rows, unsigned vectors, int64_t stepBytes,
                     double steps, bool flips);

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

/// Bytes per cycle of one core, to or from a third-level cache and, read in
/// order, from memory. Measured on Zen 4; Intel's servers have no more of
/// either.
inline constexpr double sharedBytesPerCycle = 8;
inline constexpr double memoryBytesPerCycle = 5;

/// What level 3 trades arithmetic against memory by.
MachineRates getRates(const Target &target);

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

/// The dimension along which neighbours of an operand that is read by `map` lie
/// together, where `dim` is another one that moves it.
std::optional<unsigned> findRowDim(mlir::AffineMap map, unsigned dim);

/// How much larger tiles are than the model would have them.
struct TileScale {
  double rows = 1;    ///< Or points, where there are no columns.
  double columns = 1; ///< Of a contraction with weights.
};

/// What the model may be wrong about by, as far as is worth trying.
inline constexpr TileScale tileScales[] = {
    {2, 1}, {0.5, 1}, {1, 2}, {1, 0.5}, {4, 1}};

/// Tile sizes for the op that a kernel's results come from: one per dimension
/// of its iteration space, 0 where the dimension is not tiled. Extents that are
/// not known are `ShapedType::kDynamic`. `keepWhole` marks dimensions that must
/// not be cut; `heaviestDims` gives the root's dimension of each dimension of
/// `heaviest`, -1 where there is none; `sums` are all ops that reduce.
llvm::SmallVector<int64_t>
chooseTileSizes(mlir::linalg::LinalgOp root, llvm::ArrayRef<int64_t> extents,
                llvm::ArrayRef<bool> keepWhole, mlir::linalg::LinalgOp heaviest,
                llvm::ArrayRef<int> heaviestDims,
                llvm::ArrayRef<KernelSum> sums, const Target &target,
                TileScale scale = {});

/// Whether tiles of these sizes are as many as any usual number of threads
/// needs, or as many as `model`, the model's own, are.
bool hasEnoughTiles(llvm::ArrayRef<int64_t> extents,
                    llvm::ArrayRef<int64_t> sizes,
                    llvm::ArrayRef<int64_t> model);

/// The root's dimension whose tiles should run slowest, so that all tiles that
/// share a piece of a contraction's weights follow each other: that of its
/// columns, where what it reads per column is larger than what it reads per
/// row.
std::optional<unsigned> chooseSlowestDim(mlir::linalg::LinalgOp heaviest,
                                         llvm::ArrayRef<int> heaviestDims);

} // namespace lathe::cpu

#endif // LATHE_LIB_TARGET_CPU_COSTMODEL_H
