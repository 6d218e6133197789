// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef LATHE_LIB_TRANSFORMS_LAYOUT_VIEWLAYOUT_H
#define LATHE_LIB_TRANSFORMS_LAYOUT_VIEWLAYOUT_H

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace lathe {

/// The layout of a view whose source is stored in layout `perm`: that in which
/// it is a view of the source as it is stored. None where there is none: where
/// dimensions are merged that do not follow each other there.
std::optional<llvm::SmallVector<int64_t>>
followView(ViewOp view, llvm::ArrayRef<int64_t> perm);

} // namespace lathe

#endif // LATHE_LIB_TRANSFORMS_LAYOUT_VIEWLAYOUT_H
