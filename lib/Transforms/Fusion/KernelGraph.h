// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The ops of a block as a graph whose nodes merge into kernels, and its
// topological order. Two kernels that wait for each other are a cycle.

#ifndef LATHE_LIB_TRANSFORMS_FUSION_KERNELGRAPH_H
#define LATHE_LIB_TRANSFORMS_FUSION_KERNELGRAPH_H

#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>

namespace lathe {

class KernelGraph {
public:
  /// Each op of `block` is a node of its own.
  explicit KernelGraph(mlir::Block &block);

  /// The position of an op in the block.
  unsigned getPosition(mlir::Operation *op) const {
    return positions.lookup(op);
  }

  /// An op, of neither node, that the node of `reader` waits for and that waits
  /// for `producer`, so that merging the two would close a cycle; null where
  /// nothing does. The node of `reader` must read `producer`, which must be a
  /// node of its own.
  mlir::Operation *findBetween(mlir::Operation *producer,
                               mlir::Operation *reader);

  /// Makes `producer` part of the node of `reader`; nothing may be between.
  void merge(mlir::Operation *producer, mlir::Operation *reader);

private:
  using Nodes = llvm::SmallVector<unsigned>;
  /// What `from` leads to before number `end`, in topological order. Stops at
  /// an op that leads to `target`, which it returns.
  std::optional<unsigned> findReachable(unsigned from, unsigned target,
                                        Nodes &reached);
  /// What leads to `to` after number `begin`, in topological order.
  Nodes findReaching(unsigned to, unsigned begin);
  void sortByNumber(Nodes &nodes) const;

  llvm::SmallVector<mlir::Operation *> ops;
  llvm::DenseMap<mlir::Operation *, unsigned> positions;
  /// Of ops, by position: the ops that read them, and that they read.
  llvm::SmallVector<Nodes> readers, producers;
  /// The node of an op is the position of one of its members.
  Nodes nodeOf;
  llvm::SmallVector<Nodes> members;
  /// Of nodes: their topological number.
  llvm::SmallVector<unsigned> numbers;
};

} // namespace lathe

#endif // LATHE_LIB_TRANSFORMS_FUSION_KERNELGRAPH_H
