// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Lowering.h"

#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Onnx.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"

using namespace mlir;
using namespace lathe;

//===----------------------------------------------------------------------===//
// Reporting
//===----------------------------------------------------------------------===//

LogicalResult Lowering::unsupported(const Twine &message) {
  op->setAttr(reasonAttrName, b.getStringAttr(message));
  return failure();
}

LogicalResult Lowering::checkTypes() {
  auto check = [&](Type type, bool known, StringRef what,
                   unsigned i) -> LogicalResult {
    auto tensor = dyn_cast<RankedTensorType>(type);
    std::string text;
    llvm::raw_string_ostream(text) << type;
    if (!tensor)
      return unsupported("expected a tensor of known rank as " + what + " " +
                         Twine(i) + ", got " + text);
    Type element = tensor.getElementType();
    bool computable = element.isIntOrIndex()
                          ? llvm::is_contained({1u, 2u, 4u, 8u, 16u, 32u, 64u},
                                               element.getIntOrFloatBitWidth())
                          : element.isF16() || element.isBF16() ||
                                element.isF32() || element.isF64() ||
                                isNarrow(element);
    if (!computable)
      return unsupported("expected numbers of at most 64 bits as " + what +
                         " " + Twine(i) + ", got " + text);
    if (!known)
      return unsupported("expected known sizes of " + what + " " + Twine(i) +
                         ", got " + text);
    return success();
  };
  for (unsigned i = 0, e = op->getNumOperands(); i != e; ++i)
    if (has(i) && failed(check(op->getOperand(i).getType(),
                               dimBuilder.knowsOperand(i), "input", i)))
      return failure();
  for (unsigned i = 0, e = op->getNumResults(); i != e; ++i)
    if (failed(check(op->getResult(i).getType(), dimBuilder.knowsResult(i),
                     "output", i)))
      return failure();
  return success();
}

LogicalResult Lowering::replace(ValueRange values) {
  SmallVector<Value> converted;
  for (auto [result, value] : llvm::zip_equal(op->getResults(), values)) {
    Type type = types.convertType(result.getType());
    converted.push_back(value.getType() == type
                            ? value
                            : tensor::CastOp::create(b, type, value));
  }
  rewriter.replaceOp(op, converted);
  return success();
}

LogicalResult Lowering::replaceByEmpty() {
  SmallVector<Value> values;
  for (unsigned i = 0, e = op->getNumResults(); i != e; ++i)
    values.push_back(empty(resultDims(i), resultType(i).getElementType()));
  return replace(values);
}

LogicalResult
lathe::detail::runLowering(Operation *op, ArrayRef<Value> operands,
                           ConversionPatternRewriter &rewriter,
                           const TypeConverter &types, bool checkTypes,
                           function_ref<LogicalResult(Lowering &)> lower) {
  Lowering lowering(op, operands, rewriter, types);
  if (checkTypes && failed(lowering.checkTypes()))
    return failure();
  Operation *before = op->getPrevNode();
  Operation *after = op->getNextNode();
  Block *block = op->getBlock();
  Attribute node = op->getAttr(nodeAttrName);
  // Nothing is computed where there are no elements.
  bool isEmpty =
      checkTypes && op->getNumResults() > 0 &&
      llvm::all_of(op->getResultTypes(), [](Type type) {
        return llvm::is_contained(cast<RankedTensorType>(type).getShape(), 0);
      });
  if (failed(isEmpty ? lowering.replaceByEmpty() : lower(lowering)))
    return failure();
  if (!node)
    return success();
  auto first = before ? std::next(before->getIterator()) : block->begin();
  auto last = after ? after->getIterator() : block->end();
  for (Operation &made : llvm::make_range(first, last))
    made.walk<WalkOrder::PreOrder>([&](Operation *inner) {
      // Marks on what is free would keep equal ones apart.
      bool isFree =
          (isa<LatheDialect>(inner->getDialect()) && !isa<GridOp>(inner)) ||
          isa<tensor::EmptyOp, arith::ConstantOp>(inner);
      bool computes = !isFree && llvm::any_of(inner->getResultTypes(),
                                              llvm::IsaPred<TensorType>);
      if (computes && !inner->hasAttr(nodeAttrName))
        inner->setAttr(nodeAttrName, node);
      // Bodies of loops over elements are part of their op.
      return isa<linalg::LinalgOp, tensor::PadOp, GridOp>(inner)
                 ? WalkResult::skip()
                 : WalkResult::advance();
    });
  return success();
}

//===----------------------------------------------------------------------===//
// What is known of the op
//===----------------------------------------------------------------------===//

bool Lowering::has(unsigned i) {
  return i < operands.size() && !isa<NoneType>(op->getOperand(i).getType());
}

SmallVector<Operand> Lowering::getOperands() {
  SmallVector<Operand> all;
  for (unsigned i = 0, e = getNumOperands(); i != e; ++i)
    if (has(i))
      all.push_back(operand(i));
  return all;
}

Type Lowering::element(unsigned i) {
  return cast<TensorType>(op->getOperand(i).getType()).getElementType();
}

Type Lowering::resultElement(unsigned i) {
  return cast<TensorType>(op->getResult(i).getType()).getElementType();
}

RankedTensorType Lowering::type(unsigned i) {
  return cast<RankedTensorType>(operands[i].getType());
}

RankedTensorType Lowering::resultType(unsigned i) {
  return cast<RankedTensorType>(types.convertType(op->getResult(i).getType()));
}

DenseElementsAttr Lowering::constant(unsigned i) {
  Operation *def = operands[i].getDefiningOp();
  if (auto weight = dyn_cast_or_null<WeightOp>(def))
    return weight.getRecipe().empty()
               ? dyn_cast<DenseElementsAttr>(weight.getValue())
               : DenseElementsAttr();
  if (auto constant = dyn_cast_or_null<arith::ConstantOp>(def))
    return dyn_cast<DenseElementsAttr>(constant.getValue());
  return {};
}

std::optional<SmallVector<int64_t>> Lowering::ints(unsigned i) {
  if (auto known = dimBuilder.getConstantContents(i))
    return known;
  DenseElementsAttr value = constant(i);
  if (!value || !value.getElementType().isInteger())
    return std::nullopt;
  return llvm::map_to_vector(value.getValues<APInt>(),
                             [](const APInt &x) { return x.getSExtValue(); });
}

std::optional<Dims> Lowering::contents(unsigned i) {
  if (auto known = dimBuilder.getContents(i))
    return known;
  if (auto values = ints(i))
    return Dims(getAsIndexOpFoldResult(b.getContext(), *values));
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Sizes
//===----------------------------------------------------------------------===//

OpFoldResult Lowering::apply(AffineExpr expr, DimsRef operands) {
  return affine::makeComposedFoldedAffineApply(b, b.getLoc(), expr, operands);
}

OpFoldResult Lowering::product(DimsRef dims) {
  AffineExpr expr = b.getAffineConstantExpr(1);
  for (unsigned i = 0, e = dims.size(); i != e; ++i)
    expr = expr * b.getAffineSymbolExpr(i);
  return apply(expr, dims);
}

Value Lowering::toValue(OpFoldResult size) {
  return getValueOrCreateConstantIndexOp(b, b.getLoc(), size);
}

SmallVector<int64_t> lathe::normalizeAxes(ArrayRef<int64_t> axes,
                                          int64_t rank) {
  SmallVector<int64_t> positive = llvm::map_to_vector(
      axes, [&](int64_t axis) { return normalizeAxis(axis, rank); });
  llvm::sort(positive);
  return positive;
}

Dims lathe::dropDims(DimsRef dims, ArrayRef<int64_t> axes) {
  Dims kept;
  for (auto [i, dim] : llvm::enumerate(dims))
    if (!llvm::is_contained(axes, int64_t(i)))
      kept.push_back(dim);
  return kept;
}

AffineMap lathe::getBroadcastMap(MLIRContext *context, ArrayRef<int64_t> shape,
                                 ArrayRef<int64_t> resultShape) {
  int64_t rank = resultShape.size(), shift = rank - shape.size();
  SmallVector<AffineExpr> exprs;
  for (auto [i, size] : llvm::enumerate(shape))
    exprs.push_back(size == 1 && resultShape[i + shift] != 1
                        ? getAffineConstantExpr(0, context)
                        : getAffineDimExpr(i + shift, context));
  return AffineMap::get(rank, 0, exprs, context);
}

AffineMap lathe::getLoopMap(MLIRContext *context, unsigned loops,
                            unsigned first, unsigned count) {
  SmallVector<AffineExpr> exprs;
  for (unsigned i = first; i != first + count; ++i)
    exprs.push_back(getAffineDimExpr(i, context));
  return AffineMap::get(loops, 0, exprs, context);
}

AffineMap Lowering::dropAxes(int64_t rank, ArrayRef<int64_t> axes) {
  SmallVector<AffineExpr> exprs;
  for (int64_t i = 0; i != rank; ++i)
    if (!llvm::is_contained(axes, i))
      exprs.push_back(b.getAffineDimExpr(i));
  return AffineMap::get(rank, 0, exprs, b.getContext());
}

void Lowering::bindDim(unsigned i, unsigned dim, Value value,
                       OpFoldResult max) {
  AffineMap map = dimBuilder.getResultMap(i);
  AffineExpr size = map ? map.getResult(dim) : AffineExpr();
  auto symbol = dyn_cast_if_present<AffineSymbolExpr>(size);
  if (symbol && !dimBuilder.isEntrySymbol(symbol.getPosition())) {
    BindOp::create(b, b.getIndexType(),
                   dimBuilder.getSymbolName(symbol.getPosition()), value,
                   max ? toValue(max) : Value());
    return;
  }
  Value expected = toValue(resultDims(i)[dim]);
  Value ok = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, value, expected);
  CheckOp::create(b, ok,
                  ("expects a size that the model declares in dimension " +
                   Twine(dim) + " of output " + Twine(i))
                      .str());
}

Value Lowering::readIndex(Value tensor, int64_t at) {
  auto type = cast<RankedTensorType>(tensor.getType());
  SmallVector<Value> position(type.getRank(),
                              arith::ConstantIndexOp::create(b, 0));
  for (int64_t d = type.getRank() - 1; d >= 0 && at; --d) {
    int64_t size = type.isDynamicDim(d) ? at + 1 : type.getDimSize(d);
    position[d] = arith::ConstantIndexOp::create(b, at % size);
    at /= size;
  }
  Value element = tensor::ExtractOp::create(b, tensor, position);
  return arith::IndexCastOp::create(b, b.getIndexType(), element);
}

//===----------------------------------------------------------------------===//
// Making tensors
//===----------------------------------------------------------------------===//

Value Lowering::empty(DimsRef dims, Type storage) {
  return tensor::EmptyOp::create(b, dims, storage);
}

Value Lowering::fill(DimsRef dims, TypedAttr value) {
  Value scalar = arith::ConstantOp::create(b, value);
  return linalg::FillOp::create(b, scalar, empty(dims, value.getType()))
      .getResult(0);
}

Value Lowering::view(Value source, DimsRef dims) {
  auto type = cast<RankedTensorType>(source.getType());
  SmallVector<int64_t> shape;
  SmallVector<Value> dynamic;
  dispatchIndexOpFoldResults(dims, dynamic, shape);
  auto result = type.clone(shape);
  if (result == type && type.hasStaticShape())
    return source;
  return ViewOp::create(b, result, source, dynamic);
}

SmallVector<Value> Lowering::generic(
    ValueRange inputs, ValueRange inits, ArrayRef<AffineMap> maps,
    ArrayRef<utils::IteratorType> iterators,
    function_ref<SmallVector<Value>(ImplicitLocOpBuilder &, ValueRange)> body) {
  auto op = linalg::GenericOp::create(
      b, TypeRange(inits), inputs, inits, maps, iterators,
      [&](OpBuilder &inner, Location loc, ValueRange args) {
        ImplicitLocOpBuilder ib(loc, inner);
        linalg::YieldOp::create(ib, body(ib, args));
      });
  return SmallVector<Value>(op.getResults());
}

/// The one element of a constant tensor, or null.
static TypedAttr getSplat(Value value) {
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  auto elements = constant ? dyn_cast<DenseElementsAttr>(constant.getValue())
                           : DenseElementsAttr();
  if (!elements || !elements.isSplat())
    return {};
  return cast<TypedAttr>(elements.getSplatValue<Attribute>());
}

Value Lowering::elementwise(ArrayRef<Operand> inputs, DimsRef dims,
                            Type element, ScalarBody body) {
  Value init = empty(dims, getStorageType(element));
  auto shape = cast<RankedTensorType>(init.getType()).getShape();
  SmallVector<Value> tensors;
  SmallVector<AffineMap> maps;
  for (const Operand &input : inputs) {
    if (getSplat(input.value))
      continue;
    tensors.push_back(input.value);
    maps.push_back(
        input.map
            ? input.map
            : getBroadcastMap(
                  b.getContext(),
                  cast<RankedTensorType>(input.value.getType()).getShape(),
                  shape));
  }
  maps.push_back(b.getMultiDimIdentityMap(shape.size()));
  SmallVector<utils::IteratorType> iterators(shape.size(),
                                             utils::IteratorType::parallel);
  auto compute = [&](ImplicitLocOpBuilder &ib,
                     ValueRange args) -> SmallVector<Value> {
    SmallVector<Value> loaded;
    unsigned next = 0;
    for (const Operand &input : inputs) {
      TypedAttr splat = getSplat(input.value);
      Value stored =
          splat ? Value(arith::ConstantOp::create(ib, splat)) : args[next++];
      loaded.push_back(loadScalar(ib, stored, input.element));
    }
    return {storeScalar(ib, body(ib, loaded), element)};
  };
  return generic(tensors, init, maps, iterators, compute).front();
}

Value Lowering::reduce(ArrayRef<Operand> inputs, DimsRef dims,
                       ArrayRef<int64_t> axes, TypedAttr init,
                       ScalarBody body) {
  int64_t rank = dims.size();
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  for (int64_t axis : axes)
    iterators[axis] = utils::IteratorType::reduction;
  Value acc = fill(dropDims(dims, axes), init);
  SmallVector<Value> tensors;
  SmallVector<AffineMap> maps;
  for (const Operand &input : inputs) {
    tensors.push_back(input.value);
    maps.push_back(input.map ? input.map : b.getMultiDimIdentityMap(rank));
  }
  maps.push_back(dropAxes(rank, axes));
  return generic(tensors, acc, maps, iterators,
                 [&](ImplicitLocOpBuilder &ib,
                     ValueRange args) -> SmallVector<Value> {
                   SmallVector<Value> loaded;
                   for (auto [arg, input] : llvm::zip(args, inputs))
                     loaded.push_back(loadScalar(ib, arg, input.element));
                   loaded.push_back(args.back());
                   return {body(ib, loaded)};
                 })
      .front();
}

Value Lowering::transpose(Value source, DimsRef dims, ArrayRef<int64_t> perm) {
  auto type = cast<RankedTensorType>(source.getType());
  Dims permuted;
  SmallVector<AffineExpr> exprs(perm.size());
  for (auto [i, from] : llvm::enumerate(perm)) {
    permuted.push_back(dims[from]);
    exprs[from] = b.getAffineDimExpr(i);
  }
  unsigned rank = perm.size();
  SmallVector<utils::IteratorType> iterators(rank,
                                             utils::IteratorType::parallel);
  return generic(
             source, empty(permuted, type.getElementType()),
             {AffineMap::get(rank, 0, exprs, b.getContext()),
              b.getMultiDimIdentityMap(rank)},
             iterators,
             [](ImplicitLocOpBuilder &, ValueRange args) -> SmallVector<Value> {
               return {args[0]};
             })
      .front();
}
