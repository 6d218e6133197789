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
#define GET_TYPEDEF_CLASSES
#include "lathe/Dialect/Lathe/IR/LatheTypes.h.inc"
#define GET_OP_CLASSES
#include "lathe/Dialect/Lathe/IR/LatheOps.h.inc"

namespace lathe {

/// Names of the discardable attributes that the dialect's description lists.
inline constexpr llvm::StringLiteral nodeAttrName = "lathe.node";
inline constexpr llvm::StringLiteral nameAttrName = "lathe.name";
/// On a program's results where every node's value is one: `node 'name' (Op)`.
inline constexpr llvm::StringLiteral producerAttrName = "lathe.producer";
inline constexpr llvm::StringLiteral dimsAttrName = "lathe.dims";
inline constexpr llvm::StringLiteral symbolsAttrName = "lathe.symbols";
/// On the program: how many of the symbols its arguments bind, the first ones.
inline constexpr llvm::StringLiteral entrySymbolsAttrName =
    "lathe.entry_symbols";
/// On an argument and a result of the program that share memory: a dictionary
/// of `input` and `output` (their numbers), `axis` (which comes first in the
/// types; -1: the state does not grow) and `max` (steps there is room for).
inline constexpr llvm::StringLiteral stateAttrName = "lathe.state";
inline constexpr llvm::StringLiteral constraintsAttrName = "lathe.constraints";
/// On constants of the `onnx` level: the recipe of the weight they become.
inline constexpr llvm::StringLiteral recipeAttrName = "lathe.recipe";
inline constexpr llvm::StringLiteral shapesAttrName = "lathe.shapes";
inline constexpr llvm::StringLiteral groupAttrName = "lathe.group";
/// On arguments and results of the program that are values: their type as ONNX
/// writes it, like "seq(tensor(float))".
inline constexpr llvm::StringLiteral valueTypeAttrName = "lathe.value_type";

/// On kernels in buffer form: `affine_map<()[sizes] -> (count)>`.
inline constexpr llvm::StringLiteral gridAttrName = "lathe.grid";
/// On kernels in buffer form: `affine_map<()[sizes] -> (bytes)>`, per thread.
inline constexpr llvm::StringLiteral scratchAttrName = "lathe.scratch";
/// On kernels in buffer form: what sums up products in it, for people.
inline constexpr llvm::StringLiteral sumsAttrName = "lathe.sums";
/// On kernels: pairs `[result, input]` that may share one buffer.
inline constexpr llvm::StringLiteral inplaceAttrName = "lathe.inplace";
/// On kernels: a dictionary of what is to be decided otherwise than the target's
/// cost model would; each target has its own entries.
inline constexpr llvm::StringLiteral decisionsAttrName = "lathe.decisions";
/// On kernels of which alternatives are asked for: an array that the target's
/// passes append groups to, each an array of values for `lathe.decisions`.
inline constexpr llvm::StringLiteral candidatesAttrName = "lathe.candidates";
/// On kernels: `affine_map<()[sizes] -> (flops, bytes)>`.
inline constexpr llvm::StringLiteral costAttrName = "lathe.cost";

/// On kernels: per input, then per result, `affine_map<()[sizes] -> (dims)>`, the
/// dimensions of the tensor whose strides it has, or unit where it has its own.
inline constexpr llvm::StringLiteral withinAttrName = "lathe.within";

/// On launches after memory planning: per result `#lathe.arena`,
/// `#lathe.growable` or `#lathe.output`, or unit where its place is that of what
/// it lies in, or is yielded by. On the `lathe.concat`s that lie in no other, too.
inline constexpr llvm::StringLiteral storageAttrName = "lathe.storage";
/// On the program after memory planning: per slot `[first, last]`, the first
/// and last op (in program order) that need it.
inline constexpr llvm::StringLiteral slotsAttrName = "lathe.slots";
/// On the program after memory planning: the number of growable slots.
inline constexpr llvm::StringLiteral growablesAttrName = "lathe.growables";
/// On the program where all sizes are static: offsets of the slots, the size
/// of the arena, and the liveness bound below which no plan can go.
inline constexpr llvm::StringLiteral offsetsAttrName = "lathe.offsets";
inline constexpr llvm::StringLiteral arenaBytesAttrName = "lathe.arena_bytes";
inline constexpr llvm::StringLiteral arenaBoundAttrName = "lathe.arena_bound";

/// The value whose bytes a `lathe.view`, or a chain of them, shows; `value`
/// itself where it is none.
mlir::Value getViewedValue(mlir::Value value);

/// The same through `lathe.slice`, too: the value whose memory `value` lies in.
mlir::Value getSlicedValue(mlir::Value value);

/// The use of `value`, or of a view of it, by the `lathe.concat` that it lies
/// in; null where it lies by itself.
mlir::OpOperand *findConcatUse(mlir::Value value);

/// The value whose memory `value` lies in, through views, slices and
/// concatenations.
mlir::Value getStorageRoot(mlir::Value value);

/// Adds what lies in `concat` and is none itself, in order.
void collectParts(ConcatOp concat, llvm::SmallVectorImpl<mlir::Value> &parts);

/// Whether the part has the strides of what it lies in: it is not contiguous
/// there.
bool isStrided(mlir::OpOperand &part);

/// The dimensions of argument `arg` of `kernel`, an input or a result, in
/// memory, as expressions over the kernel's sizes; empty where they are its own.
llvm::ArrayRef<mlir::AffineExpr> getWithin(KernelOp kernel, unsigned arg);

/// The weight that `value` is, directly or behind views of static shape; null
/// where it is none. The steps that make `value` of the weight's tensor are
/// added to `recipe`.
WeightOp findWeight(mlir::Value value,
                    llvm::SmallVectorImpl<mlir::Attribute> &recipe);

/// Bytes of one element in memory; what is narrower than a byte takes one.
int64_t getElementBytes(mlir::Type type);

/// Bytes of a tensor, as far as its type knows: of one element for each point
/// of its static dimensions.
int64_t getKnownBytes(mlir::RankedTensorType type);

/// The type that `recipe` turns a weight of type `type` into; failure with a
/// message through `emitError` where a step does not fit. Elements narrower
/// than a byte, which are packed in the model, are spread to one byte each
/// before the first step, and are `i8` then.
llvm::FailureOr<mlir::RankedTensorType>
applyRecipe(mlir::RankedTensorType type, mlir::ArrayAttr recipe,
            llvm::function_ref<mlir::InFlightDiagnostic()> emitError);

} // namespace lathe

#endif // LATHE_DIALECT_LATHE_IR_LATHE_H
