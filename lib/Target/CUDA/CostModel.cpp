// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CostModel.h"

#include "Nest.h"

using namespace mlir;
using namespace lathe;

/// Gives `points` to the dimensions, the last ones first.
static void fillInnermost(ArrayRef<unsigned> dims, ArrayRef<int64_t> extents,
                          int64_t points, SmallVectorImpl<int64_t> &sizes) {
  for (unsigned dim : llvm::reverse(dims)) {
    int64_t extent = extents[dim];
    int64_t size = std::max<int64_t>(points, 1);
    if (!ShapedType::isDynamic(extent)) {
      size = std::min(size, extent);
      // Tiles of one size, as far as that goes.
      size = llvm::divideCeil(extent, llvm::divideCeil(extent, size));
    }
    sizes[dim] = size;
    points /= size;
  }
}

/// The product of extents, or nothing if one is not known.
static std::optional<int64_t> countPoints(ArrayRef<int64_t> extents) {
  int64_t points = 1;
  for (int64_t extent : extents) {
    if (ShapedType::isDynamic(extent))
      return std::nullopt;
    points *= extent;
  }
  return points;
}

/// Whether the largest input of a reduction lies side by side along it.
static bool readsAlongReduction(linalg::LinalgOp op) {
  SmallVector<utils::IteratorType> iterators = op.getIteratorTypesArray();
  int64_t most = -1;
  bool along = false;
  for (OpOperand *operand : op.getDpsInputOperands()) {
    AffineMap map = op.getMatchingIndexingMap(operand);
    if (!map.getNumResults() ||
        op.getMatchingBlockArgument(operand).use_empty())
      continue;
    int64_t dims = 0;
    bool last = false;
    for (unsigned d = 0; d < op.getNumLoops(); ++d) {
      dims += map.isFunctionOfDim(d);
      last |= map.getResults().back().isFunctionOfDim(d) &&
              iterators[d] == utils::IteratorType::reduction;
    }
    if (dims > most) {
      most = dims;
      along = last;
    }
  }
  return along;
}

TileChoice cuda::chooseTiles(const KernelShape &shape) {
  linalg::LinalgOp root = shape.root;
  linalg::LinalgOp heaviest = shape.heaviest;
  TileChoice choice;
  SmallVector<int64_t> &sizes = choice.sizes;
  sizes.assign(shape.extents.size(), 0);
  SmallVector<unsigned> dims;
  AffineMap out = root.getMatchingIndexingMap(root.getDpsInitOperand(0));
  for (AffineExpr expr : out.getResults())
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      if (!shape.keepWhole[dim.getPosition()])
        dims.push_back(dim.getPosition());
  if (dims.empty())
    return choice;

  if (std::optional<Contraction> product = matchContraction(heaviest)) {
    auto toRoot = [&](ArrayRef<unsigned> group) {
      SmallVector<unsigned> found;
      for (unsigned dim : group)
        if (int at = shape.heaviestDims[dim];
            at >= 0 && llvm::is_contained(dims, unsigned(at)))
          found.push_back(at);
      return found;
    };
    SmallVector<unsigned> rows = toRoot(product->rows);
    SmallVector<unsigned> columns = toRoot(product->columns);
    SmallVector<int64_t> rowExtents =
        llvm::map_to_vector(product->rows, [&](unsigned dim) {
          int at = shape.heaviestDims[dim];
          return at >= 0 ? shape.extents[at]
                         : heaviest.getStaticLoopRanges()[dim];
        });
    std::optional<int64_t> numRows = countPoints(rowExtents);
    bool streams = numRows && *numRows < minRows;
    for (unsigned dim : dims)
      sizes[dim] = 1;
    fillInnermost(columns, shape.extents, streams ? streamColumns : tileColumns,
                  sizes);
    fillInnermost(rows, shape.extents, tileRows, sizes);
    return choice;
  }

  bool isRow = llvm::is_contained(shape.keepWhole, true);
  bool reduces = heaviest.getNumReductionLoops() > 0;
  int64_t points = elementwisePoints;
  SmallVector<int64_t> lengths, ranges = heaviest.getStaticLoopRanges();
  for (auto [d, iterator] : llvm::enumerate(heaviest.getIteratorTypesArray()))
    if (iterator == utils::IteratorType::reduction)
      lengths.push_back(ranges[d]);
  if (isRow) {
    lengths.clear();
    for (auto [d, whole] : llvm::enumerate(shape.keepWhole))
      if (whole)
        lengths.push_back(shape.extents[d]);
  }
  std::optional<int64_t> length = countPoints(lengths);
  if (isRow || (reduces && readsAlongReduction(heaviest))) {
    // Rows: a thread, a warp or a block for each.
    points = !length || *length > warpRowLength ? 1
             : *length < minSharedReduction     ? blockThreads
                                                : warpRows;
  } else if (reduces) {
    points = !length || *length >= longReduction ? streamColumns : blockThreads;
  }
  fillInnermost(dims, shape.extents, points, sizes);
  return choice;
}
