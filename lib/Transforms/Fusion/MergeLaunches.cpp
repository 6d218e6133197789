// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Horizontal fusion: launches that do not wait for each other, and that do not
// fill the device one by one, become one. A launch moves up to an earlier one
// if all that it reads can be there; what reads it stays behind both.

#include "MergeKernels.h"

#include "lathe/Transforms/Fusion/Passes.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include <limits>
#include <map>

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_MERGELAUNCHES
#include "lathe/Transforms/Fusion/Passes.h.inc"
} // namespace lathe

using namespace lathe;

/// A size that is not known, for an estimate.
static constexpr int64_t unknownSize = 64;
/// Launches with which a later one is compared: programs are long.
static constexpr size_t maxOpen = 64;

namespace {
/// Launches that follow each other and become one.
struct Family {
  SmallVector<LaunchOp> members;
  SmallVector<KernelOp> kernels;
  int64_t parameters = 0, bytes = 0, ops = 0;
};

struct MergeLaunches : public lathe::impl::MergeLaunchesBase<MergeLaunches> {
  using Base::Base;

  void runOnOperation() override;

private:
  void run(Block &block);
  std::optional<Family> begin(LaunchOp launch);
  bool tryJoin(Family &family, const Family &other);
  void merge(Family &family);
  /// Says why two launches stay apart.
  bool refuse(StringRef why) {
    refusal = why;
    return false;
  }
  void explain(LaunchOp launch, LaunchOp other);

  std::optional<SymbolTable> symbols;
  StringRef refusal;
  /// What equal sequences of kernels became.
  llvm::MapVector<Attribute, KernelOp> known;
};
} // namespace

static int64_t estimateTiles(KernelOp kernel) {
  AffineMap grid =
      kernel->getAttrOfType<AffineMapAttr>(gridAttrName).getValue();
  SmallVector<AffineExpr> sizes(
      grid.getNumSymbols(),
      getAffineConstantExpr(unknownSize, kernel.getContext()));
  AffineExpr tiles =
      simplifyAffineExpr(grid.getResult(0).replaceSymbols(sizes), 0, 0);
  auto known = dyn_cast<AffineConstantExpr>(tiles);
  return known ? known.getValue() : std::numeric_limits<int64_t>::max();
}

/// A family of one, or nothing, with the reason in `refusal`.
std::optional<Family> MergeLaunches::begin(LaunchOp launch) {
  auto kernel = symbols->lookup<KernelOp>(launch.getKernel());
  if (auto obstacle = getMergeObstacle(kernel)) {
    refusal = *obstacle;
    return std::nullopt;
  }
  if (estimateTiles(kernel) >= maxTiles) {
    refusal = "its tiles fill the device";
    return std::nullopt;
  }
  Family family;
  family.members.push_back(launch);
  family.kernels.push_back(kernel);
  family.parameters = kernel.getBlock().getNumArguments();
  family.bytes = getSharedBytes(kernel);
  kernel.walk([&](Operation *) { ++family.ops; });
  return family;
}

/// The ops that have to move to `anchor` for `value` to be there, operands
/// first; whether they can.
static bool collectMoves(Value value, Operation *anchor,
                         SetVector<Operation *> &moves) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != anchor->getBlock() ||
      op->isBeforeInBlock(anchor) || moves.contains(op))
    return true;
  if (op == anchor || isa<LaunchOp>(op) || !isPure(op) ||
      op->getNumRegions() != 0)
    return false;
  for (Value operand : op->getOperands())
    if (!collectMoves(operand, anchor, moves))
      return false;
  moves.insert(op);
  return true;
}

bool MergeLaunches::tryJoin(Family &family, const Family &other) {
  LaunchOp launch = other.members.front();
  if (family.parameters + other.parameters > maxParameters)
    return refuse("the kernel has as many tensors and sizes as it can");
  if (family.bytes + other.bytes > maxSharedBytes)
    return refuse("the kernel has as much shared memory as it can");
  if (family.ops + other.ops > maxOps)
    return refuse("the kernel has as many ops as are compiled together");
  SetVector<Operation *> moves;
  Operation *anchor = family.members.front();
  for (Value operand : launch->getOperands())
    if (!collectMoves(operand, anchor, moves))
      return refuse("one of them waits for the other, or for something "
                    "between them");
  for (Operation *op : moves)
    op->moveBefore(anchor);
  launch->moveAfter(family.members.back());
  family.members.push_back(launch);
  family.kernels.push_back(other.kernels.front());
  family.parameters += other.parameters;
  family.bytes += other.bytes;
  family.ops += other.ops;
  return true;
}

static StringRef getLabel(LaunchOp launch) {
  auto nodes = launch.getNodesAttr();
  return nodes && !nodes.empty() ? cast<StringAttr>(nodes[0]).getValue()
                                 : launch.getKernel();
}

void MergeLaunches::explain(LaunchOp launch, LaunchOp other) {
  Builder builder(&getContext());
  SmallVector<Attribute> reasons;
  if (auto known = launch->getAttrOfType<ArrayAttr>(apartAttrName))
    llvm::append_range(reasons, known);
  reasons.push_back(builder.getStringAttr("'" + getLabel(other) + "' and '" +
                                          getLabel(launch) + "': " + refusal));
  launch->setAttr(apartAttrName, builder.getArrayAttr(reasons));
}

/// What fusion saved in each member, over the sizes of all.
static DictionaryAttr addFusions(ArrayRef<LaunchOp> members) {
  MLIRContext *context = members.front()->getContext();
  std::map<std::string, std::pair<AffineExpr, AffineExpr>> sums;
  AffineExpr zero = getAffineConstantExpr(0, context);
  sums[horizontalFusion.str()] = {
      getAffineConstantExpr(members.size() - 1, context), zero};
  unsigned first = 0;
  for (LaunchOp launch : members) {
    if (auto fusions = launch->getAttrOfType<DictionaryAttr>(fusionsAttrName))
      for (NamedAttribute entry : fusions) {
        AffineMap map = cast<AffineMapAttr>(entry.getValue()).getValue();
        auto [sum, fresh] = sums.try_emplace(entry.getName().str(), zero, zero);
        sum->second.first = sum->second.first + map.getResult(0);
        sum->second.second =
            sum->second.second +
            map.getResult(1).shiftSymbols(map.getNumSymbols(), first);
      }
    first += launch.getSizes().size();
  }
  SmallVector<NamedAttribute> entries;
  for (auto &[kind, sum] : sums)
    entries.emplace_back(StringAttr::get(context, kind),
                         AffineMapAttr::get(AffineMap::get(
                             0, first, {sum.first, sum.second}, context)));
  return DictionaryAttr::get(context, entries);
}

void MergeLaunches::merge(Family &family) {
  OpBuilder builder(&getContext());
  SmallVector<Attribute> names;
  SmallVector<Value> inputs, sizes;
  SmallVector<Type> types;
  SetVector<Attribute> nodes, apart;
  SmallVector<Location> locs;
  for (LaunchOp launch : family.members) {
    names.push_back(launch.getKernelAttr());
    llvm::append_range(inputs, launch.getInputs());
    llvm::append_range(sizes, launch.getSizes());
    llvm::append_range(types, launch.getResultTypes());
    if (ArrayAttr own = launch.getNodesAttr())
      nodes.insert(own.begin(), own.end());
    if (auto own = launch->getAttrOfType<ArrayAttr>(apartAttrName))
      apart.insert(own.begin(), own.end());
    locs.push_back(launch.getLoc());
  }
  KernelOp &kernel = known[builder.getArrayAttr(names)];
  if (!kernel) {
    builder.setInsertionPoint(family.kernels.front());
    kernel = mergeKernels(
        builder, family.kernels,
        (family.kernels.front().getSymName() + "_and_others").str());
    // A name that is taken gets a number.
    symbols->insert(kernel);
  }
  LaunchOp last = family.members.back();
  builder.setInsertionPointAfter(last);
  auto made = LaunchOp::create(
      builder, FusedLoc::get(&getContext(), locs), types,
      FlatSymbolRefAttr::get(&getContext(), kernel.getSymName()), inputs, sizes,
      builder.getArrayAttr(nodes.getArrayRef()));
  made->setAttr(fusionsAttrName, addFusions(family.members));
  if (!apart.empty())
    made->setAttr(apartAttrName, builder.getArrayAttr(apart.getArrayRef()));
  unsigned next = 0;
  for (LaunchOp launch : family.members) {
    for (Value result : launch.getResults())
      result.replaceAllUsesWith(made.getResult(next++));
    launch.erase();
  }
  numMerged += family.members.size() - 1;
}

void MergeLaunches::run(Block &block) {
  SmallVector<Family> families;
  size_t firstOpen = 0;
  for (Operation &op : llvm::make_early_inc_range(block)) {
    auto launch = dyn_cast<LaunchOp>(op);
    if (!launch) {
      // Launches stay behind checks, and on their side of control flow.
      if (!isPure(&op) || op.getNumRegions() != 0)
        firstOpen = families.size();
      continue;
    }
    std::optional<Family> own = begin(launch);
    if (!own)
      continue;
    size_t first = std::max(firstOpen, families.size() < maxOpen
                                           ? size_t(0)
                                           : families.size() - maxOpen);
    bool joins = false;
    for (size_t i = first; i < families.size() && !joins; ++i) {
      joins = tryJoin(families[i], *own);
      bool shares = llvm::any_of(
          families[i].members.front().getInputs(), [&](Value input) {
            return llvm::is_contained(launch.getInputs(), input);
          });
      if (!joins && shares && explains)
        explain(launch, families[i].members.front());
    }
    if (!joins)
      families.push_back(std::move(*own));
  }
  for (Family &family : families)
    if (family.members.size() > 1)
      merge(family);
}

void MergeLaunches::runOnOperation() {
  ModuleOp module = getOperation();
  symbols.emplace(module);
  SmallVector<Block *> blocks;
  for (auto func : module.getOps<FunctionOpInterface>())
    func.walk([&](Block *block) { blocks.push_back(block); });
  for (Block *block : blocks)
    run(*block);
  // Kernels that nothing launches any more.
  DenseSet<StringAttr> launched;
  module.walk([&](LaunchOp launch) {
    launched.insert(launch.getKernelAttr().getAttr());
  });
  for (auto &[names, kernel] : known)
    for (Attribute name : cast<ArrayAttr>(names)) {
      StringAttr symbol = cast<FlatSymbolRefAttr>(name).getAttr();
      if (!launched.contains(symbol))
        if (Operation *unused = symbols->lookup(symbol))
          symbols->erase(unused);
    }
}
