// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values and library calls. A value has no code of its own: it is the number of
// a slot of the context, fixed when the program is compiled. What a branch
// yields or a loop carries is moved to the slot of the result, which only
// shares it.

#include "ProgramLowering.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "lathe-rt/artifact.h"
#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lathe;

void ProgramLowering::declareValueFunctions() {
  Type i32 = builder.getI32Type(), i64 = builder.getI64Type();
  Type nothing = LLVM::LLVMVoidType::get(builder.getContext());
  nextSlot = tables.inputs.size() + tables.outputs.size();
  SetVector<StringRef> functions;
  bool hasSizes = false, hasLiterals = false;
  main.walk([&](Operation *op) {
    hasValues |=
        llvm::any_of(op->getOperandTypes(), llvm::IsaPred<ValueType>) ||
        llvm::any_of(op->getResultTypes(), llvm::IsaPred<ValueType>);
    hasSizes |= isa<ValueSizeOp>(op);
    hasLiterals |= isa<LiteralOp>(op);
    if (auto call = dyn_cast<CallOp>(op)) {
      hasValues = true;
      functions.insert(call.getFunction());
    }
    if (!isa<CallOp>(op))
      return;
    int64_t words = op->getNumOperands();
    for (Type type : op->getOperandTypes())
      if (auto tensor = dyn_cast<RankedTensorType>(type))
        words += tensor.getNumDynamicDims();
    for (Type type : op->getResultTypes())
      if (auto tensor = dyn_cast<RankedTensorType>(type))
        words += 1 + tensor.getNumDynamicDims();
    numArgs = std::max(numArgs, words);
  });
  hasValues |= llvm::any_of(main.getArgumentTypes(), llvm::IsaPred<ValueType>);
  if (!hasValues)
    return;
  if (hasLiterals)
    functions.insert("identity");
  declare("lathe_rt_library", nothing,
          {pointerType, i32, pointerType, pointerType});
  declare("lathe_rt_move", nothing, {pointerType, i32, i32});
  if (hasSizes)
    declare("lathe_rt_value_size", i64, {pointerType, i32, i32});
  for (StringRef function : functions)
    declare(("lathe_rt_lib_" + function).str(), i32, {pointerType});
}

int64_t ProgramLowering::addLiteral(LiteralOp literal) {
  auto elements = cast<ElementsAttr>(literal.getValue());
  auto [it, fresh] =
      literalIds.insert({Attribute(elements), tables.literals.size()});
  if (fresh)
    tables.literals.push_back(elements);
  return it->second;
}

int64_t ProgramLowering::getValueSlot(Value value) {
  auto arg = dyn_cast<BlockArgument>(value);
  if (arg && arg.getOwner() == &main.getBody().front())
    return arg.getArgNumber();
  if (auto literal = value.getDefiningOp<LiteralOp>()) {
    // A literal is no value until somebody wants to keep it.
    int64_t slot = nextSlot++;
    ProgramTables::Call call;
    call.numInputs = call.numResults = 1;
    call.operands.push_back(describeLiteral(literal));
    call.operands.push_back({LATHE_RT_SLOT, slot, {}, {}});
    emitCall("identity", std::move(call), literal.getLoc());
    return slot;
  }
  auto [it, fresh] = valueSlots.try_emplace(value, nextSlot);
  nextSlot += fresh;
  return it->second;
}

/// Whether the op that uses `value`, and does so once, is the only one, and is
/// reached as often as `value` is made.
static bool isLastUse(Value value) {
  return value.hasOneUse() &&
         (*value.getUsers().begin())->getBlock() == value.getParentBlock();
}

void ProgramLowering::moveValue(int64_t to, int64_t from, Location loc,
                                bool isLast) {
  LLVM::CallOp::create(builder, loc, TypeRange(), "lathe_rt_move",
                       ValueRange{frame, constant(to, loc, 32),
                                  constant(isLast ? ~from : from, loc, 32)});
}

/// Whether what is moved need not stay where it is. What a loop carries is for
/// the loop to move.
static bool isMovedForGood(Value value) {
  return value.getDefiningOp<LiteralOp>() ||
         (isa<OpResult>(value) && isLastUse(value));
}

void ProgramLowering::yieldValues(ValueRange to, ValueRange from,
                                  Location loc) {
  struct Move {
    int64_t target, source;
    bool isLast;
  };
  SmallVector<Move> moves;
  for (auto [target, source] : llvm::zip_equal(to, from))
    if (isa<ValueType>(target.getType()))
      moves.push_back(
          {getValueSlot(target), getValueSlot(source), isMovedForGood(source)});
  // One value may take the place of another that is still to be moved.
  if (moves.size() > 1)
    for (Move &move : moves) {
      int64_t between = nextSlot++;
      moveValue(between, move.source, loc, move.isLast);
      move.source = between;
      move.isLast = true;
    }
  for (Move move : moves)
    moveValue(move.target, move.source, loc, move.isLast);
}

void ProgramLowering::emitCall(StringRef function, ProgramTables::Call call,
                               Location loc) {
  SetVector<StringAttr> nodes;
  collectNodeNames(loc, nodes);
  call.node = nodes.empty() ? "" : nodes.front().str();
  tables.calls.push_back(std::move(call));
  Value code = LLVM::AddressOfOp::create(builder, loc, pointerType,
                                         ("lathe_rt_lib_" + function).str());
  LLVM::CallOp::create(builder, loc, TypeRange(), "lathe_rt_library",
                       ValueRange{frame,
                                  constant(tables.calls.size() - 1, loc, 32),
                                  code, args});
}

ProgramTables::Operand ProgramLowering::describeLiteral(LiteralOp literal) {
  if (isa<UnitAttr>(literal.getValue()))
    return {LATHE_RT_NOTHING, 0, {}, {}};
  return {LATHE_RT_LITERAL, addLiteral(literal), {}, {}};
}

LogicalResult ProgramLowering::lowerCall(CallOp op) {
  Location loc = op.getLoc();
  if (deviceMemory)
    return op.emitError("expects a program without values and library "
                        "functions on this target, got '")
           << op.getFunction() << "'";
  if (op->hasAttr(storageAttrName) && llvm::failed(reserveResults(op)))
    return failure();
  ProgramTables::Call call;
  call.numInputs = op.getInputs().size();
  call.numResults = op.getNumResults();
  call.numSizes = op.getSizes().size();
  call.ints.assign(op.getInts().begin(), op.getInts().end());
  SmallVector<Value> fields;
  auto types = op.getTypes().getAsValueRange<TypeAttr>();
  auto nextType = types.begin();
  auto addTensor = [&](Value tensor, ValueRange dims) -> LogicalResult {
    auto type = cast<RankedTensorType>(tensor.getType());
    ProgramTables::Operand operand{LATHE_RT_TENSOR, 0, *nextType, {}};
    Value address = getAddress(tensor, loc);
    if (!address)
      return failure();
    fields.push_back(address);
    for (int64_t dim : type.getShape())
      operand.dims.push_back(ShapedType::isDynamic(dim) ? -1 : dim);
    for (Value dim : dims)
      fields.push_back(getSize(dim, loc));
    call.operands.push_back(operand);
    return success();
  };
  for (Value input : op.getInputs()) {
    if (auto literal = input.getDefiningOp<LiteralOp>()) {
      call.operands.push_back(describeLiteral(literal));
    } else if (isa<ValueType>(input.getType())) {
      call.operands.push_back({isLastUse(input) ? LATHE_RT_LAST : LATHE_RT_SLOT,
                               getValueSlot(input),
                               {},
                               {}});
    } else {
      OpBuilder before(op);
      FailureOr<SmallVector<Value>> dims = getDynamicDims(before, input);
      if (llvm::failed(dims))
        return op.emitError("failed to find the sizes of an input");
      if (llvm::failed(addTensor(input, *dims)))
        return failure();
    }
    ++nextType;
  }
  auto dims = op.getDims();
  for (Value result : op.getResults()) {
    if (auto tensor = dyn_cast<RankedTensorType>(result.getType())) {
      unsigned count = tensor.getNumDynamicDims();
      if (llvm::failed(addTensor(result, dims.take_front(count))))
        return failure();
      dims = dims.drop_front(count);
    } else if (result.use_empty()) {
      call.operands.push_back({LATHE_RT_NOTHING, 0, {}, {}});
    } else {
      call.operands.push_back({LATHE_RT_SLOT, getValueSlot(result), {}, {}});
    }
    ++nextType;
  }
  for (Value size : op.getSizes())
    fields.push_back(getSize(size, loc));
  for (auto [i, field] : llvm::enumerate(fields))
    LLVM::StoreOp::create(builder, loc, field, addBytes(args, i * 8, loc));
  emitCall(op.getFunction(), std::move(call), loc);
  return success();
}

void ProgramLowering::lowerValueSelect(arith::SelectOp op) {
  Location loc = op.getLoc();
  auto branch = scf::IfOp::create(builder, loc, TypeRange(),
                                  getScalar(op.getCondition(), loc),
                                  /*withElseRegion=*/true);
  int64_t slot = getValueSlot(op.getResult());
  for (auto [region, value] :
       {std::pair(&branch.getThenRegion(), op.getTrueValue()),
        std::pair(&branch.getElseRegion(), op.getFalseValue())}) {
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&region->front());
    moveValue(slot, getValueSlot(value), loc);
  }
}

LogicalResult ProgramLowering::lowerValueSize(ValueSizeOp op) {
  Location loc = op.getLoc();
  auto call = LLVM::CallOp::create(
      builder, loc, TypeRange(builder.getI64Type()), "lathe_rt_value_size",
      ValueRange{frame, constant(getValueSlot(op.getValue()), loc, 32),
                 constant(static_cast<int64_t>(op.getDim()), loc, 32)});
  scalars[op] = arith::IndexCastOp::create(builder, loc, builder.getIndexType(),
                                           call.getResult());
  return success();
}

LogicalResult ProgramLowering::describeValue(ProgramTables::Tensor &tensor,
                                             StringAttr type, Type original,
                                             ArrayAttr dimNames) {
  if (!type || !original)
    return main.emitError("expects values whose type in ONNX is known, got "
                          "one for '")
           << tensor.name << "'";
  tensor.valueType = type.str();
  tensor.elementType = original;
  auto strings = dyn_cast<RankedTensorType>(original);
  if (!strings || !dimNames || tensor.valueType != "tensor(string)")
    return success();
  tensor.hasRank = true;
  for (auto [d, dim] : llvm::enumerate(strings.getShape())) {
    StringRef name = cast<StringAttr>(dimNames[d]).getValue();
    std::optional<unsigned> symbol;
    if (ShapedType::isDynamic(dim) && !(symbol = sizes.findSymbol(name)))
      return main.emitError("expects a symbol for dimension ")
             << d << " of input '" << tensor.name << "', got '" << name << "'";
    tensor.dims.push_back(symbol ? ~(int64_t)*symbol : dim);
    tensor.dimNames.push_back(symbol ? name.str() : "");
  }
  return success();
}
