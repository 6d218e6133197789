// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shape rules that several ops share, and what they are made of. The op classes
// in the .td files call them by name.

#ifndef LATHE_LIB_DIALECT_ONNX_IR_RULES_H
#define LATHE_LIB_DIALECT_ONNX_IR_RULES_H

#include "lathe/Dialect/Onnx/IR/SymbolicShapes.h"

namespace lathe::onnx {

/// The sizes if all are constant and there are few enough elements to follow.
std::optional<llvm::SmallVector<int64_t, 4>>
getSmallShape(const std::optional<Dims> &dims);

/// The size of a step, at most INT64_MAX.
inline int64_t getMagnitude(int64_t step) {
  return step >= 0 ? step : step == INT64_MIN ? INT64_MAX : -step;
}

/// Calls `fn` with every index of `shape`, in row-major order.
void forEachIndex(llvm::ArrayRef<int64_t> shape,
                  llvm::function_ref<void(llvm::ArrayRef<int64_t>)> fn);

/// The position of `index` in a row-major tensor of `shape`.
int64_t getPosition(llvm::ArrayRef<int64_t> index,
                    llvm::ArrayRef<int64_t> shape);

/// Fills the contents of `result`, whose dims are set, from those of `source`:
/// `locate` turns an index of the result (first argument) into one of the
/// source (second, given with the source's rank). Does nothing where contents
/// are not known or shapes are not small.
void moveContents(const TensorInfo &source, TensorInfo &result,
                  llvm::function_ref<void(llvm::ArrayRef<int64_t>,
                                          llvm::MutableArrayRef<int64_t>)>
                      locate);

/// The product of sizes.
mlir::AffineExpr getProduct(llvm::ArrayRef<mlir::AffineExpr> dims,
                            mlir::MLIRContext *context);

/// What is true of both `a` and `b`; `fresh(i)` names dimension `i` where they
/// differ.
TensorInfo join(const TensorInfo &a, const TensorInfo &b,
                llvm::function_ref<mlir::AffineExpr(unsigned)> fresh);

namespace content {
/// Computes an element of a result of type `type` from an element of each
/// operand; not known if it cannot. Unary functions ignore `b`.
using Function = Scalar (*)(mlir::Type type, const Scalar &a, const Scalar &b);

Scalar keep(mlir::Type, const Scalar &a, const Scalar &);
Scalar keepWhole(mlir::Type, const Scalar &a, const Scalar &);
Scalar negate(mlir::Type, const Scalar &a, const Scalar &);
Scalar add(mlir::Type, const Scalar &a, const Scalar &b);
Scalar subtract(mlir::Type, const Scalar &a, const Scalar &b);
Scalar multiply(mlir::Type, const Scalar &a, const Scalar &b);
Scalar divide(mlir::Type, const Scalar &a, const Scalar &b);
Scalar modulo(mlir::Type, const Scalar &a, const Scalar &b);
Scalar min(mlir::Type, const Scalar &a, const Scalar &b);
Scalar max(mlir::Type, const Scalar &a, const Scalar &b);
Scalar equal(mlir::Type, const Scalar &a, const Scalar &b);
Scalar greater(mlir::Type, const Scalar &a, const Scalar &b);
Scalar greaterOrEqual(mlir::Type, const Scalar &a, const Scalar &b);
Scalar less(mlir::Type, const Scalar &a, const Scalar &b);
Scalar lessOrEqual(mlir::Type, const Scalar &a, const Scalar &b);
Scalar logicalAnd(mlir::Type, const Scalar &a, const Scalar &b);
Scalar logicalOr(mlir::Type, const Scalar &a, const Scalar &b);
Scalar logicalXor(mlir::Type, const Scalar &a, const Scalar &b);
Scalar logicalNot(mlir::Type, const Scalar &a, const Scalar &);
} // namespace content

namespace rule {
/// Nothing is to be said of the results.
inline mlir::LogicalResult none(ShapeContext &) { return mlir::success(); }
/// The shape of operand 0 and the element type of operand `element`.
mlir::LogicalResult sameShape(ShapeContext &ctx, content::Function fn = nullptr,
                              unsigned element = 0);
/// All that is known of operand 0, tensor or not.
mlir::LogicalResult sameValue(ShapeContext &ctx);
/// The shape and type of operand 0, which has the dimension `axis`.
mlir::LogicalResult sameShapeAlong(ShapeContext &ctx, int64_t axis);
/// The shape and type of operand 0, which has the dimension that operand `i`
/// names.
mlir::LogicalResult sameShapeAlongOperand(ShapeContext &ctx, unsigned i);
/// The shape and type of operand 0; the others are scalars of its type.
mlir::LogicalResult sameElementOfScalars(ShapeContext &ctx);
/// The shape and type of operand 0, to which operand 1 broadcasts.
mlir::LogicalResult sameShapeBroadcast(ShapeContext &ctx);
/// The shape of operand 0, of f32.
mlir::LogicalResult sameShapeF32(ShapeContext &ctx);
/// The broadcast of all operands, which have one element type.
mlir::LogicalResult broadcast(ShapeContext &ctx,
                              content::Function fn = nullptr);
/// The broadcast of both operands, of the type of the first.
mlir::LogicalResult power(ShapeContext &ctx);
/// As `broadcast`, of bools.
mlir::LogicalResult compare(ShapeContext &ctx, content::Function fn = nullptr);
/// The shape of operand 0, of bools.
mlir::LogicalResult test(ShapeContext &ctx, content::Function fn = nullptr);
mlir::LogicalResult where(ShapeContext &ctx);
mlir::LogicalResult cast(ShapeContext &ctx, int64_t to);
mlir::LogicalResult castLike(ShapeContext &ctx);
mlir::LogicalResult bitCast(ShapeContext &ctx, int64_t to);
/// Operand 0 reduced along the axes in operand 1.
mlir::LogicalResult reduce(ShapeContext &ctx, bool keepDims, bool noop,
                           content::Function fn);
mlir::LogicalResult argReduce(ShapeContext &ctx, int64_t axis, bool keepDims);
/// Operand 0 with all dimensions but two of size 1.
mlir::LogicalResult globalPool(ShapeContext &ctx);
/// The dims of the product of operands `a` and `b`, as `numpy.matmul`.
mlir::LogicalResult matMul(ShapeContext &ctx, unsigned a, unsigned b);
/// The product of operands 0 and 1, transposed if asked, to which operand 2,
/// where it is there, broadcasts; all have one element type.
mlir::LogicalResult gemm(ShapeContext &ctx, bool transA, bool transB);
/// The dims of operand 0, which are known, with one in place of those from
/// `axis` on: of statistics over them.
llvm::FailureOr<Dims> keepBefore(ShapeContext &ctx, int64_t axis);
/// Reports unless operand `i`, where it is there, broadcasts to operand 0.
mlir::LogicalResult expectBroadcast(ShapeContext &ctx, unsigned i);
/// Reports unless operand `i`, where it is there, broadcasts to `dims`, those
/// of `target`.
mlir::LogicalResult expectBroadcast(ShapeContext &ctx, unsigned i,
                                    llvm::ArrayRef<mlir::AffineExpr> dims,
                                    llvm::StringRef target);
/// Reports unless operand `i`, where it is there, has one element.
mlir::LogicalResult expectOneElement(ShapeContext &ctx, unsigned i);
/// The same for several.
mlir::LogicalResult expectScalars(ShapeContext &ctx,
                                  llvm::ArrayRef<unsigned> operands);
/// Reports unless `operands`, where they are there, have one dimension.
mlir::LogicalResult expectLists(ShapeContext &ctx,
                                llvm::ArrayRef<unsigned> operands);
mlir::LogicalResult recurrent(ShapeContext &ctx, llvm::StringRef direction,
                              bool batchFirst,
                              std::optional<int64_t> hiddenSize);
} // namespace rule
} // namespace lathe::onnx

#endif // LATHE_LIB_DIALECT_ONNX_IR_RULES_H
