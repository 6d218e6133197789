// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_LIB_TARGET_CUDA_LOWER_H
#define LATHE_LIB_TARGET_CUDA_LOWER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace lathe {
class KernelOp;

namespace cuda {

/// A module in the LLVM and NVVM dialects with the kernel as one entry point;
/// null after an error. The kernel is not changed.
mlir::OwningOpRef<mlir::ModuleOp> lowerKernel(KernelOp kernel,
                                              llvm::StringRef symbol);

} // namespace cuda
} // namespace lathe

#endif // LATHE_LIB_TARGET_CUDA_LOWER_H
