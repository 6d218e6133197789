// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Pipeline/Register.h"

#include "lathe/Conversion/LatheToLLVM/ProgramToLLVM.h"
#include "lathe/Conversion/OnnxToLinalg/OnnxToLinalg.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Onnx.h"
#include "lathe/Dialect/Onnx/Transforms/Passes.h"
#include "lathe/Pipeline/Evaluate.h"
#include "lathe/Pipeline/Pipeline.h"
#include "lathe/Target/CPU/CPU.h"
#include "lathe/Target/CPU/Passes.h"
#include "lathe/Target/CUDA/CUDA.h"
#include "lathe/Target/CUDA/Passes.h"
#include "lathe/Target/Kernel/Passes.h"
#include "lathe/Transforms/Fusion/Passes.h"
#include "lathe/Transforms/Layout/Passes.h"
#include "lathe/Transforms/Memory/Passes.h"
#include "lathe/Transforms/Precision/Passes.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Transforms/Passes.h"

llvm::ArrayRef<lathe::TargetEntry> lathe::getTargets() {
  static const TargetEntry targets[] = {
      cpu::getTargetEntry(), cuda::getTargetEntry(cpu::getTargetEntry())};
  return targets;
}

void lathe::registerAllDialects(mlir::DialectRegistry &registry) {
  registry.insert<LatheDialect, onnx::OnnxDialect, mlir::func::FuncDialect,
                  mlir::LLVM::LLVMDialect, mlir::scf::SCFDialect>();
  cpu::registerDialects(registry);
  cuda::registerDialects(registry);
}

void lathe::registerAllPasses() {
  mlir::registerCanonicalizer();
  mlir::registerCSE();
  // The first pass of a name stays registered.
  mlir::registerPass([] { return createFoldConstants(getHostEvaluator()); });
  registerLatheOnnxPasses();
  registerLatheOnnxToLinalgPasses();
  registerLatheFusionPasses();
  registerLatheLayoutPasses();
  registerLathePrecisionPasses();
  registerLatheMemoryPasses();
  registerLatheKernelPasses();
  registerLatheCPUPasses();
  registerLatheCUDAPasses();
  registerLowerProgramPass();
  registerLathePipelinePasses();
}
