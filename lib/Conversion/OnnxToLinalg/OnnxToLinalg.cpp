// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Conversion/OnnxToLinalg/OnnxToLinalg.h"

#include "Families.h"
#include "Lowering.h"
#include "Values.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Onnx.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/Transforms/FuncConversions.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/DialectConversion.h"

namespace lathe {
#define GEN_PASS_DEF_CONVERTONNXTOLINALG
#include "lathe/Conversion/OnnxToLinalg/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

void lathe::populateStorageTypes(TypeConverter &types) {
  types.addConversion([](Type type) { return type; });
  types.addConversion([](RankedTensorType type) -> Type {
    return type.clone(getStorageType(type.getElementType()));
  });
  populateValueTypes(types);
}

/// Keeps the ONNX types of arguments and results that are stored as another.
static void keepSignature(func::FuncOp func, const TypeConverter &types) {
  auto isValue = [&](Type type) {
    return isa_and_present<ValueType>(types.convertType(type));
  };
  auto getText = [&](Type type) {
    return StringAttr::get(func.getContext(), getTypeText(type));
  };
  for (auto [i, type] : llvm::enumerate(func.getArgumentTypes())) {
    if (!types.isLegal(type))
      func.setArgAttr(i, typeAttrName, TypeAttr::get(type));
    if (isValue(type))
      func.setArgAttr(i, valueTypeAttrName, getText(type));
  }
  for (auto [i, type] : llvm::enumerate(func.getResultTypes())) {
    if (!types.isLegal(type))
      func.setResultAttr(i, typeAttrName, TypeAttr::get(type));
    if (isValue(type))
      func.setResultAttr(i, valueTypeAttrName, getText(type));
  }
}

/// Reports the `onnx` ops that are left, in the order of the program.
static bool reportUnsupported(func::FuncOp func) {
  bool any = false;
  func.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (!isa_and_nonnull<onnx::OnnxDialect>(op->getDialect()))
      return;
    // Parts of an op that is itself reported.
    if (isa<onnx::NoneOp>(op) || op->hasTrait<OpTrait::IsTerminator>())
      return;
    any = true;
    // What a lowering made before it failed has none; its op is reported.
    auto reason = op->getAttrOfType<StringAttr>(reasonAttrName);
    if (!reason)
      return;
    std::string name;
    if (auto loc = op->getLoc()->findInstanceOf<NameLoc>())
      name = loc.getName().str();
    StringRef opName = op->getName().getStringRef();
    op->emitError() << "node '" << name << "' ("
                    << opName.substr(opName.rfind('.') + 1)
                    << "): " << reason.getValue();
  });
  return any;
}

/// Erases what nobody reads, results of ONNX nodes among them.
static void eraseDead(func::FuncOp func) {
  IRRewriter rewriter(func.getContext());
  func.walk<WalkOrder::PostOrder, ReverseIterator>([&](Operation *op) {
    if (isOpTriviallyDead(op))
      rewriter.eraseOp(op);
  });
}

namespace {
/// Keeps an op that no lowering takes, with a reason, which makes it legal
/// until it is reported. So a lowering may make `onnx` ops: the conversion ends
/// the process where a pattern makes what cannot be legalized.
struct KeepUnsupported : ConversionPattern {
  explicit KeepUnsupported(MLIRContext *context)
      : ConversionPattern(MatchAnyOpTypeTag(), /*benefit=*/0, context) {}

  LogicalResult
  matchAndRewrite(Operation *op, ArrayRef<Value>,
                  ConversionPatternRewriter &rewriter) const override {
    if (!isa_and_nonnull<onnx::OnnxDialect>(op->getDialect()))
      return rewriter.notifyMatchFailure(op, "expected an op of ONNX");
    rewriter.modifyOpInPlace(op, [&] {
      if (!isKept(op))
        op->setAttr(
            reasonAttrName,
            rewriter.getStringAttr("expected an operator that can be lowered"));
    });
    return success();
  }

  static bool isKept(Operation *op) {
    return isa_and_nonnull<StringAttr>(op->getAttr(reasonAttrName));
  }
};

struct ConvertOnnxToLinalg
    : lathe::impl::ConvertOnnxToLinalgBase<ConvertOnnxToLinalg> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    MLIRContext *context = &getContext();
    TypeConverter types;
    populateStorageTypes(types);
    keepSignature(func, types);

    RewritePatternSet patterns(context);
    populateActivationPatterns(patterns, types);
    populateContractionPatterns(patterns, types);
    populateContribAttentionPatterns(patterns, types);
    populateContribPatterns(patterns, types);
    populateContribQuantPatterns(patterns, types);
    populateControlPatterns(patterns, types);
    populateConvolutionPatterns(patterns, types);
    populateDeformPatterns(patterns, types);
    populateDetPatterns(patterns, types);
    populateElementwisePatterns(patterns, types);
    populateGatherPatterns(patterns, types);
    populateLogicPatterns(patterns, types);
    populateMlMapPatterns(patterns, types);
    populateMlPatterns(patterns, types);
    populateMovementPatterns(patterns, types);
    populateNonMaxSuppressionPatterns(patterns, types);
    populateNonZeroPatterns(patterns, types);
    populateNormalizationPatterns(patterns, types);
    populatePoolingPatterns(patterns, types);
    populateQuantizePatterns(patterns, types);
    populateQuantizeProductPatterns(patterns, types);
    populateRandomPatterns(patterns, types);
    populateRecurrentPatterns(patterns, types);
    populateReducePatterns(patterns, types);
    populateRegionPatterns(patterns, types);
    populateResizePatterns(patterns, types);
    populateRunningPatterns(patterns, types);
    populateSamplingPatterns(patterns, types);
    populateSelectPatterns(patterns, types);
    populateSequencePatterns(patterns, types);
    populateShapePatterns(patterns, types);
    populateSignalPatterns(patterns, types);
    populateSlicePatterns(patterns, types);
    populateSoftmaxPatterns(patterns, types);
    populateSvmPatterns(patterns, types);
    populateTextPatterns(patterns, types);
    populateTopKPatterns(patterns, types);
    populateTrainingPatterns(patterns, types);
    populateTreePatterns(patterns, types);
    populateUniquePatterns(patterns, types);
    populateFunctionOpInterfaceTypeConversionPattern<func::FuncOp>(patterns,
                                                                   types);
    populateReturnOpTypeConversionPattern(patterns, types);
    patterns.add<KeepUnsupported>(context);

    ConversionTarget target(*context);
    target.addLegalDialect<LatheDialect, affine::AffineDialect,
                           arith::ArithDialect, linalg::LinalgDialect,
                           math::MathDialect, scf::SCFDialect,
                           tensor::TensorDialect>();
    // What stands between an argument of a sub-graph and its readers, until
    // those are converted.
    target.addLegalOp<UnrealizedConversionCastOp>();
    // What stays is reported at the end; the end of a sub-graph is part of its
    // op.
    target.addDynamicallyLegalDialect<onnx::OnnxDialect>([](Operation *op) {
      return KeepUnsupported::isKept(op) ||
             op->hasTrait<OpTrait::IsTerminator>();
    });
    // Stands for an omitted operand until its last reader is gone.
    target.addLegalOp<onnx::NoneOp>();
    target.addDynamicallyLegalOp<func::FuncOp>([&](func::FuncOp op) {
      return types.isSignatureLegal(op.getFunctionType());
    });
    target.addDynamicallyLegalOp<func::ReturnOp>(
        [&](func::ReturnOp op) { return types.isLegal(op); });

    ConversionConfig config;
    config.allowPatternRollback = false;
    config.foldingMode = DialectConversionFoldingMode::Never;
    // The casts beside an op that could not be lowered; the pass fails then.
    config.buildMaterializations = false;
    if (failed(applyPartialConversion(func, target, std::move(patterns),
                                      config))) {
      func.emitError("failed to lower the program to tensor loops");
      return signalPassFailure();
    }
    SmallVector<UnrealizedConversionCastOp> casts;
    func.walk([&](UnrealizedConversionCastOp op) { casts.push_back(op); });
    reconcileUnrealizedCasts(casts);
    eraseDead(func);
    if (reportUnsupported(func))
      signalPassFailure();
  }
};
} // namespace
