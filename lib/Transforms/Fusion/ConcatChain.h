// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Concatenations as level 3 first has them: slices inserted one after the
// other.

#ifndef LATHE_LIB_TRANSFORMS_FUSION_CONCATCHAIN_H
#define LATHE_LIB_TRANSFORMS_FUSION_CONCATCHAIN_H

#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SmallVector.h"

namespace lathe {

/// Slices that fill an empty tensor along `axis`.
struct ConcatChain {
  llvm::SmallVector<mlir::tensor::InsertSliceOp> inserts;
  mlir::tensor::EmptyOp empty;
  int64_t axis = 0;
  /// What is put together: the slices, or other chains that are runs of them.
  llvm::SmallVector<mlir::Value> parts;
  /// Whether a chain of the same node has taken its parts.
  bool isAbsorbed = false;

  mlir::Operation *getOp() const { return inserts.back(); }
  mlir::Value getResult() const { return getOp()->getResult(0); }
  mlir::RankedTensorType getType() const {
    return mlir::cast<mlir::RankedTensorType>(getResult().getType());
  }
  /// The dynamic sizes.
  mlir::ValueRange getDims() const { return empty->getOperands(); }
  /// Erases what nobody reads any more.
  void eraseUnused();
};

/// The chains of `block`, in program order.
llvm::SmallVector<ConcatChain> findConcatChains(mlir::Block &block);

} // namespace lathe

#endif // LATHE_LIB_TRANSFORMS_FUSION_CONCATCHAIN_H
