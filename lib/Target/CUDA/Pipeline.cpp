// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Target/CUDA/CUDA.h"
#include "lathe/Target/CUDA/Passes.h"
#include "lathe/Target/Kernel/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"

using namespace mlir;
using namespace lathe;

void cuda::buildKernelPipeline(OpPassManager &onKernel) {
  onKernel.addPass(createSimplifyKernel());
  onKernel.addPass(createCudaInlineReads());
  onKernel.addPass(createCudaTileKernel());
  onKernel.addPass(createBufferizeKernel());
  onKernel.addPass(createCudaDistribute());
}

void cuda::registerDialects(DialectRegistry &registry) {
  registerKernelDialects(registry);
  registry.insert<gpu::GPUDialect, NVVM::NVVMDialect>();
  registerGPUDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
}
