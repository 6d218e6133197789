// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which tiles readers ask for.

#include "KernelGroup.h"

#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/Sequence.h"
#include <tuple>

using namespace mlir;
using namespace lathe;

Role lathe::getRole(Operation *op) {
  if (isa<tensor::PadOp>(op))
    return Role::Pad;
  if (isa<linalg::FillOp>(op))
    return Role::Fill;
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp)
    return Role::Other;
  if (linalgOp.getNumReductionLoops() == 0)
    return Role::Elementwise;
  if (isContraction(linalgOp))
    return Role::Contraction;
  for (OpOperand &operand : op->getOpOperands())
    if (!linalgOp.getMatchingIndexingMap(&operand).isProjectedPermutation())
      return Role::Window;
  return Role::Reduction;
}

std::optional<int64_t> lathe::getNode(Operation *op) {
  if (auto node = op->getAttrOfType<IntegerAttr>(nodeAttrName))
    return node.getInt();
  return std::nullopt;
}

ArrayRef<int64_t> lathe::getShape(Operation *op) {
  return cast<RankedTensorType>(op->getResult(0).getType()).getShape();
}

bool GroupTraits::operator==(const GroupTraits &other) const {
  auto tie = [](const GroupTraits &t) {
    return std::tie(t.hasContraction, t.hasReduction, t.sharesPoints, t.isWhole,
                    t.isAttention, t.hasScores, t.numShrunk);
  };
  return tie(*this) == tie(other);
}

KernelGroup::KernelGroup(int64_t id, Operation *root) : id(id) {
  ops.insert(root);
  Role role = getRole(root);
  traits.hasContraction = isHeavy(role);
  traits.hasReduction = role == Role::Reduction;
  traits.isWhole = role == Role::Other;
  TileDims &tile = tiles[root];
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(root)) {
    for (auto [i, kind] : llvm::enumerate(linalgOp.getIteratorTypesArray()))
      if (kind == utils::IteratorType::parallel)
        tile.push_back(i);
  } else if (role == Role::Pad) {
    tile = llvm::to_vector(llvm::seq<int64_t>(0, getShape(root).size()));
  }
}

FailureOr<SmallVector<int64_t>> lathe::getResultDims(Operation *op,
                                                     unsigned result) {
  SmallVector<int64_t> dims;
  if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
    AffineMap map =
        linalgOp.getIndexingMapMatchingResult(op->getResult(result));
    for (AffineExpr expr : map.getResults()) {
      auto dim = dyn_cast<AffineDimExpr>(expr);
      if (!dim)
        return failure();
      dims.push_back(dim.getPosition());
    }
    return dims;
  }
  if (isa<tensor::PadOp>(op))
    return llvm::to_vector(llvm::seq<int64_t>(0, getShape(op).size()));
  return failure();
}

AffineMap lathe::getReadMap(OpOperand &use) {
  auto reader = cast<linalg::LinalgOp>(use.getOwner());
  AffineMap map = reader.getMatchingIndexingMap(&use);
  SmallVector<AffineExpr> dims;
  for (auto [d, range, kind] : llvm::enumerate(reader.getStaticLoopRanges(),
                                               reader.getIteratorTypesArray()))
    dims.push_back(range == 1 && kind == utils::IteratorType::reduction
                       ? getAffineConstantExpr(0, map.getContext())
                       : getAffineDimExpr(d, map.getContext()));
  return simplifyAffineMap(
      map.replaceDimsAndSymbols(dims, {}, map.getNumDims(), 0));
}

/// The tile dimensions that the reader asks of what `use` reads: for each tile
/// dimension the producer's dimension, or -1.
static FailureOr<TileDims> projectTile(OpOperand &use, const TileDims &tile) {
  auto result = cast<OpResult>(use.get());
  FailureOr<SmallVector<int64_t>> made =
      getResultDims(result.getOwner(), result.getResultNumber());
  auto reader = dyn_cast<linalg::LinalgOp>(use.getOwner());
  if (failed(made) || !reader)
    return failure();
  TileDims projected(tile.size(), -1);
  AffineMap map = getReadMap(use);
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim)
      continue;
    for (auto [t, of] : llvm::enumerate(tile))
      if (of == (int64_t)dim.getPosition())
        projected[t] = (*made)[i];
  }
  return projected;
}

FailureOr<std::optional<TileDims>>
lathe::agreeOnTile(Operation *producer, const KernelGroup &group) {
  bool isPad = getRole(producer) == Role::Pad;
  std::optional<TileDims> agreed;
  for (OpOperand &use : producer->getUses()) {
    auto reader = group.tiles.find(use.getOwner());
    if (reader == group.tiles.end())
      continue;
    if (isPad) {
      agreed = TileDims(reader->second.size(), -1);
      continue;
    }
    FailureOr<TileDims> projected = projectTile(use, reader->second);
    if (failed(projected))
      return failure();
    if (!agreed) {
      agreed = *projected;
      continue;
    }
    for (auto [mine, theirs] : llvm::zip_equal(*agreed, *projected))
      if (mine != theirs)
        mine = -1;
  }
  return agreed;
}

std::pair<unsigned, unsigned> lathe::countTileDims(const TileDims &agreed,
                                                   const KernelGroup &group) {
  unsigned numKept = 0, numBefore = 0;
  // No op has a dimension that the root has given up.
  for (auto [mine, root] :
       llvm::zip_equal(agreed, group.tiles.find(group.getRoot())->second)) {
    numBefore += root >= 0;
    numKept += root >= 0 && mine >= 0;
  }
  return {numKept, numBefore};
}

void lathe::shrinkTiles(const TileDims &agreed, KernelGroup &group) {
  for (auto &entry : group.tiles)
    for (auto [mine, theirs] : llvm::zip_equal(agreed, entry.second))
      if (mine < 0)
        theirs = -1;
  ++group.traits.numShrunk;
}
