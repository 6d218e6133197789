// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the lowering of ops on strings, sequences, maps and optionals works
// with: library calls instead of loops.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_VALUES_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_VALUES_H

#include "Lowering.h"

namespace lathe {

/// Makes `types` map what is no tensor of numbers of known rank to values.
void populateValueTypes(mlir::TypeConverter &types);

/// A type as ONNX writes it, like "seq(map(int64,tensor(float)))".
std::string getTypeText(mlir::Type type);

/// A constant operand of a library function; a null attribute is none.
mlir::Value makeLiteral(Lowering &l, mlir::Attribute value);
mlir::ElementsAttr makeStrings(mlir::OpBuilder &b, mlir::ArrayAttr strings);
mlir::ElementsAttr makeStrings(mlir::OpBuilder &b,
                               llvm::ArrayRef<llvm::StringRef> strings);
mlir::ElementsAttr makeInts(mlir::OpBuilder &b, llvm::ArrayRef<int64_t> values);

/// Compares elements `i` and `j` of a list as the runtime does: text by bytes,
/// every NaN above the numbers. Below, at or above 0.
int compareElements(mlir::ElementsAttr list, int64_t i, int64_t j);

/// A call of a library function: its operands in order, then `replace` or
/// `make`.
class LibraryCall {
public:
  LibraryCall(Lowering &l, mlir::Operation *op, llvm::StringRef function)
      : l(l), op(op), function(function.str()) {}

  /// Operand `i` of the op, or nothing where it is omitted.
  LibraryCall &operand(unsigned i);
  /// A value or a tensor whose type in ONNX is `type`.
  LibraryCall &value(mlir::Value value, mlir::Type type);
  LibraryCall &literal(mlir::Attribute value);
  LibraryCall &ints(llvm::ArrayRef<int64_t> values);
  LibraryCall &size(mlir::OpFoldResult size);

  /// Replaces the op by the call. A result whose size depends on data is a
  /// value at first, which binds the size.
  llvm::LogicalResult replace();
  /// Makes the call with one result of `type`, as ONNX says it, which is
  /// static.
  mlir::Value make(mlir::Type type);

private:
  mlir::Operation *create(mlir::TypeRange results, mlir::ValueRange dims,
                          mlir::TypeRange types);
  llvm::LogicalResult checkTensor(mlir::Type type);

  Lowering &l;
  mlir::Operation *op;
  std::string function;
  llvm::SmallVector<mlir::Value> inputs, sizes;
  llvm::SmallVector<mlir::Type> types;
  llvm::SmallVector<int64_t> numbers;
};

/// The value as one that is none (`from` and `to` as ONNX says them): a tensor
/// of known rank becomes a value, or a value such a tensor, which has the sizes
/// `dims`.
mlir::Value convertValue(Lowering &l, mlir::Value value, mlir::Type from,
                         mlir::Type to, DimsRef dims = {});

/// Whether an operand or a result is no tensor of numbers.
bool usesValues(mlir::Operation *op, const mlir::TypeConverter &types);

/// A pattern that calls a function, only for ops that use values; before those
/// for tensors of numbers.
template <typename OpTy>
class ValueLowering : public mlir::OpConversionPattern<OpTy> {
public:
  using Function = mlir::LogicalResult (*)(OpTy, Lowering &);

  ValueLowering(const mlir::TypeConverter &types, mlir::MLIRContext *context,
                Function function)
      : mlir::OpConversionPattern<OpTy>(types, context, /*benefit=*/2),
        function(function) {}

  mlir::LogicalResult
  matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                  mlir::ConversionPatternRewriter &rewriter) const override {
    if (!usesValues(op, *this->getTypeConverter()))
      return rewriter.notifyMatchFailure(op, "expected strings or values");
    llvm::SmallVector<mlir::Value> operands(adaptor.getOperands());
    return detail::runLowering(
        op, operands, rewriter, *this->getTypeConverter(), /*checkTypes=*/false,
        [&](Lowering &lowering) { return function(op, lowering); });
  }

private:
  Function function;
};

template <typename OpTy>
void addValueLowering(mlir::RewritePatternSet &patterns,
                      const mlir::TypeConverter &types,
                      mlir::LogicalResult (*function)(OpTy, Lowering &)) {
  patterns.add<ValueLowering<OpTy>>(types, patterns.getContext(), function);
}

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_VALUES_H
