// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Onnx/IR/MlMap.h"
#include "Rules.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/MlMap.cpp.inc"

void OnnxDialect::registerMlMapOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/MlMap.cpp.inc"
      >();
}

/// How many there are in two lists of which one is to be there and not empty.
static FailureOr<int64_t> getOnlyCount(ShapeContext &ctx,
                                       std::optional<ArrayRef<int64_t>> ints,
                                       std::optional<ArrayAttr> strings,
                                       StringRef what) {
  int64_t numInts = ints ? ints->size() : 0;
  int64_t numStrings = strings ? strings->size() : 0;
  if ((numInts == 0) == (numStrings == 0)) {
    ctx.emitError() << "expects " << what << " as numbers or as strings, got "
                    << (numInts ? "both" : "neither");
    return failure();
  }
  return numInts + numStrings;
}

LogicalResult MlZipMapOp::inferShapes(ShapeContext &ctx) {
  auto labels = getOnlyCount(ctx, getClasslabelsInt64s(),
                             getClasslabelsStrings(), "class labels");
  if (failed(labels))
    return failure();
  bool isText = getClasslabelsStrings() && !getClasslabelsStrings()->empty();
  int64_t rows = -1;
  const TensorInfo &x = ctx.operand(0);
  if (x.dims) {
    if (x.getRank() != 1 && x.getRank() != 2)
      return ctx.emitError()
             << "expects operand #0 of rank 1 or 2, got rank " << x.getRank();
    if (!ctx.assumeEqual(x.dims->back(), ctx.constant(*labels)))
      return ctx.emitError()
             << "expects " << *labels << " columns, got " << x.dims->back();
    rows = x.getRank() == 1 ? 1 : getConstant(x.dims->front()).value_or(-1);
  }
  MLIRContext *context = ctx.getContext();
  Type key =
      isText ? Type(StringType::get(context)) : IntegerType::get(context, 64);
  Type map = MapType::get(context, key,
                          RankedTensorType::get({}, Float32Type::get(context)));
  ctx.result(0).valueType = SequenceType::get(context, map, rows);
  return success();
}

/// The map in operand 0; null where it is not known.
static FailureOr<MapType> getMap(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  auto map = dyn_cast_or_null<MapType>(x.valueType);
  if (!map && (x.valueType || x.elementType)) {
    ctx.emitError() << "expects a map as operand #0, got "
                    << x.getType(ctx.getContext());
    return failure();
  }
  return map;
}

LogicalResult MlCastMapOp::inferShapes(ShapeContext &ctx) {
  auto map = getMap(ctx);
  if (failed(map))
    return failure();
  TensorInfo &y = ctx.result(0);
  MLIRContext *context = ctx.getContext();
  y.elementType = getCastTo() == "TO_FLOAT" ? Type(Float32Type::get(context))
                  : getCastTo() == "TO_INT64"
                      ? Type(IntegerType::get(context, 64))
                      : Type(StringType::get(context));
  int64_t size = static_cast<int64_t>(getMaxMap());
  bool isSparse = getMapForm() == "SPARSE";
  if (isSparse && size < 1)
    return ctx.emitError() << "expects a positive max_map, got " << size;
  y.dims = Dims{ctx.constant(1), isSparse ? ctx.constant(size) : ctx.fresh(0)};
  return success();
}

LogicalResult MlDictVectorizerOp::inferShapes(ShapeContext &ctx) {
  auto map = getMap(ctx);
  auto words = getOnlyCount(ctx, getInt64Vocabulary(), getStringVocabulary(),
                            "a vocabulary");
  if (failed(map) || failed(words))
    return failure();
  if (!*map)
    return success();
  bool isText = getStringVocabulary() && !getStringVocabulary()->empty();
  if (isa<StringType>((*map).getKey()) != isText)
    return ctx.emitError() << "expects a vocabulary of the keys' kind, got "
                           << (isText ? "strings" : "numbers") << " for "
                           << (*map).getKey();
  TensorInfo &y = ctx.result(0);
  auto value = dyn_cast<TensorType>((*map).getValue());
  y.elementType = value ? value.getElementType() : (*map).getValue();
  y.dims = Dims{ctx.constant(1), ctx.constant(*words)};
  return success();
}

LogicalResult MlCategoryMapperOp::inferShapes(ShapeContext &ctx) {
  size_t numbers = getCatsInt64s() ? getCatsInt64s()->size() : 0;
  size_t strings = getCatsStrings() ? getCatsStrings()->size() : 0;
  if (numbers != strings)
    return ctx.emitError() << "expects lists of one length, got " << numbers
                           << " numbers and " << strings << " strings";
  const TensorInfo &x = ctx.operand(0);
  MLIRContext *context = ctx.getContext();
  ctx.result(0).dims = x.dims;
  if (x.elementType)
    ctx.result(0).elementType = isa<StringType>(x.elementType)
                                    ? Type(IntegerType::get(context, 64))
                                    : Type(StringType::get(context));
  return success();
}

LogicalResult MlLabelEncoderOp::inferShapes(ShapeContext &ctx) {
  MLIRContext *context = ctx.getContext();
  struct List {
    Type element;
    int64_t size;
  };
  auto read = [&](auto floats, auto ints, auto strings, auto tensor,
                  StringRef what) -> FailureOr<List> {
    SmallVector<List> lists;
    if (floats)
      lists.push_back({Float32Type::get(context), (int64_t)floats->size()});
    if (ints)
      lists.push_back({IntegerType::get(context, 64), (int64_t)ints->size()});
    if (strings)
      lists.push_back({StringType::get(context), (int64_t)strings->size()});
    if (tensor)
      lists.push_back({tensor->getElementType(), tensor->getNumElements()});
    if (lists.size() == 1)
      return lists.front();
    ctx.emitError() << "expects one list of " << what << ", got "
                    << lists.size();
    return failure();
  };
  auto keys = read(getKeysFloats(), getKeysInt64s(), getKeysStrings(),
                   getKeysTensor(), "keys");
  auto values = read(getValuesFloats(), getValuesInt64s(), getValuesStrings(),
                     getValuesTensor(), "values");
  if (failed(keys) || failed(values))
    return failure();
  if (keys->size != values->size)
    return ctx.emitError() << "expects lists of one length, got " << keys->size
                           << " keys and " << values->size << " values";
  const TensorInfo &x = ctx.operand(0);
  if (x.elementType && x.elementType != keys->element)
    return ctx.emitError() << "expects keys of type " << x.elementType
                           << ", got " << keys->element;
  if (auto standard = getDefaultTensor();
      standard && (standard->getElementType() != values->element ||
                   standard->getNumElements() != 1))
    return ctx.emitError() << "expects a default of one element of type "
                           << values->element << ", got "
                           << standard->getType();
  ctx.result(0).dims = x.dims;
  ctx.result(0).elementType = values->element;
  return success();
}
