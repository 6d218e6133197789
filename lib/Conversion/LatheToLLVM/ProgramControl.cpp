// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Control flow and scalars of programs. A tensor that a loop carries is an
// address: of the buffer that holds the value, and of a spare one that the next
// value is written to; the two change places at the end of each step. Where the
// next value is made in place (lathe.insert), or is the same, there is no
// spare.

#include "ProgramLowering.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lathe;

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

bool ProgramLowering::isDynamic(Value scalar) {
  if (auto known = dynamic.find(scalar); known != dynamic.end())
    return known->second;
  bool result = true;
  if (Operation *op = scalar.getDefiningOp(); op && SizeTable::isSizeOp(op))
    result = llvm::any_of(op->getOperands(),
                          [&](Value operand) { return isDynamic(operand); });
  return dynamic[scalar] = result;
}

Value ProgramLowering::getScalar(Value scalar, Location loc) {
  if (Value known = scalars.lookup(scalar))
    return known;
  // All else is emitted where the program computes it; this is in the table.
  if (auto constantOp = scalar.getDefiningOp<arith::ConstantOp>())
    return arith::ConstantOp::create(builder, loc,
                                     cast<TypedAttr>(constantOp.getValue()));
  TableSize size = sizes.add(scalar);
  Value wide = size >= 0 ? constant(size, loc)
                         : loadAt(builder.getI64Type(), values, ~size, loc);
  if (scalar.getType().isIndex())
    return arith::IndexCastOp::create(builder, loc, scalar.getType(), wide);
  if (scalar.getType().getIntOrFloatBitWidth() < 64)
    return arith::TruncIOp::create(builder, loc, scalar.getType(), wide);
  return wide;
}

LogicalResult ProgramLowering::lowerScalarOp(Operation *op) {
  if (op->use_empty() || op->hasTrait<OpTrait::ConstantLike>())
    return success();
  bool isScalar = llvm::all_of(op->getResultTypes(), [](Type type) {
    return type.isIntOrIndexOrFloat();
  });
  if (!isScalar || !isPure(op) || op->getNumRegions() != 0)
    return op->emitError("expects an op that a program can run, got '")
           << op->getName() << "'";
  // Sizes that depend on symbols alone are eval's.
  if (llvm::none_of(op->getResults(), [&](Value v) { return isDynamic(v); }))
    return success();
  SmallVector<Value> operands;
  for (Value operand : op->getOperands())
    operands.push_back(getScalar(operand, op->getLoc()));
  if (auto apply = dyn_cast<affine::AffineApplyOp>(op)) {
    ArrayRef<Value> all = operands;
    AffineMap map = apply.getAffineMap();
    scalars[apply] = expandSizeExpr(builder, op->getLoc(), map.getResult(0),
                                    all.take_front(map.getNumDims()),
                                    all.drop_front(map.getNumDims()));
    return success();
  }
  if (!isa<arith::ArithDialect>(op->getDialect()))
    return op->emitError("expects scalar arithmetic in a program, got '")
           << op->getName() << "'";
  Operation *clone = builder.clone(*op);
  clone->setOperands(operands);
  clone->setDiscardableAttrs(DictionaryAttr::get(op->getContext()));
  for (auto [from, to] : llvm::zip_equal(op->getResults(), clone->getResults()))
    scalars[from] = to;
  return success();
}

void ProgramLowering::callTransfer(StringRef function, Value to, Value from,
                                   Value bytes, Location loc) {
  Type i32 = builder.getI32Type();
  auto call = LLVM::CallOp::create(builder, loc, TypeRange(i32), function,
                                   ValueRange{frame, to, from, bytes});
  Value before = LLVM::LoadOp::create(builder, loc, i32, failed);
  LLVM::StoreOp::create(
      builder, loc, LLVM::OrOp::create(builder, loc, before, call.getResult()),
      failed);
}

LogicalResult ProgramLowering::lowerExtract(tensor::ExtractOp op) {
  Location loc = op.getLoc();
  auto type = cast<RankedTensorType>(op.getTensor().getType());
  if (!type.hasStaticShape() && type.getRank() > 1)
    return op.emitError("expects to read an element of a tensor of known shape "
                        "or of one dimension, got ")
           << type;
  Value address = getAddress(op.getTensor(), loc);
  if (!address)
    return failure();
  Value linear = constant(0, loc);
  for (auto [d, index] : llvm::enumerate(op.getIndices())) {
    if (d)
      linear = LLVM::MulOp::create(builder, loc, linear,
                                   constant(type.getDimSize(d), loc));
    linear = LLVM::AddOp::create(builder, loc, linear, getSize(index, loc));
  }
  int64_t bytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  Value at = addDynamicBytes(
      address, LLVM::MulOp::create(builder, loc, linear, constant(bytes, loc)),
      loc);
  if (deviceMemory) {
    callTransfer("lathe_rt_read", transfer, at, constant(bytes, loc), loc);
    at = transfer;
  }
  scalars[op] =
      LLVM::LoadOp::create(builder, loc, type.getElementType(), at, bytes);
  return success();
}

LogicalResult ProgramLowering::lowerInsert(InsertOp op) {
  Location loc = op.getLoc();
  Value dest = getAddress(op.getDest(), loc);
  Value source = getAddress(op.getSource(), loc);
  FailureOr<Value> total = getBytes(op.getSource(), loc);
  if (!dest || !source || llvm::failed(total))
    return failure();
  auto type = cast<RankedTensorType>(op.getSource().getType());
  int64_t bytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  Value size = *total;
  // A state has room: the runtime has seen to it.
  auto arg = dyn_cast<BlockArgument>(getViewedValue(op.getDest()));
  bool isState = arg && arg.getOwner() == &main.front();
  if (op.getGrows() && !isState) {
    Value slot = growables.lookup(getViewedValue(op.getDest()));
    if (!slot)
      return op.emitError("expects a destination that can grow");
    Value end = LLVM::MulOp::create(builder, loc, getSize(op.getOffset(), loc),
                                    constant(bytes, loc));
    end = LLVM::AddOp::create(builder, loc, end, size);
    dest = reserve(slot, end, /*keep=*/true, loc);
    growables[op] = slot;
  }
  // A run that has failed leaves what it would write over.
  if (isState && !op.getGrows()) {
    Value status =
        LLVM::LoadOp::create(builder, loc, builder.getI32Type(), failed);
    Value fine = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq,
                                      status, constant(0, loc, 32));
    size = LLVM::SelectOp::create(builder, loc, fine, size, constant(0, loc));
  }
  Value at = addDynamicBytes(dest,
                             LLVM::MulOp::create(builder, loc,
                                                 getSize(op.getOffset(), loc),
                                                 constant(bytes, loc)),
                             loc);
  if (deviceMemory)
    callTransfer("lathe_rt_copy", at, source, size, loc);
  else
    LLVM::MemcpyOp::create(builder, loc, at, source, size,
                           /*isVolatile=*/false);
  addresses[op] = dest;
  return success();
}

LogicalResult ProgramLowering::lowerCheck(CheckOp op) {
  Location loc = op.getLoc();
  SetVector<StringAttr> nodes;
  collectNodeNames(loc, nodes);
  emitCheck(getScalar(op.getOk(), loc),
            nodes.empty() ? StringRef() : nodes.front().getValue(),
            op.getMessage(), loc);
  return success();
}

void ProgramLowering::emitCheck(Value ok, StringRef node, StringRef message,
                                Location loc) {
  tables.checks.push_back({node.str(), message.str()});
  Type i32 = builder.getI32Type(), i64 = builder.getI64Type();
  // The first check that fails is the one that is reported.
  Value status = loadField(FrameStatus, loc);
  Value before = LLVM::LoadOp::create(builder, loc, i64, status);
  Value open = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq,
                                    before, constant(0, loc));
  Value keep = LLVM::SelectOp::create(
      builder, loc, open, constant(tables.checks.size(), loc), before);
  LLVM::StoreOp::create(builder, loc,
                        LLVM::SelectOp::create(builder, loc, ok, before, keep),
                        status);
  Value state = LLVM::LoadOp::create(builder, loc, i32, failed);
  LLVM::StoreOp::create(
      builder, loc,
      LLVM::SelectOp::create(builder, loc, ok, state, constant(1, loc, 32)),
      failed);
}

//===----------------------------------------------------------------------===//
// Branches
//===----------------------------------------------------------------------===//

LogicalResult ProgramLowering::lowerIf(scf::IfOp op) {
  Location loc = op.getLoc();
  auto storage = op->getAttrOfType<ArrayAttr>(storageAttrName);
  SmallVector<Type> types;
  for (auto [result, where] : llvm::zip_equal(op.getResults(), storage)) {
    if (auto slot = dyn_cast<GrowableAttr>(where))
      growables[result] = constant(slot.getSlot(), loc, 32);
    else if (isa<RankedTensorType>(result.getType()))
      addresses[result] = getSlotAddress(where, loc);
    else if (!isa<ValueType>(result.getType()))
      types.push_back(result.getType());
  }
  auto made =
      scf::IfOp::create(builder, loc, types, getScalar(op.getCondition(), loc),
                        /*withElseRegion=*/true);
  auto branch = [&](Region &from, Region &to) -> LogicalResult {
    OpBuilder::InsertionGuard guard(builder);
    Block &body = to.front();
    if (!body.empty() && body.back().hasTrait<OpTrait::IsTerminator>())
      body.back().erase();
    builder.setInsertionPointToEnd(&body);
    SmallVector<Value> yields;
    if (!from.empty()) {
      auto yield = cast<scf::YieldOp>(from.front().getTerminator());
      for (auto [result, value] :
           llvm::zip_equal(op.getResults(), yield.getOperands()))
        if (Value slot = growables.lookup(result))
          growables[getViewedValue(value)] = slot;
        else if (isa<RankedTensorType>(result.getType()))
          addresses[getViewedValue(value)] = addresses[result];
      if (llvm::failed(lowerBlock(from.front())))
        return failure();
      for (Value value : yield.getOperands())
        if (!isa<RankedTensorType, ValueType>(value.getType()))
          yields.push_back(getScalar(value, loc));
      yieldValues(op.getResults(), yield.getOperands(), loc);
    }
    scf::YieldOp::create(builder, loc, yields);
    return success();
  };
  if (llvm::failed(branch(op.getThenRegion(), made.getThenRegion())) ||
      llvm::failed(branch(op.getElseRegion(), made.getElseRegion())))
    return failure();
  unsigned next = 0;
  for (Value result : op.getResults())
    if (Value slot = growables.lookup(result))
      addresses[result] = reserve(slot, constant(0, loc), /*keep=*/true, loc);
    else if (!isa<RankedTensorType, ValueType>(result.getType()))
      scalars[result] = made.getResult(next++);
  return success();
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

LogicalResult ProgramLowering::addInits(Operation *loop, OperandRange inits,
                                        SmallVectorImpl<Value> &fields) {
  Location loc = loop->getLoc();
  auto storage = loop->getAttrOfType<ArrayAttr>(storageAttrName);
  yieldValues(loop->getResults(), inits, loc);
  for (auto [init, spare] : llvm::zip_equal(inits, storage)) {
    Value slot = growables.lookup(getViewedValue(init));
    if (isa<ValueType>(init.getType()))
      continue;
    if (!isa<RankedTensorType>(init.getType())) {
      fields.push_back(getScalar(init, loc));
      continue;
    }
    Value address = getAddress(init, loc);
    if (!address)
      return failure();
    fields.push_back(address);
    if (isa<ArenaAttr>(spare))
      fields.push_back(getSlotAddress(spare, loc));
    if (auto growable = dyn_cast<GrowableAttr>(spare)) {
      fields.push_back(slot);
      fields.push_back(constant(growable.getSlot(), loc, 32));
    }
  }
  return success();
}

SmallVector<ProgramLowering::Spare>
ProgramLowering::bindCarried(Operation *loop, ValueRange carried,
                             ValueRange fields) {
  auto storage = loop->getAttrOfType<ArrayAttr>(storageAttrName);
  SmallVector<Spare> spares;
  unsigned next = 0;
  for (auto [value, result, spare] :
       llvm::zip_equal(carried, loop->getResults(), storage)) {
    spares.push_back({});
    // All through the loop a value it carries is in the slot of the result.
    if (isa<ValueType>(value.getType())) {
      valueSlots[value] = getValueSlot(result);
      continue;
    }
    if (!isa<RankedTensorType>(value.getType())) {
      scalars[value] = fields[next++];
      continue;
    }
    addresses[value] = fields[next++];
    if (isa<ArenaAttr>(spare))
      spares.back().buffer = fields[next++];
    if (isa<GrowableAttr>(spare)) {
      spares.back().current = growables[value] = fields[next++];
      spares.back().slot = fields[next++];
    }
  }
  return spares;
}

void ProgramLowering::addYields(ValueRange carried, ValueRange yields,
                                ArrayRef<Spare> spares,
                                SmallVectorImpl<Value> &fields, Location loc) {
  yieldValues(carried, yields, loc);
  for (auto [value, yield, spare] : llvm::zip_equal(carried, yields, spares)) {
    if (isa<ValueType>(value.getType()))
      continue;
    if (!isa<RankedTensorType>(value.getType())) {
      fields.push_back(getScalar(yield, loc));
      continue;
    }
    if (spare.slot) {
      // What is added to in place stays in its slot.
      bool stays = growables.lookup(getViewedValue(yield)) == spare.current;
      fields.push_back(addresses[getViewedValue(yield)]);
      fields.push_back(stays ? spare.current : spare.slot);
      fields.push_back(stays ? spare.slot : spare.current);
      continue;
    }
    if (spare.buffer)
      fields.push_back(spare.buffer);
    fields.push_back(addresses[value]);
  }
}

void ProgramLowering::bindYields(ValueRange yields, ArrayRef<Spare> spares) {
  for (auto [yield, spare] : llvm::zip_equal(yields, spares)) {
    Value root = getViewedValue(yield);
    if (spare.buffer)
      addresses[root] = spare.buffer;
    else if (spare.slot && root.getDefiningOp<LaunchOp>())
      growables[root] = spare.slot;
  }
}

LogicalResult ProgramLowering::lowerFor(scf::ForOp op) {
  Location loc = op.getLoc();
  SmallVector<Value> inits;
  if (llvm::failed(addInits(op, op.getInitArgs(), inits)))
    return failure();
  auto made = scf::ForOp::create(
      builder, loc, getScalar(op.getLowerBound(), loc),
      getScalar(op.getUpperBound(), loc), getScalar(op.getStep(), loc), inits);
  {
    OpBuilder::InsertionGuard guard(builder);
    Block *body = made.getBody();
    if (!body->empty() && body->back().hasTrait<OpTrait::IsTerminator>())
      body->back().erase();
    builder.setInsertionPointToEnd(body);
    scalars[op.getInductionVar()] = made.getInductionVar();
    SmallVector<Spare> spares =
        bindCarried(op, op.getRegionIterArgs(), made.getRegionIterArgs());
    ValueRange yields = op.getYieldedValues();
    bindYields(yields, spares);
    if (llvm::failed(lowerBlock(*op.getBody())))
      return failure();
    SmallVector<Value> fields;
    addYields(op.getRegionIterArgs(), yields, spares, fields, loc);
    scf::YieldOp::create(builder, loc, fields);
  }
  bindCarried(op, op.getResults(), made.getResults());
  return success();
}

LogicalResult ProgramLowering::lowerWhile(scf::WhileOp op) {
  Location loc = op.getLoc();
  scf::ConditionOp condition = op.getConditionOp();
  if (condition.getArgs() != op.getBeforeArguments())
    return op.emitError("expects a condition that passes on what it is given");
  SmallVector<Value> inits;
  if (llvm::failed(addInits(op, op.getInits(), inits)))
    return failure();
  SmallVector<Type> types = llvm::to_vector(ValueRange(inits).getTypes());
  auto made = scf::WhileOp::create(builder, loc, types, inits);
  SmallVector<Location> locs(types.size(), loc);
  OpBuilder::InsertionGuard guard(builder);
  Block *before = builder.createBlock(&made.getBefore(), {}, types, locs);
  bindCarried(op, op.getBeforeArguments(), before->getArguments());
  if (llvm::failed(lowerBlock(*op.getBeforeBody())))
    return failure();
  // A launch that failed may have left no condition: stop.
  Value state =
      LLVM::LoadOp::create(builder, loc, builder.getI32Type(), failed);
  Value fine = LLVM::ICmpOp::create(builder, loc, LLVM::ICmpPredicate::eq,
                                    state, constant(0, loc, 32));
  Value go = arith::AndIOp::create(builder, loc, fine,
                                   getScalar(condition.getCondition(), loc));
  scf::ConditionOp::create(builder, loc, go, before->getArguments());

  Block *after = builder.createBlock(&made.getAfter(), {}, types, locs);
  SmallVector<Spare> spares =
      bindCarried(op, op.getAfterArguments(), after->getArguments());
  ValueRange yields = op.getYieldOp().getOperands();
  bindYields(yields, spares);
  if (llvm::failed(lowerBlock(*op.getAfterBody())))
    return failure();
  SmallVector<Value> fields;
  addYields(op.getAfterArguments(), yields, spares, fields, loc);
  scf::YieldOp::create(builder, loc, fields);
  builder.setInsertionPointAfter(made);
  bindCarried(op, op.getResults(), made.getResults());
  return success();
}
