// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Target/Kernel/TileKernel.h"
#include "CostModel.h"
#include "Decisions.h"
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

/// Dimensions that no tile cuts: also those all points of which share what the
/// root computes.
static SmallVector<bool> findWhole(const KernelShape &shape) {
  SmallVector<bool> keepWhole(shape.keepWhole);
  for (auto [dim, points] : llvm::enumerate(cpu::findShared(shape.root)))
    if (points && shape.extents[dim] == int64_t(points))
      keepWhole[dim] = true;
  return keepWhole;
}

/// The model's own choice of tiles, or one that is so much larger.
static TileChoice chooseTiles(const KernelShape &shape,
                              const cpu::Target &target,
                              cpu::TileScale scale = {}) {
  TileChoice choice;
  choice.sizes = cpu::chooseTileSizes(
      shape.root, shape.extents, findWhole(shape), shape.heaviest,
      shape.heaviestDims, shape.sums, target, scale);
  choice.slowest = cpu::chooseSlowestDim(shape.heaviest, shape.heaviestDims);
  return choice;
}

/// Other tiles that may be better: larger and smaller ones, and those of the
/// model in another order.
static void proposeTiles(KernelOp kernel, const KernelShape &shape,
                         const cpu::Target &target, const TileChoice &model) {
  SmallVector<cpu::Decisions> group;
  auto propose = [&](TileChoice choice) {
    auto isSame = [&](const TileChoice &other) {
      return other.sizes == choice.sizes && other.slowest == choice.slowest;
    };
    if (isSame(model) || llvm::any_of(group, [&](const cpu::Decisions &other) {
          return isSame(*other.tile);
        }))
      return;
    group.emplace_back().tile = std::move(choice);
  };
  linalg::LinalgOp heaviest = shape.heaviest;
  if (heaviest.getNumReductionLoops()) {
    for (cpu::TileScale scale : cpu::tileScales) {
      TileChoice choice = chooseTiles(shape, target, scale);
      if (cpu::hasEnoughTiles(shape.extents, choice.sizes, model.sizes))
        propose(std::move(choice));
    }
    TileChoice turned = model;
    if (turned.slowest)
      turned.slowest.reset();
    else
      for (auto [dim, size] : llvm::enumerate(turned.sizes))
        if (size)
          turned.slowest = dim;
    // The order is that of one dimension.
    if (llvm::count_if(turned.sizes, [](int64_t size) { return size > 0; }) > 1)
      propose(std::move(turned));
  }
  cpu::addCandidates(kernel, group);
}

/// Whether a tile that was decided elsewhere cuts only what may be cut.
static LogicalResult verifyTile(KernelOp kernel, const KernelShape &shape,
                                const TileChoice &choice) {
  if (choice.sizes.size() != shape.extents.size())
    return kernel.emitOpError("expects a tile of ")
           << shape.extents.size() << " dimensions in " << decisionsAttrName
           << ", got " << choice.sizes.size();
  linalg::LinalgOp root = shape.root;
  AffineMap made = root.getMatchingIndexingMap(root.getDpsInitOperand(0));
  SmallVector<bool> keepWhole = findWhole(shape);
  for (auto [dim, size] : llvm::enumerate(choice.sizes))
    if (size && (keepWhole[dim] || !made.isFunctionOfDim(dim)))
      return kernel.emitOpError("expects dimension ")
             << dim << " to be whole in " << decisionsAttrName
             << ", got tiles of " << size;
  return success();
}

namespace {
struct CpuTileKernel : lathe::impl::CpuTileKernelBase<CpuTileKernel> {
  using Base::Base;

  LogicalResult initialize(MLIRContext *context) override {
    return cpu::parseTarget(context, cpu, target);
  }

  void runOnOperation() override {
    KernelOp kernel = getOperation();
    FailureOr<cpu::Decisions> decisions = cpu::Decisions::read(kernel);
    if (failed(decisions))
      return signalPassFailure();
    bool isValid = true;
    auto choose = [&](const KernelShape &shape) {
      TileChoice model = chooseTiles(shape, target);
      if (cpu::wantsCandidates(kernel))
        proposeTiles(kernel, shape, target, model);
      if (!decisions->tile)
        return model;
      isValid = succeeded(verifyTile(kernel, shape, *decisions->tile));
      return isValid ? *decisions->tile : model;
    };
    if (failed(tileKernel(kernel, choose)) || !isValid)
      signalPassFailure();
  }

  cpu::Target target;
};
} // namespace
