// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConstantValue.h"
#include "lathe/Dialect/Onnx/IR/Control.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "lathe/Dialect/Onnx/Transforms/Passes.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace lathe::onnx;

namespace lathe {
#define GEN_PASS_DEF_BOUNDLOOPS
#include "lathe/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lathe

/// Ops that a condition may depend on; more is no loop counter.
static constexpr size_t maxSliceOps = 64;

/// Block arguments of a loop's body: the number of the step, the condition, and
/// what is carried. The body yields the condition and what is carried.
static constexpr unsigned stepArgument = 0, conditionArgument = 1,
                          firstCarried = 2;

namespace {
/// What the condition of one loop depends on, and its evaluation.
class ConditionSlice {
public:
  ConditionSlice(LoopOp loop, const SymbolicShapes &shapes)
      : body(loop.getBody().front()), loop(loop), shapes(shapes) {}

  /// Collects the slice; false if it is too large or reads what is not known.
  bool collect();

  /// How often the body runs, if that is found within `maxSteps`.
  std::optional<int64_t> count(int64_t maxSteps);

private:
  bool addValue(Value value);
  FailureOr<bool> step();

  Block &body;
  LoopOp loop;
  const SymbolicShapes &shapes;
  llvm::SetVector<Operation *> ops;
  llvm::SetVector<unsigned> arguments;
  llvm::MapVector<Value, DenseElementsAttr> constants;
  llvm::MapVector<unsigned, DenseElementsAttr> state;
};
} // namespace

bool ConditionSlice::addValue(Value value) {
  SmallVector<Value> work = {value};
  while (!work.empty()) {
    Value next = work.pop_back_val();
    if (auto arg = dyn_cast<BlockArgument>(next);
        arg && arg.getOwner() == &body) {
      unsigned i = arg.getArgNumber();
      if (arguments.insert(i) && i >= firstCarried)
        work.push_back(body.getTerminator()->getOperand(i - 1));
      continue;
    }
    Operation *def = next.getDefiningOp();
    if (!def || def->getBlock() != &body) {
      DenseElementsAttr known =
          getConstantValue(next.getType(), shapes.get(next));
      if (!known && !isOmitted(next))
        return false;
      if (known)
        constants[next] = known;
      continue;
    }
    if (!ops.insert(def))
      continue;
    if (ops.size() > maxSliceOps || def->getNumRegions())
      return false;
    llvm::append_range(work, def->getOperands());
  }
  return true;
}

bool ConditionSlice::collect() {
  if (!addValue(body.getTerminator()->getOperand(0)))
    return false;
  for (unsigned i : arguments) {
    if (i < firstCarried)
      continue;
    Value init = loop->getOperand(i);
    DenseElementsAttr known =
        getConstantValue(init.getType(), shapes.get(init));
    if (!known)
      return false;
    state[i] = known;
  }
  return true;
}

/// Runs the slice once on the state; the new condition, or failure.
FailureOr<bool> ConditionSlice::step() {
  MLIRContext *context = loop.getContext();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loop.getLoc());
  OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
  auto func = func::FuncOp::create(builder, loop.getLoc(), "step",
                                   FunctionType::get(context, {}, {}));
  builder.setInsertionPointToEnd(func.addEntryBlock());
  IRMapping mapping;
  auto map = [&](Value value, DenseElementsAttr known) {
    mapping.map(value, ConstantOp::create(builder, loop.getLoc(),
                                          known.getType(), known)
                           ->getResult(0));
  };
  for (auto &[value, known] : constants)
    map(value, known);
  for (auto &[i, known] : state)
    map(body.getArgument(i), known);
  for (Operation &op : body)
    if (ops.contains(&op)) {
      for (Value operand : op.getOperands())
        if (isOmitted(operand) && !mapping.contains(operand))
          mapping.map(operand,
                      builder.clone(*operand.getDefiningOp())->getResult(0));
      builder.clone(op, mapping);
    }
  func::ReturnOp::create(builder, loop.getLoc());

  FailureOr<SymbolicShapes> result = SymbolicShapes::analyze(func);
  if (failed(result))
    return failure();
  auto evaluate = [&](unsigned yielded) -> DenseElementsAttr {
    Value value =
        mapping.lookupOrNull(body.getTerminator()->getOperand(yielded));
    return value ? getConstantValue(value.getType(), result->get(value))
                 : DenseElementsAttr();
  };
  DenseElementsAttr condition = evaluate(0);
  if (!condition || condition.getNumElements() != 1)
    return failure();
  llvm::MapVector<unsigned, DenseElementsAttr> next;
  for (auto &[i, known] : state) {
    next[i] = i >= firstCarried ? evaluate(i - 1) : known;
    if (!next[i])
      return failure();
  }
  state = next;
  return condition.getValues<bool>()[0];
}

std::optional<int64_t> ConditionSlice::count(int64_t maxSteps) {
  auto scalar = [&](unsigned argument, const APInt &value) {
    auto type = cast<RankedTensorType>(body.getArgument(argument).getType());
    return DenseElementsAttr::get(type, value);
  };
  auto limit =
      isOmitted(loop.getM()) ? std::optional<int64_t>(maxSteps) : std::nullopt;
  if (auto known = shapes.get(loop.getM()).getInts();
      !limit && known && known->size() == 1)
    limit = known->front();
  if (!isOmitted(loop.getCond())) {
    auto first = shapes.get(loop.getCond()).getInts();
    if (!first || first->size() != 1)
      return std::nullopt;
    if (first->front() == 0)
      return 0;
  }
  for (int64_t steps = 0; steps < maxSteps; ++steps) {
    if (limit && steps >= *limit)
      return steps;
    if (arguments.contains(stepArgument))
      state[stepArgument] = scalar(stepArgument, APInt(64, steps));
    if (arguments.contains(conditionArgument))
      state[conditionArgument] = scalar(conditionArgument, APInt(1, 1));
    FailureOr<bool> goesOn = step();
    if (failed(goesOn))
      return std::nullopt;
    if (!*goesOn)
      return steps + 1;
  }
  return std::nullopt;
}

/// Whether the condition that the body yields is constant already.
static bool isConstantCondition(LoopOp loop) {
  Value condition = loop.getBody().front().getTerminator()->getOperand(0);
  return condition.getDefiningOp<ConstantOp>() ||
         condition == loop.getBody().front().getArgument(conditionArgument);
}

namespace {
struct BoundLoops : public lathe::impl::BoundLoopsBase<BoundLoops> {
  using Base::Base;

  void runOnOperation() override {
    FailureOr<SymbolicShapes> shapes = SymbolicShapes::analyze(getOperation());
    if (failed(shapes))
      return signalPassFailure();
    SmallVector<LoopOp> loops;
    getOperation().walk([&](LoopOp loop) { loops.push_back(loop); });
    for (LoopOp loop : loops) {
      if (isConstantCondition(loop))
        continue;
      ConditionSlice slice(loop, *shapes);
      if (!slice.collect())
        continue;
      if (std::optional<int64_t> steps = slice.count(maxSteps))
        bound(loop, *steps);
    }
  }

  void bound(LoopOp loop, int64_t steps) {
    OpBuilder builder(loop);
    auto constant = [&](Type element, const APInt &value) -> Value {
      auto type = RankedTensorType::get({}, element);
      return ConstantOp::create(builder, loop.getLoc(), type,
                                DenseElementsAttr::get(type, value));
    };
    loop->setOperand(0, constant(builder.getI64Type(), APInt(64, steps)));
    Value always = constant(builder.getI1Type(), APInt(1, 1));
    loop->setOperand(1, always);
    loop.getBody().front().getTerminator()->setOperand(0, always);
    ++numBounded;
  }
};
} // namespace
