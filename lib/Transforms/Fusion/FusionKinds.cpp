// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "FusionKinds.h"
#include "PointwiseProducts.h"

#include "lathe/Transforms/Fusion/Passes.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lathe;

static constexpr llvm::StringLiteral fusionKinds[] = {
    "elementwise", "epilogue",    "prologue",    "row",
    "pad",         attentionKind, pointwiseKind, multiOutputKind};

ArrayRef<llvm::StringLiteral> lathe::getFusionKinds() { return fusionKinds; }

/// Whether an op that is `isWanted` is reached from `op` in at most `maxSteps`
/// steps to producers.
static bool
isReached(Operation *op, unsigned maxSteps,
          function_ref<bool(Operation *)> isWanted,
          function_ref<void(Operation *, SetVector<Operation *> &)> step) {
  // In order of their distance, each once.
  SetVector<Operation *> reached;
  reached.insert(op);
  unsigned next = 0;
  for (unsigned steps = 0; next != reached.size(); ++steps) {
    for (unsigned end = reached.size(); next != end; ++next) {
      Operation *from = reached[next];
      if (isWanted(from))
        return true;
      if (steps != maxSteps)
        step(from, reached);
    }
  }
  return false;
}

/// Whether `op` is a reduction, or computes elementwise from one without
/// growing: the mean, variance or maximum of a row.
static bool comesFromReduction(Operation *op) {
  return isReached(
      op, /*maxSteps=*/8,
      [](Operation *from) { return getRole(from) == Role::Reduction; },
      [](Operation *from, SetVector<Operation *> &producers) {
        if (getRole(from) != Role::Elementwise)
          return;
        auto linalgOp = cast<linalg::LinalgOp>(from);
        for (OpOperand *use : linalgOp.getDpsInputOperands()) {
          Operation *def = use->get().getDefiningOp();
          AffineMap map = linalgOp.getMatchingIndexingMap(use);
          if (def && isComputeOp(def) && map.isProjectedPermutation() &&
              map.getNumResults() == map.getNumDims())
            producers.insert(def);
        }
      });
}

/// Whether an elementwise op ends the node of a contraction, window or
/// reduction: the bias of a convolution.
static bool endsHeavyNode(Operation *op) {
  return isReached(
      op, /*maxSteps=*/8,
      [](Operation *from) { return getRole(from) != Role::Elementwise; },
      [](Operation *from, SetVector<Operation *> &producers) {
        for (Value operand : from->getOperands()) {
          Operation *def = operand.getDefiningOp();
          if (def && getNode(def) && getNode(def) == getNode(from) &&
              isa<linalg::LinalgOp>(def) && !isa<linalg::FillOp>(def))
            producers.insert(def);
        }
      });
}

/// The longest row of scores that is kept, in elements: with the rows of a
/// register block it fills a second-level cache.
static constexpr int64_t maxScores = 1 << 14;
/// The most columns that the product with the scores has, since they are not
/// shared out.
static constexpr int64_t maxColumns = 512;

/// Whether `value` comes from a contraction by elementwise ops and reductions
/// over rows.
static bool comesFromContraction(Value value) {
  Operation *op = value.getDefiningOp();
  return op &&
         isReached(
             op, /*maxSteps=*/11,
             [](Operation *from) { return getRole(from) == Role::Contraction; },
             [](Operation *from, SetVector<Operation *> &producers) {
               Role role = getRole(from);
               if (role != Role::Elementwise && role != Role::Reduction)
                 return;
               for (Value input : cast<linalg::LinalgOp>(from).getDpsInputs())
                 if (Operation *def = input.getDefiningOp())
                   producers.insert(def);
             });
}

/// Whether `use` is that of the probabilities by the second product of an
/// attention: rows of scores, of a bounded length, times values of few columns.
static bool readsScores(OpOperand &use) {
  auto product = cast<linalg::LinalgOp>(use.getOwner());
  AffineMap map = product.getMatchingIndexingMap(&use);
  if (!map.isProjectedPermutation() || !comesFromContraction(use.get()))
    return false;
  int64_t row = 1, columns = 1;
  for (auto [d, range, kind] : llvm::enumerate(
           product.getStaticLoopRanges(), product.getIteratorTypesArray())) {
    int64_t size = ShapedType::isDynamic(range) ? 1 : range;
    if (kind == utils::IteratorType::reduction)
      row *= map.isFunctionOfDim(d) ? size : maxScores + 1;
    else if (!map.isFunctionOfDim(d))
      columns *= ShapedType::isDynamic(range) ? maxColumns + 1 : size;
  }
  // Weights are shared by all rows, so they want many rows in a tile.
  for (Value input : product.getDpsInputs())
    if (input != use.get() && input.getDefiningOp<WeightOp>())
      return false;
  return row <= maxScores && columns <= maxColumns;
}

bool lathe::sharesPoints(Operation *op) {
  return getRole(op) == Role::Elementwise &&
         readsAtQuotient(cast<linalg::LinalgOp>(op));
}

/// Columns of a contraction or window, beyond which vectors of them are stored.
static constexpr int64_t maxScalarColumns = 8;

bool lathe::scatters(Operation *producer, const TileDims &agreed,
                     const KernelGroup &group) {
  Operation *root = group.getRoot();
  FailureOr<SmallVector<int64_t>> made = getResultDims(producer, 0),
                                  stored = getResultDims(root, 0);
  if (failed(made) || failed(stored) || made->empty() || stored->empty() ||
      getShape(root).back() == 1)
    return false;
  int64_t columns = getShape(producer).back();
  if (!ShapedType::isDynamic(columns) && columns <= maxScalarColumns)
    return false;
  for (auto [of, mine] : llvm::zip_equal(group.tiles.lookup(root), agreed))
    if (of == stored->back())
      return mine >= 0 && mine != made->back();
  return false;
}

FailureOr<StringRef> lathe::classify(Operation *producer,
                                     const KernelGroup &group, bool attention,
                                     int64_t cacheBytes, StringRef &refusal) {
  auto refuse = [&](StringRef why) {
    refusal = why;
    return failure();
  };
  Role role = getRole(producer);
  if (role == Role::Fill)
    return StringRef(fillKind);
  StringRef kind = "elementwise";
  for (OpOperand &use : producer->getUses()) {
    Operation *consumer = use.getOwner();
    if (!group.contains(consumer))
      continue;
    Role reader = getRole(consumer);
    if (reader == Role::Other || reader == Role::Pad)
      return refuse("what reads it is not computed tile by tile");
    auto linalgOp = cast<linalg::LinalgOp>(consumer);
    AffineMap map = linalgOp.getMatchingIndexingMap(&use);
    if (role == Role::Pad) {
      if (reader != Role::Contraction && reader != Role::Window)
        return refuse("padding joins convolutions and pooling only");
      kind = "pad";
      continue;
    }
    if (attention && reader == Role::Contraction && role == Role::Elementwise &&
        !group.traits.isAttention && !group.traits.hasReduction &&
        readsScores(use)) {
      kind = attentionKind;
      continue;
    }
    if (reader == Role::Contraction && !group.traits.isAttention &&
        !group.traits.hasReduction && !group.traits.sharesPoints) {
      if (failed(findPixelChain(use, cacheBytes, refusal)))
        return failure();
      kind = pointwiseKind;
      continue;
    }
    if (reader == Role::Contraction || reader == Role::Window)
      return refuse("a contraction or a window would compute it many times");
    if (!map.isProjectedPermutation())
      return refuse("it is read at other places than a permutation of its own");
    bool whole = map.getNumResults() == map.getNumDims();
    if (reader == Role::Reduction) {
      bool isScores =
          role == Role::Contraction && group.traits.isAttention && whole;
      if (((role == Role::Contraction || role == Role::Window) && !isScores) ||
          (!whole && !comesFromReduction(producer)))
        return refuse("a reduction would compute it many times");
      kind = whole && role == Role::Elementwise ? "prologue" : "row";
      continue;
    }
    // An elementwise reader.
    if (!whole) {
      // A broadcast computes again what every tile needs; only what a
      // reduction over the row leaves behind is worth it.
      if (!comesFromReduction(producer))
        return refuse("a broadcast would compute it many times");
      kind = "row";
      continue;
    }
    if (endsHeavyNode(producer))
      kind = "epilogue";
  }
  return kind;
}

bool lathe::readsWhole(Operation *producer, const KernelGroup &group) {
  for (Operation *user : producer->getUsers())
    if (!group.contains(user))
      for (Operation *parent = user->getParentOp(); parent;
           parent = parent->getParentOp())
        if (group.contains(parent))
          return true;
  bool found = false;
  producer->walk([&](tensor::ExtractOp extract) {
    Operation *def = extract.getTensor().getDefiningOp();
    found |= def && group.contains(def);
  });
  return found;
}
