// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs that return what every node computes, to find the one that is wrong.

#include "lathe/Pipeline/Artifact.h"
#include "lathe/Pipeline/Pipeline.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"
#include "llvm/ADT/BitVector.h"

using namespace mlir;
using namespace lathe;

namespace lathe {
#define GEN_PASS_DEF_KEEPNUMERICRESULTS
#include "lathe/Pipeline/Passes.h.inc"
} // namespace lathe

static bool isNumeric(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.getElementType().isIntOrFloat();
}

namespace {
struct KeepNumericResults
    : public lathe::impl::KeepNumericResultsBase<KeepNumericResults> {
  using Base::Base;

  void runOnOperation() override {
    func::FuncOp func = getOperation();
    Operation *end = func.getBody().front().getTerminator();
    llvm::BitVector others(end->getNumOperands());
    for (OpOperand &operand : end->getOpOperands())
      if (!isNumeric(operand.get().getType()))
        others.set(operand.getOperandNumber());
    end->eraseOperands(others);
    if (failed(func.eraseResults(others)))
      return signalPassFailure();
  }
};
} // namespace

void lathe::addProducers(ModuleOp module, ProgramTables &tables) {
  auto main = module.lookupSymbol<func::FuncOp>("main");
  for (unsigned i = 0; i < main.getNumResults(); ++i)
    if (auto producer =
            main.getResultAttrOfType<StringAttr>(i, producerAttrName))
      tables.metadata.push_back(
          {(producerAttrName + "." +
            main.getResultAttrOfType<StringAttr>(i, nameAttrName).getValue())
               .str(),
           producer.str()});
}
