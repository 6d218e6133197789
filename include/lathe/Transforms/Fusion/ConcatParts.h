// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the parts of a `lathe.concat` lie in it.

#ifndef LATHE_TRANSFORMS_FUSION_CONCATPARTS_H
#define LATHE_TRANSFORMS_FUSION_CONCATPARTS_H

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/SetVector.h"

namespace lathe {

/// The kind of fusion that parts which are computed in place are.
inline constexpr llvm::StringLiteral concatFusion = "concat";

/// How many elements after its concatenation's first one a part begins. Fails
/// where the sizes of the parts are not known.
llvm::FailureOr<mlir::Value> getPartOffset(mlir::OpBuilder &builder,
                                           mlir::OpOperand &part);

/// The dimensions of the tensor whose strides `value` has, as expressions over
/// `sizes`, to which it adds; none where they are its own.
llvm::FailureOr<llvm::SmallVector<mlir::AffineExpr>>
findWithin(mlir::OpBuilder &builder, mlir::Value value,
           llvm::SetVector<mlir::Value> &sizes);

/// How many times `value` would be copied if it did not lie in concatenations:
/// once for each, apart from one that it is the copy for.
unsigned countSavedCopies(mlir::Value value);

} // namespace lathe

#endif // LATHE_TRANSFORMS_FUSION_CONCATPARTS_H
