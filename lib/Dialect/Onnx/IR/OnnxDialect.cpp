// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Onnx/IR/Onnx.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace lathe::onnx;

#include "lathe/Dialect/Onnx/IR/OnnxDialect.cpp.inc"
#include "lathe/Dialect/Onnx/IR/OnnxInterfaces.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "lathe/Dialect/Onnx/IR/OnnxTypes.cpp.inc"

void OnnxDialect::registerTypes() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "lathe/Dialect/Onnx/IR/OnnxTypes.cpp.inc"
      >();
}

void OnnxDialect::initialize() {
  registerTypes();
  registerActivationOps();
  registerContribAttentionOps();
  registerContribOps();
  registerContribQuantOps();
  registerControlOps();
  registerLogicOps();
  registerMathOps();
  registerMlMapOps();
  registerMlModelOps();
  registerMlOps();
  registerNnOps();
  registerQuantOps();
  registerRandomOps();
  registerRecurrentOps();
  registerReduceOps();
  registerSelectOps();
  registerSequenceOps();
  registerSignalOps();
  registerSpatialOps();
  registerTensorOps();
  registerTextOps();
  registerTrainingOps();
}

Operation *OnnxDialect::materializeConstant(OpBuilder &builder, Attribute value,
                                            Type type, Location loc) {
  auto elements = dyn_cast<ElementsAttr>(value);
  if (!elements || elements.getType() != type)
    return nullptr;
  return ConstantOp::create(builder, loc, type, elements);
}

Type lathe::onnx::getUninferredType(MLIRContext *context) {
  return UnrankedTensorType::get(UnknownType::get(context));
}

/// The element types in the order of ONNX's numbers, from 1 on. Null where we
/// have no type.
static SmallVector<Type> getElementTypes(MLIRContext *c) {
  auto signless = [&](unsigned bits) -> Type {
    return IntegerType::get(c, bits);
  };
  auto unsign = [&](unsigned bits) -> Type {
    return IntegerType::get(c, bits, IntegerType::Unsigned);
  };
  return {Float32Type::get(c),
          unsign(8),
          signless(8),
          unsign(16),
          signless(16),
          signless(32),
          signless(64),
          StringType::get(c),
          signless(1),
          Float16Type::get(c),
          Float64Type::get(c),
          unsign(32),
          unsign(64),
          ComplexType::get(Float32Type::get(c)),
          ComplexType::get(Float64Type::get(c)),
          BFloat16Type::get(c),
          Float8E4M3FNType::get(c),
          Float8E4M3FNUZType::get(c),
          Float8E5M2Type::get(c),
          Float8E5M2FNUZType::get(c),
          unsign(4),
          signless(4),
          Float4E2M1FNType::get(c),
          Float8E8M0FNUType::get(c),
          unsign(2),
          signless(2),
          Float6E2M3FNType::get(c),
          Float6E3M2FNType::get(c)};
}

Type lathe::onnx::getElementTypeOf(MLIRContext *context, int64_t dataType) {
  SmallVector<Type> types = getElementTypes(context);
  if (dataType < 1 || dataType > static_cast<int64_t>(types.size()))
    return {};
  return types[dataType - 1];
}

int64_t lathe::onnx::getDataTypeOf(Type elementType) {
  SmallVector<Type> types = getElementTypes(elementType.getContext());
  auto *it = llvm::find(types, elementType);
  return it == types.end() ? 0 : it - types.begin() + 1;
}
