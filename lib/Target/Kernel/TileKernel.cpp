// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Target/Kernel/TileKernel.h"

#include "lathe/Target/Kernel/CostModel.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/Transforms/TileUsingInterface.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"
#include "llvm/ADT/MapVector.h"
#include <numeric>

using namespace mlir;
using namespace lathe;

/// The root: the op that makes a result and that all other results' ops come
/// before, over the same space.
static linalg::LinalgOp findRoot(KernelOp kernel, KernelShape &shape,
                                 unsigned &result) {
  auto yield = cast<YieldOp>(kernel.getBlock().getTerminator());
  linalg::LinalgOp root;
  for (auto [i, value] : llvm::enumerate(yield.getResults())) {
    auto op = value.getDefiningOp<linalg::LinalgOp>();
    if (!op)
      return {};
    if (!root || root->isBeforeInBlock(op)) {
      root = op;
      result = i;
    }
  }
  if (!root)
    return {};
  SetVector<Operation *> slice;
  BackwardSliceOptions options;
  if (failed(getBackwardSlice(root, &slice, options)))
    return {};
  for (Value value : yield.getResults()) {
    auto op = value.getDefiningOp<linalg::LinalgOp>();
    if (op == root)
      continue;
    // A producer's tile is its own only where the spaces are the same.
    OpOperand *init = op.getTiedOpOperand(cast<OpResult>(value));
    if (!slice.contains(op) || op.getNumParallelLoops() != op.getNumLoops() ||
        !op.getMatchingIndexingMap(init).isIdentity() ||
        cast<RankedTensorType>(value.getType()).getShape() !=
            kernel.getResultType(result).getShape())
      return {};
    shape.yielded.insert(op);
  }
  return root;
}

/// Fills in the extents from the result that the root makes.
static LogicalResult findExtents(KernelOp kernel, unsigned result,
                                 KernelShape &shape) {
  auto yield = cast<YieldOp>(kernel.getBlock().getTerminator());
  Value value = yield.getResults()[result];
  RankedTensorType type = kernel.getResultType(result);
  auto positions =
      cast<DenseI64ArrayAttr>(kernel.getResultDims()[result]).asArrayRef();
  AffineMap map = shape.root.getMatchingIndexingMap(
      shape.root.getTiedOpOperand(cast<OpResult>(value)));
  unsigned numLoops = shape.root.getNumLoops();
  shape.extents.assign(numLoops, ShapedType::kDynamic);
  shape.expressions.assign(numLoops, AffineExpr());
  MLIRContext *context = kernel.getContext();
  for (auto [i, expr] : llvm::enumerate(map.getResults())) {
    auto dim = dyn_cast<AffineDimExpr>(expr);
    if (!dim)
      continue;
    int64_t extent = type.getDimSize(i);
    shape.extents[dim.getPosition()] = extent;
    shape.expressions[dim.getPosition()] =
        type.isDynamicDim(i)
            ? getAffineSymbolExpr(positions[type.getDynamicDimIndex(i)],
                                  context)
            : getAffineConstantExpr(extent, context);
  }
  for (auto [dim, iterator] :
       llvm::enumerate(shape.root.getIteratorTypesArray()))
    if (iterator == utils::IteratorType::parallel && !shape.expressions[dim])
      return failure();
  // Extents of reductions, where an operand shows them.
  SmallVector<int64_t> known = shape.root.getStaticLoopRanges();
  for (unsigned dim = 0; dim < numLoops; ++dim)
    if (ShapedType::isDynamic(shape.extents[dim]))
      shape.extents[dim] = known[dim];
  return success();
}

static double countPoints(linalg::LinalgOp op) {
  double points = 1;
  for (int64_t extent : op.getStaticLoopRanges())
    points *= ShapedType::isDynamic(extent) ? unknownExtent : extent;
  return points;
}

/// Follows dimensions from the root to its producers.
static void findKeepWhole(KernelShape &shape) {
  unsigned numLoops = shape.root.getNumLoops();
  shape.keepWhole.assign(numLoops, false);
  llvm::MapVector<Operation *, SmallVector<int>> dimsOf;
  dimsOf[shape.root] = llvm::to_vector(llvm::seq<int>(0, numLoops));
  SmallVector<linalg::LinalgOp> worklist{shape.root};
  while (!worklist.empty()) {
    linalg::LinalgOp op = worklist.pop_back_val();
    for (OpOperand &operand : op->getOpOperands()) {
      auto producer = operand.get().getDefiningOp<linalg::LinalgOp>();
      if (!producer || dimsOf.contains(producer))
        continue;
      AffineMap read = op.getMatchingIndexingMap(&operand);
      AffineMap made = producer.getMatchingIndexingMap(
          producer.getTiedOpOperand(cast<OpResult>(operand.get())));
      SmallVector<int> dims(producer.getNumLoops(), -1);
      for (auto [from, to] :
           llvm::zip_equal(read.getResults(), made.getResults())) {
        auto dim = dyn_cast<AffineDimExpr>(to);
        // The point that a window moves with, before those in it.
        for (int d = op.getNumLoops() - 1; dim && d >= 0; --d)
          if (from.isFunctionOfDim(d) && dimsOf[op][d] >= 0)
            dims[dim.getPosition()] = dimsOf[op][d];
      }
      if (producer.getNumReductionLoops())
        for (unsigned d = 0; d < numLoops; ++d)
          if (!llvm::is_contained(dims, int(d)))
            shape.keepWhole[d] = true;
      dimsOf[producer] = dims;
      worklist.push_back(producer);
    }
  }
  shape.heaviest = shape.root;
  for (auto &[op, dims] : dimsOf) {
    auto candidate = cast<linalg::LinalgOp>(op);
    if (candidate.getNumReductionLoops())
      shape.sums.push_back({candidate, dims});
    double points = countPoints(candidate), most = countPoints(shape.heaviest);
    if (points > most ||
        (points == most && candidate->isBeforeInBlock(shape.heaviest) &&
         candidate.getNumReductionLoops() >
             shape.heaviest.getNumReductionLoops()))
      shape.heaviest = candidate;
  }
  shape.heaviestDims = dimsOf[shape.heaviest];
  llvm::sort(shape.sums, [](const KernelSum &a, const KernelSum &b) {
    return b.op->isBeforeInBlock(a.op);
  });
}

/// The number of tiles over the kernel's sizes.
static AffineMap getGrid(KernelOp kernel, const KernelShape &shape,
                         ArrayRef<int64_t> sizes) {
  AffineExpr count = getAffineConstantExpr(1, kernel.getContext());
  for (auto [expr, size] : llvm::zip_equal(shape.expressions, sizes))
    if (size)
      count = count * expr.ceilDiv(size);
  return AffineMap::get(0, kernel.getSizes().size(), count);
}

/// The number of tiles of a kernel that is a loop over points already, or null
/// where the kernel does not say how many those are.
static AffineMap getGrid(KernelOp kernel, scf::ForallOp loop) {
  MLIRContext *context = kernel.getContext();
  unsigned firstSize =
      kernel.getSizes().empty() ? 0 : kernel.getSizes().front().getArgNumber();
  AffineExpr count = getAffineConstantExpr(1, context);
  for (OpFoldResult extent : loop.getMixedUpperBound()) {
    AffineMap map = AffineMap::get(0, 1, getAffineSymbolExpr(0, context));
    SmallVector<Value> operands;
    if (std::optional<int64_t> known = getConstantIntValue(extent)) {
      map = AffineMap::get(0, 0, getAffineConstantExpr(*known, context));
    } else {
      operands.push_back(cast<Value>(extent));
      affine::fullyComposeAffineMapAndOperands(&map, &operands);
    }
    SmallVector<AffineExpr> sizes;
    for (Value operand : operands) {
      auto arg = dyn_cast<BlockArgument>(operand);
      if (!arg || arg.getOwner() != &kernel.getBlock())
        return {};
      sizes.push_back(
          getAffineSymbolExpr(arg.getArgNumber() - firstSize, context));
    }
    unsigned numDims = map.getNumDims();
    count = count * map.getResult(0).replaceDimsAndSymbols(
                        ArrayRef(sizes).take_front(numDims),
                        ArrayRef(sizes).drop_front(numDims));
  }
  return AffineMap::get(0, kernel.getSizes().size(), count);
}

/// The dimension of `root` that follows dimension `dim` of `op` through the ops
/// between them, if there is one.
static std::optional<unsigned> findRootDim(linalg::LinalgOp op, unsigned dim,
                                           linalg::LinalgOp root) {
  if (op == root)
    return dim;
  for (OpResult result : op->getResults()) {
    std::optional<unsigned> at =
        op.getIndexingMapMatchingResult(result).getResultPosition(
            getAffineDimExpr(dim, op.getContext()));
    if (!at)
      continue;
    for (OpOperand &use : result.getUses()) {
      auto reader = dyn_cast<linalg::LinalgOp>(use.getOwner());
      if (!reader)
        continue;
      auto read = dyn_cast<AffineDimExpr>(
          reader.getMatchingIndexingMap(&use).getResult(*at));
      if (!read)
        continue;
      if (std::optional<unsigned> found =
              findRootDim(reader, read.getPosition(), root))
        return found;
    }
  }
  return std::nullopt;
}

/// Makes tiles end where panels do. An operand in panels is read at
/// `d floordiv w` and `d mod w`; the slice that a tile takes of it is one box
/// only if the tile begins at a multiple of `w`.
static void alignToPanels(KernelOp kernel, linalg::LinalgOp root,
                          SmallVectorImpl<int64_t> &sizes) {
  SmallVector<int64_t> units(sizes.size(), 1);
  kernel.walk([&](linalg::LinalgOp op) {
    for (AffineMap map : op.getIndexingMapsArray())
      for (AffineExpr expr : map.getResults()) {
        auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
        if (!binary || (expr.getKind() != AffineExprKind::Mod &&
                        expr.getKind() != AffineExprKind::FloorDiv))
          continue;
        auto dim = dyn_cast<AffineDimExpr>(binary.getLHS());
        auto width = dyn_cast<AffineConstantExpr>(binary.getRHS());
        if (!dim || !width)
          continue;
        std::optional<unsigned> at = findRootDim(op, dim.getPosition(), root);
        if (at)
          units[*at] = std::lcm(units[*at], width.getValue());
      }
  });
  for (auto [size, unit] : llvm::zip_equal(sizes, units))
    size = llvm::alignTo(size, unit);
}

/// Gives each op that starts from a fill one of its own: two that start from
/// one tensor would start from copies of it.
static void separateFills(RewriterBase &rewriter, KernelOp kernel) {
  SmallVector<linalg::FillOp> fills;
  kernel.walk([&](linalg::FillOp fill) { fills.push_back(fill); });
  for (linalg::FillOp fill : fills)
    while (!fill->use_empty() && !fill->hasOneUse()) {
      OpOperand &use = *fill->use_begin();
      rewriter.setInsertionPoint(use.getOwner());
      use.set(rewriter.clone(*fill)->getResult(0));
    }
}

LogicalResult
lathe::tileKernel(KernelOp kernel,
                  function_ref<TileChoice(const KernelShape &)> choose) {
  MLIRContext *context = kernel.getContext();
  auto setGrid = [&](AffineMap map) {
    kernel->setAttr(gridAttrName, AffineMapAttr::get(map));
  };
  // What cannot be tiled is one tile.
  setGrid(AffineMap::get(0, kernel.getSizes().size(),
                         getAffineConstantExpr(1, context)));
  // A loop over points is a grid already.
  auto loops = kernel.getBlock().getOps<scf::ForallOp>();
  if (!loops.empty()) {
    AffineMap grid = getGrid(kernel, *loops.begin());
    if (!grid)
      return kernel.emitOpError(
          "expected a loop over points whose number the sizes give");
    setGrid(grid);
    return success();
  }
  KernelShape shape;
  unsigned result = 0;
  shape.root = findRoot(kernel, shape, result);
  if (!shape.root || failed(findExtents(kernel, result, shape)) ||
      llvm::is_contained(shape.extents, 0))
    return success();
  findKeepWhole(shape);
  TileChoice choice = choose(shape);
  SmallVector<int64_t> &sizes = choice.sizes;
  alignToPanels(kernel, shape.root, sizes);
  if (llvm::all_of(sizes, [](int64_t size) { return size == 0; }))
    return success();
  AffineMap grid = getGrid(kernel, shape, sizes);

  IRRewriter rewriter(context);
  scf::SCFTilingOptions tiling;
  tiling.setLoopType(scf::SCFTilingOptions::LoopType::ForallOp);
  tiling.setTileSizes(getAsIndexOpFoldResult(context, sizes));
  // The last loop runs fastest.
  if (choice.slowest) {
    SmallVector<int64_t> order{int64_t(*choice.slowest)};
    for (unsigned dim = 0; dim < sizes.size(); ++dim)
      if (dim != *choice.slowest)
        order.push_back(dim);
    tiling.setInterchange(order);
  }
  scf::SCFTileAndFuseOptions options;
  options.setTilingOptions(tiling);
  options.setFusionControlFn(
      [&](tensor::ExtractSliceOp, OpResult producer,
          bool) -> std::optional<scf::SCFTileAndFuseOptions::ControlFnResult> {
        return scf::SCFTileAndFuseOptions::ControlFnResult{
            shape.yielded.contains(producer.getOwner())};
      });
  rewriter.setInsertionPoint(shape.root);
  FailureOr<scf::SCFTileAndFuseResult> tiled =
      scf::tileConsumerAndFuseProducersUsingSCF(
          rewriter, cast<TilingInterface>(shape.root.getOperation()), options);
  if (failed(tiled))
    return shape.root->emitOpError(
        "expected a structured op that can be tiled");
  for (auto [from, to] : tiled->replacements)
    rewriter.replaceAllUsesWith(from, to);
  setGrid(grid);

  RewritePatternSet patterns(context);
  for (RegisteredOperationName name : context->getRegisteredOperations())
    if (llvm::is_contained({"linalg", "tensor", "affine", "arith", "scf"},
                           name.getDialectNamespace()))
      name.getCanonicalizationPatterns(patterns, context);
  if (failed(applyPatternsGreedily(kernel, std::move(patterns))))
    return kernel.emitOpError("expected the clean-up after tiling to converge");
  // Tiling asks inputs for their sizes; slices of one size are one then.
  replaceDims(kernel);
  DominanceInfo dominance(kernel);
  eliminateCommonSubExpressions(rewriter, dominance, kernel);
  separateFills(rewriter, kernel);
  return success();
}
