// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Transforms/Fusion/ProgramOps.h"
#include "lathe/Transforms/Memory/ArenaPlan.h"
#include "lathe/Transforms/Memory/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/Interfaces/LoopLikeInterface.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_PLANMEMORY
#include "lathe/Transforms/Memory/Passes.h.inc"
} // namespace lathe

using namespace lathe;

/// Buffers start at cache lines, and vectors may be loaded aligned.
static constexpr int64_t alignment = 64;

namespace {
struct Slot {
  int64_t first, last;
  Value owner; ///< The first value in it, which gives its size.
  /// Bounds of the owner's dynamic dimensions.
  SmallVector<Value> dims;

  /// The bytes it takes at most, where that is a constant.
  std::optional<int64_t> getBytes() const;
};

class Planner {
public:
  Planner(func::FuncOp func, bool reuse) : func(func), reuse(reuse) {}
  LogicalResult run();

  SmallVector<Slot> slots;
  /// The last position at which each growable slot is needed.
  SmallVector<int64_t> growables;
  unsigned numInplace = 0;

private:
  int64_t getLastUse(Value value);
  int64_t addSlot(int64_t first, int64_t last, Value owner,
                  ArrayRef<Value> dims);
  Attribute addGrowable(int64_t first, int64_t last);
  /// A place of its own for `owner`: in the arena if its size has a bound.
  Attribute addPlace(int64_t first, int64_t last, Value owner);
  void findGrowing();
  /// Places what a launch or a library call makes.
  void placeResults(Operation *op);
  /// Places what parts lie in, before the first of them is made.
  void placeConcat(ConcatOp concat, int64_t here);
  void placeIf(scf::IfOp branch);
  LogicalResult placeLoop(Operation *loop, ValueRange inits, ValueRange carried,
                          ValueRange yields);
  bool haveEqualSizes(Value a, Value b);
  std::optional<int64_t> findInplace(LaunchOp launch, unsigned result);

  func::FuncOp func;
  bool reuse;
  SymbolTableCollection symbols;
  DenseMap<Operation *, int64_t> position;
  DenseMap<Value, int64_t> slotOf, growableOf, outputOf;
  DenseSet<Value> given;
  /// What loops make longer from step to step.
  DenseSet<Value> growing;
};
} // namespace

std::optional<int64_t> Slot::getBytes() const {
  auto type = cast<RankedTensorType>(owner.getType());
  int64_t bytes = getKnownBytes(type);
  for (Value dim : dims) {
    std::optional<int64_t> size = getConstantIntValue(dim);
    if (!size)
      return std::nullopt;
    bytes *= *size;
  }
  return bytes;
}

/// The position of the last op that needs the bytes of `value`.
int64_t Planner::getLastUse(Value value) {
  int64_t last = 0;
  SmallVector<Value> aliases = {value};
  while (!aliases.empty()) {
    Value alias = aliases.pop_back_val();
    for (Operation *user : alias.getUsers()) {
      if (isa<ViewOp, SliceOp, InsertOp>(user) &&
          (!isa<InsertOp>(user) || cast<InsertOp>(user).getDest() == alias)) {
        last = std::max(last, position.lookup(user));
        aliases.push_back(user->getResult(0));
        continue;
      }
      last = std::max(last, position.lookup(user));
      // A loop reads again what it reads once, if that lives outside.
      for (Operation *parent = user->getParentOp(); parent != func;
           parent = parent->getParentOp())
        if (isa<LoopLikeOpInterface>(parent) &&
            !parent->isAncestor(value.getParentRegion()->getParentOp()))
          last = std::max(
              last, position.lookup(
                        parent->getRegions().back().front().getTerminator()));
    }
  }
  return last;
}

bool Planner::haveEqualSizes(Value a, Value b) {
  auto typeA = cast<RankedTensorType>(a.getType());
  auto typeB = cast<RankedTensorType>(b.getType());
  if (getElementBytes(typeA.getElementType()) !=
      getElementBytes(typeB.getElementType()))
    return false;
  if (typeA.hasStaticShape() && typeB.hasStaticShape())
    return typeA.getNumElements() == typeB.getNumElements();
  if (typeA.getShape() != typeB.getShape())
    return false;
  auto dims = [&](Value value) -> FailureOr<SmallVector<Value>> {
    if (auto concat = value.getDefiningOp<ConcatOp>())
      return SmallVector<Value>(concat.getDims());
    auto launch = value.getDefiningOp<LaunchOp>();
    if (!launch)
      return failure();
    auto kernel = symbols.lookupNearestSymbolFrom<KernelOp>(
        launch, launch.getKernelAttr());
    unsigned i = cast<OpResult>(value).getResultNumber();
    return llvm::map_to_vector(
        cast<DenseI64ArrayAttr>(kernel.getResultDims()[i]).asArrayRef(),
        [&](int64_t p) -> Value { return launch.getSizes()[p]; });
  };
  FailureOr<SmallVector<Value>> dimsA = dims(a), dimsB = dims(b);
  return succeeded(dimsA) && succeeded(dimsB) && *dimsA == *dimsB;
}

/// The slot of an input that `result` may overwrite.
std::optional<int64_t> Planner::findInplace(LaunchOp launch, unsigned result) {
  auto kernel =
      symbols.lookupNearestSymbolFrom<KernelOp>(launch, launch.getKernelAttr());
  auto pairs = kernel->getAttrOfType<ArrayAttr>(inplaceAttrName);
  if (!pairs)
    return std::nullopt;
  for (Attribute pair : pairs) {
    ArrayRef<int64_t> which = cast<DenseI64ArrayAttr>(pair).asArrayRef();
    if (which[0] != result)
      continue;
    Value root = getViewedValue(launch.getInputs()[which[1]]);
    auto slot = slotOf.find(root);
    if (slot == slotOf.end())
      continue;
    Slot &held = slots[slot->second];
    if (held.last != position.lookup(launch) ||
        root.getParentBlock() != launch->getBlock() ||
        !haveEqualSizes(held.owner, launch.getResult(result)))
      continue;
    // The same buffer read another way in this launch must stay.
    if (llvm::count_if(launch.getInputs(),
                       [&](Value v) { return getStorageRoot(v) == root; }) > 1)
      continue;
    return slot->second;
  }
  return std::nullopt;
}

LogicalResult Planner::run() {
  int64_t next = 0;
  // Before-order: a loop comes before its body, so it is live all through it.
  func.walk<WalkOrder::PreOrder>([&](Operation *op) { position[op] = next++; });

  for (func::ReturnOp ret : func.getOps<func::ReturnOp>())
    for (auto [i, value] : llvm::enumerate(ret.getOperands())) {
      if (isa<ValueType>(value.getType()) ||
          func.getResultAttr(i, stateAttrName))
        continue;
      if (!isa<RankedTensorType>(value.getType()))
        return ret.emitError("expects results that are ranked tensors, got ")
               << value.getType();
      Value root = getViewedValue(value);
      if (!isa_and_present<LaunchOp, CallOp, ConcatOp>(root.getDefiningOp()) ||
          !outputOf.try_emplace(root, i).second)
        return ret.emitError("expects each result to be a launch's own, got "
                             "another for result ")
               << i;
    }

  findGrowing();
  WalkResult result = func.walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa<LaunchOp, CallOp>(op))
      placeResults(op);
    else if (auto branch = dyn_cast<scf::IfOp>(op))
      placeIf(branch);
    else if (auto loop = dyn_cast<scf::ForOp>(op))
      return WalkResult(placeLoop(loop, loop.getInitArgs(),
                                  loop.getRegionIterArgs(),
                                  loop.getYieldedValues()));
    else if (auto loop = dyn_cast<scf::WhileOp>(op))
      return WalkResult(placeLoop(loop, loop.getInits(),
                                  loop.getAfterArguments(),
                                  loop.getYieldOp().getOperands()));
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// Finds what loops carry in other sizes from step to step.
void Planner::findGrowing() {
  OpBuilder builder(func.getContext());
  auto find = [&](Operation *loop, ValueRange inits, ValueRange carried,
                  ValueRange yields) {
    for (auto [init, arg, yield] : llvm::zip_equal(inits, carried, yields)) {
      if (!isa<RankedTensorType>(init.getType()))
        continue;
      Value root = getViewedValue(yield);
      if (root == arg)
        continue;
      if (auto insert = root.getDefiningOp<InsertOp>()) {
        if (insert.getGrows())
          growing.insert(getViewedValue(init));
        continue;
      }
      builder.setInsertionPoint(loop);
      FailureOr<SmallVector<Value>> before = getDynamicDims(builder, init);
      FailureOr<SmallVector<Value>> after = getDynamicDims(builder, yield);
      if (succeeded(before) && succeeded(after) &&
          (*before == *after || (llvm::all_of(*before, isKnownAtEntry) &&
                                 llvm::all_of(*after, isKnownAtEntry))))
        continue;
      growing.insert(getViewedValue(init));
      growing.insert(root);
    }
  };
  func.walk([&](Operation *op) {
    if (auto loop = dyn_cast<scf::ForOp>(op))
      find(loop, loop.getInitArgs(), loop.getRegionIterArgs(),
           loop.getYieldedValues());
    else if (auto loop = dyn_cast<scf::WhileOp>(op))
      find(loop, loop.getInits(), loop.getAfterArguments(),
           loop.getYieldOp().getOperands());
  });
}

int64_t Planner::addSlot(int64_t first, int64_t last, Value owner,
                         ArrayRef<Value> dims) {
  slots.push_back({first, last, owner, llvm::to_vector(dims)});
  return slots.size() - 1;
}

Attribute Planner::addGrowable(int64_t first, int64_t last) {
  auto *free =
      reuse ? llvm::find_if(growables, [&](int64_t end) { return end < first; })
            : growables.end();
  if (free == growables.end())
    free = &growables.emplace_back();
  *free = last;
  return GrowableAttr::get(func.getContext(), free - growables.begin());
}

Attribute Planner::addPlace(int64_t first, int64_t last, Value owner) {
  OpBuilder builder(func.getContext());
  if (Operation *op = owner.getDefiningOp())
    builder.setInsertionPoint(op);
  FailureOr<SmallVector<Value>> dims = getBoundedDims(builder, owner);
  if (failed(dims) || growing.contains(owner))
    return addGrowable(first, last);
  return ArenaAttr::get(func.getContext(), addSlot(first, last, owner, *dims));
}

void Planner::placeResults(Operation *op) {
  MLIRContext *context = func.getContext();
  SmallVector<Attribute> storage;
  for (OpResult result : op->getResults()) {
    // The runtime holds values.
    if (isa<ValueType>(result.getType())) {
      storage.push_back(UnitAttr::get(context));
      continue;
    }
    if (Value root = getStorageRoot(result); root != result) {
      placeConcat(cast<ConcatOp>(root.getDefiningOp()), position.lookup(op));
      storage.push_back(UnitAttr::get(context));
      continue;
    }
    // What control flow around it yields has its place already.
    if (given.contains(result)) {
      storage.push_back(UnitAttr::get(context));
      continue;
    }
    if (auto output = outputOf.find(result); output != outputOf.end()) {
      storage.push_back(OutputAttr::get(context, output->second));
      continue;
    }
    int64_t here = position.lookup(op);
    int64_t last = std::max(here, getLastUse(result));
    std::optional<int64_t> slot;
    auto launch = dyn_cast<LaunchOp>(op);
    if (launch && reuse && !growing.contains(result))
      slot = findInplace(launch, result.getResultNumber());
    if (slot) {
      slots[*slot].last = last;
      ++numInplace;
      storage.push_back(ArenaAttr::get(context, *slot));
    } else {
      storage.push_back(addPlace(here, last, result));
    }
    if (auto arena = dyn_cast<ArenaAttr>(storage.back()))
      slotOf[result] = arena.getSlot();
    else
      growableOf[result] = cast<GrowableAttr>(storage.back()).getSlot();
  }
  op->setAttr(storageAttrName, ArrayAttr::get(context, storage));
}

void Planner::placeConcat(ConcatOp concat, int64_t here) {
  if (concat->hasAttr(storageAttrName))
    return;
  Value whole = concat.getResult();
  Attribute place = UnitAttr::get(func.getContext());
  if (auto output = outputOf.find(whole); output != outputOf.end()) {
    place = OutputAttr::get(func.getContext(), output->second);
  } else if (!given.contains(whole)) {
    // All that shows a part of it keeps it.
    int64_t last = getLastUse(whole);
    SmallVector<Value> parts = {whole};
    for (unsigned i = 0; i != parts.size(); ++i) {
      last = std::max(last, getLastUse(parts[i]));
      if (auto inner = parts[i].getDefiningOp<ConcatOp>())
        for (Value part : inner.getParts())
          parts.push_back(getViewedValue(part));
    }
    place = addPlace(here, last, whole);
    if (auto arena = dyn_cast<ArenaAttr>(place))
      slotOf[whole] = arena.getSlot();
    else
      growableOf[whole] = cast<GrowableAttr>(place).getSlot();
  }
  concat->setAttr(storageAttrName, ArrayAttr::get(func.getContext(), {place}));
}

void Planner::placeIf(scf::IfOp branch) {
  MLIRContext *context = func.getContext();
  SmallVector<Attribute> storage;
  for (OpResult result : branch.getResults()) {
    if (!isa<RankedTensorType>(result.getType())) {
      storage.push_back(UnitAttr::get(context));
      continue;
    }
    for (scf::YieldOp yield : {branch.thenYield(), branch.elseYield()})
      given.insert(getViewedValue(yield.getOperand(result.getResultNumber())));
    // The branches write it: it is live from the branch on.
    int64_t here = position.lookup(branch);
    int64_t end = position.lookup(branch.elseYield());
    // Where the branches' sizes differ, each makes room for its own.
    int64_t last = std::max(end, getLastUse(result));
    OpBuilder builder(branch);
    unsigned i = result.getResultNumber();
    auto then = getDynamicDims(builder, branch.thenYield().getOperand(i));
    auto otherwise = getDynamicDims(builder, branch.elseYield().getOperand(i));
    bool isEqual =
        succeeded(then) && succeeded(otherwise) &&
        (*then == *otherwise || (llvm::all_of(*then, isKnownAtEntry) &&
                                 llvm::all_of(*otherwise, isKnownAtEntry)));
    storage.push_back(isEqual ? addPlace(here, last, result)
                              : addGrowable(here, last));
  }
  branch->setAttr(storageAttrName, ArrayAttr::get(context, storage));
}

LogicalResult Planner::placeLoop(Operation *loop, ValueRange inits,
                                 ValueRange carried, ValueRange yields) {
  MLIRContext *context = func.getContext();
  SmallVector<Attribute> storage;
  int64_t here = position.lookup(loop);
  int64_t end =
      position.lookup(loop->getRegions().back().front().getTerminator());
  for (auto [i, init] : llvm::enumerate(inits)) {
    storage.push_back(UnitAttr::get(context));
    if (!isa<RankedTensorType>(init.getType()))
      continue;
    int64_t last = std::max(end, getLastUse(loop->getResult(i)));
    Value first = getViewedValue(init);
    Value root = getViewedValue(yields[i]);
    bool hasSpare = root != carried[i] && !root.getDefiningOp<InsertOp>();
    if (auto slot = slotOf.find(first); slot != slotOf.end()) {
      slots[slot->second].last = std::max(slots[slot->second].last, last);
      if (hasSpare)
        storage.back() =
            ArenaAttr::get(context, addSlot(here, last, loop->getResult(i),
                                            slots[slot->second].dims));
    } else if (auto slot = growableOf.find(first); slot != growableOf.end()) {
      growables[slot->second] = std::max(growables[slot->second], last);
      storage.back() =
          hasSpare ? addGrowable(here, last)
                   : Attribute(GrowableAttr::get(context, slot->second));
    } else {
      return loop->emitError("expects initial values that are the loop's own");
    }
    if (hasSpare)
      given.insert(root);
  }
  loop->setAttr(storageAttrName, ArrayAttr::get(context, storage));
  return success();
}

namespace {
struct PlanMemory : public lathe::impl::PlanMemoryBase<PlanMemory> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp func = getOperation();
    if (strategy != "search" && strategy != "greedy" && strategy != "none") {
      func.emitError("expects a strategy of search, greedy or none, got '")
          << strategy << "'";
      return signalPassFailure();
    }
    bool reuse = strategy != "none";
    Planner planner(func, reuse);
    if (failed(planner.run()))
      return signalPassFailure();
    numInplace = planner.numInplace;

    Builder builder(&getContext());
    SmallVector<Attribute> lives;
    SmallVector<LiveBuffer> buffers;
    bool isStatic = true;
    int64_t end = 0;
    func.walk([&](Operation *) { ++end; });
    for (const Slot &slot : planner.slots) {
      int64_t first = reuse ? slot.first : 0, last = reuse ? slot.last : end;
      lives.push_back(builder.getDenseI64ArrayAttr({first, last}));
      std::optional<int64_t> bytes = slot.getBytes();
      isStatic &= bytes.has_value();
      if (isStatic)
        buffers.push_back(
            {first, last, (int64_t)llvm::alignTo(*bytes, alignment)});
    }
    if (!planner.growables.empty())
      func->setAttr(growablesAttrName,
                    builder.getI64IntegerAttr(planner.growables.size()));
    func->setAttr(slotsAttrName, builder.getArrayAttr(lives));
    if (!isStatic)
      return;
    ArenaPlan plan = strategy == "search" ? planBySearch(buffers, searchSteps)
                                          : planGreedy(buffers);
    int64_t bound = getLivenessBound(buffers);
    func->setAttr(offsetsAttrName, builder.getDenseI64ArrayAttr(plan.offsets));
    func->setAttr(arenaBytesAttrName, builder.getI64IntegerAttr(plan.bytes));
    func->setAttr(arenaBoundAttrName, builder.getI64IntegerAttr(bound));
    arenaBytes = plan.bytes;
    boundBytes = bound;
  }
};
} // namespace
