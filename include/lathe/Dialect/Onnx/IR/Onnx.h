// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The `onnx` dialect, its types and interfaces. The ops stand in one header
// per family beside this one (Math.h, Logic.h, Reduce.h, Nn.h, Tensor.h,
// Recurrent.h, Control.h, Ml.h), so that a change rebuilds little.
//
// How ops are built before their types are known:
//  - Whoever creates an op gives *every result* the type `getUninferredType()`,
//    which is `tensor<*x!onnx.unknown>`. Every operand and result constraint of
//    the dialect admits it, so such IR verifies.
//  - A function (or sub-graph) returns values of that type as they are: its
//    result types are the types of the returned values.
//  - `inferShapes(func)`, or the pass `onnx-infer-shapes` which is the same,
//    sets the types of all results, of the function's results, and of the block
//    arguments of sub-graphs. What is left of `!onnx.unknown` after it is an
//    error on the node.
//  - Function arguments have the types that the model declares: ranked with
//  `?`,
//    or unranked where the model gives no shape. Block arguments of sub-graphs
//    (Loop, Scan) may be created with `getUninferredType()`.
//  - An omitted optional operand is the value of `onnx.None`, of type `none`.
//    All results are always present, used or not.
//  - `onnx.Constant` may be created with its `value`'s type at once.

#ifndef LATHE_DIALECT_ONNX_IR_ONNX_H
#define LATHE_DIALECT_ONNX_IR_ONNX_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

namespace mlir::func {
class FuncOp;
} // namespace mlir::func

namespace lathe::onnx {
class ShapeContext;

/// The type of a result that nobody has inferred yet:
/// `tensor<*x!onnx.unknown>`.
mlir::Type getUninferredType(mlir::MLIRContext *context);

/// The element type of ONNX's `TensorProto.DataType` number `dataType`: bool is
/// `i1`, signed integers are signless, unsigned ones `ui8`…, strings are
/// `!onnx.string`. Null for a number that is no type of ONNX.
mlir::Type getElementTypeOf(mlir::MLIRContext *context, int64_t dataType);

/// The opposite of `getElementTypeOf`; 0 where ONNX has no such type.
int64_t getDataTypeOf(mlir::Type elementType);

/// What an op says of its operator (`OperatorSchemaOpInterface`).
struct OperatorSchema {
  enum class Arity { Single, Optional, Variadic };
  enum class AttributeType { Float, Int, String, Floats, Ints, Strings };
  struct Parameter {
    llvm::StringRef name;
    Arity arity;
  };
  struct Attribute {
    llvm::StringRef name;
    AttributeType type;
    bool isRequired;
  };
  llvm::SmallVector<Parameter> inputs, results;
  llvm::SmallVector<Attribute> attributes;

  /// Adds an attribute that an op stores as `AttrTy`.
  template <typename AttrTy>
  void addAttribute(llvm::StringRef name, bool isRequired) {
    attributes.push_back({name, getTypeOf<AttrTy>(), isRequired});
  }

private:
  template <typename AttrTy> static constexpr AttributeType getTypeOf() {
    if constexpr (std::is_same_v<AttrTy, mlir::FloatAttr>)
      return AttributeType::Float;
    else if constexpr (std::is_same_v<AttrTy, mlir::IntegerAttr>)
      return AttributeType::Int;
    else if constexpr (std::is_same_v<AttrTy, mlir::StringAttr>)
      return AttributeType::String;
    else if constexpr (std::is_same_v<AttrTy, mlir::DenseF32ArrayAttr>)
      return AttributeType::Floats;
    else if constexpr (std::is_same_v<AttrTy, mlir::DenseI64ArrayAttr>)
      return AttributeType::Ints;
    else
      return AttributeType::Strings;
  }
};

/// Whether `value` stands for an omitted optional input.
inline bool isOmitted(mlir::Value value) {
  return mlir::isa<mlir::NoneType>(value.getType());
}

/// Trait of ops that give their first operand another shape or order and leave
/// its elements alone. Done to a weight they are steps of its recipe.
template <typename ConcreteOp>
class RearrangesOperand
    : public mlir::OpTrait::TraitBase<ConcreteOp, RearrangesOperand> {};

/// Infers the types of all results in `func`, in its sub-graphs, and the result
/// types of `func` itself. Reports what is contradictory on the node.
mlir::LogicalResult inferShapes(mlir::func::FuncOp func);
} // namespace lathe::onnx

#define GET_TYPEDEF_CLASSES
#include "lathe/Dialect/Onnx/IR/OnnxTypes.h.inc"

#include "lathe/Dialect/Onnx/IR/OnnxDialect.h.inc"
#include "lathe/Dialect/Onnx/IR/OnnxInterfaces.h.inc"

#endif // LATHE_DIALECT_ONNX_IR_ONNX_H
