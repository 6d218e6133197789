// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Onnx/IR/Control.h"
#include "lathe/Dialect/Onnx/IR/SymbolicShapes.h"
#include "lathe/Dialect/Onnx/Transforms/Passes.h"

namespace lathe {
#define GEN_PASS_DEF_ANNOTATESHAPES
#include "lathe/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lathe

#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace lathe::onnx;

static Attribute getMap(MLIRContext *context, unsigned numSymbols,
                        const std::optional<Dims> &exprs) {
  if (!exprs)
    return UnitAttr::get(context);
  return AffineMapAttr::get(AffineMap::get(0, numSymbols, *exprs, context));
}

static void annotate(Operation *op, const SymbolicShapes &shapes) {
  MLIRContext *context = op->getContext();
  unsigned numSymbols = shapes.getSymbols().size();
  SmallVector<Attribute> operands, results, contents, arguments;
  for (Value operand : op->getOperands()) {
    const TensorInfo &info = shapes.get(operand);
    operands.push_back(getMap(context, numSymbols, info.dims));
    contents.push_back(getMap(context, numSymbols, info.getExprs()));
  }
  for (Value result : op->getResults())
    results.push_back(getMap(context, numSymbols, shapes.get(result).dims));
  for (Region &region : op->getRegions())
    for (Value argument : region.getArguments())
      arguments.push_back(
          getMap(context, numSymbols, shapes.get(argument).dims));
  Builder builder(context);
  SmallVector<NamedAttribute> lists = {
      builder.getNamedAttr("contents", builder.getArrayAttr(contents)),
      builder.getNamedAttr("operands", builder.getArrayAttr(operands)),
      builder.getNamedAttr("results", builder.getArrayAttr(results))};
  if (!arguments.empty())
    lists.push_back(
        builder.getNamedAttr("arguments", builder.getArrayAttr(arguments)));
  op->setAttr("lathe.shapes", builder.getDictionaryAttr(lists));
}

/// Names every dimension of the arguments that is not constant.
static void nameDims(func::FuncOp func, const SymbolicShapes &shapes) {
  for (BlockArgument argument : func.getArguments()) {
    const TensorInfo &info = shapes.get(argument);
    if (!info.dims)
      continue;
    SmallVector<StringRef> names;
    for (AffineExpr dim : *info.dims) {
      auto symbol = dyn_cast<AffineSymbolExpr>(dim);
      names.push_back(
          symbol ? StringRef(shapes.getSymbols()[symbol.getPosition()]) : "");
    }
    func.setArgAttr(argument.getArgNumber(), "lathe.dims",
                    Builder(func.getContext()).getStrArrayAttr(names));
  }
}

namespace {
struct AnnotateShapes : public lathe::impl::AnnotateShapesBase<AnnotateShapes> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp func = getOperation();
    if (func.isExternal())
      return;
    auto shapes = SymbolicShapes::analyze(func);
    if (failed(shapes))
      return signalPassFailure();
    func.walk([&](Operation *op) {
      if (isa_and_nonnull<OnnxDialect>(op->getDialect()))
        annotate(op, *shapes);
    });
    Builder builder(&getContext());
    unsigned numSymbols = shapes->getSymbols().size();
    SmallVector<StringRef> names(shapes->getSymbols().begin(),
                                 shapes->getSymbols().end());
    SmallVector<Attribute> constraints;
    llvm::MapVector<Region *, SmallVector<Attribute>> inBranches;
    for (const SizeConstraint &constraint : shapes->getConstraints()) {
      Attribute map =
          getMap(&getContext(), numSymbols, Dims{constraint.a, constraint.b});
      if (constraint.branch)
        inBranches[constraint.branch].push_back(map);
      else
        constraints.push_back(map);
    }
    for (auto &[branch, maps] : inBranches) {
      IfOp op = cast<IfOp>(branch->getParentOp());
      StringRef name = branch == &op.getThenBranch() ? "lathe.then_constraints"
                                                     : "lathe.else_constraints";
      op->setAttr(name, builder.getArrayAttr(maps));
    }
    func->setAttr("lathe.symbols", builder.getStrArrayAttr(names));
    func->setAttr("lathe.entry_symbols",
                  builder.getI64IntegerAttr(shapes->getNumEntrySymbols()));
    func->setAttr("lathe.constraints", builder.getArrayAttr(constraints));
    nameDims(func, *shapes);
  }
};
} // namespace
