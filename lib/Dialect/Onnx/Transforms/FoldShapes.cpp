// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConstantValue.h"
#include "lathe/Dialect/Onnx/IR/Control.h"
#include "lathe/Dialect/Onnx/IR/SymbolicShapes.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "lathe/Dialect/Onnx/Transforms/Passes.h"
#include "mlir/IR/Iterators.h"

namespace lathe {
#define GEN_PASS_DEF_ONNXFOLDSHAPES
#include "lathe/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe::onnx;

/// `scalar` as an element of type `type`; null if it is not known, or not
/// exactly an element of that type.
static Attribute getElement(const Scalar &scalar, Type type) {
  if (auto integer = dyn_cast<IntegerType>(type)) {
    auto value = getConstant(scalar.expr);
    if (!value)
      return {};
    return IntegerAttr::get(integer, APInt(integer.getWidth(), *value,
                                           /*isSigned=*/!integer.isUnsigned(),
                                           /*implicitTrunc=*/true));
  }
  auto number = scalar.getNumber();
  auto floating = dyn_cast<FloatType>(type);
  if (!number || !floating)
    return {};
  APFloat value(*number);
  bool losesInfo = false;
  value.convert(floating.getFloatSemantics(), APFloat::rmNearestTiesToEven,
                &losesInfo);
  return losesInfo ? Attribute() : FloatAttr::get(floating, value);
}

DenseElementsAttr lathe::onnx::getConstantValue(Type type,
                                                const TensorInfo &info) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() || !info.contents ||
      tensor.getNumElements() != static_cast<int64_t>(info.contents->size()))
    return {};
  SmallVector<Attribute> elements;
  for (const Scalar &scalar : *info.contents) {
    elements.push_back(getElement(scalar, tensor.getElementType()));
    if (!elements.back())
      return {};
  }
  return DenseElementsAttr::get(tensor, elements);
}

/// Puts the branch that `op` takes in its place.
static void inlineBranch(IfOp op, bool condition) {
  Block &branch = (condition ? op.getThenBranch() : op.getElseBranch()).front();
  Operation *yield = branch.getTerminator();
  op->getBlock()->getOperations().splice(op->getIterator(),
                                         branch.getOperations(), branch.begin(),
                                         yield->getIterator());
  op->replaceAllUsesWith(yield->getOperands());
  op->erase();
}

namespace {
struct OnnxFoldShapes : public lathe::impl::OnnxFoldShapesBase<OnnxFoldShapes> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp func = getOperation();
    if (func.isExternal())
      return;
    auto shapes = SymbolicShapes::analyze(func);
    if (failed(shapes))
      return signalPassFailure();
    SmallVector<std::pair<IfOp, bool>> branches;
    func.walk([&](IfOp op) {
      auto known = shapes->get(op.getCond()).getInts();
      if (known && known->size() == 1) {
        branches.push_back({op, known->front() != 0});
        return;
      }
      if (!shapes->isReached(op.getCond()))
        return;
      if (std::optional<bool> required = require(op, *shapes))
        branches.push_back({op, *required});
    });
    func.walk([&](Operation *op) {
      if (!isa<ConstantOp>(op))
        fold(op, *shapes);
    });
    // Inner conditionals come first in the walk.
    for (auto [op, condition] : branches)
      inlineBranch(op, condition);
    numBranches += branches.size();
    eraseDeadOps(func);
  }

  /// The value that the condition of `op` must have, if only one branch can be
  /// compiled. Taking the other one is an error of the run.
  std::optional<bool> require(IfOp op, const SymbolicShapes &shapes) {
    std::string reason;
    std::optional<bool> required;
    for (bool branch : {false, true}) {
      StringRef why = shapes.getContradiction(branch ? op.getThenBranch()
                                                     : op.getElseBranch());
      if (why.empty())
        continue;
      required = !branch;
      reason = ("the other branch contradicts the sizes: " + why).str();
      op->emitWarning()
          << "'" << op->getName() << "' op its " << (branch ? "then" : "else")
          << " branch contradicts the sizes and is an error when it is taken: "
          << why;
    }
    if (!required) {
      required = op.getRequiredCondition(
          [&](Value value) -> const TensorInfo & { return shapes.get(value); });
      reason = "its branches give tensors of other ranks";
    }
    if (!required)
      return std::nullopt;
    OpBuilder builder(op);
    RequireOp::create(builder, op.getLoc(), op.getCond(),
                      builder.getStringAttr(
                          "expects sizes for which its condition is " +
                          Twine(*required ? "true" : "false") + ": " + reason),
                      builder.getBoolAttr(*required))
        ->setAttr("lathe.node", op->getAttr("lathe.node"));
    return required;
  }

  void fold(Operation *op, const SymbolicShapes &shapes) {
    for (Value result : op->getResults()) {
      if (result.use_empty())
        continue;
      auto value = getConstantValue(result.getType(), shapes.get(result));
      if (!value)
        continue;
      OpBuilder builder(op);
      result.replaceAllUsesWith(
          ConstantOp::create(builder, op->getLoc(), value.getType(), value));
      ++numFolded;
    }
  }

  void eraseDeadOps(func::FuncOp func) {
    func.walk<WalkOrder::PostOrder, ReverseIterator>([](Operation *op) {
      if (isOpTriviallyDead(op))
        op->erase();
    });
  }
};
} // namespace
