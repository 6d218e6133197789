// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "lathe/Dialect/Onnx/IR/Text.h"
#include "Rules.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/Text.cpp.inc"

void OnnxDialect::registerTextOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/Text.cpp.inc"
      >();
}

LogicalResult StringSplitOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  ctx.result(0).elementType = StringType::get(ctx.getContext());
  ctx.result(1).elementType = IntegerType::get(ctx.getContext(), 64);
  ctx.result(0).dims = ctx.result(1).dims = x.dims;
  if (x.dims)
    ctx.result(0).dims->push_back(ctx.fresh(0));
  return success();
}

LogicalResult StringNormalizerOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  TensorInfo &y = ctx.result(0);
  y.elementType = StringType::get(ctx.getContext());
  if (!x.dims)
    return success();
  if (x.getRank() != 1 && x.getRank() != 2)
    return ctx.emitError() << "expects operand #0 of rank 1 or 2, got rank "
                           << x.getRank();
  y.dims = x.dims;
  if (x.getRank() == 2 && !ctx.assumeEqual(x.dims->front(), ctx.constant(1)))
    return ctx.emitError() << "expects a first size of 1, got "
                           << x.dims->front();
  // Without words to remove only an empty text can appear, where there are
  // none.
  auto words = getStopwords();
  if ((words && !words->empty()) || !isPositive(x.dims->back()))
    y.dims->back() = ctx.fresh(0);
  return success();
}

LogicalResult TfIdfVectorizerOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  auto numbers = getPoolInt64s();
  auto strings = getPoolStrings();
  if (numbers.has_value() == strings.has_value())
    return ctx.emitError()
           << "expects one of pool_int64s and pool_strings, got "
           << (numbers ? "both" : "neither");
  if (x.elementType && isa<StringType>(x.elementType) != strings.has_value())
    return ctx.emitError() << "expects a pool of the operand's type, got "
                           << (strings ? "strings" : "numbers") << " for "
                           << x.elementType;
  int64_t size = strings ? strings->size() : numbers->size();
  ArrayRef<int64_t> counts = getNgramCounts();
  int64_t before = 0, ngrams = 0;
  for (auto [i, begin] : llvm::enumerate(counts)) {
    int64_t end = i + 1 < counts.size() ? counts[i + 1] : size;
    int64_t length = static_cast<int64_t>(i) + 1;
    if (begin < before || end < begin || end > size ||
        (end - begin) % length != 0)
      return ctx.emitError()
             << "expects ngram_counts to be rising positions of whole n-grams "
                "in a pool of "
             << size << ", got " << begin << " for length " << length;
    ngrams += (end - begin) / length;
    before = begin;
  }
  if (static_cast<int64_t>(getNgramIndexes().size()) != ngrams)
    return ctx.emitError() << "expects " << ngrams << " ngram_indexes, got "
                           << getNgramIndexes().size();
  if (auto weights = getWeights();
      weights && !weights->empty() &&
      static_cast<int64_t>(weights->size()) != ngrams)
    return ctx.emitError() << "expects " << ngrams << " weights, got "
                           << weights->size();
  int64_t columns = 0;
  for (int64_t index : getNgramIndexes()) {
    if (index < 0 || index >= (int64_t(1) << 31))
      return ctx.emitError()
             << "expects ngram_indexes in [0, 2147483648), got " << index;
    columns = std::max(columns, index + 1);
  }
  int64_t least = static_cast<int64_t>(getMinGramLength()),
          most = static_cast<int64_t>(getMaxGramLength());
  if (least < 1 || most < least || static_cast<int64_t>(getMaxSkipCount()) < 0)
    return ctx.emitError() << "expects lengths of n-grams in order and from 1 "
                              "on, got "
                           << least << " to " << most;
  TensorInfo &y = ctx.result(0);
  y.elementType = Float32Type::get(ctx.getContext());
  if (!x.dims)
    return success();
  if (x.getRank() != 1 && x.getRank() != 2)
    return ctx.emitError() << "expects operand #0 of rank 1 or 2, got rank "
                           << x.getRank();
  y.dims.emplace();
  if (x.getRank() == 2)
    y.dims->push_back(x.dims->front());
  y.dims->push_back(ctx.constant(columns));
  return success();
}
