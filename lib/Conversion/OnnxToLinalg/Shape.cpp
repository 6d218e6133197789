// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constants, shapes as data, and what gives a tensor another shape.

#include "Families.h"
#include "Lowering.h"
#include "RunTimeSizes.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Math.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace lathe;

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// `value` with elements of storage type; null if it cannot be.
static ElementsAttr toStorage(ElementsAttr value, RankedTensorType type) {
  if (value.getType() == type)
    return value;
  Type element = value.getElementType();
  bool isPacked = isNarrow(element) && element.getIntOrFloatBitWidth() < 8;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    // What is packed spreads to bytes when the artifact is written.
    if (isPacked)
      return value;
    return DenseResourceElementsAttr::get(type, resource.getRawHandle());
  }
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense)
    return {};
  SmallVector<int8_t> bytes;
  if (element.isInteger(1)) {
    for (bool x : dense.getValues<bool>())
      bytes.push_back(x);
  } else if (isPacked && isa<FloatType>(element)) {
    for (const APFloat &x : dense.getValues<APFloat>())
      bytes.push_back(x.bitcastToAPInt().getZExtValue());
  } else if (isPacked) {
    for (const APInt &x : dense.getValues<APInt>())
      bytes.push_back(isUnsigned(element) ? x.getZExtValue()
                                          : x.getSExtValue());
  } else {
    return dense.bitcast(type.getElementType());
  }
  return DenseElementsAttr::get(type, ArrayRef<int8_t>(bytes));
}

static LogicalResult lowerConstant(onnx::ConstantOp op, Lowering &l) {
  RankedTensorType type = l.resultType();
  ElementsAttr value = toStorage(op.getValue(), type);
  if (!value)
    return l.unsupported("expected dense elements as value");
  // One value is part of the code; tables are read from memory.
  auto recipe = op->getAttrOfType<ArrayAttr>(recipeAttrName);
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (dense && dense.isSplat() && !recipe)
    return l.replace(Value(arith::ConstantOp::create(l.b, dense)));
  return l.replace(Value(WeightOp::create(
      l.b, type, value, recipe ? recipe : l.b.getArrayAttr({}))));
}

static LogicalResult lowerConstantOfShape(onnx::ConstantOfShapeOp op,
                                          Lowering &l) {
  Type storage = l.resultType().getElementType();
  TypedAttr value = cast<TypedAttr>(l.b.getZeroAttr(storage));
  if (std::optional<ElementsAttr> given = op.getValue()) {
    auto one =
        RankedTensorType::get(given->getShapedType().getShape(), storage);
    auto dense = dyn_cast_or_null<DenseElementsAttr>(toStorage(*given, one));
    if (!dense || dense.getNumElements() != 1)
      return l.unsupported("expected one element as value");
    value = cast<TypedAttr>(*dense.getValues<Attribute>().begin());
  }
  if (failed(bindConstantOfShape(l)))
    return failure();
  return l.replace(l.fill(l.resultDims(), value));
}

/// Ones where column - row is `k`.
static LogicalResult lowerEyeLike(onnx::EyeLikeOp op, Lowering &l) {
  Type element = l.resultElement();
  return l.replace(l.elementwise(
      {}, l.resultDims(), element, [&](ImplicitLocOpBuilder &b, ValueRange) {
        Value row = linalg::IndexOp::create(b, 0);
        Value column = linalg::IndexOp::create(b, 1);
        Value k = makeConstant(b, b.getIndexType(), int64_t(op.getK()));
        Value isOne = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, column,
                                            arith::AddIOp::create(b, row, k));
        return castScalar(b, isOne, b.getI1Type(), element);
      }));
}

/// start + i * delta
static LogicalResult lowerRange(onnx::RangeOp, Lowering &l) {
  bindRange(l);
  Type element = l.resultElement(), compute = getComputeType(element);
  AffineMap scalar = AffineMap::get(1, 0, l.b.getContext());
  Operand start = l.operand(0), delta = l.operand(2);
  start.map = delta.map = scalar;
  if (l.rank(0) == 1)
    start.map = scalar.insertResult(l.b.getAffineConstantExpr(0), 0);
  if (l.rank(2) == 1)
    delta.map = scalar.insertResult(l.b.getAffineConstantExpr(0), 0);
  return l.replace(l.elementwise(
      {start, delta}, l.resultDims(), element,
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        Type i64 = b.getI64Type();
        Value i = arith::IndexCastOp::create(
            b, i64, Value(linalg::IndexOp::create(b, 0)));
        i = castScalar(b, i, i64, element);
        if (isa<FloatType>(compute))
          return arith::AddFOp::create(b, x[0],
                                       arith::MulFOp::create(b, i, x[1]));
        return arith::AddIOp::create(b, x[0],
                                     arith::MulIOp::create(b, i, x[1]));
      }));
}

//===----------------------------------------------------------------------===//
// Shapes as data
//===----------------------------------------------------------------------===//

/// A tensor of i64 with the given sizes.
static Value makeSizes(Lowering &l, DimsRef sizes, RankedTensorType type) {
  SmallVector<int64_t> known;
  for (OpFoldResult size : sizes)
    if (std::optional<int64_t> value = getConstantIntValue(size))
      known.push_back(*value);
  if (known.size() == sizes.size())
    return arith::ConstantOp::create(
        l.b, DenseElementsAttr::get(type, ArrayRef<int64_t>(known)));
  // Sizes reach a kernel as numbers, so the loop picks one of them.
  SmallVector<Value> values = llvm::map_to_vector(
      sizes, [&](OpFoldResult size) { return l.toValue(size); });
  return l.elementwise(
      {}, l.resultDims(), type.getElementType(),
      [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
        Value picked = values.back();
        for (int64_t i = values.size() - 2; i >= 0; --i) {
          Value at = linalg::IndexOp::create(b, 0);
          Value here =
              arith::CmpIOp::create(b, arith::CmpIPredicate::eq, at,
                                    makeConstant(b, b.getIndexType(), i));
          picked = arith::SelectOp::create(b, here, values[i], picked);
        }
        return arith::IndexCastOp::create(b, type.getElementType(), picked);
      });
}

static LogicalResult lowerShape(onnx::ShapeOp op, Lowering &l) {
  Dims dims = l.dims(0);
  int64_t rank = dims.size();
  auto limit = [&](int64_t at) {
    return std::clamp<int64_t>(at < 0 ? at + rank : at, 0, rank);
  };
  int64_t start = limit(op.getStart());
  int64_t end = op.getEnd() ? limit(*op.getEnd()) : rank;
  DimsRef taken = DimsRef(dims).slice(start, std::max<int64_t>(end - start, 0));
  return l.replace(makeSizes(l, taken, l.resultType()));
}

static LogicalResult lowerSize(onnx::SizeOp, Lowering &l) {
  return l.replace(makeSizes(l, l.product(l.dims(0)), l.resultType()));
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

template <typename OpTy> static LogicalResult lowerView(OpTy, Lowering &l) {
  return l.replace(l.view(l.value(0), l.resultDims()));
}

static LogicalResult lowerReshape(onnx::ReshapeOp op, Lowering &l) {
  return failed(bindReshape(l, op.getAllowzero())) ? failure()
                                                   : lowerView(op, l);
}

static LogicalResult lowerSqueeze(onnx::SqueezeOp op, Lowering &l) {
  return failed(bindSqueeze(l)) ? failure() : lowerView(op, l);
}

static LogicalResult lowerUnsqueeze(onnx::UnsqueezeOp op, Lowering &l) {
  return failed(bindUnsqueeze(l)) ? failure() : lowerView(op, l);
}

static LogicalResult lowerIdentity(onnx::IdentityOp, Lowering &l) {
  return l.replace(l.value(0));
}

void lathe::populateShapePatterns(RewritePatternSet &patterns,
                                  const TypeConverter &types) {
  addLowering(patterns, types, lowerConstant);
  addLowering(patterns, types, lowerConstantOfShape);
  addLowering(patterns, types, lowerEyeLike);
  addLowering(patterns, types, lowerRange);
  addLowering(patterns, types, lowerShape);
  addLowering(patterns, types, lowerSize);
  addLowering(patterns, types, lowerReshape);
  addLowering(patterns, types, lowerView<onnx::FlattenOp>);
  addLowering(patterns, types, lowerSqueeze);
  addLowering(patterns, types, lowerUnsqueeze);
  addLowering(patterns, types, lowerIdentity);
}
