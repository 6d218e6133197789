// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes of results that follow from operands which are known only when the
// program runs: a kernel of one point computes them, the program reads and
// binds them. Each function does nothing where the sizes are known, and is to
// be called before `resultDims`. Operands that contradict each other make a
// size of -1, which ends the program with an error that names the node.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_RUNTIMESIZES_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_RUNTIMESIZES_H

#include "Grid.h"

namespace lathe {

/// Computes `count` numbers, index values in the code, when the program runs:
/// i64 [count].
mlir::Value computeNumbers(Lowering &l, int64_t count,
                           llvm::function_ref<Code::Values(const Code &)> body);

/// Binds the dimensions of result `i` to the numbers that `body` gives, each at
/// most that of `max` if there are any.
void bindDims(Lowering &l, unsigned i,
              llvm::function_ref<Code::Values(const Code &)> body,
              DimsRef max = {});

/// Element `at` of integer operand `i`, as an index.
mlir::Value readOperand(Lowering &l, const Code &c, unsigned i, int64_t at);

/// Whether axis operand `i` names dimension `dim` of `rank`; `count` is its
/// number of elements.
mlir::Value namesAxis(Lowering &l, const Code &c, unsigned i, int64_t count,
                      int64_t dim, int64_t rank);

llvm::LogicalResult bindReshape(Lowering &l, bool allowZero);
llvm::LogicalResult bindSqueeze(Lowering &l);
llvm::LogicalResult bindUnsqueeze(Lowering &l);
/// Of operand 0 reduced along the axes in operand 1.
llvm::LogicalResult bindReduced(Lowering &l, bool keepDims);
llvm::LogicalResult bindExpand(Lowering &l);
llvm::LogicalResult bindConstantOfShape(Lowering &l);
llvm::LogicalResult bindTile(Lowering &l);
void bindOneHot(Lowering &l, int64_t axis);
void bindTopK(Lowering &l, int64_t axis);
void bindRange(Lowering &l);
llvm::LogicalResult bindSplit(Lowering &l, int64_t axis);

/// One dimension of a slice: where it starts and how far its steps are.
struct SliceRange {
  mlir::Value start, step, size;
};
/// The slice of dimension `dim`, of `size` elements, by starts, ends, axes and
/// steps as Slice's operands 1 to 4 hold them, `count` of each.
SliceRange getSliceRange(Lowering &l, const IndexMath &m, int64_t dim,
                         mlir::Value size, int64_t count);
void bindSlice(Lowering &l, int64_t count);

/// How much Pad's operands 1 and 3 say to add before and after dimension `dim`;
/// `count` pairs of them.
std::pair<mlir::Value, mlir::Value> getPads(Lowering &l, const IndexMath &m,
                                            int64_t dim, int64_t count);
void bindPad(Lowering &l, int64_t count);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_RUNTIMESIZES_H
