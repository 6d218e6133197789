// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Between numbers and quantized numbers, element by element. Scales are read
// through the maps of the loops: one for all, one per index of an axis, or one
// per block, for which the axis is viewed as blocks and what is in one.

#include "Quantize.h"

#include "Families.h"
#include "Indexing.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Quant.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace lathe;

//===----------------------------------------------------------------------===//
// One element
//===----------------------------------------------------------------------===//

/// The least and the greatest integer of `element`.
static std::pair<int64_t, int64_t> getRange(Type element) {
  unsigned width = element.getIntOrFloatBitWidth();
  if (isUnsigned(element))
    return {0, (int64_t(1) << width) - 1};
  return {-(int64_t(1) << (width - 1)), (int64_t(1) << (width - 1)) - 1};
}

Value lathe::quantizeScalar(ImplicitLocOpBuilder &b, Value x, Value zeroPoint,
                            Type element, bool saturate) {
  Type computed = x.getType();
  if (isa<FloatType>(element)) {
    if (zeroPoint)
      x = arith::AddFOp::create(b, x,
                                castScalar(b, zeroPoint, element, computed));
    CastRules rules;
    rules.saturate = saturate;
    return castScalar(b, x, computed, element, rules);
  }
  Value y = math::RoundEvenOp::create(b, x);
  // Exact as long as the sum is anywhere near the range.
  if (zeroPoint)
    y = arith::AddFOp::create(b, y,
                              castScalar(b, zeroPoint, element, computed));
  auto [least, greatest] = getRange(element);
  Value low = makeConstant(b, computed, least);
  Value high = makeConstant(b, computed, greatest);
  y = arith::SelectOp::create(
      b, arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, y, low), y, low);
  y = arith::SelectOp::create(
      b, arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, y, high), y, high);
  Value integer = arith::FPToSIOp::create(b, b.getI32Type(), y);
  return arith::TruncIOp::create(b, getStorageType(element), integer);
}

/// The bytes of a weight that the program reads as the model stores it.
static ArrayRef<char> getBytes(Value value) {
  auto weight = value.getDefiningOp<WeightOp>();
  if (!weight || !weight.getRecipe().empty() ||
      weight.getValue().getType() != weight.getType())
    return {};
  auto resource = dyn_cast<DenseResourceElementsAttr>(weight.getValue());
  AsmResourceBlob *blob =
      resource ? resource.getRawHandle().getBlob() : nullptr;
  return blob ? blob->getData() : ArrayRef<char>();
}

std::optional<int64_t> lathe::getConstantInteger(const Operand &operand) {
  APInt value;
  auto constant = operand.value.getDefiningOp<arith::ConstantOp>();
  auto elements = constant ? dyn_cast<DenseElementsAttr>(constant.getValue())
                           : DenseElementsAttr();
  if (elements && elements.isSplat() &&
      isa<IntegerType>(elements.getElementType())) {
    value = elements.getSplatValue<APInt>();
  } else {
    // Many equal zero points, one for each of many channels.
    ArrayRef<char> bytes = getBytes(operand.value);
    if (bytes.empty() || !getStorageType(operand.element).isInteger(8) ||
        !llvm::all_equal(bytes))
      return std::nullopt;
    value = APInt(8, uint8_t(bytes[0]));
  }
  return isUnsigned(operand.element) ? int64_t(value.getZExtValue())
                                     : value.getSExtValue();
}

/// `x`, an `f32` value, as a number of the 16-bit type `type`; else as it is.
static Value roundTo(ImplicitLocOpBuilder &b, Value x, Type type) {
  if (!type.isF16() && !type.isBF16())
    return x;
  return arith::ExtFOp::create(b, b.getF32Type(),
                               Value(arith::TruncFOp::create(b, type, x)));
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

namespace {
/// The loops of an op with scales: over `dims`, which are the operand's but
/// that a dimension of blocks may be two.
struct ScaledLoops {
  Dims dims;
  SmallVector<Operand> operands;
};
} // namespace

/// The operands `0`, `1` and `2` (where it is there and not zero) and how they
/// are read.
/// Blocks that do not fill the axis are found by dividing the index, in
/// operands that are expanded first.
static ScaledLoops makeLoops(Lowering &l, int64_t axis, int64_t blockSize) {
  MLIRContext *context = l.b.getContext();
  ScaledLoops loops;
  loops.dims = l.dims(0);
  loops.operands = l.getOperands();
  if (!l.has(2) || getConstantInteger(l.operand(2)) == 0)
    loops.operands.resize(2);
  int64_t rank = loops.dims.size();
  auto given = MutableArrayRef(loops.operands).drop_front();
  // What is known of the scale's shape is more than its type says; zero points
  // have the same.
  bool isOne = llvm::all_of(l.dims(1), [](OpFoldResult size) {
    return isConstantIntValue(size, 1);
  });
  if (!blockSize || isOne) {
    for (Operand &operand : given) {
      auto type = cast<RankedTensorType>(operand.value.getType());
      SmallVector<AffineExpr> at(type.getRank(),
                                 getAffineConstantExpr(0, context));
      if (type.getRank() == 1 && !isOne)
        at[0] = getAffineDimExpr(normalizeAxis(axis, rank), context);
      operand.map = AffineMap::get(rank, 0, at, context);
    }
    return loops;
  }
  axis = normalizeAxis(axis, rank);
  Dims scaleDims = l.dims(1);
  std::optional<int64_t> size = getConstantIntValue(loops.dims[axis]);
  if (!size || *size % blockSize) {
    for (Operand &operand : given) {
      Operand source = operand;
      operand.value =
          l.elementwise({}, loops.dims, source.element,
                        [&](ImplicitLocOpBuilder &b, ValueRange) {
                          IndexMath m{b};
                          SmallVector<Value> at;
                          for (int64_t d = 0; d < rank; ++d)
                            at.push_back(m.loop(d));
                          at[axis] = arith::DivUIOp::create(
                              b, at[axis], m.constant(blockSize));
                          return m.read(source.value, at, source.element);
                        });
    }
    return loops;
  }
  loops.dims[axis] = scaleDims[axis];
  loops.dims.insert(loops.dims.begin() + axis + 1, l.index(blockSize));
  loops.operands[0].value = l.view(loops.operands[0].value, loops.dims);
  SmallVector<AffineExpr> read;
  for (int64_t d = 0; d <= rank; ++d)
    if (d != axis + 1)
      read.push_back(getAffineDimExpr(d, context));
  for (Operand &operand : given)
    operand.map = AffineMap::get(rank + 1, 0, read, context);
  return loops;
}

/// What loops over blocks made, in the shape of the result.
static Value joinBlocks(Lowering &l, Value made) {
  auto type = cast<RankedTensorType>(made.getType());
  return type.getRank() == l.resultType().getRank()
             ? made
             : l.view(made, l.resultDims());
}

static LogicalResult lowerQuantizeLinear(onnx::QuantizeLinearOp op,
                                         Lowering &l) {
  Type element = l.resultElement(), from = l.element(0), scale = l.element(1);
  Type precision = scale;
  if (op.getPrecision())
    precision = onnx::getElementTypeOf(l.b.getContext(), op.getPrecision());
  else if (isNarrow(scale))
    precision = from;
  // The quotient of two integers is one of reals.
  if (!isa<FloatType>(precision))
    precision =
        isa<FloatType>(from) ? Type(l.b.getF32Type()) : Type(l.b.getF64Type());
  ScaledLoops loops = makeLoops(l, op.getAxis(), op.getBlockSize());
  bool hasZero = loops.operands.size() == 3;
  Value y = l.elementwise(
      loops.operands, loops.dims, element,
      [&](ImplicitLocOpBuilder &b, ValueRange x) {
        Type working = getComputeType(precision);
        auto read = [&](Value value, Type type) {
          return roundTo(b, castScalar(b, value, type, working), precision);
        };
        Value quotient =
            arith::DivFOp::create(b, read(x[0], from), read(x[1], scale));
        return quantizeScalar(b, roundTo(b, quotient, precision),
                              hasZero ? x[2] : Value(), element,
                              op.getSaturate());
      });
  return l.replace(joinBlocks(l, y));
}

static LogicalResult lowerDequantizeLinear(onnx::DequantizeLinearOp op,
                                           Lowering &l) {
  Type element = l.element(0), result = l.resultElement();
  Type scale = l.element(1), f32 = l.b.getF32Type(), i32 = l.b.getI32Type();
  ScaledLoops loops = makeLoops(l, op.getAxis(), op.getBlockSize());
  bool hasZero = loops.operands.size() == 3;
  Value y = l.elementwise(
      loops.operands, loops.dims, result,
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        Type whole = isa<FloatType>(element) ? f32 : i32;
        Value difference = castScalar(b, x[0], element, whole);
        if (hasZero) {
          Value zero = castScalar(b, x[2], element, whole);
          difference = whole == f32
                           ? Value(arith::SubFOp::create(b, difference, zero))
                           : Value(arith::SubIOp::create(b, difference, zero));
        }
        return arith::MulFOp::create(b, castScalar(b, difference, whole, f32),
                                     castScalar(b, x[1], scale, f32));
      });
  return l.replace(joinBlocks(l, y));
}

void lathe::populateQuantizePatterns(RewritePatternSet &patterns,
                                     const TypeConverter &types) {
  addLowering(patterns, types, lowerQuantizeLinear);
  addLowering(patterns, types, lowerDequantizeLinear);
}
