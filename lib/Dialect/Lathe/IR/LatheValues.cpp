// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Lathe/IR/Lathe.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace lathe;

LogicalResult LiteralOp::verify() {
  if (isa<UnitAttr>(getValue()))
    return success();
  auto elements = dyn_cast<ElementsAttr>(getValue());
  if (!elements || !isa<RankedTensorType>(elements.getType()))
    return emitOpError("expects elements or 'unit', got ") << getValue();
  return success();
}

LogicalResult CallOp::verify() {
  if (getTypes().size() != getInputs().size() + getNumResults())
    return emitOpError("expects ") << getInputs().size() + getNumResults()
                                   << " types, got " << getTypes().size();
  int64_t dynamic = 0;
  for (Type type : getResultTypes())
    if (auto tensor = dyn_cast<RankedTensorType>(type))
      dynamic += tensor.getNumDynamicDims();
  if (int64_t(getDims().size()) != dynamic)
    return emitOpError("expects ")
           << dynamic << " sizes of results, got " << getDims().size();
  return success();
}

LogicalResult CallOp::reifyResultShapes(OpBuilder &builder,
                                        ReifiedRankedShapedTypeDims &shapes) {
  auto dims = getDims();
  for (Type type : getResultTypes()) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    shapes.emplace_back();
    if (!tensor)
      continue;
    unsigned count = tensor.getNumDynamicDims();
    shapes.back() =
        getMixedValues(tensor.getShape(), dims.take_front(count), builder);
    dims = dims.drop_front(count);
  }
  return success();
}
