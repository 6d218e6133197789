// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reading and writing by index tensors. A loop over the result reads the data
// where the indices say; a check before it ends the program if one is outside.
// Scatters copy the data and then put the updates, in order; what no index
// reaches into is cut into rows that are done side by side.

#include "Checks.h"
#include "Elementwise.h"
#include "Families.h"
#include "Indexing.h"
#include "RunTimeSizes.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lathe;

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

/// Puts the updates into a copy of the data, one after the other: `locate`
/// gives, for the position of an update, the element that it is for. The
/// dimensions in `rows` are the same for both, and shorter for the updates at
/// most: each of their points is a row of its own, which one point of the grid
/// writes.
static Value
scatter(Lowering &l, StringRef reduction, ArrayRef<int64_t> rows,
        DimsRef updateLoops,
        function_ref<Value(const Code &, ValueRange, ValueRange,
                           SmallVector<Value> &, SmallVector<Value> &)>
            locate) {
  Dims dims = l.resultDims(), grid;
  int64_t rank = dims.size();
  Type element = l.element(0), storage = getStorageType(element);
  GridResult result{dims, storage, SmallVector<int64_t>(rank, -1)};
  for (auto [i, dim] : llvm::enumerate(rows)) {
    grid.push_back(dims[dim]);
    result.loops[dim] = i;
  }
  SmallVector<Value> sizes = toValues(l, dims),
                     loops = toValues(l, updateLoops);
  Value data = l.value(0), updates = l.value(2);
  SmallVector<Type> types = {element};
  // Nested loops over `extents` from the `depth`-th on.
  std::function<Code::Values(
      const Code &, ArrayRef<Value>, size_t, SmallVector<Value> &, ValueRange,
      llvm::function_ref<Code::Values(const Code &, ValueRange)>)>
      nest =
          [&](const Code &c, ArrayRef<Value> extents, size_t depth,
              SmallVector<Value> &at, ValueRange carried,
              llvm::function_ref<Code::Values(const Code &, ValueRange)> body)
      -> Code::Values {
    if (depth == extents.size())
      return body(c, carried);
    if (!extents[depth])
      return nest(c, extents, depth + 1, at, carried, body);
    return c.loop(c.constant(0), extents[depth], carried,
                  [&](const Code &c, Value i, ValueRange carried) {
                    at[depth] = i;
                    return nest(c, extents, depth + 1, at, carried, body);
                  });
  };
  if (grid.empty())
    grid.push_back(l.index(1));
  return makeGrid(
             l, grid, result,
             [&](const Code &c, ValueRange point,
                 ValueRange parts) -> Code::Values {
               Value zero = c.constant(0);
               // Where the parts, and the data, of this point lie.
               SmallVector<Value> extents(sizes), at(rank);
               for (auto [i, dim] : llvm::enumerate(rows)) {
                 extents[dim] = Value();
                 at[dim] = point[i];
               }
               auto toPart = [&](ArrayRef<Value> index) {
                 SmallVector<Value> local(index);
                 for (int64_t dim : rows)
                   local[dim] = zero;
                 return local;
               };
               Code::Values copied = nest(
                   c, extents, 0, at, parts,
                   [&](const Code &c, ValueRange out) -> Code::Values {
                     return {c.write(c.readRaw(data, at), out[0], toPart(at))};
                   });
               SmallVector<Value> loop(loops.size());
               return nest(c, loops, 0, loop, copied,
                           [&](const Code &c, ValueRange out) -> Code::Values {
                             SmallVector<Value> target, source;
                             Value ok = locate(c, point, loop, target, source);
                             auto put = [&](const Code &c) -> Code::Values {
                               SmallVector<Value> local = toPart(target);
                               Element e{c.b, {}, types, element};
                               Value update = c.read(updates, source, element);
                               Value old = c.read(out[0], local, element);
                               Value fresh = combine(e, reduction, old, update);
                               return {c.write(storeScalar(c.b, fresh, element),
                                               out[0], local)};
                             };
                             if (!ok)
                               return put(c);
                             return c.branch(ok, put,
                                             [&](const Code &) -> Code::Values {
                                               return {out[0]};
                                             });
                           });
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
  SmallVector<int64_t> rows;
  for (int64_t i = 0; i != rank; ++i)
    if (i != axis)
      rows.push_back(i);
  RankedTensorType data = l.type(0), updates = l.type(1);
  return l.replace(scatter(
      l, op.getReduction(), rows, updateDims[axis],
      [&](const Code &c, ValueRange point, ValueRange loop,
          SmallVector<Value> &target, SmallVector<Value> &source) -> Value {
        Value inside;
        for (auto [i, dim] : llvm::enumerate(rows)) {
          target.push_back(point[i]);
          source.push_back(point[i]);
          // The updates may be shorter than the data.
          if (!data.isDynamicDim(dim) &&
              data.getDimSize(dim) == updates.getDimSize(dim))
            continue;
          Value ok = c.less(point[i], bounds[dim]);
          inside = inside ? c.both(inside, ok) : ok;
          source.back() = c.clamp(point[i], bounds[dim]);
        }
        source.insert(source.begin() + axis, loop[0]);
        Value index = c.fromInt(c.readRaw(indices, source));
        target.insert(target.begin() + axis, c.normalize(index, size));
        return inside;
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
  // What the tuples do not index are rows: any point has all updates of its
  // own.
  auto rows = llvm::to_vector(llvm::seq<int64_t>(tuple, rank));
  return l.replace(scatter(
      l, op.getReduction(), rows, ArrayRef(indexDims).drop_back(),
      [&](const Code &c, ValueRange point, ValueRange loop,
          SmallVector<Value> &target, SmallVector<Value> &source) -> Value {
        SmallVector<Value> at(loop);
        source.assign(at);
        at.push_back({});
        for (int64_t k = 0; k != tuple; ++k) {
          at.back() = c.constant(k);
          Value index = c.fromInt(c.readRaw(indices, at));
          target.push_back(c.normalize(index, sizes[k]));
        }
        for (size_t i = 0; i != rows.size(); ++i) {
          target.push_back(point[i]);
          source.push_back(point[i]);
        }
        return {};
      }));
}

//===----------------------------------------------------------------------===//
// OneHot
//===----------------------------------------------------------------------===//

/// values[1] where the index, counted from the end if negative, is that of
/// dimension `axis`, else values[0].
static LogicalResult lowerOneHot(onnx::OneHotOp op, Lowering &l) {
  MLIRContext *context = l.b.getContext();
  bindOneHot(l, normalizeAxis(op.getAxis(), l.resultType().getRank()));
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

void lathe::populateGatherPatterns(RewritePatternSet &patterns,
                                   const TypeConverter &types) {
  addLowering(patterns, types, lowerGather);
  addLowering(patterns, types, lowerGatherElements);
  addLowering(patterns, types, lowerGatherND);
  addLowering(patterns, types, lowerScatterElements);
  addLowering(patterns, types, lowerScatterND);
  addLowering(patterns, types, lowerOneHot);
}
