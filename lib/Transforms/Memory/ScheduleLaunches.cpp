// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// List scheduling over launches by what they add to the memory that is live.
// Only launches, and what costs nothing between them, change places: other ops
// stay where they are and cut a block into segments.

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Transforms/Memory/Passes.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallSet.h"
#include <functional>
#include <optional>
#include <set>

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_SCHEDULELAUNCHES
#include "lathe/Transforms/Memory/Passes.h.inc"
} // namespace lathe

using namespace lathe;

/// Whether `op` may stand anywhere between what it reads and what reads it.
static bool isFree(Operation *op) {
  return op->getNumRegions() == 0 && !isa<InsertOp>(op) &&
         !op->hasTrait<OpTrait::IsTerminator>() && isPure(op);
}

namespace {
/// A launch, over the numbers of a segment's launches and buffers.
struct Step {
  LaunchOp launch;
  SmallVector<unsigned> needs;  ///< Launches that come before.
  SmallVector<unsigned> reads;  ///< Buffers, each once.
  SmallVector<unsigned> writes; ///< Buffers.
  /// Results that may take over a buffer which is read last here.
  SmallVector<std::pair<unsigned, unsigned>> inplace;
};

struct Buffer {
  int64_t bytes = 0;
  unsigned readers = 0;
  unsigned writers = 0; ///< More than one where it is a concatenation.
  bool isKept = false;  ///< Something after the segment reads it.
};

/// How much memory an order of a segment's launches needs.
class Memory {
public:
  Memory(ArrayRef<Step> steps, ArrayRef<Buffer> buffers)
      : steps(steps), buffers(buffers) {
    for (const Buffer &buffer : buffers) {
      readers.push_back(buffer.readers);
      writers.push_back(buffer.writers);
    }
  }

  /// The bytes that launching `i` adds while it runs, and that it leaves.
  std::pair<int64_t, int64_t> getChange(unsigned i) const;
  void launch(unsigned i);
  int64_t getPeak() const { return peak; }
  bool isLastRead(unsigned buffer) const {
    return readers[buffer] == 1 && !buffers[buffer].isKept;
  }

private:
  ArrayRef<Step> steps;
  ArrayRef<Buffer> buffers;
  SmallVector<unsigned> readers, writers;
  int64_t live = 0, peak = 0;
};

/// A run of launches that only depend on each other through what they read.
class Segment {
public:
  Segment(ArrayRef<LaunchOp> launches, SymbolTableCollection &symbols);

  /// The order that needs least memory among those tried; empty where no order
  /// needs less than the one that is there. Adds what it saves to `saved`.
  SmallVector<unsigned> findOrder(int64_t &saved) const;
  void apply(ArrayRef<unsigned> order) const;

private:
  using Change = std::pair<int64_t, int64_t>;
  /// Launches next what has the lowest key of those that can be.
  SmallVector<unsigned>
  schedule(function_ref<Change(const Change &)> getKey) const;
  int64_t getPeak(ArrayRef<unsigned> order) const;

  SmallVector<Step, 0> steps;
  SmallVector<Buffer> buffers;
};
} // namespace

std::pair<int64_t, int64_t> Memory::getChange(unsigned i) const {
  const Step &step = steps[i];
  int64_t added = 0, freed = 0;
  for (unsigned buffer : step.writes)
    if (writers[buffer] == buffers[buffer].writers)
      added += buffers[buffer].bytes;
  for (unsigned buffer : step.reads)
    if (isLastRead(buffer))
      freed += buffers[buffer].bytes;
  int64_t left = added - freed;
  llvm::SmallSet<unsigned, 4> results, taken;
  for (auto [result, read] : step.inplace)
    if (isLastRead(read) && !results.contains(result) &&
        taken.insert(read).second) {
      results.insert(result);
      added -= buffers[result].bytes;
    }
  return {added, left};
}

void Memory::launch(unsigned i) {
  auto [added, left] = getChange(i);
  peak = std::max(peak, live + added);
  live += left;
  for (unsigned buffer : steps[i].reads)
    --readers[buffer];
  // What nobody reads is only needed while it is made.
  for (unsigned buffer : steps[i].writes)
    if (--writers[buffer] == 0 && buffers[buffer].readers == 0 &&
        !buffers[buffer].isKept)
      live -= buffers[buffer].bytes;
}

Segment::Segment(ArrayRef<LaunchOp> launches, SymbolTableCollection &symbols) {
  DenseMap<Operation *, unsigned> numbers;
  DenseMap<Value, unsigned> bufferOf;
  for (auto [i, launch] : llvm::enumerate(launches))
    numbers[launch] = i;

  /// The buffer of a value that the planner will give a place in the arena.
  auto getBuffer = [&](Value value) -> std::optional<unsigned> {
    Value root = getStorageRoot(value);
    auto type = dyn_cast<RankedTensorType>(root.getType());
    if (!isa_and_present<LaunchOp, ConcatOp>(root.getDefiningOp()) || !type ||
        !type.hasStaticShape())
      return std::nullopt;
    auto [entry, isNew] = bufferOf.try_emplace(root, buffers.size());
    if (!isNew)
      return entry->second;
    Buffer buffer;
    buffer.bytes =
        type.getNumElements() * getElementBytes(type.getElementType());
    llvm::SmallSetVector<Operation *, 8> readers;
    bool isResult = false;
    SetVector<Value> aliases;
    aliases.insert(root);
    if (auto concat = root.getDefiningOp<ConcatOp>()) {
      SmallVector<Value> parts;
      collectParts(concat, parts);
      aliases.insert(parts.begin(), parts.end());
    }
    for (unsigned i = 0; i != aliases.size(); ++i)
      for (Operation *user : aliases[i].getUsers()) {
        isResult |= isa<func::ReturnOp>(user);
        if (isa<ViewOp, SliceOp, ConcatOp>(user))
          aliases.insert(user->getResult(0));
        else
          readers.insert(user);
      }
    for (Operation *reader : readers)
      if (numbers.contains(reader))
        ++buffer.readers;
      else
        buffer.isKept = true;
    // It lives in the caller's memory.
    if (isResult)
      buffer.bytes = 0;
    buffers.push_back(buffer);
    return entry->second;
  };

  for (LaunchOp launch : launches) {
    Step step;
    step.launch = launch;
    // Behind what is free between them.
    SmallVector<Value> operands(launch->getOperands());
    DenseSet<Operation *> seen;
    while (!operands.empty()) {
      Operation *def = operands.pop_back_val().getDefiningOp();
      if (!def || def->getBlock() != launch->getBlock() ||
          !seen.insert(def).second)
        continue;
      if (auto number = numbers.find(def); number != numbers.end())
        step.needs.push_back(number->second);
      else if (isFree(def))
        llvm::append_range(operands, def->getOperands());
    }
    for (Value input : launch.getInputs())
      if (std::optional<unsigned> buffer = getBuffer(input);
          buffer && !llvm::is_contained(step.reads, *buffer))
        step.reads.push_back(*buffer);
    for (Value result : launch.getResults())
      if (std::optional<unsigned> buffer = getBuffer(result);
          buffer && !llvm::is_contained(step.writes, *buffer)) {
        step.writes.push_back(*buffer);
        ++buffers[*buffer].writers;
      }
    auto kernel = symbols.lookupNearestSymbolFrom<KernelOp>(
        launch, launch.getKernelAttr());
    auto pairs = kernel ? kernel->getAttrOfType<ArrayAttr>(inplaceAttrName)
                        : ArrayAttr();
    for (Attribute pair : pairs ? pairs.getValue() : ArrayRef<Attribute>()) {
      ArrayRef<int64_t> which = cast<DenseI64ArrayAttr>(pair).asArrayRef();
      // Not of another tensor's memory.
      Value made = launch.getResult(which[0]);
      Value source = getViewedValue(launch.getInputs()[which[1]]);
      if (getStorageRoot(made) != made || getStorageRoot(source) != source)
        continue;
      std::optional<unsigned> result = getBuffer(made);
      std::optional<unsigned> read = getBuffer(source);
      bool isReadOnce = llvm::count_if(launch.getInputs(), [&](Value input) {
                          return read && getBuffer(input) == read;
                        }) == 1;
      if (result && isReadOnce &&
          buffers[*result].bytes == buffers[*read].bytes)
        step.inplace.push_back({*result, *read});
    }
    steps.push_back(std::move(step));
  }
}

int64_t Segment::getPeak(ArrayRef<unsigned> order) const {
  Memory memory(steps, buffers);
  for (unsigned i : order)
    memory.launch(i);
  return memory.getPeak();
}

SmallVector<unsigned>
Segment::schedule(function_ref<Change(const Change &)> getKey) const {
  SmallVector<SmallVector<unsigned>> neededBy(steps.size()),
      readBy(buffers.size());
  SmallVector<unsigned> missing, order;
  Memory memory(steps, buffers);
  // The best comes first; of equal ones, the first in the program.
  std::set<std::pair<Change, unsigned>> ready;
  SmallVector<std::optional<Change>> keys(steps.size());
  auto enter = [&](unsigned i) {
    if (keys[i])
      ready.erase({*keys[i], i});
    keys[i] = getKey(memory.getChange(i));
    ready.insert({*keys[i], i});
  };
  for (auto [i, step] : llvm::enumerate(steps)) {
    missing.push_back(step.needs.size());
    for (unsigned need : step.needs)
      neededBy[need].push_back(i);
    for (unsigned buffer : step.reads)
      readBy[buffer].push_back(i);
    if (step.needs.empty())
      enter(i);
  }
  while (!ready.empty()) {
    unsigned best = ready.begin()->second;
    ready.erase(ready.begin());
    keys[best].reset();
    memory.launch(best);
    order.push_back(best);
    // What is read once more is freed by the one that does.
    for (unsigned buffer : steps[best].reads)
      if (memory.isLastRead(buffer))
        for (unsigned reader : readBy[buffer])
          if (keys[reader])
            enter(reader);
    for (unsigned i : neededBy[best])
      if (--missing[i] == 0)
        enter(i);
  }
  return order;
}

SmallVector<unsigned> Segment::findOrder(int64_t &saved) const {
  auto byLeft = [](const Change &change) {
    return Change(change.second, change.first);
  };
  auto byAdded = [](const Change &change) { return change; };
  int64_t before =
      getPeak(llvm::to_vector(llvm::seq<unsigned>(0, steps.size())));
  int64_t least = before;
  SmallVector<unsigned> best;
  for (SmallVector<unsigned> &order :
       SmallVector<SmallVector<unsigned>>{schedule(byLeft), schedule(byAdded)})
    if (int64_t peak = getPeak(order); peak < least) {
      least = peak;
      best = order;
    }
  saved += before - least;
  return best;
}

/// Moves the launches into `order`, and what is free with the first that needs
/// it.
void Segment::apply(ArrayRef<unsigned> order) const {
  Block *block = steps.front().launch->getBlock();
  // The first op that stays.
  Operation *end = steps.back().launch->getNextNode();
  SmallVector<Operation *> ops;
  for (Operation *op = steps.front().launch; op != end; op = op->getNextNode())
    ops.push_back(op);
  DenseSet<Operation *> waiting(ops.begin(), ops.end());
  std::function<void(Operation *)> move = [&](Operation *op) {
    if (!op || !waiting.erase(op))
      return;
    for (Value operand : op->getOperands())
      move(operand.getDefiningOp());
    op->moveBefore(block, end->getIterator());
  };
  for (unsigned i : order)
    move(steps[i].launch);
  for (Operation *op : ops)
    move(op);
}

namespace {
struct ScheduleLaunches
    : public lathe::impl::ScheduleLaunchesBase<ScheduleLaunches> {
  using Base::Base;

  void runOnOperation() override {
    // What the sizes are decides which order is best.
    bool isStatic = true;
    SmallVector<Block *> blocks;
    getOperation().walk([&](Operation *op) {
      for (Value result : op->getResults())
        if (auto type = dyn_cast<RankedTensorType>(result.getType()))
          isStatic &= type.hasStaticShape();
      for (Region &region : op->getRegions())
        for (Block &block : region)
          blocks.push_back(&block);
    });
    if (!isStatic)
      return;
    int64_t saved = 0;
    SymbolTableCollection symbols;
    for (Block *block : blocks) {
      SmallVector<LaunchOp> launches;
      auto finish = [&] {
        if (launches.size() > 2) {
          Segment segment(launches, symbols);
          SmallVector<unsigned> order = segment.findOrder(saved);
          if (!order.empty()) {
            segment.apply(order);
            ++numScheduled;
          }
        }
        launches.clear();
      };
      for (Operation &op : llvm::make_early_inc_range(*block)) {
        if (auto launch = dyn_cast<LaunchOp>(op))
          launches.push_back(launch);
        else if (!isFree(&op))
          finish();
      }
    }
    savedBytes = saved;
  }
};
} // namespace
