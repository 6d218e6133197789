// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Collects every size that a program needs and emits the function that
// computes them from the symbols.

#ifndef LATHE_LIB_CONVERSION_LATHETOLLVM_SIZETABLE_H
#define LATHE_LIB_CONVERSION_LATHETOLLVM_SIZETABLE_H

#include "lathe/Conversion/LatheToLLVM/ProgramToLLVM.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallBitVector.h"
#include "llvm/ADT/StringMap.h"

namespace lathe {

class SizeTable {
public:
  SizeTable(mlir::func::FuncOp main, ProgramTables &tables);

  /// Says which symbols the inputs bind. Conditions on others are not eval's.
  void setBoundAtEntry(llvm::SmallBitVector bound) {
    boundAtEntry = std::move(bound);
  }
  bool isBoundAtEntry(unsigned symbol) const {
    return boundAtEntry.test(symbol);
  }

  /// The place of a symbol, by name.
  std::optional<unsigned> findSymbol(llvm::StringRef name) const;

  /// The size that `index` (an index of the program) holds.
  TableSize add(mlir::Value index);

  /// Result `result` of `map` applied to symbols `operands`; helper ops go
  /// before `before`.
  TableSize add(mlir::AffineMap map, llvm::ArrayRef<mlir::Value> operands,
                mlir::Operation *before, unsigned result);

  /// Takes part in the maximum that `getMaximum` returns (scratch).
  void addMaximum(TableSize size);

  /// Emits `int32_t name(const int64_t *symbols, int64_t *values)`, which also
  /// checks `lathe.constraints`. No sizes can be added afterwards.
  llvm::LogicalResult emitEval(mlir::OpBuilder &builder, llvm::StringRef name);

  TableSize getMaximum() const { return maximum; }
  int64_t getNumValues() const { return numValues; }

  /// Whether `op` computes sizes and can be part of eval.
  static bool isSizeOp(mlir::Operation *op);

private:
  /// Ops that compute the same are equal.
  struct SameOp : llvm::DenseMapInfo<mlir::Operation *> {
    static unsigned getHashValue(mlir::Operation *op);
    static bool isEqual(mlir::Operation *a, mlir::Operation *b);
  };

  void addSymbol(llvm::StringRef name);
  mlir::func::FuncOp main;
  ProgramTables &tables;
  llvm::StringMap<unsigned> symbolIds;
  /// One value for each size, apart from symbols; they follow those in order.
  llvm::MapVector<mlir::Value, int64_t> ids;
  llvm::DenseSet<mlir::Operation *, SameOp> computed;
  llvm::SetVector<int64_t> maxima; ///< Places among the values.
  llvm::SmallBitVector boundAtEntry;
  TableSize maximum = 0;
  int64_t numValues = 0;
};

/// The symbols that `map` is a function of.
llvm::SmallVector<unsigned> getReadSymbols(mlir::AffineMap map);

/// What a condition on sizes says, with the names of the symbols.
std::string printConstraint(mlir::AffineMap map,
                            llvm::ArrayRef<std::string> names);

/// Emits the arithmetic of a (semi-)affine expression over sizes.
mlir::Value expandSizeExpr(mlir::OpBuilder &builder, mlir::Location loc,
                           mlir::AffineExpr expr,
                           llvm::ArrayRef<mlir::Value> dims,
                           llvm::ArrayRef<mlir::Value> symbols);

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_LATHETOLLVM_SIZETABLE_H
