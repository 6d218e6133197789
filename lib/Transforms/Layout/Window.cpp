// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Window.h"

using namespace mlir;
using namespace lathe;

bool lathe::isSpatial(AffineExpr expr) {
  return isa<AffineBinaryOpExpr>(expr) &&
         expr.getKind() != AffineExprKind::FloorDiv;
}

/// The first dimension, then those that are spatial, then the others.
static SmallVector<int64_t> moveSpatial(ArrayRef<bool> spatial) {
  SmallVector<int64_t> perm = {0};
  for (bool wanted : {true, false})
    for (size_t i = 1; i < spatial.size(); ++i)
      if (spatial[i] == wanted)
        perm.push_back(i);
  return perm;
}

std::optional<WindowMatch> lathe::matchWindow(linalg::GenericOp op) {
  if (op.getNumReductionLoops() == 0 || op->getNumResults() != 1)
    return std::nullopt;
  AffineMap resultMap = op.getIndexingMapMatchingResult(op->getResult(0));
  if (!resultMap.isProjectedPermutation())
    return std::nullopt;
  std::optional<WindowMatch> window;
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  for (OpOperand *input : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(input);
    SmallVector<bool> inputSpatial, resultSpatial(resultMap.getNumResults());
    WindowMatch found;
    found.input = input->getOperandNumber();
    bool any = false;
    for (AffineExpr expr : map.getResults()) {
      bool spatial = isSpatial(expr);
      bool slides = false;
      if (spatial)
        expr.walk([&](AffineExpr inner) {
          auto dim = dyn_cast<AffineDimExpr>(inner);
          if (!dim)
            return;
          if (iterators[dim.getPosition()] == utils::IteratorType::reduction) {
            found.windowDims.push_back(dim.getPosition());
            return;
          }
          if (std::optional<unsigned> at = resultMap.getResultPosition(dim)) {
            resultSpatial[*at] = true;
            slides = true;
          }
        });
      any |= slides;
      inputSpatial.push_back(spatial);
    }
    if (!any)
      continue;
    if (window)
      return std::nullopt;
    auto mixed = [](ArrayRef<bool> spatial) {
      return spatial.size() > 2 && !spatial[0] &&
             llvm::is_contained(spatial.drop_front(), false);
    };
    if (!mixed(inputSpatial) || !mixed(resultSpatial))
      return std::nullopt;
    found.inputPerm = moveSpatial(inputSpatial);
    found.resultPerm = moveSpatial(resultSpatial);
    window = found;
  }
  return window;
}
