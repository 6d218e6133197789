// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constants, and the ops that ask for or change a shape without moving data.

#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "Rules.h"
#include <cmath>

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/Tensor.cpp.inc"

void OnnxDialect::registerTensorOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/Tensor.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

/// The elements of a small dense `value`, nothing where we do not follow them.
static std::optional<Contents> readContents(ElementsAttr value) {
  auto dense = dyn_cast<DenseElementsAttr>(value);
  if (!dense || dense.getNumElements() > SymbolicShapes::maxContents)
    return std::nullopt;
  MLIRContext *context = value.getContext();
  Contents contents;
  Type type = dense.getElementType();
  if (auto integer = dyn_cast<IntegerType>(type)) {
    bool zeroExtend = integer.isUnsigned() || integer.getWidth() == 1;
    if (integer.getWidth() > 64)
      return std::nullopt;
    for (const APInt &element : dense.getValues<APInt>()) {
      if (zeroExtend && element.getActiveBits() > 63)
        return std::nullopt;
      int64_t number =
          zeroExtend ? element.getZExtValue() : element.getSExtValue();
      contents.push_back(getAffineConstantExpr(number, context));
    }
    return contents;
  }
  if (isa<FloatType>(type)) {
    for (APFloat element : dense.getValues<APFloat>()) {
      bool losesInfo = false;
      element.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                      &losesInfo);
      contents.push_back(Scalar::getReal(context, element.convertToDouble()));
    }
    return contents;
  }
  return std::nullopt;
}

OpFoldResult ConstantOp::fold(FoldAdaptor) { return getValue(); }

LogicalResult ConstantOp::inferShapes(ShapeContext &ctx) {
  ShapedType type = getValue().getShapedType();
  TensorInfo &result = ctx.result(0);
  result.elementType = type.getElementType();
  result.dims.emplace();
  for (int64_t size : type.getShape())
    result.dims->push_back(ctx.constant(size));
  result.contents = readContents(getValue());
  return success();
}

LogicalResult ConstantOfShapeOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &shape = ctx.operand(0);
  TensorInfo &result = ctx.result(0);
  result.elementType = Float32Type::get(ctx.getContext());
  Scalar element = ctx.constant(0);
  if (auto value = getValue()) {
    if (value->getNumElements() != 1)
      return ctx.emitError()
             << "expects value of one element, got " << value->getNumElements();
    result.elementType = value->getElementType();
    auto contents = readContents(*value);
    element = contents ? contents->front() : Scalar();
  }
  if (failed(ctx.expectRank(0, 1)))
    return failure();
  auto length = getSmallShape(shape.dims);
  if (!length)
    return success();
  result.dims.emplace();
  for (int64_t i = 0; i < length->front(); ++i) {
    AffineExpr size = shape.contents ? (*shape.contents)[i].expr : AffineExpr();
    result.dims->push_back(size ? size : ctx.fresh(i));
  }
  if (auto small = getSmallShape(result.dims))
    if (auto count = getConstant(getProduct(*result.dims, ctx.getContext())))
      result.contents.emplace(*count, element);
  return success();
}

LogicalResult EyeLikeOp::inferShapes(ShapeContext &ctx) {
  ctx.result(0) = ctx.operand(0);
  ctx.result(0).contents.reset();
  if (auto dtype = getDtype()) {
    ctx.result(0).elementType = getElementTypeOf(ctx.getContext(), *dtype);
    if (!ctx.result(0).elementType)
      return ctx.emitError()
             << "expects dtype to be the number of an element type, got "
             << *dtype;
  }
  return ctx.expectRank(0, 2);
}

LogicalResult RangeOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 1, 2});
  if (failed(type) || failed(rule::expectScalars(ctx, {0, 1, 2})))
    return failure();
  TensorInfo &result = ctx.result(0);
  result.elementType = *type;
  Scalar given[3];
  for (unsigned i : {0u, 1u, 2u})
    if (ctx.operand(i).contents && ctx.operand(i).contents->size() == 1)
      given[i] = ctx.operand(i).contents->front();
  auto [start, limit, delta] = given;
  AffineExpr count;
  auto step = getConstant(delta.expr);
  if (delta.getNumber() == 0.0)
    return ctx.emitError() << "expects delta other than 0, got 0";
  auto first = getConstant(start.expr), end = getConstant(limit.expr);
  int64_t length;
  if (first && end && llvm::SubOverflow(*end, *first, length))
    return ctx.emitError()
           << "expects fewer than 2^56 elements, got those from " << *first
           << " to " << *end;
  if (start.expr && limit.expr && step) {
    AffineExpr span =
        simplify((limit.expr - start.expr) * (*step > 0 ? 1 : -1));
    AffineExpr size = simplify(span.ceilDiv(getMagnitude(*step)));
    if (isNonNegative(-span))
      count = ctx.constant(0);
    else if (ctx.assumeAtLeast(span, ctx.constant(0)))
      count = size;
  } else if (start.getNumber() && limit.getNumber() && delta.getNumber()) {
    double size = std::ceil((*limit.getNumber() - *start.getNumber()) /
                            *delta.getNumber());
    if (size < 0x1p53)
      count = ctx.constant(static_cast<int64_t>(std::max(size, 0.0)));
  }
  result.dims = Dims{count};
  auto small = getSmallShape(result.dims);
  if (small && start.expr && step) {
    result.contents.emplace();
    for (int64_t i = 0; i < small->front(); ++i)
      result.contents->push_back(start.expr + i * *step);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Shapes
//===----------------------------------------------------------------------===//

LogicalResult ShapeOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  TensorInfo &result = ctx.result(0);
  result.elementType = IntegerType::get(ctx.getContext(), 64);
  if (!x.dims) {
    result.dims = ctx.freshDims(0, 1);
    return success();
  }
  int64_t rank = x.getRank();
  auto limit = [&](int64_t i) {
    return std::clamp<int64_t>(i < 0 ? i + rank : i, 0, rank);
  };
  int64_t start = limit(getStart());
  int64_t end = std::max(start, limit(getEnd().value_or(rank)));
  result.dims = Dims{ctx.constant(end - start)};
  result.contents.emplace();
  for (int64_t i = start; i < end; ++i)
    result.contents->push_back((*x.dims)[i]);
  return success();
}

LogicalResult SizeOp::inferShapes(ShapeContext &ctx) {
  TensorInfo &result = ctx.result(0);
  result.elementType = IntegerType::get(ctx.getContext(), 64);
  result.dims.emplace();
  if (const auto &dims = ctx.operand(0).dims)
    result.contents.emplace(1, getProduct(*dims, ctx.getContext()));
  return success();
}

LogicalResult ReshapeOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0), &target = ctx.operand(1);
  TensorInfo &result = ctx.result(0);
  result.elementType = x.elementType;
  if (failed(ctx.expectRank(1, 1)))
    return failure();
  auto length = getSmallShape(target.dims);
  if (!length)
    return success();
  result.dims.emplace();
  int64_t left = -1;
  bool known = x.dims.has_value();
  for (int64_t i = 0; i < length->front(); ++i) {
    AffineExpr size =
        target.contents ? (*target.contents)[i].expr : AffineExpr();
    auto number = getConstant(size);
    if (number == -1) {
      if (left >= 0)
        return ctx.emitError() << "expects at most one size -1 in the shape, "
                                  "got them at "
                               << left << " and " << i;
      left = i;
      size = ctx.constant(1);
    } else if (number && *number < -1) {
      return ctx.emitError()
             << "expects sizes of at least -1 in the shape, got " << *number;
    } else if (number == 0 && !getAllowzero()) {
      if (x.dims && i >= x.getRank())
        return ctx.emitError() << "expects size 0 only for dimensions of the "
                                  "operand, got one at "
                               << i << " for rank " << x.getRank();
      size = x.dims ? (*x.dims)[i] : AffineExpr();
    }
    if (!size) {
      size = ctx.fresh(i);
      known = false;
    }
    result.dims->push_back(size);
  }
  AffineExpr rest = getProduct(*result.dims, ctx.getContext());
  if (!known) {
    if (left >= 0)
      (*result.dims)[left] = ctx.fresh(left);
    return success();
  }
  AffineExpr total = getProduct(*x.dims, ctx.getContext());
  if (left >= 0) {
    if (getConstant(rest) == 0)
      return ctx.emitError() << "expects no size 0 beside -1, got shape with "
                                "both";
    AffineExpr size = simplify(total.floorDiv(rest));
    if (!ctx.assumeEqual(size * rest, total))
      return ctx.emitError() << "expects a shape that divides " << total
                             << " elements, got sizes with product " << rest;
    (*result.dims)[left] = size;
  } else if (!ctx.assumeEqual(rest, total)) {
    return ctx.emitError() << "expects a shape of " << total
                           << " elements, got one of " << rest;
  }
  result.contents = x.contents;
  return success();
}

LogicalResult FlattenOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  TensorInfo &result = ctx.result(0);
  result.elementType = x.elementType;
  if (!x.dims) {
    result.dims = ctx.freshDims(0, 2);
    return success();
  }
  int64_t rank = x.getRank(), axis = getAxis();
  if (axis < -rank || axis > rank)
    return ctx.emitError() << "expects axis in [-" << rank << ", " << rank
                           << "], got " << axis;
  if (axis < 0)
    axis += rank;
  ArrayRef<AffineExpr> dims(*x.dims);
  result.dims = Dims{getProduct(dims.take_front(axis), ctx.getContext()),
                     getProduct(dims.drop_front(axis), ctx.getContext())};
  result.contents = x.contents;
  return success();
}

LogicalResult SqueezeOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  TensorInfo &result = ctx.result(0);
  result.elementType = x.elementType;
  if (!x.dims)
    return success();
  SmallVector<int64_t, 4> axes;
  if (ctx.isPresent(1)) {
    auto ints = ctx.operand(1).getInts();
    if (!ints) {
      auto length = getSmallShape(ctx.operand(1).dims);
      if (length && length->size() == 1 && length->front() <= x.getRank())
        result.dims = ctx.freshDims(0, x.getRank() - length->front());
      return success();
    }
    auto normal = ctx.normalizeAxes(*ints, x.getRank());
    if (failed(normal))
      return failure();
    axes = *normal;
  } else {
    // A size that is not constant decides the rank: at the entry it is supposed
    // not to be 1, later on the rank is not known.
    for (auto [i, dim] : llvm::enumerate(*x.dims)) {
      if (getConstant(dim) == 1)
        axes.push_back(i);
      else if (!getConstant(dim) && !isPositive(dim - 1) &&
               (!ctx.isBoundAtEntry(dim) ||
                !ctx.assumeAtLeast(dim, ctx.constant(2))))
        return success();
    }
  }
  result.dims.emplace();
  for (auto [i, dim] : llvm::enumerate(*x.dims)) {
    if (!llvm::is_contained(axes, static_cast<int64_t>(i)))
      result.dims->push_back(dim);
    else if (!ctx.assumeEqual(dim, ctx.constant(1)))
      return ctx.emitError() << "expects size 1 in the squeezed dimension " << i
                             << ", got " << dim;
  }
  result.contents = x.contents;
  return success();
}

LogicalResult UnsqueezeOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  TensorInfo &result = ctx.result(0);
  result.elementType = x.elementType;
  if (!x.dims)
    return success();
  auto ints = ctx.operand(1).getInts();
  if (!ints) {
    auto length = getSmallShape(ctx.operand(1).dims);
    if (length && length->size() == 1)
      result.dims = ctx.freshDims(0, x.getRank() + length->front());
    return success();
  }
  int64_t rank = x.getRank() + ints->size();
  auto axes = ctx.normalizeAxes(*ints, rank);
  if (failed(axes))
    return failure();
  result.dims.emplace();
  const auto *next = x.dims->begin();
  for (int64_t i = 0; i < rank; ++i)
    result.dims->push_back(llvm::is_contained(*axes, i) ? ctx.constant(1)
                                                        : *next++);
  result.contents = x.contents;
  return success();
}

LogicalResult ExpandOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0), &target = ctx.operand(1);
  TensorInfo &result = ctx.result(0);
  result.elementType = x.elementType;
  if (failed(ctx.expectRank(1, 1)))
    return failure();
  auto length = getSmallShape(target.dims);
  if (!x.dims || !length)
    return success();
  // An unknown size of the target is 1 or that of the operand, where the latter
  // is a constant other than 1.
  Dims sizes;
  for (int64_t i = 0; i < length->front(); ++i) {
    AffineExpr size =
        target.contents ? (*target.contents)[i].expr : AffineExpr();
    int64_t d = x.getRank() - length->front() + i;
    auto given = d < 0 ? std::optional<int64_t>(1) : getConstant((*x.dims)[d]);
    if (!size)
      size = given && *given != 1 ? ctx.constant(*given) : ctx.fresh(i);
    sizes.push_back(size);
  }
  auto dims = ctx.broadcast(*x.dims, sizes);
  if (failed(dims))
    return failure();
  result.dims = *dims;
  if (auto from = getSmallShape(x.dims))
    moveContents(x, result,
                 [&](ArrayRef<int64_t> at, MutableArrayRef<int64_t> index) {
                   size_t skip = at.size() - index.size();
                   for (size_t i = 0; i < index.size(); ++i)
                     index[i] = (*from)[i] == 1 ? 0 : at[skip + i];
                 });
  return success();
}
