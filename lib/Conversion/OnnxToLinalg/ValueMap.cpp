// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Maps, labels and categories of ai.onnx.ml.

#include "Families.h"
#include "Values.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Ml.h"
#include "lathe/Dialect/Onnx/IR/MlMap.h"
#include "lathe/Dialect/Onnx/IR/MlModel.h"

using namespace mlir;
using namespace lathe;

/// The list that is there: of numbers or of strings.
static ElementsAttr getList(OpBuilder &b,
                            std::optional<ArrayRef<int64_t>> numbers,
                            std::optional<ArrayAttr> strings) {
  if (strings && !strings->empty())
    return makeStrings(b, *strings);
  return makeInts(b, numbers ? *numbers : ArrayRef<int64_t>());
}

static ElementsAttr getFloats(OpBuilder &b, ArrayRef<float> values) {
  return DenseElementsAttr::get(
      RankedTensorType::get(int64_t(values.size()), b.getF32Type()), values);
}

/// One zero, or empty text, of an element type.
static ElementsAttr getZero(OpBuilder &b, Type element) {
  if (isa<onnx::StringType>(element))
    return makeStrings(b, ArrayRef<StringRef>(""));
  auto type = RankedTensorType::get(1, element);
  return cast<ElementsAttr>(
      cast<Attribute>(DenseElementsAttr::get(type, b.getZeroAttr(element))));
}

/// The positions of the keys in their order, equal ones as they stand.
static ElementsAttr getOrder(OpBuilder &b, ElementsAttr keys) {
  auto order = llvm::to_vector(llvm::seq<int64_t>(0, keys.getNumElements()));
  llvm::sort(order, [&](int64_t i, int64_t j) {
    int sign = compareElements(keys, i, j);
    return sign ? sign < 0 : i < j;
  });
  return makeInts(b, order);
}

static LogicalResult lowerZipMap(onnx::MlZipMapOp op, Lowering &l) {
  if (!isa<RankedTensorType>(op.getX().getType()))
    return l.unsupported("expected a tensor of known rank as input 0");
  return LibraryCall(l, op, "zip_map")
      .operand(0)
      .literal(
          getList(l.b, op.getClasslabelsInt64s(), op.getClasslabelsStrings()))
      .replace();
}

static LogicalResult lowerCastMap(onnx::MlCastMapOp op, Lowering &l) {
  auto map = cast<onnx::MapType>(op.getX().getType());
  auto value = dyn_cast<TensorType>(map.getValue());
  Type from = value ? value.getElementType() : map.getValue();
  Type to = l.resultElement();
  int64_t places =
      op.getMapForm() == "SPARSE" ? static_cast<int64_t>(op.getMaxMap()) : 0;
  if (!map.getKey().isInteger(64))
    return l.unsupported("expected a map with keys of int64");
  if (from == to)
    return LibraryCall(l, op, "map_values")
        .operand(0)
        .literal(getZero(l.b, from))
        .ints(places)
        .replace();
  bool isToText = isa<onnx::StringType>(to),
       isFromText = isa<onnx::StringType>(from);
  if (isToText == isFromText)
    return l.unsupported("expected values of the map that are cast to text or "
                         "from it, or kept");
  auto unranked = UnrankedTensorType::get(from);
  Value values =
      LibraryCall(l, op, "map_values")
          .operand(0)
          .literal(isFromText ? makeStrings(l.b, ArrayRef<StringRef>("0"))
                              : getZero(l.b, from))
          .ints(places)
          .make(unranked);
  LibraryCall cast(l, op, isToText ? "string_from_number" : "string_to_number");
  return cast.value(values, unranked)
      .ints(to.isF32() ? ArrayRef<int64_t>(1) : ArrayRef<int64_t>(0))
      .replace();
}

static LogicalResult lowerDictVectorizer(onnx::MlDictVectorizerOp op,
                                         Lowering &l) {
  return LibraryCall(l, op, "dict_vectorizer")
      .operand(0)
      .literal(getList(l.b, op.getInt64Vocabulary(), op.getStringVocabulary()))
      .literal(getZero(l.b, l.resultElement()))
      .replace();
}

static LogicalResult lowerCategoryMapper(onnx::MlCategoryMapperOp op,
                                         Lowering &l) {
  ElementsAttr numbers = makeInts(
      l.b, op.getCatsInt64s() ? *op.getCatsInt64s() : ArrayRef<int64_t>());
  ElementsAttr strings = op.getCatsStrings()
                             ? makeStrings(l.b, *op.getCatsStrings())
                             : makeStrings(l.b, ArrayRef<StringRef>());
  bool isFromText = isa<onnx::StringType>(l.element(0));
  return LibraryCall(l, op, "look_up")
      .operand(0)
      .literal(isFromText ? strings : numbers)
      .literal(isFromText ? numbers : strings)
      .literal(isFromText
                   ? makeInts(l.b, static_cast<int64_t>(op.getDefaultInt64()))
                   : makeStrings(l.b, op.getDefaultString()))
      .literal(getOrder(l.b, isFromText ? strings : numbers))
      .replace();
}

static LogicalResult lowerLabelEncoder(onnx::MlLabelEncoderOp op, Lowering &l) {
  auto choose = [&](auto floats, auto ints, auto strings,
                    auto tensor) -> ElementsAttr {
    if (floats)
      return getFloats(l.b, *floats);
    if (ints)
      return makeInts(l.b, *ints);
    if (strings)
      return makeStrings(l.b, *strings);
    return *tensor;
  };
  ElementsAttr keys = choose(op.getKeysFloats(), op.getKeysInt64s(),
                             op.getKeysStrings(), op.getKeysTensor());
  ElementsAttr values = choose(op.getValuesFloats(), op.getValuesInt64s(),
                               op.getValuesStrings(), op.getValuesTensor());
  Type element = l.resultElement();
  ElementsAttr standard;
  if (op.getDefaultTensor())
    standard = *op.getDefaultTensor();
  else if (isa<onnx::StringType>(element))
    standard = makeStrings(l.b, op.getDefaultString() ? *op.getDefaultString()
                                                      : "_Unused");
  else if (element.isF32())
    standard = getFloats(l.b, op.getDefaultFloat()
                                  ? op.getDefaultFloat()->convertToFloat()
                                  : -0.0f);
  else if (element.isInteger(64))
    standard = makeInts(l.b, op.getDefaultInt64()
                                 ? static_cast<int64_t>(*op.getDefaultInt64())
                                 : -1);
  else
    return l.unsupported("expected a default_tensor for values of other types "
                         "than strings, int64 and float");
  return LibraryCall(l, op, "look_up")
      .operand(0)
      .literal(keys)
      .literal(values)
      .literal(standard)
      .literal(getOrder(l.b, keys))
      .replace();
}

/// A classifier with text as labels is one with their numbers, which then take
/// the texts. `ints` and `strings` are what the op calls its labels.
static LogicalResult lowerClassifier(Operation *op, Lowering &l, StringRef ints,
                                     StringRef strings) {
  auto labels = op->getAttrOfType<ArrayAttr>(strings);
  auto type = dyn_cast<RankedTensorType>(op->getResult(0).getType());
  if (!labels || !type)
    return l.unsupported("expected texts as class labels");
  OperationState state(op->getLoc(), op->getName(), op->getOperands(),
                       {type.clone(l.b.getI64Type()), op->getResultTypes()[1]},
                       op->getAttrs());
  state.attributes.erase(strings);
  state.attributes.set(ints, l.b.getDenseI64ArrayAttr(llvm::to_vector(
                                 llvm::seq<int64_t>(0, labels.size()))));
  Operation *numbers = l.rewriter.create(state);
  Value texts =
      LibraryCall(l, op, "string_take")
          .value(numbers->getResult(0), numbers->getResult(0).getType())
          .literal(makeStrings(l.b, labels))
          .make(type);
  l.rewriter.replaceOp(op, {texts, numbers->getResult(1)});
  return success();
}

static LogicalResult lowerLinearClassifier(onnx::MlLinearClassifierOp op,
                                           Lowering &l) {
  return lowerClassifier(op, l, "classlabels_ints", "classlabels_strings");
}

static LogicalResult
lowerTreeEnsembleClassifier(onnx::MlTreeEnsembleClassifierOp op, Lowering &l) {
  return lowerClassifier(op, l, "classlabels_int64s", "classlabels_strings");
}

static LogicalResult lowerSVMClassifier(onnx::MlSVMClassifierOp op,
                                        Lowering &l) {
  return lowerClassifier(op, l, "classlabels_ints", "classlabels_strings");
}

void lathe::populateMlMapPatterns(RewritePatternSet &patterns,
                                  const TypeConverter &types) {
  addLowering(patterns, types, lowerZipMap, /*checkTypes=*/false);
  addLowering(patterns, types, lowerCastMap, /*checkTypes=*/false);
  addLowering(patterns, types, lowerDictVectorizer, /*checkTypes=*/false);
  addLowering(patterns, types, lowerCategoryMapper, /*checkTypes=*/false);
  addLowering(patterns, types, lowerLabelEncoder, /*checkTypes=*/false);
  addValueLowering(patterns, types, lowerLinearClassifier);
  addValueLowering(patterns, types, lowerSVMClassifier);
  addValueLowering(patterns, types, lowerTreeEnsembleClassifier);
}
