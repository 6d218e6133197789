// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes that depend on data. The program binds a symbol when it has computed
// it, which has `eval` run again; what has no bound when the program is entered
// lies in memory that the runtime makes large enough just before it is written.

#include "ProgramLowering.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace lathe;

void ProgramLowering::declareSizeFunctions() {
  Type i32 = builder.getI32Type(), i64 = builder.getI64Type();
  Type nothing = LLVM::LLVMVoidType::get(builder.getContext());
  bool binds = false, outputs = false;
  main.walk([&](BindOp) { binds = true; });
  for (const ProgramTables::Tensor &output : tables.outputs)
    outputs |= output.dataDims != 0;
  if (binds)
    declare("lathe_rt_bind", nothing, {pointerType, i32, i64, i64, i32});
  if (main->hasAttr(growablesAttrName))
    declare("lathe_rt_reserve", pointerType, {pointerType, i32, i64, i32});
  if (outputs)
    declare("lathe_rt_output", pointerType, {pointerType, i32});
  bound.resize(tables.symbols.size());
}

LogicalResult ProgramLowering::lowerBind(BindOp op) {
  Location loc = op.getLoc();
  unsigned symbol = *sizes.findSymbol(op.getName());
  SetVector<StringAttr> nodes;
  collectNodeNames(loc, nodes);
  std::string node = nodes.empty() ? "" : nodes.front().str();
  Value max = op.getMax() ? getSize(op.getMax(), loc) : constant(-1, loc);
  tables.checks.push_back(
      {node, op.getMax() ? "expects a size that fits its inputs, got %lld"
                         : "expects a size that is not negative, got %lld"});
  LLVM::CallOp::create(builder, loc, TypeRange(), "lathe_rt_bind",
                       ValueRange{frame, constant(symbol, loc, 32),
                                  getSize(op.getValue(), loc), max,
                                  constant(tables.checks.size() - 1, loc, 32)});
  ++tables.numBinds;
  bound.set(symbol);

  // Conditions that can be tested from here on.
  auto constraints = main->getAttrOfType<ArrayAttr>(constraintsAttrName);
  if (!constraints)
    return success();
  for (AffineMap map : constraints.getAsValueRange<AffineMapAttr>()) {
    SmallVector<unsigned> read = getReadSymbols(map);
    if (!llvm::is_contained(read, symbol) ||
        !llvm::all_of(read, [&](unsigned i) {
          return bound.test(i) || sizes.isBoundAtEntry(i);
        }))
      continue;
    SmallVector<Value> all(map.getNumSymbols());
    for (unsigned i : read)
      all[i] = arith::IndexCastOp::create(
          builder, loc, builder.getIndexType(),
          loadAt(builder.getI64Type(), values, i, loc));
    Value lhs = expandSizeExpr(builder, loc, map.getResult(0), {}, all);
    Value rhs = expandSizeExpr(builder, loc, map.getResult(1), {}, all);
    Value ok =
        arith::CmpIOp::create(builder, loc, arith::CmpIPredicate::eq, lhs, rhs);
    emitCheck(ok, node,
              "expects sizes with " + printConstraint(map, tables.symbols),
              loc);
  }
  return success();
}

FailureOr<Value> ProgramLowering::getBytes(Value tensor, Location loc) {
  auto type = cast<RankedTensorType>(tensor.getType());
  int64_t bytes = getKnownBytes(type);
  OpBuilder before(main.getContext());
  if (Operation *def = tensor.getDefiningOp())
    before.setInsertionPoint(def);
  else
    before.setInsertionPointToStart(cast<BlockArgument>(tensor).getOwner());
  FailureOr<SmallVector<Value>> dims = getDynamicDims(before, tensor);
  if (llvm::failed(dims))
    return emitError(loc, "failed to find the sizes of a value of type ")
           << type;
  // More than 64 bits can hold is a negative number, which nobody can allocate.
  Value size = constant(bytes, loc), none = constant(-1, loc);
  for (Value dim : *dims) {
    auto product =
        arith::MulSIExtendedOp::create(builder, loc, size, getSize(dim, loc));
    Value fits = arith::CmpIOp::create(
        builder, loc, arith::CmpIPredicate::eq, product.getHigh(),
        arith::ShRSIOp::create(builder, loc, product.getLow(),
                               constant(63, loc)));
    size = arith::SelectOp::create(builder, loc, fits, product.getLow(), none);
  }
  return size;
}

Value ProgramLowering::reserve(Value slot, Value bytes, bool keep,
                               Location loc) {
  return LLVM::CallOp::create(
             builder, loc, TypeRange(pointerType), "lathe_rt_reserve",
             ValueRange{frame, slot, bytes, constant(keep, loc, 32)})
      .getResult();
}

LogicalResult ProgramLowering::reserveResults(Operation *launch) {
  Location loc = launch->getLoc();
  auto storage = launch->getAttrOfType<ArrayAttr>(storageAttrName);
  for (auto [result, where] : llvm::zip_equal(launch->getResults(), storage)) {
    if (auto output = dyn_cast<OutputAttr>(where);
        output && tables.outputs[output.getIndex()].dataDims) {
      addresses[result] =
          LLVM::CallOp::create(
              builder, loc, TypeRange(pointerType), "lathe_rt_output",
              ValueRange{frame, constant(output.getIndex(), loc, 32)})
              .getResult();
      continue;
    }
    if (auto growable = dyn_cast<GrowableAttr>(where))
      growables[result] = constant(growable.getSlot(), loc, 32);
    Value slot = growables.lookup(result);
    if (!slot)
      continue;
    FailureOr<Value> bytes = getBytes(result, loc);
    if (llvm::failed(bytes))
      return failure();
    addresses[result] = reserve(slot, *bytes, /*keep=*/false, loc);
  }
  return success();
}
