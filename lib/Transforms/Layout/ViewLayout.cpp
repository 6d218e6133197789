// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ViewLayout.h"

#include "mlir/Dialect/Utils/ReshapeOpsUtils.h"

using namespace mlir;
using namespace lathe;

std::optional<SmallVector<int64_t>> lathe::followView(ViewOp view,
                                                      ArrayRef<int64_t> perm) {
  auto from = cast<RankedTensorType>(view.getSource().getType());
  auto to = cast<RankedTensorType>(view.getType());
  auto groups = getReassociationIndicesForReshape(from, to);
  if (!groups || from.getRank() == to.getRank())
    return std::nullopt;
  SmallVector<int64_t> made;
  if (from.getRank() < to.getRank()) {
    for (int64_t dim : perm)
      llvm::append_range(made, (*groups)[dim]);
    return made;
  }
  SmallVector<int64_t> groupOf(from.getRank());
  for (auto [i, group] : llvm::enumerate(*groups))
    for (int64_t dim : group)
      groupOf[dim] = i;
  for (size_t at = 0; at < perm.size();) {
    ArrayRef<int64_t> group = (*groups)[groupOf[perm[at]]];
    if (perm.slice(at, std::min(group.size(), perm.size() - at)) != group)
      return std::nullopt;
    made.push_back(groupOf[perm[at]]);
    at += group.size();
  }
  return made;
}
