// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_TARGET_CUDA_PASSES_TD
#define LATHE_TARGET_CUDA_PASSES_TD

include "mlir/Pass/PassBase.td"

def CudaInlineReads : Pass<"cuda-inline-reads", "::lathe::KernelOp"> {
  let summary = "Computes paddings and copies where they are read";
  let description = [{
    A generic op that only moves elements is fused into the ops that read it, so
    that a window over padding reads the tensor itself and nothing is stored for
    it in a block's memory.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect"];
}

def CudaTileKernel : Pass<"cuda-tile-kernel", "::lathe::KernelOp"> {
  let summary = "Tiles a kernel into a grid of blocks";
  let description = [{
    The op that makes the results is tiled by sizes from the cost model into one
    `scf.forall`, and all that it reads is computed inside, per tile. Writes
    `lathe.grid`, the number of tiles.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def CudaDistribute : Pass<"cuda-distribute", "::lathe::KernelOp"> {
  let summary = "Distributes the structured ops of a block over its threads";
  let description = [{
    Points of elementwise ops and of short reductions go to threads; long
    reductions are shared by a warp or a block; contractions go through tiles in
    shared memory, with a block of results in each thread's registers. What
    cannot be distributed is computed by the first thread. `memref.alloca`
    stands for shared memory from here on.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::gpu::GPUDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect"];
}

#endif // LATHE_TARGET_CUDA_PASSES_TD
