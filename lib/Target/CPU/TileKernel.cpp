// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Target/Kernel/TileKernel.h"
#include "CostModel.h"
#include "Nest.h"
#include "lathe/Target/CPU/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

namespace lathe {
#define GEN_PASS_DEF_CPUTILEKERNEL
#include "lathe/Target/CPU/Passes.h.inc"
} // namespace lathe

using namespace mlir;
using namespace lathe;

namespace {
struct CpuTileKernel : lathe::impl::CpuTileKernelBase<CpuTileKernel> {
  using Base::Base;

  LogicalResult initialize(MLIRContext *context) override {
    return cpu::parseTarget(context, cpu, target);
  }

  void runOnOperation() override {
    auto choose = [&](const KernelShape &shape) {
      TileChoice choice;
      // Dimensions all points of which share what the root computes.
      SmallVector<bool> keepWhole(shape.keepWhole);
      for (auto [dim, points] : llvm::enumerate(cpu::findShared(shape.root)))
        if (points && shape.extents[dim] == int64_t(points))
          keepWhole[dim] = true;
      choice.sizes = cpu::chooseTileSizes(shape.root, shape.extents, keepWhole,
                                          shape.heaviest, shape.heaviestDims,
                                          shape.sums, target);
      choice.slowest =
          cpu::chooseSlowestDim(shape.heaviest, shape.heaviestDims);
      return choice;
    };
    if (failed(tileKernel(getOperation(), choose)))
      signalPassFailure();
  }

  cpu::Target target;
};
} // namespace
