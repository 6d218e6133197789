// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Target/Math/Math.h"

#include "Functions.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace lathe;

/// Functions that LLVM has an instruction or an exact expansion for.
static bool isNative(Operation *op) {
  return isa<math::AbsFOp, math::AbsIOp, math::SqrtOp, math::FmaOp,
             math::FloorOp, math::CeilOp, math::TruncOp, math::RoundEvenOp,
             math::CopySignOp, math::CountLeadingZerosOp,
             math::CountTrailingZerosOp, math::CtPopOp, math::IsNaNOp,
             math::IsInfOp, math::IsFiniteOp, math::IsNormalOp>(op);
}

static Type getType(Value like, Type element) {
  auto shaped = dyn_cast<ShapedType>(like.getType());
  return shaped ? Type(shaped.clone(element)) : element;
}

namespace {

using Function = Value (MathBuilder::*)(Value);
using Function2 = Value (MathBuilder::*)(Value, Value);

/// A function that has a form for f32 of its own.
template <typename OpT, Function F32> struct ExpandF32 : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    Type element = getElementTypeOrSelf(op.getType());
    if (element.getIntOrFloatBitWidth() > 32)
      return rewriter.notifyMatchFailure(op, "expected at most 32 bits");
    Location loc = op.getLoc();
    Value x = op.getOperand();
    bool narrow = !element.isF32();
    if (narrow)
      x = arith::ExtFOp::create(rewriter, loc,
                                getType(x, rewriter.getF32Type()), x);
    Value result = (MathBuilder(rewriter, loc).*F32)(x);
    if (narrow)
      result = arith::TruncFOp::create(rewriter, loc, op.getType(), result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// A function of any number of operands, computed in f64.
template <typename OpT, auto F> struct ExpandF64 : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    bool narrow = !getElementTypeOrSelf(op.getType()).isF64();
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(
          narrow ? Value(arith::ExtFOp::create(
                       rewriter, loc, getType(operand, rewriter.getF64Type()),
                       operand))
                 : operand);
    MathBuilder builder(rewriter, loc);
    Value result;
    if constexpr (std::is_same_v<decltype(F), Function2>)
      result = (builder.*F)(operands[0], operands[1]);
    else if constexpr (std::is_same_v<decltype(F), Function>)
      result = (builder.*F)(operands[0]);
    else
      result = F(builder, operands[0]);
    if (narrow)
      result = arith::TruncFOp::create(rewriter, loc, op.getType(), result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// Maxima and minima that keep NaNs, as one comparison and a selection where
/// one side is a known number. Zeros of both signs are equal, as in ONNX; told
/// so, LLVM has forms of three instructions for the others.
template <typename OpT> struct ExpandExtremum : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  static bool isNumber(Value value) {
    if (auto broadcast = value.getDefiningOp<vector::BroadcastOp>())
      value = broadcast.getSource();
    Attribute attr;
    if (!matchPattern(value, m_Constant(&attr)))
      return false;
    if (auto splat = dyn_cast<SplatElementsAttr>(attr))
      attr = splat.getSplatValue<Attribute>();
    auto number = dyn_cast<FloatAttr>(attr);
    return number && !number.getValue().isNaN();
  }

  LogicalResult matchAndRewrite(OpT op,
                                PatternRewriter &rewriter) const override {
    Location loc = op.getLoc();
    Value a = op.getLhs(), b = op.getRhs();
    if (isNumber(a))
      std::swap(a, b);
    auto predicate = std::is_same_v<OpT, arith::MaximumFOp>
                         ? arith::CmpFPredicate::OGT
                         : arith::CmpFPredicate::OLT;
    if (!isNumber(b)) {
      auto flags = op.getFastmath();
      if (arith::bitEnumContainsAll(flags, arith::FastMathFlags::nsz))
        return failure();
      rewriter.modifyOpInPlace(
          op, [&] { op.setFastmath(flags | arith::FastMathFlags::nsz); });
      return success();
    }
    // Unordered: `a`, which is the NaN.
    Value wins = arith::CmpFOp::create(rewriter, loc, predicate, b, a);
    Value result = arith::SelectOp::create(rewriter, loc, wins, b, a);
    rewriter.replaceOp(op, result);
    return success();
  }
};

} // namespace

static Value buildLog2(MathBuilder &builder, Value x) {
  return builder.mul(builder.log(x), builder.constant(x, 1.4426950408889634));
}

static Value buildLog10(MathBuilder &builder, Value x) {
  return builder.mul(builder.log(x), builder.constant(x, 0.43429448190325182));
}

LogicalResult lathe::expandMath(Operation *root) {
  MLIRContext *context = root->getContext();
  RewritePatternSet patterns(context);
  using M = MathBuilder;
  // The forms for f32 first; f64 is left to the others.
  patterns.add<ExpandF32<math::ExpOp, &M::expF32>,
               ExpandF32<math::TanhOp, &M::tanhF32>,
               ExpandF32<math::ErfOp, &M::erfF32>>(context, /*benefit=*/2);
  patterns.add<
      ExpandF64<math::ExpOp, &M::exp>, ExpandF64<math::TanhOp, &M::tanh>,
      ExpandF64<math::Exp2Op, &M::exp2>, ExpandF64<math::ExpM1Op, &M::expm1>,
      ExpandF64<math::LogOp, &M::log>, ExpandF64<math::Log1pOp, &M::log1p>,
      ExpandF64<math::Log2Op, &buildLog2>,
      ExpandF64<math::Log10Op, &buildLog10>, ExpandF64<math::SinOp, &M::sin>,
      ExpandF64<math::CosOp, &M::cos>, ExpandF64<math::TanOp, &M::tan>,
      ExpandF64<math::AtanOp, &M::atan>, ExpandF64<math::Atan2Op, &M::atan2>,
      ExpandF64<math::AsinOp, &M::asin>, ExpandF64<math::AcosOp, &M::acos>,
      ExpandF64<math::SinhOp, &M::sinh>, ExpandF64<math::CoshOp, &M::cosh>,
      ExpandF64<math::AsinhOp, &M::asinh>, ExpandF64<math::AcoshOp, &M::acosh>,
      ExpandF64<math::AtanhOp, &M::atanh>, ExpandF64<math::CbrtOp, &M::cbrt>,
      ExpandF64<math::ErfOp, &M::erf>, ExpandF64<math::ErfcOp, &M::erfc>,
      ExpandF64<math::PowFOp, &M::pow>>(context);
  patterns.add<ExpandExtremum<arith::MaximumFOp>,
               ExpandExtremum<arith::MinimumFOp>>(context);
  math::populateExpansionPatterns(
      patterns, {"rsqrt", "fpowi", "ipowi", "round", "clampf"});
  arith::populateCeilFloorDivExpandOpsPatterns(patterns);
  arith::populateExpandBFloat16Patterns(patterns);
  if (failed(applyPatternsGreedily(root, std::move(patterns))))
    return failure();
  WalkResult result = root->walk([](Operation *op) {
    if (!isa_and_nonnull<math::MathDialect>(op->getDialect()) || isNative(op))
      return WalkResult::advance();
    op->emitOpError("expected a function with an expansion for ")
        << op->getResult(0).getType();
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}
