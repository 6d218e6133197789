// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_TARGET_CPU_PASSES_TD
#define LATHE_TARGET_CPU_PASSES_TD

include "mlir/Pass/PassBase.td"

class CpuKernelPass<string name> : Pass<name, "::lathe::KernelOp"> {
  let options = [
    Option<"cpu", "cpu", "std::string", "\"native\"",
           "The processor to generate code for: native or a name LLVM knows">
  ];
}

def CpuTileKernel : CpuKernelPass<"cpu-tile-kernel"> {
  let summary = "Tiles a kernel into a grid of independent tiles";
  let description = [{
    The op that makes the results is tiled by sizes from the cost model into one
    `scf.forall`, and all that it reads is computed inside, per tile. Writes
    `lathe.grid`, the number of tiles.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::scf::SCFDialect", "::mlir::tensor::TensorDialect"];
}

def CpuVectorize : CpuKernelPass<"cpu-vectorize"> {
  let summary = "Generates loops over vectors for structured ops on buffers";
  let description = [{
    One generator for elementwise ops, reductions, contractions and
    convolutions: a dimension for the lanes, register blocks over parallel
    dimensions, accumulators carried through all reduction loops, masks at the
    ends. See lib/Target/CPU/NestGenerator.cpp.
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect",
    "::mlir::LLVM::LLVMDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect",
    "::mlir::vector::VectorDialect"];
}

#endif // LATHE_TARGET_CPU_PASSES_TD
