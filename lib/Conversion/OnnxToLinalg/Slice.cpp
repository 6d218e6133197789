// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Slices and padding: `tensor.extract_slice` and `tensor.pad` where the ranges
// are known from shapes, else loops that compute where to read.

#include "Checks.h"
#include "Families.h"
#include "Indexing.h"
#include "RunTimeSizes.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lathe;

/// The axes that operand `i` names, all `count` first ones if it is omitted.
static std::optional<SmallVector<int64_t>> getAxes(Lowering &l, unsigned i,
                                                   int64_t count) {
  if (!l.has(i))
    return llvm::to_vector(llvm::seq<int64_t>(0, count));
  std::optional<SmallVector<int64_t>> axes = l.ints(i);
  if (axes)
    for (int64_t &axis : *axes)
      axis = normalizeAxis(axis, l.rank(0));
  return axes;
}

/// An element of an integer operand in the body of a loop: what is known of it,
/// else what is read.
static Value readInt(Lowering &l, const IndexMath &m, unsigned operand,
                     int64_t at, const std::optional<Dims> &known) {
  if (known) {
    if (std::optional<int64_t> value = getConstantIntValue((*known)[at]))
      return m.constant(*value);
    return cast<Value>((*known)[at]);
  }
  return m.fromInt(
      m.read(l.value(operand), m.constant(at), l.element(operand)));
}

//===----------------------------------------------------------------------===//
// Slice
//===----------------------------------------------------------------------===//

/// Where the slice of a dimension starts, if `start` is a constant. Of a size
/// that is symbolic the shape analysis supposes that it reaches the start;
/// where it does not, the slice is empty and reads nothing.
static std::optional<OpFoldResult> getStart(Lowering &l, OpFoldResult start,
                                            OpFoldResult size) {
  std::optional<int64_t> first = getConstantIntValue(start);
  std::optional<int64_t> whole = getConstantIntValue(size);
  if (!first)
    return std::nullopt;
  if (whole) {
    int64_t at = *first < 0 ? *first + *whole : *first;
    return OpFoldResult(l.index(std::clamp<int64_t>(at, 0, *whole)));
  }
  if (*first < 0)
    return l.apply(l.b.getAffineSymbolExpr(0) + *first, size);
  return start;
}

static LogicalResult lowerSlice(onnx::SliceOp, Lowering &l) {
  int64_t count = l.type(1).getDimSize(0);
  if (ShapedType::isDynamic(count))
    return l.unsupported("expected starts of static length");
  std::optional<SmallVector<int64_t>> axes = getAxes(l, 3, count);
  if (!axes && failed(checkIndices(l, 3, l.index(l.rank(0)), 0)))
    return failure();
  bindSlice(l, count);
  Dims dims = l.dims(0), outDims = l.resultDims();
  int64_t rank = dims.size();
  std::optional<Dims> starts = l.contents(1), steps;
  if (l.has(4))
    steps = l.contents(4);
  else
    steps = Dims(count, l.index(1));

  bool simple = starts && steps && axes;
  Dims offsets(rank, l.index(0)), strides(rank, l.index(1));
  for (int64_t i = 0; simple && i != count; ++i) {
    int64_t axis = (*axes)[i];
    std::optional<int64_t> step = getConstantIntValue((*steps)[i]);
    std::optional<OpFoldResult> start = getStart(l, (*starts)[i], dims[axis]);
    simple = step && *step > 0 && start;
    if (!simple)
      break;
    offsets[axis] = *start;
    strides[axis] = l.index(*step);
  }
  if (simple)
    return l.replace(Value(tensor::ExtractSliceOp::create(
        l.b, l.value(0), offsets, outDims, strides)));

  SmallVector<Value> sizes = toValues(l, dims);
  return l.replace(l.elementwise(
      {}, outDims, l.resultElement(), [&](ImplicitLocOpBuilder &b, ValueRange) {
        IndexMath m{b};
        SmallVector<Value> at;
        for (int64_t i = 0; i != rank; ++i)
          at.push_back(m.loop(i));
        for (int64_t i = 0; i != rank; ++i) {
          SliceRange range = getSliceRange(l, m, i, sizes[i], count);
          Value from = m.add(range.start, m.mul(at[i], range.step));
          at[i] = m.clamp(from, sizes[i]);
        }
        return m.read(l.value(0), at, l.element(0));
      }));
}

//===----------------------------------------------------------------------===//
// Pad
//===----------------------------------------------------------------------===//

/// Constant amounts that are not negative, around numbers or bools.
static LogicalResult padConstant(Lowering &l, DimsRef low, DimsRef high,
                                 TypedAttr value) {
  Value scalar = arith::ConstantOp::create(l.b, value);
  RankedTensorType type = l.type(0);
  SmallVector<int64_t> shape(type.getShape());
  for (auto [size, a, b] : llvm::zip(shape, low, high))
    if (!ShapedType::isDynamic(size))
      size += *getConstantIntValue(a) + *getConstantIntValue(b);
  return l.replace(Value(tensor::PadOp::create(l.b, type.clone(shape),
                                               l.value(0), low, high, scalar)));
}

static LogicalResult lowerPad(onnx::PadOp op, Lowering &l) {
  int64_t length = l.type(1).getDimSize(0);
  if (ShapedType::isDynamic(length))
    return l.unsupported("expected pads of static length");
  int64_t count = length / 2;
  std::optional<SmallVector<int64_t>> axes = getAxes(l, 3, count);
  if (!axes && failed(checkIndices(l, 3, l.index(l.rank(0)), 0)))
    return failure();
  bindPad(l, count);
  Dims dims = l.dims(0), outDims = l.resultDims();
  int64_t rank = dims.size();
  std::optional<Dims> pads = l.contents(1);
  StringRef mode = op.getMode();
  Type element = l.element(0);
  std::optional<TypedAttr> fill =
      cast<TypedAttr>(l.b.getZeroAttr(getStorageType(element)));
  if (l.has(2)) {
    DenseElementsAttr value = l.constant(2);
    fill = std::nullopt;
    if (value && value.isSplat())
      fill = cast<TypedAttr>(value.getSplatValue<Attribute>());
  }
  bool plain = pads && axes && llvm::all_of(*pads, [](OpFoldResult amount) {
                 std::optional<int64_t> known = getConstantIntValue(amount);
                 return known && *known >= 0;
               });
  if (mode == "constant" && fill && plain) {
    Dims low(rank, l.index(0)), high(rank, l.index(0));
    for (auto [i, axis] : llvm::enumerate(*axes)) {
      low[axis] = (*pads)[i];
      high[axis] = (*pads)[i + count];
    }
    return padConstant(l, low, high, *fill);
  }

  SmallVector<Value> sizes = toValues(l, dims);
  SmallVector<Operand> inputs;
  if (mode == "constant" && l.has(2)) {
    inputs.push_back(l.operand(2));
    if (l.rank(2) == 1)
      inputs.back().map = AffineMap::get(rank, 0, l.b.getAffineConstantExpr(0),
                                         l.b.getContext());
  }
  return l.replace(l.elementwise(
      inputs, outDims, l.resultElement(),
      [&](ImplicitLocOpBuilder &b, ValueRange x) {
        IndexMath m{b};
        SmallVector<Value> at;
        for (int64_t i = 0; i != rank; ++i)
          at.push_back(m.loop(i));
        Value zero = m.constant(0), one = m.constant(1), inside;
        auto dimensions =
            axes.value_or(llvm::to_vector(llvm::seq<int64_t>(0, rank)));
        for (auto [i, axis] : llvm::enumerate(dimensions)) {
          if (axes && pads && isConstantIntValue((*pads)[i], 0) &&
              isConstantIntValue((*pads)[i + count], 0))
            continue;
          Value size = sizes[axis];
          Value low = axes ? readInt(l, m, 1, i, pads)
                           : getPads(l, m, axis, count).first;
          Value from = m.sub(at[axis], low);
          if (mode == "wrap") {
            from = m.floorMod(from, m.max(size, one));
          } else if (mode == "reflect") {
            // Forth and back, without repeating the ends.
            Value last = m.sub(size, one);
            Value period = m.max(m.mul(last, m.constant(2)), one);
            from = m.floorMod(from, period);
            from = m.select(m.less(last, from), m.sub(period, from), from);
          } else if (mode == "constant") {
            Value ok =
                m.both(m.less(from, size), m.less(m.sub(zero, one), from));
            inside = inside ? m.both(inside, ok) : ok;
          }
          at[axis] = m.clamp(from, size);
        }
        Value value = m.read(l.value(0), at, element);
        if (!inside)
          return value;
        Value outside =
            inputs.empty() ? makeConstant(b, value.getType(), 0) : x[0];
        return m.select(inside, value, outside);
      }));
}

void lathe::populateSlicePatterns(RewritePatternSet &patterns,
                                  const TypeConverter &types) {
  addLowering(patterns, types, lowerSlice);
  addLowering(patterns, types, lowerPad);
}
