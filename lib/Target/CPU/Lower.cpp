// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Lower.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Target/Kernel/Lowering.h"

#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Dialect/Vector/Transforms/LoweringPatterns.h"
#include "mlir/Dialect/Vector/Transforms/VectorRewritePatterns.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace lathe;

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
  for (BlockArgument size : kernel.getSizes()) {
    Value value = arith::IndexCastOp::create(
        builder, loc, builder.getIndexType(), loadWord(size.getArgNumber()));
    mapping.map(size, value);
  }
  for (BlockArgument arg :
       kernel.getBlock().getArguments().take_front(numBuffers)) {
    Value address = LLVM::IntToPtrOp::create(builder, loc, pointer,
                                             loadWord(arg.getArgNumber()));
    mapArgument(builder, kernel, arg, address, converter, mapping);
  }
  auto toIndex = [&](Value value) -> Value {
    return arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                      value);
  };
  Value begin = toIndex(entry->getArgument(1));
  Value end = toIndex(entry->getArgument(2));
  for (Operation &op : kernel.getBlock().without_terminator()) {
    auto alloc = dyn_cast<memref::AllocOp>(op);
    if (!alloc)
      builder.clone(op, mapping);
    else if (failed(mapScratch(builder, kernel, alloc, scratch, converter,
                               mapping)))
      return failure();
  }
  Value zero =
      arith::ConstantOp::create(builder, loc, builder.getI32IntegerAttr(0));
  func::ReturnOp::create(builder, loc, zero);

  SmallVector<scf::ForallOp> foralls;
  for (auto forall : entry->getOps<scf::ForallOp>())
    foralls.push_back(forall);
  for (scf::ForallOp forall : foralls) {
    builder.setInsertionPoint(forall);
    Value one = arith::ConstantIndexOp::create(builder, forall.getLoc(), 1);
    lowerGrid(builder, forall, begin, end, one);
  }
  return module;
}

static LogicalResult lower(ModuleOp module, LLVMTypeConverter &converter) {
  return lowerToLLVM(
      module, converter,
      [](RewritePatternSet &patterns) {
        vector::populateVectorStepLoweringPatterns(patterns);
        vector::populateVectorFromElementsUnrollPatterns(patterns);
      },
      [&](RewritePatternSet &patterns, ConversionTarget &) {
        vector::populateVectorMaskMaterializationPatterns(
            patterns, /*force32BitVectorIndices=*/true);
        vector::populateVectorTransferLoweringPatterns(patterns);
        vector::populateVectorInsertExtractStridedSliceTransforms(patterns);
        vector::populateVectorRankReducingFMAPattern(patterns);
        populateVectorToLLVMConversionPatterns(
            converter, patterns, /*reassociateFPReductions=*/true,
            /*force32BitVectorIndices=*/true);
      });
}

OwningOpRef<ModuleOp> cpu::lowerKernel(KernelOp kernel, StringRef symbol) {
  LowerToLLVMOptions options(kernel.getContext());
  LLVMTypeConverter converter(kernel.getContext(), options);
  FailureOr<ModuleOp> module = buildFunction(kernel, symbol, converter);
  if (failed(module))
    return {};
  OwningOpRef<ModuleOp> owner(*module);
  if (failed(lower(*module, converter))) {
    kernel.emitOpError("expected a body that can be lowered to LLVM");
    return {};
  }
  return owner;
}
