// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Transforms/Fusion/ProgramOps.h"
#include "lathe/Transforms/Layout/GroupedProduct.h"
#include "lathe/Transforms/Precision/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_NARROWFACTORS
#include "lathe/Transforms/Precision/Passes.h.inc"
} // namespace lathe

using namespace lathe;

namespace {
struct NarrowFactors : public lathe::impl::NarrowFactorsBase<NarrowFactors> {
  using Base::Base;

  LogicalResult initialize(MLIRContext *context) override {
    if (element != "bf16" && element != "f16")
      return emitError(UnknownLoc::get(context),
                       "expected bf16 or f16, got '" + element + "'");
    narrow = element == "bf16" ? Type(BFloat16Type::get(context))
                               : Type(Float16Type::get(context));
    return success();
  }

  void runOnOperation() override {
    rounded.clear();
    SmallVector<linalg::GenericOp> ops;
    getOperation().walk([&](linalg::GenericOp op) { ops.push_back(op); });
    for (linalg::GenericOp op : ops) {
      if (!isContraction(op))
        continue;
      for (OpOperand *input : op.getDpsInputOperands())
        if (storeNarrow(op, *input) && pairs)
          roundOther(op, *input);
    }
  }

private:
  bool storeNarrow(linalg::GenericOp op, OpOperand &input);
  void roundOther(linalg::GenericOp op, OpOperand &constant);
  Value round(Value value, Operation *reader);
  Value roundHere(Value value, Operation *reader);
  void replaceFactor(linalg::GenericOp op, OpOperand &input, Value with);

  Type narrow;
  /// What was rounded, as it was and as it is.
  DenseMap<Value, Value> rounded;
};
} // namespace

/// Whether all that the body of a contraction does with an input of `f32` is
/// multiply it.
static bool isFactor(linalg::LinalgOp op, OpOperand &input) {
  BlockArgument arg = op.getMatchingBlockArgument(&input);
  return arg.getType().isF32() && !arg.use_empty() &&
         llvm::all_of(arg.getUsers(), llvm::IsaPred<arith::MulFOp>);
}

/// Whether an input has columns of its own, so that it is a matrix, or several
/// filters, and not a vector or the filters of a depthwise convolution, which
/// are too few to gain anything.
static bool hasOwnColumns(linalg::LinalgOp op, OpOperand &input) {
  SmallVector<utils::IteratorType> kinds = op.getIteratorTypesArray();
  return llvm::any_of(llvm::seq(op.getNumLoops()), [&](unsigned dim) {
    return kinds[dim] == utils::IteratorType::parallel &&
           op.getMatchingIndexingMap(&input).isFunctionOfDim(dim) &&
           llvm::none_of(op.getDpsInputOperands(), [&](OpOperand *other) {
             return other != &input &&
                    op.getMatchingIndexingMap(other).isFunctionOfDim(dim);
           });
  });
}

/// Has the body extend what it reads.
void NarrowFactors::replaceFactor(linalg::GenericOp op, OpOperand &input,
                                  Value with) {
  input.set(with);
  BlockArgument arg = op.getMatchingBlockArgument(&input);
  Type wide = arg.getType();
  arg.setType(narrow);
  OpBuilder builder = OpBuilder::atBlockBegin(op.getBody());
  auto extended = arith::ExtFOp::create(builder, op.getLoc(), wide, arg);
  arg.replaceAllUsesExcept(extended, extended);
}

bool NarrowFactors::storeNarrow(linalg::GenericOp op, OpOperand &input) {
  SmallVector<Attribute> recipe;
  WeightOp weight = findWeight(input.get(), recipe);
  if (!weight || !isFactor(op, input) || !hasOwnColumns(op, input))
    return false;
  recipe.push_back(ConvertStepAttr::get(op.getContext(), narrow));
  OpBuilder builder(op);
  auto type = cast<RankedTensorType>(input.get().getType());
  replaceFactor(op, input,
                WeightOp::create(builder, op.getLoc(), type.clone(narrow),
                                 weight.getValue(),
                                 builder.getArrayAttr(recipe)));
  ++numNarrowed;
  return true;
}

/// Rounds what a weight is multiplied with, if steps of the sum can go in
/// pairs.
void NarrowFactors::roundOther(linalg::GenericOp op, OpOperand &constant) {
  if (op.getNumDpsInputs() != 2)
    return;
  OpOperand &other =
      *op.getDpsInputOperand(1 - int64_t(constant.getOperandNumber()));
  std::optional<unsigned> reduction = findLastReduction(op, other);
  AffineMap map = op.getMatchingIndexingMap(&constant);
  ArrayRef<AffineExpr> result =
      op.getMatchingIndexingMap(op.getDpsInitOperand(0)).getResults();
  // Lanes run along what the constant has beside each other in the result.
  if (!isFactor(op, other) || !reduction || result.empty() ||
      op.getStaticLoopRanges()[*reduction] % 2 != 0 ||
      !map.getResultPosition(getAffineDimExpr(*reduction, op.getContext())) ||
      !map.getResultPosition(result.back()))
    return;
  if (Value narrowed = round(other.get(), op))
    replaceFactor(op, other, narrowed);
}

static bool padsWithZeros(tensor::PadOp pad) {
  Value padding = pad.getConstantPaddingValue();
  return padding && matchPattern(padding, m_AnyZeroFloat());
}

/// `value` in the narrow type, made once: where it is computed, or where
/// padding or a view is made of it. Null where its sizes are not known.
Value NarrowFactors::round(Value value, Operation *reader) {
  if (Value known = rounded.lookup(value))
    return known;
  Operation *def = value.getDefiningOp();
  auto type = cast<RankedTensorType>(value.getType());
  Value made;
  if (auto view = dyn_cast_or_null<ViewOp>(def)) {
    Value source = round(view.getSource(), reader);
    if (!source)
      return {};
    OpBuilder builder(view);
    made = ViewOp::create(builder, view.getLoc(), type.clone(narrow), source,
                          view.getDims());
  } else if (auto pad = dyn_cast_or_null<tensor::PadOp>(def);
             pad && padsWithZeros(pad)) {
    Value source = round(pad.getSource(), reader);
    if (!source)
      return {};
    OpBuilder builder(pad);
    Value zero = arith::ConstantOp::create(builder, pad.getLoc(),
                                           builder.getZeroAttr(narrow));
    auto padded = tensor::PadOp::create(
        builder, pad.getLoc(), type.clone(narrow), source, pad.getMixedLowPad(),
        pad.getMixedHighPad(), zero, pad.getNofold());
    if (Attribute node = pad->getAttr(nodeAttrName))
      padded->setAttr(nodeAttrName, node);
    made = padded;
  } else {
    made = roundHere(value, reader);
  }
  return rounded[value] = made;
}

Value NarrowFactors::roundHere(Value value, Operation *reader) {
  OpBuilder builder(reader);
  builder.setInsertionPointAfterValue(value);
  Operation *def = value.getDefiningOp();
  bool isComputed = def && def->hasAttr(nodeAttrName);
  Operation *of = isComputed ? def : reader;
  Location loc = of->getLoc();
  auto type = cast<RankedTensorType>(value.getType());
  FailureOr<SmallVector<Value>> sizes = getDynamicDims(builder, value);
  if (failed(sizes))
    return {};
  Value empty =
      tensor::EmptyOp::create(builder, loc, type.getShape(), narrow, *sizes);
  AffineMap map = builder.getMultiDimIdentityMap(type.getRank());
  SmallVector<utils::IteratorType> loops(type.getRank(),
                                         utils::IteratorType::parallel);
  auto op = linalg::GenericOp::create(
      builder, loc, type.clone(narrow), value, empty,
      ArrayRef<AffineMap>{map, map}, loops,
      [&](OpBuilder &b, Location loc, ValueRange args) {
        linalg::YieldOp::create(
            b, loc,
            Value(arith::TruncFOp::create(b, loc, narrow, args.front())));
      });
  if (Attribute node = of->getAttr(nodeAttrName))
    op->setAttr(nodeAttrName, node);
  return op.getResult(0);
}
