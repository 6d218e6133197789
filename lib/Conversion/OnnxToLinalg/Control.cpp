// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Control flow becomes that of the program: `scf.if`, `scf.for` where the
// number of steps is known at the start, else `scf.while`. A sub-graph is
// lowered where it is and then moved. Scan outputs are written step by step
// into a tensor of all steps, which grows where their number is not known. A
// size that differs between branches or steps is a value of its own beside the
// tensor; it is bound where a branch or a step begins to use it, and once more
// where the tensor leaves.

#include "lathe/Dialect/Onnx/IR/Control.h"
#include "Families.h"
#include "Sequence.h"
#include "SubGraph.h"
#include "Values.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lathe;

/// The one element of a tensor.
static Value readScalar(Lowering &l, Value tensor) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<Value> zeros(type.getRank(), l.toValue(l.index(0)));
  return tensor::ExtractOp::create(l.b, tensor, zeros);
}

static Value isTrue(Lowering &l, Value tensor) {
  Value element = readScalar(l, tensor);
  Value zero = makeConstant(l.b, element.getType(), 0);
  return arith::CmpIOp::create(l.b, arith::CmpIPredicate::ne, element, zero);
}

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

/// Checks what a branch supposes of sizes when it is entered.
static void checkSizes(Lowering &l, ArrayAttr constraints) {
  if (!constraints)
    return;
  for (AffineMap map : constraints.getAsValueRange<AffineMapAttr>()) {
    Dims sides = l.evaluate(map);
    Value a = getValueOrCreateConstantIndexOp(l.b, l.b.getLoc(), sides[0]);
    Value b = getValueOrCreateConstantIndexOp(l.b, l.b.getLoc(), sides[1]);
    Value ok = arith::CmpIOp::create(l.b, arith::CmpIPredicate::eq, a, b);
    std::string text;
    llvm::raw_string_ostream(text)
        << "expects sizes with " << map.getResult(0)
        << " == " << map.getResult(1) << " in the branch that is taken";
    CheckOp::create(l.b, ok, l.b.getStringAttr(text));
  }
}

static LogicalResult lowerIf(onnx::IfOp op, Lowering &l) {
  unsigned count = op->getNumResults();
  SmallVector<Type> types;
  for (Type type : op->getResultTypes())
    types.push_back(l.types.convertType(type));
  if (auto known = l.ints(0); known && known->size() == 1) {
    SubGraph taken(l, known->front() ? op.getThenBranch() : op.getElseBranch());
    return l.replace(taken.moveHere({}, types));
  }
  SubGraph then(l, op.getThenBranch()), otherwise(l, op.getElseBranch());
  // The sizes that differ: (output, dimension).
  SmallVector<std::pair<unsigned, unsigned>> differing;
  for (unsigned i = 0; i != count; ++i) {
    if (isa<ValueType>(types[i]))
      continue;
    AffineMap a = then.getYieldSizes(i), b = otherwise.getYieldSizes(i),
              r = getResultSizes(op, i);
    unsigned rank = l.resultType(i).getRank();
    if (!a || !b || !r || a.getNumResults() != rank ||
        b.getNumResults() != rank || r.getNumResults() != rank)
      return l.unsupported("expected branches that give output " + Twine(i) +
                           " one rank");
    for (unsigned d = 0; d != rank; ++d)
      if (a.getResult(d) != b.getResult(d) || a.getResult(d) != r.getResult(d))
        differing.emplace_back(i, d);
  }
  unsigned numTensors = types.size();
  types.append(differing.size(), l.b.getIndexType());
  auto branch = scf::IfOp::create(l.b, types, isTrue(l, l.value(0)),
                                  /*addThenBlock=*/true, /*addElseBlock=*/true);
  {
    OpBuilder::InsertionGuard guard(l.b);
    for (auto [graph, region, constraints] :
         {std::tuple(&then, &branch.getThenRegion(), "lathe.then_constraints"),
          std::tuple(&otherwise, &branch.getElseRegion(),
                     "lathe.else_constraints")}) {
      l.b.setInsertionPointToEnd(&region->front());
      checkSizes(l, op->getAttrOfType<ArrayAttr>(constraints));
      SmallVector<AffineExpr> sizes;
      for (auto [i, d] : differing)
        sizes.push_back(graph->getYieldSizes(i).getResult(d));
      scf::YieldOp::create(
          l.b,
          graph->moveHere({}, ArrayRef(types).take_front(numTensors), sizes));
    }
  }
  for (auto [n, which] : llvm::enumerate(differing))
    l.bindDim(which.first, which.second, branch.getResult(numTensors + n));
  SmallVector<Value> results(branch.getResults().take_front(numTensors));
  for (auto [i, d] : differing)
    results[i] = resize(l, branch.getResult(i), l.resultDims(i));
  return l.replace(results);
}

//===----------------------------------------------------------------------===//
// Loop
//===----------------------------------------------------------------------===//

namespace {
/// The loops around a body of `Loop` or `Scan`.
class StepLoop {
public:
  StepLoop(Lowering &l, Operation *op, Region &region, unsigned numStates,
           unsigned firstInit, unsigned firstArgument, unsigned firstYield)
      : l(l), op(op), body(l, region), numStates(numStates),
        firstInit(firstInit), firstArgument(firstArgument),
        firstYield(firstYield), numResults(op->getNumResults()),
        axes(numResults, 0), backwards(numResults, false) {}

  LogicalResult check();
  /// Makes a loop of `steps`. `makeArguments` gives the arguments of the body
  /// other than the states for the step of a number.
  SmallVector<Value>
  makeFor(OpFoldResult steps,
          llvm::function_ref<SmallVector<Value>(Value)> makeArguments);
  /// Makes a loop that ends after `limit` steps, if that is given, or where the
  /// condition, `i8` at first and then yielded, is zero.
  SmallVector<Value> makeWhile(Value condition, Value limit);

  /// The arguments of the body that are the number of the step and the
  /// condition.
  Value makeNumber(Value number);
  Value makeTrue();

  Lowering &l;
  Operation *op;
  SubGraph body;
  unsigned numStates, firstInit, firstArgument, firstYield, numResults;
  /// Of the outputs that steps are stacked in: along which axis and whether
  /// from the end.
  SmallVector<int64_t> axes;
  SmallVector<bool> backwards;

private:
  /// A dimension of a state that changes from step to step.
  struct Varying {
    unsigned state, dim;
  };

  bool isInvariant(unsigned state) {
    return body.yieldsArgument(firstYield + state, firstArgument + state);
  }
  SmallVector<Value> getInits();
  SmallVector<Value> getInitSizes();
  SmallVector<AffineExpr> getYieldedSizes();
  SmallVector<Type> getYieldTypes();
  void bindArguments();
  void bindStates(MutableArrayRef<Value> results, ValueRange sizes);

  SmallVector<Varying> varying;
};
} // namespace

LogicalResult StepLoop::check() {
  for (unsigned i = 0; i != numStates; ++i) {
    if (body.carriesValue(firstArgument + i))
      continue;
    AffineMap sizes = getOperandSizes(op, firstInit + i);
    AffineMap inside = body.getArgumentSizes(firstArgument + i);
    AffineMap yielded = body.getYieldSizes(firstYield + i);
    AffineMap result = getResultSizes(op, i);
    if (!body.getArgumentType(firstArgument + i) || !sizes || !inside ||
        !yielded || !result ||
        inside.getNumResults() != sizes.getNumResults() ||
        inside.getNumResults() != yielded.getNumResults())
      return l.unsupported("expected carried value " + Twine(i) +
                           " to keep its rank");
    for (unsigned d = 0; d != inside.getNumResults(); ++d) {
      AffineExpr size = inside.getResult(d);
      if (size == sizes.getResult(d) && size == yielded.getResult(d) &&
          size == result.getResult(d))
        continue;
      if (!isa<AffineSymbolExpr>(size))
        return l.unsupported("expected carried value " + Twine(i) +
                             " to keep its shape");
      varying.push_back({i, d});
    }
  }
  for (unsigned i = numStates; i != numResults; ++i) {
    AffineMap sizes = getResultSizes(op, i);
    axes[i] = sizes ? normalizeAxis(axes[i], sizes.getNumResults()) : 0;
    if (!sizes || !areEqual(sizes.dropResult(axes[i]),
                            body.getYieldSizes(firstYield + i)))
      return l.unsupported("expected steps of one shape for output " +
                           Twine(i));
  }
  return success();
}

/// The first values of the states that change.
SmallVector<Value> StepLoop::getInits() {
  SmallVector<Value> inits;
  for (unsigned i = 0; i != numStates; ++i)
    if (body.carriesValue(firstArgument + i) && !isInvariant(i))
      inits.push_back(makeValue(l, l.value(firstInit + i),
                                op->getOperand(firstInit + i).getType()));
    else if (!isInvariant(i))
      inits.push_back(castTo(l, makeTensor(l, l.value(firstInit + i)),
                             body.getArgumentType(firstArgument + i)));
  return inits;
}

/// The first values of the sizes that change.
SmallVector<Value> StepLoop::getInitSizes() {
  SmallVector<Value> sizes;
  for (auto [state, dim] : varying)
    sizes.push_back(l.toValue(l.dims(firstInit + state)[dim]));
  return sizes;
}

/// The sizes that change as the body yields them.
SmallVector<AffineExpr> StepLoop::getYieldedSizes() {
  SmallVector<AffineExpr> sizes;
  for (auto [state, dim] : varying)
    sizes.push_back(body.getYieldSizes(firstYield + state).getResult(dim));
  return sizes;
}

/// Has the body bind the sizes that change; they are its last arguments.
void StepLoop::bindArguments() {
  for (auto [state, dim] : varying)
    body.bindSize(firstArgument + state, dim);
}

/// Binds the sizes of the states when the loop has ended.
void StepLoop::bindStates(MutableArrayRef<Value> results, ValueRange sizes) {
  for (auto [which, size] : llvm::zip_equal(varying, sizes))
    l.bindDim(which.state, which.dim, size);
  SmallPtrSet<Value *, 4> done;
  for (Varying v : varying)
    if (Value &result = results[v.state]; done.insert(&result).second)
      result = resize(l, result, l.resultDims(v.state));
}

/// The types of what the body yields from the states on.
SmallVector<Type> StepLoop::getYieldTypes() {
  SmallVector<Type> types;
  for (unsigned i = 0; i != numStates; ++i)
    types.push_back(body.carriesValue(firstArgument + i)
                        ? Type(ValueType::get(l.b.getContext()))
                        : body.getArgumentType(firstArgument + i));
  for (unsigned i = numStates; i != numResults; ++i) {
    SmallVector<int64_t> shape(l.resultType(i).getShape());
    shape.erase(shape.begin() + axes[i]);
    types.push_back(l.resultType(i).clone(shape));
  }
  return types;
}

Value StepLoop::makeNumber(Value number) {
  RankedTensorType type = body.getArgumentType(0);
  return l.elementwise(
      {}, getAsIndexOpFoldResult(l.b.getContext(), type.getShape()),
      type.getElementType(), [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
        return arith::IndexCastOp::create(b, b.getI64Type(), number);
      });
}

Value StepLoop::makeTrue() {
  return l.fill(getAsIndexOpFoldResult(l.b.getContext(),
                                       body.getArgumentType(1).getShape()),
                l.b.getI8IntegerAttr(1));
}

SmallVector<Value>
StepLoop::makeFor(OpFoldResult steps,
                  llvm::function_ref<SmallVector<Value>(Value)> makeArguments) {
  SmallVector<Value> carried = getInits();
  unsigned firstSize = carried.size();
  llvm::append_range(carried, getInitSizes());
  unsigned numCarried = carried.size();
  bindArguments();
  SmallVector<bool> keeps;
  for (unsigned i = 0; i != numStates; ++i)
    keeps.push_back(isInvariant(i));
  SmallVector<Type> types = getYieldTypes();
  // Steps come first here, whatever the axis.
  SmallVector<Dims> stepDims(numResults);
  for (unsigned i = numStates; i != numResults; ++i) {
    stepDims[i] = dropDims(l.resultDims(i), axes[i]);
    Dims all = {steps};
    llvm::append_range(all, stepDims[i]);
    carried.push_back(l.empty(all, l.resultType(i).getElementType()));
  }
  auto runStep = [&](Value number, ValueRange values) {
    SmallVector<Value> others = makeArguments(number), arguments;
    llvm::append_range(arguments, ArrayRef(others).take_front(firstArgument));
    unsigned next = 0;
    for (unsigned i = 0; i != numStates; ++i)
      arguments.push_back(keeps[i] ? l.value(firstInit + i) : values[next++]);
    llvm::append_range(arguments, ArrayRef(others).drop_front(firstArgument));
    llvm::append_range(arguments, values.slice(firstSize, varying.size()));
    SmallVector<Type> all;
    if (firstYield)
      all.push_back(body.getArgumentType(1));
    llvm::append_range(all, types);
    SmallVector<Value> yielded =
        body.moveHere(arguments, all, getYieldedSizes());
    SmallVector<Value> result;
    for (unsigned i = 0; i != numStates; ++i)
      if (!keeps[i])
        result.push_back(yielded[firstYield + i]);
    llvm::append_range(result, ArrayRef(yielded).take_back(varying.size()));
    for (unsigned i = numStates; i != numResults; ++i)
      result.push_back(putStep(l, makeTensor(l, yielded[firstYield + i]),
                               values[numCarried + i - numStates],
                               getStepIndex(l, number, steps, backwards[i]),
                               stepDims[i]));
    return result;
  };
  SmallVector<Value> last = makeLoop(l, steps, carried, runStep);
  SmallVector<Value> results;
  unsigned next = 0;
  for (unsigned i = 0; i != numStates; ++i)
    results.push_back(keeps[i] ? l.value(firstInit + i) : last[next++]);
  bindStates(results, ArrayRef(last).slice(firstSize, varying.size()));
  next += varying.size();
  for (unsigned i = numStates; i != numResults; ++i) {
    Value stacked = last[next++];
    if (axes[i] != 0) {
      Dims all = {steps};
      llvm::append_range(all, stepDims[i]);
      SmallVector<int64_t> perm =
          llvm::to_vector(llvm::seq<int64_t>(1, all.size()));
      perm.insert(perm.begin() + axes[i], 0);
      stacked = l.transpose(stacked, all, perm);
    }
    results.push_back(stacked);
  }
  return results;
}

SmallVector<Value> StepLoop::makeWhile(Value condition, Value limit) {
  Value zero = l.toValue(l.index(0)), one = l.toValue(l.index(1));
  SmallVector<Value> inits = {zero, condition};
  llvm::append_range(inits, getInits());
  unsigned firstSize = inits.size();
  llvm::append_range(inits, getInitSizes());
  unsigned firstStack = inits.size();
  // Stacks are empty at first, and grow.
  SmallVector<Dims> stepDims(numResults);
  for (unsigned i = numStates; i != numResults; ++i) {
    stepDims[i] = l.evaluate(body.getYieldSizes(firstYield + i));
    Dims all = {zero};
    llvm::append_range(all, stepDims[i]);
    inits.push_back(l.empty(all, l.resultType(i).getElementType()));
  }
  bindArguments();
  SmallVector<bool> keeps;
  for (unsigned i = 0; i != numStates; ++i)
    keeps.push_back(isInvariant(i));
  SmallVector<Type> types(ValueRange(inits).getTypes());
  SmallVector<Location> locs(types.size(), l.b.getLoc());
  auto loop = scf::WhileOp::create(l.b, types, inits);
  {
    OpBuilder::InsertionGuard guard(l.b);
    Block *before = l.b.createBlock(&loop.getBefore(), {}, types, locs);
    Value goes = arith::CmpIOp::create(
        l.b, arith::CmpIPredicate::ne, before->getArgument(1),
        makeConstant(l.b, condition.getType(), 0));
    if (limit) {
      Value inside = arith::CmpIOp::create(l.b, arith::CmpIPredicate::slt,
                                           before->getArgument(0), limit);
      goes = arith::AndIOp::create(l.b, goes, inside);
    }
    scf::ConditionOp::create(l.b, goes, before->getArguments());

    Block *after = l.b.createBlock(&loop.getAfter(), {}, types, locs);
    ValueRange carried(after->getArguments());
    Value number = carried[0];
    SmallVector<Value> arguments = {makeNumber(number), makeTrue()};
    unsigned next = 2;
    for (unsigned i = 0; i != numStates; ++i)
      arguments.push_back(keeps[i] ? l.value(firstInit + i) : carried[next++]);
    llvm::append_range(arguments, carried.slice(firstSize, varying.size()));
    SmallVector<Type> all = {body.getArgumentType(1)};
    llvm::append_range(all, getYieldTypes());
    SmallVector<Value> yielded =
        body.moveHere(arguments, all, getYieldedSizes());
    // The old condition, which is true, is read so that all of what is carried
    // reaches the body.
    Value goesOn =
        arith::AndIOp::create(l.b, carried[1], readScalar(l, yielded[0]));
    SmallVector<Value> result = {arith::AddIOp::create(l.b, number, one),
                                 goesOn};
    for (unsigned i = 0; i != numStates; ++i)
      if (!keeps[i])
        result.push_back(yielded[firstYield + i]);
    llvm::append_range(result, ArrayRef(yielded).take_back(varying.size()));
    for (unsigned i = numStates; i != numResults; ++i)
      result.push_back(appendStep(l, makeTensor(l, yielded[firstYield + i]),
                                  carried[firstStack + i - numStates], number,
                                  stepDims[i]));
    scf::YieldOp::create(l.b, result);
  }
  SmallVector<Value> results;
  unsigned next = 2;
  for (unsigned i = 0; i != numStates; ++i)
    results.push_back(keeps[i] ? l.value(firstInit + i)
                               : loop.getResult(next++));
  bindStates(results, loop.getResults().slice(firstSize, varying.size()));
  for (unsigned i = numStates; i != numResults; ++i) {
    l.bindDim(i, 0, loop.getResult(0),
              limit ? OpFoldResult(limit) : OpFoldResult());
    results.push_back(
        resize(l, loop.getResult(firstStack + i - numStates), l.resultDims(i)));
  }
  return results;
}

static LogicalResult lowerLoop(onnx::LoopOp op, Lowering &l) {
  enum { M, Condition, FirstState };
  StepLoop loop(l, op, op.getBody(), op.getVInitial().size(), FirstState,
                /*firstArgument=*/2, /*firstYield=*/1);
  for (unsigned i : {0, 1}) {
    RankedTensorType type = loop.body.getArgumentType(i);
    if (!type || !type.hasStaticShape() || type.getNumElements() != 1)
      return l.unsupported("expected one element as argument " + Twine(i) +
                           " of the body");
  }
  auto isConstantTrue = [&](unsigned i) {
    auto known = l.ints(i);
    return known && known->size() == 1 && known->front() != 0;
  };
  bool startsTrue = !l.has(Condition) || isConstantTrue(Condition);
  bool staysTrue = loop.body.yieldsArgument(0, 1) || loop.body.yieldsTrue(0);
  bool isWhole = startsTrue && staysTrue && l.has(M);
  std::optional<Dims> trips = l.has(M) ? l.contents(M) : std::nullopt;
  bool stacks = loop.numResults > loop.numStates;
  if (failed(loop.check()))
    return failure();

  OpFoldResult limit;
  bool areTripsKnown = isWhole && trips;
  if (trips)
    limit = stacks && areTripsKnown ? l.resultDims(loop.numStates)[0]
                                    : trips->front();
  else if (l.has(M))
    limit = Value(arith::IndexCastOp::create(l.b, l.b.getIndexType(),
                                             readScalar(l, l.value(M))));
  if (isWhole && (areTripsKnown || !stacks))
    return l.replace(
        loop.makeFor(limit, [&](Value number) -> SmallVector<Value> {
          return {loop.makeNumber(number), loop.makeTrue()};
        }));
  Value condition = l.has(Condition) ? readScalar(l, l.value(Condition))
                                     : makeConstant(l.b, l.b.getI8Type(), 1);
  return l.replace(
      loop.makeWhile(condition, limit ? l.toValue(limit) : Value()));
}

//===----------------------------------------------------------------------===//
// Scan
//===----------------------------------------------------------------------===//

static LogicalResult lowerScan(onnx::ScanOp op, Lowering &l) {
  unsigned numInputs = op.getNumScanInputs();
  unsigned numStates = l.getNumOperands() - numInputs;
  StepLoop loop(l, op, op.getBody(), numStates, /*firstInit=*/0,
                /*firstArgument=*/0, /*firstYield=*/0);
  auto read = [](std::optional<ArrayRef<int64_t>> list, unsigned i) {
    return list && i < list->size() ? (*list)[i] : 0;
  };
  for (unsigned i = numStates; i != loop.numResults; ++i) {
    loop.axes[i] = read(op.getScanOutputAxes(), i - numStates);
    loop.backwards[i] = read(op.getScanOutputDirections(), i - numStates);
  }
  if (failed(loop.check()))
    return failure();

  OpFoldResult steps;
  SmallVector<Value> sequences;
  SmallVector<Dims> stepDims;
  for (unsigned i = 0; i != numInputs; ++i) {
    Dims dims = l.dims(numStates + i);
    int64_t axis = normalizeAxis(read(op.getScanInputAxes(), i), dims.size());
    steps = dims[axis];
    Value sequence = makeTensor(l, l.value(numStates + i));
    if (axis != 0) {
      SmallVector<int64_t> perm =
          llvm::to_vector(llvm::seq<int64_t>(0, dims.size()));
      perm.erase(perm.begin() + axis);
      perm.insert(perm.begin(), axis);
      sequence = l.transpose(sequence, dims, perm);
    }
    sequences.push_back(sequence);
    stepDims.push_back(dropDims(dims, axis));
  }
  return l.replace(loop.makeFor(steps, [&](Value number) {
    SmallVector<Value> parts;
    for (unsigned i = 0; i != numInputs; ++i)
      parts.push_back(takeStep(
          l, sequences[i],
          getStepIndex(l, number, steps, read(op.getScanInputDirections(), i)),
          stepDims[i]));
    return parts;
  }));
}

static LogicalResult lowerRequire(onnx::RequireOp op, Lowering &l) {
  Value ok = isTrue(l, l.value(0));
  if (!op.getExpected())
    ok = arith::XOrIOp::create(l.b, ok, makeConstant(l.b, l.b.getI1Type(), 1));
  CheckOp::create(l.b, ok, op.getMessage());
  return l.replace(ValueRange());
}

/// Steps are added behind the state's own; what is no longer is written over
/// it.
static LogicalResult lowerUpdateState(onnx::UpdateStateOp op, Lowering &l) {
  Value state = l.value(0);
  OpFoldResult offset = op.getAppends() ? l.product(l.dims(0)) : l.index(0);
  Value written = InsertOp::create(l.b, state.getType(), l.value(1), state,
                                   l.toValue(offset), op.getAppends());
  return l.replace(op.getAppends() ? resize(l, written, l.resultDims())
                                   : written);
}

void lathe::populateControlPatterns(RewritePatternSet &patterns,
                                    const TypeConverter &types) {
  addLowering(patterns, types, lowerIf, /*checkTypes=*/false);
  addLowering(patterns, types, lowerLoop);
  addValueLowering(patterns, types, lowerLoop);
  addLowering(patterns, types, lowerRequire);
  addLowering(patterns, types, lowerScan);
  addLowering(patterns, types, lowerUpdateState);
}
