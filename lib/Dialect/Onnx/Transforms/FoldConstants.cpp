// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decides which computations on constants are worth having as constants, has
// them computed all at once, and puts the results in their place.
//
// An op is *constant* if all its operands are, and it has neither effects nor
// sub-graphs. From the last op to the first, a constant op that something else
// reads is either *folded*, or *kept* as it is, and then what it reads is
// looked at in its turn. Kept are ops that a weight's recipe serves, as a large
// weight is then permuted while the artifact is written and never held twice;
// and ops whose result is much larger than the constants that it is made from.

#include "lathe/Dialect/Onnx/Transforms/FoldConstants.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"

#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/SetVector.h"

namespace lathe {
#define GEN_PASS_DEF_ONNXFOLDCONSTANTS
#include "lathe/Dialect/Onnx/Transforms/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;
using namespace lathe::onnx;

/// The bytes of a tensor of numbers of static shape; nothing for others.
static std::optional<int64_t> getBytes(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !tensor.hasStaticShape() ||
      !tensor.getElementType().isIntOrFloat())
    return std::nullopt;
  int64_t bytes = getElementBytes(tensor.getElementType());
  for (int64_t dim : tensor.getShape())
    if (llvm::MulOverflow(bytes, dim, bytes))
      return std::nullopt;
  return bytes;
}

/// The bytes that a constant takes in the model: a splat is one element.
static int64_t getStoredBytes(ConstantOp op) {
  if (auto dense = dyn_cast<DenseElementsAttr>(op.getValue()))
    if (dense.isSplat())
      return getElementBytes(dense.getElementType());
  return getBytes(op->getResult(0).getType()).value_or(0);
}

static bool isLeaf(Operation *op) { return isa<ConstantOp, NoneOp>(op); }

namespace {
struct OnnxFoldConstants
    : public lathe::impl::OnnxFoldConstantsBase<OnnxFoldConstants> {
  using Base::Base;

  void runOnOperation() override {
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (!func.isExternal() && failed(foldIn(func)))
        return signalPassFailure();
  }

  void getDependentDialects(DialectRegistry &registry) const override {
    Base::getDependentDialects(registry);
    if (evaluator.getDialects)
      evaluator.getDialects(registry);
  }

  ConstantEvaluator evaluator;

private:
  LogicalResult foldIn(func::FuncOp func);
  void findConstant(Block &block);
  bool isConstantOp(Operation *op) const;
  SmallVector<Operation *> chooseFolded(Block &block);
  bool isWorthIt(Operation *op, int64_t &total);
  void collectSlice(Operation *op, llvm::SetVector<Operation *> &slice) const;

  /// Ops whose results are known before the model runs, constants among them.
  llvm::DenseSet<Operation *> constant;
};
} // namespace

bool OnnxFoldConstants::isConstantOp(Operation *op) const {
  if (auto leaf = dyn_cast<ConstantOp>(op))
    return !leaf->hasAttr(recipeAttrName) &&
           getBytes(leaf->getResult(0).getType());
  if (isa<NoneOp>(op))
    return true;
  if (op->getNumRegions() || op->getNumOperands() == 0 ||
      !isMemoryEffectFree(op) ||
      !isa_and_nonnull<OnnxDialect>(op->getDialect()))
    return false;
  return llvm::all_of(op->getOperands(),
                      [&](Value operand) {
                        Operation *def = operand.getDefiningOp();
                        return def && constant.contains(def);
                      }) &&
         llvm::all_of(op->getResultTypes(), [&](Type type) {
           std::optional<int64_t> bytes = getBytes(type);
           return bytes && *bytes <= budget;
         });
}

void OnnxFoldConstants::findConstant(Block &block) {
  constant.clear();
  for (Operation &op : block)
    if (isConstantOp(&op))
      constant.insert(&op);
}

/// All that `op` is computed from, itself included; operands come first.
void OnnxFoldConstants::collectSlice(
    Operation *op, llvm::SetVector<Operation *> &slice) const {
  SmallVector<std::pair<Operation *, unsigned>> work = {{op, 0}};
  while (!work.empty()) {
    auto &[next, operand] = work.back();
    if (operand == next->getNumOperands() || slice.contains(next)) {
      slice.insert(next);
      work.pop_back();
      continue;
    }
    Operation *def = next->getOperand(operand++).getDefiningOp();
    if (!slice.contains(def))
      work.push_back({def, 0});
  }
}

/// Whether `op` should be computed now. `total` are the bytes of all results
/// so far.
bool OnnxFoldConstants::isWorthIt(Operation *op, int64_t &total) {
  int64_t bytes = 0;
  for (OpResult result : op->getResults()) {
    if (result.use_empty())
      continue;
    // Narrow elements are packed in a way that is the model's.
    unsigned bits = cast<ShapedType>(result.getType()).getElementTypeBitWidth();
    if (bits != 1 && bits % 8 != 0)
      return false;
    bytes += *getBytes(result.getType());
  }
  if (bytes > budget - total)
    return false;
  if (bytes > freeBytes && op->hasTrait<RearrangesOperand>())
    return false;
  llvm::SetVector<Operation *> slice;
  collectSlice(op, slice);
  int64_t leaves = 0;
  for (Operation *part : slice)
    if (auto leaf = dyn_cast<ConstantOp>(part))
      leaves += getStoredBytes(leaf);
  if (leaves > budget || (bytes > freeBytes && bytes / growth > leaves))
    return false;
  total += bytes;
  return true;
}

/// The ops to fold, in the order of the program.
SmallVector<Operation *> OnnxFoldConstants::chooseFolded(Block &block) {
  SmallVector<Operation *> folded;
  int64_t total = 0;
  for (Operation &op : llvm::reverse(block)) {
    if (!constant.contains(&op) || isLeaf(&op))
      continue;
    bool isRead = llvm::any_of(op.getUsers(), [&](Operation *user) {
      return !constant.contains(user);
    });
    if (!isRead)
      continue;
    if (isWorthIt(&op, total))
      folded.push_back(&op);
    else
      constant.erase(&op);
  }
  return SmallVector<Operation *>(llvm::reverse(folded));
}

/// A module whose `main` computes the results of `folded` that are read.
static OwningOpRef<ModuleOp> extract(ArrayRef<Operation *> folded,
                                     const llvm::SetVector<Operation *> &slice,
                                     SmallVectorImpl<OpResult> &results) {
  MLIRContext *context = folded.front()->getContext();
  SmallVector<Location> locs =
      llvm::map_to_vector(folded, [](Operation *op) { return op->getLoc(); });
  OwningOpRef<ModuleOp> module = ModuleOp::create(locs.front());
  OpBuilder builder = OpBuilder::atBlockEnd(module->getBody());
  for (Operation *op : folded)
    for (OpResult result : op->getResults())
      if (!result.use_empty())
        results.push_back(result);
  auto main = func::FuncOp::create(
      builder, FusedLoc::get(context, locs), "main",
      builder.getFunctionType({},
                              llvm::map_to_vector(results, [](OpResult result) {
                                return result.getType();
                              })));
  builder.setInsertionPointToEnd(main.addEntryBlock());
  IRMapping mapping;
  for (Operation *op : slice)
    builder.clone(*op, mapping);
  SmallVector<Value> values;
  for (auto [i, result] : llvm::enumerate(results)) {
    values.push_back(mapping.lookup(result));
    main.setResultAttr(i, nameAttrName,
                       builder.getStringAttr("constant" + Twine(i)));
  }
  func::ReturnOp::create(builder, main.getLoc(), values);
  return module;
}

LogicalResult OnnxFoldConstants::foldIn(func::FuncOp func) {
  Block &block = func.getBody().front();
  findConstant(block);
  SmallVector<Operation *> folded = chooseFolded(block);
  if (folded.empty())
    return success();
  if (!evaluator)
    return folded.front()->emitError("expects an evaluator of constants");
  llvm::SetVector<Operation *> slice;
  for (Operation *op : folded)
    collectSlice(op, slice);
  SmallVector<OpResult> results;
  OwningOpRef<ModuleOp> module = extract(folded, slice, results);
  ConstantEvaluator::Results values = evaluator.evaluate(*module);
  if (failed(values))
    return failure();
  if (values->empty())
    return success();
  for (auto [result, value] : llvm::zip_equal(results, *values)) {
    OpBuilder builder(result.getOwner());
    result.replaceAllUsesWith(
        ConstantOp::create(builder, result.getLoc(), result.getType(), value));
    ++numFolded;
    bytesFolded += *getBytes(result.getType());
  }
  for (Operation *op : llvm::reverse(slice))
    if (isOpTriviallyDead(op))
      op->erase();
  return success();
}

std::unique_ptr<Pass> lathe::createFoldConstants(ConstantEvaluator evaluator) {
  auto pass = std::make_unique<OnnxFoldConstants>();
  pass->evaluator = std::move(evaluator);
  return pass;
}
