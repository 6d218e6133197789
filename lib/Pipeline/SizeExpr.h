// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sizes of a program as expressions over its symbols.

#ifndef LATHE_LIB_PIPELINE_SIZEEXPR_H
#define LATHE_LIB_PIPELINE_SIZEEXPR_H

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/IR/AffineExpr.h"

namespace lathe {

struct SizeExprs {
  /// The names of the symbols, in the order in which they were met.
  std::vector<std::string> symbols;

  /// A size of a program; nothing where it depends on data.
  std::optional<mlir::AffineExpr> get(mlir::Value size);
  /// An expression over a launch's sizes.
  std::optional<mlir::AffineExpr> get(LaunchOp launch, mlir::AffineExpr expr);
};

} // namespace lathe

#endif // LATHE_LIB_PIPELINE_SIZEEXPR_H
