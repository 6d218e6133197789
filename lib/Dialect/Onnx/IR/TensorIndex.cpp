// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape rules of the ops that go by indices: gather, scatter, and their like.

#include "Rules.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"

using namespace mlir;
using namespace lathe::onnx;

LogicalResult GatherOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0), &indices = ctx.operand(1);
  TensorInfo &result = ctx.result(0);
  result.elementType = x.elementType;
  if (!x.dims)
    return success();
  auto axis = ctx.normalizeAxis(getAxis(), x.getRank());
  if (failed(axis))
    return failure();
  if (!indices.dims)
    return success();
  int64_t inner = indices.getRank();
  Dims dims(x.dims->begin(), x.dims->begin() + *axis);
  llvm::append_range(dims, *indices.dims);
  dims.append(x.dims->begin() + *axis + 1, x.dims->end());
  result.dims = dims;
  auto from = getSmallShape(x.dims), by = getSmallShape(indices.dims);
  if (!from || !by || !indices.contents)
    return success();
  moveContents(
      x, result, [&](ArrayRef<int64_t> at, MutableArrayRef<int64_t> index) {
        llvm::copy(at.take_front(*axis), index.begin());
        llvm::copy(at.drop_front(*axis + inner), index.begin() + *axis + 1);
        auto i = getConstant(
            (*indices.contents)[getPosition(at.slice(*axis, inner), *by)].expr);
        index[*axis] = !i ? -1 : *i < 0 ? *i + (*from)[*axis] : *i;
      });
  return success();
}

LogicalResult GatherElementsOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0), &indices = ctx.operand(1);
  ctx.result(0).elementType = x.elementType;
  ctx.result(0).dims = indices.dims;
  if (!x.dims)
    return success();
  if (failed(ctx.normalizeAxis(getAxis(), x.getRank())))
    return failure();
  return ctx.expectRank(1, x.getRank());
}

LogicalResult GatherNDOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0), &indices = ctx.operand(1);
  TensorInfo &result = ctx.result(0);
  result.elementType = x.elementType;
  if (!x.dims || !indices.dims)
    return success();
  int64_t batch = getBatchDims();
  if (indices.dims->empty() || batch < 0 ||
      batch >= std::min(x.getRank(), indices.getRank()))
    return ctx.emitError() << "expects batch_dims below both ranks, got "
                           << batch;
  auto tuple = getConstant(indices.dims->back());
  if (!tuple)
    return success();
  if (*tuple < 1 || batch + *tuple > x.getRank())
    return ctx.emitError() << "expects index tuples of 1 to "
                           << x.getRank() - batch << " positions, got "
                           << *tuple;
  Dims dims(indices.dims->begin(), indices.dims->end() - 1);
  for (int64_t i = 0; i < batch; ++i)
    if (!ctx.assumeEqual((*x.dims)[i], dims[i]))
      return ctx.emitError() << "expects equal sizes in batch dimension " << i
                             << ", got " << (*x.dims)[i] << " and " << dims[i];
  dims.append(x.dims->begin() + batch + *tuple, x.dims->end());
  result.dims = dims;
  return success();
}

LogicalResult ScatterElementsOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 2});
  if (failed(type))
    return failure();
  const TensorInfo &x = ctx.operand(0);
  ctx.result(0).dims = x.dims;
  ctx.result(0).elementType = *type;
  if (!x.dims)
    return success();
  if (failed(ctx.normalizeAxis(getAxis(), x.getRank())) ||
      failed(ctx.expectRank(1, x.getRank())) ||
      failed(ctx.expectRank(2, x.getRank())))
    return failure();
  const auto &indices = ctx.operand(1).dims, &updates = ctx.operand(2).dims;
  if (indices && updates)
    for (auto [i, size] : llvm::enumerate(*indices))
      if (!ctx.assumeEqual(size, (*updates)[i]))
        return ctx.emitError()
               << "expects indices and updates of one shape, got sizes " << size
               << " and " << (*updates)[i] << " in dimension " << i;
  return success();
}

LogicalResult ScatterNDOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 2});
  if (failed(type))
    return failure();
  const TensorInfo &x = ctx.operand(0), &indices = ctx.operand(1);
  ctx.result(0).dims = x.dims;
  ctx.result(0).elementType = *type;
  if (!x.dims || !indices.dims)
    return success();
  if (indices.dims->empty())
    return ctx.emitError() << "expects indices of rank at least 1, got rank 0";
  auto tuple = getConstant(indices.dims->back());
  if (!tuple)
    return success();
  if (*tuple < 0 || *tuple > x.getRank())
    return ctx.emitError() << "expects index tuples of at most " << x.getRank()
                           << " positions, got " << *tuple;
  return ctx.expectRank(2, indices.getRank() - 1 + x.getRank() - *tuple);
}

LogicalResult OneHotOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &indices = ctx.operand(0), &depth = ctx.operand(1);
  TensorInfo &result = ctx.result(0);
  const TensorInfo &values = ctx.operand(2);
  result.elementType = values.elementType;
  if (failed(rule::expectOneElement(ctx, 1)) ||
      failed(rule::expectLists(ctx, 2)))
    return failure();
  if (values.dims && !ctx.assumeEqual(values.dims->front(), ctx.constant(2)))
    return ctx.emitError() << "expects two elements in operand #2, got "
                           << values.dims->front();
  if (!indices.dims)
    return success();
  auto axis = ctx.normalizeAxis(getAxis(), indices.getRank() + 1);
  if (failed(axis))
    return failure();
  AffineExpr size;
  if (depth.contents && depth.contents->size() == 1)
    size = depth.contents->front().expr;
  result.dims = indices.dims;
  result.dims->insert(result.dims->begin() + *axis,
                      size ? size : ctx.fresh(*axis));
  return success();
}

LogicalResult TopKOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0), &k = ctx.operand(1);
  ctx.result(0).elementType = x.elementType;
  ctx.result(1).elementType = IntegerType::get(ctx.getContext(), 64);
  if (failed(rule::expectOneElement(ctx, 1)))
    return failure();
  if (!x.dims)
    return success();
  auto axis = ctx.normalizeAxis(getAxis(), x.getRank());
  if (failed(axis))
    return failure();
  AffineExpr size;
  if (k.contents && k.contents->size() == 1)
    size = k.contents->front().expr;
  if (size && !ctx.assumeAtLeast((*x.dims)[*axis], size))
    return ctx.emitError() << "expects K of at most " << (*x.dims)[*axis]
                           << ", got " << size;
  Dims dims = *x.dims;
  dims[*axis] = size ? size : ctx.fresh(*axis);
  ctx.result(0).dims = ctx.result(1).dims = dims;
  return success();
}

LogicalResult NonZeroOp::inferShapes(ShapeContext &ctx) {
  TensorInfo &result = ctx.result(0);
  result.elementType = IntegerType::get(ctx.getContext(), 64);
  const auto &dims = ctx.operand(0).dims;
  // A scalar counts as a vector of one element.
  AffineExpr rows =
      dims ? ctx.constant(std::max<int64_t>(dims->size(), 1)) : ctx.fresh(0);
  result.dims = Dims{rows, ctx.fresh(1)};
  return success();
}
