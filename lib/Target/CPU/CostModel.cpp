// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "CostModel.h"

#include "lathe/Transforms/Layout/GroupedProduct.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace lathe;
using namespace lathe::cpu;

/// Points of work in a tile below which starting it costs more than it gains:
/// about five microseconds of one core's FMAs, and of its memory.
static constexpr double minTilePoints = 1 << 18;
/// Tiles that a kernel should have, so that any usual number of threads is kept
/// busy to the end.
static constexpr double wantedTiles = 32;
/// Elements of an elementwise tile; a few operands of it lie in L2 together.
static constexpr double elementwisePoints = 1 << 14;
/// Points of a tile of windows over vectors, at least, and tiles where there
/// are enough of them: about a microsecond each.
static constexpr double minWindowPoints = 1 << 12;
static constexpr double minWindowTiles = 16;
/// Rows of a tile of a transpose, and what they are a multiple of: four lines,
/// and the rows of a square.
static constexpr int64_t turnedRows = 64, turnedUnit = 16;
/// Elements of a row that a tile takes of each of many: from one line of a
/// cache on, up to as many as the hardware fetches together.
static constexpr int64_t minLine = 16, maxLine = 64;
/// Columns that a panel of packed weights has; tiles are cut between panels.
static constexpr int64_t panelWidth = 32;
/// Columns that keep enough loads in flight where each weight is used once.
static constexpr int64_t streamWidth = 128;
/// Rows of a tile that share what is read of a panel, which comes from L2 at
/// best: four register blocks.
static constexpr double minRows = 4 * maxBlock;

/// The same where matrices are multiplied: two blocks, of 32 rows.
static constexpr int64_t matrixBlock = 32;
static constexpr double minMatrixRows = 2 * matrixBlock;
/// Points that these multiply in the time in which vectors of f32 multiply one:
/// a quarter of what AMX's throughput of bf16 gives, 1024 a cycle, since they
/// wait for what they read. Not measured.
static constexpr double matrixSpeed = 8;

/// Rows and channels of a tile of windows over an image of unknown size. A
/// window of five rows then reads each element of it twice.
static constexpr int64_t windowRows = 4, windowChannels = 64;
/// Rows of such an image that a tile of products at its points has, at least:
/// two of the smallest images fill a register block.
static constexpr int64_t minImageRows = 2;
/// Points of a row of an image that is not cut.
static constexpr int64_t maxRow = 512;

MachineRates lathe::cpu::getRates(const Target &target) {
  MachineRates rates;
  rates.lanes = target.vectorBytes / sizeof(float);
  rates.cacheBytes = target.l2Bytes;
  // By cycles: one multiply-add of the widest vector begins in each.
  rates.nearBytes = sharedBytesPerCycle;
  rates.farBytes = memoryBytesPerCycle;
  return rates;
}

bool lathe::cpu::prefersMatrices(unsigned rows, unsigned vectors,
                                 int64_t stepBytes, double steps, bool flips) {
  double groups = stepBytes / 4.0;
  double products = rows * vectors * matrixRowProduct;
  double loads = (rows + vectors * groups) * matrixRowLoad;
  double matrices = steps * std::max(products, loads) +
                    rows * vectors * matrixRowResult + matrixLatency;
  if (flips)
    matrices += steps * groups * vectors / fmasPerCycle;
  return matrices < steps * groups * rows * vectors / fmasPerCycle;
}

/// Points of a dimension; one where there are none, for divisions.
static double getGuess(int64_t extent) {
  return ShapedType::isDynamic(extent) ? unknownExtent
                                       : std::max(1.0, double(extent));
}

/// `size` made smaller so that all tiles of `extent` are about equally large.
static int64_t balance(int64_t extent, int64_t size, int64_t multiple) {
  if (ShapedType::isDynamic(extent))
    return llvm::alignTo(size, multiple);
  int64_t count = llvm::divideCeil(extent, size);
  return llvm::alignTo(llvm::divideCeil(extent, count), multiple);
}

/// A size near `size` that divides `extent`, so that all tiles are equal, if
/// there is one between half and twice of it.
static int64_t divide(int64_t extent, int64_t size) {
  for (double ratio = 1; ratio <= 2; ratio *= 1.05)
    for (double near : {size * ratio, size / ratio}) {
      int64_t candidate = std::llround(near);
      if (candidate > 0 && extent % candidate == 0)
        return candidate;
    }
  return balance(extent, size, 1);
}

/// Gives each dimension, innermost first, as much of `points` as it has room
/// for. `row` is taken whole.
static void fillInnermost(ArrayRef<unsigned> dims, ArrayRef<int64_t> extents,
                          double points, SmallVectorImpl<int64_t> &sizes,
                          std::optional<unsigned> row = std::nullopt,
                          int64_t block = maxBlock) {
  for (unsigned dim : llvm::reverse(dims)) {
    int64_t size = std::max<int64_t>(1, int64_t(points));
    if (ShapedType::isDynamic(extents[dim]))
      size = size > 2 * block ? size / block * block : size;
    else
      size = dim == row ? extents[dim]
                        : divide(extents[dim], std::min(size, extents[dim]));
    sizes[dim] = size;
    points /= std::min<double>(size, getGuess(extents[dim]));
  }
}

/// Whether some operand has the root's `dims` in another order than the root,
/// so that which of them lies innermost says nothing about how long it is.
static bool turnsRows(linalg::LinalgOp heaviest, ArrayRef<int> heaviestDims,
                      ArrayRef<unsigned> dims) {
  return llvm::any_of(heaviest.getDpsInputOperands(), [&](OpOperand *operand) {
    SmallVector<const unsigned *> order;
    for (AffineExpr expr :
         heaviest.getMatchingIndexingMap(operand).getResults())
      if (auto dim = dyn_cast<AffineDimExpr>(expr))
        if (auto at =
                llvm::find(dims, unsigned(heaviestDims[dim.getPosition()]));
            at != dims.end())
          order.push_back(at);
    return !llvm::is_sorted(order);
  });
}

/// Gives rows along two dimensions, the inner one of which may be short, as
/// much of `points` as they have room for, each enough to be blocked.
static void fillRivals(ArrayRef<unsigned> dims, ArrayRef<int64_t> extents,
                       double points, SmallVectorImpl<int64_t> &sizes) {
  int64_t blocks = std::sqrt(std::max(points, 1.0)) / maxBlock;
  int64_t side = std::max<int64_t>(blocks, 1) * maxBlock;
  fillInnermost(dims.drop_back(), extents, side, sizes);
  sizes[dims.back()] = side;
}

/// Points that are added up for one result.
static double getDepth(linalg::LinalgOp op) {
  double depth = 1;
  SmallVector<int64_t> ranges = op.getStaticLoopRanges();
  for (auto [d, iterator] : llvm::enumerate(op.getIteratorTypesArray()))
    if (iterator == utils::IteratorType::reduction)
      depth *= getGuess(ranges[d]);
  return depth;
}

/// Whether the op, with weights that are packed for it, is a product that
/// registers of matrices are for.
static bool multipliesMatrices(linalg::LinalgOp op, const Target &target) {
  return llvm::any_of(ArrayRef<unsigned>{1, 0}, [&](unsigned right) {
    std::optional<GroupedProduct> product = matchGroupedProduct(op, right);
    return product &&
           target.multipliesMatrices(isa<FloatType>(
               getElementTypeOrSelf(op->getOperand(product->right))));
  });
}

/// The dimension of a reduction's columns, the last one of what it makes.
/// `shared`: only where some of what it reads is the same for all columns.
static std::optional<unsigned> findColumnDim(linalg::LinalgOp heaviest,
                                             bool shared) {
  AffineMap out =
      heaviest.getMatchingIndexingMap(heaviest.getDpsInitOperand(0));
  if (!heaviest.getNumReductionLoops() || !out.getNumResults())
    return std::nullopt;
  auto column = dyn_cast<AffineDimExpr>(out.getResults().back());
  if (!column)
    return std::nullopt;
  unsigned missing = 0, used = 0;
  for (OpOperand *operand : heaviest.getDpsInputOperands()) {
    // A pooling's window only gives the shape.
    if (heaviest.getMatchingBlockArgument(operand).use_empty())
      continue;
    ++used;
    AffineMap map = heaviest.getMatchingIndexingMap(operand);
    missing += !map.isFunctionOfDim(column.getPosition());
  }
  if (shared && (missing == 0 || used < 2))
    return std::nullopt;
  return column.getPosition();
}

/// The same as a dimension of the root.
static std::optional<unsigned> findColumnDim(linalg::LinalgOp heaviest,
                                             ArrayRef<int> heaviestDims,
                                             bool shared) {
  std::optional<unsigned> column = findColumnDim(heaviest, shared);
  if (!column || heaviestDims[*column] < 0)
    return std::nullopt;
  return unsigned(heaviestDims[*column]);
}

/// The root's dimensions of the parallel ones that a window of `heaviest` moves
/// along, outermost first.
static SmallVector<unsigned> findWindowDims(linalg::LinalgOp heaviest,
                                            ArrayRef<int> heaviestDims) {
  SmallVector<unsigned> dims;
  SmallVector<utils::IteratorType> kinds = heaviest.getIteratorTypesArray();
  for (OpOperand *operand : heaviest.getDpsInputOperands())
    for (AffineExpr expr :
         heaviest.getMatchingIndexingMap(operand).getResults()) {
      if (expr.getKind() != AffineExprKind::Add)
        continue;
      for (auto [d, kind] : llvm::enumerate(kinds))
        if (kind == utils::IteratorType::parallel && expr.isFunctionOfDim(d) &&
            heaviestDims[d] >= 0)
          dims.push_back(heaviestDims[d]);
    }
  return dims;
}

/// The last one, if it is short enough not to be cut: what is read at the edges
/// of a tile is read twice.
static std::optional<unsigned> findRow(ArrayRef<unsigned> windowDims,
                                       ArrayRef<int64_t> extents) {
  if (windowDims.empty() || ShapedType::isDynamic(extents[windowDims.back()]) ||
      extents[windowDims.back()] > maxRow)
    return std::nullopt;
  return windowDims.back();
}

/// Tiles of windows over an image whose size is not known: a box of it, since
/// its padding is copied with all that the windows read around.
static void chooseWindowTiles(ArrayRef<unsigned> windowDims,
                              ArrayRef<int64_t> extents,
                              ArrayRef<unsigned> dims,
                              SmallVectorImpl<int64_t> &sizes) {
  for (unsigned dim : dims)
    sizes[dim] = 1;
  unsigned channel = dims.back();
  sizes[channel] = ShapedType::isDynamic(extents[channel])
                       ? windowChannels
                       : divide(extents[channel],
                                std::min(extents[channel], windowChannels));
  int64_t size = 2 * maxBlock;
  for (unsigned dim : llvm::reverse(windowDims)) {
    sizes[dim] = ShapedType::isDynamic(extents[dim])
                     ? size
                     : balance(extents[dim], std::min(extents[dim], size), 1);
    size = windowRows;
  }
}

std::optional<unsigned> lathe::cpu::findRowDim(AffineMap map, unsigned dim) {
  if (!map.getNumResults() || !map.isFunctionOfDim(dim))
    return std::nullopt;
  auto row = dyn_cast<AffineDimExpr>(map.getResults().back());
  if (!row || row.getPosition() == dim ||
      llvm::any_of(map.getResults().drop_back(), [&](AffineExpr expr) {
        return expr.isFunctionOfDim(row.getPosition());
      }))
    return std::nullopt;
  return row.getPosition();
}

/// The dimension of the rows that some operand is read by, where `root` writes
/// along another one, `last`.
static std::optional<unsigned> findTurnedDim(linalg::LinalgOp root,
                                             unsigned last) {
  for (OpOperand *operand : root.getDpsInputOperands())
    if (auto row = findRowDim(root.getMatchingIndexingMap(operand), last))
      return row;
  return std::nullopt;
}

/// Tiles of attention, of either of its products: rows of one head, which share
/// its keys and values, as many as have scores that fit in a quarter of L2.
static void chooseAttentionTiles(linalg::LinalgOp product,
                                 ArrayRef<int> productDims,
                                 ArrayRef<int64_t> extents,
                                 ArrayRef<unsigned> dims, const Target &target,
                                 TileScale scale,
                                 SmallVectorImpl<int64_t> &sizes) {
  // A row of scores is what is added up or what is made.
  double scores = 1;
  SmallVector<unsigned> heads, queries;
  SmallVector<int64_t> ranges = product.getStaticLoopRanges();
  for (unsigned d = 0, e = product.getNumLoops(); d != e; ++d) {
    auto reads = [&](OpOperand *operand) {
      return product.getMatchingIndexingMap(operand).isFunctionOfDim(d);
    };
    if (!llvm::is_contained(dims, unsigned(productDims[d])))
      scores = std::max(scores, getGuess(ranges[d]));
    else if (llvm::all_of(product.getDpsInputOperands(), reads))
      heads.push_back(productDims[d]);
    else
      queries.push_back(productDims[d]);
  }
  for (unsigned dim : dims)
    if (!llvm::is_contained(productDims, int(dim)))
      heads.push_back(dim);
  double rows = std::floor(target.l2Bytes / 4 / (4 * scores) / maxBlock);
  rows = std::clamp<double>(rows * maxBlock, maxBlock, minRows);
  fillInnermost(queries, extents, rows * scale.rows, sizes);
  fillInnermost(heads, extents, 1, sizes);
}

/// The product of a kernel whose columns no tile cuts, for which each tile
/// computes what it reads.
static const KernelSum *findWholeProduct(ArrayRef<KernelSum> sums,
                                         ArrayRef<unsigned> dims) {
  for (const KernelSum &sum : sums) {
    std::optional<unsigned> column = findColumnDim(sum.op, /*shared=*/true);
    if (column && (sum.dims[*column] < 0 ||
                   !llvm::is_contained(dims, unsigned(sum.dims[*column]))))
      return &sum;
  }
  return nullptr;
}

/// Tiles of a pointwise product: pixels whose channels stay in L1 until they
/// are multiplied, but enough of them to share what is read of the weights.
static void choosePixelTiles(linalg::LinalgOp product, ArrayRef<KernelSum> sums,
                             ArrayRef<int64_t> extents, ArrayRef<unsigned> dims,
                             const Target &target, TileScale scale,
                             SmallVectorImpl<int64_t> &sizes) {
  double depth = getDepth(product);
  SmallVector<unsigned> windowDims;
  for (const KernelSum &sum : sums)
    llvm::append_range(windowDims, findWindowDims(sum.op, sum.dims));
  double pixels = std::max(target.l1Bytes / (4 * depth), minRows);
  fillInnermost(dims, extents, pixels * scale.rows, sizes,
                findRow(windowDims, extents));
}

/// Tiles that take some of each of many rows, as a normalization of images with
/// channels last does: whole lines of each, several where there are tiles
/// enough.
static void chooseLines(ArrayRef<unsigned> dims, ArrayRef<int64_t> extents,
                        SmallVectorImpl<int64_t> &sizes) {
  unsigned last = dims.back();
  double others = 1;
  for (unsigned dim : dims.drop_back())
    others *= getGuess(extents[dim]) / sizes[dim];
  int64_t wanted = getGuess(extents[last]) * others / minWindowTiles;
  int64_t size = llvm::alignTo(std::clamp(wanted, minLine, maxLine), minLine);
  sizes[last] = std::max(sizes[last], size);
}

SmallVector<int64_t> lathe::cpu::chooseTileSizes(
    linalg::LinalgOp root, ArrayRef<int64_t> extents, ArrayRef<bool> keepWhole,
    linalg::LinalgOp heaviest, ArrayRef<int> heaviestDims,
    ArrayRef<KernelSum> sums, const Target &target, TileScale scale) {
  SmallVector<int64_t> sizes(extents.size(), 0);
  AffineMap outMap = root.getMatchingIndexingMap(root.getDpsInitOperand(0));
  SmallVector<unsigned> dims;
  for (AffineExpr expr : outMap.getResults())
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      if (!keepWhole[dim.getPosition()])
        dims.push_back(dim.getPosition());
  if (dims.empty())
    return sizes;

  double depth = getDepth(heaviest);
  double wholePoints = 1, total = depth;
  for (auto [d, iterator] : llvm::enumerate(root.getIteratorTypesArray()))
    if (iterator == utils::IteratorType::parallel) {
      total *= getGuess(extents[d]);
      if (keepWhole[d])
        wholePoints *= getGuess(extents[d]);
    }

  // The dimension of columns, for each of which weights are read that many rows
  // share. An epilogue may have moved it.
  unsigned last = dims.back();
  std::optional<unsigned> column =
      findColumnDim(heaviest, heaviestDims, /*shared=*/true);
  // No tile cuts the columns of the products of attention.
  bool isAttention = findColumnDim(heaviest, /*shared=*/true) &&
                     (!column || !llvm::is_contained(dims, *column));
  if (isAttention)
    column = std::nullopt;

  auto finish = [&] {
    // One tile over everything needs no loop over that dimension.
    for (unsigned dim : dims)
      if (!ShapedType::isDynamic(extents[dim]) && sizes[dim] >= extents[dim])
        sizes[dim] = 0;
    return sizes;
  };

  auto hasColumns = [](const KernelSum &sum) {
    return findColumnDim(sum.op, /*shared=*/true).has_value();
  };
  if (const KernelSum *product = findWholeProduct(sums, dims);
      product && llvm::count_if(sums, hasColumns) == 1) {
    choosePixelTiles(product->op, sums, extents, dims, target, scale, sizes);
    return finish();
  }
  if (isAttention) {
    chooseAttentionTiles(heaviest, heaviestDims, extents, dims, target, scale,
                         sizes);
    return finish();
  }

  SmallVector<unsigned> windowDims = findWindowDims(heaviest, heaviestDims);
  std::optional<unsigned> row = findRow(windowDims, extents);
  auto isUnknown = [&](unsigned dim) {
    return ShapedType::isDynamic(extents[dim]);
  };
  if (!column && depth > 1 && llvm::any_of(windowDims, isUnknown) &&
      !llvm::is_contained(windowDims, last) &&
      llvm::all_of(windowDims, [&](unsigned dim) {
        return llvm::is_contained(dims, dim);
      })) {
    chooseWindowTiles(windowDims, extents, dims, sizes);
    return finish();
  }
  if (!column) {
    double points = std::max(1.0, elementwisePoints / wholePoints);
    if (row)
      points = std::min(
          points, std::max(minWindowPoints, total / depth / minWindowTiles));
    else if (depth > 1)
      points = std::max(1.0, points / std::min(depth, 64.0));
    points *= scale.rows;
    // Vectors are not cut.
    int64_t unit = 64;
    if (!ShapedType::isDynamic(extents[last]) && extents[last] < 2 * unit)
      unit = extents[last];
    // A tile of a transpose has whole lines on both sides.
    std::optional<unsigned> turned = findTurnedDim(root, last);
    if (turned && depth == 1 && llvm::is_contained(dims, *turned)) {
      int64_t rows = ShapedType::isDynamic(extents[*turned])
                         ? turnedRows
                         : balance(extents[*turned], turnedRows, turnedUnit);
      sizes[*turned] = rows;
      SmallVector<unsigned> others(dims);
      llvm::erase(others, *turned);
      fillInnermost(others, extents, points / rows, sizes);
      if (ShapedType::isDynamic(extents[last]) || sizes[last] < extents[last])
        sizes[last] = llvm::alignTo(sizes[last], unit);
      return finish();
    }
    fillInnermost(dims, extents, std::max<double>(points, 1), sizes, row);
    if (wholePoints > 1 &&
        outMap.getResults().back() == getAffineDimExpr(last, root.getContext()))
      chooseLines(dims, extents, sizes);
    if (wholePoints == 1 && sizes[last] % unit &&
        (ShapedType::isDynamic(extents[last]) || sizes[last] < extents[last]))
      sizes[last] = llvm::alignTo(sizes[last], unit);
    return finish();
  }

  // Columns: as many panels as stay in half of L2 over the depth. Rows: what of
  // the other operand fits in a quarter.
  double columnBytes = 4 * depth;
  double rows = 1;
  SmallVector<unsigned> rowDims(dims);
  llvm::erase(rowDims, *column);
  for (unsigned dim : rowDims)
    rows *= getGuess(extents[dim]);
  double columns = getGuess(extents[*column]);
  int64_t minColumns = rows < 4 ? streamWidth : panelWidth;
  double tileColumns = std::max<double>(
      minColumns,
      std::floor(target.l2Bytes / 2 / columnBytes / panelWidth) * panelWidth);
  tileColumns = std::min(tileColumns, columns);
  bool matrices = multipliesMatrices(heaviest, target);
  double leastRows = matrices ? minMatrixRows : minRows;
  double leastPoints = minTilePoints * (matrices ? matrixSpeed : 1);
  double tileRows = std::max(target.l2Bytes / 4 / columnBytes, leastRows);
  tileRows = std::min(tileRows, rows);
  while (total / (tileRows * tileColumns * depth) < wantedTiles &&
         tileRows * tileColumns * depth > 2 * leastPoints) {
    bool canRows = tileRows >= 2 * leastRows,
         canColumns = tileColumns >= 2 * minColumns;
    if (!canRows && !canColumns)
      break;
    if (canColumns && (!canRows || tileColumns / 2 >= tileRows))
      tileColumns = std::max<double>(minColumns, tileColumns / 2);
    else
      tileRows /= 2;
  }
  tileColumns = std::min(
      std::max<double>(panelWidth, tileColumns * scale.columns), columns);
  tileRows = std::clamp<double>(tileRows * scale.rows, 1, rows);
  sizes[*column] = balance(extents[*column], int64_t(tileColumns), panelWidth);
  fillInnermost(rowDims, extents, tileRows, sizes, row,
                matrices ? matrixBlock : maxBlock);
  if (rowDims.size() < 2 || !isUnknown(rowDims.back()))
    return finish();
  unsigned outer = rowDims[rowDims.size() - 2];
  if (!matrices && windowDims.empty() &&
      (isUnknown(outer) ? turnsRows(heaviest, heaviestDims, rowDims)
                        : extents[outer] >= int64_t(maxExactBlock))) {
    fillRivals(rowDims, extents, tileRows, sizes);
  } else if (rowDims.size() > 2 && isUnknown(outer)) {
    // Images of unknown size may be small, but have several rows, which are
    // tiles that are just large enough.
    double imageRows =
        std::max(leastPoints / (tileColumns * depth), 2 * leastRows) /
        unknownExtent;
    sizes[outer] = std::min(
        sizes[outer], std::max(minImageRows, int64_t(imageRows * scale.rows)));
  }
  return finish();
}

bool lathe::cpu::hasEnoughTiles(ArrayRef<int64_t> extents,
                                ArrayRef<int64_t> sizes,
                                ArrayRef<int64_t> model) {
  auto count = [&](ArrayRef<int64_t> of) {
    double tiles = 1;
    for (auto [extent, size] : llvm::zip_equal(extents, of))
      if (size)
        tiles *= std::ceil(getGuess(extent) / size);
    return tiles;
  };
  return count(sizes) >= std::min(count(model), wantedTiles);
}

std::optional<unsigned>
lathe::cpu::chooseSlowestDim(linalg::LinalgOp heaviest,
                             ArrayRef<int> heaviestDims) {
  std::optional<unsigned> column =
      findColumnDim(heaviest, heaviestDims, /*shared=*/false);
  if (!column || heaviest.getNumDpsInputs() < 2)
    return std::nullopt;
  double perColumn = 0, perRow = 0;
  SmallVector<int64_t> ranges = heaviest.getStaticLoopRanges();
  for (OpOperand *operand : heaviest.getDpsInputOperands()) {
    AffineMap map = heaviest.getMatchingIndexingMap(operand);
    double elements = 1;
    bool reads = false;
    for (auto [dim, range] : llvm::enumerate(ranges)) {
      if (!map.isFunctionOfDim(dim))
        continue;
      elements *= getGuess(range);
      reads |= heaviestDims[dim] == int(*column);
    }
    (reads ? perColumn : perRow) += elements;
  }
  if (perRow > 0 && perColumn > perRow)
    return column;
  return std::nullopt;
}
