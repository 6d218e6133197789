// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Conversion/OnnxToLinalg/DimBuilder.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace lathe;

AffineMap lathe::getShapesMap(Operation *op, StringRef list, unsigned i) {
  auto shapes = op->getAttrOfType<DictionaryAttr>(shapesAttrName);
  auto maps = shapes ? shapes.getAs<ArrayAttr>(list) : ArrayAttr();
  if (!maps || i >= maps.size())
    return {};
  auto map = dyn_cast<AffineMapAttr>(maps[i]);
  return map ? map.getValue() : AffineMap();
}

bool DimBuilder::knows(Type type, StringRef list, unsigned i) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return false;
  if (tensor.hasStaticShape())
    return true;
  AffineMap map = getShapesMap(op, list, i);
  return map && map.getNumResults() == tensor.getRank();
}

bool DimBuilder::knowsOperand(unsigned i) {
  return knows(op->getOperand(i).getType(), "operands", i);
}

bool DimBuilder::knowsResult(unsigned i) {
  return knows(op->getResult(i).getType(), "results", i);
}

std::optional<DimBuilder::Dims> DimBuilder::getDims(Type type, StringRef list,
                                                    unsigned i) {
  if (!knows(type, list, i))
    return std::nullopt;
  auto tensor = cast<RankedTensorType>(type);
  if (tensor.hasStaticShape())
    return getAsIndexOpFoldResult(op->getContext(), tensor.getShape());
  return evaluate(getShapesMap(op, list, i));
}

std::optional<DimBuilder::Dims> DimBuilder::getOperandDims(unsigned i) {
  return getDims(op->getOperand(i).getType(), "operands", i);
}

std::optional<DimBuilder::Dims> DimBuilder::getResultDims(unsigned i) {
  return getDims(op->getResult(i).getType(), "results", i);
}

std::optional<DimBuilder::Dims> DimBuilder::getContents(unsigned i) {
  if (AffineMap map = getShapesMap(op, "contents", i))
    return evaluate(map);
  return std::nullopt;
}

std::optional<SmallVector<int64_t>>
DimBuilder::getConstantContents(unsigned i) {
  AffineMap map = getShapesMap(op, "contents", i);
  if (!map)
    return std::nullopt;
  SmallVector<int64_t> values;
  for (AffineExpr expr : map.getResults()) {
    auto constant = dyn_cast<AffineConstantExpr>(expr);
    if (!constant)
      return std::nullopt;
    values.push_back(constant.getValue());
  }
  return values;
}

DimBuilder::Dims DimBuilder::evaluate(AffineMap map) {
  // Only the symbols that are read get a value.
  llvm::SmallBitVector used(map.getNumSymbols());
  map.walkExprs([&](AffineExpr expr) {
    if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
      used.set(symbol.getPosition());
  });
  SmallVector<OpFoldResult> operands(map.getNumSymbols(),
                                     builder.getIndexAttr(0));
  for (unsigned i : used.set_bits())
    operands[i] = getSymbol(i);
  return affine::makeComposedFoldedMultiResultAffineApply(builder, op->getLoc(),
                                                          map, operands);
}

StringAttr DimBuilder::getSymbolName(unsigned i) {
  auto func = op->getParentOfType<func::FuncOp>();
  auto names = func->getAttrOfType<ArrayAttr>(symbolsAttrName);
  // A program without the list has symbols that are named by position.
  return names && i < names.size() ? cast<StringAttr>(names[i])
                                   : builder.getStringAttr("s" + Twine(i));
}

bool DimBuilder::isEntrySymbol(unsigned i) {
  auto func = op->getParentOfType<func::FuncOp>();
  auto count = func->getAttrOfType<IntegerAttr>(entrySymbolsAttrName);
  return !count || i < count.getInt();
}

/// The latest binding of a symbol that is seen from `op`.
static BindOp findBinding(Operation *op, StringAttr name) {
  BindOp latest;
  op->getParentOfType<func::FuncOp>().walk([&](BindOp bind) {
    if (bind.getNameAttr() == name &&
        bind->getParentRegion()->isAncestor(op->getParentRegion()))
      latest = bind;
  });
  return latest;
}

Value DimBuilder::getSymbol(unsigned i) {
  auto func = op->getParentOfType<func::FuncOp>();
  StringAttr name = getSymbolName(i);
  if (!isEntrySymbol(i))
    if (BindOp bind = findBinding(op, name))
      return bind;
  Block &entry = func.getBody().front();
  for (Operation &candidate : entry) {
    auto symbol = dyn_cast<SymbolOp>(candidate);
    if (!symbol)
      break;
    if (symbol.getNameAttr() == name)
      return symbol;
  }
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&entry);
  return SymbolOp::create(builder, func.getLoc(), name);
}
