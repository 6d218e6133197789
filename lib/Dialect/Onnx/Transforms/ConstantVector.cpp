// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConstantVector.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"

#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

std::optional<SmallVector<double>> lathe::onnx::getVector(Value value) {
  auto constant = value.getDefiningOp<ConstantOp>();
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!constant || constant->hasAttr(recipeAttrName) || !type ||
      type.getRank() != 1 || !type.hasStaticShape() ||
      !type.getElementType().isF32())
    return std::nullopt;
  SmallVector<double> numbers;
  if (auto dense = dyn_cast<DenseElementsAttr>(constant.getValue())) {
    for (float number : dense.getValues<float>())
      numbers.push_back(number);
    return numbers;
  }
  auto resource = dyn_cast<DenseResourceElementsAttr>(constant.getValue());
  AsmResourceBlob *blob =
      resource ? resource.getRawHandle().getBlob() : nullptr;
  if (!blob || blob->getData().size() != type.getNumElements() * sizeof(float))
    return std::nullopt;
  for (int64_t i = 0; i < type.getNumElements(); ++i) {
    float number;
    memcpy(&number, blob->getData().data() + i * sizeof(float), sizeof(float));
    numbers.push_back(number);
  }
  return numbers;
}

Value lathe::onnx::makeVector(OpBuilder &builder, Location loc,
                              ArrayRef<double> numbers) {
  SmallVector<float> floats(numbers.begin(), numbers.end());
  auto type =
      RankedTensorType::get((int64_t)floats.size(), builder.getF32Type());
  auto value = DenseElementsAttr::get(type, ArrayRef<float>(floats));
  return ConstantOp::create(builder, loc, type, value);
}
