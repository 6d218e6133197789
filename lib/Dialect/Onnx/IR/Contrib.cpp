// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Onnx/IR/Contrib.h"
#include "Rules.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/Contrib.cpp.inc"

void OnnxDialect::registerContribOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/Contrib.cpp.inc"
      >();
}

/// Checks that operand `i`, where it is there, is a vector of `size` elements.
static LogicalResult expectVector(ShapeContext &ctx, unsigned i,
                                  AffineExpr size) {
  if (!ctx.isPresent(i) || !ctx.operand(i).dims)
    return success();
  if (failed(ctx.expectRank(i, 1)))
    return failure();
  AffineExpr got = ctx.operand(i).dims->front();
  if (!ctx.assumeEqual(size, got))
    return ctx.emitError() << "expects " << size << " elements in operand #"
                           << i << ", got " << got;
  return success();
}

/// A normalization of the sum of operands 0 and 1, with `vectors` over the last
/// dimension: the sum is result 3, its statistics are results 1 and 2.
static LogicalResult inferSkip(ShapeContext &ctx, ArrayRef<unsigned> vectors) {
  if (failed(rule::sameShapeBroadcast(ctx)) ||
      failed(ctx.getCommonElementType({0, 1, 2})))
    return failure();
  const TensorInfo &x = ctx.operand(0);
  ctx.result(3) = ctx.result(0);
  ctx.result(1).elementType = ctx.result(2).elementType =
      Float32Type::get(ctx.getContext());
  if (!x.dims)
    return success();
  if (x.dims->empty())
    return ctx.emitError()
           << "expects operand #0 of rank at least 1, got rank 0";
  for (unsigned i : vectors)
    if (failed(expectVector(ctx, i, x.dims->back())))
      return failure();
  Dims kept = *x.dims;
  kept.back() = ctx.constant(1);
  ctx.result(1).dims = ctx.result(2).dims = kept;
  return success();
}

LogicalResult MsSkipLayerNormalizationOp::inferShapes(ShapeContext &ctx) {
  return inferSkip(ctx, {2, 3, 4});
}

LogicalResult SimplifiedLayerNormalizationOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  if (failed(rule::sameShapeBroadcast(ctx)))
    return failure();
  if (getStashType() != 1)
    return ctx.emitError() << "expects stash_type of 1, got "
                           << int64_t(getStashType());
  ctx.result(1).elementType = Float32Type::get(ctx.getContext());
  if (!x.dims)
    return success();
  FailureOr<Dims> dims = rule::keepBefore(ctx, getAxis());
  if (failed(dims))
    return failure();
  ctx.result(1).dims = *dims;
  return success();
}

LogicalResult
MsSkipSimplifiedLayerNormalizationOp::inferShapes(ShapeContext &ctx) {
  return inferSkip(ctx, {2, 3});
}

SmallVector<int64_t> MsFusedMatMulOp::getPerm(unsigned factor, int64_t rank) {
  SmallVector<int64_t> perm = llvm::to_vector(llvm::seq<int64_t>(rank));
  if ((factor ? getTransBatchB() : getTransBatchA()) && rank >= 2)
    std::rotate(perm.begin(), perm.begin() + 1, perm.end() - 1);
  if ((factor ? getTransB() : getTransA()) && rank >= 2)
    std::swap(perm[rank - 2], perm[rank - 1]);
  return perm;
}

LogicalResult MsFusedMatMulOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 1});
  if (failed(type))
    return failure();
  ctx.result(0).elementType = *type;
  Dims factors[2];
  for (unsigned i : {0u, 1u}) {
    const auto &dims = ctx.operand(i).dims;
    if (!dims)
      return success();
    if (dims->size() < 2)
      return ctx.emitError()
             << "expects operand #" << i << " of rank at least 2, got rank "
             << dims->size();
    for (int64_t d : getPerm(i, dims->size()))
      factors[i].push_back((*dims)[d]);
  }
  ArrayRef<AffineExpr> a(factors[0]), b(factors[1]);
  AffineExpr inner = a.back(), other = b[b.size() - 2];
  if (!ctx.assumeEqual(inner, other))
    return ctx.emitError() << "expects equal inner sizes, got " << inner
                           << " and " << other;
  auto dims = ctx.broadcast(a.drop_back(2), b.drop_back(2));
  if (failed(dims))
    return failure();
  dims->push_back(a[a.size() - 2]);
  dims->push_back(b.back());
  ctx.result(0).dims = *dims;
  return success();
}

LogicalResult MsFusedGemmOp::inferShapes(ShapeContext &ctx) {
  return rule::gemm(ctx, getTransA(), getTransB());
}

LogicalResult MsEmbedLayerNormalizationOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({2, 3, 4, 5, 6});
  if (failed(type))
    return failure();
  ctx.result(0).elementType = ctx.result(2).elementType = *type;
  ctx.result(1).elementType = IntegerType::get(ctx.getContext(), 32);
  if (ctx.isPresent(1) != ctx.isPresent(4))
    return ctx.emitError() << "expects operands #1 and #4 or neither, got one";
  const auto &ids = ctx.operand(0).dims, &words = ctx.operand(2).dims;
  if (!ids || !words)
    return success();
  for (unsigned i : {0u, 2u, 3u, 4u})
    if (ctx.isPresent(i) && failed(ctx.expectRank(i, 2)))
      return failure();
  AffineExpr size = (*words)[1];
  for (unsigned i : {3u, 4u}) {
    if (!ctx.isPresent(i) || !ctx.operand(i).dims)
      continue;
    AffineExpr got = (*ctx.operand(i).dims)[1];
    if (!ctx.assumeEqual(size, got))
      return ctx.emitError()
             << "expects rows of " << size << " elements in operand #" << i
             << ", got " << got;
  }
  for (unsigned i : {5u, 6u})
    if (failed(expectVector(ctx, i, size)))
      return failure();
  for (unsigned i : {1u, 7u, 8u}) {
    if (!ctx.isPresent(i) || !ctx.operand(i).dims)
      continue;
    if (failed(ctx.expectRank(i, 2)))
      return failure();
    for (auto [d, expected] : llvm::enumerate(*ids)) {
      AffineExpr got = (*ctx.operand(i).dims)[d];
      bool isForAll = i == 8 && d == 0 && getConstant(got) == 1;
      if (!isForAll && !ctx.assumeEqual(expected, got))
        return ctx.emitError()
               << "expects size " << expected << " in dimension " << int64_t(d)
               << " of operand #" << i << ", got " << got;
    }
  }
  ctx.result(0).dims = ctx.result(2).dims = Dims{(*ids)[0], (*ids)[1], size};
  ctx.result(1).dims = Dims{(*ids)[0]};
  return success();
}
