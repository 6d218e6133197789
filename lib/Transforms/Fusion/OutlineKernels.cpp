// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "FusionSavings.h"

#include "lathe/Transforms/Fusion/ConcatParts.h"
#include "lathe/Transforms/Fusion/Passes.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Transforms/RegionUtils.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_OUTLINEKERNELS
#include "lathe/Transforms/Fusion/Passes.h.inc"
} // namespace lathe

using namespace lathe;

/// `lathe.grid` inside a kernel becomes a loop over points that write their
/// parts of the results:
///
///   scf.forall (%i) in (%n) shared_outs(%o = %empty) {
///     %part = tensor.extract_slice %o[%i, 0] ...
///     ...
///     scf.forall.in_parallel { tensor.parallel_insert_slice ... }
///   }
static void expandGrid(GridOp grid) {
  ImplicitLocOpBuilder b(grid.getLoc(), grid);
  SmallVector<OpFoldResult> extents =
      getAsOpFoldResult(ValueRange(grid.getExtents()));
  SmallVector<Value> inits;
  for (auto [i, result] : llvm::enumerate(grid.getResults()))
    inits.push_back(tensor::EmptyOp::create(
        b, grid.getResultSizes(i),
        cast<RankedTensorType>(result.getType()).getElementType()));
  auto loop = scf::ForallOp::create(b, extents, inits, std::nullopt);
  Block *body = loop.getBody(), &from = grid.getBody().front();
  auto done = cast<scf::InParallelOp>(body->getTerminator());
  b.setInsertionPoint(done);
  SmallVector<Value> points = llvm::to_vector(loop.getInductionVars());
  SmallVector<Value> arguments = points;
  SmallVector<std::pair<SmallVector<OpFoldResult>, SmallVector<OpFoldResult>>>
      parts;
  for (auto [i, out] : llvm::enumerate(loop.getRegionIterArgs())) {
    SmallVector<OpFoldResult> offsets, sizes = grid.getResultSizes(i);
    for (auto [size, loop] : llvm::zip_equal(sizes, grid.getResultLoops(i))) {
      offsets.push_back(loop < 0 ? OpFoldResult(b.getIndexAttr(0))
                                 : OpFoldResult(points[loop]));
      if (loop >= 0)
        size = b.getIndexAttr(1);
    }
    SmallVector<OpFoldResult> ones(sizes.size(), b.getIndexAttr(1));
    auto type =
        cast<RankedTensorType>(from.getArgument(points.size() + i).getType());
    arguments.push_back(
        tensor::ExtractSliceOp::create(b, type, out, offsets, sizes, ones));
    parts.push_back({offsets, sizes});
  }
  IRMapping mapping;
  mapping.map(from.getArguments(), arguments);
  for (Operation &op : from.without_terminator())
    b.clone(op, mapping);
  b.setInsertionPointToStart(done.getBody());
  for (auto [i, value] : llvm::enumerate(from.getTerminator()->getOperands())) {
    auto &[offsets, sizes] = parts[i];
    SmallVector<OpFoldResult> ones(sizes.size(), b.getIndexAttr(1));
    tensor::ParallelInsertSliceOp::create(b, mapping.lookupOrDefault(value),
                                          loop.getRegionIterArgs()[i], offsets,
                                          sizes, ones);
  }
  grid.replaceAllUsesWith(loop.getResults());
  grid.erase();
}

namespace {
/// One group of a block, in program order.
struct Group {
  SmallVector<Operation *> ops;
};

class Outliner {
public:
  Outliner(ModuleOp module) : module(module), symbols(module) {}

  /// Outlines all groups of one block.
  LogicalResult run(Block &block);

  unsigned numKernels = 0, numLaunches = 0;

private:
  LogicalResult outline(Group &group);
  LogicalResult order(Block &block, llvm::MapVector<int64_t, Group> &groups);
  KernelOp share(KernelOp kernel, StringRef hint);

  ModuleOp module;
  SymbolTable symbols;
  /// Printed form without name and locations, to the kernel.
  llvm::StringMap<KernelOp> known;
};
} // namespace

/// A short name for what a group does: its main op's, in snake case.
static std::string getHint(const Group &group) {
  Operation *main = group.ops.back();
  for (Operation *op : group.ops)
    if (auto linalgOp = dyn_cast<linalg::LinalgOp>(op))
      if (linalgOp.getNumReductionLoops() && linalgOp.getNumDpsInputs() > 1) {
        main = op;
        break;
      }
  std::string hint;
  if (auto name = main->getAttrOfType<StringAttr>("lathe.op"))
    hint = name.getValue().lower();
  else
    hint = main->getName().stripDialect().str();
  return hint;
}

/// Puts the groups' ops in an order in which each group is contiguous: groups
/// are units of a topological sort that keeps program order where it can.
LogicalResult Outliner::order(Block &block,
                              llvm::MapVector<int64_t, Group> &groups) {
  DenseMap<Operation *, Group *> owner;
  for (auto &entry : groups)
    for (Operation *op : entry.second.ops)
      owner[op] = &entry.second;
  // A group, or an op that is in none, on its way into the order.
  struct Unit {
    SmallVector<Operation *, 1> ops;
    SetVector<Operation *> producers;
    size_t next = 0;
  };
  SmallVector<Operation *> sorted;
  DenseSet<Operation *> done, active;
  std::vector<Unit> stack;
  auto begin = [&](Operation *op) {
    if (done.contains(op))
      return true;
    Unit unit;
    Group *group = owner.lookup(op);
    if (group)
      unit.ops.assign(group->ops.begin(), group->ops.end());
    else
      unit.ops.push_back(op);
    if (!active.insert(unit.ops.front()).second)
      return false;
    for (Operation *member : unit.ops)
      member->walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          if (Operation *def = operand.getDefiningOp())
            if (Operation *top = block.findAncestorOpInBlock(*def))
              if (top != op && (!group || owner.lookup(top) != group))
                unit.producers.insert(top);
      });
    stack.push_back(std::move(unit));
    return true;
  };
  // Depth-first over producers; a group is emitted when all its inputs are.
  for (Operation &op : block.without_terminator()) {
    bool ok = begin(&op);
    while (ok && !stack.empty()) {
      Unit &unit = stack.back();
      if (unit.next != unit.producers.size()) {
        ok = begin(unit.producers[unit.next++]);
        continue;
      }
      llvm::append_range(sorted, unit.ops);
      done.insert(unit.ops.begin(), unit.ops.end());
      stack.pop_back();
    }
    if (!ok)
      return op.emitError(
          "failed to order kernels: groups depend on each other");
  }
  for (Operation *op : sorted)
    op->moveBefore(block.getTerminator());
  return success();
}

KernelOp Outliner::share(KernelOp kernel, StringRef hint) {
  std::string text;
  llvm::raw_string_ostream os(text);
  kernel.setSymName("");
  kernel->print(os, OpPrintingFlags().useLocalScope().printGenericOpForm());
  auto [it, fresh] = known.try_emplace(text, kernel);
  if (!fresh) {
    kernel->erase();
    return it->second;
  }
  kernel.setSymName(("k" + Twine(numKernels++) + "_" + hint).str());
  symbols.insert(kernel);
  return kernel;
}

/// Whether `op` can take the elements of splats instead of the tensors: it has
/// a body to take them in, and its other operands give the extents of all
/// loops.
static bool canTakeElements(Operation *op) {
  auto linalgOp = dyn_cast<linalg::LinalgOp>(op);
  if (!linalgOp)
    return false;
  SmallVector<AffineMap> maps;
  for (OpOperand &operand : op->getOpOperands())
    if (!operand.get().getDefiningOp<arith::ConstantOp>())
      maps.push_back(linalgOp.getMatchingIndexingMap(&operand));
  return !maps.empty() &&
         inversePermutation(concatAffineMaps(maps, op->getContext()));
}

/// Copies a constant or an empty tensor into a kernel. A constant tensor that
/// an op takes other than element by element becomes memory that is filled.
static void copyFreeOp(OpBuilder &builder, Operation *op,
                       const DenseSet<Operation *> &members,
                       IRMapping &mapping) {
  Operation *clone = builder.clone(*op, mapping);
  clone->removeDiscardableAttr(nodeAttrName);
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  auto constant = dyn_cast<arith::ConstantOp>(op);
  if (!constant || !type || llvm::all_of(op->getUsers(), [&](Operation *user) {
        return !members.contains(user) || canTakeElements(user);
      }))
    return;
  Value element = arith::ConstantOp::create(
      builder, op->getLoc(),
      cast<ElementsAttr>(constant.getValue()).getSplatValue<TypedAttr>());
  Value empty =
      tensor::EmptyOp::create(builder, op->getLoc(), type, ValueRange());
  Value fill = linalg::FillOp::create(builder, op->getLoc(), element, empty)
                   .getResult(0);
  mapping.map(op->getResult(0), fill);
  clone->erase();
}

LogicalResult Outliner::outline(Group &group) {
  MLIRContext *context = module.getContext();
  OpBuilder builder(group.ops.front());
  DenseSet<Operation *> members(group.ops.begin(), group.ops.end());

  // What the group reads from outside: tensors, sizes, and ops to copy.
  SetVector<Value> inputs, sizes;
  SetVector<Operation *> copied;
  SmallVector<Value> work;
  auto read = [&](Value value) {
    Operation *def = value.getDefiningOp();
    if (def && members.contains(def))
      return;
    if (def && isFreeOp(def)) {
      if (copied.insert(def))
        llvm::append_range(work, def->getOperands());
      return;
    }
    if (isa<RankedTensorType>(value.getType()))
      inputs.insert(value);
    else
      sizes.insert(value);
  };
  for (Operation *op : group.ops) {
    for (Value operand : op->getOperands())
      read(operand);
    SetVector<Value> captured;
    getUsedValuesDefinedAbove(op->getRegions(), captured);
    for (Value value : captured)
      read(value);
  }
  while (!work.empty())
    read(work.pop_back_val());

  SmallVector<Value> results;
  for (Operation *op : group.ops)
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) {
            for (; user; user = user->getParentOp())
              if (members.contains(user))
                return false;
            return true;
          }))
        results.push_back(result);

  // The sizes of every dynamic dimension of inputs and results.
  auto getPositions = [&](Value value) -> FailureOr<Attribute> {
    FailureOr<SmallVector<Value>> dims = getDynamicDims(builder, value);
    if (failed(dims))
      return emitError(value.getLoc(),
                       "failed to find the sizes of a value of type ")
             << value.getType();
    SmallVector<int64_t> positions;
    for (Value dim : *dims) {
      sizes.insert(dim);
      positions.push_back(llvm::find(sizes, dim) - sizes.begin());
    }
    return Attribute(DenseI64ArrayAttr::get(context, positions));
  };
  SmallVector<Attribute> inputDims, resultDims;
  for (Value input : inputs) {
    FailureOr<Attribute> positions = getPositions(input);
    if (failed(positions))
      return failure();
    inputDims.push_back(*positions);
  }
  for (Value result : results) {
    FailureOr<Attribute> positions = getPositions(result);
    if (failed(positions))
      return failure();
    resultDims.push_back(*positions);
  }
  // What lies in another tensor has that one's strides.
  SmallVector<SmallVector<AffineExpr>> within;
  for (ValueRange values : {inputs.getArrayRef(), ArrayRef(results)})
    for (Value value : values) {
      FailureOr<SmallVector<AffineExpr>> dims =
          findWithin(builder, value, sizes);
      if (failed(dims))
        return emitError(value.getLoc(),
                         "failed to find the sizes of what a value lies in");
      within.push_back(*dims);
    }
  for (Value size : sizes)
    if (!size.getType().isIndex())
      return emitError(group.ops.front()->getLoc(),
                       "expects kernels to read tensors and sizes, got ")
             << size.getType();

  SetVector<StringAttr> nodes;
  SmallVector<Location> locs;
  for (Operation *op : group.ops) {
    collectNodeNames(op->getLoc(), nodes);
    locs.push_back(op->getLoc());
  }
  Location loc = FusedLoc::get(context, locs);

  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToEnd(module.getBody());
  SmallVector<Attribute> types = llvm::map_to_vector(
      results, [](Value v) -> Attribute { return TypeAttr::get(v.getType()); });
  auto kernel = KernelOp::create(
      builder, loc, "kernel", /*sym_visibility=*/nullptr,
      builder.getArrayAttr(types), builder.getArrayAttr(inputDims),
      builder.getArrayAttr(resultDims));
  if (llvm::any_of(within, [](const auto &dims) { return !dims.empty(); }))
    kernel->setAttr(withinAttrName,
                    builder.getArrayAttr(llvm::map_to_vector(
                        within, [&](ArrayRef<AffineExpr> dims) -> Attribute {
                          if (dims.empty())
                            return builder.getUnitAttr();
                          return AffineMapAttr::get(
                              AffineMap::get(0, sizes.size(), dims, context));
                        })));
  Block *body = &kernel.getBody().emplaceBlock();
  IRMapping mapping;
  for (Value input : inputs)
    mapping.map(input, body->addArgument(input.getType(), loc));
  for (Value size : sizes)
    mapping.map(size, body->addArgument(size.getType(), loc));
  builder.setInsertionPointToStart(body);
  // Constants first: the other copied ops read nothing else.
  for (bool constants : {true, false})
    for (Operation *op : copied)
      if ((op->getNumOperands() == 0) == constants)
        copyFreeOp(builder, op, members, mapping);
  for (Operation *op : group.ops) {
    Operation *clone = builder.clone(*op, mapping);
    for (StringRef name : {groupAttrName, nodeAttrName, fusedAttrName,
                           movedAttrName, apartAttrName})
      clone->removeDiscardableAttr(name);
  }
  YieldOp::create(builder, loc, llvm::map_to_vector(results, [&](Value v) {
                    return mapping.lookup(v);
                  }));

  for (GridOp grid : llvm::make_early_inc_range(body->getOps<GridOp>()))
    expandGrid(grid);
  kernel->setAttr(costAttrName, AffineMapAttr::get(getKernelCost(kernel)));
  DictionaryAttr fusions =
      getFusions(kernel, group.ops, members, results, mapping);
  kernel = share(kernel, getHint(group));
  Operation *last = group.ops.back();
  builder.setInsertionPointAfter(last);
  auto launch = LaunchOp::create(
      builder, loc, ValueRange(results).getTypes(),
      FlatSymbolRefAttr::get(context, kernel.getSymName()),
      inputs.getArrayRef(), sizes.getArrayRef(),
      builder.getStrArrayAttr(llvm::map_to_vector(
          nodes, [](StringAttr name) { return name.getValue(); })));
  if (!fusions.empty())
    launch->setAttr(fusionsAttrName, fusions);
  SetVector<Attribute> apart;
  for (Operation *op : group.ops)
    if (auto reasons = op->getAttrOfType<ArrayAttr>(apartAttrName))
      apart.insert(reasons.begin(), reasons.end());
  if (!apart.empty())
    launch->setAttr(apartAttrName, builder.getArrayAttr(apart.getArrayRef()));
  for (auto [from, to] : llvm::zip_equal(results, launch.getResults()))
    from.replaceAllUsesWith(to);
  for (Operation *op : llvm::reverse(group.ops))
    op->erase();
  ++numLaunches;
  return success();
}

LogicalResult Outliner::run(Block &block) {
  llvm::MapVector<int64_t, Group> groups;
  for (Operation &op : block)
    if (auto id = op.getAttrOfType<IntegerAttr>(groupAttrName))
      groups[id.getInt()].ops.push_back(&op);
  if (groups.empty())
    return success();
  if (failed(order(block, groups)))
    return failure();
  // In program order, so that names follow it.
  SmallVector<Group *> sorted;
  for (auto &entry : groups) {
    llvm::sort(entry.second.ops, [](Operation *a, Operation *b) {
      return a->isBeforeInBlock(b);
    });
    sorted.push_back(&entry.second);
  }
  llvm::sort(sorted, [](Group *a, Group *b) {
    return a->ops.front()->isBeforeInBlock(b->ops.front());
  });
  for (Group *group : sorted)
    if (failed(outline(*group)))
      return failure();
  return success();
}

namespace {
struct OutlineKernels : public lathe::impl::OutlineKernelsBase<OutlineKernels> {
  using Base::Base;

  void runOnOperation() override {
    // One value is part of a kernel's code; a table is memory it reads.
    storeConstants(/*splats=*/false);
    Outliner outliner(getOperation());
    SmallVector<Block *> blocks;
    for (auto func : getOperation().getOps<FunctionOpInterface>())
      func.walk<WalkOrder::PreOrder>([&](Block *block) {
        // Not into the bodies of ops that are outlined themselves.
        if (!isComputeOp(block->getParentOp()) &&
            !isInsideComputeOp(block->getParentOp()))
          blocks.push_back(block);
      });
    for (Block *block : blocks)
      if (failed(outliner.run(*block)))
        return signalPassFailure();
    // What views, loops and branches still read.
    storeConstants(/*splats=*/true);
    numKernels = outliner.numKernels;
    numLaunches = outliner.numLaunches;
  }

  /// Turns constant tensors of programs into weights.
  void storeConstants(bool splats) {
    for (auto func : getOperation().getOps<FunctionOpInterface>())
      func.walk([&](arith::ConstantOp op) {
        auto table = dyn_cast<ElementsAttr>(op.getValue());
        if (!table || op->use_empty() || (!splats && table.isSplat()))
          return;
        OpBuilder builder(op);
        op.replaceAllUsesWith(WeightOp::create(builder, op.getLoc(),
                                               op.getType(), table,
                                               builder.getArrayAttr({}))
                                  .getResult());
      });
  }
};
} // namespace
