// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a kernel in buffer form to LLVM's dialect: what does not depend on who
// computes the tiles.

#ifndef LATHE_TARGET_KERNEL_LOWERING_H
#define LATHE_TARGET_KERNEL_LOWERING_H

#include "lathe/Dialect/Lathe/IR/Lathe.h"

#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace mlir {
class ConversionTarget;
class LLVMTypeConverter;
class RewritePatternSet;
} // namespace mlir

namespace lathe {

/// A memref over `pointer`, as the descriptor that it will be. Its strides are
/// those of a tensor of sizes `within`, of its own where that is empty.
mlir::Value buildBuffer(mlir::OpBuilder &builder, mlir::Location loc,
                        const mlir::LLVMTypeConverter &converter,
                        mlir::MemRefType type, mlir::ValueRange dynamicSizes,
                        mlir::Value pointer, mlir::ValueRange within = {});

/// Maps a tensor argument of the kernel, whose sizes are mapped, to a buffer at
/// `address`.
void mapArgument(mlir::OpBuilder &builder, KernelOp kernel,
                 mlir::BlockArgument arg, mlir::Value address,
                 const mlir::LLVMTypeConverter &converter,
                 mlir::IRMapping &mapping);

/// Maps an allocation of the kernel, whose sizes are mapped, to a buffer at its
/// offset in the memory that `scratch` points to. An allocation without an
/// offset is an error at the kernel.
llvm::LogicalResult mapScratch(mlir::OpBuilder &builder, KernelOp kernel,
                               mlir::memref::AllocOp alloc, mlir::Value scratch,
                               const mlir::LLVMTypeConverter &converter,
                               mlir::IRMapping &mapping);

/// The loop over a grid becomes a loop over its tiles' numbers: from `begin` on
/// every `step`-th before `end`. The builder is left inside.
void lowerGrid(mlir::OpBuilder &builder, mlir::scf::ForallOp forall,
               mlir::Value begin, mlir::Value end, mlir::Value step);

/// Converts a module of functions to LLVM's dialect, with fused multiplications
/// and additions allowed. `addExpansions` adds patterns that run first, to the
/// end; `addConversions` adds the target's own conversions and legal dialects.
llvm::LogicalResult
lowerToLLVM(mlir::ModuleOp module, mlir::LLVMTypeConverter &converter,
            llvm::function_ref<void(mlir::RewritePatternSet &)> addExpansions,
            llvm::function_ref<void(mlir::RewritePatternSet &,
                                    mlir::ConversionTarget &)>
                addConversions);

} // namespace lathe

#endif // LATHE_TARGET_KERNEL_LOWERING_H
