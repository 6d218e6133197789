// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape rules of convolution and pooling.

#include "Rules.h"
#include "lathe/Dialect/Onnx/IR/Contrib.h"
#include "lathe/Dialect/Onnx/IR/Nn.h"
#include "lathe/Dialect/Onnx/IR/Quant.h"

using namespace mlir;
using namespace lathe::onnx;

namespace {
/// The attributes that windows have in common, with their defaults filled in.
struct Window {
  SmallVector<int64_t> strides, dilations, padsBefore, padsAfter;
  StringRef autoPad;
  bool ceilMode = false;
};
} // namespace

/// Reads an attribute with one positive number per dimension of space.
static FailureOr<SmallVector<int64_t>>
readPerDim(ShapeContext &ctx, StringRef name,
           std::optional<ArrayRef<int64_t>> given, size_t rank) {
  if (!given)
    return SmallVector<int64_t>(rank, 1);
  if (given->size() != rank) {
    ctx.emitError() << "expects " << rank << " numbers in " << name << ", got "
                    << given->size();
    return failure();
  }
  for (int64_t number : *given) {
    if (number < 1 || number > INT32_MAX) {
      ctx.emitError() << "expects positive numbers below 2^31 in " << name
                      << ", got " << number;
      return failure();
    }
  }
  return llvm::to_vector(*given);
}

template <typename OpTy>
static FailureOr<Window> readWindow(ShapeContext &ctx, OpTy op, size_t rank) {
  Window window;
  auto strides = readPerDim(ctx, "strides", op.getStrides(), rank);
  auto dilations = readPerDim(ctx, "dilations", op.getDilations(), rank);
  if (failed(strides) || failed(dilations))
    return failure();
  window.strides = *strides;
  window.dilations = *dilations;
  window.autoPad = op.getAutoPad();
  window.padsBefore.assign(rank, 0);
  window.padsAfter.assign(rank, 0);
  if (auto pads = op.getPads(); pads && window.autoPad == "NOTSET") {
    if (pads->size() != 2 * rank) {
      ctx.emitError() << "expects " << 2 * rank << " numbers in pads, got "
                      << pads->size();
      return failure();
    }
    for (int64_t pad : *pads) {
      if (pad > INT32_MAX || pad < -INT32_MAX) {
        ctx.emitError() << "expects numbers below 2^31 in pads, got " << pad;
        return failure();
      }
    }
    window.padsBefore = llvm::to_vector(pads->take_front(rank));
    window.padsAfter = llvm::to_vector(pads->drop_front(rank));
  }
  return window;
}

/// How many windows of size `kernel` fit into dimension `d` of size `size`.
static AffineExpr countWindows(ShapeContext &ctx, const Window &window,
                               size_t d, AffineExpr size, AffineExpr kernel) {
  int64_t stride = window.strides[d];
  if (window.autoPad.starts_with("SAME"))
    return simplify(size.ceilDiv(stride));
  AffineExpr extent = (kernel - 1) * window.dilations[d] + 1;
  int64_t before = window.padsBefore[d], after = window.padsAfter[d];
  AffineExpr room = simplify(size + before + after - extent);
  if (!window.ceilMode)
    return simplify(room.floorDiv(stride) + 1);
  // With `ceilMode` the last window may reach past the end, but may not start
  // behind the operand and the padding before it.
  auto slack = getConstant(simplify(ctx.constant(after + stride) - extent));
  if (slack && *slack > 0)
    return simplify((size + before).ceilDiv(stride));
  return simplify(room.ceilDiv(stride) + 1);
}

/// Sets the dims of a convolution or a pool: `head`, and then the number of
/// windows in each dimension of space.
static void setWindows(ShapeContext &ctx, const Window &window, Dims head,
                       ArrayRef<AffineExpr> space,
                       ArrayRef<AffineExpr> kernel) {
  for (auto [d, size] : llvm::enumerate(space))
    head.push_back(countWindows(ctx, window, d, size, kernel[d]));
  ctx.result(0).dims = head;
}

/// Reports unless X has batch, channels and at least one dimension of space.
static LogicalResult expectSpace(ShapeContext &ctx) {
  if (ctx.operand(0).dims && ctx.operand(0).getRank() < 3)
    return ctx.emitError() << "expects operand #0 of rank at least 3, got rank "
                           << ctx.operand(0).getRank();
  return success();
}

/// Checks `kernel_shape` against the sizes of the weights.
static LogicalResult checkKernelShape(ShapeContext &ctx,
                                      std::optional<ArrayRef<int64_t>> given,
                                      ArrayRef<AffineExpr> kernel) {
  if (!given)
    return success();
  if (given->size() != kernel.size())
    return ctx.emitError() << "expects " << kernel.size()
                           << " numbers in kernel_shape, got " << given->size();
  for (auto [number, size] : llvm::zip_equal(*given, kernel))
    if (!ctx.assumeEqual(size, ctx.constant(number)))
      return ctx.emitError() << "expects kernel_shape of the size of the "
                                "weights, "
                             << size << ", got " << number;
  return success();
}

/// The dims of a convolution of operand 0 by operand `weight`, to which operand
/// `bias` is added where there is one; and checks what is given per channel.
template <typename OpTy>
static LogicalResult inferConv(ShapeContext &ctx, OpTy op, unsigned weight,
                               std::optional<unsigned> bias,
                               ArrayRef<unsigned> perChannel = {}) {
  if (failed(expectSpace(ctx)))
    return failure();
  const auto &x = ctx.operand(0).dims, &w = ctx.operand(weight).dims;
  if (!x || !w)
    return success();
  if (failed(ctx.expectRank(weight, x->size())) ||
      (bias && failed(ctx.expectRank(*bias, 1))))
    return failure();
  ArrayRef<AffineExpr> space = ArrayRef(*x).drop_front(2);
  ArrayRef<AffineExpr> kernel = ArrayRef(*w).drop_front(2);
  if (failed(checkKernelShape(ctx, op.getKernelShape(), kernel)))
    return failure();
  AffineExpr channels = simplify((*w)[1] * op.getGroup());
  if (!ctx.assumeEqual((*x)[1], channels))
    return ctx.emitError() << "expects " << channels
                           << " channels in operand #0, got " << (*x)[1];
  auto outputs = getConstant((*w)[0]);
  if (outputs && *outputs % static_cast<int64_t>(op.getGroup()) != 0)
    return ctx.emitError() << "expects a multiple of group " << op.getGroup()
                           << " output channels, got " << *outputs;
  auto expectChannels = [&](unsigned i) -> LogicalResult {
    if (ctx.isPresent(i) && ctx.operand(i).dims &&
        !ctx.assumeEqual(ctx.operand(i).dims->front(), (*w)[0]))
      return ctx.emitError()
             << "expects " << (*w)[0] << " elements in operand #" << i
             << ", got " << ctx.operand(i).dims->front();
    return success();
  };
  if (bias && failed(expectChannels(*bias)))
    return failure();
  for (unsigned i : perChannel) {
    if (!ctx.isPresent(i) || !ctx.operand(i).dims)
      continue;
    const Dims &dims = *ctx.operand(i).dims;
    if (dims.empty() || (dims.size() == 1 && getConstant(dims[0]) == 1))
      continue;
    if (failed(ctx.expectRank(i, 1)) || failed(expectChannels(i)))
      return failure();
  }
  auto window = readWindow(ctx, op, space.size());
  if (failed(window))
    return failure();
  setWindows(ctx, *window, Dims{(*x)[0], (*w)[0]}, space, kernel);
  return success();
}

LogicalResult ConvOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 1, 2});
  if (failed(type))
    return failure();
  ctx.result(0).elementType = *type;
  return inferConv(ctx, *this, 1, 2);
}

LogicalResult MsFusedConvOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 1, 2, 3});
  if (failed(type))
    return failure();
  ctx.result(0).elementType = *type;
  if (failed(inferConv(ctx, *this, 1, 2)))
    return failure();
  if (!ctx.isPresent(3) || !ctx.operand(3).dims || !ctx.result(0).dims)
    return success();
  const Dims &dims = *ctx.result(0).dims;
  if (failed(ctx.expectRank(3, dims.size())))
    return failure();
  for (auto [size, got] : llvm::zip_equal(dims, *ctx.operand(3).dims))
    if (!ctx.assumeEqual(size, got))
      return ctx.emitError() << "expects operand #3 of the result's sizes, got "
                             << got << " for " << size;
  return success();
}

LogicalResult ConvIntegerOp::inferShapes(ShapeContext &ctx) {
  ctx.result(0).elementType = IntegerType::get(ctx.getContext(), 32);
  if (failed(ctx.getCommonElementType({0, 2})) ||
      failed(ctx.getCommonElementType({1, 3})) ||
      failed(rule::expectOneElement(ctx, 2)))
    return failure();
  return inferConv(ctx, *this, 1, std::nullopt, {3});
}

LogicalResult QLinearConvOp::inferShapes(ShapeContext &ctx) {
  ctx.result(0).elementType = ctx.operand(7).elementType;
  if (failed(ctx.getCommonElementType({0, 2})) ||
      failed(ctx.getCommonElementType({3, 5})))
    return failure();
  for (unsigned i : {1u, 2u, 6u, 7u})
    if (failed(rule::expectOneElement(ctx, i)))
      return failure();
  return inferConv(ctx, *this, 3, 8, {4, 5});
}

LogicalResult ConvTransposeOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 1, 2});
  if (failed(type) || failed(expectSpace(ctx)))
    return failure();
  ctx.result(0).elementType = *type;
  const auto &x = ctx.operand(0).dims, &w = ctx.operand(1).dims;
  if (!x || !w)
    return success();
  if (failed(ctx.expectRank(1, x->size())) || failed(ctx.expectRank(2, 1)))
    return failure();
  ArrayRef<AffineExpr> kernel = ArrayRef(*w).drop_front(2);
  size_t rank = kernel.size();
  if (failed(checkKernelShape(ctx, getKernelShape(), kernel)))
    return failure();
  if (!ctx.assumeEqual((*x)[1], (*w)[0]))
    return ctx.emitError() << "expects " << (*w)[0]
                           << " channels in operand #0, got " << (*x)[1];
  auto window = readWindow(ctx, *this, rank);
  if (failed(window))
    return failure();
  auto given = getOutputShape();
  auto extra = getOutputPadding();
  if ((given && given->size() != rank) || (extra && extra->size() != rank))
    return ctx.emitError() << "expects " << rank
                           << " numbers in output_shape and output_padding, "
                              "got another number";
  Dims dims{(*x)[0], simplify((*w)[1] * getGroup())};
  for (size_t d = 0; d < rank; ++d) {
    AffineExpr size = (*x)[d + 2];
    int64_t stride = window->strides[d];
    if (given)
      size = ctx.constant((*given)[d]);
    else if (window->autoPad.starts_with("SAME"))
      size = size * stride;
    else
      size = (size - 1) * stride + (extra ? (*extra)[d] : 0) +
             (kernel[d] - 1) * window->dilations[d] + 1 -
             window->padsBefore[d] - window->padsAfter[d];
    dims.push_back(size);
  }
  ctx.result(0).dims = dims;
  return success();
}

template <typename OpTy>
static LogicalResult inferPool(ShapeContext &ctx, OpTy op,
                               ArrayRef<AffineExpr> dims) {
  size_t rank = dims.size() - 2;
  auto sizes = readPerDim(ctx, "kernel_shape", op.getKernelShape(), rank);
  if (failed(sizes))
    return failure();
  auto window = readWindow(ctx, op, rank);
  if (failed(window))
    return failure();
  window->ceilMode = op.getCeilMode();
  Dims kernel;
  for (int64_t size : *sizes)
    kernel.push_back(ctx.constant(size));
  setWindows(ctx, *window, Dims(dims.take_front(2)), dims.drop_front(2),
             kernel);
  return success();
}

template <typename OpTy>
static LogicalResult inferPool(ShapeContext &ctx, OpTy op) {
  const TensorInfo &x = ctx.operand(0);
  ctx.result(0).elementType = x.elementType;
  if (failed(expectSpace(ctx)))
    return failure();
  return x.dims ? inferPool(ctx, op, *x.dims) : success();
}

LogicalResult AveragePoolOp::inferShapes(ShapeContext &ctx) {
  return inferPool(ctx, *this);
}

LogicalResult LpPoolOp::inferShapes(ShapeContext &ctx) {
  return inferPool(ctx, *this);
}

LogicalResult MaxPoolOp::inferShapes(ShapeContext &ctx) {
  if (failed(inferPool(ctx, *this)))
    return failure();
  ctx.result(1).elementType = IntegerType::get(ctx.getContext(), 64);
  ctx.result(1).dims = ctx.result(0).dims;
  return success();
}

LogicalResult MsNhwcMaxPoolOp::inferShapes(ShapeContext &ctx) {
  ctx.result(0).elementType = ctx.operand(0).elementType;
  if (failed(expectSpace(ctx)))
    return failure();
  if (!ctx.operand(0).dims)
    return success();
  Dims x = *ctx.operand(0).dims;
  // The channels go second, as in other pools, and back.
  std::rotate(x.begin() + 1, x.end() - 1, x.end());
  if (failed(inferPool(ctx, *this, x)))
    return failure();
  Dims &y = *ctx.result(0).dims;
  std::rotate(y.begin() + 1, y.begin() + 2, y.end());
  return success();
}

LogicalResult rule::globalPool(ShapeContext &ctx) {
  if (failed(expectSpace(ctx)) || failed(sameShape(ctx)))
    return failure();
  if (auto &dims = ctx.result(0).dims)
    std::fill(dims->begin() + 2, dims->end(), ctx.constant(1));
  return success();
}
