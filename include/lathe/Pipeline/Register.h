// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registration of all that the compiler is made of, for its programs.

#ifndef LATHE_PIPELINE_REGISTER_H
#define LATHE_PIPELINE_REGISTER_H

#include "llvm/ADT/ArrayRef.h"

namespace mlir {
class DialectRegistry;
} // namespace mlir

namespace lathe {
struct TargetEntry;

/// All targets, in a fixed order.
llvm::ArrayRef<TargetEntry> getTargets();

/// Adds the dialects that occur between import and code, with the interfaces
/// that the passes need.
void registerAllDialects(mlir::DialectRegistry &registry);

/// Registers our passes, and the upstream ones that tests combine them with.
void registerAllPasses();

} // namespace lathe

#endif // LATHE_PIPELINE_REGISTER_H
