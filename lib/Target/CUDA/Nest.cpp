// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Nest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SmallPtrSet.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cuda;

//===----------------------------------------------------------------------===//
// Properties of one op
//===----------------------------------------------------------------------===//

bool cuda::isDistributable(linalg::LinalgOp op) {
  uint64_t parallel = 0;
  for (auto [dim, iterator] : llvm::enumerate(op.getIteratorTypesArray()))
    if (iterator == utils::IteratorType::parallel)
      parallel |= uint64_t(1) << dim;
  for (OpOperand &init : op.getDpsInitsMutable()) {
    AffineMap map = op.getMatchingIndexingMap(&init);
    if (!map.isProjectedPermutation())
      return false;
    uint64_t dims = 0;
    for (AffineExpr expr : map.getResults())
      dims |= uint64_t(1) << cast<AffineDimExpr>(expr).getPosition();
    if (dims != parallel)
      return false;
  }
  WalkResult writes = op.getBlock()->walk([](Operation *inner) {
    if (isa<linalg::YieldOp>(inner) || isMemoryEffectFree(inner) ||
        hasEffect<MemoryEffects::Read>(inner))
      return WalkResult::advance();
    if (inner->getNumRegions() &&
        inner->hasTrait<OpTrait::HasRecursiveMemoryEffects>())
      return WalkResult::advance();
    return WalkResult::interrupt();
  });
  return !writes.wasInterrupted() && op.getNumLoops() <= 64;
}

uint64_t cuda::getDims(linalg::LinalgOp op, Value value) {
  uint64_t dims = 0;
  SmallVector<Value> worklist{value};
  SmallPtrSet<Operation *, 16> seen;
  auto add = [&](Operation *inner) {
    if (auto index = dyn_cast<linalg::IndexOp>(inner))
      dims |= uint64_t(1) << index.getDim();
    llvm::append_range(worklist, inner->getOperands());
  };
  while (!worklist.empty()) {
    Value v = worklist.pop_back_val();
    if (auto arg = dyn_cast<BlockArgument>(v)) {
      if (arg.getOwner() != op.getBlock())
        continue;
      AffineMap map =
          op.getMatchingIndexingMap(&op->getOpOperand(arg.getArgNumber()));
      for (unsigned d = 0; d < op.getNumLoops(); ++d)
        if (map.isFunctionOfDim(d))
          dims |= uint64_t(1) << d;
      continue;
    }
    Operation *def = v.getDefiningOp();
    if (!op->isProperAncestor(def) || !seen.insert(def).second)
      continue;
    add(def);
    def->walk(add);
  }
  return dims;
}

std::optional<Contraction> cuda::matchContraction(linalg::LinalgOp op) {
  if (op.getNumDpsInits() != 1 || !op.getNumReductionLoops() ||
      op.getNumLoops() > 64)
    return std::nullopt;
  Operation *combiner = getCombiner(op, 0);
  if (!combiner || !isa<arith::AddFOp, arith::AddIOp>(combiner))
    return std::nullopt;
  BlockArgument running = op.getBlock()->getArgument(op.getNumDpsInputs());
  Value product = combiner->getOperand(combiner->getOperand(0) == running);
  Operation *multiply = product.getDefiningOp();
  if (!isa_and_nonnull<arith::MulFOp, arith::MulIOp>(multiply))
    return std::nullopt;
  Contraction c{
      multiply->getOperand(0), multiply->getOperand(1), {}, {}, {}, {}};
  uint64_t lhs = getDims(op, c.lhs), rhs = getDims(op, c.rhs);
  // The columns are those of the result, so that stores are side by side.
  AffineMap out = op.getMatchingIndexingMap(op.getDpsInitOperand(0));
  if (out.getNumResults())
    if (auto last = dyn_cast<AffineDimExpr>(out.getResults().back()))
      if (lhs >> last.getPosition() & 1 && !(rhs >> last.getPosition() & 1)) {
        std::swap(c.lhs, c.rhs);
        std::swap(lhs, rhs);
      }
  for (auto [dim, iterator] : llvm::enumerate(op.getIteratorTypesArray())) {
    bool inLhs = lhs >> dim & 1, inRhs = rhs >> dim & 1;
    if (iterator == utils::IteratorType::reduction)
      c.depth.push_back(dim);
    else if (inLhs && !inRhs)
      c.rows.push_back(dim);
    else if (inRhs && !inLhs)
      c.columns.push_back(dim);
    else
      c.batch.push_back(dim);
  }
  if (c.columns.empty() || c.rows.empty())
    return std::nullopt;
  return c;
}

//===----------------------------------------------------------------------===//
// Nests
//===----------------------------------------------------------------------===//

static bool addStage(Nest &nest, linalg::LinalgOp op) {
  if (op.getNumParallelLoops() != op.getNumLoops() || isa<linalg::FillOp>(op) ||
      !op.hasPureBufferSemantics() || !isDistributable(op) || readsMemory(op))
    return false;
  // An output that is read would have to be stored first.
  for (OpOperand &init : op.getDpsInitsMutable())
    if (!op.getMatchingBlockArgument(&init).use_empty())
      return false;
  NestStage stage;
  stage.op = op;
  if (!mapStage(nest.stages, stage) || hasConflict(nest.stages, stage))
    return false;
  nest.stages.push_back(std::move(stage));
  return true;
}

Nest cuda::collectNest(linalg::LinalgOp op) {
  Nest nest;
  nest.stages.push_back(getFirstStage(op));
  nest.ops.push_back(op);
  for (unsigned i = 0, e = op.getNumDpsInits(); i < e; ++i) {
    linalg::FillOp fill =
        readsOutput(op, i) ? findFill(op, i) : linalg::FillOp();
    nest.initial.push_back(fill ? fill.getInputs()[0] : Value());
    if (fill)
      nest.ops.push_back(fill);
  }
  for (linalg::LinalgOp last = op; linalg::LinalgOp next = findNext(last);
       last = next) {
    if (!addStage(nest, next))
      break;
    nest.ops.push_back(next);
  }
  SmallPtrSet<Operation *, 8> inside(nest.ops.begin(), nest.ops.end());
  findStored(nest.stages, inside);
  return nest;
}
