// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Computes the bodies of a nest's stages for a block of points.

#ifndef LATHE_LIB_TARGET_CPU_NESTBODY_H
#define LATHE_LIB_TARGET_CPU_NESTBODY_H

#include "Nest.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include <map>
#include <vector>

namespace lathe::cpu {

/// Where a point of a block lies: per dimension of the nest, its number within
/// the block (for the vector dimension, the number of the vector).
using Coords = std::vector<unsigned>;

/// A block of points, and the values of loop variables it is computed at.
struct BlockState {
  /// Per dimension of the nest, the index of the block's first point.
  llvm::SmallVector<mlir::Value> base;
  /// Points (vectors, along the vector dimension) per dimension.
  Coords factors;
  /// Whether the block has as many rows as there are left, where its rows are
  /// those of matrices.
  bool partial = false;
  /// Whether lanes past `vectorEnd` exist and must not be touched.
  bool masked = false;
  /// End of the vector dimension, where masked.
  mlir::Value vectorEnd;
};

/// Emits code for the values in the bodies of stages. Every value is computed
/// once per combination of the dimensions that it depends on. One evaluator
/// serves one place in the code: a loop body has its own.
class BodyEvaluator {
public:
  BodyEvaluator(mlir::OpBuilder &builder, Nest &nest, const NestPlan &plan,
                const BlockState &block)
      : builder(builder), nest(nest), plan(plan), block(block) {}

  /// Sets the running value of output `i` of the first stage at `coords`.
  void setRunning(unsigned i, const Coords &coords, mlir::Value value);
  /// Sets the result `i` of stage `s` at `coords`.
  void setResult(unsigned s, unsigned i, const Coords &coords,
                 mlir::Value value);

  /// The value that stage `s` yields for output `i` at `coords`: a vector where
  /// it depends on the lanes, else a scalar.
  mlir::Value evaluateResult(unsigned s, unsigned i, const Coords &coords);
  /// The value in the body of stage `s` at `coords`.
  mlir::Value evaluate(unsigned s, mlir::Value value, const Coords &coords);
  /// The running value of the first stage at `coords` and the products of one
  /// step.
  mlir::Value evaluateDot(const DotProduct &dot, const Coords &coords);
  /// `sum` and the products of one step of the right operand with 128.
  mlir::Value addColumns(const DotProduct &dot, mlir::Value sum,
                         const Coords &coords);
  /// The address of what the first stage reads of `operand` at `coords`; of
  /// the whole group, where it is packed in groups.
  mlir::Value getAddress(mlir::OpOperand &operand, const Coords &coords);
  /// Loads what output `i` of stage `s` holds at `coords`.
  mlir::Value loadOutput(unsigned s, unsigned i, const Coords &coords);
  /// Stores to output `i` of stage `s` at `coords`.
  void store(unsigned s, unsigned i, const Coords &coords, mlir::Value value);

  /// Asks for the vector that stage `s` reads of `operand` at `coords`, where
  /// its lanes lie together, or for what lies `offset` elements behind it.
  void prefetch(unsigned s, mlir::OpOperand &operand, const Coords &coords,
                mlir::Value offset = {});
  /// Dimensions of the nest, as bits, that `operand` of stage `s` depends on.
  uint64_t getOperandDims(unsigned s, mlir::OpOperand &operand);

  /// The mask of the vector at `coords`, or null where all lanes are live.
  mlir::Value getMask(const Coords &coords);
  /// `value` as a vector.
  mlir::Value broadcast(mlir::Value value);
  /// Dimensions of the nest, as bits, that output `i` of stage `s` depends on.
  uint64_t getOutputDims(unsigned s, unsigned i);
  /// `coords` with what is not in `dims` set to zero.
  static Coords project(const Coords &coords, uint64_t dims);

  /// The type that values of `type` are computed in: 16-bit floats are storage.
  static mlir::Type getComputeType(mlir::Type type);

private:
  uint64_t getDims(unsigned s, mlir::Value value);
  bool dependsOnLanes(uint64_t dims) const {
    return plan.vectorDim >= 0 && (dims >> plan.vectorDim & 1);
  }
  mlir::Value load(unsigned s, mlir::OpOperand &operand, const Coords &coords);
  /// The buffer to read for `operand`: the source of a padded operand, with
  /// `indices` moved to match.
  mlir::Value skipPadding(unsigned s, mlir::OpOperand &operand,
                          llvm::SmallVectorImpl<mlir::Value> &indices);
  mlir::Value loadLeftGroup(const DotProduct &dot, const Coords &coords);
  mlir::Value loadRightGroup(const DotProduct &dot, const Coords &coords);
  mlir::Value addProducts(const DotProduct &dot, mlir::Value sum,
                          mlir::Value left, mlir::Value right);
  /// The rows of `operand` at the block along `row`, turned: the vector at
  /// `coords` has one element of each.
  mlir::Value loadTurned(unsigned s, mlir::OpOperand &operand, unsigned row,
                         const Coords &coords);
  /// The vector at `coords` of an operand that runs of lanes share.
  mlir::Value loadSpread(unsigned s, mlir::OpOperand &operand,
                         const SpreadAccess &spread, const Coords &coords);
  /// The same, an element per run; `runs` has the number of each lane's.
  mlir::Value loadRuns(unsigned s, mlir::OpOperand &operand,
                       const Coords &coords, llvm::ArrayRef<int64_t> runs);
  /// The same by one vector of all that the runs could read at any value of the
  /// innermost index, or null where that is more.
  mlir::Value loadWholeRuns(unsigned s, mlir::OpOperand &operand,
                            const SpreadAccess &spread,
                            llvm::ArrayRef<mlir::Value> indices,
                            llvm::ArrayRef<int64_t> runs);
  /// A vector, `count` lanes of which are read.
  mlir::Value loadFirst(mlir::Value buffer, llvm::ArrayRef<mlir::Value> indices,
                        int64_t count, mlir::Location loc);
  mlir::Value loadLane(unsigned s, mlir::OpOperand &operand,
                       const Coords &coords, unsigned lane);
  mlir::Value evaluateOp(unsigned s, mlir::Operation *op, const Coords &coords);
  /// What a load in a body reads at `indices`; with `live`, zeros where that
  /// does not hold, or null where that takes more than a mask.
  mlir::Value evaluateGather(unsigned s, mlir::memref::LoadOp op,
                             mlir::ValueRange indices, const Coords &coords,
                             mlir::Value live = {});
  /// A choice between what is read and something else, of which each lane has
  /// its own, by a mask; or null where that takes more.
  mlir::Value evaluateGuarded(unsigned s, mlir::arith::SelectOp op,
                              const Coords &coords);
  /// A choice that is the same for all lanes and needs no selection, or null.
  mlir::Value evaluateSelect(unsigned s, mlir::arith::SelectOp op,
                             const Coords &coords);
  /// The value of an index `d mod w` of a point of a block, if all blocks have
  /// the same.
  std::optional<int64_t> getRemainder(unsigned s, mlir::Operation *op,
                                      const Coords &coords);
  /// The value at one lane, as a scalar.
  mlir::Value evaluateLane(unsigned s, mlir::Value value, const Coords &coords,
                           unsigned lane);
  bool growsWithLanes(unsigned s, mlir::Value value);
  mlir::Value promote(mlir::Value value);
  mlir::Value demote(mlir::Value value, mlir::Type storage);
  mlir::Value toMemoryBuffer(mlir::Value buffer);
  /// Index of dimension `dim` (of the nest) at `coords` and `lane`.
  mlir::Value getIndex(unsigned dim, const Coords &coords, unsigned lane = 0,
                       bool clamp = false);
  llvm::SmallVector<mlir::Value> getIndices(unsigned s, mlir::AffineMap map,
                                            const Coords &coords,
                                            unsigned lane = 0,
                                            bool clamp = false);
  mlir::Type vectorOf(mlir::Type type);

  mlir::OpBuilder &builder;
  Nest &nest;
  const NestPlan &plan;
  const BlockState &block;
  using Key = std::pair<const void *, Coords>;
  std::map<Key, mlir::Value> values;
  std::map<std::pair<unsigned, Coords>, mlir::Value> running;
  std::map<std::pair<std::pair<unsigned, unsigned>, Coords>, mlir::Value>
      results;
  /// Columns of squares, by operand and by the coordinates of the first.
  std::map<Key, llvm::SmallVector<mlir::Value>> squares;
  std::map<unsigned, mlir::Value> masks;
  llvm::DenseMap<mlir::Value, uint64_t> dimsOf;
  llvm::DenseMap<mlir::Value, mlir::Value> memoryBuffers;
  /// Words of bytes, as even and odd ones.
  llvm::DenseMap<mlir::Value, std::pair<mlir::Value, mlir::Value>> splits;
};

} // namespace lathe::cpu

#endif // LATHE_LIB_TARGET_CPU_NESTBODY_H
