// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Concatenations without copies. A concatenation is a chain of slices inserted
// into an empty tensor. Chains are found first, and those that are runs of
// others' parts; then each is decided about in program order: which parts can
// lie in it, and whether that saves more than copying the others one by one
// costs. A part has one place, so the first concatenation that can has it.

#include "ConcatChain.h"
#include "KernelGroup.h"

#include "lathe/Transforms/Fusion/ConcatParts.h"
#include "lathe/Transforms/Fusion/Passes.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Iterators.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_FORMCONCATS
#include "lathe/Transforms/Fusion/Passes.h.inc"
} // namespace lathe

using namespace lathe;

/// What a dimension that is not known counts as.
static constexpr int64_t guessedSize = 64;

/// The elements of the dimensions of `type` from `first` on, as far as known.
static int64_t countElements(RankedTensorType type, int64_t first) {
  int64_t count = 1;
  for (int64_t size : type.getShape().drop_front(first))
    count *= ShapedType::isDynamic(size) ? guessedSize : size;
  return count;
}

static int64_t countBytes(Value value, int64_t firstDim = 0) {
  auto type = cast<RankedTensorType>(value.getType());
  return countElements(type, firstDim) * getElementBytes(type.getElementType());
}

//===----------------------------------------------------------------------===//
// What may lie in a concatenation
//===----------------------------------------------------------------------===//

/// Calls `visit` with the uses of the memory that `value` shows.
static void visitUses(Value value, function_ref<void(OpOperand &)> visit) {
  SmallVector<Value> aliases = {value};
  while (!aliases.empty())
    for (OpOperand &use : aliases.pop_back_val().getUses()) {
      if (isa<ViewOp, SliceOp>(use.getOwner()))
        aliases.push_back(use.getOwner()->getResult(0));
      else
        visit(use);
    }
}

/// Why `result`, of sizes `dims`, cannot hold its parts; empty where it can.
static StringRef findWhyNotWhole(Value result, ValueRange dims) {
  StringRef why;
  visitUses(result, [&](OpOperand &use) {
    Operation *user = use.getOwner();
    auto insert = dyn_cast<InsertOp>(user);
    if (isa<LoopLikeOpInterface>(user) ||
        (insert && use == insert.getDestMutable()))
      why = "it is changed in place";
    else if (isa<scf::SCFDialect>(user->getDialect()) && !dims.empty())
      why = "control flow makes room for it";
  });
  return why;
}

/// Why the memory of `root` cannot have the strides of another tensor, in which
/// `axis` and what is inside of it are rows; empty where it can.
static StringRef findWhyNotStrided(Value root, int64_t axis,
                                   const FormConcatsOptions &options) {
  if (countBytes(root, axis) < options.rowBytes)
    return "its rows are too short to be stored one by one";
  llvm::SmallPtrSet<Operation *, 8> readers;
  for (Operation *user : root.getUsers()) {
    if (isa<ConcatOp>(user))
      continue;
    if (!isComputeOp(user) && !isInsideComputeOp(user))
      return "something other than a kernel reads it";
    // What is put into another concatenation is copied, or is the same part.
    if (!isa<tensor::InsertSliceOp>(user))
      readers.insert(user);
  }
  if (readers.size() > options.maxReaders &&
      countBytes(root) > options.cacheBytes)
    return "its other readers would lose more than a copy takes";
  if (auto concat = root.getDefiningOp<ConcatOp>())
    for (Value part : concat.getParts()) {
      if (getViewedValue(part) != part)
        return "it is made of what has another shape";
      StringRef why = findWhyNotStrided(part, axis, options);
      if (!why.empty())
        return why;
    }
  return "";
}

/// Why the memory of `root` cannot lie in another tensor; empty where it can.
static StringRef findWhyNotInside(Value root) {
  StringRef why;
  visitUses(root, [&](OpOperand &use) {
    Operation *user = use.getOwner();
    auto insert = dyn_cast<InsertOp>(user);
    if (isa<ConcatOp>(user))
      why = "another concatenation has it";
    else if (user->hasTrait<OpTrait::IsTerminator>() &&
             !isInsideComputeOp(user))
      why = "it has a place as a result";
    else if (isa<LoopLikeOpInterface>(user) ||
             (insert && use == insert.getDestMutable()))
      why = "it is changed in place";
  });
  return why;
}

//===----------------------------------------------------------------------===//
// Deciding
//===----------------------------------------------------------------------===//

namespace {
class ConcatFormer {
public:
  ConcatFormer(func::FuncOp func, const FormConcatsOptions &options)
      : builder(func.getContext()), entry(func.getBody().front()),
        options(options), free(entry.begin()) {}
  LogicalResult run(Block &block);
  unsigned numPlaced = 0, numCopied = 0;

private:
  bool haveKnownSizes(ValueRange values);
  StringRef findWhyNot(const ConcatChain &chain, Value part,
                       ArrayRef<Value> others);
  LogicalResult decide(ConcatChain &chain);
  FailureOr<Value> copy(const ConcatChain &chain, Value part);
  void moveToEntry(Value size);
  void explain(Operation *op, Value part, const ConcatChain &chain,
               StringRef why);

  OpBuilder builder;
  Block &entry;
  const FormConcatsOptions &options;
  /// What is before this, at the start of the program, are sizes.
  Block::iterator free;
  /// The results of chains to what shows them now.
  DenseMap<Value, Value> formed;
};
} // namespace

/// Whether all sizes are known when the program is entered, so that places are.
bool ConcatFormer::haveKnownSizes(ValueRange values) {
  return llvm::all_of(values, [&](Value value) {
    FailureOr<SmallVector<Value>> dims = getDynamicDims(builder, value);
    return succeeded(dims) && llvm::all_of(*dims, isKnownAtEntry);
  });
}

/// Why `part` is copied into what `chain` makes; empty where it lies there.
/// `others` are parts that do.
StringRef ConcatFormer::findWhyNot(const ConcatChain &chain, Value part,
                                   ArrayRef<Value> others) {
  Value root = getViewedValue(part);
  Operation *def = root.getDefiningOp();
  if (!def || (!isComputeOp(def) && !isa<ConcatOp>(def)))
    return "no kernel makes it";
  if (def->getBlock() != chain.getOp()->getBlock())
    return "it is made outside of the branch or the loop";
  if (llvm::is_contained(others, root))
    return "it is another part, too";
  if (StringRef why = findWhyNotInside(root); !why.empty())
    return why;
  ArrayRef<int64_t> outer = chain.getType().getShape().take_front(chain.axis);
  if (llvm::all_of(outer, [](int64_t size) { return size == 1; }))
    return "";
  if (root != part)
    return "it is a view of what has another shape";
  return findWhyNotStrided(root, chain.axis, options);
}

static StringRef getLabel(Location loc, StringRef otherwise) {
  SetVector<StringAttr> names;
  collectNodeNames(loc, names);
  return names.empty() ? otherwise : names.front().getValue();
}

void ConcatFormer::explain(Operation *op, Value part, const ConcatChain &chain,
                           StringRef why) {
  if (!options.explain)
    return;
  SmallVector<Attribute> reasons;
  if (auto known = op->getAttrOfType<ArrayAttr>(apartAttrName))
    llvm::append_range(reasons, known);
  reasons.push_back(builder.getStringAttr(
      "'" + getLabel(part.getLoc(), "input") + "' and '" +
      getLabel(chain.getOp()->getLoc(), "concat") + "': " + why));
  op->setAttr(apartAttrName, builder.getArrayAttr(reasons));
}

/// Moves a size that is known when the program is entered to its start, before
/// every kernel.
void ConcatFormer::moveToEntry(Value size) {
  Operation *op = size.getDefiningOp();
  if (op->getBlock() == &entry &&
      (free == entry.end() || op->isBeforeInBlock(&*free)))
    return;
  for (Value operand : op->getOperands())
    moveToEntry(operand);
  if (free != entry.end() && op == &*free)
    ++free;
  else
    op->moveBefore(&entry, free);
}

/// A copy of `part`, before the end of the chain.
FailureOr<Value> ConcatFormer::copy(const ConcatChain &chain, Value part) {
  Location loc = chain.getOp()->getLoc();
  FailureOr<SmallVector<Value>> dims = getDynamicDims(builder, part);
  if (failed(dims))
    return failure();
  Value empty = tensor::EmptyOp::create(builder, loc, part.getType(), *dims);
  auto made = linalg::CopyOp::create(builder, loc, part, empty);
  if (Attribute node = chain.getOp()->getAttr(nodeAttrName))
    made->setAttr(nodeAttrName, node);
  return made->getResult(0);
}

LogicalResult ConcatFormer::decide(ConcatChain &chain) {
  ValueRange dims = chain.getDims();
  builder.setInsertionPoint(chain.getOp());
  StringRef why = findWhyNotWhole(chain.getResult(), dims);
  if (!llvm::all_of(dims, isKnownAtEntry) || !haveKnownSizes(chain.parts))
    why = "its sizes are not known when the program is entered";
  if (!why.empty()) {
    explain(chain.getOp(), chain.parts.front(), chain, why);
    return success();
  }
  SmallVector<Value> parts, placed;
  SmallVector<StringRef> reasons;
  int64_t saved = options.launchBytes;
  for (Value part : chain.parts) {
    if (Value shown = formed.lookup(part))
      part = shown;
    parts.push_back(part);
    reasons.push_back(findWhyNot(chain, part, placed));
    if (reasons.back().empty())
      placed.push_back(getViewedValue(part));
    // What the node itself makes, as another layout, is a copy as well.
    Operation *def = getViewedValue(part).getDefiningOp();
    bool isSaved = reasons.back().empty() &&
                   (!getNode(def) || getNode(def) != getNode(chain.getOp()));
    saved += isSaved ? 2 * countBytes(part) : -options.launchBytes;
  }
  if (placed.empty() || saved <= 0) {
    for (auto [part, why] : llvm::zip_equal(parts, reasons))
      explain(chain.getOp(), part, chain,
              why.empty() ? "copying the other parts takes longer" : why);
    return success();
  }
  for (auto [part, why] : llvm::zip_equal(parts, reasons)) {
    if (why.empty())
      continue;
    FailureOr<Value> copied = copy(chain, part);
    if (failed(copied))
      return chain.getOp()->emitError("failed to find the sizes of a part");
    explain(copied->getDefiningOp(), part, chain, why);
    part = *copied;
  }
  numPlaced += placed.size();
  numCopied += parts.size() - placed.size();
  for (Value dim : dims)
    moveToEntry(dim);
  auto concat = ConcatOp::create(builder, chain.getOp()->getLoc(),
                                 chain.getType(), parts, dims, chain.axis);
  if (Attribute node = chain.getOp()->getAttr(nodeAttrName))
    concat->setAttr(nodeAttrName, node);
  formed[chain.getResult()] = concat;
  chain.getResult().replaceAllUsesWith(concat);
  return success();
}

LogicalResult ConcatFormer::run(Block &block) {
  SmallVector<ConcatChain> chains = findConcatChains(block);
  for (ConcatChain &chain : chains)
    if (!chain.isAbsorbed && failed(decide(chain)))
      return failure();
  for (ConcatChain &chain : llvm::reverse(chains))
    chain.eraseUnused();
  return success();
}

namespace {
struct FormConcats : public lathe::impl::FormConcatsBase<FormConcats> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp func = getOperation();
    // What nobody reads would leave parts without a place.
    func.walk<WalkOrder::PostOrder, ReverseIterator>([](Operation *op) {
      if (isOpTriviallyDead(op))
        op->erase();
    });
    SmallVector<Block *> blocks;
    func.walk<WalkOrder::PreOrder>([&](Block *block) {
      Operation *parent = block->getParentOp();
      if (!isComputeOp(parent) && !isInsideComputeOp(parent))
        blocks.push_back(block);
    });
    FormConcatsOptions options{explain, rowBytes, launchBytes, maxReaders,
                               cacheBytes};
    ConcatFormer former(func, options);
    for (Block *block : blocks)
      if (failed(former.run(*block)))
        return signalPassFailure();
    numPlaced = former.numPlaced;
    numCopied = former.numCopied;
  }
};
} // namespace
