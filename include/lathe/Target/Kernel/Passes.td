// Part of the Lathe project, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_TARGET_KERNEL_PASSES_TD
#define LATHE_TARGET_KERNEL_PASSES_TD

include "mlir/Pass/PassBase.td"

def SimplifyKernel : Pass<"simplify-kernel", "::lathe::KernelOp"> {
  let summary = "Brings the body of a kernel into few generic ops";
  let description = [{
    Generalizes named structured ops, turns paddings into generic ops, reads
    sizes from the kernel's size arguments, and fuses chains of elementwise ops
    where nothing is computed twice.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect", "::mlir::linalg::LinalgDialect",
    "::mlir::tensor::TensorDialect"];
}

def BufferizeKernel : Pass<"bufferize-kernel", "::lathe::KernelOp"> {
  let summary = "Turns a kernel from tensor form into buffer form";
  let description = [{
    Inputs and results become buffers in arguments. What is left to allocate is
    a `memref.alloca` of up to 4 KiB in the entry, or a `memref.alloc` in the entry
    with its byte offset in the thread's scratch memory in `lathe.offset`; the
    total is `lathe.scratch`.
  }];
  let dependentDialects = ["::mlir::affine::AffineDialect",
    "::mlir::arith::ArithDialect",
    "::mlir::bufferization::BufferizationDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::memref::MemRefDialect",
    "::mlir::scf::SCFDialect"];
}

#endif // LATHE_TARGET_KERNEL_PASSES_TD
