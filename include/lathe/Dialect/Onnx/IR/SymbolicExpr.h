// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic on sizes. A size is an `AffineExpr` over symbols that are never
// negative. `simplify` brings an expression to a normal form (a sum of products
// of atoms, in a fixed order), so that equal polynomials are equal pointers.

#ifndef LATHE_DIALECT_ONNX_IR_SYMBOLICEXPR_H
#define LATHE_DIALECT_ONNX_IR_SYMBOLICEXPR_H

#include "mlir/IR/AffineExpr.h"
#include <optional>

namespace lathe::onnx {

/// The normal form of `expr`. Divisions cancel common factors, which supposes
/// that what cancels is not zero.
mlir::AffineExpr simplify(mlir::AffineExpr expr);

/// The value of `expr` if it is a constant; nothing for a null expression.
std::optional<int64_t> getConstant(mlir::AffineExpr expr);

/// `a / b` if it divides without rest for all values of the symbols, else null.
mlir::AffineExpr divideExactly(mlir::AffineExpr a, mlir::AffineExpr b);

/// Whether `expr` is proved not to be negative.
bool isNonNegative(mlir::AffineExpr expr);

/// Whether `expr` is proved to be positive.
bool isPositive(mlir::AffineExpr expr);

} // namespace lathe::onnx

#endif // LATHE_DIALECT_ONNX_IR_SYMBOLICEXPR_H
