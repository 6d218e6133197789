// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads the symbolic shapes that `annotate-shapes` wrote on an op.

#ifndef LATHE_CONVERSION_ONNXTOLINALG_DIMBUILDER_H
#define LATHE_CONVERSION_ONNXTOLINALG_DIMBUILDER_H

#include "mlir/IR/AffineMap.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include <optional>

namespace lathe {

/// Entry `i` of one of the lists in the op's `lathe.shapes`; null where it is
/// not known.
mlir::AffineMap getShapesMap(mlir::Operation *op, llvm::StringRef list,
                             unsigned i);

/// Gives the sizes of an op's operands and results, and the known contents of
/// its integer operands, as constants or as `affine.apply` over the program's
/// `lathe.symbol`s and `lathe.bind`s. A `tensor.dim` is never made: what
/// `lathe.shapes` does not say has to be constant in the type.
class DimBuilder {
public:
  using Dims = llvm::SmallVector<mlir::OpFoldResult>;

  DimBuilder(mlir::OpBuilder &builder, mlir::Operation *op)
      : builder(builder), op(op) {}

  /// Whether the sizes of operand (result) `i` are known; makes nothing.
  bool knowsOperand(unsigned i);
  bool knowsResult(unsigned i);

  /// Nothing where operand (result) `i` is no ranked tensor or its sizes are
  /// neither in its type nor in `lathe.shapes`.
  std::optional<Dims> getOperandDims(unsigned i);
  std::optional<Dims> getResultDims(unsigned i);

  /// The sizes of result `i` over the program's symbols; null where not known.
  mlir::AffineMap getResultMap(unsigned i) {
    return getShapesMap(op, "results", i);
  }
  /// The name of symbol `i` of the program.
  mlir::StringAttr getSymbolName(unsigned i);
  /// Whether symbol `i` of the program is bound by its arguments.
  bool isEntrySymbol(unsigned i);

  /// The elements of operand `i` in row-major order, if all are known.
  std::optional<Dims> getContents(unsigned i);

  /// The same if all elements are constant.
  std::optional<llvm::SmallVector<int64_t>> getConstantContents(unsigned i);

  /// The results of a map over the program's symbols.
  Dims evaluate(mlir::AffineMap map);

private:
  bool knows(mlir::Type type, llvm::StringRef list, unsigned i);
  std::optional<Dims> getDims(mlir::Type type, llvm::StringRef list,
                              unsigned i);
  mlir::Value getSymbol(unsigned i);

  mlir::OpBuilder &builder;
  mlir::Operation *op;
};

} // namespace lathe

#endif // LATHE_CONVERSION_ONNXTOLINALG_DIMBUILDER_H
