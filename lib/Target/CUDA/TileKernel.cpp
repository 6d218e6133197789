// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CostModel.h"
#include "lathe/Target/CUDA/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace lathe {
#define GEN_PASS_DEF_CUDATILEKERNEL
#include "lathe/Target/CUDA/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {
struct CudaTileKernel : lathe::impl::CudaTileKernelBase<CudaTileKernel> {
  using Base::Base;

  void runOnOperation() override {
    if (failed(tileKernel(getOperation(), cuda::chooseTiles)))
      signalPassFailure();
  }
};
} // namespace
