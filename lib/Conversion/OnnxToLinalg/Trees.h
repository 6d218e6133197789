// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decision trees in one form, whatever operator they come from.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_TREES_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_TREES_H

#include "Lowering.h"
#include "lathe/Dialect/Onnx/IR/MlModel.h"

namespace lathe {

/// How a node compares its feature with its number; the numbers are those of
/// `nodes_modes` of TreeEnsemble.
enum class TreeMode : int8_t { LE, LT, GE, GT, EQ, NE, Member };

/// The inner nodes of trees, and their leaves. A child is the number of a node
/// or, where it is negative, `~leaf`.
struct Trees {
  struct Node {
    int64_t feature = 0, yes = 0, no = 0;
    TreeMode mode = TreeMode::LE;
    double split = 0;
    /// Whether NaN goes the way of `yes`.
    bool missing = false;
    /// The members among `members`, of a membership test.
    int64_t firstMember = 0, endMember = 0;
  };
  struct Weight {
    int64_t target;
    double value;
  };
  llvm::SmallVector<Node> nodes;
  llvm::SmallVector<double> members;
  llvm::SmallVector<int64_t> roots;
  llvm::SmallVector<llvm::SmallVector<Weight, 1>> leaves;
  /// Added to each target; empty for none.
  llvm::SmallVector<double> base;
};

/// Reads the attributes of an op for `numTargets` targets (or classes) and
/// `numFeatures` features (any number where negative). What contradicts itself
/// (lists of unequal lengths, numbers out of range, nodes in a circle) is an
/// error.
mlir::FailureOr<Trees> readTrees(onnx::MlTreeEnsembleOp op, Lowering &l,
                                 int64_t numTargets, int64_t numFeatures);
mlir::FailureOr<Trees> readTrees(onnx::MlTreeEnsembleRegressorOp op,
                                 Lowering &l, int64_t numTargets,
                                 int64_t numFeatures);
mlir::FailureOr<Trees> readTrees(onnx::MlTreeEnsembleClassifierOp op,
                                 Lowering &l, int64_t numTargets,
                                 int64_t numFeatures);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_TREES_H
