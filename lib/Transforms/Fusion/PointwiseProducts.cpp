// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tile of such a kernel is some pixels with all channels: first those that
// the product reads, which are kept, then those that it makes. So every element
// is computed once, but the weights are read again for each tile, and no tile
// has a part of the columns only. That pays where the pixels would otherwise
// leave the core's cache between the two kernels, while the weights stay there.

#include "PointwiseProducts.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lathe;

/// Pixels of a tile that share what is read of the weights: four blocks of
/// registers.
static constexpr int64_t tilePixels = 56;
/// Tiles that are left, at least, so that some threads are kept busy.
static constexpr int64_t minTiles = 8;

/// Whether `op` sums up, for each channel, what a window shows of that channel.
static bool isChannelwise(Operation *op) {
  auto sum = dyn_cast<linalg::LinalgOp>(op);
  if (!sum || !isHeavy(getRole(op)) || op->getNumResults() != 1)
    return false;
  FailureOr<SmallVector<int64_t>> made = getResultDims(op, 0);
  if (failed(made) || made->empty())
    return false;
  // A pooling's window only gives the shape.
  return llvm::all_of(sum.getDpsInputOperands(), [&](OpOperand *operand) {
    return sum.getMatchingBlockArgument(operand).use_empty() ||
           sum.getMatchingIndexingMap(operand).isFunctionOfDim(made->back());
  });
}

/// Whether `use` is that of the pixels by a pointwise product.
static bool readsPixels(OpOperand &use) {
  auto product = dyn_cast<linalg::LinalgOp>(use.getOwner());
  if (!product || getRole(product) != Role::Contraction ||
      !product.isDpsInput(&use) || isChannelwise(product))
    return false;
  AffineMap map = getReadMap(use);
  if (!map.isProjectedPermutation() || map.getNumResults() == 0)
    return false;
  auto channel = dyn_cast<AffineDimExpr>(map.getResults().back());
  for (auto [d, range, kind] : llvm::enumerate(product.getStaticLoopRanges(),
                                               product.getIteratorTypesArray()))
    if (kind == utils::IteratorType::reduction && range != 1 &&
        getAffineDimExpr(d, map.getContext()) != channel)
      return false;
  return llvm::all_of(product.getDpsInputs(), [&](Value input) {
    return input == use.get() || input.getDefiningOp<WeightOp>();
  });
}

/// Whether an elementwise op leaves channels where they are, side by side, so
/// that its pixels are read and written in order.
static bool keepsChannels(linalg::LinalgOp op) {
  FailureOr<SmallVector<int64_t>> made = getResultDims(op, 0);
  if (failed(made) || made->empty() || op->getNumResults() != 1)
    return false;
  bool reads = false;
  op.getBlock()->walk([&](tensor::ExtractOp) { reads = true; });
  AffineExpr channel = getAffineDimExpr(made->back(), op.getContext());
  return !reads &&
         llvm::all_of(op.getDpsInputOperands(), [&](OpOperand *operand) {
           AffineMap map = op.getMatchingIndexingMap(operand);
           // One number per channel may lie as it likes.
           bool perPixel = llvm::any_of(*made, [&](int64_t dim) {
             return dim != made->back() && map.isFunctionOfDim(dim);
           });
           return map.isProjectedPermutation(/*allowZeroInResults=*/true) &&
                  (!perPixel || !map.isFunctionOfDim(made->back()) ||
                   map.getResults().back() == channel);
         });
}

/// Bytes of a tensor, at least: sizes that are not known count once.
static int64_t getBytes(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  if (!type)
    return 0;
  int64_t bytes = llvm::divideCeil(type.getElementTypeBitWidth(), 8);
  for (int64_t size : type.getShape())
    bytes *= ShapedType::isDynamic(size) ? 1 : size;
  return bytes;
}

/// The elementwise ops that end with `last` and that nothing outside of the
/// chain reads, with the one channelwise op that they begin with. Nothing where
/// there is none, or where they end the kernel of another sum.
static SetVector<Operation *> collectChain(Operation *last) {
  SetVector<Operation *> chain, asked;
  bool hasWindow = false;
  asked.insert(last);
  while (!asked.empty()) {
    // Readers first.
    Operation *op = *llvm::max_element(
        asked, [](auto *a, auto *b) { return a->isBeforeInBlock(b); });
    asked.remove(op);
    bool isInside = llvm::all_of(op->getUses(), [&](OpOperand &use) {
      return chain.contains(use.getOwner()) &&
             cast<linalg::LinalgOp>(use.getOwner())
                 .getMatchingIndexingMap(&use)
                 .isPermutation();
    });
    if (op != last && !isInside)
      continue;
    if (isChannelwise(op)) {
      if (std::exchange(hasWindow, true))
        return {};
      chain.insert(op);
      continue;
    }
    Role role = getRole(op);
    if (isHeavy(role) || role == Role::Reduction)
      return {};
    if (role != Role::Elementwise || !keepsChannels(cast<linalg::LinalgOp>(op)))
      continue;
    chain.insert(op);
    for (Value input : cast<linalg::LinalgOp>(op).getDpsInputs())
      if (Operation *def = input.getDefiningOp())
        if (def->getBlock() == op->getBlock() && isComputeOp(def))
          asked.insert(def);
  }
  return hasWindow ? chain : SetVector<Operation *>();
}

FailureOr<SetVector<Operation *>>
lathe::findPixelChain(OpOperand &use, int64_t cacheBytes, StringRef &refusal) {
  auto refuse = [&](StringRef why) {
    refusal = why;
    return failure();
  };
  auto product = cast<linalg::LinalgOp>(use.getOwner());
  Operation *last = use.get().getDefiningOp();
  SetVector<Operation *> chain;
  if (cacheBytes && readsPixels(use))
    chain = collectChain(last);
  if (chain.empty())
    return refuse("a contraction or a window would compute it many times");
  if (!last->hasOneUse())
    return refuse("something else reads the pixels of the product");

  ArrayRef<int64_t> shape = getShape(last);
  int64_t weights = 0, moved = getBytes(use.get()), pixels = 1;
  for (int64_t size : shape.drop_back())
    pixels *= ShapedType::isDynamic(size) ? 1 : size;
  int64_t perPixel = moved / std::max<int64_t>(1, pixels);
  for (Value input : product.getDpsInputs())
    if (input != use.get())
      weights += getBytes(input);
  for (Operation *op : chain)
    for (Value input : cast<linalg::LinalgOp>(op).getDpsInputs())
      if (!chain.contains(input.getDefiningOp()) &&
          !input.getDefiningOp<WeightOp>())
        moved += getBytes(input);
  if (weights > cacheBytes / 2 || tilePixels * perPixel > cacheBytes / 4)
    return refuse("the weights of its product do not stay in a cache");
  bool pays = moved > cacheBytes && pixels >= minTiles * tilePixels;
  if (!pays && llvm::any_of(shape, ShapedType::isDynamic))
    return refuse("how many pixels there are is not known");
  if (moved <= cacheBytes)
    return refuse("it stays in a cache on its way to the product");
  if (!pays)
    return refuse("there are too few pixels for tiles of them");
  return chain;
}
