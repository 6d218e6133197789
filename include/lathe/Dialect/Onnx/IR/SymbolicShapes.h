// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is known of the shapes of a function: the analysis `SymbolicShapes`,
// what it knows of one value (`TensorInfo`), and how a shape rule sees it
// (`ShapeContext`).

#ifndef LATHE_DIALECT_ONNX_IR_SYMBOLICSHAPES_H
#define LATHE_DIALECT_ONNX_IR_SYMBOLICSHAPES_H

#include "lathe/Dialect/Onnx/IR/Onnx.h"
#include "lathe/Dialect/Onnx/IR/SymbolicExpr.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "llvm/ADT/MapVector.h"
#include <string>

namespace lathe::onnx {

/// One element of a tensor: an expression if it is a whole number (of whatever
/// type; bool is 0 or 1), a `real` if it is another constant number, or, where
/// both are missing, not known.
struct Scalar {
  mlir::AffineExpr expr;
  std::optional<double> real;

  Scalar() = default;
  Scalar(mlir::AffineExpr expr) : expr(expr) {}
  static Scalar getReal(mlir::MLIRContext *context, double value);
  bool isKnown() const { return expr || real; }
  /// The value of a constant, whole or not.
  std::optional<double> getNumber() const;
};

using Dims = llvm::SmallVector<mlir::AffineExpr, 4>;
using Contents = llvm::SmallVector<Scalar, 4>;

/// What is known of a value.
struct TensorInfo {
  /// Null for what is no tensor, and for what is not known yet.
  mlir::Type elementType;
  /// Nothing where the rank is not known.
  std::optional<Dims> dims;
  /// The elements in row-major order; nothing where none is known.
  std::optional<Contents> contents;
  /// The type of what is no tensor: a sequence, a map or an optional.
  mlir::Type valueType;
  /// Of a sequence: the sizes of its elements, null where they may differ.
  std::optional<Dims> elementDims;

  int64_t getRank() const { return dims ? dims->size() : -1; }
  /// The contents if every element is an expression.
  std::optional<Dims> getExprs() const;
  /// The contents if every element is a constant whole number.
  std::optional<llvm::SmallVector<int64_t, 4>> getInts() const;
  /// The type that says as much of this as a type can.
  mlir::Type getType(mlir::MLIRContext *context) const;
};

/// The shapes of a function's values. Symbol `k` of the expressions is named
/// `getSymbols()[k]`.
/// `a` equals `b`, wherever `branch` (a region of an `onnx.If`; null: the
/// program) is entered.
struct SizeConstraint {
  mlir::AffineExpr a, b;
  mlir::Region *branch;
  bool operator==(const SizeConstraint &other) const {
    return a == other.a && b == other.b && branch == other.branch;
  }
};

class SymbolicShapes {
public:
  /// Contents are followed for tensors up to this many elements.
  static constexpr int64_t maxContents = 4096;

  /// Analyses `func`; reports contradictions on its ops.
  static mlir::FailureOr<SymbolicShapes> analyze(mlir::func::FuncOp func);

  const TensorInfo &get(mlir::Value value) const;
  /// Whether the analysis came to `value`; not so in branches never taken.
  bool isReached(mlir::Value value) const { return infos.contains(value); }
  llvm::ArrayRef<std::string> getSymbols() const { return symbols; }
  /// `expr` with the names of the symbols.
  std::string print(mlir::AffineExpr expr) const;
  /// How many of the symbols, from the first, are bound by the function's
  /// arguments; the others depend on data.
  unsigned getNumEntrySymbols() const { return numEntrySymbols; }
  /// Equations that must hold for the shapes to be right.
  llvm::ArrayRef<SizeConstraint> getConstraints() const { return constraints; }
  /// Why `branch` of an `onnx.If` cannot run with the sizes that are known;
  /// empty if it can. The analysis does not come to its values.
  llvm::StringRef getContradiction(mlir::Region &branch) const {
    auto found = contradictions.find(&branch);
    return found == contradictions.end() ? "" : llvm::StringRef(found->second);
  }

private:
  friend class ShapeContext;
  explicit SymbolicShapes(mlir::MLIRContext *context) : context(context) {}

  mlir::AffineExpr getSymbol(llvm::StringRef name);
  mlir::AffineExpr addSymbol(llvm::StringRef name);
  TensorInfo getDeclared(mlir::Value value, llvm::StringRef name,
                         mlir::ArrayAttr dimNames);
  mlir::LogicalResult inferBlock(mlir::Block &block);
  mlir::LogicalResult inferOp(mlir::Operation *op);
  mlir::LogicalResult finish(mlir::OpResult result, TensorInfo &info);

  mlir::MLIRContext *context;
  llvm::DenseMap<mlir::Value, TensorInfo> infos;
  llvm::SmallVector<std::string> symbols;
  unsigned numEntrySymbols = 0;
  llvm::SmallVector<SizeConstraint> constraints;
  llvm::DenseMap<mlir::Region *, std::string> contradictions;
  /// The symbols made for an op, by slot: the same again when it is revisited.
  llvm::DenseMap<std::pair<mlir::Operation *, unsigned>, mlir::AffineExpr>
      fresh;
};

/// An error of a shape rule; prints expressions with the names of the symbols.
class ShapeError {
public:
  ShapeError(const SymbolicShapes &shapes, mlir::InFlightDiagnostic diagnostic)
      : shapes(shapes), diagnostic(std::move(diagnostic)) {}

  template <typename T> ShapeError &&operator<<(T &&value) && {
    if constexpr (std::is_convertible_v<T, mlir::AffineExpr>)
      diagnostic << shapes.print(value);
    else
      diagnostic << std::forward<T>(value);
    return std::move(*this);
  }
  operator mlir::LogicalResult() const { return mlir::failure(); }

private:
  const SymbolicShapes &shapes;
  mlir::InFlightDiagnostic diagnostic;
};

/// What the shape rule of `op` sees and says.
class ShapeContext {
public:
  /// Slots of fresh symbols from here on are for what changes from one
  /// iteration of a sub-graph to the next.
  static constexpr unsigned iterationSlots = 1u << 20;

  ShapeContext(SymbolicShapes &shapes, mlir::Operation *op)
      : shapes(shapes), op(op), results(op->getNumResults()) {}

  mlir::Operation *getOp() const { return op; }
  mlir::MLIRContext *getContext() const { return shapes.context; }
  unsigned getNumOperands() const { return op->getNumOperands(); }
  bool isPresent(unsigned operand) const {
    return operand < op->getNumOperands() &&
           !isOmitted(op->getOperand(operand));
  }
  const TensorInfo &get(mlir::Value value) const { return shapes.get(value); }
  const TensorInfo &operand(unsigned i) const {
    return shapes.get(op->getOperand(i));
  }
  /// What the rule says of result `i`, empty at first. A dimension that it
  /// leaves null becomes a fresh symbol.
  TensorInfo &result(unsigned i) { return results[i]; }

  mlir::AffineExpr constant(int64_t value) const {
    return mlir::getAffineConstantExpr(value, shapes.context);
  }
  /// A new symbol for a size that depends on data. The same `slot` gives the
  /// same symbol when the op is visited again.
  mlir::AffineExpr fresh(unsigned slot);
  /// `rank` fresh symbols from `slot` on.
  Dims freshDims(unsigned slot, int64_t rank);

  /// Whether `a` and `b` are equal or may be supposed so; in the latter case
  /// the supposition becomes a constraint of the program. False if they differ.
  bool assumeEqual(mlir::AffineExpr a, mlir::AffineExpr b);
  /// The same for `a >= b`, for sizes below 2^40.
  bool assumeAtLeast(mlir::AffineExpr a, mlir::AffineExpr b);
  /// The broadcast of two dimensions; null if they cannot be. Two dimensions
  /// that are not proved equal are supposed to be.
  mlir::AffineExpr broadcast(mlir::AffineExpr a, mlir::AffineExpr b);
  /// The broadcast of two shapes, aligned at the end. Reports what cannot be.
  mlir::FailureOr<Dims> broadcast(llvm::ArrayRef<mlir::AffineExpr> a,
                                  llvm::ArrayRef<mlir::AffineExpr> b);

  /// Reports unless the present ones of `operands` have one element type as far
  /// as it is known; gives that type, null if none knows.
  mlir::FailureOr<mlir::Type>
  getCommonElementType(llvm::ArrayRef<unsigned> operands);
  /// Brings an axis of a tensor of rank `rank` into [0, rank), or reports.
  mlir::FailureOr<int64_t> normalizeAxis(int64_t axis, int64_t rank);
  /// The same for several, which must be distinct; sorted if `sort`.
  mlir::FailureOr<llvm::SmallVector<int64_t, 4>>
  normalizeAxes(llvm::ArrayRef<int64_t> axes, int64_t rank);
  /// Reports unless operand `i`'s rank is `rank` or not known.
  mlir::LogicalResult expectRank(unsigned i, int64_t rank);

  /// Sets what is known of a value of a sub-graph (a block argument).
  void set(mlir::BlockArgument argument, TensorInfo info) {
    shapes.infos[argument] = std::move(info);
  }
  /// Whether all symbols of `expr` are bound by the arguments of the function.
  bool isBoundAtEntry(mlir::AffineExpr expr) const;
  /// Whether `expr` uses a symbol that belongs to the op's sub-graphs, or to
  /// one iteration of them, and so means nothing outside.
  bool isInside(mlir::AffineExpr expr) const;
  /// Infers the ops of a sub-graph.
  mlir::LogicalResult inferRegion(mlir::Region &region);
  /// Infers the ops of a branch that may contradict the sizes as long as it is
  /// not taken. Reports nothing: a contradiction is kept with the shapes.
  bool tryBranch(mlir::Region &branch);

  ShapeError emitError() { return {shapes, op->emitOpError()}; }

private:
  friend class SymbolicShapes;
  void addConstraint(mlir::AffineExpr a, mlir::AffineExpr b);
  SymbolicShapes &shapes;
  mlir::Operation *op;
  llvm::SmallVector<TensorInfo, 2> results;
};

} // namespace lathe::onnx

#endif // LATHE_DIALECT_ONNX_IR_SYMBOLICSHAPES_H
