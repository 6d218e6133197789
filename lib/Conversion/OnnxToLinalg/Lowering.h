// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the lowering of one ONNX op works with. A lowering is a function
// `LogicalResult lowerFoo(onnx::FooOp, Lowering &)`; `addLowering` makes it a
// conversion pattern. Operands and attributes are positional and named as in
// ONNX.

#ifndef LATHE_LIB_CONVERSION_ONNXTOLINALG_LOWERING_H
#define LATHE_LIB_CONVERSION_ONNXTOLINALG_LOWERING_H

#include "lathe/Conversion/OnnxToLinalg/DimBuilder.h"
#include "mlir/Dialect/Utils/StructuredOpsUtils.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "mlir/Transforms/DialectConversion.h"

namespace lathe {

using Dims = llvm::SmallVector<mlir::OpFoldResult>;
using DimsRef = llvm::ArrayRef<mlir::OpFoldResult>;

/// On arguments and results of the program: their type in ONNX, where the
/// storage type differs.
inline constexpr llvm::StringLiteral typeAttrName = "lathe.type";
/// On an op that could not be lowered: why.
inline constexpr llvm::StringLiteral reasonAttrName = "lathe.unsupported";

/// A tensor as a lowering reads it: the value in storage type, the element type
/// that ONNX gives it, and how it is indexed by the loops around it (by default
/// it broadcasts, aligned at the end).
struct Operand {
  mlir::Value value;
  mlir::Type element;
  mlir::AffineMap map = {};
};

/// Makes the value of one element from those of the operands, which come in
/// the type that is computed with (`getComputeType`).
using ScalarBody = llvm::function_ref<mlir::Value(mlir::ImplicitLocOpBuilder &,
                                                  mlir::ValueRange)>;

/// How numbers become floats of 8 bits or less, as ONNX's Cast says it.
struct CastRules {
  /// What is out of range becomes the largest number, not infinity or NaN.
  bool saturate = true;
  /// To `f8E8M0FNU`, whose numbers are powers of two.
  enum Rounding { Up, Down, Nearest } rounding = Up;
};

/// Bool is `i8`, integers are signless. What is narrower than a byte takes one
/// (integers extended by their sign, codes of floats by zeros), and floats of 8
/// bits are their code.
mlir::Type getStorageType(mlir::Type element);
/// Bool is `i1`, `f16` and `bf16` are `f32`, integers are signless. Narrower
/// floats and integers are moved as they are stored, and only cast.
mlir::Type getComputeType(mlir::Type element);
bool isUnsigned(mlir::Type element);
/// Whether `element` is a type that is only stored: a float of 8 bits or less,
/// an integer of less than 8.
bool isNarrow(mlir::Type element);

/// Between a stored element and the value that is computed with.
mlir::Value loadScalar(mlir::ImplicitLocOpBuilder &b, mlir::Value stored,
                       mlir::Type element);
mlir::Value storeScalar(mlir::ImplicitLocOpBuilder &b, mlir::Value computed,
                        mlir::Type element);
/// Converts a computed value by the rules of ONNX's Cast.
mlir::Value castScalar(mlir::ImplicitLocOpBuilder &b, mlir::Value computed,
                       mlir::Type from, mlir::Type to, CastRules rules = {});
/// A byte in whose low bits an element of the narrow type `element` lies, as such
/// elements are stored.
mlir::Value extendNarrow(mlir::ImplicitLocOpBuilder &b, mlir::Value byte,
                         mlir::Type element);
/// A constant of a computed (or index) type.
mlir::Value makeConstant(mlir::ImplicitLocOpBuilder &b, mlir::Type type,
                         double value);

class Lowering {
public:
  Lowering(mlir::Operation *op, mlir::ArrayRef<mlir::Value> operands,
           mlir::ConversionPatternRewriter &rewriter,
           const mlir::TypeConverter &types)
      : b(op->getLoc(), rewriter), rewriter(rewriter), types(types), op(op),
        operands(operands), dimBuilder(b, op) {}

  /// Reports what is wrong or not supported; `message` begins with "expected".
  mlir::LogicalResult unsupported(const llvm::Twine &message);

  /// Checks that all operands and results are tensors whose shapes are known
  /// and whose elements can be computed with.
  mlir::LogicalResult checkTypes();

  /// Replaces the op, casting values whose types say less or more.
  mlir::LogicalResult replace(mlir::ValueRange values);

  /// Replaces an op whose results have no elements.
  mlir::LogicalResult replaceByEmpty();

  //===--------------------------------------------------------------------===//
  // What is known of the op
  //===--------------------------------------------------------------------===//

  unsigned getNumOperands() { return operands.size(); }
  unsigned getNumResults() { return op->getNumResults(); }
  /// Whether operand `i` is there and not omitted.
  bool has(unsigned i);
  mlir::Value value(unsigned i) { return operands[i]; }
  Operand operand(unsigned i) { return {operands[i], element(i)}; }
  llvm::SmallVector<Operand> getOperands();
  /// The element types in ONNX.
  mlir::Type element(unsigned i);
  mlir::Type resultElement(unsigned i = 0);
  /// Whether anything reads result `i`.
  bool isUsed(unsigned i) { return !op->getResult(i).use_empty(); }
  mlir::RankedTensorType type(unsigned i);
  mlir::RankedTensorType resultType(unsigned i = 0);
  int64_t rank(unsigned i) { return type(i).getRank(); }
  /// Binds dimension `dim` of result `i`, which depends on data, to `value`, an
  /// index that the program has computed; at most `max` if given, which should
  /// be known when the program is entered. Where the size is known otherwise,
  /// the program checks that they agree. To be called before `resultDims`.
  void bindDim(unsigned i, unsigned dim, mlir::Value value,
               mlir::OpFoldResult max = {});
  /// Element `at` of an integer tensor in row-major order, as an index that the
  /// program reads while it runs.
  mlir::Value readIndex(mlir::Value tensor, int64_t at);
  /// The results of a map over the program's symbols.
  Dims evaluate(mlir::AffineMap map) { return dimBuilder.evaluate(map); }
  Dims dims(unsigned i) { return *dimBuilder.getOperandDims(i); }
  Dims resultDims(unsigned i = 0) { return *dimBuilder.getResultDims(i); }
  /// The contents of an integer operand, if they are known.
  std::optional<Dims> contents(unsigned i);
  std::optional<llvm::SmallVector<int64_t>> ints(unsigned i);
  /// The elements of a constant operand that is small.
  mlir::DenseElementsAttr constant(unsigned i);

  //===--------------------------------------------------------------------===//
  // Making tensors
  //===--------------------------------------------------------------------===//

  /// A size from others, `expr` over the symbols s0, s1, ….
  mlir::OpFoldResult apply(mlir::AffineExpr expr, DimsRef operands);
  mlir::OpFoldResult index(int64_t value) { return b.getIndexAttr(value); }
  /// The product of sizes.
  mlir::OpFoldResult product(DimsRef dims);
  mlir::Value toValue(mlir::OpFoldResult size);

  mlir::Value empty(DimsRef dims, mlir::Type storage);
  /// A tensor of `storage` type that is `value` everywhere.
  mlir::Value fill(DimsRef dims, mlir::TypedAttr value);
  /// Row-major reinterpretation.
  mlir::Value view(mlir::Value source, DimsRef dims);

  /// One value per element of a tensor of `dims`, whose element is `element` in
  /// ONNX. Splat operands become constants of the body.
  mlir::Value elementwise(llvm::ArrayRef<Operand> inputs, DimsRef dims,
                          mlir::Type element, ScalarBody body);

  /// Reduces the dimensions `axes` (which vanish) of loops over `dims`. The
  /// body gets an element of each input and the accumulator; the accumulator
  /// and the result have the type of `init`.
  mlir::Value reduce(llvm::ArrayRef<Operand> inputs, DimsRef dims,
                     llvm::ArrayRef<int64_t> axes, mlir::TypedAttr init,
                     ScalarBody body);

  /// The map that reads a tensor with `axes` reduced away from loops over all
  /// the `rank` dimensions.
  mlir::AffineMap dropAxes(int64_t rank, llvm::ArrayRef<int64_t> axes);

  /// A `linalg.generic` with raw stored elements.
  llvm::SmallVector<mlir::Value>
  generic(mlir::ValueRange inputs, mlir::ValueRange inits,
          llvm::ArrayRef<mlir::AffineMap> maps,
          llvm::ArrayRef<mlir::utils::IteratorType> iterators,
          llvm::function_ref<llvm::SmallVector<mlir::Value>(
              mlir::ImplicitLocOpBuilder &, mlir::ValueRange)>
              body);

  /// Permutes: dimension `i` of the result is dimension `perm[i]` of `source`.
  mlir::Value transpose(mlir::Value source, DimsRef dims,
                        llvm::ArrayRef<int64_t> perm);

  mlir::ImplicitLocOpBuilder b;
  mlir::ConversionPatternRewriter &rewriter;
  const mlir::TypeConverter &types;

private:
  mlir::Operation *op;
  llvm::ArrayRef<mlir::Value> operands;
  DimBuilder dimBuilder;
};

/// `axes` of a tensor of `rank`, counted from the front.
llvm::SmallVector<int64_t> normalizeAxes(llvm::ArrayRef<int64_t> axes,
                                         int64_t rank);
inline int64_t normalizeAxis(int64_t axis, int64_t rank) {
  return axis < 0 ? axis + rank : axis;
}
/// `dims` without those at `axes`.
Dims dropDims(DimsRef dims, llvm::ArrayRef<int64_t> axes);
/// How loops over a tensor of `resultShape` read one of `shape`.
mlir::AffineMap getBroadcastMap(mlir::MLIRContext *context,
                                llvm::ArrayRef<int64_t> shape,
                                llvm::ArrayRef<int64_t> resultShape);

/// The map from `loops` loops to those from `first` on, `count` of them.
mlir::AffineMap getLoopMap(mlir::MLIRContext *context, unsigned loops,
                           unsigned first, unsigned count);

namespace detail {
/// Runs `lower` on `op` and marks what it made with `lathe.node`.
mlir::LogicalResult
runLowering(mlir::Operation *op, llvm::ArrayRef<mlir::Value> operands,
            mlir::ConversionPatternRewriter &rewriter,
            const mlir::TypeConverter &types, bool checkTypes,
            llvm::function_ref<mlir::LogicalResult(Lowering &)> lower);
} // namespace detail

/// A pattern that calls a function.
template <typename OpTy>
class OnnxLowering : public mlir::OpConversionPattern<OpTy> {
public:
  using Function = std::function<mlir::LogicalResult(OpTy, Lowering &)>;

  OnnxLowering(const mlir::TypeConverter &types, mlir::MLIRContext *context,
               Function function, bool checkTypes)
      : mlir::OpConversionPattern<OpTy>(types, context),
        function(std::move(function)), checkTypes(checkTypes) {
    // Sub-graphs hold ops of the same kind, but end.
    this->setHasBoundedRewriteRecursion();
  }

  mlir::LogicalResult
  matchAndRewrite(OpTy op, typename OpTy::Adaptor adaptor,
                  mlir::ConversionPatternRewriter &rewriter) const override {
    llvm::SmallVector<mlir::Value> operands(adaptor.getOperands());
    return detail::runLowering(
        op, operands, rewriter, *this->getTypeConverter(), checkTypes,
        [&](Lowering &lowering) { return function(op, lowering); });
  }

private:
  Function function;
  bool checkTypes;
};

/// Adds `function` as the lowering of `OpTy`.
template <typename OpTy>
void addLowering(mlir::RewritePatternSet &patterns,
                 const mlir::TypeConverter &types,
                 mlir::LogicalResult (*function)(OpTy, Lowering &),
                 bool checkTypes = true) {
  patterns.add<OnnxLowering<OpTy>>(types, patterns.getContext(), function,
                                   checkTypes);
}

} // namespace lathe

#endif // LATHE_LIB_CONVERSION_ONNXTOLINALG_LOWERING_H
