// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape rules of the ops that move whole ranges: transpose, concat, slice, pad,
// and their like.

#include "Rules.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include <cmath>

using namespace mlir;
using namespace lathe::onnx;

LogicalResult TransposeOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  TensorInfo &result = ctx.result(0);
  result.elementType = x.elementType;
  SmallVector<int64_t> perm;
  if (auto given = getPerm())
    perm.assign(given->begin(), given->end());
  else if (x.dims)
    for (int64_t i = x.getRank(); i > 0; --i)
      perm.push_back(i - 1);
  if (!x.dims) {
    if (getPerm())
      result.dims = ctx.freshDims(0, perm.size());
    return success();
  }
  SmallVector<bool> seen(x.getRank(), false);
  bool valid = static_cast<int64_t>(perm.size()) == x.getRank();
  for (int64_t p : perm) {
    valid = valid && p >= 0 && p < x.getRank() && !seen[p];
    if (!valid)
      return ctx.emitError()
             << "expects perm to permute " << x.getRank()
             << " dimensions, got [" << ArrayRef<int64_t>(perm) << "]";
    seen[p] = true;
  }
  if (!valid)
    return ctx.emitError() << "expects perm of " << x.getRank()
                           << " dimensions, got " << perm.size();
  result.dims.emplace();
  for (int64_t p : perm)
    result.dims->push_back((*x.dims)[p]);
  moveContents(x, result,
               [&](ArrayRef<int64_t> at, MutableArrayRef<int64_t> index) {
                 for (auto [i, p] : llvm::enumerate(perm))
                   index[p] = at[i];
               });
  return success();
}

LogicalResult ConcatOp::inferShapes(ShapeContext &ctx) {
  SmallVector<unsigned> all = llvm::to_vector(llvm::seq(ctx.getNumOperands()));
  auto type = ctx.getCommonElementType(all);
  if (failed(type))
    return failure();
  TensorInfo &result = ctx.result(0);
  result.elementType = *type;
  if (all.empty())
    return ctx.emitError() << "expects at least one operand, got none";
  for (unsigned i : all)
    if (!ctx.operand(i).dims)
      return success();
  Dims dims = *ctx.operand(0).dims;
  auto axis = ctx.normalizeAxis(getAxis(), dims.size());
  if (failed(axis))
    return failure();
  for (unsigned i : llvm::drop_begin(all)) {
    if (failed(ctx.expectRank(i, dims.size())))
      return failure();
    for (auto [d, dim] : llvm::enumerate(*ctx.operand(i).dims)) {
      if (static_cast<int64_t>(d) == *axis)
        dims[d] = dims[d] + dim;
      else if (!ctx.assumeEqual(dims[d], dim))
        return ctx.emitError() << "expects size " << dims[d] << " in dimension "
                               << d << " of operand #" << i << ", got " << dim;
      else if (getConstant(dim))
        dims[d] = dim;
    }
  }
  result.dims = dims;
  auto small = getSmallShape(result.dims);
  if (!small)
    return success();
  result.contents.emplace(
      getConstant(getProduct(dims, ctx.getContext())).value_or(0));
  int64_t offset = 0;
  for (unsigned i : all) {
    const TensorInfo &part = ctx.operand(i);
    auto shape = getSmallShape(part.dims);
    if (!shape) { // Only under constraints that the sizes meet at run time.
      result.contents.reset();
      return success();
    }
    size_t position = 0;
    if (part.contents)
      forEachIndex(*shape, [&](ArrayRef<int64_t> at) {
        SmallVector<int64_t> index(at);
        index[*axis] += offset;
        (*result.contents)[getPosition(index, *small)] =
            (*part.contents)[position++];
      });
    offset += (*shape)[*axis];
  }
  return success();
}

LogicalResult SplitOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  int64_t count = getNumResults();
  for (int64_t i = 0; i < count; ++i)
    ctx.result(i).elementType = x.elementType;
  if (!x.dims)
    return success();
  auto axis = ctx.normalizeAxis(getAxis(), x.getRank());
  if (failed(axis))
    return failure();
  AffineExpr whole = (*x.dims)[*axis];
  Dims sizes;
  if (ctx.isPresent(1)) {
    if (failed(ctx.expectRank(1, 1)))
      return failure();
    auto length = getSmallShape(ctx.operand(1).dims);
    if (length && length->size() == 1 && length->front() != count)
      return ctx.emitError() << "expects " << count << " sizes in split, got "
                             << length->front();
    auto given = ctx.operand(1).getExprs();
    sizes = given.value_or(Dims(count, AffineExpr()));
    if (given) {
      AffineExpr sum = ctx.constant(0);
      for (AffineExpr size : sizes)
        sum = sum + size;
      if (!ctx.assumeEqual(sum, whole))
        return ctx.emitError() << "expects sizes in split with the sum "
                               << whole << ", got " << simplify(sum);
    }
  } else {
    if (getNumOutputs().value_or(count) != static_cast<uint64_t>(count))
      return ctx.emitError()
             << "expects num_outputs " << count << ", got " << *getNumOutputs();
    AffineExpr chunk = simplify(whole.ceilDiv(count));
    sizes.assign(count, chunk);
    sizes.back() = simplify(whole - chunk * (count - 1));
  }
  AffineExpr offset = ctx.constant(0);
  for (int64_t i = 0; i < count; ++i) {
    TensorInfo &part = ctx.result(i);
    part.dims = x.dims;
    (*part.dims)[*axis] = sizes[i];
    if (!sizes[i])
      continue;
    if (auto start = getConstant(simplify(offset)))
      moveContents(x, part,
                   [&](ArrayRef<int64_t> at, MutableArrayRef<int64_t> index) {
                     llvm::copy(at, index.begin());
                     index[*axis] += *start;
                   });
    offset = offset + sizes[i];
  }
  return success();
}

/// A constant end from here on is supposed to lie behind the end of a dimension
/// that is not known, a smaller one within it.
static constexpr int64_t largePosition = 1 << 20;

/// The position that `at` of Slice means in a dimension of size `dim`, limited
/// to [low, dim + highOffset]. Null where it depends on what is not known.
static AffineExpr limitPosition(ShapeContext &ctx, AffineExpr at,
                                AffineExpr dim, int64_t low,
                                int64_t highOffset) {
  AffineExpr high = dim + highOffset;
  if (auto number = getConstant(at)) {
    if (*number >= INT32_MAX)
      return high;
    if (*number <= -INT32_MAX)
      return ctx.constant(low);
    // Exporters write round large numbers for "to the end".
    if (*number >= largePosition && !getConstant(dim))
      return ctx.assumeAtLeast(at, high) ? high : AffineExpr();
  }
  if (isPositive(-at)) {
    at = simplify(at + dim);
  } else if (!isNonNegative(at) && isNonNegative(-at)) {
    if (!ctx.assumeAtLeast(-at, ctx.constant(1)))
      return {};
    at = simplify(at + dim);
  }
  if (isNonNegative(low - at))
    return ctx.constant(low);
  if (isNonNegative(at - high))
    return high;
  if (!ctx.assumeAtLeast(at, ctx.constant(low)) || !ctx.assumeAtLeast(high, at))
    return {};
  return at;
}

LogicalResult SliceOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  TensorInfo &result = ctx.result(0);
  result.elementType = x.elementType;
  if (failed(rule::expectLists(ctx, {1, 2, 3, 4})))
    return failure();
  if (!x.dims)
    return success();
  result.dims.emplace(x.getRank(), AffineExpr()); // not known yet
  auto length = getSmallShape(ctx.operand(1).dims);
  if (!length || length->size() != 1)
    return success();
  int64_t count = length->front();
  auto axes = llvm::to_vector<4>(llvm::seq<int64_t>(0, count));
  if (ctx.isPresent(3)) {
    auto given = ctx.operand(3).getInts();
    if (!given)
      return success();
    axes = *given;
  }
  auto normal = ctx.normalizeAxes(axes, x.getRank());
  if (failed(normal))
    return failure();
  for (unsigned i : {1u, 2u, 3u, 4u}) {
    auto given =
        ctx.isPresent(i) ? getSmallShape(ctx.operand(i).dims) : std::nullopt;
    if (given && (given->size() != 1 || given->front() != count))
      return ctx.emitError() << "expects " << count << " elements in operand #"
                             << i << ", got a tensor of another shape";
  }
  auto element = [&](unsigned operand, int64_t i) -> AffineExpr {
    const auto &contents = ctx.operand(operand).contents;
    return contents ? (*contents)[i].expr : AffineExpr();
  };
  for (int64_t i = 0; i < x.getRank(); ++i)
    if (!llvm::is_contained(*normal, i))
      (*result.dims)[i] = (*x.dims)[i];
  SmallVector<int64_t> offsets(x.getRank(), 0), strides(x.getRank(), 1);
  bool contentsKnown = true;
  for (auto [i, axis] : llvm::enumerate(*normal)) {
    AffineExpr dim = (*x.dims)[axis], start = element(1, i),
               end = element(2, i);
    auto step = ctx.isPresent(4) ? getConstant(element(4, i))
                                 : std::optional<int64_t>(1);
    if (step == 0)
      return ctx.emitError() << "expects steps other than 0, got 0";
    contentsKnown = contentsKnown && start && end && step;
    if (!start || !end || !step)
      continue;
    bool forward = *step > 0;
    start = limitPosition(ctx, start, dim, 0, forward ? 0 : -1);
    end = limitPosition(ctx, end, dim, forward ? 0 : -1, forward ? 0 : -1);
    if (!start || !end) {
      contentsKnown = false;
      continue;
    }
    AffineExpr span = simplify(forward ? end - start : start - end);
    if (isNonNegative(-span))
      span = ctx.constant(0);
    else if (!ctx.assumeAtLeast(span, ctx.constant(0))) {
      contentsKnown = false;
      continue;
    }
    (*result.dims)[axis] = simplify(span.ceilDiv(getMagnitude(*step)));
    auto offset = getConstant(simplify(start));
    contentsKnown = contentsKnown && offset;
    offsets[axis] = offset.value_or(0);
    strides[axis] = *step;
  }
  if (contentsKnown)
    moveContents(x, result,
                 [&](ArrayRef<int64_t> at, MutableArrayRef<int64_t> index) {
                   for (size_t d = 0; d < at.size(); ++d)
                     index[d] = offsets[d] + at[d] * strides[d];
                 });
  return success();
}

/// `size` times `factor`, a number in the model; reports what is too large to
/// be a size.
static FailureOr<AffineExpr> scaleSize(ShapeContext &ctx, AffineExpr size,
                                       AffineExpr factor) {
  auto a = getConstant(size), b = getConstant(factor);
  int64_t product;
  if (a && b && llvm::MulOverflow(*a, *b, product)) {
    ctx.emitError() << "expects a size below 2^56, got " << *a << " times "
                    << *b;
    return failure();
  }
  return simplify(size * factor);
}

LogicalResult TileOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  TensorInfo &result = ctx.result(0);
  result.elementType = x.elementType;
  if (failed(rule::expectLists(ctx, 1)))
    return failure();
  if (!x.dims)
    return success();
  const auto &repeats = ctx.operand(1).contents;
  auto length = getSmallShape(ctx.operand(1).dims);
  if (length && (length->size() != 1 || length->front() != x.getRank()))
    return ctx.emitError() << "expects one repeat for each of " << x.getRank()
                           << " dimensions, got another shape";
  result.dims.emplace();
  for (auto [i, dim] : llvm::enumerate(*x.dims)) {
    AffineExpr times = repeats ? (*repeats)[i].expr : AffineExpr();
    FailureOr<AffineExpr> size =
        times ? scaleSize(ctx, dim, times) : ctx.fresh(i);
    if (failed(size))
      return failure();
    result.dims->push_back(*size);
  }
  if (auto from = getSmallShape(x.dims))
    moveContents(x, result,
                 [&](ArrayRef<int64_t> at, MutableArrayRef<int64_t> index) {
                   for (size_t d = 0; d < at.size(); ++d)
                     index[d] = at[d] % (*from)[d];
                 });
  return success();
}

LogicalResult PadOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 2});
  if (failed(type) || failed(rule::expectLists(ctx, {1, 3})) ||
      failed(rule::expectOneElement(ctx, 2)))
    return failure();
  const TensorInfo &x = ctx.operand(0), &pads = ctx.operand(1);
  TensorInfo &result = ctx.result(0);
  result.elementType = *type;
  if (!x.dims)
    return success();
  auto axes = llvm::to_vector<4>(llvm::seq<int64_t>(0, x.getRank()));
  if (ctx.isPresent(3)) {
    auto given = ctx.operand(3).getInts();
    if (!given) {
      result.dims = ctx.freshDims(0, x.getRank());
      return success();
    }
    auto normal = ctx.normalizeAxes(*given, x.getRank());
    if (failed(normal))
      return failure();
    axes = *normal;
  }
  auto length = getSmallShape(pads.dims);
  int64_t count = axes.size();
  if (length && (length->size() != 1 || length->front() != 2 * count))
    return ctx.emitError() << "expects " << 2 * count
                           << " pads, got another shape";
  result.dims = x.dims;
  SmallVector<std::optional<int64_t>> before(x.getRank(), 0);
  bool zero = true;
  for (auto [i, axis] : llvm::enumerate(axes)) {
    AffineExpr head, tail;
    if (pads.contents) {
      head = (*pads.contents)[i].expr;
      tail = (*pads.contents)[i + count].expr;
    }
    for (AffineExpr pad : {head, tail})
      if (auto known = getConstant(pad);
          known && getMagnitude(*known) >= int64_t(1) << 56)
        return ctx.emitError() << "expects pads below 2^56, got " << *known;
    AffineExpr &dim = (*result.dims)[axis];
    dim = head && tail ? simplify(dim + head + tail) : ctx.fresh(axis);
    before[axis] = getConstant(head);
    zero = zero && getConstant(head) == 0 && getConstant(tail) == 0;
  }
  Scalar filler;
  if (getMode() == "constant") {
    if (!ctx.isPresent(2))
      filler = ctx.constant(0);
    else if (ctx.operand(2).contents && ctx.operand(2).contents->size() == 1)
      filler = ctx.operand(2).contents->front();
  } else if (!zero) {
    return success();
  }
  if (!llvm::all_of(before, [](auto b) { return b.has_value(); }))
    return success();
  moveContents(x, result,
               [&](ArrayRef<int64_t> at, MutableArrayRef<int64_t> index) {
                 for (size_t d = 0; d < at.size(); ++d)
                   index[d] = at[d] - *before[d];
               });
  // What lies outside the operand is left unknown by moveContents.
  auto from = getSmallShape(x.dims), to = getSmallShape(result.dims);
  if (!result.contents || !from || !to)
    return success();
  size_t position = 0;
  forEachIndex(*to, [&](ArrayRef<int64_t> at) {
    for (size_t d = 0; d < at.size(); ++d)
      if (at[d] < *before[d] || at[d] - *before[d] >= (*from)[d])
        (*result.contents)[position] = filler;
    ++position;
  });
  return success();
}

LogicalResult TriluOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  if (x.dims && x.getRank() < 2)
    return ctx.emitError() << "expects operand #0 of rank at least 2, got rank "
                           << x.getRank();
  if (failed(rule::expectOneElement(ctx, 1)))
    return failure();
  return rule::sameShape(ctx);
}

/// Dims of a picture whose space grows by `up` and shrinks by `down`.
static LogicalResult rescaleBlocks(ShapeContext &ctx, int64_t up,
                                   int64_t down) {
  const TensorInfo &x = ctx.operand(0);
  TensorInfo &result = ctx.result(0);
  result.elementType = x.elementType;
  if (failed(ctx.expectRank(0, 4)))
    return failure();
  if (!x.dims)
    return success();
  Dims dims = *x.dims;
  int64_t block = up * down; // one of the two is 1
  auto exact = [&](unsigned d, int64_t by) {
    AffineExpr quotient = simplify(dims[d].floorDiv(by));
    bool divides = ctx.assumeEqual(quotient * by, dims[d]);
    if (!divides)
      ctx.emitError() << "expects a multiple of " << by << " in dimension " << d
                      << ", got " << dims[d];
    dims[d] = quotient;
    return divides;
  };
  if (block > INT32_MAX)
    return ctx.emitError() << "expects a blocksize below 2^31, got " << block;
  if (up > 1 && !exact(1, up * up))
    return failure();
  dims[1] = dims[1] * (down * down);
  for (unsigned d : {2u, 3u}) {
    dims[d] = dims[d] * up;
    if (down > 1 && !exact(d, down))
      return failure();
  }
  result.dims = dims;
  return success();
}

LogicalResult DepthToSpaceOp::inferShapes(ShapeContext &ctx) {
  return rescaleBlocks(ctx, getBlocksize(), 1);
}

LogicalResult SpaceToDepthOp::inferShapes(ShapeContext &ctx) {
  return rescaleBlocks(ctx, 1, getBlocksize());
}

LogicalResult ResizeOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  TensorInfo &result = ctx.result(0);
  result.elementType = x.elementType;
  if (failed(rule::expectLists(ctx, {1, 2, 3})))
    return failure();
  if (!x.dims)
    return success();
  bool bySizes = ctx.isPresent(3);
  if (bySizes && ctx.isPresent(2)) {
    auto length = getSmallShape(ctx.operand(2).dims);
    if (!length ||
        getConstant(getProduct(*ctx.operand(2).dims, ctx.getContext())) != 0)
      return ctx.emitError() << "expects either scales or sizes, got both";
  }
  if (!bySizes && !ctx.isPresent(2))
    return ctx.emitError() << "expects either scales or sizes, got neither";
  auto axes = llvm::to_vector<4>(llvm::seq<int64_t>(0, x.getRank()));
  if (auto given = getAxes()) {
    auto normal = ctx.normalizeAxes(*given, x.getRank());
    if (failed(normal))
      return failure();
    axes = *normal;
  }
  const TensorInfo &target = ctx.operand(bySizes ? 3 : 2);
  auto length = getSmallShape(target.dims);
  if (length && (length->size() != 1 ||
                 length->front() != static_cast<int64_t>(axes.size())))
    return ctx.emitError() << "expects " << axes.size() << " "
                           << (bySizes ? "sizes" : "scales")
                           << ", got another shape";
  result.dims = x.dims;
  bool stretch = getKeepAspectRatioPolicy() == "stretch";
  for (auto [i, axis] : llvm::enumerate(axes)) {
    AffineExpr &dim = (*result.dims)[axis];
    Scalar given = target.contents ? (*target.contents)[i] : Scalar();
    AffineExpr size;
    if (bySizes) {
      size = stretch ? given.expr : AffineExpr();
    } else if (given.expr) {
      FailureOr<AffineExpr> scaled = scaleSize(ctx, dim, given.expr);
      if (failed(scaled))
        return failure();
      size = *scaled;
    } else if (given.real && *given.real > 0) {
      // A scale that is the inverse of a whole number, or k / 2^n.
      double inverse = 1 / *given.real;
      double whole = *given.real * 256;
      if (auto number = getConstant(dim)) {
        float exact = std::floor(static_cast<float>(*number) *
                                 static_cast<float>(*given.real));
        if (!(exact < 0x1p56f))
          return ctx.emitError() << "expects a scale that gives a size below "
                                    "2^56, got "
                                 << *given.real << " in dimension " << axis;
        size = ctx.constant(static_cast<int64_t>(exact));
      } else if (std::trunc(inverse) == inverse && inverse < 0x1p31)
        size = simplify(dim.floorDiv(static_cast<int64_t>(inverse)));
      else if (std::trunc(whole) == whole && whole < 0x1p31)
        size = simplify((dim * static_cast<int64_t>(whole)).floorDiv(256));
    }
    dim = size ? size : ctx.fresh(axis);
  }
  return success();
}
