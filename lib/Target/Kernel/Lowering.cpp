// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Target/Kernel/Lowering.h"

#include "lathe/Target/Math/Math.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace lathe;

Value lathe::buildBuffer(OpBuilder &builder, Location loc,
                         const LLVMTypeConverter &converter, MemRefType type,
                         ValueRange dynamicSizes, Value pointer,
                         ValueRange within) {
  auto toWord = [&](Value index) -> Value {
    return arith::IndexCastOp::create(builder, loc, builder.getI64Type(),
                                      index);
  };
  auto descriptor =
      MemRefDescriptor::poison(builder, loc, converter.convertType(type));
  descriptor.setAllocatedPtr(builder, loc, pointer);
  descriptor.setAlignedPtr(builder, loc, pointer);
  descriptor.setConstantOffset(builder, loc, 0);
  SmallVector<Value> sizes;
  unsigned next = 0;
  for (int64_t size : type.getShape())
    sizes.push_back(
        ShapedType::isDynamic(size)
            ? dynamicSizes[next++]
            : Value(arith::ConstantIndexOp::create(builder, loc, size)));
  SmallVector<Value> whole = within.empty() ? sizes : llvm::to_vector(within);
  Value stride = arith::ConstantIndexOp::create(builder, loc, 1);
  for (int64_t i = type.getRank() - 1; i >= 0; --i) {
    descriptor.setSize(builder, loc, i, toWord(sizes[i]));
    descriptor.setStride(builder, loc, i, toWord(stride));
    if (i)
      stride = builder.createOrFold<arith::MulIOp>(loc, stride, whole[i]);
  }
  return UnrealizedConversionCastOp::create(builder, loc, TypeRange(type),
                                            Value(descriptor))
      .getResult(0);
}

/// What stands for values of the kernel's body.
static SmallVector<Value> lookUp(const IRMapping &mapping, ValueRange values) {
  return llvm::map_to_vector(
      values, [&](Value value) { return mapping.lookup(value); });
}

void lathe::mapArgument(OpBuilder &builder, KernelOp kernel, BlockArgument arg,
                        Value address, const LLVMTypeConverter &converter,
                        IRMapping &mapping) {
  Location loc = kernel.getLoc();
  SmallVector<Value> dynamic = lookUp(mapping, kernel.getDynamicDims(arg));
  SmallVector<Value> sizes = lookUp(mapping, ValueRange(kernel.getSizes()));
  SmallVector<Value> within = llvm::map_to_vector(
      getWithin(kernel, arg.getArgNumber()), [&](AffineExpr size) -> Value {
        if (auto symbol = dyn_cast<AffineSymbolExpr>(size))
          return sizes[symbol.getPosition()];
        return arith::ConstantIndexOp::create(
            builder, loc, cast<AffineConstantExpr>(size).getValue());
      });
  mapping.map(arg, buildBuffer(builder, loc, converter,
                               cast<MemRefType>(arg.getType()), dynamic,
                               address, within));
}

LogicalResult lathe::mapScratch(OpBuilder &builder, KernelOp kernel,
                                memref::AllocOp alloc, Value scratch,
                                const LLVMTypeConverter &converter,
                                IRMapping &mapping) {
  auto offset = alloc->getAttrOfType<AffineMapAttr>("lathe.offset");
  if (!offset)
    return kernel.emitOpError("expected allocations to have an offset in "
                              "scratch memory, got one without");
  Location loc = kernel.getLoc();
  SmallVector<Value> sizes = lookUp(mapping, ValueRange(kernel.getSizes()));
  Value bytes = affine::makeComposedAffineApply(builder, loc, offset.getValue(),
                                                getAsOpFoldResult(sizes));
  bytes = arith::IndexCastOp::create(builder, loc, builder.getI64Type(), bytes);
  Value address =
      LLVM::GEPOp::create(builder, loc, scratch.getType(), builder.getI8Type(),
                          scratch, ArrayRef<LLVM::GEPArg>{bytes});
  mapping.map(alloc.getResult(),
              buildBuffer(builder, loc, converter, alloc.getType(),
                          lookUp(mapping, alloc.getDynamicSizes()), address));
  return success();
}

void lathe::lowerGrid(OpBuilder &builder, scf::ForallOp forall, Value begin,
                      Value end, Value step) {
  Location loc = forall.getLoc();
  builder.setInsertionPoint(forall);
  SmallVector<Value> lower, steps, counts;
  AffineExpr lb, ub, distance;
  bindSymbols(builder.getContext(), lb, ub, distance);
  for (auto [l, u, s] :
       llvm::zip_equal(forall.getMixedLowerBound(), forall.getMixedUpperBound(),
                       forall.getMixedStep())) {
    lower.push_back(getValueOrCreateConstantIndexOp(builder, loc, l));
    steps.push_back(getValueOrCreateConstantIndexOp(builder, loc, s));
    counts.push_back(getValueOrCreateConstantIndexOp(
        builder, loc,
        affine::makeComposedFoldedAffineApply(
            builder, loc, (ub - lb).ceilDiv(distance), {l, u, s})));
  }
  auto loop = scf::ForOp::create(builder, loc, begin, end, step);
  builder.setInsertionPointToStart(loop.getBody());
  Value rest = loop.getInductionVar();
  SmallVector<Value> indices(counts.size());
  for (int i = counts.size() - 1; i >= 0; --i) {
    Value number = rest;
    if (i) {
      number = arith::RemUIOp::create(builder, loc, rest, counts[i]);
      rest = arith::DivUIOp::create(builder, loc, rest, counts[i]);
    }
    Value offset = arith::MulIOp::create(builder, loc, number, steps[i]);
    indices[i] = arith::AddIOp::create(builder, loc, lower[i], offset);
  }
  IRMapping mapping;
  mapping.map(forall.getInductionVars(), indices);
  for (Operation &op : forall.getBody()->without_terminator())
    builder.clone(op, mapping);
  forall.erase();
}

/// Contraction of multiplications and additions to fused ones is allowed.
static void allowContraction(ModuleOp module) {
  module.walk([](arith::ArithFastMathInterface op) {
    auto attr = op.getFastMathFlagsAttr();
    auto flags = attr ? attr.getValue() : arith::FastMathFlags::none;
    op->setAttr(op.getFastMathAttrName(),
                arith::FastMathFlagsAttr::get(
                    op->getContext(), flags | arith::FastMathFlags::contract));
  });
}

LogicalResult
lathe::lowerToLLVM(ModuleOp module, LLVMTypeConverter &converter,
                   function_ref<void(RewritePatternSet &)> addExpansions,
                   function_ref<void(RewritePatternSet &, ConversionTarget &)>
                       addConversions) {
  MLIRContext *context = module.getContext();
  RewritePatternSet expansions(context);
  memref::populateExpandStridedMetadataPatterns(expansions);
  memref::populateExpandOpsPatterns(expansions);
  addExpansions(expansions);
  if (failed(applyPatternsGreedily(module, std::move(expansions))))
    return failure();
  if (failed(expandMath(module)))
    return failure();
  IRRewriter rewriter(context);
  DominanceInfo dominance(module);
  eliminateCommonSubExpressions(rewriter, dominance, module);
  allowContraction(module);
  {
    RewritePatternSet patterns(context);
    populateAffineToStdConversionPatterns(patterns);
    populateSCFToControlFlowConversionPatterns(patterns);
    ConversionTarget target(*context);
    target.markUnknownOpDynamicallyLegal([](Operation *) { return true; });
    target.addIllegalDialect<affine::AffineDialect, scf::SCFDialect>();
    if (failed(applyPartialConversion(module, target, std::move(patterns))))
      return failure();
  }
  RewritePatternSet patterns(context);
  LLVMConversionTarget target(*context);
  addConversions(patterns, target);
  arith::populateArithToLLVMConversionPatterns(converter, patterns);
  populateMathToLLVMConversionPatterns(converter, patterns);
  populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
  populateFuncToLLVMConversionPatterns(converter, patterns);
  cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
  ub::populateUBToLLVMConversionPatterns(converter, patterns);
  target.addLegalOp<ModuleOp>();
  // Buffers made from pointers are casts until all else is converted.
  target.addLegalOp<UnrealizedConversionCastOp>();
  if (failed(applyFullConversion(module, target, std::move(patterns))))
    return failure();
  SmallVector<UnrealizedConversionCastOp> casts;
  module.walk([&](UnrealizedConversionCastOp op) { casts.push_back(op); });
  reconcileUnrealizedCasts(casts);
  return success();
}
