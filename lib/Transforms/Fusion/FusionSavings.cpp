// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "FusionSavings.h"

#include "lathe/Transforms/Fusion/ConcatParts.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"

#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace lathe;

DictionaryAttr lathe::getFusions(KernelOp kernel, ArrayRef<Operation *> ops,
                                 const DenseSet<Operation *> &members,
                                 ArrayRef<Value> results,
                                 const IRMapping &mapping) {
  MLIRContext *context = kernel.getContext();
  AffineExpr zero = getAffineConstantExpr(0, context);
  llvm::MapVector<StringAttr, std::pair<int64_t, AffineExpr>> kinds;
  for (auto [result, made] : llvm::zip_equal(
           results, kernel.getBlock().getTerminator()->getOperands()))
    if (unsigned copies = countSavedCopies(result)) {
      auto &[count, bytes] =
          kinds.insert({StringAttr::get(context, concatFusion), {0, zero}})
              .first->second;
      ++count;
      if (std::optional<AffineExpr> size = getKernelBytes(kernel, made))
        bytes = bytes + *size * (2 * copies);
    }
  for (Operation *op : ops) {
    if (auto moved = op->getAttrOfType<DenseI64ArrayAttr>(movedAttrName)) {
      auto &[count, bytes] =
          kinds.insert({StringAttr::get(context, moveFusion), {0, zero}})
              .first->second;
      count += moved.size();
      for (int64_t operand : moved.asArrayRef())
        if (std::optional<AffineExpr> size =
                getKernelBytes(kernel, mapping.lookup(op->getOperand(operand))))
          bytes = bytes + *size * 2;
    }
    auto kind = op->getAttrOfType<StringAttr>(fusedAttrName);
    if (!kind)
      continue;
    auto &[count, bytes] = kinds.insert({kind, {0, zero}}).first->second;
    ++count;
    for (Value result : op->getResults()) {
      llvm::SmallDenseSet<Attribute> readers;
      for (Operation *user : result.getUsers())
        if (members.contains(user) &&
            user->getAttr(nodeAttrName) != op->getAttr(nodeAttrName))
          readers.insert(user->getAttr(nodeAttrName));
      int64_t moves = readers.size() + !llvm::is_contained(results, result);
      if (std::optional<AffineExpr> size =
              getKernelBytes(kernel, mapping.lookup(result)))
        bytes = bytes + *size * moves;
    }
  }
  SmallVector<NamedAttribute> entries;
  for (auto &[kind, saved] : kinds)
    entries.push_back(
        {kind, AffineMapAttr::get(AffineMap::get(
                   0, kernel.getSizes().size(),
                   {getAffineConstantExpr(saved.first, context), saved.second},
                   context))});
  return DictionaryAttr::get(context, entries);
}
