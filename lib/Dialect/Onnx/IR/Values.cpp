// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Values.h"

using namespace mlir;
using namespace lathe::onnx;

/// The tensor type of what has the type `a` or `b`.
static Type joinTensors(TensorType a, TensorType b) {
  Type element = a.getElementType();
  if (isa<UnknownType>(element))
    element = b.getElementType();
  else if (!isa<UnknownType>(b.getElementType()) &&
           element != b.getElementType())
    return {};
  if (!a.hasRank() || !b.hasRank() || a.getRank() != b.getRank())
    return UnrankedTensorType::get(element);
  SmallVector<int64_t> shape;
  for (auto [x, y] : llvm::zip_equal(a.getShape(), b.getShape()))
    shape.push_back(x == y ? x : ShapedType::kDynamic);
  return RankedTensorType::get(shape, element);
}

static Type joinSequences(SequenceType a, SequenceType b) {
  // The elements of an empty sequence have any shape.
  auto [x, y] = std::pair(a.getElement(), b.getElement());
  Type element = joinTypes(x, y);
  if (element && (a.getLength() == 0 || b.getLength() == 0)) {
    Type other = a.getLength() == 0 ? y : x;
    if (!isa<TensorType>(other) ||
        !isa<UnknownType>(cast<TensorType>(other).getElementType()))
      element = other;
  }
  if (!element)
    return {};
  return SequenceType::get(a.getContext(), element,
                           a.getLength() == b.getLength() ? a.getLength() : -1);
}

Type lathe::onnx::joinTypes(Type a, Type b) {
  if (a == b)
    return a;
  auto optionalA = dyn_cast<OptionalType>(a);
  auto optionalB = dyn_cast<OptionalType>(b);
  if (optionalA || optionalB) {
    Type element = joinTypes(optionalA ? optionalA.getElement() : a,
                             optionalB ? optionalB.getElement() : b);
    return element ? OptionalType::get(a.getContext(), element) : Type();
  }
  if (auto sequenceA = dyn_cast<SequenceType>(a))
    if (auto sequenceB = dyn_cast<SequenceType>(b))
      return joinSequences(sequenceA, sequenceB);
  if (auto tensorA = dyn_cast<TensorType>(a))
    if (auto tensorB = dyn_cast<TensorType>(b))
      return joinTensors(tensorA, tensorB);
  auto mapA = dyn_cast<MapType>(a), mapB = dyn_cast<MapType>(b);
  if (!mapA || !mapB || mapA.getKey() != mapB.getKey())
    return {};
  Type value = joinTypes(mapA.getValue(), mapB.getValue());
  return value ? MapType::get(a.getContext(), mapA.getKey(), value) : Type();
}

TensorInfo lathe::onnx::joinValues(const TensorInfo &a, const TensorInfo &b) {
  TensorInfo both;
  auto getType = [](const TensorInfo &info, const TensorInfo &other) {
    return info.getType(other.valueType ? other.valueType.getContext()
                                        : info.valueType.getContext());
  };
  both.valueType = joinTypes(getType(a, b), getType(b, a));
  auto isEmpty = [](const TensorInfo &info) {
    SequenceType sequence = getSequence(info);
    return sequence && sequence.getLength() == 0;
  };
  if (isEmpty(a) || isEmpty(b)) {
    both.elementDims = isEmpty(a) ? b.elementDims : a.elementDims;
    return both;
  }
  if (!a.elementDims || !b.elementDims ||
      a.elementDims->size() != b.elementDims->size())
    return both;
  both.elementDims.emplace();
  for (auto [x, y] : llvm::zip_equal(*a.elementDims, *b.elementDims))
    both.elementDims->push_back(x == y ? x : AffineExpr());
  return both;
}

TensorInfo lathe::onnx::getInfoOfType(ShapeContext &ctx, Type type,
                                      const std::optional<Dims> &known,
                                      unsigned slot) {
  TensorInfo info;
  auto tensor = dyn_cast<TensorType>(type);
  if (!tensor) {
    info.valueType = type;
    info.elementDims = known;
    return info;
  }
  if (!isa<UnknownType>(tensor.getElementType()))
    info.elementType = tensor.getElementType();
  if (!tensor.hasRank())
    return info;
  info.dims.emplace();
  for (auto [i, size] : llvm::enumerate(tensor.getShape())) {
    AffineExpr expr;
    if (!ShapedType::isDynamic(size))
      expr = ctx.constant(size);
    else if (known && i < known->size())
      expr = (*known)[i];
    info.dims->push_back(expr ? expr : ctx.fresh(slot + i));
  }
  return info;
}
