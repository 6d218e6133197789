// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sums of products of 8-bit integers, and what is done to them element by
// element.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_QUANTIZEPRODUCT_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_QUANTIZEPRODUCT_H

#include "Lowering.h"

namespace lathe {

/// One factor: its elements, and its zero point where that is not zero.
struct Factor {
  Operand elements;
  std::optional<Operand> zero;
  /// The zero point where it is one known number.
  std::optional<int64_t> known = 0;
  /// Whether elements are moved up by 128, to be unsigned.
  bool moves = false;
};

/// What is added to sums: vectors, and the product of a zero point that is not
/// known with a vector, which is subtracted.
struct Addends {
  llvm::SmallVector<Operand> vectors;
  std::optional<std::pair<Operand, Operand>> zeroTimes;
  bool empty() const { return vectors.empty() && !zeroTimes; }
};

/// Operand `i`, whose zero point is operand `zeroPoint` where that is there.
Factor getFactor(Lowering &l, unsigned i, unsigned zeroPoint);

/// Takes the zero point out of the left factor, where the right one is a weight
/// without any and `kept` its dimension of columns, which are dimension `at` of
/// a result of rank `rank`.
void takeOutZero(Lowering &l, Factor &a, const Factor &b, unsigned kept,
                 unsigned rank, unsigned at, Addends &addends);

/// Sums the products of two factors over loops of which the first are those of
/// the result, into `i32`. Zero points that are there have maps.
mlir::Value contractIntegers(Lowering &l, const Factor &a, const Factor &b,
                             unsigned numLoops, DimsRef dims);

/// The sums of the product of operands `a` and `b`, as `numpy.matmul`, whose
/// zero points are operands `zeroA` and `zeroB`; what is still to be added to
/// them goes to `addends`.
mlir::Value multiplyIntegers(Lowering &l, unsigned a, unsigned zeroA,
                             unsigned b, unsigned zeroB, Addends &addends);

/// Operand `i`, of one element, as `loops` loops read it.
Operand readFirst(Lowering &l, unsigned i, unsigned loops);

/// How `loops` loops, the first of which are the result's, read operand `i`:
/// what is given for matrix `matrix` as a whole, or for each row of the left
/// one, column of the right one.
Operand readPerRow(Lowering &l, unsigned i, unsigned matrix,
                   unsigned otherMatrix, bool isRight, unsigned loops);

/// Adds `addends` to the sums and gives each to `body`, with the elements of
/// `more`, which makes an `element` of it; without one the sums stay.
mlir::Value
finishSums(Lowering &l, mlir::Value sums, const Addends &addends, DimsRef dims,
           llvm::ArrayRef<Operand> more = {}, mlir::Type element = {},
           llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &,
                                          mlir::Value, mlir::ValueRange)>
               body = {});

/// Scales by `left * right / result` and quantizes.
struct Requantize {
  Operand left, right, result, zero;
};

/// Adds `addends` to the sums and requantizes them as the op's result.
mlir::Value requantize(Lowering &l, mlir::Value sums, const Addends &addends,
                       DimsRef dims, const Requantize &by);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_QUANTIZEPRODUCT_H
