// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The lowering of programs as a pass, so that lathe-opt can show what it makes.

#include "lathe/Conversion/LatheToLLVM/ProgramToLLVM.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"

using namespace mlir;
using namespace lathe;

namespace {
struct LowerProgram
    : public PassWrapper<LowerProgram, OperationPass<ModuleOp>> {
  MLIR_DEFINE_EXPLICIT_INTERNAL_INLINE_TYPE_ID(LowerProgram)

  StringRef getArgument() const override { return "lathe-lower-program"; }
  StringRef getDescription() const override {
    return "Replaces a planned program by its functions in the LLVM dialect";
  }
  void getDependentDialects(DialectRegistry &registry) const override {
    registry
        .insert<affine::AffineDialect, arith::ArithDialect,
                cf::ControlFlowDialect, LLVM::LLVMDialect, scf::SCFDialect>();
  }
  void runOnOperation() override {
    ProgramTables tables;
    OwningOpRef<ModuleOp> program =
        lowerProgramToLLVM(getOperation(), "model", tables);
    if (!program)
      return signalPassFailure();
    getOperation().getBodyRegion().takeBody(program->getBodyRegion());
  }
};
} // namespace

void lathe::registerLowerProgramPass() { PassRegistration<LowerProgram>(); }
