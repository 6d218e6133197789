// Part of the Lathe project, under the Apache License v2.0 with LLVM
// Exceptions. SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Patches and regions of images: Col2Im, RoiAlign, MaxRoiPool and MaxUnpool.

#include "Checks.h"
#include "Elementwise.h"
#include "Families.h"
#include "Grid.h"
#include "Limits.h"
#include "RunTimeSizes.h"
#include "Sampling.h"
#include "lathe/Dialect/Onnx/IR/Spatial.h"
#include "mlir/Dialect/Linalg/IR/Linalg.h"

using namespace mlir;
using namespace lathe;

//===----------------------------------------------------------------------===//
// Col2Im
//===----------------------------------------------------------------------===//

/// The number that an attribute has for dimension `i`.
static int64_t getNumber(std::optional<ArrayRef<int64_t>> list, unsigned i,
                         int64_t otherwise) {
  return list ? (*list)[i] : otherwise;
}

/// A patch whose size is known when the program runs: a point per element,
/// which loops over the places of a patch.
static LogicalResult lowerCol2ImRunTime(onnx::Col2ImOp op, Lowering &l) {
  Dims dims = l.resultDims();
  int64_t rank = dims.size(), space = rank - 2;
  OpFoldResult all = l.product(dims);
  SmallVector<Value> sizes = toValues(l, dims), in = toValues(l, l.dims(0));
  Type element = l.element(0), compute = getComputeType(element);
  SmallVector<Type> types = {element};
  Value source = l.value(0);
  Value made =
      makeGrid(
          l, all, {{{all}, getStorageType(element), {0}}},
          [&](const Code &c, ValueRange point,
              ValueRange parts) -> Code::Values {
            Value zero = c.constant(0), one = c.constant(1);
            SmallVector<Value> at(rank), places, blocks;
            Value rest = point[0];
            for (int64_t d = rank; d-- > 0;) {
              Value size = c.max(sizes[d], one);
              at[d] = arith::RemUIOp::create(c.b, rest, size);
              rest = arith::DivUIOp::create(c.b, rest, size);
            }
            for (int64_t i = 0; i != space; ++i) {
              places.push_back(c.max(readOperand(l, c, 2, i), zero));
              int64_t pads = getNumber(op.getPads(), i, 0) +
                             getNumber(op.getPads(), i + space, 0);
              Value reach =
                  c.mul(c.sub(places[i], one),
                        c.constant(getNumber(op.getDilations(), i, 1)));
              Value room =
                  c.sub(c.add(sizes[i + 2], c.constant(pads - 1)), reach);
              blocks.push_back(c.add(
                  arith::FloorDivSIOp::create(
                      c.b, room, c.constant(getNumber(op.getStrides(), i, 1))),
                  one));
            }
            // Channel and column of the place at hand, and whether it is one.
            std::function<Code::Values(const Code &, int64_t, Value, Value,
                                       Value, ValueRange)>
                nest = [&](const Code &c, int64_t i, Value channel,
                           Value column, Value hit,
                           ValueRange sum) -> Code::Values {
              if (i == space) {
                // Limited as well: the operands may contradict each other.
                Value x = c.read(
                    source,
                    {at[0], c.clamp(channel, in[1]), c.clamp(column, in[2])},
                    element);
                Element e{c.b, {}, types, element};
                Value none = makeConstant(c.b, compute, 0);
                return {e.add(sum[0], c.select(hit, x, none))};
              }
              return c.loop(
                  c.constant(0), places[i], sum,
                  [&](const Code &c, Value k, ValueRange sum) {
                    Value stride = c.constant(getNumber(op.getStrides(), i, 1));
                    Value from = c.sub(
                        c.add(at[i + 2],
                              c.constant(getNumber(op.getPads(), i, 0))),
                        c.mul(k,
                              c.constant(getNumber(op.getDilations(), i, 1))));
                    Value inside = c.less(c.constant(-1), from);
                    from = c.max(from, c.constant(0));
                    Value block = arith::DivUIOp::create(c.b, from, stride);
                    Value whole = c.equal(c.mul(block, stride), from);
                    Value ok = c.both(c.both(hit, inside),
                                      c.both(whole, c.less(block, blocks[i])));
                    return nest(c, i + 1, c.add(c.mul(channel, places[i]), k),
                                c.add(c.mul(column, blocks[i]), block), ok,
                                sum);
                  });
            };
            Value yes = makeConstant(c.b, c.b.getI1Type(), 1);
            Value sum =
                nest(c, 0, at[1], zero, yes, makeConstant(c.b, compute, 0))[0];
            return {c.write(storeScalar(c.b, sum, element), parts[0], zero)};
          })
          .front();
  return l.replace(l.view(made, dims));
}

/// Loops over the images, then over the places of a patch: an element of the
/// image lies at place `k` of the block whose number is (at + pad - k *
/// dilation) / stride, if that is whole and there is such a block.
static LogicalResult lowerCol2Im(onnx::Col2ImOp op, Lowering &l) {
  MLIRContext *context = l.b.getContext();
  if (!l.contents(1) || !l.contents(2)) {
    int64_t length = l.resultType().getRank();
    SmallVector<Value> in = toValues(l, l.dims(0));
    bindDims(l, 0, [&](const Code &c) {
      Value patch = c.constant(1);
      for (int64_t i = 0; i != length - 2; ++i)
        patch = c.mul(patch, c.max(readOperand(l, c, 2, i), c.constant(1)));
      Code::Values sizes{in[0], arith::DivUIOp::create(c.b, in[1], patch)};
      for (int64_t i = 0; i != length - 2; ++i)
        sizes.push_back(readOperand(l, c, 1, i));
      return sizes;
    });
  }
  std::optional<Dims> block = l.contents(2);
  if (!block)
    return lowerCol2ImRunTime(op, l);
  Dims dims = l.resultDims();
  unsigned rank = dims.size(), space = rank - 2, loops = rank + space;
  SmallVector<Value> places = toValues(l, *block), blocks;
  for (unsigned i = 0; i != space; ++i) {
    int64_t pads =
        getNumber(op.getPads(), i, 0) + getNumber(op.getPads(), i + space, 0);
    AffineExpr image = l.b.getAffineSymbolExpr(0),
               kernel = l.b.getAffineSymbolExpr(1);
    AffineExpr count =
        (image + (pads - 1) - (kernel - 1) * getNumber(op.getDilations(), i, 1))
            .floorDiv(getNumber(op.getStrides(), i, 1)) +
        1;
    blocks.push_back(l.toValue(l.apply(count, {dims[i + 2], (*block)[i]})));
  }
  Type element = l.element(0), compute = getComputeType(element);
  SmallVector<Type> types = {element};
  SmallVector<utils::IteratorType> iterators(loops,
                                             utils::IteratorType::reduction);
  std::fill_n(iterators.begin(), rank, utils::IteratorType::parallel);
  Value source = l.value(0);
  Value bound = l.empty(*block, l.b.getI8Type());
  TypedAttr zero = cast<TypedAttr>(l.b.getZeroAttr(compute));
  Value sum =
      l.generic(
           bound, l.fill(dims, zero),
           {getLoopMap(context, loops, rank, space),
            getLoopMap(context, loops, 0, rank)},
           iterators,
           [&](ImplicitLocOpBuilder &b, ValueRange args) -> SmallVector<Value> {
             IndexMath m{b};
             Value channel = m.loop(1), column = m.constant(0), hit;
             for (unsigned i = 0; i != space; ++i) {
               Value k = m.loop(rank + i);
               channel = m.add(m.mul(channel, places[i]), k);
               Value stride = m.constant(getNumber(op.getStrides(), i, 1));
               Value at = m.sub(
                   m.add(m.loop(i + 2),
                         m.constant(getNumber(op.getPads(), i, 0))),
                   m.mul(k, m.constant(getNumber(op.getDilations(), i, 1))));
               Value zero = m.constant(0);
               Value positive = m.less(m.constant(-1), at);
               at = m.max(at, zero);
               Value block = arith::DivUIOp::create(b, at, stride);
               Value whole = m.equal(m.mul(block, stride), at);
               Value ok =
                   m.both(positive, m.both(whole, m.less(block, blocks[i])));
               hit = hit ? m.both(hit, ok) : ok;
               column =
                   m.add(m.mul(column, blocks[i]), m.clamp(block, blocks[i]));
             }
             Value x = m.read(source, {m.loop(0), channel, column}, element);
             Element e{b, args, types, element};
             Value none = makeConstant(b, compute, 0);
             return {e.add(args[1], m.select(hit, x, none))};
           })
          .front();
  if (compute == getStorageType(element))
    return l.replace(sum);
  return l.replace(
      l.elementwise(Operand{sum, compute}, dims, element,
                    [](ImplicitLocOpBuilder &, ValueRange x) { return x[0]; }));
}

//===----------------------------------------------------------------------===//
// RoiAlign
//===----------------------------------------------------------------------===//

/// Samples per bin and dimension at most, for regions of any numbers.
static constexpr double maxSamples = 1 << 16;

namespace {
/// One dimension of a bin: where it begins, how far samples are apart, and how
/// many there are.
struct Bin {
  Value start, step, count;
};
} // namespace

/// The samples of bin `i` of a region from `low` to `high`.
static Bin getBin(const Code &c, const FloatMath &f, onnx::RoiAlignOp op,
                  Value low, Value high, Value i, int64_t bins) {
  bool halfPixel = op.getCoordinateTransformationMode() == "half_pixel";
  Value scale = f.constant(op.getSpatialScale().convertToFloat());
  Value offset = f.constant(halfPixel ? 0.5 : 0.0), one = f.constant(1);
  low = f.sub(f.mul(low, scale), offset);
  high = f.sub(f.mul(high, scale), offset);
  Value extent = f.sub(high, low);
  if (!halfPixel)
    extent = f.select(f.less(extent, one), one, extent);
  Value size = f.div(extent, f.constant(bins));
  Value count = op.getSamplingRatio() > 0 ? f.constant(op.getSamplingRatio())
                                          : f.limit(f.ceil(size), f.constant(0),
                                                    f.constant(maxSamples));
  Value step = f.div(size, f.select(f.less(count, one), one, count));
  Value start = f.add(f.add(low, f.mul(f.fromIndex(i), size)),
                      f.mul(step, f.constant(0.5)));
  return {start, step, f.toIndex(count)};
}

/// The elements around `x`: nothing counts past one from the ends, and what is
/// past the ends counts as their elements.
static SmallVector<Tap> getEdgeTaps(const Code &c, const FloatMath &f, Value x,
                                    Value size) {
  Value one = f.constant(1), zero = f.constant(0), wide = f.fromIndex(size);
  Value inside = c.both(
      arith::CmpFOp::create(c.b, arith::CmpFPredicate::OGE, x, f.constant(-1)),
      arith::CmpFOp::create(c.b, arith::CmpFPredicate::OLE, x, wide));
  x = f.limit(x, zero, f.sub(wide, one));
  Value first = f.floor(x), part = f.sub(x, first);
  Value at = f.toIndex(first);
  Value next = c.clamp(c.add(at, c.constant(1)), size);
  return {{at, f.sub(one, part), inside}, {next, part, inside}};
}

static LogicalResult lowerRoiAlign(onnx::RoiAlignOp op, Lowering &l) {
  if (failed(checkIndices(l, 2, l.dims(0)[0], 0, /*fromEnd=*/false)))
    return failure();
  Dims dims = l.dims(0), outDims = l.resultDims();
  SmallVector<Value> sizes = toValues(l, dims);
  Value image = l.value(0), rois = l.value(1), batches = l.value(2);
  Type element = l.element(0), type = getComputeType(element);
  bool takesMax = op.getMode() == "max";
  int64_t height = op.getOutputHeight(), width = op.getOutputWidth();
  // One point per region and channel.
  SmallVector<Value> made = makeGrid(
      l, {outDims[0], outDims[1]},
      {{outDims, getStorageType(element), {0, 1, -1, -1}}},
      [&](const Code &c, ValueRange at, ValueRange parts) -> Code::Values {
        auto corner = [&](int64_t i) {
          return c.read(rois, {at[0], c.constant(i)}, l.element(1));
        };
        Value batch = c.clamp(c.fromInt(c.readRaw(batches, at[0])), sizes[0]);
        Value x1 = corner(0), y1 = corner(1), x2 = corner(2), y2 = corner(3);
        Value zero = c.constant(0);
        auto overBins = [&](const Code &c, Value ph, Value pw, Value out) {
          FloatMath f{c.b, type};
          Bin rows = getBin(c, f, op, y1, y2, ph, height);
          Bin columns = getBin(c, f, op, x1, x2, pw, width);
          Value start = f.constant(
              takesMax ? -std::numeric_limits<double>::infinity() : 0.0);
          Value total =
              c.loop(zero, rows.count, start,
                     [&](const Code &c, Value iy, ValueRange sum) {
                       FloatMath f{c.b, type};
                       Value y =
                           f.add(rows.start, f.mul(f.fromIndex(iy), rows.step));
                       SmallVector<Tap> yTaps = getEdgeTaps(c, f, y, sizes[2]);
                       return c.loop(
                           zero, columns.count, sum,
                           [&](const Code &c, Value ix,
                               ValueRange sum) -> Code::Values {
                             FloatMath f{c.b, type};
                             Value x =
                                 f.add(columns.start,
                                       f.mul(f.fromIndex(ix), columns.step));
                             SmallVector<Tap> xTaps =
                                 getEdgeTaps(c, f, x, sizes[3]);
                             if (!takesMax)
                               return {
                                   f.add(sum[0], sample(c, image, element,
                                                        {batch, at[1]},
                                                        {yTaps, xTaps}, type))};
                             // The greatest of the weighted elements.
                             Value greatest = sum[0];
                             for (const Tap &ty : yTaps)
                               for (const Tap &tx : xTaps) {
                                 Value v =
                                     sample(c, image, element, {batch, at[1]},
                                            {{ty}, {tx}}, type);
                                 greatest =
                                     f.select(f.less(greatest, v), v, greatest);
                               }
                             return {greatest};
                           });
                     })
                  .front();
          Value samples = c.mul(rows.count, columns.count);
          if (takesMax)
            total = f.select(c.equal(samples, zero), f.constant(0), total);
          else
            total = f.div(total, f.fromIndex(c.max(samples, c.constant(1))));
          return c.write(storeScalar(c.b, total, element), out,
                         {zero, zero, ph, pw});
        };
        return c.loop(zero, c.constant(height), parts,
                      [&](const Code &c, Value ph, ValueRange out) {
                        return c.loop(zero, c.constant(width), out,
                                      [&](const Code &c, Value pw,
                                          ValueRange out) -> Code::Values {
                                        return {overBins(c, ph, pw, out[0])};
                                      });
                      });
      });
  return l.replace(made);
}

//===----------------------------------------------------------------------===//
// MaxRoiPool
//===----------------------------------------------------------------------===//

static LogicalResult lowerMaxRoiPool(onnx::MaxRoiPoolOp op, Lowering &l) {
  Dims dims = l.dims(0), outDims = l.resultDims();
  SmallVector<Value> sizes = toValues(l, dims);
  Value image = l.value(0), rois = l.value(1);
  Type element = l.element(0), type = getComputeType(element);
  // Batch indices are floats.
  checkElements(
      l, {rois, l.element(1)}, l.dims(1),
      [&](ImplicitLocOpBuilder &b, ValueRange x) -> Value {
        IndexMath m{b};
        FloatMath f{b, type};
        Value ok = m.both(arith::CmpFOp::create(b, arith::CmpFPredicate::OGE,
                                                x[0], f.constant(0)),
                          f.less(x[0], f.fromIndex(sizes[0])));
        Value isBatch = m.equal(m.loop(1), m.constant(0));
        Value wrong =
            arith::XOrIOp::create(b, ok, makeConstant(b, b.getI1Type(), 1));
        return m.both(isBatch, wrong);
      },
      "expects batch indices in the range of dimension 0 of its data");
  ArrayRef<int64_t> pooled = op.getPooledShape();
  SmallVector<Value> made = makeGrid(
      l, {outDims[0], outDims[1]},
      {{outDims, getStorageType(element), {0, 1, -1, -1}}},
      [&](const Code &c, ValueRange at, ValueRange parts) -> Code::Values {
        FloatMath f{c.b, type};
        Value zero = c.constant(0), one = c.constant(1);
        Value most = f.constant(1 << 24);
        auto number = [&](int64_t i) {
          Value x = c.read(rois, {at[0], c.constant(i)}, l.element(1));
          if (i)
            x = f.floor(f.add(
                f.mul(x, f.constant(op.getSpatialScale().convertToFloat())),
                f.constant(0.5)));
          return f.toIndex(f.limit(x, f.constant(-(1 << 24)), most));
        };
        Value batch = c.clamp(number(0), sizes[0]);
        Value starts[] = {number(2), number(1)};
        Value ends[] = {number(4), number(3)};
        // Rows or columns [first, last) of bin `i`.
        auto range = [&](const Code &c, int d,
                         Value i) -> std::pair<Value, Value> {
          FloatMath f{c.b, type};
          Value extent = c.max(c.add(c.sub(ends[d], starts[d]), c.constant(1)),
                               c.constant(1));
          Value bin = f.div(f.fromIndex(extent), f.constant(pooled[d]));
          Value first = f.toIndex(f.floor(f.mul(f.fromIndex(i), bin)));
          Value last = f.toIndex(
              f.ceil(f.mul(f.fromIndex(c.add(i, c.constant(1))), bin)));
          auto limit = [&](Value x) {
            return c.min(c.max(c.add(x, starts[d]), c.constant(0)),
                         sizes[d + 2]);
          };
          return {limit(first), limit(last)};
        };
        return c.loop(
            zero, c.constant(pooled[0]), parts,
            [&](const Code &c, Value ph, ValueRange out) {
              auto [top, bottom] = range(c, 0, ph);
              Value y1 = top, y2 = bottom;
              return c.loop(
                  zero, c.constant(pooled[1]), out,
                  [&](const Code &c, Value pw, ValueRange out) -> Code::Values {
                    auto [left, right] = range(c, 1, pw);
                    Value x1 = left, x2 = right;
                    FloatMath f{c.b, type};
                    Value least =
                        f.constant(-std::numeric_limits<double>::infinity());
                    Value greatest =
                        c.loop(y1, y2, least,
                               [&](const Code &c, Value y, ValueRange sum) {
                                 return c.loop(
                                     x1, x2, sum,
                                     [&](const Code &c, Value x,
                                         ValueRange sum) -> Code::Values {
                                       FloatMath f{c.b, type};
                                       Value v =
                                           c.read(image, {batch, at[1], y, x},
                                                  element);
                                       return {f.select(f.less(sum[0], v), v,
                                                        sum[0])};
                                     });
                               })
                            .front();
                    Value isEmpty =
                        arith::OrIOp::create(c.b, c.less(y2, c.add(y1, one)),
                                             c.less(x2, c.add(x1, one)));
                    greatest = f.select(isEmpty, f.constant(0), greatest);
                    return {c.write(storeScalar(c.b, greatest, element), out[0],
                                    {zero, zero, ph, pw})};
                  });
            });
      });
  return l.replace(made);
}

//===----------------------------------------------------------------------===//
// MaxUnpool
//===----------------------------------------------------------------------===//

/// One point that fills the result with zeros and then puts the elements.
static LogicalResult lowerMaxUnpool(onnx::MaxUnpoolOp op, Lowering &l) {
  if (l.has(2) && !l.contents(2))
    bindDims(l, 0, [&](const Code &c) {
      Code::Values sizes;
      for (int64_t i = 0, e = l.resultType().getRank(); i != e; ++i)
        sizes.push_back(readOperand(l, c, 2, i));
      return sizes;
    });
  Dims dims = l.dims(0), outDims = l.resultDims();
  int64_t rank = dims.size(), space = rank - 2;
  // Positions count in the tensor of the size that the windows imply.
  Dims implied{outDims[0], outDims[1]};
  implied[0] = dims[0];
  implied[1] = dims[1];
  for (int64_t i = 0; i != space; ++i) {
    int64_t stride = op.getStrides() ? (*op.getStrides())[i] : 1;
    int64_t pad =
        op.getPads() ? (*op.getPads())[i] + (*op.getPads())[i + space] : 0;
    implied.push_back(l.apply((l.b.getAffineSymbolExpr(0) - 1) * stride - pad +
                                  op.getKernelShape()[i],
                              dims[i + 2]));
  }
  if (failed(checkIndices(l, 1, l.product(implied), 0, /*fromEnd=*/false)))
    return failure();
  SmallVector<Value> from = toValues(l, implied), to = toValues(l, outDims);
  Value count = l.toValue(l.product(dims));
  Value values = l.view(l.value(0), l.product(dims));
  Value positions = l.view(l.value(1), l.product(dims));
  Type element = l.element(0), storage = getStorageType(element);
  Value total = l.toValue(l.product(outDims)),
        all = l.toValue(l.product(implied));
  SmallVector<Value> made = makeGrid(
      l, l.index(1), {{{l.product(outDims)}, storage, {-1}}},
      [&](const Code &c, ValueRange, ValueRange parts) -> Code::Values {
        Value zero = c.constant(0);
        Value none = arith::ConstantOp::create(
            c.b, cast<TypedAttr>(c.b.getZeroAttr(storage)));
        Code::Values filled =
            c.loop(zero, total, parts,
                   [&](const Code &c, Value i, ValueRange out) -> Code::Values {
                     return {c.write(none, out[0], i)};
                   });
        return c.loop(
            zero, count, filled,
            [&](const Code &c, Value i, ValueRange out) -> Code::Values {
              Value rest = c.clamp(c.fromInt(c.readRaw(positions, i)), all);
              SmallVector<Value> at(rank);
              for (int64_t d = rank; d-- > 1;) {
                at[d] = arith::RemUIOp::create(c.b, rest, from[d]);
                rest = arith::DivUIOp::create(c.b, rest, from[d]);
              }
              at[0] = rest;
              Value where = zero, fits;
              for (int64_t d = 0; d != rank; ++d) {
                where = c.add(c.mul(where, to[d]), at[d]);
                Value ok = c.less(at[d], to[d]);
                fits = fits ? c.both(fits, ok) : ok;
              }
              return c.branch(
                  fits,
                  [&](const Code &c) -> Code::Values {
                    return {c.write(c.readRaw(values, i), out[0], where)};
                  },
                  [&](const Code &) -> Code::Values { return {out[0]}; });
            });
      });
  return l.replace(l.view(made.front(), outDims));
}

void lathe::populateRegionPatterns(RewritePatternSet &patterns,
                                   const TypeConverter &types) {
  addLowering(patterns, types, lowerCol2Im);
  addLowering(patterns, types, lowerRoiAlign);
  addLowering(patterns, types, lowerMaxRoiPool);
  addLowering(patterns, types, lowerMaxUnpool);
}
