// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernel forming. Groups grow from consumers to producers, in reverse program
// order. Each op of a group carries the *tile dimensions*: for each dimension
// of the group's tile space, which of the op's iteration dimensions follows it
// (or none). A producer joins when every consumer in the group asks, tile by
// tile, for exactly the elements that one tile of the producer makes; a
// dimension on which its consumers disagree is kept whole (it leaves the tile
// space), as is the row of a softmax. So no element is computed twice, and a
// tile depends on no other.
//
// A contraction may read what another one made, by way of ops over the row:
// attention. Its columns are then kept whole, so that a tile is some rows of
// the scores, which stay in a cache.
//
// What stays apart: other contractions; a contraction and a reduction of its
// result; a producer that overlapping windows read (except padding); a producer
// whose other readers lie on a path back into the group.

#include "lathe/Transforms/Fusion/Passes.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Linalg/Utils/Utils.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_FORMKERNELS
#include "lathe/Transforms/Fusion/Passes.h.inc"
} // namespace lathe

using namespace lathe;

static constexpr llvm::StringLiteral fusionKinds[] = {
    "elementwise", "epilogue",  "prologue",    "row",
    "pad",         "attention", "multi-output"};

ArrayRef<llvm::StringLiteral> lathe::getFusionKinds() { return fusionKinds; }

namespace {
/// What an op does, as far as fusion cares.
enum class Role {
  Elementwise,
  Reduction,
  Contraction,
  Window,
  Pad,
  Fill,
  Other
};

/// For each tile dimension of the group, the op's iteration dimension, or -1.
using TileDims = SmallVector<int64_t>;

struct Group {
  int64_t id;
  SetVector<Operation *> ops;
  DenseMap<Operation *, TileDims> tiles;
  bool hasContraction = false;
  bool hasReduction = false;
  bool sharesPoints = false; ///< Has an op of which `sharesPoints` holds.
  bool isWhole = false;     ///< One tile: has ops without iteration dimensions.
  bool isAttention = false; ///< Its contraction reads what it computes.
  bool hasScores = false;   ///< And the contraction that this comes from.
};

class Former {
public:
  Former(Block &block, bool crossNode, bool attention, bool explain,
         unsigned maxOps, ArrayRef<std::string> disabled)
      : block(block), crossNode(crossNode), attention(attention),
        explain(explain), maxOps(maxOps) {
    for (const std::string &kind : disabled)
      off.insert(kind);
  }
  void run(int64_t &nextId);
  unsigned numFused = 0, numGroups = 0;

private:
  void grow(Group &group);
  std::optional<StringRef> classify(Operation *producer, Group &group);
  bool tryJoin(Operation *producer, Group &group);
  bool tryJoinWhole(Operation *producer, Group &group);
  bool makesCycle(Operation *producer, const Group &group);
  /// Says why the producer at hand does not join.
  bool refuse(StringRef why) {
    reason = why;
    return false;
  }
  void explainGroup(Group &group);

  Block &block;
  bool crossNode, attention, explain;
  unsigned maxOps;
  StringRef reason;
  DenseMap<Operation *, StringRef> fusedAs;
  llvm::StringSet<> off;
  DenseMap<Operation *, Group *> owner;
  SmallVector<std::unique_ptr<Group>> groups;
};
} // namespace

static Role getRole(Operation *op) {
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

/// Iteration dimensions of `op` that its result is indexed by, or failure.
static FailureOr<SmallVector<int64_t>> getResultDims(Operation *op,
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
  if (isa<tensor::PadOp>(op)) {
    for (int64_t
             i = 0,
             e = cast<RankedTensorType>(op->getResult(0).getType()).getRank();
         i != e; ++i)
      dims.push_back(i);
    return dims;
  }
  return failure();
}

/// The shape of what `op` makes.
static ArrayRef<int64_t> getShape(Operation *op) {
  return cast<RankedTensorType>(op->getResult(0).getType()).getShape();
}

static std::optional<int64_t> getNode(Operation *op) {
  if (auto node = op->getAttrOfType<IntegerAttr>(nodeAttrName))
    return node.getInt();
  return std::nullopt;
}

/// The tile dimensions that `consumer` asks of `producer` through `use`:
/// for each tile dimension the producer's dimension, or -1.
static FailureOr<TileDims> projectTile(OpOperand &use, const TileDims &tile) {
  Operation *consumer = use.getOwner();
  auto result = cast<OpResult>(use.get());
  FailureOr<SmallVector<int64_t>> made =
      getResultDims(result.getOwner(), result.getResultNumber());
  if (failed(made))
    return failure();
  TileDims projected(tile.size(), -1);
  auto linalgOp = dyn_cast<linalg::LinalgOp>(consumer);
  if (!linalgOp)
    return failure();
  AffineMap map = linalgOp.getMatchingIndexingMap(&use);
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

/// Whether `op` is a reduction, or computes elementwise from one without
/// growing: the mean, variance or maximum of a row.
static bool comesFromReduction(Operation *op, unsigned depth = 0) {
  Role role = getRole(op);
  if (role == Role::Reduction)
    return true;
  if (role != Role::Elementwise || depth == 8)
    return false;
  auto linalgOp = cast<linalg::LinalgOp>(op);
  return llvm::any_of(linalgOp.getDpsInputOperands(), [&](OpOperand *use) {
    Operation *def = use->get().getDefiningOp();
    AffineMap map = linalgOp.getMatchingIndexingMap(use);
    return def && isComputeOp(def) && map.isProjectedPermutation() &&
           map.getNumResults() == map.getNumDims() &&
           comesFromReduction(def, depth + 1);
  });
}

/// Whether an elementwise op ends the node of a contraction, window or
/// reduction: the bias of a convolution.
static bool endsHeavyNode(Operation *op, unsigned depth = 0) {
  if (getRole(op) != Role::Elementwise || depth == 8)
    return getRole(op) != Role::Elementwise;
  return llvm::any_of(op->getOperands(), [&](Value operand) {
    Operation *def = operand.getDefiningOp();
    return def && getNode(def) && getNode(def) == getNode(op) &&
           isa<linalg::LinalgOp>(def) && !isa<linalg::FillOp>(def) &&
           endsHeavyNode(def, depth + 1);
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
static bool comesFromContraction(Value value, unsigned depth = 0) {
  Operation *op = value.getDefiningOp();
  if (!op || depth == 12)
    return false;
  Role role = getRole(op);
  if (role == Role::Contraction)
    return true;
  if (role != Role::Elementwise && role != Role::Reduction)
    return false;
  return llvm::any_of(
      cast<linalg::LinalgOp>(op).getDpsInputs(),
      [&](Value input) { return comesFromContraction(input, depth + 1); });
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

/// Whether neighbouring points of an elementwise op share what they compute,
/// which is the reason to compute them together.
static bool sharesPoints(Operation *op) {
  return getRole(op) == Role::Elementwise &&
         readsAtQuotient(cast<linalg::LinalgOp>(op));
}

/// Columns of a contraction or window, beyond which vectors of them are stored.
static constexpr int64_t maxScalarColumns = 8;

/// Whether the op that the group is for, whose tile dimensions `agreed` maps to
/// those of `producer`, stores elements far apart that `producer` makes side by
/// side: a transpose by itself goes through squares instead.
static bool scatters(Operation *producer, const TileDims &agreed,
                     const Group &group) {
  Operation *root = group.ops.front();
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

bool Former::makesCycle(Operation *producer, const Group &group) {
  // A path from an outside reader of the group (or of the producer) back into
  // it would make two launches wait for each other.
  DenseSet<Operation *> seen;
  SmallVector<Operation *> work;
  auto inside = [&](Operation *op) {
    return op == producer || group.ops.contains(op);
  };
  auto top = [&](Operation *op) { return block.findAncestorOpInBlock(*op); };
  auto pushReaders = [&](Operation *op) {
    for (Operation *user : op->getUsers())
      if (Operation *reader = top(user))
        if (seen.insert(reader).second)
          work.push_back(reader);
  };
  auto leave = [&](Operation *op) {
    for (Operation *user : op->getUsers())
      if (Operation *reader = top(user); reader && !inside(reader))
        if (seen.insert(reader).second)
          work.push_back(reader);
  };
  leave(producer);
  for (Operation *op : group.ops)
    leave(op);
  while (!work.empty()) {
    Operation *op = work.pop_back_val();
    if (inside(op))
      return true;
    if (Group *other = owner.lookup(op))
      for (Operation *member : other->ops) {
        if (seen.insert(member).second)
          work.push_back(member);
      }
    pushReaders(op);
  }
  return false;
}

/// The kind of fusion by which `producer` would join, or none.
std::optional<StringRef> Former::classify(Operation *producer, Group &group) {
  Role role = getRole(producer);
  if (role == Role::Fill)
    return StringRef("fill");
  StringRef kind = "elementwise";
  for (OpOperand &use : producer->getUses()) {
    Operation *consumer = use.getOwner();
    if (!group.ops.contains(consumer))
      continue;
    Role reader = getRole(consumer);
    if (reader == Role::Other || reader == Role::Pad) {
      refuse("what reads it is not computed tile by tile");
      return std::nullopt;
    }
    auto linalgOp = cast<linalg::LinalgOp>(consumer);
    AffineMap map = linalgOp.getMatchingIndexingMap(&use);
    if (role == Role::Pad) {
      if (reader != Role::Contraction && reader != Role::Window) {
        refuse("padding joins convolutions and pooling only");
        return std::nullopt;
      }
      kind = "pad";
      continue;
    }
    if (attention && reader == Role::Contraction && role == Role::Elementwise &&
        !group.isAttention && !group.hasReduction && readsScores(use)) {
      kind = "attention";
      continue;
    }
    if (reader == Role::Contraction || reader == Role::Window) {
      refuse("a contraction or a window would compute it many times");
      return std::nullopt;
    }
    if (!map.isProjectedPermutation()) {
      refuse("it is read at other places than a permutation of its own");
      return std::nullopt;
    }
    bool whole = map.getNumResults() == map.getNumDims();
    if (reader == Role::Reduction) {
      bool isScores = role == Role::Contraction && group.isAttention && whole;
      if (((role == Role::Contraction || role == Role::Window) && !isScores) ||
          (!whole && !comesFromReduction(producer))) {
        refuse("a reduction would compute it many times");
        return std::nullopt;
      }
      kind = whole && role == Role::Elementwise ? "prologue" : "row";
      continue;
    }
    // An elementwise reader.
    if (!whole) {
      // A broadcast computes again what every tile needs; only what a
      // reduction over the row leaves behind is worth it.
      if (!comesFromReduction(producer)) {
        refuse("a broadcast would compute it many times");
        return std::nullopt;
      }
      kind = "row";
      continue;
    }
    if (endsHeavyNode(producer))
      kind = "epilogue";
  }
  return kind;
}

/// Whether the body of a reader reads all of what another op of the group makes
/// (at computed places), so that a tile of it would not do.
static bool readsWhole(Operation *producer, const Group &group) {
  for (Operation *user : producer->getUsers())
    if (!group.ops.contains(user))
      for (Operation *parent = user->getParentOp(); parent;
           parent = parent->getParentOp())
        if (group.ops.contains(parent))
          return true;
  bool found = false;
  producer->walk([&](tensor::ExtractOp extract) {
    Operation *def = extract.getTensor().getDefiningOp();
    found |= def && group.ops.contains(def);
  });
  return found;
}

/// Ops without iteration dimensions (slices written one after the other) share
/// a kernel of one tile with the other ops of their node only.
bool Former::tryJoinWhole(Operation *producer, Group &group) {
  // What is worth tiles of its own stays apart.
  Role role = getRole(producer);
  if (role == Role::Contraction || role == Role::Window ||
      role == Role::Reduction || sharesPoints(producer))
    return refuse("one of them is not computed tile by tile");
  for (Operation *user : producer->getUsers())
    if (!group.ops.contains(user) || !getNode(producer) ||
        getNode(user) != getNode(producer))
      return refuse("one of them is not computed tile by tile");
  for (Operation *op : group.ops)
    if (getNode(op) != getNode(producer))
      return refuse("one of them is not computed tile by tile");
  group.ops.insert(producer);
  group.isWhole = true;
  owner[producer] = &group;
  return true;
}

bool Former::tryJoin(Operation *producer, Group &group) {
  Role role = getRole(producer);
  if (owner.lookup(producer))
    return refuse("it is part of another kernel");
  if (isa<GridOp>(producer))
    return refuse("it is a grid of its own");
  if (readsWhole(producer, group))
    return refuse("it is read at computed places");
  if (role == Role::Other || group.isWhole)
    return tryJoinWhole(producer, group);
  std::optional<StringRef> kind = classify(producer, group);
  if (!kind)
    return false;
  bool outside = false;
  bool sameNode = true;
  for (OpOperand &use : producer->getUses()) {
    if (!group.ops.contains(use.getOwner())) {
      outside = true;
      continue;
    }
    sameNode &=
        getNode(producer) && getNode(producer) == getNode(use.getOwner());
  }
  if (role == Role::Fill) {
    if (outside)
      return refuse("something else is filled with it");
    group.ops.insert(producer);
    owner[producer] = &group;
    return true;
  }
  if (!sameNode && (!crossNode || off.contains(*kind)))
    return refuse("this kind of fusion is off");
  if (!sameNode && group.ops.size() >= maxOps)
    return refuse("the kernel has as many ops as are compiled together");
  if (outside && !sameNode && off.contains("multi-output"))
    return refuse("something else reads it, and multi-output is off");
  bool isScores =
      role == Role::Contraction && group.isAttention && !group.hasScores;
  if ((role == Role::Contraction || role == Role::Window) && !isScores &&
      (group.hasContraction || group.hasReduction))
    return refuse("the kernel has a contraction or reduction already");
  if (role == Role::Reduction && group.hasContraction && !group.isAttention)
    return refuse("the kernel has a contraction already");

  bool shares = sharesPoints(producer);
  if ((shares && (group.hasContraction || group.hasReduction)) ||
      (group.sharesPoints && role != Role::Elementwise && role != Role::Pad))
    return refuse("a reduction's blocks would compute what points share many "
                  "times");

  // Agree on the tile: a dimension on which the readers differ stays whole.
  std::optional<TileDims> agreed;
  for (OpOperand &use : producer->getUses()) {
    auto reader = group.tiles.find(use.getOwner());
    if (reader == group.tiles.end())
      continue;
    if (role == Role::Pad) {
      agreed = TileDims(reader->second.size(), -1);
      continue;
    }
    FailureOr<TileDims> projected = projectTile(use, reader->second);
    if (failed(projected))
      return refuse("its tiles do not follow those of the kernel");
    if (!agreed) {
      agreed = *projected;
      continue;
    }
    for (auto [mine, theirs] : llvm::zip_equal(*agreed, *projected))
      if (mine != theirs)
        mine = -1;
  }
  if (!agreed)
    return refuse("nothing in the kernel reads it");
  if (shares && *agreed != llvm::to_vector(llvm::seq<int64_t>(agreed->size())))
    return refuse("what reads it goes through its points in another order");
  if ((role == Role::Contraction || role == Role::Window) &&
      scatters(producer, *agreed, group))
    return refuse("what it makes side by side would be stored far apart");
  SmallVector<bool> kept(agreed->size(), true);
  unsigned numKept = 0, numBefore = 0;
  for (size_t t = 0, e = agreed->size(); t != e; ++t) {
    bool live = llvm::any_of(group.tiles,
                             [&](auto &entry) { return entry.second[t] >= 0; });
    numBefore += live;
    kept[t] = (*agreed)[t] >= 0;
    numKept += live && kept[t];
  }
  bool shrinks = numKept < numBefore;
  if (role != Role::Pad) {
    // Only row kernels and attention's columns give up tile dimensions, and
    // never all of them; what a contraction or window computes must keep its
    // tile.
    if (shrinks &&
        (numKept == 0 || (*kind != "attention" &&
                          (group.hasContraction || role == Role::Contraction ||
                           role == Role::Window))))
      return refuse("the kernel would be one tile, or its tiles too large");
    // A producer read outside must be written by the same tiles as what the
    // kernel is for.
    if (outside) {
      FailureOr<SmallVector<int64_t>> made = getResultDims(producer, 0);
      if (failed(made) || role != Role::Elementwise ||
          getShape(producer) != getShape(group.ops.front()))
        return refuse("something outside of the kernel reads it");
    }
  } else if (outside) {
    return refuse("something outside of the kernel reads it");
  }
  if (makesCycle(producer, group))
    return refuse("the kernels would wait for each other");

  if (shrinks && role != Role::Pad)
    for (auto &entry : group.tiles)
      for (auto [t, keep] : llvm::enumerate(kept))
        if (!keep)
          entry.second[t] = -1;
  group.ops.insert(producer);
  group.tiles[producer] = *agreed;
  owner[producer] = &group;
  group.hasContraction |= role == Role::Contraction || role == Role::Window;
  group.hasReduction |= role == Role::Reduction;
  group.isAttention |= *kind == "attention";
  group.hasScores |= isScores;
  group.sharesPoints |= shares;
  if (!sameNode) {
    ++numFused;
    fusedAs[producer] = *kind;
  }
  return true;
}

void Former::grow(Group &group) {
  bool changed = true;
  while (changed) {
    changed = false;
    // Later producers first: they may be read by earlier ones' readers.
    SmallVector<Operation *> producers;
    for (Operation *op : group.ops)
      for (Value operand : op->getOperands())
        if (Operation *def = operand.getDefiningOp())
          if (def->getBlock() == &block && isComputeOp(def) &&
              !group.ops.contains(def))
            producers.push_back(def);
    llvm::sort(producers, [](Operation *a, Operation *b) {
      return b->isBeforeInBlock(a);
    });
    producers.erase(llvm::unique(producers), producers.end());
    for (Operation *producer : producers)
      if (tryJoin(producer, group)) {
        changed = true;
        break;
      }
  }
}

/// A name of the node that `op` came from.
static StringRef getNodeLabel(Operation *op) {
  StringRef label = op->getName().getStringRef();
  op->getLoc()->walk([&](Location inner) {
    auto named = dyn_cast<NameLoc>(inner);
    if (!named)
      return WalkResult::advance();
    label = named.getName().getValue();
    return WalkResult::interrupt();
  });
  return label;
}

/// Writes on the producers that a finished group reads why they are not in it.
void Former::explainGroup(Group &group) {
  Builder builder(block.getParentOp()->getContext());
  SmallVector<Operation *> readers(group.ops.begin(), group.ops.end());
  for (Operation *reader : readers)
    for (Value operand : reader->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      if (!producer || producer->getBlock() != &block ||
          !isComputeOp(producer) || group.ops.contains(producer))
        continue;
      // The group is as large as it gets: nothing joins any more.
      (void)tryJoin(producer, group);
      SmallVector<Attribute> reasons;
      if (auto known = producer->getAttrOfType<ArrayAttr>(apartAttrName))
        llvm::append_range(reasons, known);
      Attribute text =
          builder.getStringAttr("'" + getNodeLabel(producer) + "' and '" +
                                getNodeLabel(reader) + "': " + reason);
      if (!llvm::is_contained(reasons, text))
        reasons.push_back(text);
      producer->setAttr(apartAttrName, builder.getArrayAttr(reasons));
    }
}

void Former::run(int64_t &nextId) {
  for (Operation &op : llvm::reverse(block)) {
    if (!isComputeOp(&op) || owner.lookup(&op) || op.use_empty())
      continue;
    auto group = std::make_unique<Group>();
    group->id = nextId++;
    group->ops.insert(&op);
    owner[&op] = group.get();
    Role role = getRole(&op);
    TileDims tile;
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op)) {
      for (auto [i, kind] : llvm::enumerate(linalgOp.getIteratorTypesArray()))
        if (kind == utils::IteratorType::parallel)
          tile.push_back(i);
    } else if (isa<tensor::PadOp>(op)) {
      for (int64_t
               i = 0,
               e = cast<RankedTensorType>(op.getResult(0).getType()).getRank();
           i != e; ++i)
        tile.push_back(i);
    }
    group->tiles[&op] = tile;
    group->hasContraction = role == Role::Contraction || role == Role::Window;
    group->hasReduction = role == Role::Reduction;
    group->isWhole = role == Role::Other;
    grow(*group);
    if (explain)
      explainGroup(*group);
    groups.push_back(std::move(group));
    ++numGroups;
  }
  Builder builder(block.getParentOp()->getContext());
  for (std::unique_ptr<Group> &group : groups)
    for (Operation *op : group->ops)
      op->setAttr(groupAttrName, builder.getI64IntegerAttr(group->id));
  for (auto [op, kind] : fusedAs)
    op->setAttr(fusedAttrName, builder.getStringAttr(kind));
}

namespace {
struct FormKernels : public lathe::impl::FormKernelsBase<FormKernels> {
  using Base::Base;

  void runOnOperation() override {
    for (const std::string &kind : disabled)
      if (!llvm::is_contained(fusionKinds, kind)) {
        getOperation().emitError("expects a kind of fusion, got '")
            << kind << "'";
        return signalPassFailure();
      }
    // A fill belongs to the one op that it initializes, in the same block.
    SmallVector<linalg::FillOp> fills;
    getOperation().walk([&](linalg::FillOp fill) {
      if (!isInsideComputeOp(fill))
        fills.push_back(fill);
    });
    for (linalg::FillOp fill : fills) {
      OpBuilder builder(fill);
      while (!fill->use_empty() && !fill->hasOneUse()) {
        OpOperand &use = *fill->use_begin();
        builder.setInsertionPoint(use.getOwner());
        use.set(builder.clone(*fill)->getResult(0));
      }
      if (fill->hasOneUse())
        fill->moveBefore(fill->use_begin()->getOwner());
    }

    int64_t nextId = 0;
    SmallVector<Block *> blocks;
    for (Block &block : getOperation().getBody())
      blocks.push_back(&block);
    // Bodies of control flow in the program are programs themselves.
    getOperation().walk([&](Operation *op) {
      if (isa<scf::SCFDialect>(op->getDialect()) && !isInsideComputeOp(op))
        for (Region &region : op->getRegions())
          for (Block &block : region)
            blocks.push_back(&block);
    });
    for (Block *block : blocks) {
      Former former(*block, crossNode, attention, explain, maxOps, disabled);
      former.run(nextId);
      numFused += former.numFused;
      numGroups += former.numGroups;
    }
  }
};
} // namespace
