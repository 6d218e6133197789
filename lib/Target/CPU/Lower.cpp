// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Lower.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Target/Math/Math.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/IndexToLLVM/IndexToLLVM.h"
#include "mlir/Conversion/LLVMCommon/ConversionTarget.h"
#include "mlir/Conversion/LLVMCommon/MemRefBuilder.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/UBToLLVM/UBToLLVM.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace lathe;

/// A memref of identity layout over `pointer`, as the descriptor that it will
/// be.
static Value buildBuffer(OpBuilder &builder, Location loc,
                         const LLVMTypeConverter &converter, MemRefType type,
                         ValueRange dynamicSizes, Value pointer) {
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
  Value stride = arith::ConstantIndexOp::create(builder, loc, 1);
  for (int64_t i = type.getRank() - 1; i >= 0; --i) {
    descriptor.setSize(builder, loc, i, toWord(sizes[i]));
    descriptor.setStride(builder, loc, i, toWord(stride));
    if (i)
      stride = builder.createOrFold<arith::MulIOp>(loc, stride, sizes[i]);
  }
  return UnrealizedConversionCastOp::create(builder, loc, TypeRange(type),
                                            Value(descriptor))
      .getResult(0);
}

/// The loop over a grid, `scf.forall`, becomes a loop over its tiles' numbers.
static void lowerGrid(OpBuilder &builder, scf::ForallOp forall, Value begin,
                      Value end) {
  Location loc = forall.getLoc();
  builder.setInsertionPoint(forall);
  SmallVector<Value> lower, steps, counts;
  AffineExpr lb, ub, step;
  bindSymbols(builder.getContext(), lb, ub, step);
  for (auto [l, u, s] :
       llvm::zip_equal(forall.getMixedLowerBound(), forall.getMixedUpperBound(),
                       forall.getMixedStep())) {
    lower.push_back(getValueOrCreateConstantIndexOp(builder, loc, l));
    steps.push_back(getValueOrCreateConstantIndexOp(builder, loc, s));
    counts.push_back(getValueOrCreateConstantIndexOp(
        builder, loc,
        affine::makeComposedFoldedAffineApply(
            builder, loc, (ub - lb).ceilDiv(step), {l, u, s})));
  }
  Value one = arith::ConstantIndexOp::create(builder, loc, 1);
  auto loop = scf::ForOp::create(builder, loc, begin, end, one);
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

/// The function that the kernel becomes, still with structured control flow.
static FailureOr<ModuleOp> buildFunction(KernelOp kernel, StringRef symbol,
                                         const LLVMTypeConverter &converter) {
  Location loc = kernel.getLoc();
  OpBuilder builder(kernel.getContext());
  auto module = ModuleOp::create(loc);
  builder.setInsertionPointToEnd(module.getBody());
  Type pointer = LLVM::LLVMPointerType::get(kernel.getContext());
  Type word = builder.getI64Type(), i32 = builder.getI32Type();
  auto function = func::FuncOp::create(
      builder, loc, symbol,
      builder.getFunctionType({pointer, word, word, pointer}, {i32}));
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  Value args = entry->getArgument(0), scratch = entry->getArgument(3);

  auto loadWord = [&](unsigned i) -> Value {
    Value address = LLVM::GEPOp::create(builder, loc, pointer, word, args,
                                        ArrayRef<LLVM::GEPArg>{int32_t(i)});
    return LLVM::LoadOp::create(builder, loc, word, address);
  };
  IRMapping mapping;
  unsigned numBuffers = kernel.getNumInputs() + kernel.getNumOutputs();
  SmallVector<Value> sizes;
  for (BlockArgument size : kernel.getSizes()) {
    Value value = arith::IndexCastOp::create(
        builder, loc, builder.getIndexType(), loadWord(size.getArgNumber()));
    mapping.map(size, value);
    sizes.push_back(value);
  }
  for (BlockArgument arg :
       kernel.getBlock().getArguments().take_front(numBuffers)) {
    Value address = LLVM::IntToPtrOp::create(builder, loc, pointer,
                                             loadWord(arg.getArgNumber()));
    SmallVector<Value> dynamic =
        llvm::map_to_vector(kernel.getDynamicDims(arg),
                            [&](Value size) { return mapping.lookup(size); });
    mapping.map(arg,
                buildBuffer(builder, loc, converter,
                            cast<MemRefType>(arg.getType()), dynamic, address));
  }
  auto toIndex = [&](Value value) -> Value {
    return arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                      value);
  };
  Value begin = toIndex(entry->getArgument(1));
  Value end = toIndex(entry->getArgument(2));
  for (Operation &op : kernel.getBlock().without_terminator()) {
    auto alloc = dyn_cast<memref::AllocOp>(op);
    if (!alloc) {
      builder.clone(op, mapping);
      continue;
    }
    auto offset = alloc->getAttrOfType<AffineMapAttr>("lathe.offset");
    if (!offset)
      return kernel.emitOpError("expected allocations to have an offset in "
                                "scratch memory, got one without");
    Value bytes = affine::makeComposedAffineApply(
        builder, loc, offset.getValue(), getAsOpFoldResult(sizes));
    bytes = arith::IndexCastOp::create(builder, loc, word, bytes);
    Value address =
        LLVM::GEPOp::create(builder, loc, pointer, builder.getI8Type(), scratch,
                            ArrayRef<LLVM::GEPArg>{bytes});
    SmallVector<Value> dynamic =
        llvm::map_to_vector(alloc.getDynamicSizes(),
                            [&](Value size) { return mapping.lookup(size); });
    mapping.map(alloc.getResult(),
                buildBuffer(builder, loc, converter, alloc.getType(), dynamic,
                            address));
  }
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(0));
  func::ReturnOp::create(builder, loc, zero);

  SmallVector<scf::ForallOp> foralls;
  for (auto forall : entry->getOps<scf::ForallOp>())
    foralls.push_back(forall);
  for (scf::ForallOp forall : foralls)
    lowerGrid(builder, forall, begin, end);
  return module;
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

/// Patterns of one kind, run to the end.
static LogicalResult
runPatterns(ModuleOp module,
            llvm::function_ref<void(RewritePatternSet &)> populate) {
  RewritePatternSet patterns(module.getContext());
  populate(patterns);
  return applyPatternsGreedily(module, std::move(patterns));
}

static LogicalResult lowerToLLVM(ModuleOp module,
                                 LLVMTypeConverter &converter) {
  MLIRContext *context = module.getContext();
  if (failed(runPatterns(module, [](RewritePatternSet &patterns) {
        memref::populateExpandStridedMetadataPatterns(patterns);
        memref::populateExpandOpsPatterns(patterns);
        vector::populateVectorStepLoweringPatterns(patterns);
        vector::populateVectorFromElementsUnrollPatterns(patterns);
      })))
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
  vector::populateVectorMaskMaterializationPatterns(
      patterns, /*force32BitVectorIndices=*/true);
  vector::populateVectorTransferLoweringPatterns(patterns);
  vector::populateVectorInsertExtractStridedSliceTransforms(patterns);
  vector::populateVectorRankReducingFMAPattern(patterns);
  populateVectorToLLVMConversionPatterns(converter, patterns,
                                         /*reassociateFPReductions=*/true,
                                         /*force32BitVectorIndices=*/true);
  arith::populateArithToLLVMConversionPatterns(converter, patterns);
  populateMathToLLVMConversionPatterns(converter, patterns);
  populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
  populateFuncToLLVMConversionPatterns(converter, patterns);
  cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
  ub::populateUBToLLVMConversionPatterns(converter, patterns);
  LLVMConversionTarget target(*context);
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

OwningOpRef<ModuleOp> cpu::lowerKernel(KernelOp kernel, StringRef symbol) {
  LowerToLLVMOptions options(kernel.getContext());
  LLVMTypeConverter converter(kernel.getContext(), options);
  FailureOr<ModuleOp> module = buildFunction(kernel, symbol, converter);
  if (failed(module))
    return {};
  OwningOpRef<ModuleOp> owner(*module);
  if (failed(lowerToLLVM(*module, converter))) {
    kernel.emitOpError("expected a body that can be lowered to LLVM");
    return {};
  }
  return owner;
}
