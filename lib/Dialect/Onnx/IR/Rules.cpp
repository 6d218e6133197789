// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Rules.h"
#include "mlir/IR/BuiltinTypes.h"
#include <cmath>

using namespace mlir;
using namespace lathe::onnx;

/// The contents of `result`, whose dims are set, when `fn` is applied to two
/// operands that broadcast.
static void combineContents(const TensorInfo &a, const TensorInfo &b,
                            TensorInfo &result, content::Function fn) {
  auto to = getSmallShape(result.dims);
  if (!fn || !to || !a.contents || !b.contents)
    return;
  TensorInfo l, r;
  l.dims = r.dims = result.dims;
  for (auto [from, moved] : {std::pair(&a, &l), std::pair(&b, &r)}) {
    auto shape = getSmallShape(from->dims);
    if (!shape)
      return;
    moveContents(*from, *moved,
                 [&](ArrayRef<int64_t> at, MutableArrayRef<int64_t> index) {
                   size_t skip = at.size() - index.size();
                   for (size_t i = 0; i < index.size(); ++i)
                     index[i] = (*shape)[i] == 1 ? 0 : at[skip + i];
                 });
    if (!moved->contents)
      return;
  }
  Contents contents;
  for (auto [x, y] : llvm::zip_equal(*l.contents, *r.contents))
    contents.push_back(fn(a.elementType, x, y));
  result.contents = std::move(contents);
}

LogicalResult rule::sameShape(ShapeContext &ctx, content::Function fn,
                              unsigned element) {
  const TensorInfo &x = ctx.operand(0);
  TensorInfo &y = ctx.result(0);
  y.dims = x.dims;
  y.elementType = ctx.operand(element).elementType;
  if (fn && x.contents) {
    y.contents.emplace();
    for (const Scalar &s : *x.contents)
      y.contents->push_back(fn(x.elementType, s, {}));
  }
  return success();
}

LogicalResult rule::sameValue(ShapeContext &ctx) {
  ctx.result(0) = ctx.operand(0);
  return success();
}

LogicalResult rule::sameShapeAlong(ShapeContext &ctx, int64_t axis) {
  if (ctx.operand(0).dims &&
      failed(ctx.normalizeAxis(axis, ctx.operand(0).getRank())))
    return failure();
  return sameShape(ctx);
}

LogicalResult rule::sameShapeAlongOperand(ShapeContext &ctx, unsigned i) {
  if (failed(expectOneElement(ctx, i)))
    return failure();
  const std::optional<Contents> &known = ctx.operand(i).contents;
  std::optional<int64_t> axis;
  if (known && known->size() == 1)
    axis = getConstant(known->front().expr);
  return axis ? sameShapeAlong(ctx, *axis) : sameShape(ctx);
}

LogicalResult rule::sameElementOfScalars(ShapeContext &ctx) {
  SmallVector<unsigned> all = llvm::to_vector(llvm::seq(ctx.getNumOperands()));
  if (failed(ctx.getCommonElementType(all)))
    return failure();
  if (failed(expectScalars(ctx, ArrayRef(all).drop_front())))
    return failure();
  return sameShape(ctx);
}

LogicalResult rule::expectOneElement(ShapeContext &ctx, unsigned i) {
  if (!ctx.isPresent(i) || !ctx.operand(i).dims)
    return success();
  AffineExpr count = getProduct(*ctx.operand(i).dims, ctx.getContext());
  if (!ctx.assumeEqual(count, ctx.constant(1)))
    return ctx.emitError() << "expects one element in operand #" << i
                           << ", got " << count;
  return success();
}

LogicalResult rule::expectScalars(ShapeContext &ctx,
                                  ArrayRef<unsigned> operands) {
  return LogicalResult::success(llvm::all_of(operands, [&](unsigned i) {
    return succeeded(expectOneElement(ctx, i));
  }));
}

LogicalResult rule::expectLists(ShapeContext &ctx,
                                ArrayRef<unsigned> operands) {
  return LogicalResult::success(llvm::all_of(
      operands, [&](unsigned i) { return succeeded(ctx.expectRank(i, 1)); }));
}

LogicalResult rule::expectBroadcast(ShapeContext &ctx, unsigned i) {
  if (!ctx.operand(0).dims)
    return success();
  return expectBroadcast(ctx, i, *ctx.operand(0).dims, "operand #0");
}

LogicalResult rule::expectBroadcast(ShapeContext &ctx, unsigned i,
                                    ArrayRef<AffineExpr> dims,
                                    StringRef target) {
  if (!ctx.isPresent(i) || !ctx.operand(i).dims)
    return success();
  const Dims &given = *ctx.operand(i).dims;
  if (given.size() > dims.size())
    return ctx.emitError() << "expects operand #" << i << " of rank at most "
                           << dims.size() << ", got rank " << given.size();
  auto both = ctx.broadcast(dims, given);
  if (failed(both))
    return failure();
  for (auto [dim, other] : llvm::zip_equal(dims, *both))
    if (!ctx.assumeEqual(dim, other))
      return ctx.emitError()
             << "expects operand #" << i << " to broadcast to " << target
             << ", got size " << other << " over " << dim;
  return success();
}

LogicalResult rule::sameShapeBroadcast(ShapeContext &ctx) {
  if (failed(ctx.getCommonElementType({0, 1})) ||
      failed(expectBroadcast(ctx, 1)))
    return failure();
  return sameShape(ctx);
}

LogicalResult rule::sameShapeF32(ShapeContext &ctx) {
  ctx.result(0).dims = ctx.operand(0).dims;
  ctx.result(0).elementType = Float32Type::get(ctx.getContext());
  return success();
}

/// Sets the dims of result 0 to the broadcast of all operands.
static LogicalResult broadcastDims(ShapeContext &ctx) {
  if (ctx.getNumOperands() == 0)
    return ctx.emitError() << "expects at least one operand, got none";
  std::optional<Dims> dims = ctx.operand(0).dims;
  for (unsigned i = 1; dims && i < ctx.getNumOperands(); ++i) {
    if (!ctx.operand(i).dims) {
      dims.reset();
      break;
    }
    auto both = ctx.broadcast(*dims, *ctx.operand(i).dims);
    if (failed(both))
      return failure();
    dims = *both;
  }
  ctx.result(0).dims = dims;
  return success();
}

/// Computes the contents of result 0 from those of all operands in turn.
static void foldOperands(ShapeContext &ctx, content::Function fn) {
  TensorInfo &result = ctx.result(0);
  TensorInfo soFar = ctx.operand(0);
  if (ctx.getNumOperands() == 1 && fn)
    result.contents = soFar.contents;
  for (unsigned i = 1; i < ctx.getNumOperands(); ++i) {
    TensorInfo next;
    next.elementType = soFar.elementType;
    next.dims = result.dims;
    combineContents(soFar, ctx.operand(i), next, fn);
    result.contents = next.contents;
    soFar = std::move(next);
  }
}

LogicalResult rule::broadcast(ShapeContext &ctx, content::Function fn) {
  SmallVector<unsigned> all = llvm::to_vector(llvm::seq(ctx.getNumOperands()));
  auto type = ctx.getCommonElementType(all);
  if (failed(type) || failed(broadcastDims(ctx)))
    return failure();
  ctx.result(0).elementType = *type;
  foldOperands(ctx, fn);
  return success();
}

LogicalResult rule::power(ShapeContext &ctx) {
  ctx.result(0).elementType = ctx.operand(0).elementType;
  return broadcastDims(ctx);
}

LogicalResult rule::compare(ShapeContext &ctx, content::Function fn) {
  if (failed(broadcast(ctx, fn)))
    return failure();
  ctx.result(0).elementType = IntegerType::get(ctx.getContext(), 1);
  return success();
}

LogicalResult rule::test(ShapeContext &ctx, content::Function fn) {
  if (failed(sameShape(ctx, fn)))
    return failure();
  ctx.result(0).elementType = IntegerType::get(ctx.getContext(), 1);
  return success();
}

LogicalResult rule::where(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({1, 2});
  if (failed(type) || failed(broadcastDims(ctx)))
    return failure();
  TensorInfo &result = ctx.result(0);
  result.elementType = *type;
  // Where the condition is not known, equal elements still are.
  const TensorInfo &condition = ctx.operand(0);
  TensorInfo unknown = condition;
  if (auto shape = getSmallShape(condition.dims); shape && !condition.contents)
    unknown.contents.emplace(
        getConstant(getProduct(*condition.dims, ctx.getContext())).value_or(0));
  TensorInfo chosen[2];
  const content::Function choose[2] = {
      [](Type, const Scalar &c, const Scalar &x) {
        return getConstant(c.expr) == 0 ? Scalar() : x;
      },
      [](Type, const Scalar &c, const Scalar &y) {
        auto value = getConstant(c.expr);
        return value && *value ? Scalar() : y;
      }};
  for (unsigned i : {0u, 1u}) {
    chosen[i].dims = result.dims;
    combineContents(unknown, ctx.operand(i + 1), chosen[i], choose[i]);
  }
  TensorInfo selector;
  selector.dims = result.dims;
  combineContents(unknown, unknown, selector,
                  [](Type, const Scalar &c, const Scalar &) { return c; });
  if (!selector.contents)
    return success();
  auto count = selector.contents->size();
  Contents contents(count);
  for (size_t i = 0; i < count; ++i) {
    auto c = getConstant((*selector.contents)[i].expr);
    auto at = [&](unsigned which) {
      return chosen[which].contents ? (*chosen[which].contents)[i] : Scalar();
    };
    if (c)
      contents[i] = at(*c ? 0 : 1);
    else if (at(0).expr == at(1).expr && at(0).real == at(1).real)
      contents[i] = at(0);
  }
  result.contents = std::move(contents);
  return success();
}

/// The element `s` after conversion to `type`.
static Scalar convert(MLIRContext *context, const Scalar &s, Type type) {
  if (auto integer = dyn_cast<IntegerType>(type)) {
    if (integer.getWidth() == 1) {
      if (auto number = s.getNumber())
        return getAffineConstantExpr(*number != 0, context);
      return s.expr && isPositive(s.expr)
                 ? Scalar(getAffineConstantExpr(1, context))
                 : Scalar();
    }
    if (s.real)
      return std::fabs(*s.real) < 0x1p53
                 ? Scalar(getAffineConstantExpr(static_cast<int64_t>(*s.real),
                                                context))
                 : Scalar();
    return s;
  }
  // Whole numbers are exact in the wide floats only as long as they are small,
  // which sizes are.
  if (isa<Float32Type, Float64Type>(type) && s.expr)
    return s;
  return {};
}

static LogicalResult castTo(ShapeContext &ctx, Type type) {
  const TensorInfo &x = ctx.operand(0);
  TensorInfo &y = ctx.result(0);
  y.dims = x.dims;
  y.elementType = type;
  if (type && x.contents) {
    y.contents.emplace();
    for (const Scalar &s : *x.contents)
      y.contents->push_back(convert(ctx.getContext(), s, type));
  }
  return success();
}

static FailureOr<Type> getTypeNumbered(ShapeContext &ctx, int64_t number) {
  Type type = getElementTypeOf(ctx.getContext(), number);
  if (!type) {
    ctx.emitError() << "expects the number of an element type, got " << number;
    return failure();
  }
  return type;
}

LogicalResult rule::cast(ShapeContext &ctx, int64_t to) {
  auto type = getTypeNumbered(ctx, to);
  return failed(type) ? failure() : castTo(ctx, *type);
}

LogicalResult rule::castLike(ShapeContext &ctx) {
  return castTo(ctx, ctx.operand(1).elementType);
}

LogicalResult rule::bitCast(ShapeContext &ctx, int64_t to) {
  auto type = getTypeNumbered(ctx, to);
  if (failed(type))
    return failure();
  Type from = ctx.operand(0).elementType;
  // A bool takes a byte.
  auto getWidth = [](Type type) {
    return type.isInteger(1) ? 8 : type.getIntOrFloatBitWidth();
  };
  if (from && (!from.isIntOrFloat() || !type->isIntOrFloat() ||
               getWidth(from) != getWidth(*type)))
    return ctx.emitError() << "expects a type as wide as " << from << ", got "
                           << *type;
  ctx.result(0).dims = ctx.operand(0).dims;
  ctx.result(0).elementType = *type;
  return success();
}

/// The contents of `result` when the elements of `x` along `axes` are combined.
static void reduceContents(const TensorInfo &x, ArrayRef<int64_t> axes,
                           bool keepDims, TensorInfo &result,
                           content::Function fn) {
  auto from = getSmallShape(x.dims), to = getSmallShape(result.dims);
  if (!fn || !from || !to || !x.contents || x.contents->empty())
    return;
  Contents contents;
  contents.resize(
      getConstant(getProduct(*result.dims, x.dims->empty()
                                               ? x.elementType.getContext()
                                               : x.dims->front().getContext()))
          .value_or(0));
  SmallVector<bool> seen(contents.size(), false);
  size_t position = 0;
  forEachIndex(*from, [&](ArrayRef<int64_t> at) {
    SmallVector<int64_t> index;
    for (auto [d, i] : llvm::enumerate(at)) {
      if (!llvm::is_contained(axes, static_cast<int64_t>(d)))
        index.push_back(i);
      else if (keepDims)
        index.push_back(0);
    }
    int64_t target = getPosition(index, *to);
    const Scalar &element = (*x.contents)[position++];
    contents[target] =
        seen[target] ? fn(x.elementType, contents[target], element) : element;
    seen[target] = true;
  });
  result.contents = std::move(contents);
}

LogicalResult rule::reduce(ShapeContext &ctx, bool keepDims, bool noop,
                           content::Function fn) {
  const TensorInfo &x = ctx.operand(0);
  TensorInfo &result = ctx.result(0);
  result.elementType = x.elementType;
  if (failed(expectLists(ctx, 1)))
    return failure();
  if (!x.dims)
    return success();
  SmallVector<int64_t, 4> axes;
  if (ctx.isPresent(1)) {
    const TensorInfo &given = ctx.operand(1);
    auto ints = given.getInts();
    auto shape = getSmallShape(given.dims);
    if (shape && shape->size() == 1 && shape->front() == 0)
      ints.emplace();
    if (!ints) {
      if (keepDims)
        result.dims = ctx.freshDims(0, x.getRank());
      else if (shape && shape->size() == 1 && shape->front() <= x.getRank())
        result.dims = ctx.freshDims(0, x.getRank() - shape->front());
      return success();
    }
    auto normal = ctx.normalizeAxes(*ints, x.getRank());
    if (failed(normal))
      return failure();
    axes = *normal;
  }
  if (axes.empty() && !noop)
    llvm::append_range(axes, llvm::seq<int64_t>(0, x.getRank()));
  result.dims.emplace();
  for (auto [i, dim] : llvm::enumerate(*x.dims)) {
    if (!llvm::is_contained(axes, static_cast<int64_t>(i)))
      result.dims->push_back(dim);
    else if (keepDims)
      result.dims->push_back(ctx.constant(1));
  }
  reduceContents(x, axes, keepDims, result, fn);
  return success();
}

LogicalResult rule::argReduce(ShapeContext &ctx, int64_t axis, bool keepDims) {
  const TensorInfo &x = ctx.operand(0);
  TensorInfo &result = ctx.result(0);
  result.elementType = IntegerType::get(ctx.getContext(), 64);
  if (!x.dims)
    return success();
  auto normal = ctx.normalizeAxis(axis, x.getRank());
  if (failed(normal))
    return failure();
  result.dims = x.dims;
  if (keepDims)
    (*result.dims)[*normal] = ctx.constant(1);
  else
    result.dims->erase(result.dims->begin() + *normal);
  return success();
}
