// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Lower.h"

#include "CostModel.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Target/Math/Math.h"

#include "mlir/Conversion/AffineToStandard/AffineToStandard.h"
#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVM.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
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
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/MemRef/Transforms/Transforms.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Dominance.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/DialectConversion.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;
using namespace lathe;

/// Number of PTX's address space of shared memory.
static constexpr unsigned sharedSpace = 3;

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
  Value stride = arith::ConstantIndexOp::create(builder, loc, 1);
  unsigned next = dynamicSizes.size();
  for (int64_t i = type.getRank() - 1; i >= 0; --i) {
    Value size = type.isDynamicDim(i) ? dynamicSizes[--next]
                                      : Value(arith::ConstantIndexOp::create(
                                            builder, loc, type.getDimSize(i)));
    descriptor.setSize(builder, loc, i, toWord(size));
    descriptor.setStride(builder, loc, i, toWord(stride));
    stride = builder.createOrFold<arith::MulIOp>(loc, stride, size);
  }
  return UnrealizedConversionCastOp::create(builder, loc, TypeRange(type),
                                            Value(descriptor))
      .getResult(0);
}

namespace {
/// The function that the kernel becomes, still with structured control flow.
class FunctionBuilder {
public:
  FunctionBuilder(KernelOp kernel, StringRef symbol,
                  const LLVMTypeConverter &converter)
      : kernel(kernel), symbol(symbol), converter(converter),
        b(kernel.getContext()), loc(kernel.getLoc()),
        pointer(LLVM::LLVMPointerType::get(kernel.getContext())) {}
  FailureOr<ModuleOp> run();

private:
  void bindArguments(Block &entry);
  Value getShared(memref::AllocaOp alloca);
  FailureOr<Value> getScratch(memref::AllocOp alloc);
  void lowerGrid(scf::ForallOp forall, Value tiles);

  KernelOp kernel;
  StringRef symbol;
  const LLVMTypeConverter &converter;
  OpBuilder b;
  Location loc;
  Type pointer;
  ModuleOp module;
  IRMapping mapping;
  SmallVector<Value> sizes;
  Value scratch; ///< Of this block.
  unsigned numShared = 0;
};
} // namespace

void FunctionBuilder::bindArguments(Block &entry) {
  auto toIndex = [&](Value word) -> Value {
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), word);
  };
  for (BlockArgument size : kernel.getSizes()) {
    sizes.push_back(toIndex(entry.getArgument(size.getArgNumber())));
    mapping.map(size, sizes.back());
  }
  unsigned numBuffers = kernel.getNumInputs() + kernel.getNumOutputs();
  for (BlockArgument arg :
       kernel.getBlock().getArguments().take_front(numBuffers)) {
    SmallVector<Value> dynamic =
        llvm::map_to_vector(kernel.getDynamicDims(arg),
                            [&](Value size) { return mapping.lookup(size); });
    mapping.map(arg,
                buildBuffer(b, loc, converter, cast<MemRefType>(arg.getType()),
                            dynamic, entry.getArgument(arg.getArgNumber())));
  }
  Value block = gpu::BlockIdOp::create(b, loc, gpu::Dimension::x);
  block = arith::IndexCastOp::create(b, loc, b.getI64Type(), block);
  unsigned first = kernel.getBlock().getNumArguments();
  Value bytes =
      arith::MulIOp::create(b, loc, block, entry.getArgument(first + 1));
  scratch = LLVM::GEPOp::create(b, loc, pointer, b.getI8Type(),
                                entry.getArgument(first),
                                ArrayRef<LLVM::GEPArg>{bytes});
}

/// Shared memory is a global of its own address space, seen through a generic
/// pointer; LLVM finds the space again where it is used.
Value FunctionBuilder::getShared(memref::AllocaOp alloca) {
  MemRefType type = alloca.getType();
  int64_t bytes = type.getNumElements() *
                  llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  auto storage = LLVM::LLVMArrayType::get(b.getI8Type(), bytes);
  LLVM::GlobalOp global;
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    global = LLVM::GlobalOp::create(
        b, loc, storage, /*isConstant=*/false, LLVM::Linkage::Internal,
        (symbol + "_shared" + Twine(numShared++)).str(), Attribute(),
        /*alignment=*/16, sharedSpace);
  }
  Value address = LLVM::AddressOfOp::create(b, loc, global);
  address = LLVM::AddrSpaceCastOp::create(b, loc, pointer, address);
  return buildBuffer(b, loc, converter, type, {}, address);
}

FailureOr<Value> FunctionBuilder::getScratch(memref::AllocOp alloc) {
  auto offset = alloc->getAttrOfType<AffineMapAttr>("lathe.offset");
  if (!offset)
    return kernel.emitOpError("expected allocations to have an offset in "
                              "scratch memory, got one without");
  Value bytes = affine::makeComposedAffineApply(b, loc, offset.getValue(),
                                                getAsOpFoldResult(sizes));
  bytes = arith::IndexCastOp::create(b, loc, b.getI64Type(), bytes);
  Value address = LLVM::GEPOp::create(b, loc, pointer, b.getI8Type(), scratch,
                                      ArrayRef<LLVM::GEPArg>{bytes});
  SmallVector<Value> dynamic =
      llvm::map_to_vector(alloc.getDynamicSizes(),
                          [&](Value size) { return mapping.lookup(size); });
  return buildBuffer(b, loc, converter, alloc.getType(), dynamic, address);
}

/// A block computes tiles that are as far apart as there are blocks.
void FunctionBuilder::lowerGrid(scf::ForallOp forall, Value tiles) {
  b.setInsertionPoint(forall);
  SmallVector<Value> lower, steps, counts;
  AffineExpr lb, ub, step;
  bindSymbols(b.getContext(), lb, ub, step);
  for (auto [l, u, s] :
       llvm::zip_equal(forall.getMixedLowerBound(), forall.getMixedUpperBound(),
                       forall.getMixedStep())) {
    lower.push_back(getValueOrCreateConstantIndexOp(b, loc, l));
    steps.push_back(getValueOrCreateConstantIndexOp(b, loc, s));
    counts.push_back(getValueOrCreateConstantIndexOp(
        b, loc,
        affine::makeComposedFoldedAffineApply(b, loc, (ub - lb).ceilDiv(step),
                                              {l, u, s})));
  }
  auto loop = scf::ForOp::create(
      b, loc, gpu::BlockIdOp::create(b, loc, gpu::Dimension::x), tiles,
      gpu::GridDimOp::create(b, loc, gpu::Dimension::x));
  b.setInsertionPointToStart(loop.getBody());
  Value rest = loop.getInductionVar();
  SmallVector<Value> indices(counts.size());
  for (int i = counts.size() - 1; i >= 0; --i) {
    Value number = rest;
    if (i) {
      number = arith::RemUIOp::create(b, loc, rest, counts[i]);
      rest = arith::DivUIOp::create(b, loc, rest, counts[i]);
    }
    Value offset = arith::MulIOp::create(b, loc, number, steps[i]);
    indices[i] = arith::AddIOp::create(b, loc, lower[i], offset);
  }
  IRMapping inside;
  inside.map(forall.getInductionVars(), indices);
  for (Operation &op : forall.getBody()->without_terminator())
    b.clone(op, inside);
  forall.erase();
}

FailureOr<ModuleOp> FunctionBuilder::run() {
  module = ModuleOp::create(loc);
  OwningOpRef<ModuleOp> owner(module);
  b.setInsertionPointToEnd(module.getBody());
  Type word = b.getI64Type();
  unsigned numBuffers = kernel.getNumInputs() + kernel.getNumOutputs();
  SmallVector<Type> types(numBuffers, pointer);
  types.append(kernel.getSizes().size(), word);
  types.append({pointer, word, word});
  if (types.size() > cuda::maxParameters)
    return kernel.emitOpError("expected at most ")
           << cuda::maxParameters - 3 << " tensors and sizes, got "
           << types.size() - 3;
  auto function = func::FuncOp::create(b, loc, symbol,
                                       b.getFunctionType(types, TypeRange()));
  function->setAttr(NVVM::NVVMDialect::getKernelFuncAttrName(),
                    b.getUnitAttr());
  function->setAttr(NVVM::NVVMDialect::getMaxntidAttrName(),
                    b.getDenseI32ArrayAttr({int32_t(cuda::blockThreads)}));
  Block *entry = function.addEntryBlock();
  b.setInsertionPointToStart(entry);
  bindArguments(*entry);
  Value tiles = arith::IndexCastOp::create(
      b, loc, b.getIndexType(), entry->getArgument(types.size() - 1));
  for (Operation &op : kernel.getBlock().without_terminator()) {
    if (auto alloca = dyn_cast<memref::AllocaOp>(op)) {
      mapping.map(alloca.getResult(), getShared(alloca));
    } else if (auto alloc = dyn_cast<memref::AllocOp>(op)) {
      FailureOr<Value> buffer = getScratch(alloc);
      if (failed(buffer))
        return failure();
      mapping.map(alloc.getResult(), *buffer);
    } else {
      b.clone(op, mapping);
    }
  }
  func::ReturnOp::create(b, loc);
  SmallVector<scf::ForallOp> foralls(entry->getOps<scf::ForallOp>());
  for (scf::ForallOp forall : foralls)
    lowerGrid(forall, tiles);
  return owner.release();
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

static LogicalResult lowerToNVVM(ModuleOp module,
                                 LLVMTypeConverter &converter) {
  MLIRContext *context = module.getContext();
  {
    RewritePatternSet patterns(context);
    memref::populateExpandStridedMetadataPatterns(patterns);
    memref::populateExpandOpsPatterns(patterns);
    if (failed(applyPatternsGreedily(module, std::move(patterns))) ||
        failed(expandMath(module)))
      return failure();
  }
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
  populateGpuToNVVMConversionPatterns(converter, patterns);
  arith::populateArithToLLVMConversionPatterns(converter, patterns);
  populateMathToLLVMConversionPatterns(converter, patterns);
  populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
  populateFuncToLLVMConversionPatterns(converter, patterns);
  cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
  ub::populateUBToLLVMConversionPatterns(converter, patterns);
  LLVMConversionTarget target(*context);
  target.addLegalOp<ModuleOp>();
  target.addLegalDialect<NVVM::NVVMDialect>();
  // Buffers made from pointers are casts until all else is converted.
  target.addLegalOp<UnrealizedConversionCastOp>();
  if (failed(applyFullConversion(module, target, std::move(patterns))))
    return failure();
  SmallVector<UnrealizedConversionCastOp> casts;
  module.walk([&](UnrealizedConversionCastOp op) { casts.push_back(op); });
  reconcileUnrealizedCasts(casts);
  return success();
}

OwningOpRef<ModuleOp> cuda::lowerKernel(KernelOp kernel, StringRef symbol) {
  LowerToLLVMOptions options(kernel.getContext());
  LLVMTypeConverter converter(kernel.getContext(), options);
  FailureOr<ModuleOp> module = FunctionBuilder(kernel, symbol, converter).run();
  if (failed(module))
    return {};
  OwningOpRef<ModuleOp> owner(*module);
  if (failed(lowerToNVVM(*module, converter))) {
    kernel.emitOpError("expected a body that can be lowered to NVVM");
    return {};
  }
  return owner;
}
