// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Transforms/Fusion/Passes.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_OWNRESULTS
#include "lathe/Transforms/Fusion/Passes.h.inc"
} // namespace lathe

using namespace lathe;

namespace {
struct OwnResults : public lathe::impl::OwnResultsBase<OwnResults> {
  using Base::Base;

  void runOnOperation() override {
    for (auto ret : getOperation().getOps<func::ReturnOp>())
      if (failed(own(ret)))
        return signalPassFailure();
  }

  LogicalResult own(func::ReturnOp ret) {
    OpBuilder builder(ret);
    DenseSet<Value> taken;
    for (OpOperand &operand : ret->getOpOperands()) {
      auto type = dyn_cast<RankedTensorType>(operand.get().getType());
      if (!type)
        continue;
      Value root = operand.get();
      while (auto view = root.getDefiningOp<ViewOp>())
        root = view.getSource();
      Operation *def = root.getDefiningOp();
      if (def && isComputeOp(def) && taken.insert(root).second)
        continue;
      Location loc = def ? def->getLoc() : ret.getLoc();
      FailureOr<SmallVector<Value>> dims =
          getDynamicDims(builder, operand.get());
      if (failed(dims))
        return emitError(loc, "failed to find the sizes of result ")
               << operand.getOperandNumber();
      Value empty = tensor::EmptyOp::create(builder, loc, type, *dims);
      auto copy = linalg::CopyOp::create(builder, loc, operand.get(), empty);
      operand.set(copy->getResult(0));
    }
    return success();
  }
};
} // namespace
