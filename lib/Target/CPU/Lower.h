// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_LIB_TARGET_CPU_LOWER_H
#define LATHE_LIB_TARGET_CPU_LOWER_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace lathe {
class KernelOp;

namespace cpu {

/// A module in LLVM's dialect with the kernel as one function; null after an
/// error. The kernel is not changed.
mlir::OwningOpRef<mlir::ModuleOp> lowerKernel(KernelOp kernel,
                                              llvm::StringRef symbol);

} // namespace cpu
} // namespace lathe

#endif // LATHE_LIB_TARGET_CPU_LOWER_H
