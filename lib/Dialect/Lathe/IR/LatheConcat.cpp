// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors that lie in others.

#include "lathe/Dialect/Lathe/IR/Lathe.h"

#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace lathe;

LogicalResult ConcatOp::verify() {
  auto type = cast<RankedTensorType>(getType());
  int64_t rank = type.getRank(), axis = getAxis();
  if (getParts().empty())
    return emitOpError("expects parts, got none");
  if (axis < 0 || axis >= rank)
    return emitOpError("expects an axis in [0, ") << rank << "), got " << axis;
  if (getDims().size() != type.getNumDynamicDims())
    return emitOpError("expects ")
           << type.getNumDynamicDims() << " sizes of the result, got "
           << getDims().size();
  int64_t sum = 0;
  for (Type operand : getParts().getTypes()) {
    auto part = cast<RankedTensorType>(operand);
    if (part.getElementType() != type.getElementType() ||
        part.getRank() != rank)
      return emitOpError("expects parts of elements and rank of ")
             << type << ", got " << part;
    for (int64_t d = 0; d != rank; ++d)
      if (d != axis && !part.isDynamicDim(d) && !type.isDynamicDim(d) &&
          part.getDimSize(d) != type.getDimSize(d))
        return emitOpError("expects size ")
               << type.getDimSize(d) << " in dimension " << d << ", got "
               << part;
    sum = part.isDynamicDim(axis) || ShapedType::isDynamic(sum)
              ? ShapedType::kDynamic
              : sum + part.getDimSize(axis);
  }
  if (!type.isDynamicDim(axis) && !ShapedType::isDynamic(sum) &&
      sum != type.getDimSize(axis))
    return emitOpError("expects sizes that add up to ")
           << type.getDimSize(axis) << " along the axis, got " << sum;
  return success();
}

LogicalResult ConcatOp::reifyResultShapes(OpBuilder &builder,
                                          ReifiedRankedShapedTypeDims &shapes) {
  shapes.push_back(getMixedValues(cast<RankedTensorType>(getType()).getShape(),
                                  getDims(), builder));
  return success();
}

OpOperand *lathe::findConcatUse(Value value) {
  SmallVector<Value> aliases = {value};
  while (!aliases.empty())
    for (OpOperand &use : aliases.pop_back_val().getUses()) {
      if (isa<ViewOp>(use.getOwner()))
        aliases.push_back(use.getOwner()->getResult(0));
      else if (auto concat = dyn_cast<ConcatOp>(use.getOwner()))
        return &use;
    }
  return nullptr;
}

Value lathe::getStorageRoot(Value value) {
  value = getSlicedValue(value);
  while (OpOperand *use = findConcatUse(value))
    value = use->getOwner()->getResult(0);
  return value;
}

void lathe::collectParts(ConcatOp concat, SmallVectorImpl<Value> &parts) {
  for (Value part : concat.getParts()) {
    Value root = getViewedValue(part);
    if (auto inner = root.getDefiningOp<ConcatOp>())
      collectParts(inner, parts);
    else
      parts.push_back(root);
  }
}

bool lathe::isStrided(OpOperand &part) {
  auto concat = cast<ConcatOp>(part.getOwner());
  auto type = cast<RankedTensorType>(concat.getType());
  if (llvm::any_of(type.getShape().take_front(concat.getAxis()),
                   [](int64_t size) { return size != 1; }))
    return true;
  OpOperand *outer = findConcatUse(concat.getResult());
  return outer && isStrided(*outer);
}

ArrayRef<AffineExpr> lathe::getWithin(KernelOp kernel, unsigned arg) {
  auto within = kernel->getAttrOfType<ArrayAttr>(withinAttrName);
  auto map = within ? dyn_cast<AffineMapAttr>(within[arg]) : AffineMapAttr();
  return map ? map.getValue().getResults() : ArrayRef<AffineExpr>();
}
