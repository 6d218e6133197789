// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `lathe` dialect: programs of kernel launches over symbolic shapes.

#ifndef LATHE_DIALECT_LATHE_IR_LATHE_H
#define LATHE_DIALECT_LATHE_IR_LATHE_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "lathe/Dialect/Lathe/IR/LatheDialect.h.inc"
#define GET_ATTRDEF_CLASSES
#include "lathe/Dialect/Lathe/IR/LatheAttrs.h.inc"
#define GET_OP_CLASSES
#include "lathe/Dialect/Lathe/IR/LatheOps.h.inc"

namespace lathe {

/// Names of the discardable attributes that the dialect's description lists.
inline constexpr llvm::StringLiteral nodeAttrName = "lathe.node";
inline constexpr llvm::StringLiteral nameAttrName = "lathe.name";
inline constexpr llvm::StringLiteral dimsAttrName = "lathe.dims";
inline constexpr llvm::StringLiteral symbolsAttrName = "lathe.symbols";
inline constexpr llvm::StringLiteral constraintsAttrName = "lathe.constraints";
inline constexpr llvm::StringLiteral shapesAttrName = "lathe.shapes";
inline constexpr llvm::StringLiteral groupAttrName = "lathe.group";

/// On kernels in buffer form: `affine_map<()[sizes] -> (count)>`.
inline constexpr llvm::StringLiteral gridAttrName = "lathe.grid";
/// On kernels in buffer form: `affine_map<()[sizes] -> (bytes)>`, per thread.
inline constexpr llvm::StringLiteral scratchAttrName = "lathe.scratch";
/// On kernels: pairs `[result, input]` that may share one buffer.
inline constexpr llvm::StringLiteral inplaceAttrName = "lathe.inplace";
/// On kernels: `affine_map<()[sizes] -> (flops, bytes)>`.
inline constexpr llvm::StringLiteral costAttrName = "lathe.cost";

/// The type that `recipe` turns a weight of type `type` into; failure with a
/// message through `emitError` where a step does not fit.
llvm::FailureOr<mlir::RankedTensorType>
applyRecipe(mlir::RankedTensorType type, mlir::ArrayAttr recipe,
            llvm::function_ref<mlir::InFlightDiagnostic()> emitError);

} // namespace lathe

#endif // LATHE_DIALECT_LATHE_IR_LATHE_H
