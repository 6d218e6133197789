// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Quantized models say where numbers are integers by pairs of operators: what
// is computed stands between DequantizeLinear and QuantizeLinear. A sum of
// products of dequantized bytes is
//   sum (a - za) * sa * (b - zb) * sb = sa * sb * sum (a - za) * (b - zb)
// as long as the scales do not change along the sum. The right sum is one of
// integers, exact where it cannot overflow 32 bits; the left one, in floats, is
// the same but for rounding. What follows (bias, activation, requantization)
// stays as it is, on the one number that the sum leaves.
//
// Left in floats: sums of unknown or great length, scales that change along the
// sum, floats of 8 bits, integers of other widths, and Gemm with factors.

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Logic.h"
#include "lathe/Dialect/Onnx/IR/Math.h"
#include "lathe/Dialect/Onnx/IR/Nn.h"
#include "lathe/Dialect/Onnx/IR/Quant.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "lathe/Dialect/Onnx/Transforms/Passes.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

namespace lathe {
#define GEN_PASS_DEF_RAISEQUANTIZED
#include "lathe/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lathe

/// The longest sum of products of differences of bytes that fits 32 bits.
static constexpr int64_t maxTerms = INT32_MAX / (255 * 255);

/// `value` as what dequantizes bytes to `f32`, each with one scale or one per
/// index of an axis; null if it is none.
static DequantizeLinearOp getDequantize(Value value) {
  auto op = value.getDefiningOp<DequantizeLinearOp>();
  if (!op || op.getBlockSize() != 0)
    return {};
  auto type = dyn_cast<RankedTensorType>(op.getX().getType());
  auto scale = dyn_cast<RankedTensorType>(op.getXScale().getType());
  auto result = dyn_cast<RankedTensorType>(op.getType());
  if (!type || !scale || !result || !scale.hasStaticShape() ||
      type.getElementTypeBitWidth() != 8 ||
      !isa<IntegerType>(type.getElementType()) ||
      !scale.getElementType().isF32() || !result.getElementType().isF32())
    return {};
  return op;
}

static int64_t getNumScales(DequantizeLinearOp op) {
  return cast<RankedTensorType>(op.getXScale().getType()).getNumElements();
}

static RankedTensorType getRankedType(Value value) {
  return dyn_cast<RankedTensorType>(value.getType());
}

namespace {
/// Makes the ops that take the place of one node.
struct Raiser {
  PatternRewriter &rewriter;
  Operation *op;
  Location loc;

  Raiser(PatternRewriter &rewriter, Operation *op)
      : rewriter(rewriter), op(op), loc(op->getLoc()) {
    rewriter.setInsertionPoint(op);
  }

  Value create(StringRef name, Type type, ValueRange operands,
               ArrayRef<NamedAttribute> attributes = {}) {
    OperationState state(loc, name, operands, type, attributes);
    if (Attribute node = op->getAttr(nodeAttrName))
      state.addAttribute(nodeAttrName, node);
    return rewriter.create(state)->getResult(0);
  }

  Value makeInts(ArrayRef<int64_t> values) {
    auto type =
        RankedTensorType::get({(int64_t)values.size()}, rewriter.getI64Type());
    return ConstantOp::create(rewriter, loc, type,
                              DenseElementsAttr::get(type, values));
  }

  Value reshape(Value value, ArrayRef<int64_t> shape) {
    auto type = cast<RankedTensorType>(value.getType()).clone(shape);
    return create(ReshapeOp::getOperationName(), type,
                  {value, makeInts(shape)});
  }

  /// The product of the scales: one number, or a vector.
  Value multiplyScales(DequantizeLinearOp a, DequantizeLinearOp b) {
    auto left = cast<RankedTensorType>(a.getXScale().getType());
    auto right = cast<RankedTensorType>(b.getXScale().getType());
    RankedTensorType type = left.getRank() > right.getRank() ? left : right;
    return create(MulOp::getOperationName(), type,
                  {a.getXScale(), b.getXScale()});
  }

  /// The sums, of type `i32`, times `scale`, plus `bias` (or null).
  void replace(Value sums, Value scale, Value bias) {
    auto type = cast<RankedTensorType>(op->getResult(0).getType());
    NamedAttribute to = rewriter.getNamedAttr(
        "to", rewriter.getI64IntegerAttr(getDataTypeOf(rewriter.getF32Type())));
    Value y = create(CastOp::getOperationName(), type, sums, to);
    y = create(MulOp::getOperationName(), type, {y, scale});
    if (bias)
      y = create(AddOp::getOperationName(), type, {y, bias});
    rewriter.replaceOp(op, y);
  }
};

struct RaiseConv : OpRewritePattern<ConvOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ConvOp op,
                                PatternRewriter &rewriter) const override {
    DequantizeLinearOp x = getDequantize(op.getX()),
                       w = getDequantize(op.getW());
    auto type = getRankedType(op.getResult());
    if (!x || !w || !type)
      return rewriter.notifyMatchFailure(op, "expected dequantized bytes");
    auto kernel = cast<RankedTensorType>(w.getX().getType());
    if (!kernel.hasStaticShape() || kernel.getRank() != type.getRank() ||
        kernel.getNumElements() / std::max<int64_t>(1, kernel.getDimSize(0)) >
            maxTerms)
      return rewriter.notifyMatchFailure(op, "expected a sum that fits");
    int64_t outputs = kernel.getDimSize(0);
    if (getNumScales(x) != 1 ||
        (getNumScales(w) != 1 &&
         (w.getAxis() + kernel.getRank()) % kernel.getRank() != 0))
      return rewriter.notifyMatchFailure(op, "expected one scale along sums");
    Raiser raiser(rewriter, op);
    SmallVector<NamedAttribute> attributes;
    for (NamedAttribute attribute : op->getAttrs())
      if (attribute.getName() != nodeAttrName)
        attributes.push_back(attribute);
    Value sums = raiser.create(
        ConvIntegerOp::getOperationName(), type.clone(rewriter.getI32Type()),
        {x.getX(), w.getX(), x.getXZeroPoint(), w.getXZeroPoint()}, attributes);
    SmallVector<int64_t> channels(type.getRank() - 1, 1);
    channels[0] = outputs;
    Value scale = raiser.multiplyScales(x, w);
    if (getNumScales(w) != 1)
      scale = raiser.reshape(scale, channels);
    Value bias;
    if (!isOmitted(op.getB()))
      bias = raiser.reshape(op.getB(), channels);
    raiser.replace(sums, scale, bias);
    return success();
  }
};

/// Whether the product of `a` and `b` is one of integers: the last dimension of
/// `a` is summed, and dimension `columns` of `b` is not.
static bool isIntegerProduct(DequantizeLinearOp a, DequantizeLinearOp b,
                             int64_t terms, int64_t columns) {
  auto right = cast<RankedTensorType>(b.getX().getType());
  return !ShapedType::isDynamic(terms) && terms <= maxTerms &&
         getNumScales(a) == 1 &&
         (getNumScales(b) == 1 ||
          (right.getRank() == 2 && (b.getAxis() + 2) % 2 == columns));
}

struct RaiseMatMul : OpRewritePattern<MatMulOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MatMulOp op,
                                PatternRewriter &rewriter) const override {
    DequantizeLinearOp a = getDequantize(op.getA()),
                       b = getDequantize(op.getB());
    auto type = getRankedType(op.getResult());
    if (!a || !b || !type || type.getRank() == 0)
      return rewriter.notifyMatchFailure(op, "expected dequantized bytes");
    auto left = cast<RankedTensorType>(a.getX().getType());
    if (!isIntegerProduct(a, b, left.getShape().back(), 1))
      return rewriter.notifyMatchFailure(op, "expected one scale along sums "
                                             "that fit");
    Raiser raiser(rewriter, op);
    Value sums = raiser.create(
        MatMulIntegerOp::getOperationName(), type.clone(rewriter.getI32Type()),
        {a.getX(), b.getX(), a.getXZeroPoint(), b.getXZeroPoint()});
    raiser.replace(sums, raiser.multiplyScales(a, b), Value());
    return success();
  }
};

struct RaiseGemm : OpRewritePattern<GemmOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(GemmOp op,
                                PatternRewriter &rewriter) const override {
    DequantizeLinearOp a = getDequantize(op.getA()),
                       b = getDequantize(op.getB());
    auto type = getRankedType(op.getResult());
    if (!a || !b || !type)
      return rewriter.notifyMatchFailure(op, "expected dequantized bytes");
    if (op.getTransA() || !op.getAlpha().isExactlyValue(1) ||
        !op.getBeta().isExactlyValue(1))
      return rewriter.notifyMatchFailure(op, "expected no factors and rows of "
                                             "the left matrix");
    auto left = cast<RankedTensorType>(a.getX().getType());
    int64_t columns = op.getTransB() ? 0 : 1;
    if (!isIntegerProduct(a, b, left.getShape().back(), columns))
      return rewriter.notifyMatchFailure(op, "expected one scale along sums "
                                             "that fit");
    Raiser raiser(rewriter, op);
    Value right = b.getX();
    if (op.getTransB()) {
      auto from = cast<RankedTensorType>(right.getType());
      right = raiser.create(
          TransposeOp::getOperationName(),
          from.clone({from.getDimSize(1), from.getDimSize(0)}), right,
          rewriter.getNamedAttr("perm", rewriter.getDenseI64ArrayAttr({1, 0})));
    }
    Value sums = raiser.create(
        MatMulIntegerOp::getOperationName(), type.clone(rewriter.getI32Type()),
        {a.getX(), right, a.getXZeroPoint(), b.getXZeroPoint()});
    raiser.replace(sums, raiser.multiplyScales(a, b),
                   isOmitted(op.getC()) ? Value() : op.getC());
    return success();
  }
};

/// Whether both are the same value, or both omitted.
static bool isSame(Value a, Value b) {
  if (a == b || (isOmitted(a) && isOmitted(b)))
    return true;
  auto left = a.getDefiningOp<ConstantOp>(),
       right = b.getDefiningOp<ConstantOp>();
  return left && right && left.getValue() == right.getValue();
}

/// What quantizes `value`, if it uses one scale and zero point that are those
/// of `from`, for numbers of the same type.
static QuantizeLinearOp getInverse(QuantizeLinearOp op,
                                   DequantizeLinearOp from) {
  auto scale = getRankedType(from.getXScale());
  if (op.getBlockSize() != 0 || op.getPrecision() != 0 || !scale ||
      scale.getNumElements() != 1 ||
      getElementTypeOrSelf(op.getType()) !=
          getElementTypeOrSelf(from.getX().getType()) ||
      !isSame(op.getYScale(), from.getXScale()) ||
      !isSame(op.getYZeroPoint(), from.getXZeroPoint()))
    return {};
  return op;
}

/// `Q(move(DQ(x)))` is `move(x)` where the two have one scale, and `move` puts
/// elements elsewhere or, a maximum, keeps their order.
struct SinkQuantize : OpRewritePattern<QuantizeLinearOp> {
  using OpRewritePattern::OpRewritePattern;

  static bool isMove(Operation *op) {
    if (auto pool = dyn_cast<MaxPoolOp>(op))
      return pool->getResult(1).use_empty();
    return op->hasTrait<RearrangesOperand>();
  }

  LogicalResult matchAndRewrite(QuantizeLinearOp op,
                                PatternRewriter &rewriter) const override {
    Operation *move = op.getX().getDefiningOp();
    DequantizeLinearOp from = getDequantize(op.getX());
    if (from) {
      if (!getInverse(op, from))
        return rewriter.notifyMatchFailure(op, "expected equal scales");
      rewriter.replaceOp(op, from.getX());
      return success();
    }
    if (!move || !isMove(move) || !op.getX().hasOneUse())
      return rewriter.notifyMatchFailure(op, "expected a moved operand");
    from = getDequantize(move->getOperand(0));
    auto moved = getRankedType(op.getX());
    if (!from || !moved || !getInverse(op, from))
      return rewriter.notifyMatchFailure(op, "expected equal scales");
    // A greater number must have a greater code.
    if (isa<MaxPoolOp>(move) && !isPositive(from.getXScale()))
      return rewriter.notifyMatchFailure(op, "expected a positive scale");
    rewriter.setInsertionPoint(op);
    IRMapping mapping;
    mapping.map(move->getOperand(0), from.getX());
    Operation *made = rewriter.clone(*move, mapping);
    made->getResult(0).setType(
        moved.clone(getElementTypeOrSelf(from.getX().getType())));
    rewriter.replaceOp(op, made->getResult(0));
    return success();
  }

  static bool isPositive(Value scale) {
    auto constant = scale.getDefiningOp<ConstantOp>();
    auto dense = constant ? dyn_cast<DenseElementsAttr>(constant.getValue())
                          : DenseElementsAttr();
    return dense &&
           llvm::all_of(dense.getValues<APFloat>(), [](const APFloat &x) {
             return x.isFiniteNonZero() && !x.isNegative();
           });
  }
};

struct RaiseQuantized : lathe::impl::RaiseQuantizedBase<RaiseQuantized> {
  using Base::Base;

  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<RaiseConv, RaiseMatMul, RaiseGemm, SinkQuantize>(
        &getContext());
    if (failed(applyPatternsGreedily(getOperation(), std::move(patterns)))) {
      getOperation().emitError("failed to raise quantized ops");
      signalPassFailure();
    }
  }
};
} // namespace
