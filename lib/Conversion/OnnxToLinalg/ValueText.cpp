// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text. What only moves elements is done on their positions, by the lowerings
// for numbers; the strings are then taken from there. A position has the number
// of the tensor it belongs to in its upper bits.

#include "Families.h"
#include "Regex.h"
#include "Values.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Logic.h"
#include "lathe/Dialect/Onnx/IR/Ml.h"
#include "lathe/Dialect/Onnx/IR/Select.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "lathe/Dialect/Onnx/IR/Text.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace lathe;

//===----------------------------------------------------------------------===//
// Operators on text
//===----------------------------------------------------------------------===//

static LogicalResult lowerConcat(onnx::StringConcatOp op, Lowering &l) {
  return LibraryCall(l, op, "string_concat").operand(0).operand(1).replace();
}

static LogicalResult lowerSplit(onnx::StringSplitOp op, Lowering &l) {
  return LibraryCall(l, op, "string_split")
      .operand(0)
      .literal(makeStrings(l.b, op.getDelimiter() ? *op.getDelimiter() : ""))
      .ints(op.getMaxsplit() ? static_cast<int64_t>(*op.getMaxsplit()) : -1)
      .replace();
}

static LogicalResult lowerRegex(onnx::RegexFullMatchOp op, Lowering &l) {
  RegexProgram program;
  StringRef pattern = op.getPattern() ? *op.getPattern() : "";
  std::string error = compileRegex(pattern, program);
  if (!error.empty())
    return l.unsupported(error + ", in the pattern '" + pattern + "'");
  return LibraryCall(l, op, "regex_full_match")
      .operand(0)
      .literal(makeInts(l.b, program.code))
      .literal(makeInts(l.b, program.ranges))
      .replace();
}

static LogicalResult lowerNormalizer(onnx::StringNormalizerOp op, Lowering &l) {
  StringRef action = op.getCaseChangeAction();
  LibraryCall call(l, op, "string_normalizer");
  call.operand(0).literal(op.getStopwords()
                              ? Attribute(makeStrings(l.b, *op.getStopwords()))
                              : Attribute());
  return call
      .ints({action == "LOWER"   ? 1
             : action == "UPPER" ? 2
                                 : 0,
             static_cast<int64_t>(op.getIsCaseSensitive())})
      .replace();
}

/// The n-grams of a pool, sorted length by length; those of each length begin
/// where `counts` says.
static SmallVector<int64_t> sortNgrams(ElementsAttr pool,
                                       ArrayRef<int64_t> counts) {
  SmallVector<int64_t> starts, order;
  for (auto [i, begin] : llvm::enumerate(counts)) {
    int64_t length = i + 1, first = starts.size();
    int64_t end = i + 1 < counts.size() ? counts[i + 1] : pool.getNumElements();
    for (int64_t at = begin; at < end; at += length) {
      order.push_back(starts.size());
      starts.push_back(at);
    }
    std::sort(order.begin() + first, order.end(), [&](int64_t a, int64_t b) {
      int sign = 0;
      for (int64_t k = 0; k < length && !sign; ++k)
        sign = compareElements(pool, starts[a] + k, starts[b] + k);
      return sign ? sign < 0 : a < b;
    });
  }
  return order;
}

static LogicalResult lowerTfIdf(onnx::TfIdfVectorizerOp op, Lowering &l) {
  StringRef mode = op.getMode();
  ElementsAttr pool = op.getPoolStrings()
                          ? makeStrings(l.b, *op.getPoolStrings())
                          : makeInts(l.b, *op.getPoolInt64s());
  int64_t columns = 0;
  for (int64_t index : op.getNgramIndexes())
    columns = std::max(columns, index + 1);
  Attribute weights;
  if (op.getWeights() && !op.getWeights()->empty())
    weights = DenseElementsAttr::get(
        RankedTensorType::get(int64_t(op.getWeights()->size()),
                              l.b.getF32Type()),
        *op.getWeights());
  return LibraryCall(l, op, "tf_idf")
      .operand(0)
      .literal(pool)
      .literal(makeInts(l.b, op.getNgramCounts()))
      .literal(makeInts(l.b, op.getNgramIndexes()))
      .literal(weights)
      .literal(makeInts(l.b, sortNgrams(pool, op.getNgramCounts())))
      .ints({static_cast<int64_t>(op.getMinGramLength()),
             static_cast<int64_t>(op.getMaxGramLength()),
             static_cast<int64_t>(op.getMaxSkipCount()),
             mode == "TF"    ? 0
             : mode == "IDF" ? 1
                             : 2,
             columns})
      .replace();
}

static LogicalResult lowerUnique(onnx::UniqueOp op, Lowering &l) {
  auto type = dyn_cast<RankedTensorType>(op.getX().getType());
  if (!type || (op.getAxis() && type.getRank() != 1))
    return l.unsupported("expected a vector of text, or no axis");
  return LibraryCall(l, op, "string_unique")
      .operand(0)
      .ints(static_cast<int64_t>(op.getSorted()))
      .replace();
}

static LogicalResult lowerEqual(onnx::EqualOp op, Lowering &l) {
  return LibraryCall(l, op, "string_equal").operand(0).operand(1).replace();
}

static LogicalResult lowerConstant(onnx::ConstantOp op, Lowering &l) {
  return l.replace(makeLiteral(l, op.getValue()));
}

//===----------------------------------------------------------------------===//
// Numbers from text and back
//===----------------------------------------------------------------------===//

/// `tensor` with elements of another type.
static Value castElements(Lowering &l, Value tensor, Type from, Type to,
                          DimsRef dims) {
  if (from == to)
    return tensor;
  return l.elementwise(Operand{tensor, from}, dims, to,
                       [&](ImplicitLocOpBuilder &b, ValueRange x) {
                         return castScalar(b, x[0], from, to);
                       });
}

static LogicalResult lowerCast(onnx::CastOp op, Lowering &l) {
  auto from = dyn_cast<RankedTensorType>(op.getInput().getType());
  auto to = dyn_cast<RankedTensorType>(op.getOutput().getType());
  if (!from || !to)
    return l.unsupported("expected a tensor of known rank as input 0");
  Type text = onnx::StringType::get(l.b.getContext());
  if (from.getElementType() == text && to.getElementType() == text)
    return l.replace(l.value(0));
  auto isNumber = [&](Type type) {
    return type.isIntOrFloat() && !isNarrow(type);
  };
  if (to.getElementType() == text) {
    Type element = from.getElementType();
    if (!isNumber(element))
      return l.unsupported("expected numbers of 8 to 64 bits as input 0");
    LibraryCall call(l, op, "string_from_number");
    bool isShort = element.isF16() || element.isBF16();
    Type shown = isShort ? Type(l.b.getF32Type()) : element;
    call.value(castElements(l, l.value(0), element, shown, l.dims(0)),
               from.clone(shown));
    return call.replace();
  }
  Type element = to.getElementType();
  if (!isNumber(element))
    return l.unsupported("expected numbers of 8 to 64 bits as output 0");
  Type read = isa<IntegerType>(element) ? Type(l.b.getI64Type())
              : element.isF64()         ? Type(l.b.getF64Type())
                                        : Type(l.b.getF32Type());
  auto readType = to.clone(read);
  Dims dims = l.resultDims();
  SmallVector<Value> dynamic;
  for (OpFoldResult size : dims)
    if (auto index = dyn_cast<Value>(size))
      dynamic.push_back(index);
  SmallVector<Type> types = {l.b.getNoneType(), read};
  SmallVector<int64_t> ints = {isa<IntegerType>(element) ? 0
                               : element.isF64()         ? 2
                                                         : 1};
  Value made =
      CallOp::create(l.b, TypeRange(readType), "string_to_number", l.value(0),
                     ValueRange(), dynamic, ints, l.b.getTypeArrayAttr(types))
          .getResult(0);
  return l.replace(castElements(l, made, read, element, dims));
}

//===----------------------------------------------------------------------===//
// Moving text
//===----------------------------------------------------------------------===//

/// The positions of the elements of a tensor of `dims`, the `source`-th.
static Value makePositions(Lowering &l, DimsRef dims, int64_t source) {
  Type i64 = l.b.getI64Type();
  Value row = l.elementwise({}, l.product(dims), i64,
                            [&](ImplicitLocOpBuilder &b, ValueRange) -> Value {
                              Value at = arith::IndexCastOp::create(
                                  b, i64, Value(linalg::IndexOp::create(b, 0)));
                              Value base = arith::ConstantOp::create(
                                  b, b.getI64IntegerAttr(source << 48));
                              return arith::AddIOp::create(b, at, base);
                            });
  return l.view(row, dims);
}

/// Moves positions by the lowering of the op itself.
template <typename OpTy>
static LogicalResult lowerMoving(OpTy op, Lowering &l) {
  DimBuilder known(l.b, op);
  Type i64 = l.b.getI64Type();
  auto isText = [](Type type) {
    auto tensor = dyn_cast<TensorType>(type);
    return tensor && isa<onnx::StringType>(tensor.getElementType());
  };
  SmallVector<Value> operands, texts;
  for (unsigned i = 0, e = op->getNumOperands(); i != e; ++i) {
    Type type = op->getOperand(i).getType();
    if (!isText(type)) {
      operands.push_back(op->getOperand(i));
      continue;
    }
    if (!known.knowsOperand(i))
      return l.unsupported("expected known sizes of input " + Twine(i));
    operands.push_back(makePositions(l, l.dims(i), texts.size()));
    texts.push_back(l.value(i));
  }
  OperationState state(op->getLoc(), op->getName());
  state.addOperands(operands);
  state.addAttributes(op->getAttrs());
  for (Type type : op->getResultTypes()) {
    if (isText(type) && !isa<RankedTensorType>(type))
      return l.unsupported("expected a tensor of known rank as output 0");
    state.addTypes(isText(type) ? cast<RankedTensorType>(type).clone(i64)
                                : type);
  }
  Operation *moved = l.rewriter.create(state);
  SmallVector<Value> results;
  for (auto [made, result] :
       llvm::zip_equal(moved->getResults(), op->getResults())) {
    if (!isText(result.getType())) {
      results.push_back(made);
      continue;
    }
    LibraryCall call(l, op, "string_take");
    call.value(made, made.getType());
    for (Value text : texts)
      call.value(text, {});
    results.push_back(call.make(result.getType()));
  }
  l.rewriter.replaceOp(op, results);
  return success();
}

void lathe::populateTextPatterns(RewritePatternSet &patterns,
                                 const TypeConverter &types) {
  addLowering(patterns, types, lowerConcat, /*checkTypes=*/false);
  addLowering(patterns, types, lowerSplit, /*checkTypes=*/false);
  addLowering(patterns, types, lowerRegex, /*checkTypes=*/false);
  addLowering(patterns, types, lowerNormalizer, /*checkTypes=*/false);
  addLowering(patterns, types, lowerTfIdf, /*checkTypes=*/false);
  addValueLowering(patterns, types, lowerCast);
  addValueLowering(patterns, types, lowerConstant);
  addValueLowering(patterns, types, lowerEqual);
  addValueLowering(patterns, types, lowerUnique);
  addValueLowering(patterns, types, lowerMoving<onnx::ConcatOp>);
  addValueLowering(patterns, types, lowerMoving<onnx::ExpandOp>);
  addValueLowering(patterns, types, lowerMoving<onnx::FlattenOp>);
  addValueLowering(patterns, types, lowerMoving<onnx::GatherOp>);
  addValueLowering(patterns, types, lowerMoving<onnx::GatherElementsOp>);
  addValueLowering(patterns, types, lowerMoving<onnx::GatherNDOp>);
  addValueLowering(patterns, types,
                   lowerMoving<onnx::MlArrayFeatureExtractorOp>);
  addValueLowering(patterns, types, lowerMoving<onnx::ReshapeOp>);
  addValueLowering(patterns, types, lowerMoving<onnx::ShapeOp>);
  addValueLowering(patterns, types, lowerMoving<onnx::SizeOp>);
  addValueLowering(patterns, types, lowerMoving<onnx::SliceOp>);
  addValueLowering(patterns, types, lowerMoving<onnx::SplitOp>);
  addValueLowering(patterns, types, lowerMoving<onnx::SqueezeOp>);
  addValueLowering(patterns, types, lowerMoving<onnx::TileOp>);
  addValueLowering(patterns, types, lowerMoving<onnx::TransposeOp>);
  addValueLowering(patterns, types, lowerMoving<onnx::UnsqueezeOp>);
  addValueLowering(patterns, types, lowerMoving<onnx::WhereOp>);
}
