// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sequences and optionals. What all elements of a sequence have in common
// stands in its type and, as far as it is symbolic, in
// `TensorInfo::elementDims`.

#include "lathe/Dialect/Onnx/IR/Sequence.h"
#include "Rules.h"
#include "Values.h"

using namespace mlir;
using namespace lathe::onnx;

#define GET_OP_CLASSES
#include "lathe/Dialect/Onnx/IR/Sequence.cpp.inc"

void OnnxDialect::registerSequenceOps() {
  addOperations<
#define GET_OP_LIST
#include "lathe/Dialect/Onnx/IR/Sequence.cpp.inc"
      >();
}

/// A sequence of one tensor.
static TensorInfo getSequenceOf(ShapeContext &ctx, const TensorInfo &element,
                                int64_t length) {
  TensorInfo info;
  info.valueType = SequenceType::get(ctx.getContext(),
                                     element.getType(ctx.getContext()), length);
  info.elementDims = element.dims;
  return info;
}

/// The sequence in operand 0; null, with an error or not, where it is none.
static FailureOr<SequenceType> getOperandSequence(ShapeContext &ctx) {
  const TensorInfo &info = ctx.operand(0);
  SequenceType sequence = getSequence(info);
  if (!sequence && (info.valueType || info.elementType)) {
    ctx.emitError() << "expects a sequence as operand #0, got "
                    << info.getType(ctx.getContext());
    return failure();
  }
  return sequence;
}

static SequenceType withLength(SequenceType type, int64_t length) {
  return SequenceType::get(type.getContext(), type.getElement(), length);
}

//===----------------------------------------------------------------------===//
// Sequences
//===----------------------------------------------------------------------===//

LogicalResult SequenceConstructOp::inferShapes(ShapeContext &ctx) {
  SmallVector<unsigned> all = llvm::to_vector(llvm::seq(ctx.getNumOperands()));
  if (failed(ctx.getCommonElementType(all)))
    return failure();
  if (all.empty())
    return ctx.emitError() << "expects at least one operand, got none";
  TensorInfo result = getSequenceOf(ctx, ctx.operand(0), 1);
  for (unsigned i = 1; i < ctx.getNumOperands(); ++i)
    result = joinValues(result, getSequenceOf(ctx, ctx.operand(i), 1));
  if (auto sequence = getSequence(result))
    result.valueType = withLength(sequence, ctx.getNumOperands());
  ctx.result(0) = result;
  return success();
}

LogicalResult SequenceEmptyOp::inferShapes(ShapeContext &ctx) {
  Type element = getElementTypeOf(ctx.getContext(), getDtype());
  if (!element)
    return ctx.emitError() << "expects the number of an element type, got "
                           << static_cast<int64_t>(getDtype());
  ctx.result(0).valueType =
      SequenceType::get(ctx.getContext(), UnrankedTensorType::get(element), 0);
  return success();
}

LogicalResult SequenceInsertOp::inferShapes(ShapeContext &ctx) {
  auto sequence = getOperandSequence(ctx);
  if (failed(sequence) || failed(rule::expectOneElement(ctx, 2)))
    return failure();
  if (!*sequence)
    return success();
  TensorInfo &result = ctx.result(0);
  TensorInfo before = ctx.operand(0);
  result = joinValues(before, getSequenceOf(ctx, ctx.operand(1), 1));
  if (!result.valueType)
    return ctx.emitError() << "expects a tensor of the sequence's type, got "
                           << ctx.operand(1).getType(ctx.getContext())
                           << " for " << before.valueType;
  int64_t length = (*sequence).getLength();
  result.valueType =
      withLength(getSequence(result), length < 0 ? -1 : length + 1);
  return success();
}

LogicalResult SequenceEraseOp::inferShapes(ShapeContext &ctx) {
  auto sequence = getOperandSequence(ctx);
  if (failed(sequence) || failed(rule::expectOneElement(ctx, 1)))
    return failure();
  if (!*sequence)
    return success();
  int64_t length = (*sequence).getLength();
  if (length == 0)
    return ctx.emitError() << "expects a sequence that is not empty, got "
                           << Type(*sequence);
  ctx.result(0) = ctx.operand(0);
  ctx.result(0).valueType = withLength(*sequence, length < 0 ? -1 : length - 1);
  return success();
}

LogicalResult SequenceAtOp::inferShapes(ShapeContext &ctx) {
  auto sequence = getOperandSequence(ctx);
  if (failed(sequence) || failed(rule::expectOneElement(ctx, 1)))
    return failure();
  if (*sequence)
    ctx.result(0) = getInfoOfType(ctx, (*sequence).getElement(),
                                  ctx.operand(0).elementDims, 0);
  return success();
}

LogicalResult SequenceLengthOp::inferShapes(ShapeContext &ctx) {
  auto sequence = getOperandSequence(ctx);
  if (failed(sequence))
    return failure();
  TensorInfo &result = ctx.result(0);
  result.elementType = IntegerType::get(ctx.getContext(), 64);
  result.dims = Dims{};
  if (*sequence && (*sequence).getLength() >= 0)
    result.contents = Contents{ctx.constant((*sequence).getLength())};
  return success();
}

/// How `split` cuts a dimension of size `size` (null if not known): the size of
/// all parts, or null, and their number, or -1.
static std::pair<AffineExpr, int64_t>
getParts(ShapeContext &ctx, const TensorInfo &split, AffineExpr size) {
  auto sizes = split.getInts();
  auto whole = getConstant(size);
  if (!split.dims)
    return {AffineExpr(), -1};
  if (split.getRank() == 0) {
    if (!sizes || sizes->front() < 1)
      return {AffineExpr(), -1};
    int64_t part = sizes->front();
    if (!whole)
      return {AffineExpr(), -1};
    return {*whole % part == 0 ? ctx.constant(part) : AffineExpr(),
            llvm::divideCeil(*whole, part)};
  }
  auto count = getConstant(split.dims->front());
  bool equal = sizes && !sizes->empty() && llvm::all_equal(*sizes);
  return {equal ? ctx.constant(sizes->front()) : AffineExpr(),
          count.value_or(-1)};
}

LogicalResult SplitToSequenceOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  if (ctx.isPresent(1) && ctx.operand(1).getRank() > 1)
    return ctx.emitError() << "expects operand #1 of rank at most 1, got rank "
                           << ctx.operand(1).getRank();
  if (!x.elementType)
    return success();
  TensorInfo &result = ctx.result(0);
  if (!x.dims) {
    result.valueType = SequenceType::get(
        ctx.getContext(), UnrankedTensorType::get(x.elementType), -1);
    return success();
  }
  auto axis = ctx.normalizeAxis(static_cast<int64_t>(getAxis()), x.getRank());
  if (failed(axis))
    return failure();
  Dims dims = *x.dims;
  std::pair<AffineExpr, int64_t> parts;
  if (ctx.isPresent(1))
    parts = getParts(ctx, ctx.operand(1), dims[*axis]);
  else
    parts = {ctx.constant(1), getConstant(dims[*axis]).value_or(-1)};
  if (!ctx.isPresent(1) && !getKeepdims())
    dims.erase(dims.begin() + *axis);
  else
    dims[*axis] = parts.first;
  SmallVector<int64_t> shape;
  for (AffineExpr dim : dims)
    shape.push_back(dim ? getConstant(dim).value_or(ShapedType::kDynamic)
                        : ShapedType::kDynamic);
  result.valueType = SequenceType::get(
      ctx.getContext(), RankedTensorType::get(shape, x.elementType),
      parts.second);
  result.elementDims = dims;
  return success();
}

LogicalResult ConcatFromSequenceOp::inferShapes(ShapeContext &ctx) {
  auto sequence = getOperandSequence(ctx);
  if (failed(sequence))
    return failure();
  if (!*sequence)
    return success();
  auto element = dyn_cast<TensorType>((*sequence).getElement());
  if (!element)
    return ctx.emitError() << "expects a sequence of tensors, got "
                           << Type(*sequence);
  TensorInfo &result = ctx.result(0);
  result.elementType = element.getElementType();
  if (!element.hasRank())
    return success();
  int64_t rank = element.getRank() + (getNewAxis() ? 1 : 0);
  auto axis = ctx.normalizeAxis(static_cast<int64_t>(getAxis()), rank);
  if (failed(axis))
    return failure();
  int64_t length = (*sequence).getLength();
  const auto &known = ctx.operand(0).elementDims;
  result.dims.emplace();
  for (auto [i, size] : llvm::enumerate(element.getShape())) {
    AffineExpr dim;
    if (!ShapedType::isDynamic(size))
      dim = ctx.constant(size);
    else if (known && i < known->size())
      dim = (*known)[i];
    result.dims->push_back(dim);
  }
  AffineExpr count = length >= 0 ? ctx.constant(length) : AffineExpr();
  if (getNewAxis()) {
    result.dims->insert(result.dims->begin() + *axis, count);
  } else {
    AffineExpr &dim = (*result.dims)[*axis];
    dim = dim && count ? dim * count : AffineExpr();
  }
  for (auto [i, dim] : llvm::enumerate(*result.dims))
    if (!dim)
      dim = ctx.fresh(i);
  return success();
}

//===----------------------------------------------------------------------===//
// Optionals
//===----------------------------------------------------------------------===//

LogicalResult OptionalOp::inferShapes(ShapeContext &ctx) {
  if (!ctx.isPresent(0)) {
    if (!getType())
      return ctx.emitError() << "expects an operand or a type, got neither";
    ctx.result(0).valueType = OptionalType::get(ctx.getContext(), *getType());
    return success();
  }
  const TensorInfo &x = ctx.operand(0);
  if (!x.elementType && !x.valueType)
    return success();
  ctx.result(0).valueType =
      OptionalType::get(ctx.getContext(), x.getType(ctx.getContext()));
  ctx.result(0).elementDims = x.valueType ? x.elementDims : x.dims;
  return success();
}

LogicalResult OptionalHasElementOp::inferShapes(ShapeContext &ctx) {
  TensorInfo &result = ctx.result(0);
  result.elementType = IntegerType::get(ctx.getContext(), 1);
  result.dims = Dims{};
  if (!ctx.isPresent(0)) {
    result.contents = Contents{ctx.constant(0)};
    return success();
  }
  const TensorInfo &x = ctx.operand(0);
  if (x.elementType || isa_and_present<SequenceType, MapType>(x.valueType))
    result.contents = Contents{ctx.constant(1)};
  return success();
}

LogicalResult OptionalGetElementOp::inferShapes(ShapeContext &ctx) {
  const TensorInfo &x = ctx.operand(0);
  auto optional = dyn_cast_or_null<OptionalType>(x.valueType);
  ctx.result(0) =
      optional ? getInfoOfType(ctx, optional.getElement(), x.elementDims, 0)
               : x;
  return success();
}
