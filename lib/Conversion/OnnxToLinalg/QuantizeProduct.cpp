// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums of products of 8-bit integers, exactly, in 32 bits. Where the right
// factor b is a weight without zero point, that of the left one is taken out:
//   sum (a - z) * b = sum a * b - z * sum b
// The last sum is a constant per column, so that the loops see nothing but
// bytes. Signed ones are moved up by 128, together with their zero point, as
// processors multiply unsigned bytes by signed ones. Else zero points are taken
// off as elements are read. The products of `QLinear…` are then scaled, element
// by element.

#include "QuantizeProduct.h"

#include "Convolution.h"
#include "Families.h"
#include "Quantize.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Quant.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/AsmState.h"
#include "mlir/IR/DialectResourceBlobManager.h"

using namespace mlir;
using namespace lathe;

Factor lathe::getFactor(Lowering &l, unsigned i, unsigned zeroPoint) {
  Factor factor;
  factor.elements = l.operand(i);
  if (!l.has(zeroPoint))
    return factor;
  factor.known = getConstantInteger(l.operand(zeroPoint));
  if (factor.known != 0)
    factor.zero = l.operand(zeroPoint);
  return factor;
}

/// A stored integer as `i32`.
static Value widen(ImplicitLocOpBuilder &b, Value stored, Type element) {
  Type i32 = b.getI32Type();
  return stored.getType() == i32 ? stored : castScalar(b, stored, element, i32);
}

Value lathe::contractIntegers(Lowering &l, const Factor &a, const Factor &b,
                              unsigned numLoops, DimsRef dims) {
  SmallVector<Operand> inputs = {a.elements, b.elements};
  for (const Factor *factor : {&a, &b})
    if (factor->zero && !factor->known)
      inputs.push_back(*factor->zero);
  SmallVector<Value> tensors;
  SmallVector<AffineMap> maps;
  for (const Operand &input : inputs) {
    tensors.push_back(input.value);
    maps.push_back(input.map);
  }
  maps.push_back(getLoopMap(l.b.getContext(), numLoops, 0, dims.size()));
  SmallVector<utils::IteratorType> iterators(numLoops,
                                             utils::IteratorType::reduction);
  std::fill_n(iterators.begin(), dims.size(), utils::IteratorType::parallel);
  return l
      .generic(
          tensors, l.fill(dims, l.b.getI32IntegerAttr(0)), maps, iterators,
          [&](ImplicitLocOpBuilder &ib, ValueRange x) -> SmallVector<Value> {
            unsigned next = 2;
            auto read = [&](const Factor &factor, Value stored) -> Value {
              if (factor.moves)
                return arith::ExtUIOp::create(
                    ib, ib.getI32Type(),
                    Value(arith::XOrIOp::create(
                        ib, stored, makeConstant(ib, stored.getType(), -128))));
              Value value = widen(ib, stored, factor.elements.element);
              if (!factor.zero)
                return value;
              Value zero =
                  factor.known
                      ? makeConstant(ib, value.getType(), double(*factor.known))
                      : widen(ib, x[next++], factor.zero->element);
              return Value(arith::SubIOp::create(ib, value, zero));
            };
            Value left = read(a, x[0]);
            Value right = read(b, x[1]);
            return {arith::AddIOp::create(
                ib, x.back(), Value(arith::MulIOp::create(ib, left, right)))};
          })
      .front();
}

/// The bytes of a weight as the model stores it; none where they are one splat,
/// or where it has been changed.
static ArrayRef<char> getBytes(WeightOp weight) {
  ArrayRef<char> bytes;
  if (auto resource = dyn_cast<DenseResourceElementsAttr>(weight.getValue())) {
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      bytes = blob->getData();
  } else if (auto dense = dyn_cast<DenseElementsAttr>(weight.getValue())) {
    bytes = dense.getRawData();
  }
  auto type = cast<RankedTensorType>(weight.getValue().getType());
  return type.getElementType().isInteger(8) &&
                 (int64_t)bytes.size() == type.getNumElements()
             ? bytes
             : ArrayRef<char>();
}

/// The sums, per index of dimension `kept`, of the bytes of a weight; nothing
/// where it is none.
static std::optional<SmallVector<int32_t>> sumWeight(const Operand &operand,
                                                     unsigned kept) {
  auto weight = operand.value.getDefiningOp<WeightOp>();
  if (!weight)
    return std::nullopt;
  // Dimensions may have changed places since.
  for (Attribute step : llvm::reverse(weight.getRecipe())) {
    auto permute = dyn_cast<PermuteStepAttr>(step);
    if (!permute)
      return std::nullopt;
    kept = permute.getPerm()[kept];
  }
  auto type = cast<RankedTensorType>(weight.getValue().getType());
  ArrayRef<char> bytes = getBytes(weight);
  if (bytes.empty())
    return std::nullopt;
  int64_t count = type.getDimSize(kept);
  int64_t inner =
      ShapedType::getNumElements(type.getShape().drop_front(kept + 1));
  SmallVector<int32_t> sums(count, 0);
  bool isByte = isUnsigned(operand.element);
  for (int64_t i = 0, e = bytes.size(); i < e; ++i)
    sums[i / inner % count] +=
        isByte ? int32_t(uint8_t(bytes[i])) : int32_t(int8_t(bytes[i]));
  return sums;
}

/// A vector of `i32`, to be read at index `at` of loops of rank `rank`.
static Operand makeVector(Lowering &l, ArrayRef<int32_t> values, unsigned rank,
                          unsigned at) {
  auto type = RankedTensorType::get({(int64_t)values.size()}, l.b.getI32Type());
  auto attr = DenseElementsAttr::get(type, values);
  Value vector =
      attr.isSplat()
          ? Value(arith::ConstantOp::create(l.b, attr))
          : Value(WeightOp::create(l.b, type, attr, l.b.getArrayAttr({})));
  return {vector, l.b.getI32Type(),
          AffineMap::get(rank, 0, l.b.getAffineDimExpr(at), l.b.getContext())};
}

void lathe::takeOutZero(Lowering &l, Factor &a, const Factor &b, unsigned kept,
                        unsigned rank, unsigned at, Addends &addends) {
  if (b.zero)
    return;
  std::optional<SmallVector<int32_t>> sums = sumWeight(b.elements, kept);
  if (!sums)
    return;
  auto scaled = [&](int64_t factor) {
    return llvm::map_to_vector(*sums, [&](int32_t sum) {
      return int32_t(uint32_t(sum) * uint32_t(factor));
    });
  };
  Type left = a.elements.element;
  a.moves =
      left.isInteger(8) && !isUnsigned(left) && !isUnsigned(b.elements.element);
  int64_t known = a.known.value_or(0) + (a.moves ? 128 : 0);
  if (a.zero && !a.known)
    addends.zeroTimes = {*a.zero, makeVector(l, *sums, rank, at)};
  if (known)
    addends.vectors.push_back(makeVector(l, scaled(-known), rank, at));
  a.zero.reset();
}

Value lathe::finishSums(
    Lowering &l, Value sums, const Addends &addends, DimsRef dims,
    ArrayRef<Operand> more, Type element,
    function_ref<Value(ImplicitLocOpBuilder &, Value, ValueRange)> body) {
  Type i32 = l.b.getI32Type();
  if (addends.empty() && !body)
    return sums;
  if (!body)
    element = i32;
  SmallVector<Operand> inputs = {{sums, i32}};
  llvm::append_range(inputs, addends.vectors);
  if (addends.zeroTimes) {
    inputs.push_back(addends.zeroTimes->first);
    inputs.push_back(addends.zeroTimes->second);
  }
  unsigned first = inputs.size();
  llvm::append_range(inputs, more);
  return l.elementwise(
      inputs, dims, element, [&](ImplicitLocOpBuilder &b, ValueRange x) {
        Value sum = x[0];
        for (Value addend : x.slice(1, addends.vectors.size()))
          sum = arith::AddIOp::create(b, sum, addend);
        if (addends.zeroTimes) {
          Value zero = widen(b, x[first - 2], inputs[first - 2].element);
          sum = arith::SubIOp::create(
              b, sum, Value(arith::MulIOp::create(b, zero, x[first - 1])));
        }
        return body ? body(b, sum, x.drop_front(first)) : sum;
      });
}

Value lathe::requantize(Lowering &l, Value sums, const Addends &addends,
                        DimsRef dims, const Requantize &by) {
  Type f32 = l.b.getF32Type(), i32 = l.b.getI32Type();
  Type element = l.resultElement();
  SmallVector<Operand> inputs = {by.left, by.right, by.result, by.zero};
  return finishSums(
      l, sums, addends, dims, inputs, element,
      [&](ImplicitLocOpBuilder &b, Value sum, ValueRange x) {
        auto read = [&](unsigned i) {
          return castScalar(b, x[i], inputs[i].element, f32);
        };
        Value scale = arith::DivFOp::create(
            b, Value(arith::MulFOp::create(b, read(0), read(1))), read(2));
        Value real =
            arith::MulFOp::create(b, castScalar(b, sum, i32, f32), scale);
        return quantizeScalar(b, real, x[3], element);
      });
}

Operand lathe::readFirst(Lowering &l, unsigned i, unsigned loops) {
  Operand operand = l.operand(i);
  SmallVector<AffineExpr> zeros(l.rank(i), l.b.getAffineConstantExpr(0));
  operand.map = AffineMap::get(loops, 0, zeros, l.b.getContext());
  return operand;
}

//===----------------------------------------------------------------------===//
// Matrices
//===----------------------------------------------------------------------===//

Operand lathe::readPerRow(Lowering &l, unsigned i, unsigned matrix,
                          unsigned otherMatrix, bool isRight, unsigned loops) {
  ArrayRef<int64_t> shape = l.type(i).getShape();
  if (llvm::all_of(shape, [](int64_t size) { return size == 1; }))
    return readFirst(l, i, loops);
  int64_t resultRank = l.resultType().getRank();
  int64_t matrixRank = l.rank(matrix), other = l.rank(otherMatrix);
  int64_t numBatches = resultRank - (matrixRank > 1) - (other > 1);
  int64_t kept = isRight ? resultRank - 1 : numBatches;
  Operand operand = l.operand(i);
  MLIRContext *context = l.b.getContext();
  if (shape.size() == 1) {
    operand.map =
        AffineMap::get(loops, 0, getAffineDimExpr(kept, context), context);
    return operand;
  }
  SmallVector<AffineExpr> exprs;
  for (int64_t d = 0; d < matrixRank; ++d) {
    int64_t loop =
        d < matrixRank - 2 ? d + numBatches - (matrixRank - 2) : kept;
    exprs.push_back(shape[d] == 1 ? getAffineConstantExpr(0, context)
                                  : getAffineDimExpr(loop, context));
  }
  operand.map = AffineMap::get(loops, 0, exprs, context);
  return operand;
}

Value lathe::multiplyIntegers(Lowering &l, unsigned a, unsigned zeroA,
                              unsigned b, unsigned zeroB, Addends &addends) {
  Dims dims = l.resultDims();
  unsigned loops = dims.size() + 1;
  MatMulMaps maps = getMatMulMaps(l, a, b);
  Factor left = getFactor(l, a, zeroA), right = getFactor(l, b, zeroB);
  left.elements.map = maps.a;
  right.elements.map = maps.b;
  if (left.zero)
    left.zero = readPerRow(l, zeroA, a, b, /*isRight=*/false, loops);
  if (right.zero)
    right.zero = readPerRow(l, zeroB, b, a, /*isRight=*/true, loops);
  // Only constant factors of a matrix have sums that are known.
  if (l.rank(b) == 2) {
    std::optional<Operand> zero;
    if (left.zero)
      zero = readPerRow(l, zeroA, a, b, /*isRight=*/false, dims.size());
    takeOutZero(l, left, right, 1, dims.size(), dims.size() - 1, addends);
    if (addends.zeroTimes)
      addends.zeroTimes->first = *zero;
  }
  return contractIntegers(l, left, right, loops, dims);
}

static LogicalResult lowerMatMulInteger(onnx::MatMulIntegerOp, Lowering &l) {
  Addends addends;
  Value sums = multiplyIntegers(l, 0, 2, 1, 3, addends);
  return l.replace(finishSums(l, sums, addends, l.resultDims()));
}

static LogicalResult lowerQLinearMatMul(onnx::QLinearMatMulOp, Lowering &l) {
  for (unsigned i : {0u, 3u, 7u})
    if (!isa<IntegerType>(l.element(i)))
      return l.unsupported("expected quantized integers, got floats as input " +
                           Twine(i));
  Addends addends;
  Value sums = multiplyIntegers(l, 0, 2, 3, 5, addends);
  unsigned loops = l.resultDims().size();
  Requantize by = {readPerRow(l, 1, 0, 3, /*isRight=*/false, loops),
                   readPerRow(l, 4, 3, 0, /*isRight=*/true, loops),
                   readFirst(l, 6, loops), readFirst(l, 7, loops)};
  return l.replace(requantize(l, sums, addends, l.resultDims(), by));
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

/// Numbers per output channel, or one for all, as loops over a result read
/// them: the channels are split by `group` where `loops` are more.
static Operand readPerChannel(Lowering &l, unsigned i, unsigned loops) {
  if (l.type(i).getNumElements() == 1)
    return readFirst(l, i, loops);
  Operand operand = l.operand(i);
  operand.map =
      AffineMap::get(loops, 0, l.b.getAffineDimExpr(1), l.b.getContext());
  return operand;
}

/// `operand` less its zero point, as a tensor of `i32`.
static Operand subtractZero(Lowering &l, const Operand &operand, Operand zero,
                            DimsRef dims) {
  Type i32 = l.b.getI32Type();
  Value made = l.elementwise(
      {operand, zero}, dims, i32, [&](ImplicitLocOpBuilder &b, ValueRange x) {
        return Value(arith::SubIOp::create(b, widen(b, x[0], operand.element),
                                           widen(b, x[1], zero.element)));
      });
  return {made, i32};
}

/// Bytes that one step of a dot product sums: the channels of a convolution are
/// filled up to a multiple, with zeros in the kernel, where the first layer of
/// a net has but one or three.
static constexpr int64_t bytesPerStep = 4;
/// The largest kernel that is worth it, in bytes.
static constexpr int64_t maxFilledBytes = 1 << 20;

/// Fills up the channels of both factors; `dims` are those of `x`.
static void fillChannels(Lowering &l, Factor &x, Factor &kernel, Dims &dims) {
  auto weight = kernel.elements.value.getDefiningOp<WeightOp>();
  if (x.zero || kernel.zero || !weight || !weight.getRecipe().empty() ||
      !x.elements.element.isInteger(8) || isUnsigned(kernel.elements.element))
    return;
  ArrayRef<char> bytes = getBytes(weight);
  SmallVector<int64_t> shape(
      cast<RankedTensorType>(weight.getType()).getShape());
  int64_t channels = shape[1];
  int64_t missing = llvm::alignTo(channels, bytesPerStep) - channels;
  if (bytes.empty() || missing == 0)
    return;
  shape[1] += missing;
  auto type = RankedTensorType::get(shape, l.b.getI8Type());
  if (type.getNumElements() > maxFilledBytes)
    return;
  int64_t taps = ShapedType::getNumElements(ArrayRef(shape).drop_front(2));
  SmallVector<char> filled(type.getNumElements(), 0);
  for (int64_t f = 0; f < shape[0]; ++f)
    llvm::copy(bytes.slice(f * channels * taps, channels * taps),
               filled.begin() + f * shape[1] * taps);
  auto value = DenseResourceElementsAttr::get(
      type, "filled",
      HeapAsmResourceBlob::allocateAndCopyWithAlign(filled, 64,
                                                    /*dataIsMutable=*/false));
  kernel.elements.value =
      WeightOp::create(l.b, type, value, l.b.getArrayAttr({}));
  auto from = cast<RankedTensorType>(x.elements.value.getType());
  SmallVector<int64_t> to(from.getShape());
  to[1] = shape[1];
  Dims none(to.size(), l.index(0)), high = none;
  high[1] = l.index(missing);
  dims[1] = l.index(shape[1]);
  Value zero = arith::ConstantOp::create(l.b, l.b.getI8IntegerAttr(0));
  x.elements.value = tensor::PadOp::create(l.b, from.clone(to),
                                           x.elements.value, none, high, zero);
}

/// The sums of the convolution of operand 0 by operand `w`.
template <typename OpTy>
static FailureOr<Value> convolveIntegers(OpTy op, Lowering &l, unsigned zeroX,
                                         unsigned w, unsigned zeroW,
                                         Addends &addends) {
  if (l.rank(0) < 3)
    return l.unsupported("expected at least one spatial dimension");
  if (!l.type(w).hasStaticShape())
    return l.unsupported("expected a kernel of static shape");
  FailureOr<Window> window =
      makeWindow(op, l, l.type(w).getShape().drop_front(2));
  if (failed(window))
    return failure();
  Dims dims = l.resultDims();
  Factor x = getFactor(l, 0, zeroX), kernel = getFactor(l, w, zeroW);
  if (x.zero)
    x.zero = readFirst(l, zeroX, l.rank(0));
  // The padding is worth zero, which is the zero point before it is taken off.
  TypedAttr padding;
  if (x.zero && x.known) {
    padding = l.b.getI8IntegerAttr(int8_t(*x.known));
  } else if (x.zero) {
    x.elements = subtractZero(l, x.elements, *x.zero, l.dims(0));
    x.zero.reset();
  }
  if (kernel.zero) {
    SmallVector<AffineExpr> exprs;
    bool one = l.type(zeroW).getNumElements() == 1;
    for (int64_t d = 0; d < l.rank(zeroW); ++d)
      exprs.push_back(one ? l.b.getAffineConstantExpr(0)
                          : l.b.getAffineDimExpr(0));
    Operand zero = l.operand(zeroW);
    zero.map = AffineMap::get(l.rank(w), 0, exprs, l.b.getContext());
    kernel.elements = subtractZero(l, kernel.elements, zero, l.dims(w));
    kernel.zero.reset();
  } else {
    takeOutZero(l, x, kernel, 0, dims.size(), 1, addends);
  }
  Dims inputDims = l.dims(0);
  if (op.getGroup() == 1)
    fillChannels(l, x, kernel, inputDims);
  return convolve(
      l, x.elements, kernel.elements, inputDims, dims, *window, op.getGroup(),
      [&](ArrayRef<Operand> inputs, unsigned loops, DimsRef sizes) {
        Factor a = x, b = kernel;
        a.elements = inputs[0];
        b.elements = inputs[1];
        return contractIntegers(l, a, b, loops, sizes);
      },
      padding);
}

static LogicalResult lowerConvInteger(onnx::ConvIntegerOp op, Lowering &l) {
  Addends addends;
  FailureOr<Value> sums = convolveIntegers(op, l, 2, 1, 3, addends);
  if (failed(sums))
    return failure();
  return l.replace(finishSums(l, *sums, addends, l.resultDims()));
}

static LogicalResult lowerQLinearConv(onnx::QLinearConvOp op, Lowering &l) {
  Addends addends;
  FailureOr<Value> sums = convolveIntegers(op, l, 2, 3, 5, addends);
  if (failed(sums))
    return failure();
  unsigned loops = l.resultDims().size();
  if (l.has(8))
    addends.vectors.push_back(readPerChannel(l, 8, loops));
  Requantize by = {readFirst(l, 1, loops), readPerChannel(l, 4, loops),
                   readFirst(l, 6, loops), readFirst(l, 7, loops)};
  return l.replace(requantize(l, *sums, addends, l.resultDims(), by));
}

void lathe::populateQuantizeProductPatterns(RewritePatternSet &patterns,
                                            const TypeConverter &types) {
  addLowering(patterns, types, lowerMatMulInteger);
  addLowering(patterns, types, lowerQLinearMatMul);
  addLowering(patterns, types, lowerConvInteger);
  addLowering(patterns, types, lowerQLinearConv);
}
