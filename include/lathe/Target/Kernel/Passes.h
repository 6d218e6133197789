// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_TARGET_KERNEL_PASSES_H
#define LATHE_TARGET_KERNEL_PASSES_H

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/Pass/Pass.h"

namespace lathe {

/// On an op that copies a tensor with padding around it, whose body reads the
/// source at `select(x < bound, x, 0)` along padded dimensions. What
/// `simplify-kernel` makes of a `tensor.pad`.
inline constexpr llvm::StringLiteral paddingAttrName = "lathe.padding";

/// Registers the dialects, interfaces and translations that kernels of every
/// target need on their way to LLVM IR.
void registerKernelDialects(mlir::DialectRegistry &registry);

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lathe/Target/Kernel/Passes.h.inc"

} // namespace lathe

#endif // LATHE_TARGET_KERNEL_PASSES_H
