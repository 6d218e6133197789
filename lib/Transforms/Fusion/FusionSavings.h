// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_LIB_TRANSFORMS_FUSION_FUSIONSAVINGS_H
#define LATHE_LIB_TRANSFORMS_FUSION_FUSIONSAVINGS_H

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/DenseSet.h"

namespace lathe {

/// Per kind of fusion, how many of `ops` joined and what that saves: a fused
/// result is neither written, unless it is one of the `results` that leave the
/// kernel, nor read by each other node; a part of a concatenation is not
/// copied. `members` are `ops`, which `mapping` maps to those of the kernel.
mlir::DictionaryAttr
getFusions(KernelOp kernel, llvm::ArrayRef<mlir::Operation *> ops,
           const llvm::DenseSet<mlir::Operation *> &members,
           llvm::ArrayRef<mlir::Value> results, const mlir::IRMapping &mapping);

} // namespace lathe

#endif // LATHE_LIB_TRANSFORMS_FUSION_FUSIONSAVINGS_H
