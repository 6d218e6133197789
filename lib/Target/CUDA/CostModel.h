// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every tuned number of the CUDA target, with its unit and its origin.

#ifndef LATHE_LIB_TARGET_CUDA_COSTMODEL_H
#define LATHE_LIB_TARGET_CUDA_COSTMODEL_H

#include "lathe/Target/Kernel/TileKernel.h"

namespace lathe::cuda {

/// Threads that exchange values by shuffles (CUDA C++ programming guide,
/// compute capabilities).
inline constexpr int64_t warpThreads = 32;
/// Threads of a block: eight warps, so that eight blocks fill a multiprocessor
/// of 2048 threads and one block has 255 registers for each.
inline constexpr int64_t blockThreads = 256;
inline constexpr int64_t blockWarps = blockThreads / warpThreads;
/// Blocks that fill a device: one for each multiprocessor of an H100 (132) or
/// so. A launch costs microseconds, as much as a whole kernel of fewer.
inline constexpr int64_t deviceTiles = 128;
/// Parameters of a kernel, eight bytes each: 4 KiB on all chips (CUDA C++
/// programming guide, before 12.1).
inline constexpr unsigned maxParameters = 512;
/// Bytes of shared memory that a block may declare without asking the driver
/// for more: 48 KiB on all chips, less what alignment may take.
inline constexpr int64_t maxSharedBytes = 44 << 10;

//===----------------------------------------------------------------------===//
// Contractions. A block multiplies tiles in shared memory; its threads form a
// square, each with every sixteenth row and column, so that a warp reads 16
// neighbouring columns and two rows at a time: no bank is asked twice.
//===----------------------------------------------------------------------===//

inline constexpr int64_t squareThreads = 16;
/// Rows and columns per thread: 16 accumulators and 8 loads for 16 products,
/// within 64 registers so that four blocks stay resident.
inline constexpr int64_t maxThreadRows = 4;
inline constexpr int64_t maxThreadColumns = 4;
/// Rows and columns of a tile.
inline constexpr int64_t tileRows = squareThreads * maxThreadRows;
inline constexpr int64_t tileColumns = squareThreads * maxThreadColumns;
/// Steps of the reduction per tile: a row of it is 64 bytes, half a cache line,
/// and each of the 256 threads loads the same number of elements.
inline constexpr int64_t tileDepth = 16;
/// Elements between rows of a tile beyond its width: columns of a tile that is
/// written transposed then lie in different banks.
inline constexpr int64_t tilePadding = 1;
/// Below so many rows a product is read once only: it is computed as a
/// reduction.
inline constexpr int64_t minRows = 4;
/// Columns of such a product per block: a cache line of f32, so that a block's
/// other threads share its long reductions.
inline constexpr int64_t streamColumns = 32;

//===----------------------------------------------------------------------===//
// Other tiles
//===----------------------------------------------------------------------===//

/// Points of an elementwise op per block: eight per thread pay for the block's
/// start.
inline constexpr int64_t elementwisePoints = 8 * blockThreads;
/// Results of a reduction whose inputs lie side by side along the reduction, if
/// it is at most `warpRowLength` long: one per warp.
inline constexpr int64_t warpRows = blockWarps;
inline constexpr int64_t warpRowLength = 1024;
/// Length of a reduction, in elements, from which on threads share it.
inline constexpr int64_t minSharedReduction = 16;
/// Length from which on a block takes only `streamColumns` results of a
/// reduction whose inputs lie side by side along the results.
inline constexpr int64_t longReduction = 64;

/// Tile sizes for a kernel. They depend on shapes only.
TileChoice chooseTiles(const KernelShape &shape);

} // namespace lathe::cuda

#endif // LATHE_LIB_TARGET_CUDA_COSTMODEL_H
