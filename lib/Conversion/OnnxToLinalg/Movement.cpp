// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operators that move elements by fixed rules.

#include "Contraction.h"
#include "Families.h"
#include "Lowering.h"
#include "RunTimeSizes.h"
#include "lathe/Dialect/Onnx/IR/Tensor.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"

using namespace mlir;
using namespace lathe;

/// Permutes; a view where only dimensions of size 1 move.
static Value permute(Lowering &l, Value source, DimsRef dims,
                     ArrayRef<int64_t> perm) {
  auto shape = cast<RankedTensorType>(source.getType()).getShape();
  int64_t last = -1;
  bool inOrder = true;
  for (int64_t from : perm) {
    if (shape[from] == 1)
      continue;
    inOrder &= from > last;
    last = from;
  }
  if (!inOrder)
    return l.transpose(source, dims, perm);
  Dims permuted;
  for (int64_t from : perm)
    permuted.push_back(dims[from]);
  return l.view(source, permuted);
}

static LogicalResult lowerTranspose(onnx::TransposeOp op, Lowering &l) {
  Dims dims = l.dims(0);
  SmallVector<int64_t> perm;
  if (op.getPerm())
    perm.assign(op.getPerm()->begin(), op.getPerm()->end());
  else
    perm = llvm::to_vector(llvm::reverse(llvm::seq<int64_t>(0, dims.size())));
  if (Value weight = permuteWeight(l, l.value(0), perm))
    return l.replace(weight);
  return l.replace(permute(l, l.value(0), dims, perm));
}

namespace {
/// A tensor among those that are put one after the other.
struct Part {
  Value value;
  Dims dims;
};
} // namespace

/// The compiler follows a chain of slices from each of them back to its start,
/// so more than this many are put together in steps.
static constexpr size_t maxSlices = 32;

/// Slices put one after the other along `axis` into an empty tensor of `dims`.
static Value joinParts(Lowering &l, ArrayRef<Part> parts, int64_t axis,
                       DimsRef dims) {
  Value joined = l.empty(dims, l.resultType().getElementType());
  Dims offsets(dims.size(), l.index(0)), strides(dims.size(), l.index(1));
  for (const Part &part : parts) {
    joined = tensor::InsertSliceOp::create(l.b, part.value, joined, offsets,
                                           part.dims, strides);
    offsets[axis] =
        l.apply(l.b.getAffineSymbolExpr(0) + l.b.getAffineSymbolExpr(1),
                {offsets[axis], part.dims[axis]});
  }
  return joined;
}

static LogicalResult lowerConcat(onnx::ConcatOp op, Lowering &l) {
  int64_t axis = normalizeAxis(op.getAxis(), l.resultType().getRank());
  if (l.getNumOperands() == 1)
    return l.replace(l.value(0));
  SmallVector<Part> parts;
  for (unsigned i = 0, e = l.getNumOperands(); i != e; ++i)
    if (l.type(i).getDimSize(axis) != 0)
      parts.push_back({l.value(i), l.dims(i)});
  while (parts.size() > maxSlices) {
    SmallVector<Part> fewer;
    for (ArrayRef<Part> rest = parts; !rest.empty();) {
      ArrayRef<Part> some = rest.take_front(maxSlices);
      rest = rest.drop_front(some.size());
      Dims dims = some.front().dims;
      for (const Part &part : some.drop_front())
        dims[axis] =
            l.apply(l.b.getAffineSymbolExpr(0) + l.b.getAffineSymbolExpr(1),
                    {dims[axis], part.dims[axis]});
      fewer.push_back({joinParts(l, some, axis, dims), dims});
    }
    parts = std::move(fewer);
  }
  return l.replace(joinParts(l, parts, axis, l.resultDims()));
}

static LogicalResult lowerSplit(onnx::SplitOp op, Lowering &l) {
  int64_t rank = l.rank(0), axis = normalizeAxis(op.getAxis(), rank);
  if (failed(bindSplit(l, axis)))
    return failure();
  Dims offsets(rank, l.index(0)), strides(rank, l.index(1));
  SmallVector<Value> parts;
  for (unsigned i = 0, e = op.getNumResults(); i != e; ++i) {
    Dims sizes = l.resultDims(i);
    if (l.resultType(i).getDimSize(axis) == 0 ||
        l.type(0).getDimSize(axis) == 0) {
      parts.push_back(l.empty(sizes, l.resultType(i).getElementType()));
      continue;
    }
    parts.push_back(tensor::ExtractSliceOp::create(l.b, l.value(0), offsets,
                                                   sizes, strides));
    offsets[axis] =
        l.apply(l.b.getAffineSymbolExpr(0) + l.b.getAffineSymbolExpr(1),
                {offsets[axis], sizes[axis]});
  }
  return l.replace(parts);
}

/// Which element of a dimension of `size` loop `i` reads, if that may be 1.
static Value getBroadcastIndex(const IndexMath &m, Value size, unsigned i) {
  return m.select(m.equal(size, m.constant(1)), m.constant(0), m.loop(i));
}

static LogicalResult lowerExpand(onnx::ExpandOp, Lowering &l) {
  if (!l.contents(1)) {
    if (failed(bindExpand(l)))
      return failure();
    SmallVector<Value> sizes = toValues(l, l.dims(0));
    Dims dims = l.resultDims();
    size_t skip = dims.size() - sizes.size();
    return l.replace(l.elementwise(
        {}, dims, l.resultElement(), [&](ImplicitLocOpBuilder &b, ValueRange) {
          IndexMath m{b};
          SmallVector<Value> at;
          for (auto [i, size] : llvm::enumerate(sizes))
            at.push_back(getBroadcastIndex(m, size, i + skip));
          return m.read(l.value(0), at, l.element(0));
        }));
  }
  if (l.type(0) == l.resultType() && l.type(0).hasStaticShape())
    return l.replace(l.value(0));
  return l.replace(
      l.elementwise(l.operand(0), l.resultDims(), l.resultElement(),
                    [](ImplicitLocOpBuilder &, ValueRange x) { return x[0]; }));
}

/// Broadcasts to [repeat, size] per dimension, which is the result row-major.
static LogicalResult lowerTile(onnx::TileOp, Lowering &l) {
  MLIRContext *context = l.b.getContext();
  Dims dims = l.dims(0), loops;
  std::optional<Dims> repeats = l.contents(1);
  if (!repeats) {
    if (failed(bindTile(l)))
      return failure();
    SmallVector<Value> sizes = toValues(l, dims);
    return l.replace(l.elementwise(
        {}, l.resultDims(), l.resultElement(),
        [&](ImplicitLocOpBuilder &b, ValueRange) {
          IndexMath m{b};
          SmallVector<Value> at;
          for (auto [i, size] : llvm::enumerate(sizes))
            at.push_back(arith::RemUIOp::create(b, m.loop(i), size));
          return m.read(l.value(0), at, l.element(0));
        }));
  }
  SmallVector<AffineExpr> read;
  for (auto [size, repeat] : llvm::zip_equal(dims, *repeats)) {
    if (!isConstantIntValue(repeat, 1))
      loops.push_back(repeat);
    read.push_back(getAffineDimExpr(loops.size(), context));
    loops.push_back(size);
  }
  Operand x = l.operand(0);
  x.map = AffineMap::get(loops.size(), 0, read, context);
  Value tiled =
      l.elementwise(x, loops, l.resultElement(),
                    [](ImplicitLocOpBuilder &, ValueRange v) { return v[0]; });
  return l.replace(l.view(tiled, l.resultDims()));
}

/// Keeps column - row >= k, or <= k.
static LogicalResult lowerTrilu(onnx::TriluOp op, Lowering &l) {
  Dims dims = l.resultDims();
  unsigned rank = dims.size();
  SmallVector<Operand> inputs = {l.operand(0)};
  if (l.has(1)) {
    inputs.push_back(l.operand(1));
    if (l.rank(1) == 1)
      inputs.back().map = AffineMap::get(rank, 0, l.b.getAffineConstantExpr(0),
                                         l.b.getContext());
  }
  bool upper = op.getUpper();
  return l.replace(l.elementwise(
      inputs, dims, l.resultElement(),
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        Type i64 = b.getI64Type();
        Value row = arith::IndexCastOp::create(
            b, i64, Value(linalg::IndexOp::create(b, rank - 2)));
        Value column = arith::IndexCastOp::create(
            b, i64, Value(linalg::IndexOp::create(b, rank - 1)));
        Value diagonal = arith::SubIOp::create(b, column, row);
        Value k = x.size() > 1 ? x[1] : makeConstant(b, i64, 0);
        Value keep = arith::CmpIOp::create(
            b, upper ? arith::CmpIPredicate::sge : arith::CmpIPredicate::sle,
            diagonal, k);
        return arith::SelectOp::create(b, keep, x[0],
                                       makeConstant(b, x[0].getType(), 0));
      }));
}

/// Views [b, c, h, w] as six dimensions, permutes them, and views the result.
static LogicalResult lowerDepthToSpace(onnx::DepthToSpaceOp op, Lowering &l) {
  int64_t block = op.getBlocksize();
  bool depthFirst = op.getMode() == "DCR";
  Dims dims = l.dims(0);
  OpFoldResult size = l.index(block);
  OpFoldResult channels =
      l.apply(l.b.getAffineSymbolExpr(0).floorDiv(block * block), dims[1]);
  Dims six = {dims[0], size, size, channels, dims[2], dims[3]};
  SmallVector<int64_t> perm = {0, 3, 4, 1, 5, 2};
  if (!depthFirst) {
    six = {dims[0], channels, size, size, dims[2], dims[3]};
    perm = {0, 1, 4, 2, 5, 3};
  }
  Value moved = permute(l, l.view(l.value(0), six), six, perm);
  return l.replace(l.view(moved, l.resultDims()));
}

static LogicalResult lowerSpaceToDepth(onnx::SpaceToDepthOp op, Lowering &l) {
  int64_t block = op.getBlocksize();
  Dims dims = l.dims(0);
  OpFoldResult size = l.index(block);
  AffineExpr blocks = l.b.getAffineSymbolExpr(0).floorDiv(block);
  Dims six = {dims[0],
              dims[1],
              l.apply(blocks, dims[2]),
              size,
              l.apply(blocks, dims[3]),
              size};
  SmallVector<int64_t> perm = {0, 3, 5, 1, 2, 4};
  if (op.getMode() != "DCR")
    perm = {0, 1, 3, 5, 2, 4};
  Value moved = permute(l, l.view(l.value(0), six), six, perm);
  return l.replace(l.view(moved, l.resultDims()));
}

void lathe::populateMovementPatterns(RewritePatternSet &patterns,
                                     const TypeConverter &types) {
  addLowering(patterns, types, lowerTranspose);
  addLowering(patterns, types, lowerConcat);
  addLowering(patterns, types, lowerSplit);
  addLowering(patterns, types, lowerExpand);
  addLowering(patterns, types, lowerTile);
  addLowering(patterns, types, lowerTrilu);
  addLowering(patterns, types, lowerDepthToSpace);
  addLowering(patterns, types, lowerSpaceToDepth);
}
