// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Transforms/Memory/ArenaPlan.h"
#include "lathe/Transforms/Memory/Passes.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
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

/// Placements the search may try: some milliseconds for a few hundred buffers.
static constexpr unsigned searchTries = 2000;

static Value getRoot(Value value) {
  while (auto view = value.getDefiningOp<ViewOp>())
    value = view.getSource();
  return value;
}

static int64_t getElementBytes(Type type) {
  return llvm::divideCeil(type.getIntOrFloatBitWidth(), 8);
}

namespace {
struct Slot {
  int64_t first, last;
  Value owner; ///< The first value in it, which gives its size.
};

class Planner {
public:
  Planner(func::FuncOp func, bool reuse) : func(func), reuse(reuse) {}
  LogicalResult run();

  SmallVector<Slot> slots;
  unsigned numInplace = 0;

private:
  int64_t getLastUse(Value value);
  bool haveEqualSizes(Value a, Value b);
  std::optional<int64_t> findInplace(LaunchOp launch, unsigned result);

  func::FuncOp func;
  bool reuse;
  DenseMap<Operation *, int64_t> position;
  DenseMap<Value, int64_t> slotOf;
};
} // namespace

/// The position of the last op that needs the bytes of `value`.
int64_t Planner::getLastUse(Value value) {
  int64_t last = 0;
  SmallVector<Value> aliases = {value};
  while (!aliases.empty()) {
    Value alias = aliases.pop_back_val();
    for (Operation *user : alias.getUsers()) {
      if (auto view = dyn_cast<ViewOp>(user)) {
        aliases.push_back(view);
        continue;
      }
      last = std::max(last, position.lookup(user));
      // A loop reads again what it reads once, if that lives outside.
      for (Operation *parent = user->getParentOp(); parent != func;
           parent = parent->getParentOp())
        if (isa<LoopLikeOpInterface>(parent) &&
            !parent->isAncestor(alias.getParentRegion()->getParentOp()))
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
  auto dims = [](Value value) -> FailureOr<SmallVector<Value>> {
    auto launch = value.getDefiningOp<LaunchOp>();
    if (!launch)
      return failure();
    auto kernel = SymbolTable::lookupNearestSymbolFrom<KernelOp>(
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
  auto kernel = SymbolTable::lookupNearestSymbolFrom<KernelOp>(
      launch, launch.getKernelAttr());
  auto pairs = kernel->getAttrOfType<ArrayAttr>(inplaceAttrName);
  if (!pairs)
    return std::nullopt;
  for (Attribute pair : pairs) {
    ArrayRef<int64_t> which = cast<DenseI64ArrayAttr>(pair).asArrayRef();
    if (which[0] != result)
      continue;
    Value root = getRoot(launch.getInputs()[which[1]]);
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
                       [&](Value v) { return getRoot(v) == root; }) > 1)
      continue;
    return slot->second;
  }
  return std::nullopt;
}

LogicalResult Planner::run() {
  int64_t next = 0;
  func.walk([&](Operation *op) { position[op] = next++; });

  DenseMap<Value, int64_t> outputOf;
  for (func::ReturnOp ret : func.getOps<func::ReturnOp>())
    for (auto [i, value] : llvm::enumerate(ret.getOperands())) {
      if (!isa<RankedTensorType>(value.getType()))
        return ret.emitError("expects results that are ranked tensors, got ")
               << value.getType();
      Value root = getRoot(value);
      if (!root.getDefiningOp<LaunchOp>() ||
          !outputOf.try_emplace(root, i).second)
        return ret.emitError("expects each result to be a launch's own, got "
                             "another for result ")
               << i;
    }

  MLIRContext *context = func.getContext();
  func.walk([&](LaunchOp launch) {
    SmallVector<Attribute> storage;
    for (OpResult result : launch.getResults()) {
      if (auto output = outputOf.find(result); output != outputOf.end()) {
        storage.push_back(OutputAttr::get(context, output->second));
        continue;
      }
      int64_t here = position.lookup(launch);
      int64_t last = std::max(here, getLastUse(result));
      std::optional<int64_t> slot;
      if (reuse)
        slot = findInplace(launch, result.getResultNumber());
      if (slot) {
        slots[*slot].last = last;
        ++numInplace;
      } else {
        slot = slots.size();
        slots.push_back({here, last, result});
      }
      slotOf[result] = *slot;
      storage.push_back(ArenaAttr::get(context, *slot));
    }
    launch->setAttr(storageAttrName, ArrayAttr::get(context, storage));
  });
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
      auto type = cast<RankedTensorType>(slot.owner.getType());
      isStatic &= type.hasStaticShape();
      if (isStatic)
        buffers.push_back(
            {first, last,
             (int64_t)llvm::alignTo(type.getNumElements() *
                                        getElementBytes(type.getElementType()),
                                    alignment)});
    }
    func->setAttr(slotsAttrName, builder.getArrayAttr(lives));
    if (!isStatic)
      return;
    ArenaPlan plan = strategy == "search" ? planBySearch(buffers, searchTries)
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
