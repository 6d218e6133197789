// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_TARGET_KERNEL_SCRATCH_H
#define LATHE_TARGET_KERNEL_SCRATCH_H

#include "lathe/Dialect/Lathe/IR/Lathe.h"

namespace lathe {

/// Bytes; buffers start at cache lines, which are also full vectors.
inline constexpr int64_t scratchAlignment = 64;

/// Removes allocations that nothing uses and gives each of the others, which
/// carry their size in `lathe.bytes`, a `lathe.offset` in the thread's scratch
/// memory. The total becomes `lathe.scratch` of the kernel.
void assignScratch(KernelOp kernel);

} // namespace lathe

#endif // LATHE_TARGET_KERNEL_SCRATCH_H
