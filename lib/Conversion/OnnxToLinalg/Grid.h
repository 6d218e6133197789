// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lowerings that are written as code for each point of a grid: what sorts,
// walks trees, scatters, or loops as long as the data say. The code is scalar
// and reads tensors at computed places; what it writes are its own parts of the
// results.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_GRID_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_GRID_H

#include "Indexing.h"

namespace lathe {

/// A result of a grid: its sizes, and per dimension the loop of the grid that
/// cuts it into parts of size one, or -1 where each point has it whole.
struct GridResult {
  Dims dims;
  mlir::Type storage;
  llvm::SmallVector<int64_t> loops;
};

/// Code in the body of a grid. Emits at the insertion point of `b`.
struct Code : IndexMath {
  using Values = llvm::SmallVector<mlir::Value>;
  using LoopBody =
      llvm::function_ref<Values(const Code &, mlir::Value, mlir::ValueRange)>;
  using Body = llvm::function_ref<Values(const Code &, mlir::ValueRange)>;

  Code(mlir::ImplicitLocOpBuilder &b) : IndexMath{b} {}

  /// for (i = from; i < to; ++i) carried = body(i, carried)
  Values loop(mlir::Value from, mlir::Value to, mlir::ValueRange carried,
              LoopBody body) const;
  using IndexMath::loop;
  /// while (condition(carried)) carried = body(carried)
  Values repeat(
      mlir::ValueRange carried,
      llvm::function_ref<mlir::Value(const Code &, mlir::ValueRange)> condition,
      Body body) const;
  /// condition ? yes() : no(), where only one of them runs.
  Values branch(mlir::Value condition,
                llvm::function_ref<Values(const Code &)> yes,
                llvm::function_ref<Values(const Code &)> no) const;

  /// `tensor` with `value`, of its storage type, at `at`.
  mlir::Value write(mlir::Value value, mlir::Value tensor,
                    mlir::ValueRange at) const;
  /// An element of `tensor` as it is stored.
  mlir::Value readRaw(mlir::Value tensor, mlir::ValueRange at) const;
  /// Memory of the point's own: of `sizes`, undefined.
  mlir::Value scratch(DimsRef sizes, mlir::Type storage) const;
};

/// Runs `body` for each point of the grid `extents`: it gets the point and the
/// parts of the results, and gives the parts written.
llvm::SmallVector<mlir::Value>
makeGrid(Lowering &l, DimsRef extents, llvm::ArrayRef<GridResult> results,
         llvm::function_ref<Code::Values(const Code &, mlir::ValueRange,
                                         mlir::ValueRange)>
             body);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_GRID_H
