// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_TRANSFORMS_PRECISION_PASSES_H
#define LATHE_TRANSFORMS_PRECISION_PASSES_H

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace lathe {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "lathe/Transforms/Precision/Passes.h.inc"
} // namespace lathe

#endif // LATHE_TRANSFORMS_PRECISION_PASSES_H
