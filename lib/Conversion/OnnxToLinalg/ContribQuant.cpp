// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantized operators of com.microsoft.

#include "lathe/Dialect/Onnx/IR/ContribQuant.h"
#include "Contraction.h"
#include "Elementwise.h"
#include "Families.h"
#include "Quantize.h"
#include "QuantizeProduct.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lathe;

namespace {
/// Numbers that are quantized by one scale and one zero point, operands
/// `scale` and `zero`, and where their values stand among the arguments of the
/// body of a loop.
struct Scaled {
  unsigned scale, zero;
  unsigned scaleAt = 0;
  std::optional<unsigned> zeroAt = {};

  /// Makes the scale and, where it is there, the zero point inputs of loops.
  void addTo(Lowering &l, unsigned loops, SmallVectorImpl<Operand> &inputs) {
    scaleAt = inputs.size();
    inputs.push_back(readFirst(l, scale, loops));
    if (!l.has(zero))
      return;
    zeroAt = inputs.size();
    inputs.push_back(readFirst(l, zero, loops));
  }
};
} // namespace

/// `(stored - zero) * scale`, where `x` are the arguments of the body.
static Value dequantize(ImplicitLocOpBuilder &b, Value stored, Type element,
                        const Scaled &by, ValueRange x) {
  Type i32 = b.getI32Type(), f32 = b.getF32Type();
  Value whole = castScalar(b, stored, element, i32);
  if (by.zeroAt)
    whole = arith::SubIOp::create(b, whole,
                                  castScalar(b, x[*by.zeroAt], element, i32));
  return arith::MulFOp::create(b, castScalar(b, whole, i32, f32),
                               x[by.scaleAt]);
}

/// `value / scale + zero`, rounded and saturated.
static Value quantize(ImplicitLocOpBuilder &b, Value value, Type element,
                      const Scaled &by, ValueRange x) {
  Value quotient = arith::DivFOp::create(b, value, x[by.scaleAt]);
  return quantizeScalar(b, quotient, by.zeroAt ? x[*by.zeroAt] : Value(),
                        element);
}

/// Operands 0 and 3, dequantized, combined and quantized again.
static LogicalResult lowerBinary(
    Lowering &l,
    llvm::function_ref<Value(ImplicitLocOpBuilder &, Value, Value)> combine) {
  Dims dims = l.resultDims();
  Type element = l.resultElement();
  SmallVector<Operand> inputs = {l.operand(0), l.operand(3)};
  Scaled left{1, 2}, right{4, 5}, result{6, 7};
  for (Scaled *by : {&left, &right, &result})
    by->addTo(l, dims.size(), inputs);
  return l.replace(l.elementwise(
      inputs, dims, element, [&](ImplicitLocOpBuilder &b, ValueRange x) {
        Value value = combine(b, dequantize(b, x[0], element, left, x),
                              dequantize(b, x[1], element, right, x));
        return quantize(b, value, element, result, x);
      }));
}

static LogicalResult lowerQLinearAdd(onnx::MsQLinearAddOp, Lowering &l) {
  return lowerBinary(l, [](ImplicitLocOpBuilder &b, Value x, Value y) -> Value {
    return arith::AddFOp::create(b, x, y);
  });
}

/// Operand `i`, which has one element or one for each index of loop `column`.
static Operand readPerColumn(Lowering &l, unsigned i, unsigned loops,
                             unsigned column) {
  if (llvm::all_of(l.type(i).getShape(), [](int64_t n) { return n == 1; }))
    return readFirst(l, i, loops);
  Operand operand = l.operand(i);
  operand.map =
      AffineMap::get(loops, 0, l.b.getAffineDimExpr(column), l.b.getContext());
  return operand;
}

static LogicalResult lowerQGemm(onnx::MsQGemmOp op, Lowering &l) {
  MLIRContext *context = l.b.getContext();
  AffineExpr m, n, k;
  bindDims(context, m, n, k);
  auto map = [&](AffineExpr row, AffineExpr column, bool swapped) {
    return swapped ? AffineMap::get(3, 0, {column, row}, context)
                   : AffineMap::get(3, 0, {row, column}, context);
  };
  Factor a = getFactor(l, 0, 2), b = getFactor(l, 3, 5);
  a.elements.map = map(m, k, op.getTransA());
  b.elements.map = map(k, n, op.getTransB());
  if (op.getTransB())
    if (Value swapped = transposeWeight(l, b.elements.value)) {
      b.elements.value = swapped;
      b.elements.map = map(k, n, false);
    }
  if (a.zero)
    a.zero = readFirst(l, 2, 3);
  if (b.zero)
    b.zero = readPerColumn(l, 5, 3, 1);
  Addends addends;
  takeOutZero(l, a, b, /*kept=*/1, /*rank=*/2, /*at=*/1, addends);
  if (addends.zeroTimes)
    addends.zeroTimes->first = readFirst(l, 2, 2);
  Dims dims = l.resultDims();
  Value sums = contractIntegers(l, a, b, 3, dims);

  Type element = l.resultElement(), f32 = l.b.getF32Type();
  SmallVector<Operand> more = {readFirst(l, 1, 2), readPerColumn(l, 4, 2, 1)};
  bool hasC = l.has(6), isQuantized = l.has(7);
  if (hasC)
    more.push_back(l.operand(6));
  if (isQuantized) {
    more.push_back(readFirst(l, 7, 2));
    more.push_back(readFirst(l, 8, 2));
  }
  float alpha = op.getAlpha().convertToFloat();
  return l.replace(finishSums(
      l, sums, addends, dims, more, element,
      [&](ImplicitLocOpBuilder &ib, Value sum, ValueRange x) -> Value {
        if (hasC)
          sum = arith::AddIOp::create(ib, sum, x[2]);
        Value scale = arith::MulFOp::create(ib, x[0], x[1]);
        if (alpha != 1)
          scale =
              arith::MulFOp::create(ib, scale, makeConstant(ib, f32, alpha));
        if (isQuantized)
          scale = arith::DivFOp::create(ib, scale, x[2 + hasC]);
        Value real = arith::MulFOp::create(
            ib, castScalar(ib, sum, ib.getI32Type(), f32), scale);
        return isQuantized ? quantizeScalar(ib, real, x[3 + hasC], element)
                           : real;
      }));
}

namespace {
/// The layout of a weight of few bits: bytes of a block, elements of a byte.
struct PackedBlocks {
  int64_t rows, blocks, bytes, perByte, bits;
};
} // namespace

/// Element number `at`, an `i32`, of the byte `stored`.
static Value unpack(ImplicitLocOpBuilder &b, Value stored, Value at,
                    const PackedBlocks &packed) {
  Type i32 = b.getI32Type();
  Value byte = arith::ExtUIOp::create(b, i32, stored);
  if (packed.perByte == 1)
    return byte;
  Value shift =
      arith::MulIOp::create(b, at, makeConstant(b, i32, double(packed.bits)));
  Value moved = arith::ShRUIOp::create(b, byte, shift);
  return arith::AndIOp::create(
      b, moved, makeConstant(b, i32, double((1 << packed.bits) - 1)));
}

/// A constant in `shape`, a step of the recipe where it is a weight.
static Value reshape(Lowering &l, Value value, ArrayRef<int64_t> shape) {
  if (cast<RankedTensorType>(value.getType()).getShape() == shape)
    return value;
  return reshapeWeight(l, value, shape);
}

/// What is subtracted from elements before they are scaled, [rows, blocks]:
/// zero points, unpacked, as floats.
static Operand makeZeroPoints(Lowering &l, const PackedBlocks &packed,
                              Type compute) {
  MLIRContext *context = l.b.getContext();
  Operand zero = l.operand(3);
  bool isPacked = isa<IntegerType>(zero.element);
  int64_t perRow = isPacked ? llvm::divideCeil(packed.blocks, packed.perByte)
                            : packed.blocks;
  zero.value = reshape(l, zero.value, {packed.rows, perRow});
  AffineExpr row, block;
  bindDims(context, row, block);
  zero.map = AffineMap::get(
      2, 0, {row, isPacked ? block.floorDiv(packed.perByte) : block}, context);
  Dims dims = {l.index(packed.rows), l.index(packed.blocks)};
  Value made = l.elementwise(
      zero, dims, compute, [&](ImplicitLocOpBuilder &b, ValueRange x) {
        if (!isPacked)
          return castScalar(b, x[0], zero.element, compute);
        Type i32 = b.getI32Type();
        Value index = arith::IndexCastOp::create(
            b, i32, Value(linalg::IndexOp::create(b, 1)));
        Value at = arith::RemUIOp::create(
            b, index, makeConstant(b, i32, double(packed.perByte)));
        return castScalar(b, unpack(b, x[0], at, packed), i32, compute);
      });
  return {made, compute};
}

/// Loops are those of the result, then blocks, bytes of a block and elements of
/// a byte: the weight is dequantized where it is multiplied.
static LogicalResult lowerMatMulNBits(onnx::MsMatMulNBitsOp op, Lowering &l) {
  if (l.has(4))
    return l.unsupported("expected no g_idx (input 4)");
  if (op.getWeightPrepacked() != 0)
    return l.unsupported("expected weight_prepacked of 0, got " +
                         Twine(op.getWeightPrepacked()));
  MLIRContext *context = l.b.getContext();
  int64_t bits = op.getBits(), size = op.getBlockSize(), k = op.getK();
  PackedBlocks packed{int64_t(op.getN()), int64_t(llvm::divideCeil(k, size)),
                      size * bits / 8, 8 / bits, bits};
  Type element = l.element(0), compute = getComputeType(element);
  Dims dims = l.resultDims(), aDims = l.dims(0);
  unsigned rank = dims.size(), loops = rank + 3;

  // Columns that fill the last block are worth nothing.
  Operand a = l.operand(0);
  if (int64_t missing = packed.blocks * size - k) {
    auto type = l.type(0);
    SmallVector<int64_t> shape(type.getShape());
    shape.back() = packed.blocks * size;
    Dims low(rank, l.index(0)), high = low;
    high.back() = l.index(missing);
    Value zero = arith::ConstantOp::create(
        l.b, cast<TypedAttr>(l.b.getZeroAttr(type.getElementType())));
    a.value =
        tensor::PadOp::create(l.b, type.clone(shape), a.value, low, high, zero);
  }
  Dims split(ArrayRef(aDims).drop_back());
  for (int64_t part : {packed.blocks, packed.bytes, packed.perByte})
    split.push_back(l.index(part));
  a.value = l.view(a.value, split);
  SmallVector<AffineExpr> exprs;
  for (unsigned d = 0; d + 1 < rank; ++d)
    exprs.push_back(getAffineDimExpr(d, context));
  AffineExpr n = getAffineDimExpr(rank - 1, context);
  AffineExpr block = getAffineDimExpr(rank, context);
  AffineExpr byte = getAffineDimExpr(rank + 1, context);
  AffineExpr at = getAffineDimExpr(rank + 2, context);
  llvm::append_range(exprs, ArrayRef{block, byte, at});
  a.map = AffineMap::get(loops, 0, exprs, context);

  Operand weight = l.operand(1), scale = l.operand(2);
  weight.value =
      reshape(l, weight.value, {packed.rows, packed.blocks, packed.bytes});
  weight.map = AffineMap::get(loops, 0, {n, block, byte}, context);
  // Rows of the weight are columns of the product, which vectors go along.
  if (Value moved = permuteWeight(l, weight.value, {1, 2, 0})) {
    weight.value = moved;
    weight.map = AffineMap::get(loops, 0, {block, byte, n}, context);
  }
  scale.value = reshape(l, scale.value, {packed.rows, packed.blocks});
  scale.map = AffineMap::get(loops, 0, {n, block}, context);
  SmallVector<Operand> inputs = {a, weight, scale};
  if (l.has(3)) {
    inputs.push_back(makeZeroPoints(l, packed, compute));
    inputs.back().map = scale.map;
  }
  if (Value moved = permuteWeight(l, scale.value, {1, 0})) {
    inputs[2].value = moved;
    inputs[2].map = AffineMap::get(loops, 0, {block, n}, context);
  }
  SmallVector<Value> tensors;
  SmallVector<AffineMap> maps;
  for (const Operand &input : inputs) {
    tensors.push_back(input.value);
    maps.push_back(input.map);
  }
  maps.push_back(getLoopMap(context, loops, 0, rank));
  SmallVector<utils::IteratorType> iterators(loops,
                                             utils::IteratorType::reduction);
  std::fill_n(iterators.begin(), rank, utils::IteratorType::parallel);
  Value init = l.fill(dims, cast<TypedAttr>(l.b.getZeroAttr(compute)));
  Value product =
      l.generic(
           tensors, init, maps, iterators,
           [&](ImplicitLocOpBuilder &b, ValueRange x) -> SmallVector<Value> {
             Type i32 = b.getI32Type();
             Value index;
             if (packed.perByte > 1)
               index = arith::IndexCastOp::create(
                   b, i32, Value(linalg::IndexOp::create(b, rank + 2)));
             Value whole =
                 castScalar(b, unpack(b, x[1], index, packed), i32, compute);
             Value zero =
                 l.has(3) ? x[3] : makeConstant(b, compute, 1 << (bits - 1));
             Value difference = arith::SubFOp::create(b, whole, zero);
             Value real = arith::MulFOp::create(
                 b, difference, loadScalar(b, x[2], scale.element));
             Value term =
                 arith::MulFOp::create(b, loadScalar(b, x[0], a.element), real);
             return {arith::AddFOp::create(b, x.back(), term)};
           })
          .front();
  if (!l.has(5))
    return l.replace(store(l, product, dims, element));
  return l.replace(
      l.elementwise({Operand{product, compute}, l.operand(5)}, dims, element,
                    [](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                      return arith::AddFOp::create(b, x[0], x[1]);
                    }));
}

/// Sums as floats: times the scales, of the left factor as a whole and of the
/// right one's columns, plus operand `bias` where it is there.
static Value scaleSums(Lowering &l, Value sums, const Addends &addends,
                       Operand leftScale, unsigned rightScale, unsigned bias) {
  Dims dims = l.resultDims();
  unsigned loops = dims.size();
  Type f32 = l.b.getF32Type(), i32 = l.b.getI32Type();
  SmallVector<Operand> more = {leftScale,
                               readPerColumn(l, rightScale, loops, loops - 1)};
  if (l.has(bias))
    more.push_back(l.operand(bias));
  return finishSums(
      l, sums, addends, dims, more, f32,
      [&](ImplicitLocOpBuilder &b, Value sum, ValueRange x) -> Value {
        Value scale = arith::MulFOp::create(b, x[0], x[1]);
        Value real =
            arith::MulFOp::create(b, castScalar(b, sum, i32, f32), scale);
        return x.size() == 2 ? real
                             : Value(arith::AddFOp::create(b, real, x[2]));
      });
}

static LogicalResult lowerToFloat(onnx::MsMatMulIntegerToFloatOp, Lowering &l) {
  Addends addends;
  Value sums = multiplyIntegers(l, 0, 4, 1, 5, addends);
  Operand scale = readFirst(l, 2, l.resultDims().size());
  return l.replace(scaleSums(l, sums, addends, scale, 3, 6));
}

/// The least (or greatest) element of operand 0 and zero.
static Operand reduceAll(Lowering &l, bool isGreatest) {
  Dims dims = l.dims(0);
  Type f32 = l.b.getF32Type();
  Value made = l.reduce(l.operand(0), dims,
                        llvm::to_vector(llvm::seq<int64_t>(dims.size())),
                        l.b.getFloatAttr(f32, 0.0),
                        [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                          if (isGreatest)
                            return arith::MaximumFOp::create(b, x[1], x[0]);
                          return arith::MinimumFOp::create(b, x[1], x[0]);
                        });
  return {made, f32};
}

static LogicalResult lowerDynamicMatMul(onnx::MsDynamicQuantizeMatMulOp,
                                        Lowering &l) {
  MLIRContext *context = l.b.getContext();
  Type f32 = l.b.getF32Type();
  Type byte = IntegerType::get(context, 8, IntegerType::Unsigned);
  Operand least = reduceAll(l, false), greatest = reduceAll(l, true);
  // What is zero everywhere has the scale 1.
  Value scale = l.elementwise(
      {least, greatest}, {}, f32,
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        Value range = arith::SubFOp::create(b, x[1], x[0]);
        Value zero = makeConstant(b, f32, 0), one = makeConstant(b, f32, 1);
        Value isZero =
            arith::CmpFOp::create(b, arith::CmpFPredicate::OEQ, range, zero);
        Value step = arith::DivFOp::create(b, range, makeConstant(b, f32, 255));
        return arith::SelectOp::create(b, isZero, one, step);
      });
  Operand scaleOperand{scale, f32};
  Value zero = l.elementwise(
      {least, scaleOperand}, {}, byte,
      [&](ImplicitLocOpBuilder &b, ValueRange x) {
        Value distance =
            arith::SubFOp::create(b, makeConstant(b, f32, 0), x[0]);
        return quantizeScalar(b, arith::DivFOp::create(b, distance, x[1]),
                              Value(), byte);
      });
  Operand zeroOperand{zero, byte};
  Value quantized =
      l.elementwise({l.operand(0), scaleOperand, zeroOperand}, l.dims(0), byte,
                    [&](ImplicitLocOpBuilder &b, ValueRange x) {
                      return quantizeScalar(
                          b, arith::DivFOp::create(b, x[0], x[1]), x[2], byte);
                    });

  Dims dims = l.resultDims();
  unsigned rank = dims.size();
  MatMulMaps maps = getMatMulMaps(l, 0, 1);
  Factor a, b = getFactor(l, 1, 3);
  a.elements = {quantized, byte, maps.a};
  a.known = std::nullopt;
  a.zero = zeroOperand;
  a.zero->map = AffineMap::get(rank + 1, 0, context);
  b.elements.map = maps.b;
  if (b.zero)
    b.zero = readPerRow(l, 3, 1, 0, /*isRight=*/true, rank + 1);
  Addends addends;
  if (l.rank(1) == 2)
    takeOutZero(l, a, b, /*kept=*/1, rank, rank - 1, addends);
  scaleOperand.map = zeroOperand.map = AffineMap::get(rank, 0, context);
  if (addends.zeroTimes)
    addends.zeroTimes->first = zeroOperand;
  Value sums = contractIntegers(l, a, b, rank + 1, dims);
  return l.replace(scaleSums(l, sums, addends, scaleOperand, 2, 4));
}

static LogicalResult lowerQLinearMul(onnx::MsQLinearMulOp, Lowering &l) {
  return lowerBinary(l, [](ImplicitLocOpBuilder &b, Value x, Value y) -> Value {
    return arith::MulFOp::create(b, x, y);
  });
}

static LogicalResult lowerGlobalAverage(onnx::MsQLinearGlobalAveragePoolOp op,
                                        Lowering &l) {
  Dims dims = l.dims(0);
  int64_t rank = dims.size(), first = op.getChannelsLast() ? 1 : 2;
  SmallVector<int64_t> axes =
      llvm::to_vector(llvm::seq<int64_t>(first, first + rank - 2));
  Type element = l.element(0), i32 = l.b.getI32Type(), f32 = l.b.getF32Type();
  Value sums = l.reduce(l.operand(0), dims, axes, l.b.getI32IntegerAttr(0),
                        [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
                          return arith::AddIOp::create(
                              b, x[1], castScalar(b, x[0], element, i32));
                        });
  Value size =
      l.toValue(l.product(ArrayRef<OpFoldResult>(dims).slice(first, rank - 2)));
  Dims kept = dropDims(dims, axes);
  SmallVector<Operand> inputs = {{sums, i32}};
  Scaled from{1, 2}, to{3, 4};
  from.addTo(l, 2, inputs);
  to.addTo(l, 2, inputs);
  Value y = l.elementwise(
      inputs, kept, element, [&](ImplicitLocOpBuilder &b, ValueRange x) {
        Value count = arith::IndexCastOp::create(b, i32, size);
        Value zero = castScalar(b, x[*from.zeroAt], element, i32);
        Value sum = arith::SubIOp::create(
            b, x[0], Value(arith::MulIOp::create(b, zero, count)));
        Value mean = arith::DivFOp::create(b, castScalar(b, sum, i32, f32),
                                           castScalar(b, count, i32, f32));
        return quantize(b, arith::MulFOp::create(b, mean, x[from.scaleAt]),
                        element, to, x);
      });
  return l.replace(l.view(y, l.resultDims()));
}

void lathe::populateContribQuantPatterns(RewritePatternSet &patterns,
                                         const TypeConverter &types) {
  addLowering(patterns, types, lowerQLinearAdd);
  addLowering(patterns, types, lowerQGemm);
  addLowering(patterns, types, lowerMatMulNBits);
  addLowering(patterns, types, lowerToFloat);
  addLowering(patterns, types, lowerDynamicMatMul);
  addLowering(patterns, types, lowerQLinearMul);
  addLowering(patterns, types, lowerGlobalAverage);
}
