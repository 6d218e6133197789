// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Onnx/IR/Spatial.h"
#include "Rules.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/Spatial.cpp.inc"

void OnnxDialect::registerSpatialOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/Spatial.cpp.inc"
      >();
}

/// The contents of operand `i`, a list, if they are known and `count` of them
/// (any number where that is negative); reports another number.
static FailureOr<std::optional<Dims>> getSizes(ShapeContext &ctx, unsigned i,
                                               int64_t count) {
  if (failed(rule::expectLists(ctx, i)))
    return failure();
  std::optional<Dims> sizes = ctx.operand(i).getExprs();
  if (sizes && count >= 0 && int64_t(sizes->size()) != count) {
    ctx.emitError() << "expects " << count << " numbers in operand #" << i
                    << ", got " << sizes->size();
    return failure();
  }
  return sizes;
}

/// Checks that an attribute has `count` numbers of at least `least`.
static LogicalResult checkNumbers(ShapeContext &ctx, StringRef name,
                                  std::optional<ArrayRef<int64_t>> numbers,
                                  int64_t count, int64_t least) {
  if (!numbers)
    return success();
  if (int64_t(numbers->size()) != count)
    return ctx.emitError() << "expects " << count << " numbers in " << name
                           << ", got " << numbers->size();
  for (int64_t number : *numbers)
    if (number < least || number > INT32_MAX)
      return ctx.emitError() << "expects numbers in [" << least << ", 2^31) in "
                             << name << ", got " << number;
  return success();
}

LogicalResult AffineGridOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &theta = ctx.operand(0);
  TensorInfo &result = ctx.result(0);
  result.elementType = theta.elementType;
  if (failed(ctx.expectRank(0, 3)))
    return failure();
  auto sizes = getSizes(ctx, 1, -1);
  if (failed(sizes))
    return failure();
  std::optional<int64_t> space;
  if (*sizes)
    space = int64_t((*sizes)->size()) - 2;
  else if (const auto &dims = ctx.operand(1).dims; dims && dims->size() == 1)
    if (auto count = getConstant(dims->front()))
      space = *count - 2;
  if (!space && theta.dims)
    space = getConstant((*theta.dims)[1]);
  if (!space)
    return success();
  if (*space != 2 && *space != 3)
    return ctx.emitError() << "expects a size of 4 or 5 numbers, got "
                           << *space + 2;
  if (theta.dims) {
    if (!ctx.assumeEqual((*theta.dims)[1], ctx.constant(*space)) ||
        !ctx.assumeEqual((*theta.dims)[2], ctx.constant(*space + 1)))
      return ctx.emitError() << "expects matrices of " << *space << " by "
                             << *space + 1 << " in operand #0, got "
                             << (*theta.dims)[1] << " by " << (*theta.dims)[2];
    if (*sizes && !ctx.assumeEqual((*theta.dims)[0], (**sizes)[0]))
      return ctx.emitError()
             << "expects " << (**sizes)[0] << " matrices in operand #0, got "
             << (*theta.dims)[0];
  }
  Dims dims(*space + 2);
  if (theta.dims)
    dims[0] = (*theta.dims)[0];
  for (int64_t i = 0; i < *space; ++i)
    if (*sizes)
      dims[i + 1] = (**sizes)[i + 2];
  dims[*space + 1] = ctx.constant(*space);
  result.dims = dims;
  return success();
}

LogicalResult GridSampleOp::inferShapes(ShapeContext &ctx) {
  const auto &x = ctx.operand(0).dims, &grid = ctx.operand(1).dims;
  ctx.result(0).elementType = ctx.operand(0).elementType;
  if (!x || !grid)
    return success();
  int64_t rank = x->size();
  if (rank != 4 && rank != 5)
    return ctx.emitError() << "expects operand #0 of rank 4 or 5, got rank "
                           << rank;
  if (getMode() == "cubic" && rank != 4)
    return ctx.emitError() << "expects cubic mode with two dimensions of "
                              "space, got "
                           << rank - 2;
  if (failed(ctx.expectRank(1, rank)))
    return failure();
  if (!ctx.assumeEqual((*x)[0], (*grid)[0]))
    return ctx.emitError() << "expects " << (*x)[0] << " grids, got "
                           << (*grid)[0];
  if (!ctx.assumeEqual(grid->back(), ctx.constant(rank - 2)))
    return ctx.emitError() << "expects positions of " << rank - 2
                           << " numbers in operand #1, got " << grid->back();
  Dims dims{(*x)[0], (*x)[1]};
  dims.append(grid->begin() + 1, grid->end() - 1);
  ctx.result(0).dims = dims;
  return success();
}

LogicalResult Col2ImOp::inferShapes(ShapeContext &ctx) {
  const auto &x = ctx.operand(0).dims;
  TensorInfo &result = ctx.result(0);
  result.elementType = ctx.operand(0).elementType;
  if (failed(ctx.expectRank(0, 3)))
    return failure();
  auto image = getSizes(ctx, 1, -1);
  if (failed(image))
    return failure();
  std::optional<int64_t> space;
  if (*image)
    space = (*image)->size();
  else if (const auto &dims = ctx.operand(1).dims; dims && dims->size() == 1)
    space = getConstant(dims->front());
  if (!space)
    return success();
  auto block = getSizes(ctx, 2, *space);
  if (failed(block) ||
      failed(checkNumbers(ctx, "dilations", getDilations(), *space, 1)) ||
      failed(checkNumbers(ctx, "strides", getStrides(), *space, 1)) ||
      failed(checkNumbers(ctx, "pads", getPads(), 2 * *space, 0)))
    return failure();
  Dims dims(*space + 2);
  if (x)
    dims[0] = (*x)[0];
  if (x && *block) {
    AffineExpr elements = getProduct(**block, ctx.getContext());
    dims[1] = divideExactly((*x)[1], elements);
    auto known = getConstant((*x)[1]), per = getConstant(elements);
    if (!dims[1] && known && per)
      return ctx.emitError() << "expects a multiple of " << *per
                             << " channels in operand #0, got " << *known;
    if (!dims[1])
      dims[1] = simplify((*x)[1].floorDiv(elements));
  }
  for (int64_t i = 0; i < *space; ++i)
    if (*image)
      dims[i + 2] = (**image)[i];
  // The number of blocks follows from the sizes.
  if (x && *image && *block) {
    AffineExpr blocks = ctx.constant(1);
    for (int64_t i = 0; i < *space; ++i) {
      int64_t dilation = getDilations() ? (*getDilations())[i] : 1;
      int64_t stride = getStrides() ? (*getStrides())[i] : 1;
      int64_t pad = getPads() ? (*getPads())[i] + (*getPads())[i + *space] : 0;
      blocks =
          blocks * ((((**image)[i] + pad - ((**block)[i] - 1) * dilation - 1)
                         .floorDiv(stride)) +
                    1);
    }
    if (!ctx.assumeEqual((*x)[2], simplify(blocks)))
      return ctx.emitError() << "expects " << simplify(blocks)
                             << " blocks in operand #0, got " << (*x)[2];
  }
  result.dims = dims;
  return success();
}

LogicalResult RoiAlignOp::inferShapes(ShapeContext &ctx) {
  const auto &x = ctx.operand(0).dims, &rois = ctx.operand(1).dims;
  ctx.result(0).elementType = ctx.operand(0).elementType;
  if (failed(ctx.expectRank(0, 4)) || failed(ctx.expectRank(1, 2)) ||
      failed(ctx.expectRank(2, 1)))
    return failure();
  if (failed(ctx.getCommonElementType({0, 1})))
    return failure();
  if (!x || !rois)
    return success();
  if (!ctx.assumeEqual((*rois)[1], ctx.constant(4)))
    return ctx.emitError() << "expects regions of 4 numbers, got "
                           << (*rois)[1];
  if (const auto &batch = ctx.operand(2).dims;
      batch && !ctx.assumeEqual((*rois)[0], (*batch)[0]))
    return ctx.emitError() << "expects " << (*rois)[0]
                           << " elements in operand #2, got " << (*batch)[0];
  ctx.result(0).dims =
      Dims{(*rois)[0], (*x)[1], ctx.constant(getOutputHeight()),
           ctx.constant(getOutputWidth())};
  return success();
}

LogicalResult MaxRoiPoolOp::inferShapes(ShapeContext &ctx) {
  const auto &x = ctx.operand(0).dims, &rois = ctx.operand(1).dims;
  ctx.result(0).elementType = ctx.operand(0).elementType;
  if (failed(ctx.expectRank(0, 4)) || failed(ctx.expectRank(1, 2)) ||
      failed(checkNumbers(ctx, "pooled_shape", getPooledShape(), 2, 1)) ||
      failed(ctx.getCommonElementType({0, 1})))
    return failure();
  if (!x || !rois)
    return success();
  if (!ctx.assumeEqual((*rois)[1], ctx.constant(5)))
    return ctx.emitError() << "expects regions of 5 numbers, got "
                           << (*rois)[1];
  ctx.result(0).dims =
      Dims{(*rois)[0], (*x)[1], ctx.constant(getPooledShape()[0]),
           ctx.constant(getPooledShape()[1])};
  return success();
}

LogicalResult MaxUnpoolOp::inferShapes(ShapeContext &ctx) {
  const auto &x = ctx.operand(0).dims, &at = ctx.operand(1).dims;
  ctx.result(0).elementType = ctx.operand(0).elementType;
  if (!x)
    return success();
  int64_t rank = x->size(), space = rank - 2;
  if (rank < 3)
    return ctx.emitError() << "expects operand #0 of rank at least 3, got rank "
                           << rank;
  if (failed(ctx.expectRank(1, rank)) ||
      failed(checkNumbers(ctx, "kernel_shape", getKernelShape(), space, 1)) ||
      failed(checkNumbers(ctx, "strides", getStrides(), space, 1)) ||
      failed(checkNumbers(ctx, "pads", getPads(), 2 * space, 0)))
    return failure();
  for (int64_t i = 0; at && i < rank; ++i)
    if (!ctx.assumeEqual((*x)[i], (*at)[i]))
      return ctx.emitError()
             << "expects " << (*x)[i] << " positions in dimension " << i
             << ", got " << (*at)[i];
  if (ctx.isPresent(2)) {
    auto sizes = getSizes(ctx, 2, rank);
    if (failed(sizes))
      return failure();
    ctx.result(0).dims = *sizes ? **sizes : Dims(rank);
    return success();
  }
  Dims dims{(*x)[0], (*x)[1]};
  for (int64_t i = 0; i < space; ++i) {
    int64_t stride = getStrides() ? (*getStrides())[i] : 1;
    int64_t pad = getPads() ? (*getPads())[i] + (*getPads())[i + space] : 0;
    dims.push_back(
        simplify(((*x)[i + 2] - 1) * stride - pad + getKernelShape()[i]));
  }
  ctx.result(0).dims = dims;
  return success();
}

LogicalResult DeformConvOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 1, 2, 3, 4});
  if (failed(type))
    return failure();
  ctx.result(0).elementType = *type;
  const auto &x = ctx.operand(0).dims, &w = ctx.operand(1).dims,
             &offset = ctx.operand(2).dims;
  if (failed(ctx.expectRank(0, 4)) || failed(ctx.expectRank(1, 4)) ||
      failed(ctx.expectRank(2, 4)) || failed(ctx.expectRank(3, 1)) ||
      failed(ctx.expectRank(4, 4)) ||
      failed(checkNumbers(ctx, "kernel_shape", getKernelShape(), 2, 1)) ||
      failed(checkNumbers(ctx, "dilations", getDilations(), 2, 1)) ||
      failed(checkNumbers(ctx, "strides", getStrides(), 2, 1)) ||
      failed(checkNumbers(ctx, "pads", getPads(), 4, 0)))
    return failure();
  if (!x || !w || !offset)
    return success();
  if (!ctx.assumeEqual((*x)[1], simplify((*w)[1] * getGroup())))
    return ctx.emitError() << "expects " << simplify((*w)[1] * getGroup())
                           << " channels in operand #0, got " << (*x)[1];
  auto outputs = getConstant((*w)[0]), channels = getConstant((*x)[1]);
  if (outputs && *outputs % int64_t(getGroup()) != 0)
    return ctx.emitError() << "expects a multiple of group " << getGroup()
                           << " output channels, got " << *outputs;
  if (channels && *channels % int64_t(getOffsetGroup()) != 0)
    return ctx.emitError() << "expects a multiple of offset_group "
                           << getOffsetGroup() << " channels, got "
                           << *channels;
  AffineExpr kernel = simplify((*w)[2] * (*w)[3] * getOffsetGroup());
  Dims dims{(*x)[0], (*w)[0]};
  for (int i = 0; i < 2; ++i) {
    if (getKernelShape() &&
        !ctx.assumeEqual((*w)[i + 2], ctx.constant((*getKernelShape())[i])))
      return ctx.emitError()
             << "expects kernel_shape of the size of the "
                "weights, "
             << (*w)[i + 2] << ", got " << (*getKernelShape())[i];
    int64_t dilation = getDilations() ? (*getDilations())[i] : 1;
    int64_t stride = getStrides() ? (*getStrides())[i] : 1;
    int64_t pad = getPads() ? (*getPads())[i] + (*getPads())[i + 2] : 0;
    AffineExpr extent = ((*w)[i + 2] - 1) * dilation + 1;
    dims.push_back(simplify(((*x)[i + 2] + pad - extent).floorDiv(stride) + 1));
  }
  auto check = [&](unsigned i, AffineExpr count) -> LogicalResult {
    const auto &have = ctx.operand(i).dims;
    if (!ctx.isPresent(i) || !have)
      return success();
    Dims want{dims[0], simplify(count), dims[2], dims[3]};
    for (auto [a, b] : llvm::zip_equal(want, *have))
      if (!ctx.assumeEqual(a, b))
        return ctx.emitError()
               << "expects size " << a << " in operand #" << i << ", got " << b;
    return success();
  };
  if (failed(check(2, kernel * 2)) || failed(check(4, kernel)))
    return failure();
  if (const auto &bias = ctx.operand(3).dims;
      ctx.isPresent(3) && bias && !ctx.assumeEqual((*bias)[0], (*w)[0]))
    return ctx.emitError() << "expects " << (*w)[0]
                           << " elements in operand #3, got " << (*bias)[0];
  ctx.result(0).dims = dims;
  return success();
}
