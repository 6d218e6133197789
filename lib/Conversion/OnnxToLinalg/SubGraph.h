// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The sub-graphs of If, Loop and Scan while those are lowered.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_SUBGRAPH_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_SUBGRAPH_H

#include "Lowering.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"

namespace lathe {

/// What `annotate-shapes` wrote of operand (result) `i` of `op`; null where the
/// value has no known rank.
mlir::AffineMap getOperandSizes(mlir::Operation *op, unsigned i);
mlir::AffineMap getResultSizes(mlir::Operation *op, unsigned i);

inline bool areEqual(mlir::AffineMap a, mlir::AffineMap b) {
  return a && b && a.getResults() == b.getResults();
}

/// `value` in a type that says less or more of the same.
mlir::Value castTo(Lowering &l, mlir::Value value, mlir::Type type);

/// `value`, of type `type` in ONNX, as a value if it is a tensor.
mlir::Value makeValue(Lowering &l, mlir::Value value, mlir::Type type);

/// The beginning of `value`, which lies in memory of another size, as a tensor
/// of `dims`.
mlir::Value resize(Lowering &l, mlir::Value value, DimsRef dims);

class SubGraph {
public:
  SubGraph(Lowering &l, mlir::Region &region)
      : l(l), region(region), yield(region.front().getTerminator()) {}

  mlir::AffineMap getYieldSizes(unsigned i) {
    return getOperandSizes(yield, i);
  }
  mlir::AffineMap getArgumentSizes(unsigned i);
  /// Whether yielded value `i` is known to be true.
  bool yieldsTrue(unsigned i);
  bool yieldsArgument(unsigned i, unsigned argument) {
    return yield->getOperand(i) == region.getArgument(argument);
  }
  mlir::RankedTensorType getArgumentType(unsigned i) {
    return llvm::dyn_cast<mlir::RankedTensorType>(
        l.types.convertType(region.getArgument(i).getType()));
  }

  /// Whether argument `i` is no tensor of numbers.
  bool carriesValue(unsigned i) {
    return mlir::isa_and_present<ValueType>(
        l.types.convertType(region.getArgument(i).getType()));
  }

  /// Has the sub-graph begin with binding the size of dimension `dim` of
  /// argument `i`, a symbol, to an index that it gets after its arguments.
  void bindSize(unsigned i, unsigned dim);

  /// Lowers the sub-graph's ops and moves them to where the builder is; gives
  /// what they yield, and `sizes` as indices. What could not be lowered is
  /// reported at the end.
  llvm::SmallVector<mlir::Value>
  moveHere(mlir::ValueRange arguments, mlir::TypeRange types,
           llvm::ArrayRef<mlir::AffineExpr> sizes = {});

private:
  void convertArguments();

  Lowering &l;
  mlir::Region &region;
  mlir::Operation *yield;
  llvm::SmallVector<BindOp> binds;
  llvm::SmallVector<unsigned> resized; ///< Arguments with sizes that are bound.
};

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_SUBGRAPH_H
