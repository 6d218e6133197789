// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Values.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Onnx.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include <cmath>

using namespace mlir;
using namespace lathe;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

void lathe::populateValueTypes(TypeConverter &types) {
  auto toValue = [](Type type) -> Type {
    return ValueType::get(type.getContext());
  };
  types.addConversion([=](onnx::SequenceType type) { return toValue(type); });
  types.addConversion([=](onnx::MapType type) { return toValue(type); });
  types.addConversion([=](onnx::OptionalType type) { return toValue(type); });
  types.addConversion([=](UnrankedTensorType type) { return toValue(type); });
  types.addConversion([=](RankedTensorType type) -> std::optional<Type> {
    if (isa<onnx::StringType>(type.getElementType()))
      return toValue(type);
    return std::nullopt;
  });
}

/// The name of an element type in ONNX's type strings.
static std::string getElementText(Type type) {
  if (isa<onnx::StringType>(type))
    return "string";
  if (type.isF32())
    return "float";
  if (type.isF64())
    return "double";
  if (type.isF16())
    return "float16";
  if (type.isBF16())
    return "bfloat16";
  if (type.isInteger(1))
    return "bool";
  if (auto complex = dyn_cast<ComplexType>(type))
    return complex.getElementType().isF32() ? "complex64" : "complex128";
  if (auto integer = dyn_cast<IntegerType>(type))
    return (integer.isUnsigned() ? "uint" : "int") +
           std::to_string(integer.getWidth());
  if (isa<Float8E8M0FNUType>(type))
    return "float8e8m0";
  // Like f8E4M3FN, which ONNX writes float8e4m3fn.
  std::string text;
  llvm::raw_string_ostream(text) << type;
  return isa<FloatType>(type) ? "float" + StringRef(text).drop_front().lower()
                              : text;
}

std::string lathe::getTypeText(Type type) {
  if (auto sequence = dyn_cast<onnx::SequenceType>(type))
    return "seq(" + getTypeText(sequence.getElement()) + ")";
  if (auto optional = dyn_cast<onnx::OptionalType>(type))
    return "optional(" + getTypeText(optional.getElement()) + ")";
  if (auto map = dyn_cast<onnx::MapType>(type))
    return "map(" + getElementText(map.getKey()) + "," +
           getTypeText(map.getValue()) + ")";
  if (auto tensor = dyn_cast<TensorType>(type))
    return "tensor(" + getElementText(tensor.getElementType()) + ")";
  return getElementText(type);
}

bool lathe::usesValues(Operation *op, const TypeConverter &types) {
  auto isValue = [&](Type type) {
    return isa_and_present<ValueType>(types.convertType(type));
  };
  return llvm::any_of(op->getOperandTypes(), isValue) ||
         llvm::any_of(op->getResultTypes(), isValue);
}

//===----------------------------------------------------------------------===//
// Literals
//===----------------------------------------------------------------------===//

Value lathe::makeLiteral(Lowering &l, Attribute value) {
  return LiteralOp::create(l.b, ValueType::get(l.b.getContext()),
                           value ? value : Attribute(l.b.getUnitAttr()));
}

ElementsAttr lathe::makeStrings(OpBuilder &b, ArrayRef<StringRef> strings) {
  auto type = RankedTensorType::get(int64_t(strings.size()),
                                    onnx::StringType::get(b.getContext()));
  return cast<ElementsAttr>(DenseElementsAttr::get(type, strings));
}

ElementsAttr lathe::makeStrings(OpBuilder &b, ArrayAttr strings) {
  return makeStrings(b, llvm::to_vector(strings.getAsValueRange<StringAttr>()));
}

ElementsAttr lathe::makeInts(OpBuilder &b, ArrayRef<int64_t> values) {
  return b.getI64TensorAttr(values);
}

int lathe::compareElements(ElementsAttr list, int64_t i, int64_t j) {
  auto sign = [](auto a, auto b) { return (a > b) - (a < b); };
  if (auto texts = dyn_cast<DenseStringElementsAttr>(list))
    return texts.isSplat() ? 0
                           : texts.getRawStringData()[i].compare(
                                 texts.getRawStringData()[j]);
  auto dense = dyn_cast<DenseElementsAttr>(list);
  if (dense && dense.isSplat())
    return 0;
  ArrayRef<char> bytes = dense ? dense.getRawData()
                               : cast<DenseResourceElementsAttr>(list)
                                     .getRawHandle()
                                     .getBlob()
                                     ->getData();
  Type element = list.getElementType();
  unsigned bits = element.getIntOrFloatBitWidth();
  auto read = [&](int64_t at) {
    uint64_t value = 0;
    std::memcpy(&value, bytes.data() + at * (bits / 8), bits / 8);
    return value;
  };
  if (auto type = dyn_cast<FloatType>(element)) {
    auto toDouble = [&](int64_t at) {
      APFloat value(type.getFloatSemantics(), APInt(bits, read(at)));
      bool lost;
      value.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven, &lost);
      return value.convertToDouble();
    };
    double a = toDouble(i), b = toDouble(j);
    return std::isnan(a) || std::isnan(b) ? sign(std::isnan(a), std::isnan(b))
                                          : sign(a, b);
  }
  return sign(llvm::SignExtend64(read(i), bits),
              llvm::SignExtend64(read(j), bits));
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

LibraryCall &LibraryCall::operand(unsigned i) {
  if (!l.has(i))
    return literal({});
  return value(l.value(i), op->getOperand(i).getType());
}

LibraryCall &LibraryCall::value(Value value, Type type) {
  bool isValue = isa<ValueType>(value.getType());
  inputs.push_back(value);
  types.push_back(isValue ? Type(l.b.getNoneType())
                          : cast<TensorType>(type).getElementType());
  return *this;
}

LibraryCall &LibraryCall::literal(Attribute value) {
  inputs.push_back(makeLiteral(l, value));
  types.push_back(l.b.getNoneType());
  return *this;
}

LibraryCall &LibraryCall::ints(ArrayRef<int64_t> values) {
  numbers.append(values.begin(), values.end());
  return *this;
}

LibraryCall &LibraryCall::size(OpFoldResult size) {
  sizes.push_back(l.toValue(size));
  return *this;
}

LogicalResult LibraryCall::checkTensor(Type type) {
  Type element = cast<TensorType>(type).getElementType();
  if (isNarrow(element) && element.getIntOrFloatBitWidth() < 8)
    return l.unsupported("expected elements of whole bytes beside values");
  return success();
}

Operation *LibraryCall::create(TypeRange results, ValueRange dims,
                               TypeRange resultTypes) {
  SmallVector<Type> all(types);
  llvm::append_range(all, resultTypes);
  return CallOp::create(l.b, results, function, inputs, sizes, dims, numbers,
                        l.b.getTypeArrayAttr(all));
}

Value LibraryCall::make(Type type) {
  Type converted = l.types.convertType(type);
  bool isValue = isa<ValueType>(converted);
  return create(converted, {},
                isValue ? Type(l.b.getNoneType())
                        : cast<TensorType>(type).getElementType())
      ->getResult(0);
}

/// Whether a size of result `i` depends on data.
static bool dependsOnData(DimBuilder &dims, unsigned i) {
  AffineMap map = dims.getResultMap(i);
  if (!map)
    return false;
  for (unsigned s = 0; s < map.getNumSymbols(); ++s)
    if (map.isFunctionOfSymbol(s) && !dims.isEntrySymbol(s))
      return true;
  return false;
}

LogicalResult LibraryCall::replace() {
  DimBuilder known(l.b, op);
  Type value = ValueType::get(l.b.getContext());
  for (unsigned i = 0, e = op->getNumOperands(); i != e; ++i)
    if (l.has(i) && isa<RankedTensorType>(l.value(i).getType()) &&
        failed(checkTensor(op->getOperand(i).getType())))
      return failure();
  SmallVector<Type> results, elements;
  SmallVector<Value> dims;
  SmallVector<bool> binds;
  for (OpResult result : op->getResults()) {
    unsigned i = result.getResultNumber();
    Type type = l.types.convertType(result.getType());
    auto tensor = dyn_cast<RankedTensorType>(type);
    if (tensor && failed(checkTensor(result.getType())))
      return failure();
    binds.push_back(tensor &&
                    (!known.knowsResult(i) || dependsOnData(known, i)));
    if (binds.back() && !known.knowsResult(i))
      return l.unsupported("expected known sizes of output " + Twine(i));
    // What nobody reads needs no place.
    bool isValue = !tensor || binds.back() || result.use_empty();
    results.push_back(isValue ? value : type);
    elements.push_back(
        isValue ? Type(l.b.getNoneType())
                : cast<TensorType>(result.getType()).getElementType());
    binds.back() &= !result.use_empty();
    if (isValue)
      continue;
    for (OpFoldResult size : l.resultDims(i))
      if (auto dynamic = dyn_cast<Value>(size))
        dims.push_back(dynamic);
  }
  Operation *call = create(results, dims, elements);
  SmallVector<Value> made(call->getResults());
  for (auto [i, bind] : llvm::enumerate(binds)) {
    auto tensor = dyn_cast<RankedTensorType>(
        l.types.convertType(op->getResult(i).getType()));
    if (!bind) {
      if (tensor && isa<ValueType>(made[i].getType()))
        made[i] = l.empty(l.resultDims(i), tensor.getElementType());
      continue;
    }
    for (int64_t d = 0; d < tensor.getRank(); ++d)
      if (tensor.isDynamicDim(d))
        l.bindDim(i, d,
                  ValueSizeOp::create(l.b, l.b.getIndexType(), made[i], d));
    made[i] = convertValue(l, made[i], op->getResult(i).getType(),
                           op->getResult(i).getType(), l.resultDims(i));
  }
  return l.replace(made);
}

Value lathe::convertValue(Lowering &l, Value value, Type from, Type to,
                          DimsRef dims) {
  auto tensor = dyn_cast<RankedTensorType>(l.types.convertType(to));
  bool isValue = isa<ValueType>(value.getType());
  if (isValue == !tensor)
    return value;
  Type none = l.b.getNoneType();
  SmallVector<Value> dynamic;
  if (tensor)
    for (OpFoldResult size : dims)
      if (auto index = dyn_cast<Value>(size))
        dynamic.push_back(index);
  SmallVector<Type> types = {
      isValue ? none : cast<TensorType>(from).getElementType(),
      tensor ? cast<TensorType>(to).getElementType() : none};
  Type result = tensor ? Type(tensor) : ValueType::get(l.b.getContext());
  if (tensor) {
    SmallVector<int64_t> shape;
    SmallVector<Value> sizes;
    dispatchIndexOpFoldResults(dims, sizes, shape);
    result = tensor.clone(shape);
  }
  return CallOp::create(l.b, result, "identity", value, ValueRange(), dynamic,
                        ArrayRef<int64_t>(), l.b.getTypeArrayAttr(types))
      .getResult(0);
}
