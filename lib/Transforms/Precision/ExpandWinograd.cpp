// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Upstream's `linalg.winograd_*` ops are lowered to a loop over images,
// channels and tiles around products of small matrices, where lanes have
// nothing to run along but the four or six points of a side, and take images of
// whole tiles only. Here lanes run along channels, and the small matrices
// become straight code.

#include "PlainConvolution.h"
#include "lathe/Dialect/Lathe/IR/MinimalFilter.h"
#include "lathe/Transforms/Fusion/ProgramOps.h"
#include "lathe/Transforms/Precision/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Utils/IndexingUtils.h"

using namespace mlir;

namespace lathe {
#define GEN_PASS_DEF_EXPANDWINOGRAD
#include "lathe/Transforms/Precision/Passes.h.inc"
} // namespace lathe

using namespace lathe;

using Values = SmallVector<Value>;

//===----------------------------------------------------------------------===//
// Products of a constant matrix and values
//===----------------------------------------------------------------------===//

namespace {
/// Emits sums of multiples of values.
class Combiner {
public:
  Combiner(OpBuilder &b, Location loc) : b(b), loc(loc) {}

  /// `matrix * values`. Rows, and columns, of points `+p` and `-p` differ in
  /// signs only, and share what is computed.
  Values multiply(const MinimalFilter::Matrix &matrix, ArrayRef<Value> values);

private:
  struct Term {
    double factor;
    Value value;
  };
  Value sum(ArrayRef<Term> terms);
  Value scale(double factor, Value value);
  /// `lhs + factor * rhs`.
  Value add(Value lhs, double factor, Value rhs);
  Values multiplyRows(const MinimalFilter::Matrix &matrix,
                      ArrayRef<Value> values);

  OpBuilder &b;
  Location loc;
};
} // namespace

Value Combiner::scale(double factor, Value value) {
  if (factor == 1)
    return value;
  Value constant =
      arith::ConstantOp::create(b, loc, b.getF32FloatAttr(float(factor)));
  return arith::MulFOp::create(b, loc, value, constant);
}

Value Combiner::add(Value lhs, double factor, Value rhs) {
  if (factor == -1)
    return arith::SubFOp::create(b, loc, lhs, rhs);
  return arith::AddFOp::create(b, loc, lhs, scale(factor, rhs));
}

Value Combiner::sum(ArrayRef<Term> terms) {
  // Begin with a term that needs no product.
  size_t first = 0;
  for (auto [i, term] : llvm::enumerate(terms))
    if (term.factor == 1) {
      first = i;
      break;
    }
  Value total = scale(terms[first].factor, terms[first].value);
  for (auto [i, term] : llvm::enumerate(terms))
    if (i != first)
      total = add(total, term.factor, term.value);
  return total;
}

/// Whether the vectors differ in signs, but not everywhere.
static bool isPair(ArrayRef<double> a, ArrayRef<double> b) {
  bool equal = false, negated = false;
  for (auto [x, y] : llvm::zip_equal(a, b)) {
    if (x == 0 && y == 0)
      continue;
    if (x != y && x != -y)
      return false;
    (x == y ? equal : negated) = true;
  }
  return equal && negated;
}

Values Combiner::multiplyRows(const MinimalFilter::Matrix &matrix,
                              ArrayRef<Value> values) {
  Values results;
  for (size_t r = 0; r < matrix.size(); ++r) {
    ArrayRef<double> row = matrix[r];
    bool paired = r + 1 < matrix.size() && isPair(row, matrix[r + 1]);
    SmallVector<Term> even, odd;
    for (auto [c, factor] : llvm::enumerate(row)) {
      if (factor == 0)
        continue;
      bool isOdd = paired && matrix[r + 1][c] != factor;
      (isOdd ? odd : even).push_back({factor, values[c]});
    }
    if (!paired) {
      results.push_back(sum(even));
      continue;
    }
    // The last factor is that of the highest power: the others are multiples.
    double common = odd.back().factor;
    for (Term &term : odd)
      term.factor /= common;
    Value evenSum = sum(even), oddSum = sum(odd);
    results.push_back(add(evenSum, common, oddSum));
    results.push_back(add(evenSum, -common, oddSum));
    ++r;
  }
  return results;
}

Values Combiner::multiply(const MinimalFilter::Matrix &matrix,
                          ArrayRef<Value> values) {
  // Columns of a pair become those of the sum and the difference.
  MinimalFilter::Matrix paired(matrix.size());
  Values terms;
  auto getColumn = [&](size_t c) {
    SmallVector<double> column;
    for (ArrayRef<double> row : matrix)
      column.push_back(row[c]);
    return column;
  };
  size_t columns = values.size();
  bool square = matrix.size() == columns;
  for (size_t c = 0; c < columns; ++c) {
    SmallVector<double> column = getColumn(c);
    if (square || c + 1 == columns || !isPair(column, getColumn(c + 1))) {
      terms.push_back(values[c]);
      for (auto [row, factor] : llvm::zip_equal(paired, column))
        row.push_back(factor);
      continue;
    }
    SmallVector<double> next = getColumn(++c);
    terms.push_back(add(values[c - 1], 1, values[c]));
    terms.push_back(add(values[c - 1], -1, values[c]));
    for (auto [row, factor, other] : llvm::zip_equal(paired, column, next)) {
      row.push_back(factor == other ? factor : 0);
      row.push_back(factor == other ? 0 : factor);
    }
  }
  return multiplyRows(paired, terms);
}

/// `matrix * tile * matrix^T` for a square tile in row-major order.
static Values transformTile(OpBuilder &b, Location loc,
                            const MinimalFilter::Matrix &matrix,
                            ArrayRef<Value> tile) {
  Combiner combiner(b, loc);
  size_t from = matrix.front().size(), to = matrix.size();
  Values half(to * from), result;
  for (size_t q = 0; q < from; ++q) {
    Values column;
    for (size_t p = 0; p < from; ++p)
      column.push_back(tile[p * from + q]);
    for (auto [i, value] : llvm::enumerate(combiner.multiply(matrix, column)))
      half[i * from + q] = value;
  }
  for (size_t i = 0; i < to; ++i)
    llvm::append_range(result, combiner.multiply(matrix, ArrayRef(half).slice(
                                                             i * from, from)));
  return result;
}

/// The one of `values`, a square of `side` rows, at an index.
static Value selectPoint(OpBuilder &b, Location loc, ArrayRef<Value> values,
                         size_t side, Value row, Value column) {
  auto select = [&](ArrayRef<Value> from, Value at) {
    Value chosen = from.back();
    for (int64_t i = int64_t(from.size()) - 2; i >= 0; --i) {
      Value here =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, at,
                                arith::ConstantIndexOp::create(b, loc, i));
      chosen = arith::SelectOp::create(b, loc, here, from[i], chosen);
    }
    return chosen;
  };
  Values ofRow;
  for (size_t q = 0; q < side; ++q) {
    Values points;
    for (size_t p = 0; p < side; ++p)
      points.push_back(values[p * side + q]);
    ofRow.push_back(select(points, row));
  }
  return select(ofRow, column);
}

//===----------------------------------------------------------------------===//
// The three parts
//===----------------------------------------------------------------------===//

namespace {
class Expander {
public:
  Expander(linalg::GenericOp op, const PlainConvolution &conv, int64_t tile,
           int64_t panelWidth)
      : b(op), loc(op.getLoc()), op(op), conv(conv), tile(tile),
        points(tile + conv.taps - 1), panelWidth(panelWidth),
        filter(*getMinimalFilter(tile, conv.taps)) {
    ArrayRef<int64_t> shape = getShape(op->getResult(0));
    for (unsigned side : {0, 1})
      tiles[side] = llvm::divideCeil(shape[1 + side], tile);
    columns = shape[3];
  }
  LogicalResult run();

private:
  static ArrayRef<int64_t> getShape(Value value) {
    return cast<RankedTensorType>(value.getType()).getShape();
  }
  Value makeEmpty(ArrayRef<int64_t> shape);
  Value view(Value source, ArrayRef<int64_t> shape);
  Value transformImage();
  Value packFilter(AffineMap &map);
  Value multiply(Value image);
  Value transformProducts(Value products);
  linalg::GenericOp
  makeGeneric(ValueRange inputs, Value init, ArrayRef<AffineMap> maps,
              unsigned reductions,
              function_ref<void(OpBuilder &, Location, ValueRange)> body);

  OpBuilder b;
  Location loc;
  linalg::GenericOp op;
  const PlainConvolution &conv;
  int64_t tile, points, panelWidth, columns;
  int64_t tiles[2];
  MinimalFilter filter;
  /// The number of images where it is not known.
  Value images;
};
} // namespace

/// An empty tensor; its one dynamic dimension, if any, is the images or images
/// times tiles.
Value Expander::makeEmpty(ArrayRef<int64_t> shape) {
  auto type = RankedTensorType::get(shape, b.getF32Type());
  Values sizes;
  if (!type.hasStaticShape())
    sizes.push_back(shape.size() == 3
                        ? affine::makeComposedAffineApply(
                              b, loc,
                              b.getAffineSymbolExpr(0) * (tiles[0] * tiles[1]),
                              OpFoldResult(images))
                        : images);
  return tensor::EmptyOp::create(b, loc, type, sizes);
}

Value Expander::view(Value source, ArrayRef<int64_t> shape) {
  auto empty = makeEmpty(shape).getDefiningOp<tensor::EmptyOp>();
  Values sizes = llvm::to_vector(ValueRange(empty.getDynamicSizes()));
  auto type = empty.getType();
  empty.erase();
  return ViewOp::create(b, loc, type, source, sizes);
}

linalg::GenericOp Expander::makeGeneric(
    ValueRange inputs, Value init, ArrayRef<AffineMap> maps,
    unsigned reductions,
    function_ref<void(OpBuilder &, Location, ValueRange)> body) {
  SmallVector<utils::IteratorType> kinds(maps.back().getNumDims(),
                                         utils::IteratorType::parallel);
  for (unsigned i = 0; i < reductions; ++i)
    kinds[kinds.size() - 1 - i] = utils::IteratorType::reduction;
  auto made = linalg::GenericOp::create(b, loc, init.getType(), inputs, init,
                                        maps, kinds, body);
  if (Attribute node = op->getAttr(nodeAttrName))
    made->setAttr(nodeAttrName, node);
  return made;
}

Value Expander::transformImage() {
  int64_t channels = conv.getChannels(), batch = conv.getImages();
  Value init = makeEmpty({points, points, batch, tiles[0], tiles[1], channels});
  AffineMap identity = b.getMultiDimIdentityMap(6);
  auto body = [&](OpBuilder &b, Location loc, ValueRange) {
    auto index = [&](unsigned dim) -> Value {
      return linalg::IndexOp::create(b, loc, dim);
    };
    Value zero = arith::ConstantIndexOp::create(b, loc, 0);
    Value padding = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0));
    // Where a piece reads along each side, and whether that is inside.
    Values at[2], inside[2];
    for (unsigned side : {0, 1}) {
      int64_t extent = conv.getInput(side), low = conv.low[side];
      Value number = index(3 + side);
      for (int64_t p = 0; p < points; ++p) {
        Value place = affine::AffineApplyOp::create(
            b, loc, b.getAffineDimExpr(0) * tile + (p - low), number);
        Value live;
        if (p < low || (tiles[side] - 1) * tile + p - low >= extent) {
          // Unsigned: a negative index is past the end, too.
          live = arith::CmpIOp::create(
              b, loc, arith::CmpIPredicate::ult, place,
              arith::ConstantIndexOp::create(b, loc, extent));
          place = arith::SelectOp::create(b, loc, live, place, zero);
        }
        at[side].push_back(place);
        inside[side].push_back(live);
      }
    }
    Value image = index(2), channel = index(5);
    Values piece;
    for (int64_t p = 0; p < points; ++p)
      for (int64_t q = 0; q < points; ++q) {
        Value value = tensor::ExtractOp::create(
            b, loc, conv.image, ValueRange{image, at[0][p], at[1][q], channel});
        Value live = inside[0][p];
        if (Value other = inside[1][q])
          live = live ? arith::AndIOp::create(b, loc, live, other) : other;
        if (live)
          value = arith::SelectOp::create(b, loc, live, value, padding);
        piece.push_back(value);
      }
    Values transformed = transformTile(b, loc, filter.input, piece);
    linalg::YieldOp::create(
        b, loc, selectPoint(b, loc, transformed, points, index(0), index(1)));
  };
  return makeGeneric({}, init, identity, 0, body).getResult(0);
}

/// The transformed filters, a matrix of `c` rows per point, in panels of
/// columns where there are several.
Value Expander::packFilter(AffineMap &map) {
  MLIRContext *context = b.getContext();
  WeightOp weight = conv.filter;
  SmallVector<Attribute> recipe(weight.getRecipe().begin(),
                                weight.getRecipe().end());
  SmallVector<int64_t> shape(getShape(weight));
  auto permute = [&](ArrayRef<int64_t> perm) {
    recipe.push_back(PermuteStepAttr::get(context, perm));
    applyPermutationToVector(shape, perm);
  };
  auto reshape = [&](ArrayRef<int64_t> to) {
    recipe.push_back(ReshapeStepAttr::get(context, to));
    shape.assign(to.begin(), to.end());
  };
  if (!isIdentityPermutation(conv.filterPerm))
    permute(conv.filterPerm);
  recipe.push_back(WinogradStepAttr::get(context, tile));
  shape[2] = shape[3] = points;
  permute({2, 3, 1, 0});
  int64_t channels = conv.getChannels(), all = points * points;
  reshape({all, channels, columns});
  AffineExpr point, row, column, depth;
  bindDims(context, point, row, column, depth);
  SmallVector<AffineExpr> results{point, depth, column};
  if (columns > panelWidth) {
    recipe.push_back(PanelStepAttr::get(context, panelWidth));
    int64_t panels = llvm::divideCeil(columns, panelWidth);
    shape.assign({panels, all, channels, panelWidth});
    permute({1, 0, 2, 3});
    results = {point, column.floorDiv(panelWidth), depth, column % panelWidth};
  }
  map = AffineMap::get(4, 0, results, context);
  return WeightOp::create(b, weight.getLoc(),
                          RankedTensorType::get(shape, b.getF32Type()),
                          weight.getValue(), b.getArrayAttr(recipe));
}

Value Expander::multiply(Value image) {
  int64_t batch = conv.getImages();
  int64_t rows = ShapedType::isDynamic(batch) ? ShapedType::kDynamic
                                              : batch * tiles[0] * tiles[1];
  int64_t all = points * points;
  image = view(image, {all, rows, conv.getChannels()});
  AffineExpr point, row, column, depth;
  bindDims(b.getContext(), point, row, column, depth);
  auto getMap = [&](ArrayRef<AffineExpr> results) {
    return AffineMap::get(4, 0, results, b.getContext());
  };
  AffineMap filterMap;
  Value packed = packFilter(filterMap);
  Value zero = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0));
  auto fill =
      linalg::FillOp::create(b, loc, zero, makeEmpty({all, rows, columns}));
  if (Attribute node = op->getAttr(nodeAttrName))
    fill->setAttr(nodeAttrName, node);
  auto body = [](OpBuilder &b, Location loc, ValueRange args) {
    Value product = arith::MulFOp::create(b, loc, args[0], args[1]);
    Value sum = arith::AddFOp::create(b, loc, args[2], product);
    linalg::YieldOp::create(b, loc, sum);
  };
  return makeGeneric(ValueRange{image, packed}, fill.getResult(0),
                     {getMap({point, row, depth}), filterMap,
                      getMap({point, row, column})},
                     1, body)
      .getResult(0);
}

Value Expander::transformProducts(Value products) {
  products = view(products, {points, points, conv.getImages(), tiles[0],
                             tiles[1], columns});
  Value init = makeEmpty(getShape(op->getResult(0)));
  MLIRContext *context = b.getContext();
  AffineExpr n, h, w, k;
  bindDims(context, n, h, w, k);
  SmallVector<AffineMap> maps;
  Values inputs(points * points, products);
  for (int64_t p = 0; p < points; ++p)
    for (int64_t q = 0; q < points; ++q)
      maps.push_back(AffineMap::get(4, 0,
                                    {b.getAffineConstantExpr(p),
                                     b.getAffineConstantExpr(q), n,
                                     h.floorDiv(tile), w.floorDiv(tile), k},
                                    context));
  maps.push_back(b.getMultiDimIdentityMap(4));
  auto body = [&](OpBuilder &b, Location loc, ValueRange args) {
    Values read(args.drop_back());
    Values transformed = transformTile(b, loc, filter.output, read);
    Value place[2];
    for (unsigned side : {0, 1})
      place[side] = affine::AffineApplyOp::create(
          b, loc, b.getAffineDimExpr(0) % tile,
          ValueRange{linalg::IndexOp::create(b, loc, 1 + side)});
    linalg::YieldOp::create(
        b, loc, selectPoint(b, loc, transformed, tile, place[0], place[1]));
  };
  return makeGeneric(inputs, init, maps, 0, body).getResult(0);
}

LogicalResult Expander::run() {
  if (ShapedType::isDynamic(conv.getImages())) {
    FailureOr<Values> sizes = getDynamicDims(b, conv.image);
    if (failed(sizes))
      return op.emitError("failed to find the number of images");
    images = sizes->front();
    b.setInsertionPoint(op);
  }
  Value result = transformProducts(multiply(transformImage()));
  op->getResult(0).replaceAllUsesWith(result);
  op.erase();
  return success();
}

namespace {
struct ExpandWinograd : public lathe::impl::ExpandWinogradBase<ExpandWinograd> {
  using Base::Base;

  void runOnOperation() override {
    SmallVector<linalg::GenericOp> chosen;
    getOperation().walk([&](linalg::GenericOp op) {
      if (op->hasAttr(winogradAttrName))
        chosen.push_back(op);
    });
    for (linalg::GenericOp op : chosen) {
      StringRef reason;
      std::optional<PlainConvolution> conv = matchPlainConvolution(op, reason);
      auto tile = op->getAttrOfType<IntegerAttr>(winogradAttrName);
      if (!conv || !tile || !getMinimalFilter(tile.getInt(), conv->taps)) {
        op.emitError("expects a convolution that a minimal filtering algorithm "
                     "computes");
        return signalPassFailure();
      }
      if (failed(Expander(op, *conv, tile.getInt(), panelWidth).run()))
        return signalPassFailure();
    }
  }
};
} // namespace
