// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading and writing by index tensors. A loop over the result reads the data
// where the indices say; a check before it ends the program if one is outside.
// Scatters are loops over the result as well, which look for the updates that
// hit an element, in order, so that they need no particular order of the
// elements.

#include "Elementwise.h"
#include "Families.h"
#include "Indexing.h"
#include "lathe/Dialect/Lathe/IR/Lathe.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lathe;

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

/// What a check says of the dimensions of `sizes`, the first of which is
/// `axis`.
static std::string describeRange(DimsRef sizes, int64_t axis) {
  if (sizes.size() > 1)
    return ("the ranges of dimensions " + Twine(axis) + " to " +
            Twine(axis + sizes.size() - 1) + " of its data")
        .str();
  if (std::optional<int64_t> known = getConstantIntValue(sizes.front()))
    return ("[" + Twine(-*known) + ", " + Twine(*known) + ")").str();
  return ("the range of dimension " + Twine(axis) + " of its data").str();
}

/// Ends the program unless every element of operand `operand` indexes a
/// dimension: element `i` of the last dimension indexes one of size `sizes[i]`,
/// or each one of size `sizes[0]` if there is one size. Reads limit indices to
/// their range, so nothing outside is touched before the check is seen.
static LogicalResult checkIndices(Lowering &l, unsigned operand, DimsRef sizes,
                                  int64_t axis) {
  std::optional<SmallVector<int64_t>> known = l.ints(operand);
  bool isStatic = llvm::all_of(
      sizes, [](OpFoldResult size) { return getConstantIntValue(size); });
  if (known && isStatic) {
    for (auto [i, index] : llvm::enumerate(*known)) {
      int64_t size = *getConstantIntValue(sizes[i % sizes.size()]);
      if (index < -size || index >= size)
        return l.unsupported("expected an index in [" + Twine(-size) + ", " +
                             Twine(size) + "), got " + Twine(index));
    }
    return success();
  }
  SmallVector<Value> bounds = toValues(l, sizes);
  int64_t rank = l.rank(operand);
  auto axes = llvm::to_vector(llvm::seq<int64_t>(0, rank));
  Value found = l.reduce(
      l.operand(operand), l.dims(operand), axes, l.b.getI64IntegerAttr(0),
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        IndexMath m{b};
        Value index = m.fromInt(x[0]), size = bounds.front();
        for (size_t i = 1; i < bounds.size(); ++i)
          size = m.select(m.equal(m.loop(rank - 1), m.constant(i)), bounds[i],
                          size);
        Value low = m.less(index, m.sub(m.constant(0), size));
        Value fits = m.less(index, size);
        Value one = arith::ConstantIntOp::create(b, 1, 64);
        Value zero = arith::ConstantIntOp::create(b, 0, 64);
        Value bad = m.select(low, one, m.select(fits, zero, one));
        return arith::MaxSIOp::create(b, x[1], bad);
      });
  Value count = tensor::ExtractOp::create(l.b, found, ValueRange());
  Value zero = arith::ConstantIntOp::create(l.b, 0, 64);
  Value ok = arith::CmpIOp::create(l.b, arith::CmpIPredicate::eq, count, zero);
  CheckOp::create(
      l.b, ok,
      l.b.getStringAttr("expects indices in " + describeRange(sizes, axis)));
  return success();
}

//===----------------------------------------------------------------------===//
// Gather
//===----------------------------------------------------------------------===//

/// One index that is known makes a slice.
static LogicalResult gatherOne(Lowering &l, int64_t axis, int64_t index) {
  Dims offsets(l.rank(0), l.index(0)), strides(l.rank(0), l.index(1));
  Dims sizes = l.dims(0);
  offsets[axis] = index < 0
                      ? l.apply(l.b.getAffineSymbolExpr(0) + index, sizes[axis])
                      : l.index(index);
  sizes[axis] = l.index(1);
  Value slice =
      tensor::ExtractSliceOp::create(l.b, l.value(0), offsets, sizes, strides);
  return l.replace(l.view(slice, l.resultDims()));
}

static LogicalResult lowerGather(onnx::GatherOp op, Lowering &l) {
  MLIRContext *context = l.b.getContext();
  Dims dims = l.dims(0), outDims = l.resultDims();
  int64_t rank = dims.size(), axis = normalizeAxis(op.getAxis(), rank);
  int64_t numIndices = l.rank(1);
  std::optional<SmallVector<int64_t>> known = l.ints(1);
  if (known && known->size() == 1) {
    int64_t size = l.type(0).getDimSize(axis), index = known->front();
    if (ShapedType::isDynamic(size)) {
      if (failed(checkIndices(l, 1, dims[axis], axis)))
        return failure();
      return gatherOne(l, axis, index);
    }
    if (index >= -size && index < size)
      return gatherOne(l, axis, index);
    return l.unsupported("expected an index in [" + Twine(-size) + ", " +
                         Twine(size) + "), got " + Twine(index));
  }
  if (failed(checkIndices(l, 1, dims[axis], axis)))
    return failure();
  Operand indices = l.operand(1);
  indices.map = getLoopMap(context, outDims.size(), axis, numIndices);
  Value size = l.toValue(dims[axis]), data = l.value(0);
  return l.replace(l.elementwise(
      indices, outDims, l.resultElement(),
      [&](ImplicitLocOpBuilder &b, ValueRange x) {
        IndexMath m{b};
        SmallVector<Value> at;
        for (int64_t i = 0; i != rank; ++i)
          at.push_back(i < axis   ? m.loop(i)
                       : i > axis ? m.loop(i + numIndices - 1)
                                  : m.normalize(m.fromInt(x[0]), size));
        return m.read(data, at, l.element(0));
      }));
}

static LogicalResult lowerGatherElements(onnx::GatherElementsOp op,
                                         Lowering &l) {
  Dims dims = l.dims(0);
  int64_t rank = dims.size(), axis = normalizeAxis(op.getAxis(), rank);
  if (failed(checkIndices(l, 1, dims[axis], axis)))
    return failure();
  Value size = l.toValue(dims[axis]), data = l.value(0);
  return l.replace(l.elementwise(
      l.operand(1), l.resultDims(), l.resultElement(),
      [&](ImplicitLocOpBuilder &b, ValueRange x) {
        IndexMath m{b};
        SmallVector<Value> at;
        for (int64_t i = 0; i != rank; ++i)
          at.push_back(i == axis ? m.normalize(m.fromInt(x[0]), size)
                                 : m.loop(i));
        return m.read(data, at, l.element(0));
      }));
}

/// The tuple at loops `first`… of `indices`, normalized for the dimensions
/// `sizes`.
static SmallVector<Value> readTuple(const IndexMath &m, Value indices,
                                    ArrayRef<Value> position,
                                    ArrayRef<Value> sizes, Type element) {
  SmallVector<Value> tuple;
  SmallVector<Value> at(position);
  at.push_back({});
  for (auto [k, size] : llvm::enumerate(sizes)) {
    at.back() = m.constant(k);
    tuple.push_back(m.fromInt(m.read(indices, at, element)));
    Value fromEnd = m.less(tuple.back(), m.constant(0));
    tuple.back() = m.select(fromEnd, m.add(tuple.back(), size), tuple.back());
  }
  return tuple;
}

static LogicalResult lowerGatherND(onnx::GatherNDOp op, Lowering &l) {
  Dims outDims = l.resultDims();
  SmallVector<Value> sizes = toValues(l, l.dims(0));
  int64_t batch = op.getBatchDims(), numIndexDims = l.rank(1) - 1;
  int64_t tuple = l.type(1).getDimSize(numIndexDims);
  if (ShapedType::isDynamic(tuple))
    return l.unsupported("expected indices with a static last dimension");
  Dims dataDims = l.dims(0);
  DimsRef indexedDims = ArrayRef(dataDims).slice(batch, tuple);
  if (tuple > 0 && failed(checkIndices(l, 1, indexedDims, batch)))
    return failure();
  Value data = l.value(0), indices = l.value(1);
  return l.replace(l.elementwise(
      {}, outDims, l.resultElement(), [&](ImplicitLocOpBuilder &b, ValueRange) {
        IndexMath m{b};
        SmallVector<Value> position, at;
        for (int64_t i = 0; i != numIndexDims; ++i)
          position.push_back(m.loop(i));
        at.assign(position.begin(), position.begin() + batch);
        ArrayRef<Value> indexed = ArrayRef(sizes).slice(batch, tuple);
        for (auto [index, size] :
             llvm::zip(readTuple(m, indices, position, indexed, l.element(1)),
                       indexed))
          at.push_back(m.clamp(index, size));
        for (int64_t i = numIndexDims, e = outDims.size(); i != e; ++i)
          at.push_back(m.loop(i));
        return m.read(data, at, l.element(0));
      }));
}

//===----------------------------------------------------------------------===//
// Scatter
//===----------------------------------------------------------------------===//

/// How an update changes an element.
static Value combine(const Element &e, StringRef reduction, Value old,
                     Value update) {
  if (reduction == "add")
    return e.add(old, update);
  if (reduction == "mul")
    return e.mul(old, update);
  if (reduction == "min")
    return e.min(old, update);
  if (reduction == "max")
    return e.max(old, update);
  return update;
}

/// Loops over the result and then over `numUpdates`. `hits` says, given where
/// an update's loops stand, whether it is for the element, and where it is
/// read.
static Value
scatter(Lowering &l, StringRef reduction, DimsRef updateLoops,
        function_ref<Value(const IndexMath &, SmallVector<Value> &)> hits) {
  MLIRContext *context = l.b.getContext();
  Dims dims = l.resultDims();
  unsigned rank = dims.size(), loops = rank + updateLoops.size();
  Type element = l.element(0);
  Value bound = l.empty(updateLoops, getStorageType(element));
  SmallVector<utils::IteratorType> iterators(loops,
                                             utils::IteratorType::reduction);
  std::fill_n(iterators.begin(), rank, utils::IteratorType::parallel);
  Value updates = l.value(2);
  SmallVector<Type> types = {element};
  return l
      .generic(
          bound, l.value(0),
          {getLoopMap(context, loops, rank, updateLoops.size()),
           getLoopMap(context, loops, 0, rank)},
          iterators,
          [&](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
            IndexMath m{b};
            SmallVector<Value> at;
            Value hit = hits(m, at);
            Value update = m.read(updates, at, element);
            Value old = loadScalar(b, args[1], element);
            Element e{b, args, types, element};
            Value fresh = combine(e, reduction, old, update);
            return {storeScalar(b, m.select(hit, fresh, old), element)};
          })
      .front();
}

static LogicalResult lowerScatterElements(onnx::ScatterElementsOp op,
                                          Lowering &l) {
  Dims updateDims = l.dims(1);
  int64_t rank = updateDims.size(), axis = normalizeAxis(op.getAxis(), rank);
  if (failed(checkIndices(l, 1, l.dims(0)[axis], axis)))
    return failure();
  SmallVector<Value> bounds = toValues(l, updateDims);
  Value size = l.toValue(l.dims(0)[axis]), indices = l.value(1);
  return l.replace(scatter(l, op.getReduction(), updateDims[axis],
                           [&](const IndexMath &m, SmallVector<Value> &at) {
                             // The other dimensions of the updates may be
                             // shorter.
                             Value inside;
                             for (int64_t i = 0; i != rank; ++i) {
                               if (i == axis) {
                                 at.push_back(m.loop(rank));
                                 continue;
                               }
                               Value ok = m.less(m.loop(i), bounds[i]);
                               inside = inside ? m.both(inside, ok) : ok;
                               at.push_back(m.clamp(m.loop(i), bounds[i]));
                             }
                             Value index =
                                 m.fromInt(m.read(indices, at, l.element(1)));
                             Value fromEnd = m.less(index, m.constant(0));
                             index =
                                 m.select(fromEnd, m.add(index, size), index);
                             Value hit = m.equal(index, m.loop(axis));
                             return inside ? m.both(inside, hit) : hit;
                           }));
}

static LogicalResult lowerScatterND(onnx::ScatterNDOp op, Lowering &l) {
  Dims indexDims = l.dims(1);
  int64_t numLoops = indexDims.size() - 1;
  int64_t tuple = l.type(1).getDimSize(numLoops);
  if (ShapedType::isDynamic(tuple))
    return l.unsupported("expected indices with a static last dimension");
  Dims dims = l.dims(0);
  int64_t rank = dims.size();
  if (tuple > 0 &&
      failed(checkIndices(l, 1, ArrayRef(dims).take_front(tuple), 0)))
    return failure();
  SmallVector<Value> sizes = toValues(l, ArrayRef(dims).take_front(tuple));
  Value indices = l.value(1);
  return l.replace(scatter(
      l, op.getReduction(), ArrayRef(indexDims).drop_back(),
      [&](const IndexMath &m, SmallVector<Value> &at) {
        for (int64_t i = 0; i != numLoops; ++i)
          at.push_back(m.loop(rank + i));
        Value hit;
        for (auto [i, index] :
             llvm::enumerate(readTuple(m, indices, at, sizes, l.element(1)))) {
          Value same = m.equal(index, m.loop(i));
          hit = hit ? m.both(hit, same) : same;
        }
        for (int64_t i = tuple; i != rank; ++i)
          at.push_back(m.loop(i));
        return hit ? hit : makeConstant(m.b, m.b.getI1Type(), 1);
      }));
}

//===----------------------------------------------------------------------===//
// OneHot
//===----------------------------------------------------------------------===//

/// values[1] where the index, counted from the end if negative, is that of
/// dimension `axis`, else values[0].
static LogicalResult lowerOneHot(onnx::OneHotOp op, Lowering &l) {
  MLIRContext *context = l.b.getContext();
  Dims outDims = l.resultDims();
  int64_t rank = outDims.size(), axis = normalizeAxis(op.getAxis(), rank);
  Operand indices = l.operand(0), off = l.operand(2), on = off;
  indices.map = l.dropAxes(rank, axis);
  off.map = AffineMap::get(rank, 0, getAffineConstantExpr(0, context), context);
  on.map = AffineMap::get(rank, 0, getAffineConstantExpr(1, context), context);
  Value depth = l.toValue(outDims[axis]);
  return l.replace(l.elementwise(
      {indices, off, on}, outDims, l.resultElement(),
      [&](ImplicitLocOpBuilder &b, ValueRange x) {
        IndexMath m{b};
        Value index =
            m.fromInt(castScalar(b, x[0], l.element(0), b.getI64Type()));
        Value fromEnd = m.less(index, m.constant(0));
        index = m.select(fromEnd, m.add(index, depth), index);
        return m.select(m.equal(index, m.loop(axis)), x[2], x[1]);
      }));
}

//===----------------------------------------------------------------------===//
// TopK
//===----------------------------------------------------------------------===//

/// The rank of each element is how many come before it in the order; result `k`
/// is the element of rank `k`. Both are plain loops, whatever the data.
static LogicalResult lowerTopK(onnx::TopKOp op, Lowering &l) {
  MLIRContext *context = l.b.getContext();
  Dims dims = l.dims(0), outDims = l.resultDims();
  int64_t rank = dims.size(), axis = normalizeAxis(op.getAxis(), rank);
  Type element = l.element(0), storage = getStorageType(element);
  Type i64 = l.b.getI64Type();
  bool largest = op.getLargest();
  SmallVector<AffineExpr> loops;
  for (int64_t i = 0; i <= rank; ++i)
    loops.push_back(getAffineDimExpr(i, context));
  AffineMap here =
      AffineMap::get(rank + 1, 0, ArrayRef(loops).drop_back(), context);
  std::swap(loops[axis], loops[rank]);
  AffineMap other =
      AffineMap::get(rank + 1, 0, ArrayRef(loops).drop_back(), context);
  SmallVector<utils::IteratorType> iterators(rank + 1,
                                             utils::IteratorType::parallel);
  iterators[rank] = utils::IteratorType::reduction;
  SmallVector<Type> types = {element};
  Value ranks =
      l.generic(
           {l.value(0), l.value(0)}, l.fill(dims, l.b.getI64IntegerAttr(0)),
           {here, other, here}, iterators,
           [&](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
             IndexMath m{b};
             Element e{b, args, types, element};
             Value x = loadScalar(b, args[0], element);
             Value y = loadScalar(b, args[1], element);
             Value better = largest ? e.less(x, y) : e.less(y, x);
             Value first =
                 m.both(e.equal(x, y), m.less(m.loop(rank), m.loop(axis)));
             Value before = arith::OrIOp::create(b, better, first);
             return {arith::AddIOp::create(
                 b, args[2], arith::ExtUIOp::create(b, i64, before))};
           })
          .front();
  // Loops over the result, then over the elements: `other` reads those.
  Value values = l.fill(outDims, cast<TypedAttr>(l.b.getZeroAttr(storage)));
  Value positions = l.fill(outDims, l.b.getI64IntegerAttr(0));
  SmallVector<Value> made = l.generic(
      {ranks, l.value(0)}, {values, positions}, {other, other, here, here},
      iterators,
      [&](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
        IndexMath m{b};
        Value hit = m.equal(m.fromInt(args[0]), m.loop(axis));
        Value at = arith::IndexCastOp::create(b, i64, m.loop(rank));
        return {m.select(hit, args[1], args[2]), m.select(hit, at, args[3])};
      });
  return l.replace(made);
}

void lathe::populateGatherPatterns(RewritePatternSet &patterns,
                                   const TypeConverter &types) {
  addLowering(patterns, types, lowerGather);
  addLowering(patterns, types, lowerGatherElements);
  addLowering(patterns, types, lowerGatherND);
  addLowering(patterns, types, lowerScatterElements);
  addLowering(patterns, types, lowerScatterND);
  addLowering(patterns, types, lowerOneHot);
  addLowering(patterns, types, lowerTopK);
}
