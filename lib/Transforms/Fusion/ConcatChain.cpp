// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "ConcatChain.h"
#include "KernelGroup.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace lathe;

/// Whether `a + b` is `sum`, whatever the sizes.
static bool addUp(OpFoldResult a, OpFoldResult b, OpFoldResult sum,
                  MLIRContext *context) {
  AffineExpr difference = getAffineConstantExpr(0, context);
  SmallVector<Value> operands;
  for (auto [size, factor] : {std::pair(a, 1), {b, 1}, {sum, -1}}) {
    AffineExpr term;
    if (std::optional<int64_t> known = getConstantIntValue(size)) {
      term = getAffineConstantExpr(*known, context);
    } else {
      term = getAffineSymbolExpr(operands.size(), context);
      operands.push_back(cast<Value>(size));
    }
    difference = difference + term * factor;
  }
  AffineMap map = AffineMap::get(0, operands.size(), difference);
  affine::fullyComposeAffineMapAndOperands(&map, &operands);
  affine::canonicalizeMapAndOperands(&map, &operands);
  map = simplifyAffineMap(map);
  return map.isSingleConstant() && map.getSingleConstantResult() == 0;
}

/// Where `insert` is the last of slices that fill an empty tensor along one
/// axis, that chain.
static std::optional<ConcatChain> matchChain(tensor::InsertSliceOp last) {
  ConcatChain chain;
  for (tensor::InsertSliceOp insert = last; insert;
       insert = insert.getDest().getDefiningOp<tensor::InsertSliceOp>())
    chain.inserts.push_back(insert);
  std::reverse(chain.inserts.begin(), chain.inserts.end());
  chain.empty =
      chain.inserts.front().getDest().getDefiningOp<tensor::EmptyOp>();
  if (!chain.empty || chain.inserts.size() < 2)
    return std::nullopt;
  MLIRContext *context = last.getContext();
  OpFoldResult zero = IntegerAttr::get(IndexType::get(context), 0);
  SmallVector<OpFoldResult> whole = chain.empty.getMixedSizes();
  SmallVector<OpFoldResult> offsets = last.getMixedOffsets();
  auto *moved = llvm::find_if(
      offsets, [](OpFoldResult offset) { return !isZeroInteger(offset); });
  if (moved == offsets.end())
    return std::nullopt;
  chain.axis = moved - offsets.begin();
  // What is read of an empty tensor has been written, so other sizes than the
  // axis' are those of the slices; where constants say no, nothing reads it.
  auto mayBeEqual = [](OpFoldResult a, OpFoldResult b) {
    std::optional<int64_t> x = getConstantIntValue(a),
                           y = getConstantIntValue(b);
    return !x || !y || x == y;
  };
  OpFoldResult begin = zero, size = zero;
  for (tensor::InsertSliceOp insert : chain.inserts) {
    if (insert->getBlock() != last->getBlock() || !insert.hasUnitStride() ||
        insert.getSourceType().getRank() != insert.getType().getRank() ||
        !addUp(begin, size, insert.getMixedOffsets()[chain.axis], context))
      return std::nullopt;
    begin = insert.getMixedOffsets()[chain.axis];
    size = insert.getMixedSizes()[chain.axis];
    for (int64_t d = 0, e = whole.size(); d != e; ++d)
      if (d != chain.axis && (!isZeroInteger(insert.getMixedOffsets()[d]) ||
                              !mayBeEqual(insert.getMixedSizes()[d], whole[d])))
        return std::nullopt;
    chain.parts.push_back(insert.getSource());
  }
  std::optional<int64_t> first = getConstantIntValue(begin),
                         count = getConstantIntValue(size),
                         all = getConstantIntValue(whole[chain.axis]);
  if (first && count && all && *first + *count != *all)
    return std::nullopt;
  return chain;
}

/// Takes the parts of chains of the same node that only `chain` reads: long
/// concatenations are put together in steps.
static void absorbSteps(ConcatChain &chain,
                        const DenseMap<Value, ConcatChain *> &known) {
  SmallVector<Value> parts;
  for (Value part : chain.parts) {
    ConcatChain *step = known.lookup(part);
    if (!step || !part.hasOneUse() || step->axis != chain.axis ||
        !getNode(step->getOp()) ||
        getNode(step->getOp()) != getNode(chain.getOp())) {
      parts.push_back(part);
      continue;
    }
    llvm::append_range(parts, step->parts);
    step->isAbsorbed = true;
  }
  chain.parts = std::move(parts);
}

/// Whether `slices` begin with what `run` puts together.
static bool beginsWith(ArrayRef<Value> slices, ArrayRef<Value> run) {
  return run.size() <= slices.size() && slices.take_front(run.size()) == run;
}

SmallVector<ConcatChain> lathe::findConcatChains(Block &block) {
  SmallVector<ConcatChain> chains;
  for (auto insert : block.getOps<tensor::InsertSliceOp>()) {
    bool isLast = llvm::any_of(insert->getUses(), [](OpOperand &use) {
      auto next = dyn_cast<tensor::InsertSliceOp>(use.getOwner());
      return !next || use != next.getDestMutable();
    });
    if (!isLast)
      continue;
    if (std::optional<ConcatChain> chain = matchChain(insert))
      chains.push_back(std::move(*chain));
  }
  DenseMap<Value, ConcatChain *> byResult;
  for (ConcatChain &chain : chains) {
    absorbSteps(chain, byResult);
    byResult[chain.getResult()] = &chain;
  }
  // Runs of parts that are chains themselves, the longest first.
  SmallVector<SmallVector<Value>> slices = llvm::map_to_vector(
      chains, [](const ConcatChain &chain) { return chain.parts; });
  DenseMap<Value, SmallVector<unsigned>> byFirst;
  for (auto [i, chain] : llvm::enumerate(chains)) {
    if (chain.isAbsorbed)
      continue;
    SmallVector<Value> parts;
    for (ArrayRef<Value> rest = slices[i]; !rest.empty();) {
      std::optional<unsigned> longest;
      auto starting = byFirst.find(rest.front());
      if (starting != byFirst.end())
        for (unsigned other : starting->second)
          if (chains[other].axis == chain.axis &&
              beginsWith(rest, slices[other]) &&
              (!longest || slices[other].size() > slices[*longest].size()))
            longest = other;
      parts.push_back(longest ? chains[*longest].getResult() : rest.front());
      rest = rest.drop_front(longest ? slices[*longest].size() : 1);
    }
    chain.parts = std::move(parts);
    byFirst[slices[i].front()].push_back(i);
  }
  return chains;
}

void ConcatChain::eraseUnused() {
  for (tensor::InsertSliceOp insert : llvm::reverse(inserts)) {
    if (!insert->use_empty())
      return;
    insert->erase();
  }
}
