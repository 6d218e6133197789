// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A program is a function that grows with its model, in few blocks. Instruction
// selection, scheduling and register allocation take time that grows with the
// square of a block, so long blocks are cut into runs of ops, and each run
// becomes a function:
//
//   %a = ...                        call @f_part0(%x, %spill)
//   ... %x ...              ->      %a = load %spill
//   ... %a ...                      call @f_part1(%a)
//
// What a run reads of the others is an argument; what others read of it goes
// through memory.

#include "SplitFunction.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace lathe;

/// Ops of one function: some 40 launches. Shorter ones gain nothing; at ten
/// times as many LLVM takes twice as long for each.
static constexpr size_t maxOps = 1000;

static size_t countOps(Operation *op) {
  size_t count = 0;
  op->walk([&](Operation *) { ++count; });
  return count;
}

/// Constants are made anew where they are used.
static bool isConstant(Value value) {
  Operation *op = value.getDefiningOp();
  return op && op->hasTrait<OpTrait::ConstantLike>();
}

namespace {
class Splitter {
public:
  explicit Splitter(LLVM::LLVMFuncOp function)
      : function(function), builder(function.getLoc(), function) {}

  void run() {
    if (countOps(function) <= maxOps)
      return;
    splitRegion(function.getBody());
    if (!spill)
      return;
    // One place for all runs: what it holds is read at once.
    builder.setInsertionPointToStart(&function.getBody().front());
    auto count = LLVM::ConstantOp::create(builder, builder.getI64Type(),
                                          int64_t(spillSize));
    spill.getDefiningOp()->setOperand(0, count);
    spill.getDefiningOp()->moveAfter(count);
  }

private:
  /// Returns how many ops are left.
  size_t splitRegion(Region &region);
  void moveToFunction(ArrayRef<Operation *> run);
  Value getSpill();
  /// Memory and arguments have no type `index`.
  Type getStoredType(Type type) {
    return type.isIndex() ? builder.getI64Type() : type;
  }
  Value toStored(Value value) {
    return value.getType().isIndex() ? arith::IndexCastOp::create(
                                           builder, builder.getI64Type(), value)
                                     : value;
  }
  Value fromStored(Value value, Type type) {
    return type.isIndex() ? arith::IndexCastOp::create(builder, type, value)
                          : value;
  }
  Value getPlace(Value spilled, size_t i) {
    return LLVM::GEPOp::create(builder, spilled.getType(), builder.getI64Type(),
                               spilled, LLVM::GEPArg(int32_t(i)));
  }

  LLVM::LLVMFuncOp function;
  ImplicitLocOpBuilder builder;
  Value spill;
  size_t spillSize = 0;
  unsigned numParts = 0;
};
} // namespace

size_t Splitter::splitRegion(Region &region) {
  size_t total = 0;
  for (Block &block : region) {
    SmallVector<Operation *> ops;
    SmallVector<size_t> counts;
    size_t count = 0;
    for (Operation &op : block.without_terminator()) {
      size_t nested = 1;
      for (Region &inner : op.getRegions())
        nested += splitRegion(inner);
      // Memory of the stack is that of the whole function.
      if (isa<LLVM::AllocaOp>(op) || op.hasTrait<OpTrait::ConstantLike>())
        continue;
      ops.push_back(&op);
      counts.push_back(nested);
      count += nested;
    }
    if (count <= maxOps) {
      total += count;
      continue;
    }
    for (size_t begin = 0; begin != ops.size();) {
      size_t end = begin, length = 0;
      while (end != ops.size() &&
             (end == begin || length + counts[end] <= maxOps))
        length += counts[end++];
      moveToFunction(ArrayRef(ops).slice(begin, end - begin));
      begin = end;
      ++total;
    }
  }
  return total;
}

Value Splitter::getSpill() {
  if (spill)
    return spill;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&function.getBody().front());
  auto one = LLVM::ConstantOp::create(builder, builder.getI64Type(), 1);
  return spill = LLVM::AllocaOp::create(
             builder, LLVM::LLVMPointerType::get(builder.getContext()),
             builder.getI64Type(), one, /*alignment=*/8);
}

void Splitter::moveToFunction(ArrayRef<Operation *> run) {
  llvm::SmallDenseSet<Operation *> members(run.begin(), run.end());
  auto isInside = [&](Operation *op) {
    for (; op; op = op->getParentOp())
      if (members.contains(op))
        return true;
    return false;
  };
  llvm::SetVector<Value> read;
  for (Operation *op : run) {
    for (Value operand : op->getOperands())
      if (!isInside(operand.getDefiningOp()))
        read.insert(operand);
    SetVector<Value> above;
    getUsedValuesDefinedAbove(op->getRegions(), above);
    for (Value value : above)
      if (!isInside(value.getDefiningOp()))
        read.insert(value);
  }
  SmallVector<Value> made;
  for (Operation *op : run)
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(),
                       [&](Operation *user) { return !isInside(user); }))
        made.push_back(result);
  spillSize = std::max(spillSize, made.size());

  SmallVector<Value> captured;
  SmallVector<Type> types;
  for (Value value : read)
    if (!isConstant(value)) {
      captured.push_back(value);
      types.push_back(getStoredType(value.getType()));
    }
  if (!made.empty())
    types.push_back(getSpill().getType());
  builder.setInsertionPoint(function);
  auto part = LLVM::LLVMFuncOp::create(
      builder, (function.getName() + "_part" + Twine(numParts++)).str(),
      LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(builder.getContext()),
                                  types),
      LLVM::Linkage::Internal);
  part.setNoInline(true);
  Block *body = part.addEntryBlock(builder);

  builder.setInsertionPointAfter(run.back());
  SmallVector<Value> arguments = llvm::map_to_vector(
      captured, [&](Value value) { return toStored(value); });
  if (!made.empty())
    arguments.push_back(getSpill());
  LLVM::CallOp::create(builder, part, arguments);
  for (auto [i, value] : llvm::enumerate(made)) {
    Value loaded =
        fromStored(LLVM::LoadOp::create(builder, getStoredType(value.getType()),
                                        getPlace(getSpill(), i)),
                   value.getType());
    value.replaceUsesWithIf(
        loaded, [&](OpOperand &use) { return !isInside(use.getOwner()); });
  }

  builder.setInsertionPointToStart(body);
  IRMapping mapping;
  for (auto [value, argument] : llvm::zip_first(captured, body->getArguments()))
    mapping.map(value, fromStored(argument, value.getType()));
  for (Value value : read)
    if (isConstant(value))
      builder.clone(*value.getDefiningOp(), mapping);
  for (Operation *op : run) {
    op->walk([&](Operation *inner) {
      for (OpOperand &operand : inner->getOpOperands())
        operand.set(mapping.lookupOrDefault(operand.get()));
    });
    op->moveBefore(body, body->end());
  }
  builder.setInsertionPointToEnd(body);
  for (auto [i, value] : llvm::enumerate(made))
    LLVM::StoreOp::create(builder, toStored(value),
                          getPlace(body->getArguments().back(), i));
  LLVM::ReturnOp::create(builder, ValueRange());
}

void lathe::splitFunction(LLVM::LLVMFuncOp function) {
  Splitter(function).run();
}
