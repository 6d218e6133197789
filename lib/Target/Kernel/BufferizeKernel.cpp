// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Target/Kernel/Passes.h"
#include "lathe/Target/Kernel/Scratch.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.h"
#include "mlir/Dialect/Bufferization/IR/Bufferization.h"
#include "mlir/Dialect/Bufferization/Transforms/OneShotAnalysis.h"
#include "mlir/Dialect/Bufferization/Transforms/Transforms.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Interfaces/ValueBoundsOpInterface.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

namespace lathe {
#define GEN_PASS_DEF_BUFFERIZEKERNEL
#include "lathe/Target/Kernel/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

/// Bytes that one buffer may take of the stack.
static constexpr int64_t maxStackBytes = 4096;
/// Pairs of results and inputs that may share a buffer: each point of the
/// result depends on the input at the same point only.
static ArrayAttr findInplace(KernelOp kernel) {
  Builder builder(kernel.getContext());
  SmallVector<Attribute> pairs;
  // With several ops, one may have written where another still reads.
  SmallVector<linalg::LinalgOp> ops;
  kernel.walk([&](linalg::LinalgOp op) { ops.push_back(op); });
  if (ops.size() != 1)
    return {};
  linalg::LinalgOp op = ops.front();
  if (op.getNumParallelLoops() != op.getNumLoops() ||
      op.getNumDpsInits() != kernel.getNumOutputs())
    return {};
  bool reads = false;
  op.getBlock()->walk([&](tensor::ExtractOp) { reads = true; });
  if (reads)
    return {};
  SmallPtrSet<Value, 4> taken;
  for (auto [i, init] : llvm::enumerate(op.getDpsInitsMutable())) {
    AffineMap out = op.getMatchingIndexingMap(&init);
    for (OpOperand *operand : op.getDpsInputOperands()) {
      // The tile of an input, as tiling cut it: a slice at the point itself.
      Value source = operand->get();
      if (auto slice = source.getDefiningOp<tensor::ExtractSliceOp>())
        source = slice.getSource();
      auto arg = dyn_cast<BlockArgument>(source);
      // Storage of another width would overtake the input.
      if (!arg || arg.getOwner() != &kernel.getBlock() || !arg.hasOneUse() ||
          arg.getType() != kernel.getResultType(i) || !out.isIdentity() ||
          op.getMatchingIndexingMap(operand) != out ||
          kernel.getInputDims()[arg.getArgNumber()] !=
              kernel.getResultDims()[i] ||
          !getWithin(kernel, arg.getArgNumber()).empty() ||
          !getWithin(kernel, kernel.getNumInputs() + i).empty() ||
          !taken.insert(arg).second)
        continue;
      pairs.push_back(builder.getDenseI64ArrayAttr(
          {int64_t(i), int64_t(arg.getArgNumber())}));
      break;
    }
  }
  return pairs.empty() ? ArrayAttr() : builder.getArrayAttr(pairs);
}

/// The buffer of argument `arg`, with the strides of what it lies in.
static MemRefType getBufferType(KernelOp kernel, unsigned arg,
                                RankedTensorType type) {
  ArrayRef<AffineExpr> within = getWithin(kernel, arg);
  if (within.empty())
    return MemRefType::get(type.getShape(), type.getElementType());
  SmallVector<int64_t> strides(within.size(), 1);
  for (int64_t d = strides.size() - 1; d > 0; --d) {
    auto size = dyn_cast<AffineConstantExpr>(within[d]);
    bool isKnown = size && !ShapedType::isDynamic(strides[d]);
    strides[d - 1] =
        isKnown ? strides[d] * size.getValue() : ShapedType::kDynamic;
  }
  return MemRefType::get(
      type.getShape(), type.getElementType(),
      StridedLayoutAttr::get(kernel.getContext(), /*offset=*/0, strides));
}

/// Inputs become buffers, results are written into new arguments.
static void bufferizeSignature(KernelOp kernel) {
  OpBuilder builder(kernel.getContext());
  Block &block = kernel.getBlock();
  auto yield = cast<YieldOp>(block.getTerminator());
  Location loc = kernel.getLoc();
  unsigned numInputs = kernel.getNumInputs();
  builder.setInsertionPointToStart(&block);
  for (unsigned i = 0; i < numInputs; ++i) {
    BlockArgument input = block.getArgument(i);
    auto type = cast<RankedTensorType>(input.getType());
    input.setType(getBufferType(kernel, i, type));
    auto tensor = bufferization::ToTensorOp::create(
        builder, loc, type, input, /*restrict=*/true, /*writable=*/false);
    input.replaceAllUsesExcept(tensor, tensor);
  }
  builder.setInsertionPoint(yield);
  for (auto [i, value] : llvm::enumerate(yield.getResults())) {
    unsigned arg = numInputs + i;
    BlockArgument output = block.insertArgument(
        arg, getBufferType(kernel, arg, kernel.getResultType(i)), loc);
    bufferization::MaterializeInDestinationOp::create(
        builder, loc, /*result=*/Type(), value, output, /*restrict=*/true,
        /*writable=*/true);
  }
  yield->setOperands({});
}

/// An upper bound of `value` over the kernel's sizes (symbols).
static FailureOr<AffineExpr> getUpperBound(KernelOp kernel, Value value) {
  MLIRContext *context = kernel.getContext();
  if (FailureOr<int64_t> bound = ValueBoundsConstraintSet::computeConstantBound(
          presburger::BoundType::UB, ValueBoundsConstraintSet::Variable(value),
          nullptr,
          /*closedUB=*/true);
      succeeded(bound))
    return getAffineConstantExpr(*bound, context);
  AffineMap map;
  ValueDimList operands;
  auto stop = [&](Value v, std::optional<int64_t>, ValueBoundsConstraintSet &) {
    auto arg = dyn_cast<BlockArgument>(v);
    return arg && arg.getOwner() == &kernel.getBlock();
  };
  if (failed(ValueBoundsConstraintSet::computeBound(
          map, operands, presburger::BoundType::UB,
          ValueBoundsConstraintSet::Variable(value), stop, /*closedUB=*/true)))
    return failure();
  unsigned firstSize = kernel.getNumInputs() + kernel.getNumOutputs();
  SmallVector<AffineExpr> dims, symbols;
  for (auto [i, operand] : llvm::enumerate(operands)) {
    auto arg = dyn_cast<BlockArgument>(operand.first);
    if (!arg || operand.second || arg.getArgNumber() < firstSize)
      return failure();
    AffineExpr size =
        getAffineSymbolExpr(arg.getArgNumber() - firstSize, context);
    (i < map.getNumDims() ? dims : symbols).push_back(size);
  }
  return map.getResult(0).replaceDimsAndSymbols(dims, symbols);
}

/// Moves all allocations to the entry, with sizes that hold for every tile.
static LogicalResult placeAllocations(KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  SmallVector<memref::AllocOp> allocs;
  kernel.walk([&](memref::AllocOp op) { allocs.push_back(op); });
  unsigned numSizes = kernel.getSizes().size();
  for (memref::AllocOp alloc : allocs) {
    MemRefType type = alloc.getType();
    // Bounds of all dimensions, and the buffer of that size.
    SmallVector<AffineExpr> bounds;
    SmallVector<int64_t> shape;
    unsigned next = 0;
    for (int64_t size : type.getShape()) {
      FailureOr<AffineExpr> bound = getAffineConstantExpr(size, context);
      if (ShapedType::isDynamic(size))
        bound = getUpperBound(kernel, alloc.getDynamicSizes()[next++]);
      if (failed(bound))
        return kernel.emitOpError("expected scratch of bounded size, got ")
               << type;
      bounds.push_back(*bound);
      auto constant = dyn_cast<AffineConstantExpr>(*bound);
      shape.push_back(constant ? constant.getValue() : ShapedType::kDynamic);
    }
    unsigned bytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
    OpBuilder builder(kernel.getContext());
    builder.setInsertionPointToStart(&kernel.getBlock());
    Location loc = alloc.getLoc();
    auto full = MemRefType::get(shape, type.getElementType());
    Value buffer;
    if (full.hasStaticShape() &&
        full.getNumElements() * bytes <= maxStackBytes) {
      buffer = memref::AllocaOp::create(
          builder, loc, full, builder.getI64IntegerAttr(scratchAlignment));
    } else {
      AffineExpr size = getAffineConstantExpr(bytes, context);
      for (AffineExpr bound : bounds)
        size = size * bound;
      SmallVector<Value> dynamic;
      SmallVector<Value> sizes(kernel.getSizes().begin(),
                               kernel.getSizes().end());
      for (AffineExpr bound : bounds)
        if (!isa<AffineConstantExpr>(bound))
          dynamic.push_back(affine::AffineApplyOp::create(
              builder, loc, AffineMap::get(0, numSizes, bound), sizes));
      auto scratch =
          memref::AllocOp::create(builder, loc, full, dynamic,
                                  builder.getI64IntegerAttr(scratchAlignment));
      scratch->setAttr("lathe.bytes",
                       AffineMapAttr::get(AffineMap::get(0, numSizes, size)));
      buffer = scratch;
    }
    if (full != type) {
      builder.setInsertionPoint(alloc);
      SmallVector<OpFoldResult> sizes = alloc.getMixedSizes();
      SmallVector<OpFoldResult> zeros(sizes.size(), builder.getIndexAttr(0));
      SmallVector<OpFoldResult> ones(sizes.size(), builder.getIndexAttr(1));
      buffer =
          memref::SubViewOp::create(builder, loc, buffer, zeros, sizes, ones);
      // Folded into the users, so that they see constant strides.
      buffer = memref::CastOp::create(builder, loc, type, buffer);
    }
    alloc.getResult().replaceAllUsesWith(buffer);
    alloc.erase();
  }
  assignScratch(kernel);
  return success();
}

namespace {
struct BufferizeKernel : lathe::impl::BufferizeKernelBase<BufferizeKernel> {
  using Base::Base;

  void runOnOperation() override {
    KernelOp kernel = getOperation();
    MLIRContext *context = &getContext();
    ArrayAttr inplace = findInplace(kernel);
    if (inplace)
      kernel->setAttr(inplaceAttrName, inplace);
    bufferizeSignature(kernel);
    IRRewriter rewriter(context);
    if (failed(bufferization::eliminateEmptyTensors(rewriter, kernel)))
      return signalPassFailure();

    bufferization::OneShotBufferizationOptions options;
    options.allowReturnAllocsFromLoops = true;
    options.memCpyFn = [](OpBuilder &builder, Location loc, Value from,
                          Value to) -> LogicalResult {
      linalg::makeMemRefCopyOp(builder, loc, from, to);
      return success();
    };
    bufferization::BufferizationState state;
    if (failed(bufferization::runOneShotBufferize(kernel, options, state))) {
      kernel.emitOpError("expected a body that can be turned into buffers");
      return signalPassFailure();
    }
    RewritePatternSet patterns(context);
    for (RegisteredOperationName name : context->getRegisteredOperations())
      if (llvm::is_contained(
              {"linalg", "memref", "affine", "arith", "scf", "bufferization"},
              name.getDialectNamespace()))
        name.getCanonicalizationPatterns(patterns, context);
    FrozenRewritePatternSet cleanup(std::move(patterns));
    auto clean = [&]() -> LogicalResult {
      if (failed(applyPatternsGreedily(kernel, cleanup)))
        return kernel.emitOpError(
            "expected the clean-up of buffers to converge");
      DominanceInfo dominance(kernel);
      eliminateCommonSubExpressions(rewriter, dominance, kernel);
      return success();
    };
    if (failed(clean()) || failed(placeAllocations(kernel)) || failed(clean()))
      return signalPassFailure();
  }
};
} // namespace
