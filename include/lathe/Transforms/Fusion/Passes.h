// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_TRANSFORMS_FUSION_PASSES_H
#define LATHE_TRANSFORMS_FUSION_PASSES_H

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace lathe {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lathe/Transforms/Fusion/Passes.h.inc"

/// The kinds of fusion that `form-kernels` knows, in a fixed order.
llvm::ArrayRef<llvm::StringLiteral> getFusionKinds();
} // namespace lathe

#endif // LATHE_TRANSFORMS_FUSION_PASSES_H
