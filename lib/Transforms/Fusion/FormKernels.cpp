// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernel forming. Groups grow from consumers to producers, in reverse program
// order. Each op of a group carries the *tile dimensions*: for each dimension
// of the group's tile space, which of the op's iteration dimensions follows it
// (or none). A producer joins when every consumer in the group asks, tile by
// tile, for exactly the elements that one tile of the producer makes; a
// dimension on which its consumers disagree is kept whole (it leaves the tile
// space), as is the row of a softmax. So no element is computed twice, and a
// tile depends on no other.
//
// A contraction may read what another one made, by way of ops over the row:
// attention. Its columns are then kept whole, so that a tile is some rows of
// the scores, which stay in a cache. Or a convolution of 1x1 may read what a
// window makes of each channel (`PointwiseProducts.cpp`): a tile is then some
// pixels with all channels.
//
// What stays apart: other contractions; a contraction and a reduction of its
// result; a producer that overlapping windows read (except padding); a producer
// whose other readers lie on a path back into the group.

#include "FusionKinds.h"
#include "KernelGraph.h"
#include "KernelGroup.h"
#include "PointwiseProducts.h"

#include "lathe/Transforms/Fusion/Passes.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"
#include <set>

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_FORMKERNELS
#include "lathe/Transforms/Fusion/Passes.h.inc"
} // namespace lathe

using namespace lathe;

namespace {
class Former {
public:
  Former(Block &block, const FormKernelsOptions &options)
      : block(block), graph(block), options(options) {
    for (const std::string &kind : options.disabled)
      off.insert(kind);
  }
  void run(int64_t &nextId);
  unsigned numFused = 0, numGroups = 0;

private:
  void grow(KernelGroup &group);
  bool tryJoin(Operation *producer, KernelGroup &group);
  bool tryJoinWhole(Operation *producer, KernelGroup &group);
  void join(Operation *producer, KernelGroup &group);
  /// The ops that `op` reads and that may be in its kernel.
  SmallVector<Operation *> getProducers(Operation *op);
  /// Says why the producer at hand does not join.
  bool refuse(StringRef why) {
    refusal = why;
    return false;
  }
  void explainGroup(KernelGroup &group);

  Block &block;
  KernelGraph graph;
  const FormKernelsOptions &options;
  StringRef refusal;
  /// What keeps the refused producer apart until it joins itself, if that is
  /// an op.
  Operation *between = nullptr;
  DenseMap<Operation *, StringRef> fusedAs;
  llvm::StringSet<> off;
  DenseMap<Operation *, KernelGroup *> owner;
  SmallVector<std::unique_ptr<KernelGroup>> groups;
};
} // namespace

void Former::join(Operation *producer, KernelGroup &group) {
  graph.merge(producer, group.getRoot());
  group.ops.insert(producer);
  owner[producer] = &group;
}

/// Ops without iteration dimensions (slices written one after the other) share
/// a kernel of one tile with the other ops of their node only.
bool Former::tryJoinWhole(Operation *producer, KernelGroup &group) {
  // What is worth tiles of its own stays apart.
  Role role = getRole(producer);
  if (isHeavy(role) || role == Role::Reduction || sharesPoints(producer))
    return refuse("one of them is not computed tile by tile");
  for (Operation *user : producer->getUsers())
    if (!group.contains(user) || !getNode(producer) ||
        getNode(user) != getNode(producer))
      return refuse("one of them is not computed tile by tile");
  // In a kernel of one tile all ops are of one node.
  ArrayRef<Operation *> others = group.ops.getArrayRef();
  for (Operation *op : group.traits.isWhole ? others.take_front() : others)
    if (getNode(op) != getNode(producer))
      return refuse("one of them is not computed tile by tile");
  // What is begun is finished: half of a tensor would be copied.
  bool isBegun = llvm::any_of(producer->getUses(), [](OpOperand &use) {
    auto insert = dyn_cast<tensor::InsertSliceOp>(use.getOwner());
    return insert && use == insert.getDestMutable();
  });
  if (group.ops.size() >= options.maxWholeOps && !isBegun)
    return refuse("the kernel has as many ops as are compiled together");
  join(producer, group);
  group.traits.isWhole = true;
  return true;
}

bool Former::tryJoin(Operation *producer, KernelGroup &group) {
  Role role = getRole(producer);
  GroupTraits &traits = group.traits;
  between = nullptr;
  if (owner.lookup(producer))
    return refuse("it is part of another kernel");
  if (isa<GridOp>(producer))
    return refuse("it is a grid of its own");
  if (readsWhole(producer, group))
    return refuse("it is read at computed places");
  if (role == Role::Other || traits.isWhole)
    return tryJoinWhole(producer, group);
  FailureOr<StringRef> kind =
      classify(producer, group, options.attention, options.cacheBytes, refusal);
  if (failed(kind))
    return false;
  bool outside = false;
  bool sameNode = true;
  for (Operation *user : producer->getUsers()) {
    if (!group.contains(user)) {
      outside = true;
      continue;
    }
    sameNode &= getNode(producer) && getNode(producer) == getNode(user);
  }
  if (role == Role::Fill) {
    if (outside)
      return refuse("something else is filled with it");
    join(producer, group);
    return true;
  }
  if (!sameNode && (!options.crossNode || off.contains(*kind)))
    return refuse("this kind of fusion is off");
  if (!sameNode && group.ops.size() >= options.maxOps)
    return refuse("the kernel has as many ops as are compiled together");
  if (outside && !sameNode && off.contains(multiOutputKind))
    return refuse("something else reads it, and multi-output is off");
  bool isScores =
      role == Role::Contraction && traits.isAttention && !traits.hasScores;
  bool isPixels = *kind == pointwiseKind;
  bool isInChain = isPixels || group.pixelChain.contains(producer);
  if (!isInChain && role != Role::Pad &&
      llvm::any_of(producer->getUsers(), [&](Operation *user) {
        return group.pixelChain.contains(user);
      }))
    return refuse("more than the pixels of the kernel's product come from it");
  if (isHeavy(role) && !isScores && !isInChain &&
      (traits.hasContraction || traits.hasReduction))
    return refuse("the kernel has a contraction or reduction already");
  if (role == Role::Reduction && traits.hasContraction && !traits.isAttention)
    return refuse("the kernel has a contraction already");

  bool shares = sharesPoints(producer);
  if ((shares && (traits.hasContraction || traits.hasReduction)) ||
      (traits.sharesPoints && role != Role::Elementwise && role != Role::Pad))
    return refuse("a reduction's blocks would compute what points share many "
                  "times");

  FailureOr<std::optional<TileDims>> tile = agreeOnTile(producer, group);
  if (failed(tile))
    return refuse("its tiles do not follow those of the kernel");
  if (!*tile)
    return refuse("nothing in the kernel reads it");
  const TileDims &agreed = **tile;
  if (shares && agreed != llvm::to_vector(llvm::seq<int64_t>(agreed.size())))
    return refuse("what reads it goes through its points in another order");
  if (isHeavy(role) && scatters(producer, agreed, group))
    return refuse("what it makes side by side would be stored far apart");
  auto [numKept, numBefore] = countTileDims(agreed, group);
  bool shrinks = numKept < numBefore;
  if (role != Role::Pad) {
    // Only row kernels and attention's columns give up tile dimensions, and
    // never all of them; what a contraction or window computes must keep its
    // tile.
    if (shrinks && (numKept == 0 || (*kind != attentionKind && !isPixels &&
                                     (traits.hasContraction || isHeavy(role)))))
      return refuse("the kernel would be one tile, or its tiles too large");
    // A producer read outside must be written by the same tiles as what the
    // kernel is for.
    if (outside) {
      FailureOr<SmallVector<int64_t>> made = getResultDims(producer, 0);
      if (failed(made) || role != Role::Elementwise ||
          getShape(producer) != getShape(group.getRoot()))
        return refuse("something outside of the kernel reads it");
    }
  } else if (outside) {
    return refuse("something outside of the kernel reads it");
  }
  if ((between = graph.findBetween(producer, group.getRoot())))
    return refuse("the kernels would wait for each other");

  if (shrinks && role != Role::Pad)
    shrinkTiles(agreed, group);
  if (isPixels)
    group.pixelChain =
        *findPixelChain(*producer->use_begin(), options.cacheBytes, refusal);
  join(producer, group);
  group.tiles[producer] = agreed;
  traits.hasContraction |= isHeavy(role);
  traits.hasReduction |= role == Role::Reduction;
  traits.isAttention |= *kind == attentionKind;
  traits.hasScores |= isScores;
  traits.sharesPoints |= shares;
  if (!sameNode) {
    ++numFused;
    fusedAs[producer] = *kind;
  }
  return true;
}

SmallVector<Operation *> Former::getProducers(Operation *op) {
  SmallVector<Operation *> producers;
  for (Value operand : op->getOperands())
    if (Operation *def = operand.getDefiningOp())
      if (def->getBlock() == &block && isComputeOp(def))
        producers.push_back(def);
  return producers;
}

void Former::grow(KernelGroup &group) {
  // Later producers first: they may be read by earlier ones' readers. One that
  // was refused is asked again when what it was refused for may have changed:
  // another op of the kernel reads it, what was between has joined, or the
  // kernel as a whole is another.
  std::set<std::pair<unsigned, Operation *>> asked;
  SmallVector<Operation *> refused;
  llvm::MapVector<Operation *, SmallVector<Operation *>> waiting;
  auto ask = [&](ArrayRef<Operation *> producers) {
    for (Operation *producer : producers)
      if (!group.contains(producer))
        asked.insert({graph.getPosition(producer), producer});
  };
  ask(getProducers(group.getRoot()));
  while (!asked.empty()) {
    Operation *producer = asked.rbegin()->second;
    asked.erase(std::prev(asked.end()));
    GroupTraits before = group.traits;
    if (!tryJoin(producer, group)) {
      refused.push_back(producer);
      if (between)
        waiting[between].push_back(producer);
      continue;
    }
    ask(getProducers(producer));
    ask(waiting.lookup(producer));
    if (!(before == group.traits))
      ask(std::exchange(refused, {}));
  }
}

/// A name of the node that `op` came from.
static StringRef getNodeLabel(Operation *op) {
  StringRef label = op->getName().getStringRef();
  op->getLoc()->walk([&](Location inner) {
    auto named = dyn_cast<NameLoc>(inner);
    if (!named)
      return WalkResult::advance();
    label = named.getName().getValue();
    return WalkResult::interrupt();
  });
  return label;
}

/// Writes on the producers that a finished group reads why they are not in it.
void Former::explainGroup(KernelGroup &group) {
  Builder builder(block.getParentOp()->getContext());
  SmallVector<Operation *> readers(group.ops.begin(), group.ops.end());
  for (Operation *reader : readers)
    for (Operation *producer : getProducers(reader)) {
      if (group.contains(producer))
        continue;
      // The group is as large as it gets: nothing joins any more.
      (void)tryJoin(producer, group);
      SmallVector<Attribute> reasons;
      if (auto known = producer->getAttrOfType<ArrayAttr>(apartAttrName))
        llvm::append_range(reasons, known);
      Attribute text =
          builder.getStringAttr("'" + getNodeLabel(producer) + "' and '" +
                                getNodeLabel(reader) + "': " + refusal);
      if (!llvm::is_contained(reasons, text))
        reasons.push_back(text);
      producer->setAttr(apartAttrName, builder.getArrayAttr(reasons));
    }
}

void Former::run(int64_t &nextId) {
  for (Operation &op : llvm::reverse(block)) {
    if (!isComputeOp(&op) || owner.lookup(&op) || op.use_empty())
      continue;
    groups.push_back(std::make_unique<KernelGroup>(nextId++, &op));
    KernelGroup &group = *groups.back();
    owner[&op] = &group;
    grow(group);
    if (options.explain)
      explainGroup(group);
    ++numGroups;
  }
  Builder builder(block.getParentOp()->getContext());
  for (std::unique_ptr<KernelGroup> &group : groups)
    for (Operation *op : group->ops)
      op->setAttr(groupAttrName, builder.getI64IntegerAttr(group->id));
  for (auto [op, kind] : fusedAs)
    op->setAttr(fusedAttrName, builder.getStringAttr(kind));
}

namespace {
struct FormKernels : public lathe::impl::FormKernelsBase<FormKernels> {
  using Base::Base;

  void runOnOperation() override {
    for (const std::string &kind : disabled)
      if (!llvm::is_contained(getFusionKinds(), kind)) {
        getOperation().emitError("expects a kind of fusion, got '")
            << kind << "'";
        return signalPassFailure();
      }
    // A fill belongs to the one op that it initializes, in the same block.
    SmallVector<linalg::FillOp> fills;
    getOperation().walk([&](linalg::FillOp fill) {
      if (!isInsideComputeOp(fill))
        fills.push_back(fill);
    });
    for (linalg::FillOp fill : fills) {
      OpBuilder builder(fill);
      while (!fill->use_empty() && !fill->hasOneUse()) {
        OpOperand &use = *fill->use_begin();
        builder.setInsertionPoint(use.getOwner());
        use.set(builder.clone(*fill)->getResult(0));
      }
      if (fill->hasOneUse())
        fill->moveBefore(fill->use_begin()->getOwner());
    }

    int64_t nextId = 0;
    SmallVector<Block *> blocks;
    for (Block &block : getOperation().getBody())
      blocks.push_back(&block);
    // Bodies of control flow in the program are programs themselves.
    getOperation().walk([&](Operation *op) {
      if (isa<scf::SCFDialect>(op->getDialect()) && !isInsideComputeOp(op))
        for (Region &region : op->getRegions())
          for (Block &block : region)
            blocks.push_back(&block);
    });
    FormKernelsOptions options;
    options.crossNode = crossNode;
    options.disabled.assign(disabled.begin(), disabled.end());
    options.attention = attention;
    options.cacheBytes = cacheBytes;
    options.explain = explain;
    options.maxOps = maxOps;
    options.maxWholeOps = maxWholeOps;
    for (Block *block : blocks) {
      Former former(*block, options);
      former.run(nextId);
      numFused += former.numFused;
      numGroups += former.numGroups;
    }
  }
};
} // namespace
