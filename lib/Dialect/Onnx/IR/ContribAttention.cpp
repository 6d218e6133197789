// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Onnx/IR/ContribAttention.h"
#include "Rules.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/ContribAttention.cpp.inc"

void OnnxDialect::registerContribAttentionOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/ContribAttention.cpp.inc"
      >();
}

/// Checks that operands `a` and `b` have one shape.
static LogicalResult expectSameShape(ShapeContext &ctx, unsigned a,
                                     unsigned b) {
  const auto &left = ctx.operand(a).dims, &right = ctx.operand(b).dims;
  if (!left || !right)
    return success();
  if (failed(ctx.expectRank(b, left->size())))
    return failure();
  for (auto [size, other] : llvm::zip_equal(*left, *right))
    if (!ctx.assumeEqual(size, other))
      return ctx.emitError()
             << "expects operand #" << b << " of the sizes of operand #" << a
             << ", got size " << other << " for " << size;
  return success();
}

/// Checks that operand `i` has the size `size` in dimension `d`.
static LogicalResult expectSize(ShapeContext &ctx, unsigned i, unsigned d,
                                AffineExpr size) {
  AffineExpr got = (*ctx.operand(i).dims)[d];
  if (ctx.assumeEqual(size, got))
    return success();
  return ctx.emitError() << "expects size " << size << " in dimension " << d
                         << " of operand #" << i << ", got " << got;
}

LogicalResult MsRotaryEmbeddingOp::inferShapes(ShapeContext &ctx) {
  if (failed(ctx.getCommonElementType({0, 2, 3})) ||
      failed(rule::sameShape(ctx)) || failed(ctx.expectRank(2, 2)) ||
      failed(expectSameShape(ctx, 2, 3)))
    return failure();
  const auto &x = ctx.operand(0).dims, &positions = ctx.operand(1).dims;
  if (x && x->size() != 3 && x->size() != 4)
    return ctx.emitError() << "expects operand #0 of rank 3 or 4, got rank "
                           << x->size();
  if (!x || !positions || positions->size() == 1)
    return success();
  if (failed(ctx.expectRank(1, 2)) || failed(expectSize(ctx, 1, 0, (*x)[0])))
    return failure();
  return expectSize(ctx, 1, 1, (*x)[x->size() - 2]);
}

/// Divides a size, that of dimension `d` of operand `i`, among heads.
static FailureOr<AffineExpr> divide(ShapeContext &ctx, AffineExpr size,
                                    int64_t heads, unsigned i) {
  std::optional<int64_t> known = getConstant(size);
  if (!known || heads < 1 || heads > INT32_MAX || *known < heads ||
      *known % heads != 0) {
    ctx.emitError() << "expects a multiple of " << heads
                    << " elements in the last dimension of operand #" << i
                    << ", got " << size;
    return failure();
  }
  return ctx.constant(*known / heads);
}

/// Checks that operand `i`, where it is there, broadcasts to `dims`.
static LogicalResult expectBroadcast(ShapeContext &ctx, unsigned i,
                                     ArrayRef<AffineExpr> dims) {
  if (!ctx.isPresent(i) || !ctx.operand(i).dims)
    return success();
  if (failed(ctx.expectRank(i, dims.size())))
    return failure();
  for (auto [d, size] : llvm::enumerate(dims))
    if (getConstant((*ctx.operand(i).dims)[d]) != 1 &&
        failed(expectSize(ctx, i, d, size)))
      return failure();
  return success();
}

/// Checks a mask, operand `i`, where it is there: a number of each batch (or
/// two, with `hasRanges`), or one of each key, for all queries or each.
static LogicalResult expectMask(ShapeContext &ctx, unsigned i, AffineExpr batch,
                                AffineExpr steps, AffineExpr total,
                                bool hasRanges = false) {
  if (!ctx.isPresent(i) || !ctx.operand(i).dims)
    return success();
  const Dims &dims = *ctx.operand(i).dims;
  Dims expected = {batch};
  if (dims.size() == 3)
    expected.push_back(steps);
  if (dims.size() > 1)
    expected.push_back(total);
  if (failed(ctx.expectRank(i, expected.size())))
    return failure();
  if (hasRanges && dims.size() == 1 && simplify(batch * 2) == dims[0])
    return success();
  return expectBroadcast(ctx, i, expected);
}

LogicalResult MsMultiHeadAttentionOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 1, 2, 3, 5, 6, 7});
  if (failed(type))
    return failure();
  for (unsigned i = 0; i != 4; ++i)
    ctx.result(i).elementType = *type;
  if (ctx.isPresent(6) != ctx.isPresent(7))
    return ctx.emitError() << "expects operands #6 and #7 or neither, got one";
  const auto &q = ctx.operand(0).dims;
  if (!ctx.isPresent(1) || !ctx.isPresent(2))
    return ctx.emitError() << "expects operands #1 and #2, as those that are "
                              "packed are not supported, got none";
  const auto &k = ctx.operand(1).dims, &v = ctx.operand(2).dims;
  if (!q || !k || !v)
    return success();
  int64_t heads = getNumHeads();
  if (failed(ctx.expectRank(0, 3)))
    return failure();
  auto size = divide(ctx, (*q)[2], heads, 0);
  if (failed(size))
    return failure();
  AffineExpr batch = (*q)[0], steps = (*q)[1], valueSize, keySteps;
  for (unsigned i : {1u, 2u}) {
    const Dims &dims = *ctx.operand(i).dims;
    if (dims.size() == 4) {
      if (failed(expectSize(ctx, i, 1, ctx.constant(heads))))
        return failure();
      valueSize = dims[3];
    } else {
      if (failed(ctx.expectRank(i, 3)))
        return failure();
      auto each = divide(ctx, dims[2], heads, i);
      if (failed(each))
        return failure();
      valueSize = *each;
    }
    if (failed(expectSize(ctx, i, 0, batch)))
      return failure();
    unsigned at = dims.size() == 4 ? 2 : 1;
    if (i == 1) {
      keySteps = dims[at];
      if (!ctx.assumeEqual(valueSize, *size))
        return ctx.emitError() << "expects heads of " << *size
                               << " elements in operand #1, got " << valueSize;
    } else if (failed(expectSize(ctx, i, at, keySteps))) {
      return failure();
    }
  }
  AffineExpr total = keySteps;
  for (unsigned i : {6u, 7u}) {
    if (!ctx.isPresent(i) || !ctx.operand(i).dims)
      continue;
    if (failed(ctx.expectRank(i, 4)) || failed(expectSize(ctx, i, 0, batch)) ||
        failed(expectSize(ctx, i, 1, ctx.constant(heads))) ||
        failed(expectSize(ctx, i, 3, i == 6 ? *size : valueSize)))
      return failure();
    AffineExpr past = (*ctx.operand(i).dims)[2];
    if (i == 6)
      total = simplify(keySteps + past);
    else if (failed(expectSize(ctx, i, 2, (*ctx.operand(6).dims)[2])))
      return failure();
  }
  AffineExpr count = ctx.constant(heads);
  if (ctx.isPresent(3) && ctx.operand(3).dims) {
    AffineExpr elements = simplify((*size + *size + valueSize) * heads);
    if (failed(ctx.expectRank(3, 1)) || failed(expectSize(ctx, 3, 0, elements)))
      return failure();
  }
  if (failed(expectMask(ctx, 4, batch, steps, total)) ||
      failed(expectBroadcast(ctx, 5, {batch, count, steps, total})))
    return failure();
  ctx.result(0).dims = Dims{batch, steps, simplify(valueSize * heads)};
  ctx.result(1).dims = Dims{batch, count, total, *size};
  ctx.result(2).dims = Dims{batch, count, total, valueSize};
  ctx.result(3).dims = Dims{batch, count, steps, total};
  return success();
}

LogicalResult MsGroupQueryAttentionOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 1, 2, 3, 4, 7, 8, 10});
  if (failed(type))
    return failure();
  for (unsigned i = 0; i != 4; ++i)
    ctx.result(i).elementType = *type;
  // Nobody reads the scores.
  ctx.result(3).dims = Dims{ctx.constant(0)};
  for (auto [a, b] : {std::pair(1u, 2u), std::pair(3u, 4u), std::pair(7u, 8u)})
    if (ctx.isPresent(a) != ctx.isPresent(b))
      return ctx.emitError() << "expects operands #" << a << " and #" << b
                             << " or neither, got one";
  int64_t heads = getNumHeads(), shared = getKvNumHeads();
  if (heads > INT32_MAX || heads % shared != 0)
    return ctx.emitError() << "expects num_heads below 2^31 that is a multiple "
                              "of kv_num_heads, "
                           << shared << ", got " << heads;
  if (failed(rule::expectOneElement(ctx, 6)))
    return failure();
  const auto &q = ctx.operand(0).dims;
  if (!q)
    return success();
  if (failed(ctx.expectRank(0, 3)))
    return failure();
  bool isPacked = !ctx.isPresent(1);
  AffineExpr batch = (*q)[0], steps = (*q)[1];
  auto size = divide(ctx, (*q)[2], isPacked ? heads + 2 * shared : heads, 0);
  if (failed(size))
    return failure();
  AffineExpr count = ctx.constant(shared);
  for (unsigned i : {1u, 2u}) {
    if (isPacked || !ctx.operand(i).dims)
      continue;
    if (failed(ctx.expectRank(i, 3)) || failed(expectSize(ctx, i, 0, batch)) ||
        failed(expectSize(ctx, i, 1, steps)) ||
        failed(expectSize(ctx, i, 2, simplify(*size * shared))))
      return failure();
  }
  AffineExpr past = ctx.constant(0);
  for (unsigned i : {3u, 4u}) {
    if (!ctx.isPresent(i) || !ctx.operand(i).dims)
      continue;
    if (failed(ctx.expectRank(i, 4)) || failed(expectSize(ctx, i, 0, batch)) ||
        failed(expectSize(ctx, i, 1, count)) ||
        failed(expectSize(ctx, i, 3, *size)))
      return failure();
    if (i == 3)
      past = (*ctx.operand(i).dims)[2];
    else if (failed(expectSize(ctx, i, 2, past)))
      return failure();
  }
  if (ctx.operand(5).dims) {
    AffineExpr lengths = getProduct(*ctx.operand(5).dims, ctx.getContext());
    if (!ctx.assumeEqual(batch, lengths))
      return ctx.emitError() << "expects " << batch
                             << " elements in operand #5, got " << lengths;
  }
  if (ctx.isPresent(7) &&
      (failed(ctx.expectRank(7, 2)) || failed(expectSameShape(ctx, 7, 8))))
    return failure();
  ctx.result(0).dims = Dims{batch, steps, simplify(*size * heads)};
  std::optional<Dims> known = ctx.operand(6).getExprs();
  AffineExpr total;
  if (known && known->size() == 1) {
    std::optional<int64_t> a = getConstant(past),
                           b = getConstant(known->front());
    if (a && b)
      total = ctx.constant(std::max(*a, *b));
    else if (a == 0)
      total = known->front();
  }
  if (!total)
    total = ctx.fresh(0);
  if (failed(
          expectBroadcast(ctx, 10, {batch, ctx.constant(heads), steps, total})))
    return failure();
  ctx.result(1).dims = ctx.result(2).dims = Dims{batch, count, total, *size};
  return success();
}

LogicalResult MsAttentionOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 1, 2, 4, 5});
  if (failed(type))
    return failure();
  ctx.result(0).elementType = ctx.result(1).elementType = *type;
  const auto &x = ctx.operand(0).dims, &w = ctx.operand(1).dims;
  if (!x || !w)
    return success();
  if (failed(ctx.expectRank(0, 3)) || failed(ctx.expectRank(1, 2)) ||
      failed(expectSize(ctx, 1, 0, (*x)[2])))
    return failure();
  AffineExpr batch = (*x)[0], steps = (*x)[1];
  if (ctx.isPresent(2) && ctx.operand(2).dims &&
      (failed(ctx.expectRank(2, 1)) || failed(expectSize(ctx, 2, 0, (*w)[1]))))
    return failure();
  std::optional<int64_t> columns = getConstant((*w)[1]);
  int64_t heads = getNumHeads();
  SmallVector<int64_t> sizes(3, columns ? *columns / 3 : 0);
  if (auto given = getQkvHiddenSizes(); given && !given->empty())
    sizes.assign(given->begin(), given->end());
  if (!columns || *columns > INT32_MAX || sizes.size() != 3 ||
      sizes[0] != sizes[1] ||
      llvm::any_of(sizes,
                   [&](int64_t size) {
                     return size < 1 || size > *columns || size % heads != 0;
                   }) ||
      sizes[0] + sizes[1] + sizes[2] != *columns)
    return ctx.emitError() << "expects qkv_hidden_sizes that are multiples of "
                           << heads
                           << ", the first two equal, and have the sum "
                           << (*w)[1] << ", got others";
  AffineExpr total = steps, count = ctx.constant(heads);
  AffineExpr size = ctx.constant(sizes[0] / heads);
  if (ctx.isPresent(4) && ctx.operand(4).dims) {
    if (failed(ctx.expectRank(4, 5)) ||
        failed(expectSize(ctx, 4, 0, ctx.constant(2))) ||
        failed(expectSize(ctx, 4, 1, batch)) ||
        failed(expectSize(ctx, 4, 2, count)) ||
        failed(expectSize(ctx, 4, 4, size)))
      return failure();
    total = simplify(steps + (*ctx.operand(4).dims)[3]);
  }
  if (failed(expectMask(ctx, 3, batch, steps, total, /*hasRanges=*/true)) ||
      failed(expectBroadcast(ctx, 5, {batch, count, steps, total})))
    return failure();
  ctx.result(0).dims = Dims{batch, steps, ctx.constant(sizes[2])};
  ctx.result(1).dims = Dims{ctx.constant(2), batch, count, total, size};
  return success();
}
