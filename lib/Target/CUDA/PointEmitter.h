// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Emits what the body of a structured op computes at one point, as scalars.
// Floats of 16 bits and less are storage: they are computed with as f32.

#ifndef LATHE_LIB_TARGET_CUDA_POINTEMITTER_H
#define LATHE_LIB_TARGET_CUDA_POINTEMITTER_H

#include "Nest.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"

namespace lathe::cuda {

/// The type that values of `type` are computed in.
mlir::Type getComputeType(mlir::Type type);

/// Conversions between storage and computation.
mlir::Value promote(mlir::OpBuilder &builder, mlir::Location loc,
                    mlir::Value value);
mlir::Value demote(mlir::OpBuilder &builder, mlir::Location loc,
                   mlir::Value value, mlir::Type storage);

/// Evaluates the body of one op at one point. Every value is emitted once, so
/// an emitter serves one place in the code.
class PointEmitter {
public:
  PointEmitter(mlir::OpBuilder &builder, mlir::linalg::LinalgOp op,
               llvm::ArrayRef<mlir::Value> indices)
      : builder(builder), op(op), indices(indices) {}

  /// Gives a value of the body that need not be computed: a running value, or
  /// an input that is known. Both are in their compute type.
  void bind(mlir::Value inBody, mlir::Value known) {
    mapping.map(inBody, known);
  }
  /// A value in the body, in its compute type.
  mlir::Value evaluate(mlir::Value inBody);
  /// What the body yields for output `i`.
  mlir::Value evaluateYield(unsigned i);
  /// What is in the buffer of an operand, at the point.
  mlir::Value load(mlir::OpOperand &operand);
  /// Stores to output `i`.
  void store(unsigned i, mlir::Value value);

private:
  mlir::Value evaluateOp(mlir::Operation *inner, unsigned result);
  mlir::Value evaluateRegions(mlir::Operation *inner, unsigned result);

  mlir::OpBuilder &builder;
  mlir::linalg::LinalgOp op;
  llvm::SmallVector<mlir::Value> indices;
  mlir::IRMapping mapping;
};

} // namespace lathe::cuda

#endif // LATHE_LIB_TARGET_CUDA_POINTEMITTER_H
