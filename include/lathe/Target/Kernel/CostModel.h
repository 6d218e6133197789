// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tuned numbers that all targets share, with unit and origin.

#ifndef LATHE_TARGET_KERNEL_COSTMODEL_H
#define LATHE_TARGET_KERNEL_COSTMODEL_H

namespace lathe {

/// Points; a dynamic extent is costed as if it were this long. Sequence lengths
/// and batches of the usual models lie around it.
inline constexpr double unknownExtent = 64;

} // namespace lathe

#endif // LATHE_TARGET_KERNEL_COSTMODEL_H
