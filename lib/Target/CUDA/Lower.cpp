// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Lower.h"

#include "CostModel.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Target/Kernel/Lowering.h"

#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Transforms/DialectConversion.h"

using namespace mlir;
using namespace lathe;

/// Number of PTX's address space of shared memory.
static constexpr unsigned sharedSpace = 3;

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

  KernelOp kernel;
  StringRef symbol;
  const LLVMTypeConverter &converter;
  OpBuilder b;
  Location loc;
  Type pointer;
  ModuleOp module;
  IRMapping mapping;
  Value scratch; ///< Of this block.
  unsigned numShared = 0;
};
} // namespace

void FunctionBuilder::bindArguments(Block &entry) {
  auto toIndex = [&](Value word) -> Value {
    return arith::IndexCastOp::create(b, loc, b.getIndexType(), word);
  };
  for (BlockArgument size : kernel.getSizes())
    mapping.map(size, toIndex(entry.getArgument(size.getArgNumber())));
  unsigned numBuffers = kernel.getNumInputs() + kernel.getNumOutputs();
  for (BlockArgument arg :
       kernel.getBlock().getArguments().take_front(numBuffers))
    mapArgument(b, kernel, arg, entry.getArgument(arg.getArgNumber()),
                converter, mapping);
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
      if (failed(mapScratch(b, kernel, alloc, scratch, converter, mapping)))
        return failure();
    } else {
      b.clone(op, mapping);
    }
  }
  func::ReturnOp::create(b, loc);
  SmallVector<scf::ForallOp> foralls(entry->getOps<scf::ForallOp>());
  // A block computes tiles that are as far apart as there are blocks.
  for (scf::ForallOp forall : foralls) {
    b.setInsertionPoint(forall);
    Value first = gpu::BlockIdOp::create(b, loc, gpu::Dimension::x);
    Value step = gpu::GridDimOp::create(b, loc, gpu::Dimension::x);
    lowerGrid(b, forall, first, tiles, step);
  }
  return owner.release();
}

static LogicalResult lower(ModuleOp module, LLVMTypeConverter &converter) {
  return lowerToLLVM(
      module, converter, [](RewritePatternSet &) {},
      [&](RewritePatternSet &patterns, ConversionTarget &target) {
        populateGpuToNVVMConversionPatterns(converter, patterns);
        target.addLegalDialect<NVVM::NVVMDialect>();
      });
}

OwningOpRef<ModuleOp> cuda::lowerKernel(KernelOp kernel, StringRef symbol) {
  LowerToLLVMOptions options(kernel.getContext());
  LLVMTypeConverter converter(kernel.getContext(), options);
  FailureOr<ModuleOp> module = FunctionBuilder(kernel, symbol, converter).run();
  if (failed(module))
    return {};
  OwningOpRef<ModuleOp> owner(*module);
  if (failed(lower(*module, converter))) {
    kernel.emitOpError("expected a body that can be lowered to NVVM");
    return {};
  }
  return owner;
}
