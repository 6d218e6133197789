// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the ways to distribute a nest over the threads of a block share.

#ifndef LATHE_LIB_TARGET_CUDA_DISTRIBUTE_H
#define LATHE_LIB_TARGET_CUDA_DISTRIBUTE_H

#include "Nest.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/IR/Builders.h"

namespace lathe::cuda {

/// The extent of a dimension of a nest.
struct Extent {
  mlir::Value size;
  /// What no tile exceeds, or `ShapedType::kDynamic`.
  int64_t bound = mlir::ShapedType::kDynamic;
  bool isExact = false; ///< Whether every tile has `bound` points.
};

/// The points of some dimensions, numbered in row-major order. Where extents
/// are bounded, numbers are those of a full tile, so that they are divided by
/// constants, and some name no point.
class PointSpace {
public:
  PointSpace(mlir::OpBuilder &builder, mlir::Location loc,
             llvm::ArrayRef<unsigned> dims, llvm::ArrayRef<Extent> extents);

  mlir::Value getCount() const { return count; }
  std::optional<int64_t> getConstantCount() const { return constantCount; }

  /// Sets the entries of `indices` for the space's dimensions to the point of
  /// a number below the count; returns whether there is one, null if always.
  mlir::Value locate(mlir::OpBuilder &builder, mlir::Value number,
                     llvm::MutableArrayRef<mlir::Value> indices) const;
  /// Like `locate`, for any number: where there is no point, the indices are of
  /// some other point, so that they may be read. Expects a point to exist.
  mlir::Value locateClamped(mlir::OpBuilder &builder, mlir::Value number,
                            llvm::MutableArrayRef<mlir::Value> indices) const;

private:
  mlir::Location loc;
  llvm::SmallVector<unsigned> dims;
  llvm::SmallVector<Extent> extents;
  llvm::SmallVector<mlir::Value> radix;
  mlir::Value count;
  std::optional<int64_t> constantCount;
};

/// A block of threads that computes one nest after the other.
struct BlockOfThreads {
  KernelOp kernel;
  mlir::Value thread; ///< Number of this thread in the block.

  /// Shared memory, declared at the kernel's entry.
  mlir::Value allocateShared(mlir::MemRefType type) const;
};

/// All extents of a nest, emitted at `builder`'s insertion point.
llvm::SmallVector<Extent> getExtents(mlir::OpBuilder &builder,
                                     const Nest &nest);

/// Emits what follows once the results of the first stage are known at a point:
/// stores, and all later stages. `results` are in their compute type.
void emitResults(mlir::OpBuilder &builder, const Nest &nest,
                 llvm::ArrayRef<mlir::Value> indices,
                 llvm::ArrayRef<mlir::Value> results);

/// What output `i` of the first stage starts from at a point, in its compute
/// type.
mlir::Value emitInitial(mlir::OpBuilder &builder, const Nest &nest, unsigned i,
                        llvm::ArrayRef<mlir::Value> indices);

/// Constants, and both conditions; null stands for true.
mlir::Value emitIndex(mlir::OpBuilder &builder, mlir::Location loc,
                      int64_t value);
mlir::Value emitAnd(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value a,
                    mlir::Value b);
/// Emits `body`, only where `condition` holds unless that is null.
void emitIf(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value condition,
            llvm::function_ref<void()> body);

/// The ways, each emitting code for a whole nest. The callers put a barrier
/// behind.
void emitPointwise(mlir::OpBuilder &builder, const BlockOfThreads &block,
                   const Nest &nest);
void emitSharedReduction(mlir::OpBuilder &builder, const BlockOfThreads &block,
                         const Nest &nest, int64_t points, bool alongReduction);
void emitContraction(mlir::OpBuilder &builder, const BlockOfThreads &block,
                     const Nest &nest, const Contraction &product);

/// Whether neighbouring threads should take neighbouring steps of a reduction,
/// not points: its largest input lies side by side along the reduction.
bool readsAlong(mlir::linalg::LinalgOp op, mlir::Value inBody,
                llvm::ArrayRef<unsigned> dims);

} // namespace lathe::cuda

#endif // LATHE_LIB_TARGET_CUDA_DISTRIBUTE_H
