// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Target/CPU/CPU.h"
#include "lathe/Target/CPU/Passes.h"
#include "lathe/Target/Kernel/Passes.h"

#include "mlir/Dialect/Vector/IR/ValueBoundsOpInterfaceImpl.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"

using namespace mlir;
using namespace lathe;

void cpu::buildKernelPipeline(OpPassManager &onKernel, const Target &target) {
  onKernel.addPass(createSimplifyKernel());
  onKernel.addPass(createCpuTileKernel({target.name}));
  onKernel.addPass(createBufferizeKernel());
  onKernel.addPass(createCpuVectorize({target.name}));
}

void cpu::registerDialects(DialectRegistry &registry) {
  registerKernelDialects(registry);
  registry.insert<vector::VectorDialect>();
  vector::registerValueBoundsOpInterfaceExternalModels(registry);
}
