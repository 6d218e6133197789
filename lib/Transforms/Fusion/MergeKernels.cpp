// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One loop over the tiles of all kernels, whose body finds out which kernel a
// tile is of. A kernel without a loop is one tile.

#include "MergeKernels.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;
using namespace lathe;

static scf::ForallOp findLoop(KernelOp kernel) {
  auto loops = kernel.getBlock().getOps<scf::ForallOp>();
  return loops.empty() ? scf::ForallOp() : *loops.begin();
}

/// Whether `op`, beside the loop over tiles, is the same for all of them.
static bool isCommon(Operation &op) {
  return isa<memref::AllocaOp>(op) || isPure(&op);
}

std::optional<StringRef> lathe::getMergeObstacle(KernelOp kernel) {
  Block &body = kernel.getBlock();
  if (!kernel.isBufferForm() || !kernel->hasAttr(gridAttrName))
    return "it has no grid of tiles";
  if (!body.getOps<memref::AllocOp>().empty())
    return "it has memory of its own";
  if (llvm::range_size(body.getOps<scf::ForallOp>()) > 1)
    return "it has more than one loop over tiles";
  scf::ForallOp loop = findLoop(kernel);
  for (Operation &op : body.without_terminator())
    if (loop && &op != loop && !isCommon(op))
      return "it does more than go through tiles";
  return std::nullopt;
}

int64_t lathe::getSharedBytes(KernelOp kernel) {
  int64_t bytes = 0;
  for (auto alloca : kernel.getBlock().getOps<memref::AllocaOp>())
    bytes += alloca.getType().getNumElements() *
             getElementBytes(alloca.getType().getElementType());
  return bytes;
}

/// Where the sizes of each kernel begin among those of all.
static SmallVector<unsigned> getFirstSizes(ArrayRef<KernelOp> kernels) {
  SmallVector<unsigned> firsts;
  unsigned next = 0;
  for (KernelOp kernel : kernels) {
    firsts.push_back(next);
    next += kernel.getSizes().size();
  }
  firsts.push_back(next);
  return firsts;
}

/// Sums up the maps `name` of kernels over their sizes.
static AffineMap addMaps(ArrayRef<KernelOp> kernels, StringRef name) {
  SmallVector<unsigned> firsts = getFirstSizes(kernels);
  SmallVector<AffineExpr> sums;
  for (auto [i, kernel] : llvm::enumerate(kernels)) {
    auto attr = kernel->getAttrOfType<AffineMapAttr>(name);
    if (!attr)
      return {};
    AffineMap map = attr.getValue();
    for (auto [r, expr] : llvm::enumerate(map.getResults())) {
      AffineExpr moved = expr.shiftSymbols(map.getNumSymbols(), firsts[i]);
      if (r < sums.size())
        sums[r] = sums[r] + moved;
      else
        sums.push_back(moved);
    }
  }
  return AffineMap::get(0, firsts.back(), sums, kernels.front()->getContext());
}

/// Index lists with `by` added to each.
static void appendMoved(ArrayAttr lists, int64_t by,
                        SmallVectorImpl<Attribute> &moved) {
  for (Attribute list : lists) {
    SmallVector<int64_t> entries(cast<DenseI64ArrayAttr>(list).asArrayRef());
    for (int64_t &entry : entries)
      entry += by;
    moved.push_back(DenseI64ArrayAttr::get(lists.getContext(), entries));
  }
}

/// The sizes of what inputs and results lie in, for all inputs and then for all
/// results; null where all lie by themselves.
static ArrayAttr mergeWithin(ArrayRef<KernelOp> kernels) {
  SmallVector<unsigned> firsts = getFirstSizes(kernels);
  MLIRContext *context = kernels.front()->getContext();
  SmallVector<Attribute> inputs, results;
  bool any = false;
  for (unsigned i = 0, e = kernels.size(); i != e; ++i) {
    KernelOp kernel = kernels[i];
    unsigned numInputs = kernel.getNumInputs();
    unsigned numArgs = numInputs + kernel.getNumOutputs();
    for (unsigned arg = 0; arg != numArgs; ++arg) {
      SmallVector<AffineExpr> sizes(lathe::getWithin(kernel, arg));
      for (AffineExpr &size : sizes)
        size = size.shiftSymbols(kernel.getSizes().size(), firsts[i]);
      any |= !sizes.empty();
      Attribute within = UnitAttr::get(context);
      if (!sizes.empty())
        within = AffineMapAttr::get(
            AffineMap::get(0, firsts.back(), sizes, context));
      (arg < numInputs ? inputs : results).push_back(within);
    }
  }
  llvm::append_range(inputs, results);
  return any ? ArrayAttr::get(context, inputs) : ArrayAttr();
}

/// The pairs of results and inputs that may share memory.
static ArrayAttr getInplace(ArrayRef<KernelOp> kernels) {
  SmallVector<Attribute> pairs;
  MLIRContext *context = kernels.front()->getContext();
  int64_t firstInput = 0, firstResult = 0;
  for (KernelOp kernel : kernels) {
    if (auto own = kernel->getAttrOfType<ArrayAttr>(inplaceAttrName))
      for (Attribute pair : own) {
        ArrayRef<int64_t> which = cast<DenseI64ArrayAttr>(pair).asArrayRef();
        pairs.push_back(DenseI64ArrayAttr::get(
            context, {which[0] + firstResult, which[1] + firstInput}));
      }
    firstInput += kernel.getNumInputs();
    firstResult += kernel.getNumOutputs();
  }
  return ArrayAttr::get(context, pairs);
}

/// Copies tile number `tile` of `kernel`.
static void copyTile(OpBuilder &builder, KernelOp kernel, Value tile,
                     IRMapping &mapping) {
  Location loc = kernel.getLoc();
  scf::ForallOp loop = findLoop(kernel);
  if (!loop) {
    for (Operation &op : kernel.getBlock().without_terminator())
      if (!isa<memref::AllocaOp>(op))
        builder.clone(op, mapping);
    return;
  }
  auto toValue = [&](OpFoldResult size) -> Value {
    if (auto value = dyn_cast<Value>(size))
      return mapping.lookupOrDefault(value);
    return getValueOrCreateConstantIndexOp(builder, loc, size);
  };
  AffineExpr lower, upper, step;
  bindSymbols(builder.getContext(), lower, upper, step);
  SmallVector<Value> lowers, steps, counts;
  for (auto [l, u, s] :
       llvm::zip_equal(loop.getMixedLowerBound(), loop.getMixedUpperBound(),
                       loop.getMixedStep())) {
    lowers.push_back(toValue(l));
    steps.push_back(toValue(s));
    counts.push_back(getValueOrCreateConstantIndexOp(
        builder, loc,
        affine::makeComposedFoldedAffineApply(
            builder, loc, (upper - lower).ceilDiv(step),
            getAsOpFoldResult({lowers.back(), toValue(u), steps.back()}))));
  }
  // The last loop runs fastest.
  Value rest = tile;
  for (int i = counts.size() - 1; i >= 0; --i) {
    Value number = rest;
    if (i) {
      number = arith::RemUIOp::create(builder, loc, rest, counts[i]);
      rest = arith::DivUIOp::create(builder, loc, rest, counts[i]);
    }
    Value offset = arith::MulIOp::create(builder, loc, number, steps[i]);
    mapping.map(loop.getInductionVar(i),
                Value(arith::AddIOp::create(builder, loc, lowers[i], offset)));
  }
  for (Operation &op : loop.getBody()->without_terminator())
    builder.clone(op, mapping);
}

KernelOp lathe::mergeKernels(OpBuilder &builder, ArrayRef<KernelOp> kernels,
                             StringRef name) {
  MLIRContext *context = builder.getContext();
  SmallVector<unsigned> firsts = getFirstSizes(kernels);
  SmallVector<Attribute> types, inputDims, resultDims;
  SmallVector<Location> locs;
  for (auto [i, kernel] : llvm::enumerate(SmallVector<KernelOp>(kernels))) {
    llvm::append_range(types, kernel.getResultTypes());
    appendMoved(kernel.getInputDims(), firsts[i], inputDims);
    appendMoved(kernel.getResultDims(), firsts[i], resultDims);
    locs.push_back(kernel.getLoc());
  }
  Location loc = FusedLoc::get(context, locs);
  auto merged = KernelOp::create(builder, loc, name, /*sym_visibility=*/nullptr,
                                 builder.getArrayAttr(types),
                                 builder.getArrayAttr(inputDims),
                                 builder.getArrayAttr(resultDims));
  Block *body = &merged.getBody().emplaceBlock();
  SmallVector<IRMapping> mappings(kernels.size());
  auto addArguments = [&](auto getArguments) {
    for (auto [kernel, mapping] : llvm::zip_equal(kernels, mappings))
      for (BlockArgument arg : getArguments(kernel))
        mapping.map(arg, body->addArgument(arg.getType(), loc));
  };
  addArguments([](KernelOp kernel) { return kernel.getInputs(); });
  addArguments([](KernelOp kernel) { return kernel.getOutputs(); });
  addArguments([](KernelOp kernel) { return kernel.getSizes(); });

  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(body);
  SmallVector<Value> begins;
  OpFoldResult next = builder.getIndexAttr(0);
  for (auto [i, mapping] : llvm::enumerate(mappings)) {
    KernelOp kernel = kernels[i];
    begins.push_back(getValueOrCreateConstantIndexOp(builder, loc, next));
    AffineMap grid =
        kernel->getAttrOfType<AffineMapAttr>(gridAttrName).getValue();
    SmallVector<OpFoldResult> operands;
    for (BlockArgument size : kernel.getSizes())
      operands.push_back(mapping.lookup(size));
    unsigned numSizes = operands.size();
    operands.push_back(next);
    next = affine::makeComposedFoldedAffineApply(
        builder, loc,
        AffineMap::get(0, numSizes + 1,
                       grid.getResult(0) +
                           builder.getAffineSymbolExpr(numSizes)),
        operands);
    bool loops = bool(findLoop(kernel));
    for (Operation &op : kernel.getBlock().without_terminator())
      if (loops ? !isa<scf::ForallOp>(op) : isa<memref::AllocaOp>(op))
        builder.clone(op, mapping);
  }
  begins.push_back(getValueOrCreateConstantIndexOp(builder, loc, next));
  auto forall = scf::ForallOp::create(
      builder, loc, ArrayRef<OpFoldResult>{builder.getIndexAttr(0)},
      ArrayRef<OpFoldResult>{next},
      ArrayRef<OpFoldResult>{builder.getIndexAttr(1)}, ValueRange(),
      /*mapping=*/std::nullopt);
  YieldOp::create(builder, loc);
  builder.setInsertionPointToStart(forall.getBody());
  Value tile = forall.getInductionVar(0);
  for (unsigned i = 0; i < kernels.size(); ++i) {
    // Tiles before this kernel's are large numbers.
    Value own = arith::SubIOp::create(builder, loc, tile, begins[i]);
    Value count = arith::SubIOp::create(builder, loc, begins[i + 1], begins[i]);
    Value isOwn = arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::ult,
                                        own, count);
    auto branch = scf::IfOp::create(builder, loc, isOwn, /*withElse=*/false);
    OpBuilder::InsertionGuard inBranch(builder);
    builder.setInsertionPointToStart(branch.thenBlock());
    copyTile(builder, kernels[i], own, mappings[i]);
  }
  merged->setAttr(gridAttrName,
                  AffineMapAttr::get(addMaps(kernels, gridAttrName)));
  if (AffineMap cost = addMaps(kernels, costAttrName))
    merged->setAttr(costAttrName, AffineMapAttr::get(cost));
  if (ArrayAttr within = mergeWithin(kernels))
    merged->setAttr(withinAttrName, within);
  if (ArrayAttr inplace = getInplace(kernels); !inplace.empty())
    merged->setAttr(inplaceAttrName, inplace);
  return merged;
}
