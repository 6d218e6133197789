// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Transforms/Fusion/ProgramOps.h"
#include "lathe/Transforms/Precision/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

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
    getOperation().walk([&](linalg::GenericOp op) {
      if (!isContraction(op))
        return;
      for (OpOperand *input : op.getDpsInputOperands())
        storeNarrow(op, *input);
    });
  }

private:
  void storeNarrow(linalg::GenericOp op, OpOperand &input);

  Type narrow;
};
} // namespace

/// Whether all that the body of a contraction does with an input is multiply
/// it.
static bool isFactor(BlockArgument input) {
  return !input.use_empty() &&
         llvm::all_of(input.getUsers(), llvm::IsaPred<arith::MulFOp>);
}

void NarrowFactors::storeNarrow(linalg::GenericOp op, OpOperand &input) {
  BlockArgument arg = op.getMatchingBlockArgument(&input);
  SmallVector<Attribute> recipe;
  WeightOp weight = findWeight(input.get(), recipe);
  if (!weight || !arg.getType().isF32() || !isFactor(arg))
    return;
  recipe.push_back(ConvertStepAttr::get(op.getContext(), narrow));
  OpBuilder builder(op);
  auto type = cast<RankedTensorType>(input.get().getType());
  input.set(WeightOp::create(builder, op.getLoc(), type.clone(narrow),
                             weight.getValue(), builder.getArrayAttr(recipe)));
  builder.setInsertionPointToStart(op.getBody());
  Type wide = arg.getType();
  arg.setType(narrow);
  auto extended = arith::ExtFOp::create(builder, op.getLoc(), wide, arg);
  arg.replaceAllUsesExcept(extended, extended);
  ++numNarrowed;
}
