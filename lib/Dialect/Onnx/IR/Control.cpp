// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Control flow. A dimension that differs between the ways that control may take
// becomes a symbol of its own.

#include "lathe/Dialect/Onnx/IR/Control.h"
#include "Rules.h"
#include "Values.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/Control.cpp.inc"

void OnnxDialect::registerControlOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/Control.cpp.inc"
      >();
}

/// Slots of fresh symbols are made of a value's number and a dimension's.
static unsigned getSlot(unsigned value, unsigned dim) {
  return value * 64 + dim;
}

static LogicalResult expectYields(Operation *op, Region &region,
                                  unsigned count) {
  unsigned got = region.front().getTerminator()->getNumOperands();
  if (got != count)
    return op->emitOpError("expects a sub-graph that yields ")
           << count << " values, got " << got;
  return success();
}

static LogicalResult expectArguments(Operation *op, Region &region,
                                     unsigned count) {
  if (region.getNumArguments() != count)
    return op->emitOpError("expects a sub-graph of ")
           << count << " arguments, got " << region.getNumArguments();
  return success();
}

static LogicalResult expectTerminators(Operation *op) {
  for (Region &region : op->getRegions())
    if (region.empty() || region.front().empty() ||
        !isa<YieldOp>(region.front().back()))
      return op->emitOpError("expects sub-graphs that end in onnx.Yield, got "
                             "another one");
  return success();
}

//===----------------------------------------------------------------------===//
// If
//===----------------------------------------------------------------------===//

LogicalResult IfOp::verifyRegions() {
  if (failed(expectTerminators(*this)))
    return failure();
  for (Region *region : {&getElseBranch(), &getThenBranch()})
    if (failed(expectYields(*this, *region, getNumResults())) ||
        failed(expectArguments(*this, *region, 0)))
      return failure();
  return success();
}

std::optional<bool>
IfOp::getRequiredCondition(function_ref<const TensorInfo &(Value)> get) {
  auto ranksDiffer = [&] {
    for (auto [a, b] : llvm::zip_equal(
             getThenBranch().front().getTerminator()->getOperands(),
             getElseBranch().front().getTerminator()->getOperands()))
      if (get(a).dims && get(b).dims && get(a).getRank() != get(b).getRank())
        return true;
    return false;
  };
  if (!ranksDiffer())
    return std::nullopt;
  // The guard of a squeeze: an equality of sizes, which is what the model was
  // exported for.
  bool expected = true;
  for (Operation *def = getCond().getDefiningOp(); def;
       def = def->getOperand(0).getDefiningOp()) {
    StringRef name = def->getName().stripDialect();
    if (name == "Equal")
      return expected;
    if (name == "Not")
      expected = !expected;
    else if (name != "Cast" && name != "Identity" && name != "Squeeze" &&
             name != "Unsqueeze" && name != "Reshape")
      return std::nullopt;
  }
  return std::nullopt;
}

LogicalResult IfOp::inferShapes(ShapeContext &ctx) {
  if (failed(rule::expectOneElement(ctx, 0)))
    return failure();
  // A branch that is never taken may contradict itself: exporters write such
  // branches for other ranks. It stays without types until it is removed.
  if (auto known = ctx.operand(0).getInts(); known && known->size() == 1) {
    Region &taken = known->front() ? getThenBranch() : getElseBranch();
    if (failed(ctx.inferRegion(taken)))
      return failure();
    for (auto [i, value] :
         llvm::enumerate(taken.front().getTerminator()->getOperands()))
      ctx.result(i) = ctx.get(value);
    return success();
  }
  bool elseRuns = ctx.tryBranch(getElseBranch()),
       thenRuns = ctx.tryBranch(getThenBranch());
  if (!elseRuns && !thenRuns) {
    // Once more, to report both.
    (void)ctx.inferRegion(getElseBranch());
    return ctx.inferRegion(getThenBranch());
  }
  if (!elseRuns || !thenRuns) {
    Region &runs = thenRuns ? getThenBranch() : getElseBranch();
    for (auto [i, value] :
         llvm::enumerate(runs.front().getTerminator()->getOperands()))
      ctx.result(i) = ctx.get(value);
    return success();
  }
  Operation *otherwise = getElseBranch().front().getTerminator();
  Operation *then = getThenBranch().front().getTerminator();
  if (std::optional<bool> guard = getRequiredCondition(
          [&](Value value) -> const TensorInfo & { return ctx.get(value); })) {
    Operation *taken = *guard ? then : otherwise;
    for (auto [i, value] : llvm::enumerate(taken->getOperands()))
      ctx.result(i) = ctx.get(value);
    return success();
  }
  for (unsigned i = 0; i < getNumResults(); ++i) {
    const TensorInfo &a = ctx.get(then->getOperand(i));
    const TensorInfo &b = ctx.get(otherwise->getOperand(i));
    if (a.elementType && b.elementType && a.elementType != b.elementType)
      return ctx.emitError() << "expects one element type of result #" << i
                             << " in both branches, got " << a.elementType
                             << " and " << b.elementType;
    ctx.result(i) =
        join(a, b, [&](unsigned d) { return ctx.fresh(getSlot(i, d)); });
  }
  return success();
}

//===----------------------------------------------------------------------===//
// UpdateState
//===----------------------------------------------------------------------===//

LogicalResult UpdateStateOp::inferShapes(ShapeContext &ctx) {
  auto type = ctx.getCommonElementType({0, 1});
  if (failed(type))
    return failure();
  TensorInfo &next = ctx.result(0);
  next.elementType = *type;
  const auto &state = ctx.operand(0).dims, &value = ctx.operand(1).dims;
  if (!state || !value)
    return success();
  if (failed(ctx.expectRank(1, state->size())))
    return failure();
  next.dims = value;
  for (auto [d, dim] : llvm::enumerate(*next.dims)) {
    AffineExpr before = (*state)[d];
    if (d == 0 && getAppends())
      dim = dim + before;
    else if (!ctx.assumeEqual(dim, before))
      return ctx.emitError() << "expects size " << before << " in dimension "
                             << d << " of the next state, got " << dim;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Loop and Scan
//===----------------------------------------------------------------------===//

/// Infers `body` until what is known of the carried values, arguments
/// `firstArgument` on and yielded from `firstYield` on, holds in every
/// iteration. Sets `ctx.result` of the carried values.
static LogicalResult inferCarried(ShapeContext &ctx, Region &body,
                                  ValueRange initial, unsigned firstArgument,
                                  unsigned firstYield) {
  unsigned count = initial.size();
  SmallVector<TensorInfo> carried;
  for (Value value : initial) {
    carried.push_back(ctx.get(value));
    carried.back().contents.reset();
  }
  Operation *yield = body.front().getTerminator();
  for (bool changed = true; changed;) {
    changed = false;
    for (unsigned i = 0; i < count; ++i)
      ctx.set(body.getArgument(firstArgument + i), carried[i]);
    if (failed(ctx.inferRegion(body)))
      return failure();
    for (unsigned i = 0; i < count; ++i) {
      const TensorInfo &next = ctx.get(yield->getOperand(firstYield + i));
      TensorInfo &now = carried[i];
      if (now.valueType || next.valueType) {
        TensorInfo both = joinValues(now, next);
        if (!both.valueType)
          return ctx.emitError() << "expects carried value #" << i
                                 << " of type " << now.getType(ctx.getContext())
                                 << ", got " << next.getType(ctx.getContext());
        changed |= both.valueType != now.valueType ||
                   both.elementDims != now.elementDims;
        now = both;
        continue;
      }
      if (!now.elementType && next.elementType) {
        now.elementType = next.elementType;
        changed = true;
      } else if (next.elementType && now.elementType != next.elementType) {
        return ctx.emitError()
               << "expects carried value #" << i << " of element type "
               << now.elementType << ", got " << next.elementType;
      }
      if (!now.dims)
        continue;
      if (now.getRank() != next.getRank()) {
        now.dims.reset();
        changed = true;
        continue;
      }
      for (auto [d, dim] : llvm::enumerate(*now.dims)) {
        if (dim == (*next.dims)[d])
          continue;
        AffineExpr varying =
            ctx.fresh(ShapeContext::iterationSlots + getSlot(i, d));
        changed = changed || dim != varying;
        dim = varying;
      }
    }
  }
  for (unsigned i = 0; i < count; ++i) {
    TensorInfo &result = ctx.result(i);
    result = carried[i];
    if (result.elementDims)
      for (AffineExpr &dim : *result.elementDims)
        if (dim && ctx.isInside(dim))
          dim = {};
    if (result.dims)
      for (auto [d, dim] : llvm::enumerate(*result.dims))
        if (ctx.isInside(dim))
          dim = ctx.fresh(getSlot(i, d));
  }
  return success();
}

/// What is known of a scan output: `slice` stacked `trips` times along `axis`.
static LogicalResult stack(ShapeContext &ctx, const TensorInfo &slice,
                           unsigned result, int64_t axis, AffineExpr trips) {
  TensorInfo &stacked = ctx.result(result);
  stacked.elementType = slice.elementType;
  if (!slice.dims)
    return success();
  auto normal = ctx.normalizeAxis(axis, slice.getRank() + 1);
  if (failed(normal))
    return failure();
  stacked.dims = slice.dims;
  for (auto [d, dim] : llvm::enumerate(*stacked.dims))
    if (ctx.isInside(dim))
      dim = ctx.fresh(getSlot(result, d + 1));
  stacked.dims->insert(stacked.dims->begin() + *normal,
                       trips ? trips : ctx.fresh(getSlot(result, 0)));
  return success();
}

LogicalResult LoopOp::verifyRegions() {
  if (failed(expectTerminators(*this)) ||
      failed(expectArguments(*this, getBody(), 2 + getVInitial().size())) ||
      failed(expectYields(*this, getBody(), 1 + getNumResults())))
    return failure();
  if (getNumResults() < getVInitial().size())
    return emitOpError("expects at least ")
           << getVInitial().size() << " results, got " << getNumResults();
  return success();
}

LogicalResult LoopOp::inferShapes(ShapeContext &ctx) {
  if (failed(rule::expectScalars(ctx, {0, 1})))
    return failure();
  Region &body = getBody();
  TensorInfo iteration, condition;
  iteration.elementType = IntegerType::get(ctx.getContext(), 64);
  condition.elementType = IntegerType::get(ctx.getContext(), 1);
  iteration.dims = condition.dims = Dims{};
  ctx.set(body.getArgument(0), iteration);
  ctx.set(body.getArgument(1), condition);
  unsigned carried = getVInitial().size();
  if (failed(inferCarried(ctx, body, getVInitial(), 2, 1)))
    return failure();
  // The number of trips is M where no condition can end the loop earlier.
  Operation *yield = body.front().getTerminator();
  auto isTrue = [&](Value value) {
    auto ints = ctx.get(value).getInts();
    return ints && ints->size() == 1 && ints->front() == 1;
  };
  bool whole = (isOmitted(getCond()) || isTrue(getCond())) &&
               (yield->getOperand(0) == body.getArgument(1) ||
                isTrue(yield->getOperand(0)));
  AffineExpr trips;
  if (auto limit = ctx.operand(0).getExprs();
      whole && limit && limit->size() == 1) {
    if (isNonNegative(limit->front()))
      trips = limit->front();
    else if (getConstant(limit->front()))
      trips = ctx.constant(0);
  }
  for (unsigned i = carried; i < getNumResults(); ++i)
    if (failed(stack(ctx, ctx.get(yield->getOperand(1 + i)), i, 0, trips)))
      return failure();
  return success();
}

LogicalResult ScanOp::verifyRegions() {
  unsigned operands = getNumOperands(), slices = getNumScanInputs();
  if (failed(expectTerminators(*this)))
    return failure();
  if (slices > operands || operands - slices > getNumResults())
    return emitOpError("expects num_scan_inputs of at most ")
           << operands << ", and a result per state, got " << slices;
  if (failed(expectArguments(*this, getBody(), operands)) ||
      failed(expectYields(*this, getBody(), getNumResults())))
    return failure();
  return success();
}

LogicalResult ScanOp::inferShapes(ShapeContext &ctx) {
  Region &body = getBody();
  unsigned states = getNumOperands() - getNumScanInputs();
  auto inputAxes = getScanInputAxes(), outputAxes = getScanOutputAxes();
  if ((inputAxes && inputAxes->size() != getNumScanInputs()) ||
      (outputAxes && outputAxes->size() != getNumResults() - states))
    return ctx.emitError() << "expects one axis per scan input and output, got "
                              "another number";
  AffineExpr trips;
  for (unsigned i = states; i < getNumOperands(); ++i) {
    TensorInfo slice = ctx.operand(i);
    slice.contents.reset();
    if (slice.dims) {
      auto axis = ctx.normalizeAxis(inputAxes ? (*inputAxes)[i - states] : 0,
                                    slice.getRank());
      if (failed(axis))
        return failure();
      AffineExpr length = (*slice.dims)[*axis];
      if (trips && !ctx.assumeEqual(trips, length))
        return ctx.emitError() << "expects scan inputs of one length, got "
                               << trips << " and " << length;
      trips = length;
      slice.dims->erase(slice.dims->begin() + *axis);
    }
    ctx.set(body.getArgument(i), slice);
  }
  if (failed(inferCarried(
          ctx, body, getInitialStateAndScanInputs().take_front(states), 0, 0)))
    return failure();
  Operation *yield = body.front().getTerminator();
  for (unsigned i = states; i < getNumResults(); ++i)
    if (failed(stack(ctx, ctx.get(yield->getOperand(i)), i,
                     outputAxes ? (*outputAxes)[i - states] : 0, trips)))
      return failure();
  return success();
}
