// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Several kernels in buffer form as one.

#ifndef LATHE_LIB_TRANSFORMS_FUSION_MERGEKERNELS_H
#define LATHE_LIB_TRANSFORMS_FUSION_MERGEKERNELS_H

#include "lathe/Dialect/Lathe/IR/Lathe.h"

namespace lathe {

/// Why a kernel cannot be one of several, or nothing.
std::optional<llvm::StringRef> getMergeObstacle(KernelOp kernel);

/// The bytes that the tiles of a kernel have in common, on a device in shared
/// memory.
int64_t getSharedBytes(KernelOp kernel);

/// Makes a kernel named `name` at the builder's place that has the tiles of all
/// of `kernels`, one kernel's behind the other's. Its inputs are those of the
/// first, then of the second, and so on; the same goes for its results and its
/// sizes.
KernelOp mergeKernels(mlir::OpBuilder &builder,
                      llvm::ArrayRef<KernelOp> kernels, llvm::StringRef name);

} // namespace lathe

#endif // LATHE_LIB_TRANSFORMS_FUSION_MERGEKERNELS_H
