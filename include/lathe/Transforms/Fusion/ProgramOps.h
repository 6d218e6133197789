// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the ops of a program are to kernel forming: ops that compute, ops that
// are free to repeat, and the sizes of tensors.

#ifndef LATHE_TRANSFORMS_FUSION_PROGRAMOPS_H
#define LATHE_TRANSFORMS_FUSION_PROGRAMOPS_H

#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/SetVector.h"

namespace lathe {
class KernelOp;

/// On ops that joined the kernel of another node: the kind of fusion.
inline constexpr llvm::StringLiteral fusedAttrName = "lathe.fused";
/// Operands that are read where a move took them from, of an op.
inline constexpr llvm::StringLiteral movedAttrName = "lathe.moved";
/// The kind of fusion that such reads are.
inline constexpr llvm::StringLiteral moveFusion = "move";
/// The kind of fusion that launches of several kernels are.
inline constexpr llvm::StringLiteral horizontalFusion = "horizontal";
/// On ops, then launches, where asked for: why consumers are not in the same
/// kernel, one string each.
inline constexpr llvm::StringLiteral apartAttrName = "lathe.apart";
/// On launches: per kind of fusion `affine_map<()[sizes] -> (count, bytes)>`,
/// how many producers joined and what is not moved through memory.
inline constexpr llvm::StringLiteral fusionsAttrName = "lathe.fusions";

/// Whether `op` works on tensors' elements and so belongs into a kernel.
bool isComputeOp(mlir::Operation *op);

/// Whether `op` is in the body of such an op.
bool isInsideComputeOp(mlir::Operation *op);

/// Whether `op` adds up products of two of its inputs: a matrix product, a
/// convolution, a dot product.
bool isContraction(mlir::linalg::LinalgOp op);

/// Whether `op` reads an input at the quotient of a loop, `d floordiv w`, so
/// that neighbouring points read the same.
bool readsAtQuotient(mlir::linalg::LinalgOp op);

/// Adds the names of the ONNX nodes behind `loc`, each once.
void collectNodeNames(mlir::Location loc,
                      llvm::SetVector<mlir::StringAttr> &nodes);

/// Whether `op` costs nothing and is copied into every kernel that uses it
/// (`tensor.empty`, constants that are not weights).
bool isFreeOp(mlir::Operation *op);

/// The sizes of the dynamic dimensions of `value`, in order, as values that
/// are available where `value` is; creates ops at `builder` where needed.
/// Fails where the defining op does not say.
llvm::FailureOr<llvm::SmallVector<mlir::Value>>
getDynamicDims(mlir::OpBuilder &builder, mlir::Value value);

/// Whether a size is a function of the symbols that are bound when the program
/// is entered.
bool isKnownAtEntry(mlir::Value size);

/// Upper bounds of the dynamic dimensions of `value` that are known when the
/// program is entered: the sizes themselves where those are. Fails where there
/// are none, or the defining op does not say.
llvm::FailureOr<llvm::SmallVector<mlir::Value>>
getBoundedDims(mlir::OpBuilder &builder, mlir::Value value);

/// What a kernel in tensor form costs, `()[sizes] -> (flops, bytes)`: the
/// floating-point operations of its loops, and the bytes of its inputs and
/// results.
mlir::AffineMap getKernelCost(KernelOp kernel);

/// The bytes of `value`, a ranked tensor inside of a kernel, over the kernel's
/// sizes; nothing where they are not known.
std::optional<mlir::AffineExpr> getKernelBytes(KernelOp kernel,
                                               mlir::Value value);

} // namespace lathe

#endif // LATHE_TRANSFORMS_FUSION_PROGRAMOPS_H
