// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Nest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Interfaces/ViewLikeInterface.h"
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

Operation *cuda::getCombiner(linalg::LinalgOp op, unsigned i) {
  BlockArgument running = op.getBlock()->getArgument(op.getNumDpsInputs() + i);
  Operation *combiner =
      op.getBlock()->getTerminator()->getOperand(i).getDefiningOp();
  if (!combiner || combiner->getBlock() != op.getBlock() ||
      combiner->getNumOperands() != 2 || !running.hasOneUse() ||
      *running.user_begin() != combiner || !arith::getNeutralElement(combiner))
    return nullptr;
  return combiner;
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

/// The allocation or argument that a buffer is a part of.
static Value getRoot(Value buffer) {
  while (auto view = buffer.getDefiningOp<ViewLikeOpInterface>())
    buffer = view.getViewSource();
  return buffer;
}

/// Whether an op between others has no part in what they do.
static bool isTransparent(Operation *op) {
  return isMemoryEffectFree(op) || isa<memref::AllocOp, memref::AllocaOp>(op);
}

/// Whether anything but the ops in `inside` uses the memory of `buffer`.
static bool isUsedOutside(Value buffer,
                          const SmallPtrSetImpl<Operation *> &inside) {
  Value root = getRoot(buffer);
  if (!root.getDefiningOp<memref::AllocOp>() &&
      !root.getDefiningOp<memref::AllocaOp>())
    return true;
  SmallVector<Value> worklist{root};
  while (!worklist.empty()) {
    Value value = worklist.pop_back_val();
    for (Operation *user : value.getUsers()) {
      if (isa<ViewLikeOpInterface>(user))
        llvm::append_range(worklist, user->getResults());
      else if (!inside.contains(user) && !isa<memref::DimOp>(user))
        return true;
    }
  }
  return false;
}

/// The fill that writes all of output `i` before `op`, with nothing between
/// that touches the same memory.
static linalg::FillOp findFill(linalg::LinalgOp op, unsigned i) {
  Value buffer = op.getDpsInitOperand(i)->get();
  for (Operation *prev = op->getPrevNode(); prev; prev = prev->getPrevNode()) {
    auto fill = dyn_cast<linalg::FillOp>(prev);
    if (fill && fill.getOutputs()[0] == buffer)
      return fill;
    if (isTransparent(prev))
      continue;
    auto other = dyn_cast<linalg::LinalgOp>(prev);
    if (!other || llvm::any_of(other->getOperands(), [&](Value operand) {
          return isa<MemRefType>(operand.getType()) &&
                 getRoot(operand) == getRoot(buffer);
        }))
      return {};
  }
  return {};
}

static linalg::LinalgOp findNext(linalg::LinalgOp op) {
  for (Operation *next = op->getNextNode(); next; next = next->getNextNode()) {
    if (auto found = dyn_cast<linalg::LinalgOp>(next))
      return found;
    if (!isTransparent(next))
      return {};
  }
  return {};
}

/// Whether the body reads memory by itself.
static bool readsMemory(linalg::LinalgOp op) {
  bool reads = false;
  op.getBlock()->walk([&](memref::LoadOp) { reads = true; });
  return reads;
}

/// Maps the dimensions of `stage` to the nest's through the results of earlier
/// stages that it reads.
static bool mapDims(const Nest &nest, Stage &stage) {
  linalg::LinalgOp op = stage.op;
  stage.dims.assign(op.getNumLoops(), ~0u);
  for (OpOperand *operand : op.getDpsInputOperands())
    for (auto [s, earlier] : llvm::enumerate(nest.stages)) {
      linalg::LinalgOp from = earlier.op;
      for (auto [i, init] : llvm::enumerate(from.getDpsInitsMutable())) {
        if (init.get() != operand->get())
          continue;
        AffineMap read = op.getMatchingIndexingMap(operand);
        AffineMap made = from.getMatchingIndexingMap(&init);
        if (!read.isPermutation() || !made.isProjectedPermutation())
          return false;
        for (auto [a, b] :
             llvm::zip_equal(read.getResults(), made.getResults())) {
          unsigned dim = earlier.dims[cast<AffineDimExpr>(b).getPosition()];
          unsigned &slot = stage.dims[cast<AffineDimExpr>(a).getPosition()];
          if (slot != ~0u && slot != dim)
            return false;
          slot = dim;
        }
        stage.fed[operand->getOperandNumber()] = {s, i};
      }
    }
  return !stage.fed.empty() && !llvm::is_contained(stage.dims, ~0u);
}

/// Whether `stage` touches memory of the nest other than at its own point.
static bool hasConflict(const Nest &nest, Stage &stage) {
  for (const Stage &earlier : nest.stages) {
    linalg::LinalgOp op = earlier.op;
    bool overwrites = false;
    op.getBlock()->walk([&](memref::LoadOp load) {
      for (Value init : stage.op.getDpsInits())
        overwrites |= getRoot(init) == getRoot(load.getMemRef());
    });
    if (overwrites)
      return true;
  }
  for (OpOperand &operand : stage.op->getOpOperands()) {
    if (!isa<MemRefType>(operand.get().getType()) ||
        stage.fed.contains(operand.getOperandNumber()))
      continue;
    Value root = getRoot(operand.get());
    bool isOutput = stage.op.isDpsInit(&operand);
    for (const Stage &earlier : nest.stages) {
      linalg::LinalgOp op = earlier.op;
      for (OpOperand &other : op->getOpOperands()) {
        if (!isa<MemRefType>(other.get().getType()) ||
            getRoot(other.get()) != root)
          continue;
        bool otherIsOutput = op.isDpsInit(&other);
        if (!isOutput && !otherIsOutput)
          continue;
        // The same element, written at the same point.
        if (isOutput && other.get() == operand.get() &&
            (otherIsOutput || earlier.fed.contains(other.getOperandNumber())))
          continue;
        return true;
      }
    }
  }
  return false;
}

static bool addStage(Nest &nest, linalg::LinalgOp op) {
  if (op.getNumParallelLoops() != op.getNumLoops() || isa<linalg::FillOp>(op) ||
      !op.hasPureBufferSemantics() || !isDistributable(op) || readsMemory(op))
    return false;
  // An output that is read would have to be stored first.
  for (OpOperand &init : op.getDpsInitsMutable())
    if (!op.getMatchingBlockArgument(&init).use_empty())
      return false;
  Stage stage;
  stage.op = op;
  if (!mapDims(nest, stage) || hasConflict(nest, stage))
    return false;
  nest.stages.push_back(std::move(stage));
  return true;
}

Nest cuda::collectNest(linalg::LinalgOp op) {
  Nest nest;
  Stage main;
  main.op = op;
  main.dims = llvm::to_vector(llvm::seq<unsigned>(0, op.getNumLoops()));
  nest.stages.push_back(std::move(main));
  nest.ops.push_back(op);
  for (unsigned i = 0, e = op.getNumDpsInits(); i < e; ++i) {
    bool reads =
        !op.getBlock()->getArgument(op.getNumDpsInputs() + i).use_empty();
    linalg::FillOp fill = reads ? findFill(op, i) : linalg::FillOp();
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
  for (unsigned s = 0; s < nest.stages.size(); ++s)
    for (Value init : nest.stages[s].op.getDpsInits()) {
      // A later stage that writes the same buffer overwrites it.
      bool overwritten = false, read = false;
      for (unsigned later = s + 1; later < nest.stages.size(); ++later) {
        linalg::LinalgOp reader = nest.stages[later].op;
        overwritten |= llvm::is_contained(reader.getDpsInits(), init);
        read |= llvm::is_contained(reader.getDpsInputs(), init);
      }
      nest.stages[s].stored.push_back(!overwritten &&
                                      (!read || isUsedOutside(init, inside)));
    }
  return nest;
}
