// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What fusions saved: from launches to metadata, and back to numbers.

#include "SizeExpr.h"
#include "lathe/Pipeline/Inspect.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/FormatVariadic.h"
#include <map>

using namespace mlir;
using namespace lathe;

std::optional<AffineExpr> SizeExprs::get(Value size) {
  MLIRContext *context = size.getContext();
  if (std::optional<int64_t> known = getConstantIntValue(size))
    return getAffineConstantExpr(*known, context);
  if (auto symbol = size.getDefiningOp<SymbolOp>()) {
    auto at = llvm::find(symbols, symbol.getName());
    unsigned position = at - symbols.begin();
    if (at == symbols.end())
      symbols.push_back(symbol.getName().str());
    return getAffineSymbolExpr(position, context);
  }
  auto apply = size.getDefiningOp<affine::AffineApplyOp>();
  if (!apply)
    return std::nullopt;
  SmallVector<AffineExpr> dims, others;
  for (auto [i, operand] : llvm::enumerate(apply.getMapOperands())) {
    std::optional<AffineExpr> expr = get(operand);
    if (!expr)
      return std::nullopt;
    (i < apply.getAffineMap().getNumDims() ? dims : others).push_back(*expr);
  }
  return apply.getAffineMap().getResult(0).replaceDimsAndSymbols(dims, others);
}

std::optional<AffineExpr> SizeExprs::get(LaunchOp launch, AffineExpr expr) {
  SmallVector<AffineExpr> sizes;
  for (auto [i, size] : llvm::enumerate(launch.getSizes())) {
    sizes.push_back(getAffineConstantExpr(0, expr.getContext()));
    if (!expr.isFunctionOfSymbol(i))
      continue;
    std::optional<AffineExpr> known = get(size);
    if (!known)
      return std::nullopt;
    sizes.back() = *known;
  }
  return simplifyAffineExpr(expr.replaceSymbols(sizes), 0, symbols.size());
}

std::vector<FusionSaving> lathe::getFusionSavings(ModuleOp module) {
  std::map<std::string, FusionSaving> savings;
  SizeExprs sizes;
  module.walk([&](LaunchOp launch) {
    auto kinds = launch->getAttrOfType<DictionaryAttr>(fusionsAttrName);
    if (!kinds)
      return;
    for (NamedAttribute entry : kinds) {
      AffineMap map = cast<AffineMapAttr>(entry.getValue()).getValue();
      FusionSaving &saving = savings[entry.getName().str()];
      saving.count += cast<AffineConstantExpr>(map.getResult(0)).getValue();
      std::optional<AffineExpr> bytes = sizes.get(launch, map.getResult(1));
      if (!bytes)
        continue;
      saving.bytes = saving.bytes ? saving.bytes + *bytes : *bytes;
    }
  });
  std::vector<FusionSaving> list;
  for (auto &[kind, saving] : savings) {
    saving.kind = kind;
    saving.symbols = sizes.symbols;
    if (!saving.bytes)
      saving.bytes = getAffineConstantExpr(0, module.getContext());
    saving.bytes = simplifyAffineExpr(saving.bytes, 0, saving.symbols.size());
    list.push_back(saving);
  }
  return list;
}

std::string lathe::printFusionSaving(const FusionSaving &saving) {
  llvm::json::Object object{{"count", saving.count}};
  if (auto bytes = dyn_cast<AffineConstantExpr>(saving.bytes)) {
    object["bytes"] = bytes.getValue();
  } else {
    std::string text;
    llvm::raw_string_ostream(text) << AffineMapAttr::get(
        AffineMap::get(0, saving.symbols.size(), saving.bytes));
    object["bytes"] = text;
    llvm::json::Array symbols;
    for (const std::string &name : saving.symbols)
      symbols.push_back(llvm::json::fixUTF8(name));
    object["symbols"] = std::move(symbols);
  }
  return llvm::formatv("{0}", llvm::json::Value(std::move(object)));
}

std::optional<FusionNumbers> lathe::evaluateFusionSaving(
    StringRef text, function_ref<std::optional<int64_t>(StringRef)> getSymbol) {
  llvm::Expected<llvm::json::Value> parsed = llvm::json::parse(text);
  if (!parsed) {
    llvm::consumeError(parsed.takeError());
    return std::nullopt;
  }
  llvm::json::Object *object = parsed->getAsObject();
  if (!object)
    return std::nullopt;
  std::optional<int64_t> count = object->getInteger("count");
  if (!count)
    return std::nullopt;
  if (std::optional<int64_t> bytes = object->getInteger("bytes"))
    return FusionNumbers{*count, *bytes};
  std::optional<StringRef> expr = object->getString("bytes");
  llvm::json::Array *names = object->getArray("symbols");
  if (!expr || !names)
    return std::nullopt;
  MLIRContext context(MLIRContext::Threading::DISABLED);
  auto map = dyn_cast_or_null<AffineMapAttr>(parseAttribute(*expr, &context));
  if (!map || map.getAffineMap().getNumSymbols() != names->size() ||
      map.getAffineMap().getNumResults() != 1)
    return std::nullopt;
  Builder builder(&context);
  SmallVector<Attribute> values;
  for (const llvm::json::Value &name : *names) {
    std::optional<int64_t> value = getSymbol(name.getAsString().value_or(""));
    if (!value)
      return std::nullopt;
    values.push_back(builder.getIndexAttr(*value));
  }
  SmallVector<Attribute> results;
  if (failed(map.getAffineMap().constantFold(values, results)))
    return std::nullopt;
  return FusionNumbers{*count, cast<IntegerAttr>(results[0]).getInt()};
}
